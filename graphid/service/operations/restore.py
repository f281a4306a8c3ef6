"""Restore: take a sever, an unmerge, a rejection or a block back."""

from __future__ import annotations

from graphid.errors import NotFound
from graphid.identity.state import Link, LinkKind, LinkState
from graphid.identity.values import Block, KeepApart, Restore, Sever
from graphid.service.ledger import RecordedOperation
from graphid.service.operations.proposing import Asked, Header, Proposal, named_in, refused
from graphid.service.operations.seeing import Seen, require_kind

CUT = "~from"
"""What the name of the cut ends with by which a sever parts a visitor."""


class RestoreLink(Asked, frozen=True, tag="restore"):
    """``id``: of the operation that is taken back, or of a link that it withdrew, cut or made."""

    id: str

    async def propose(self, seen: Seen, header: Header) -> Proposal:
        found = await seen.link(self.id)
        if found is None:
            operation = await seen.operation(self.id)
            if operation is None:
                require_kind(self.id, "link_")
                raise NotFound("There is no operation and no link of this id.")
        else:
            operation = await _behind(found.link, seen)
        if not isinstance(operation.piece, Sever | KeepApart | Block):
            raise refused(_INSTEAD.get(type(operation.piece).__name__, _NOT_THIS))
        if await seen.is_withdrawn(operation.id):
            raise refused("This was taken back already.")
        concerns = list(named_in(operation.piece))
        if isinstance(operation.piece, KeepApart):
            for id in operation.piece.withdraws:
                merge = await seen.recorded(id)
                concerns += () if merge is None else named_in(merge.piece)
        if found is not None and found.link.kind is not LinkKind.HAS_IDENTIFIER:
            concerns.append(found.link.source)
        withdrawn = header.on(Restore, withdraws=(operation.id,))
        return Proposal(withdrawn, concerns=tuple(dict.fromkeys(concerns)))


_NOT_THIS = "This operation is not one that can be taken back."
_INSTEAD = {
    "Merge": "This operation is a merge; unmerge takes it back.",
    "Restore": "This operation took another back; do that one again instead.",
    "Promote": "A contact that somebody confirmed stays confirmed.",
    "Erase": "What was erased is gone.",
}


async def _behind(link: Link, seen: Seen) -> RecordedOperation:
    """The operation that withdrew the link, or cut its visitor; that made it, where it says that
    two are kept apart."""
    if link.state is LinkState.SEVERED:
        operation = await seen.recorded(link.retracted_by)
        if operation is None:
            raise refused("Stronger evidence withdrew this link, and no operator.")
        return operation
    if link.kind is LinkKind.NOT_SAME_AS:
        operation = await seen.recorded(link.evidence)
        assert operation is not None
        return operation
    cut = await _cut(link, seen)
    if cut is None:
        raise refused("This link was not severed.")
    return cut


async def _cut(link: Link, seen: Seen) -> RecordedOperation | None:
    """The sever whose cut ended the visitor of the link, if one did."""
    if link.kind is not LinkKind.IDENTIFIED_AS:
        return None
    record = (await seen.reads.visitors.by_id([link.source])).get(link.source)
    ended_by = None if record is None else record.visitor.ended_by
    if ended_by is None or not ended_by.endswith(CUT):
        return None
    return await seen.recorded(ended_by.removesuffix(CUT))
