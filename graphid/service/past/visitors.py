"""Visitors as they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphid.graph.database import Readable
from graphid.graph.past.past import Past
from graphid.graph.policies import Policies
from graphid.graph.queries import query
from graphid.identity.ids import Ids, contact_named_by
from graphid.identity.state import Visitor
from graphid.identity.values import Place
from graphid.service.devices import CookieRecord
from graphid.service.past.moment import Moment
from graphid.service.past.projecting import visitor_record
from graphid.service.visitors import VisitorRecord, Visitors

FIND_VISITORS = query("past/find_visitors")
READ_COOKIES = query("past/read_cookies")


class PastVisitors(Visitors):
    """Reads visitors as they were."""

    def __init__(
        self, database: Readable, policies: Policies, past: Past, ids: Ids, moment: Moment
    ) -> None:
        super().__init__(database, policies)
        self._past = past
        self._ids = ids
        self._moment = moment

    async def by_id(self, ids: Iterable[str]) -> dict[str, VisitorRecord]:
        """The visitor whom each id meant: who had the cookie where the id's visitor begins.

        Those who begin later, and those of cookies that nobody had seen, are missing.
        """
        rows = await self._database.read_rows(FIND_VISITORS, ids=list(ids))
        spots = {
            row["id"]: (row["cookie"], row["start"] or "")
            for row in rows
            if (row["start"] or "") < self._moment.place
        }
        found = await self._past.visitors_at(set(spots.values()))
        records = await self.records(found.values())
        return {
            id: records[visitor.id]
            for id, spot in spots.items()
            if (visitor := found[spot]).id in records
        }

    async def covering(
        self, places: Iterable[tuple[str, Place]]
    ) -> dict[tuple[str, Place], VisitorRecord]:
        """The visitor of each (cookie, place), where the cookie had been seen."""
        found = await self._past.visitors_at(set(places))
        records = await self.records(found.values())
        return {
            spot: records[visitor.id] for spot, visitor in found.items() if visitor.id in records
        }

    async def on_cookies(
        self, cookies: Iterable[str], *, limit: int
    ) -> dict[str, list[VisitorRecord]]:
        """Each cookie's visitors, newest first."""
        found = await self._past.visitors_on(list(dict.fromkeys(cookies)), limit)
        records = await self.records(v for visitors in found.values() for v in visitors)
        return {
            cookie: [records[v.id] for v in visitors if v.id in records][:limit]
            for cookie, visitors in found.items()
        }

    async def _of_known(self, people: list[str]) -> list[tuple[str, VisitorRecord]]:
        named = {person: contact_named_by(person) or person for person in people}
        found = await self._past.people(set(named.values()))
        contacts = {c.id for _, person in found.values() for c in person.contacts}
        records = await self.records(await self._past.visitors_of(contacts))
        owned: dict[str | None, list[VisitorRecord]] = {}
        for record in records.values():
            owned.setdefault(record.owner, []).append(record)
        return [(person, record) for person in people for record in owned.get(person, ())]

    async def cookies(self, ids: Iterable[str]) -> dict[str, CookieRecord]:
        """The cookies of these ids that had been seen."""
        return {row["id"]: _cookie(row) for row in await self._cookies(ids)}

    async def _cookies(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        wanted = sorted(set(ids))
        if not wanted:
            return []
        return await self._database.read_rows(
            READ_COOKIES, ids=wanted, horizon=self._moment.as_row()
        )

    async def records(self, visitors: Iterable[Visitor]) -> dict[str, VisitorRecord]:
        """These visitors, by id."""
        found = {visitor.id: visitor for visitor in visitors}
        people = await self._past.people({v.owner for v in found.values() if v.owner is not None})
        cookies = await self._cookies(visitor.cookie for visitor in found.values())
        records = {row["id"]: _cookie(row) for row in cookies}
        seen = {row["id"] for row in cookies if row["isSeen"]}
        owners = {contact: self._ids.person(named.name) for contact, named in people.items()}
        return {
            id: visitor_record(
                visitor,
                owners.get(visitor.owner or ""),
                records.get(visitor.cookie),
                self._moment.horizon,
            )
            for id, visitor in found.items()
            if visitor.cookie in seen or not _is_unheard_of(visitor)
        }


def _cookie(row: Mapping[str, Any]) -> CookieRecord:
    return CookieRecord(row["id"], row["firstSeenAt"], row["lastSeenAt"], row["device"])


def _is_unheard_of(visitor: Visitor) -> bool:
    """Whether no evidence says that there was such a visitor: its cookie is born with it."""
    return visitor == Visitor(id=visitor.id, cookie=visitor.cookie)
