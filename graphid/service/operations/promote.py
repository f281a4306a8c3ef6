"""Promote: a human confirmed a contact."""

from __future__ import annotations

from graphid.identity.values import Assurance, ContactAnchor, Promote
from graphid.service.operations.proposing import Asked, Header, Proposal, refused
from graphid.service.operations.seeing import Seen


class PromoteContact(Asked, frozen=True, tag="promote"):
    """``id``: of a contact; a person's id means the contact that the person is named for."""

    id: str

    async def propose(self, seen: Seen, header: Header) -> Proposal:
        whom = await seen.whom(self.id)
        if whom.person.startswith("visitor_"):
            raise refused("Nobody known has this id: there is no contact to confirm.")
        anchor = whom.anchor
        contact = anchor.contact if isinstance(anchor, ContactAnchor) else None
        person = await seen.person("contact_" + whom.person.removeprefix("person_"))
        if person is None:
            raise refused("Nobody known has this id: there is no contact to confirm.")
        if contact is None:
            # A visitor's id: its owner is meant, and so the contact that the owner is named for.
            return await PromoteContact(whom.person).propose(seen, header)
        curated = next(c.curated for c in person.contacts if c.id == contact)
        claimed = any(
            hold.assurance is Assurance.CLAIMED
            for one in person.contacts
            for hold in one.holds.values()
        )
        if curated and not claimed:
            raise refused("This contact, and all that the person holds, is confirmed already.")
        return Proposal(header.on(Promote, contact=anchor))
