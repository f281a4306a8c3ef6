"""Block: a value identifies nobody."""

from __future__ import annotations

from pydantic import ValidationError

from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.state import Identifier, Judgements
from graphid.identity.values import Block
from graphid.service.messages import ClaimedIdentifier
from graphid.service.operations.proposing import Asked, Header, Proposal, refused
from graphid.service.operations.seeing import Seen


class BlockIdentifier(Asked, frozen=True, tag="block"):
    """In any spelling that is normalised to it."""

    type: str
    value: str

    def check(self) -> None:
        try:
            ClaimedIdentifier(type=self.type, value=self.value)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise refused(f"{fault['loc'][0]}: {fault['msg']}.") from None

    async def propose(self, seen: Seen, header: Header) -> Proposal:
        try:
            key = normalise(self.type, self.value, region=seen.policy.phone.region)
        except InvalidIdentifier as fault:
            raise refused(f"value: {fault}.") from None
        if seen.policy.is_blocked(key):
            raise refused("value: the policy blocks it already, or it is a placeholder.")
        found = await seen.values([("judged", key), ("identifier", key)])
        judged, held = found.get(("judged", key)), found.get(("identifier", key))
        if isinstance(judged, Judgements) and judged.blocked_by:
            raise refused("value: an operator blocked it already.")
        holders = held.contacts if isinstance(held, Identifier) else ()
        return Proposal(header.on(Block, identifier=key), concerns=holders)
