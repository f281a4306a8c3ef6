"""People and contacts as they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphid.graph.database import Readable
from graphid.graph.past.past import Past
from graphid.graph.queries import query
from graphid.identity.ids import Ids, contact_named_by
from graphid.identity.values import IdentifierKey
from graphid.service.past.moment import Moment
from graphid.service.past.projecting import person_record
from graphid.service.past.visitors import PastVisitors
from graphid.service.people import People, PersonRecord

FIND_CONTACTS = query("past/find_contacts")


class PastPeople(People):
    """Reads people as they were."""

    def __init__(
        self, database: Readable, visitors: PastVisitors, past: Past, ids: Ids, moment: Moment
    ) -> None:
        super().__init__(database, visitors)
        self._past = past
        self._ids = ids
        self._moment = moment

    async def holders(self, keys: Sequence[IdentifierKey]) -> dict[IdentifierKey, str]:
        """The person who held each identifier."""
        held = await self._past.holders(keys)
        people = await self._past.people({contacts[0] for contacts in held.values()})
        return {
            key: self._ids.person(people[contacts[0]].name)
            for key, contacts in held.items()
            if contacts[0] in people
        }

    async def _holder(self, key: IdentifierKey) -> PersonRecord | None:
        id = (await self.holders([key])).get(key)
        return None if id is None else (await self.by_id([id])).get(id)

    async def _straight(self, ids: list[str]) -> dict[str, PersonRecord]:
        named = {id: contact for id in ids if (contact := contact_named_by(id)) is not None}
        found = await self._past.people(set(named.values())) if named else {}
        records = {name: person_record(some, self._ids) for name, some in found.items()}
        return {id: records[contact] for id, contact in named.items() if contact in records}

    async def _meant_by(self, ids: Iterable[str]) -> dict[str, str]:
        """What ids of contacts meant that were made no more by then: those who were given out."""
        named = {id: contact for id in ids if (contact := contact_named_by(id)) is not None}
        if not named:
            return {}
        rows = await self._database.read_rows(FIND_CONTACTS, ids=sorted(set(named.values())))
        given = {row["id"]: row for row in rows if self._was_given_out(row)}
        held = await self._holders_of(given)
        means = held | await self._places_of({id: given[id] for id in given.keys() - held.keys()})
        return {id: means[contact] for id, contact in named.items() if contact in means}

    def _was_given_out(self, row: dict[str, Any]) -> bool:
        known = self._moment.known
        return (row["made"] or "") < self._moment.place and (
            known is None or (row["recordedAt"] is not None and row["recordedAt"] <= known)
        )

    async def _holders_of(self, given: dict[str, dict[str, Any]]) -> dict[str, str]:
        """The contact that held what each was named for: the oldest."""
        held = await self._past.holders({row["namedFor"] for row in given.values()} - {None})
        people = await self._past.people({c for contacts in held.values() for c in contacts})
        made = {c.id: c.made for named in people.values() for c in named.person.contacts}
        return {
            id: min(contacts, key=lambda contact: (made.get(contact, ""), contact))
            for id, row in given.items()
            if (contacts := held.get(row["namedFor"], ()))
        }

    async def _places_of(self, given: dict[str, dict[str, Any]]) -> dict[str, str]:
        """Whose the place was where each was made: a contact, or the visitor."""
        spots = {
            id: (row["cookie"], row["place"])
            for id, row in given.items()
            if row["cookie"] is not None and row["place"] is not None
        }
        found = await self._past.visitors_at(set(spots.values()))
        return {id: found[spot].owner or found[spot].id for id, spot in spots.items()}
