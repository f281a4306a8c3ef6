"""What the two ids mean that somebody asks about: why they are one, or why they are not.

A person's id means the contact that the person is named for, as it does for an operation; an
event's and a chat's mean the visit that they are part of. A cookie and a device are no part of a
person: they say where visits happened.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from graphid.errors import InvalidInput, NotFound
from graphid.identity.ids import UNCLAIMED, contact_named_by
from graphid.identity.values import Micros
from graphid.service.grounds import Spot
from graphid.service.links import NamedIdentifier
from graphid.service.people import PersonRecord
from graphid.service.reads import Reads
from graphid.service.visitors import Owner, VisitorRecord

_EVENT = "event_"
_IN_NO_CHAIN = {
    "link": "a link",
    "review": "a review",
    "session": "a session",
    "join": "a join in a journey",
}


@dataclass(frozen=True, slots=True)
class End:
    """One of the two. ``person``: whose it is; None for a spot, and for what nobody holds.

    What it is within the person: ``contact`` (its id), ``visitor``, ``identifier``. ``spot``: a
    cookie or a device. ``owner``, ``at``: of an event or a chat, why it is whose, and when it was;
    ``is_identify``: the event is one. ``is_part``: it is the part of a visit that the visit's owner
    does not own.
    """

    person: PersonRecord | None = None
    contact: str | None = None
    visitor: VisitorRecord | None = None
    identifier: NamedIdentifier | None = None
    spot: Spot | None = None
    owner: Owner | None = None
    at: Micros | None = None
    is_identify: bool = False
    is_part: bool = False

    @property
    def known(self) -> PersonRecord | None:
        """The person, where contacts make them."""
        return self.person if self.person is not None and self.person.contacts else None


class Ends:
    """Finds out what ids mean."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def find(self, id: str, argument: str) -> End:
        """What an id means; ``argument`` is where it was given.

        Raises InvalidInput for the id of what has no place in a chain, NotFound where there is
        nothing of that id.
        """
        kind, _, _ = id.partition("_")
        if kind in _IN_NO_CHAIN:
            raise InvalidInput(
                f"{argument} is the id of {_IN_NO_CHAIN[kind]}; it must be that of a person, "
                "contact, visitor, identifier, event, chat, cookie or device.",
                path=[argument],
            )
        end = await self._of_kind(kind, id) or await self._by_client_id(id)
        if end is None:
            raise NotFound(f"{argument}: there is nothing that has this id.", path=[argument])
        return end

    async def _of_kind(self, kind: str, id: str) -> End | None:
        """What an id means that is made here; None for a kind that clients make ids of."""
        match kind:
            case "person" | "contact":
                return await self._contact(id)
            case "visitor":
                return await self._visitor(id)
            case "identifier":
                return await self._identifier(id)
            case "event":
                return await self._event(id)
        return None

    async def _contact(self, id: str) -> End | None:
        person = await self._person(id)
        if person is None:
            return None
        contact = contact_named_by(id) or id
        if person.contact(contact) is None:
            # It is made no more: what it means now.
            former = (await self._reads.people.contacts([contact])).get(contact)
            if former is None or person.contact(former.id) is None:
                return End(person, visitor=person.visitor)
            contact = former.id
        return End(person, contact=contact)

    async def _visitor(self, id: str) -> End | None:
        visitor = id.removesuffix(UNCLAIMED)
        found, person = await asyncio.gather(
            self._reads.visitors.by_id([visitor]), self._person(id)
        )
        if visitor not in found or person is None:
            return None
        return End(person, visitor=found[visitor], is_part=person.id.endswith(UNCLAIMED))

    async def _identifier(self, id: str) -> End | None:
        identifier = (await self._reads.links.identifiers([id])).get(id)
        if identifier is None:
            return None
        key = f"{identifier.type}:{identifier.value}"
        holder = (await self._reads.people.holders([key])).get(key)
        person = None if holder is None else await self._person(holder)
        return End(person, identifier=identifier)

    async def _event(self, id: str) -> End | None:
        message = id.removeprefix(_EVENT)
        event = (await self._reads.journeys.by_message_id([message])).get(message)
        if event is None:
            return None
        owned = await self._owned(event.owner, event.occurred_at)
        return replace(owned, is_identify=event.is_identify)

    async def _owned(self, owner: Owner, at: Micros) -> End:
        return End(
            await self._person(owner.person),
            visitor=owner.record,
            owner=owner,
            at=at,
            is_part=owner.person.endswith(UNCLAIMED),
        )

    async def _by_client_id(self, id: str) -> End | None:
        chats, devices, cookies = await asyncio.gather(
            self._reads.chats.by_id([id]),
            self._reads.devices.by_id([id]),
            self._reads.devices.cookies([id]),
        )
        if id in chats:
            chat = chats[id]
            now = self._reads.chats.now()
            place = (chat.cookie, chat.place_of_owner(now))
            owner = (await self._reads.visitors.owners([place])).get(place)
            return None if owner is None else await self._owned(owner, chat.ended_at or now)
        if id in devices:
            return End(spot=Spot(device=id))
        return End(spot=Spot(cookie=id)) if id in cookies else None

    async def _person(self, id: str) -> PersonRecord | None:
        return (await self._reads.people.by_id([id])).get(id)
