"""Unmerge: take back one join, or all that a merge made."""

from __future__ import annotations

from collections.abc import Collection

from graphid.errors import NotFound
from graphid.identity.proposals import sides_of
from graphid.identity.state import Link, LinkKind, LinkState
from graphid.identity.values import ContactAnchor, KeepApart, Merge, Side
from graphid.service.ledger import RecordedOperation
from graphid.service.operations.proposing import Asked, Header, Proposal, refused
from graphid.service.operations.seeing import Seen, require_kind

GONE = "This join is gone already."


class Unmerge(Asked, frozen=True, tag="unmerge"):
    """``id``: of a merge operation, or of a SAME_AS link, whoever or whatever made it."""

    id: str

    async def propose(self, seen: Seen, header: Header) -> Proposal:
        link = await seen.link(self.id)
        if link is not None:
            if link.link.kind is not LinkKind.SAME_AS:
                other = "restoreLink" if link.link.kind is LinkKind.NOT_SAME_AS else "severLink"
                raise refused(f"This link joins no two contacts; {other} is for it.")
            return await part(link.link, seen, header)
        merge = await seen.operation(self.id)
        if merge is None:
            require_kind(self.id, "link_")
            raise NotFound("There is no merge and no link of this id.")
        if not isinstance(merge.piece, Merge):
            raise refused("This operation is no merge; restoreLink takes other operations back.")
        return await _take_back(merge, seen, header)


async def part(link: Link, seen: Seen, header: Header) -> Proposal:
    """Take back what one SAME_AS link joins, and nothing else."""
    person = await seen.person(link.source)
    if link.state is not LinkState.ACTIVE or person is None:
        raise refused(GONE)
    sides = sides_of(person.contacts, {link.id})
    if len(sides) < 2:
        raise refused(GONE)
    merge = await seen.recorded(link.evidence)
    # A merge that made other links, too, goes on without this one.
    alone = merge is not None and {made.id for made in _made_by(merge)} == {link.id}
    withdraws = (link.evidence,) if alone else ()
    return Proposal(header.on(KeepApart, sides=sides, withdraws=withdraws))


async def _take_back(merge: RecordedOperation, seen: Seen, header: Header) -> Proposal:
    if await seen.is_withdrawn(merge.id):
        raise refused("This merge was taken back already.")
    if merge.is_pending:
        raise refused("This merge is still being worked on: take it back once it is done.")
    made = _made_by(merge)
    joins = [link for link in made if link.kind is LinkKind.SAME_AS]
    visitors = [link for link in made if link.kind is LinkKind.IDENTIFIED_AS]
    concerns = [id for link in visitors for id in (link.target, link.source)]
    sides = await _sides(merge, joins, seen)
    operation = header.on(KeepApart, sides=sides, withdraws=(merge.id,))
    return Proposal(operation, concerns=tuple(concerns))


async def _sides(merge: RecordedOperation, joins: Collection[Link], seen: Seen) -> tuple[Side, ...]:
    if joins:
        person = await seen.person(next(iter(joins)).source)
        sides = () if person is None else sides_of(person.contacts, {link.id for link in joins})
        if len(sides) > 1:
            return sides
    assert isinstance(merge.piece, Merge)
    # It joins nobody as things are; those whom it named are kept apart, if they were known.
    known = [anchor for anchor in merge.piece.of if isinstance(anchor, ContactAnchor)]
    return tuple((anchor,) for anchor in known) if len(known) > 1 else ()


def _made_by(merge: RecordedOperation) -> list[Link]:
    """The links that the merge makes, as things are."""
    return [
        link
        for link in merge.links
        if link.evidence == merge.id and link.kind in (LinkKind.SAME_AS, LinkKind.IDENTIFIED_AS)
    ]
