"""Sever: withdraw one link."""

from __future__ import annotations

from graphid.errors import NotFound
from graphid.identity.proposals import anchor_of, anchor_of_visitor
from graphid.identity.state import LinkKind, LinkState
from graphid.identity.values import IdentifierAnchor, KeepApart, Micros, Sever
from graphid.service.links import LinkRecord
from graphid.service.operations.proposing import Asked, Header, Proposal, refused
from graphid.service.operations.seeing import Seen, require_kind
from graphid.service.operations.unmerge import part

GONE = "This link was withdrawn already."


class SeverLink(Asked, frozen=True, tag="sever"):
    """``since``: from then on only; for IDENTIFIED_AS links, whose visitor is cut there."""

    id: str
    since: Micros | None = None

    async def propose(self, seen: Seen, header: Header) -> Proposal:
        link = await seen.link(self.id)
        if link is None:
            require_kind(self.id, "link_")
            raise NotFound("There is no link of this id.")
        kind = link.link.kind
        if kind is not LinkKind.IDENTIFIED_AS and self.since is not None:
            raise refused("from: only what a visitor did can be cut in two.")
        if kind is LinkKind.NOT_SAME_AS:
            raise refused("This link keeps two contacts apart; restoreLink takes that back.")
        if link.link.state is LinkState.SEVERED:
            raise refused(GONE)
        if kind is LinkKind.SAME_AS:
            return await part(link.link, seen, header)
        if kind is LinkKind.HAS_IDENTIFIER:
            return await _part_identifier(link, seen, header)
        return await self._sever(link, seen, header)

    async def _sever(self, link: LinkRecord, seen: Seen, header: Header) -> Proposal:
        if self.since is not None and self.since > header.recorded_at:
            raise refused("from: that is yet to come.")
        source = link.link.source
        record = (await seen.reads.visitors.by_id([source])).get(source)
        person = await seen.person(link.link.target)
        standing = None if record is None else record.visitor.link
        if record is None or person is None or standing is None or standing.id != self.id:
            raise refused(GONE)
        operation = header.on(
            Sever,
            visitor=anchor_of_visitor(record.visitor),
            contacts=tuple(anchor_of(contact) for contact in person.contacts),
            since=self.since,
        )
        return Proposal(operation)


async def _part_identifier(link: LinkRecord, seen: Seen, header: Header) -> Proposal:
    """Keep the identifier apart from all contacts of whoever holds it."""
    named = link.identifier
    assert named is not None
    key = f"{named.type}:{named.value}"
    person = await seen.person(link.link.source)
    if person is None or link.link.state is not LinkState.ACTIVE:
        raise refused(GONE)
    if all(key not in contact.holds for contact in person.contacts):
        raise refused(GONE)
    contacts = tuple(anchor_of(contact) for contact in person.contacts)
    return Proposal(header.on(KeepApart, sides=(contacts, (IdentifierAnchor(key),))))
