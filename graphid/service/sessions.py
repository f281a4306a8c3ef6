"""Sessions, as they are read: cut where the visitor changes.

A session that two visitors share is two for a reader, so its id names the visitor too:
``session_…~…``, the second part being the visitor's hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.values import Micros, Place, moment
from graphid.service.pages import Page, PageRequest, page_of
from graphid.service.visitors import (
    END,
    FOREVER,
    Owner,
    Slice,
    VisitorRecord,
    Visitors,
    at_moment,
    owner_of,
)

FIND_BEGINNINGS = query("sessions/find_beginnings")
READ_SESSIONS = query("sessions/read_sessions")
LIST_SESSIONS = query("sessions/list_sessions")

_VISITOR = "visitor_"


class SessionRecord(msgspec.Struct, frozen=True):
    """One visitor's part of a session. ``owner``: whose its last event is."""

    id: str
    stored: str
    owner: Owner
    started_at: Micros
    last_activity_at: Micros

    @property
    def cookie(self) -> str:
        return self.owner.record.visitor.cookie

    def slice(self) -> Slice:
        """The places that its events are at."""
        visitor = self.owner.record.visitor
        low = max(visitor.start, at_moment(self.started_at))
        high = min(self.owner.record.end, at_moment(self.last_activity_at + 1))
        return Slice(self.owner.record, self.owner.person, low, high)


def session_id(stored: str, visitor: str) -> str:
    """The id of a visitor's part of a stored session."""
    return f"{stored}~{visitor.removeprefix(_VISITOR)}"


class Sessions:
    """Reads sessions."""

    def __init__(self, database: Readable, visitors: Visitors) -> None:
        self._database = database
        self._visitors = visitors

    async def by_id(self, ids: Iterable[str]) -> dict[str, SessionRecord]:
        """The sessions of these ids; missing where there is none.

        A visitor's part of a session, of which late evidence left that visitor nothing, means the
        part that the session begins with.
        """
        parts = {id: id.rpartition("~") for id in ids}
        visitors = await self._visitors.by_id(
            {_VISITOR + visitor for stored, _, visitor in parts.values() if stored}
        )
        cuts: dict[str, tuple[str, VisitorRecord]] = {
            id: (stored, visitors[_VISITOR + visitor])
            for id, (stored, _, visitor) in parts.items()
            if _VISITOR + visitor in visitors
        }
        found = await self.of_cuts(cuts)
        lost = {id: cut for id, cut in cuts.items() if id not in found}
        return found | await self.of_cuts(await self._beginnings(lost)) if lost else found

    async def _beginnings(
        self, cuts: dict[str, tuple[str, VisitorRecord]]
    ) -> dict[str, tuple[str, VisitorRecord]]:
        """The same sessions, each cut to the visitor of its first event."""
        rows = await self._database.read_rows(
            FIND_BEGINNINGS, ids=list({stored for stored, _ in cuts.values()})
        )
        begun = {row["session"]: (row["cookie"], row["position"]) for row in rows}
        visitors = await self._visitors.covering(begun.values())
        return {
            id: (stored, visitors[place])
            for id, (stored, record) in cuts.items()
            if (place := begun.get(stored)) in visitors and place[0] == record.visitor.cookie
        }

    async def of_cuts(self, cuts: dict[str, tuple[str, VisitorRecord]]) -> dict[str, SessionRecord]:
        """Sessions by any key that stands for a stored session and a visitor."""
        rows = await self._database.read_rows(
            READ_SESSIONS,
            cuts=[
                {
                    "key": key,
                    "session": stored,
                    "low": record.visitor.start,
                    "high": record.end,
                    "received": record.horizon.received,
                }
                for key, (stored, record) in cuts.items()
            ],
        )
        return {
            row["key"]: self._record(
                row["session"],
                cuts[row["key"]][1],
                (row["firstAt"], row["lastAt"], row["lastPosition"]),
            )
            for row in rows
            if cuts[row["key"]][1].visitor.cookie == row["cookie"]
        }

    async def pages(
        self, wanted: Sequence[tuple[Sequence[Slice], PageRequest]]
    ) -> list[Page[SessionRecord]]:
        """For each of these slices and requests, a page of the sessions, newest first."""
        rows = await self._database.read_rows(
            LIST_SESSIONS,
            pages=[
                {"key": key, "slices": _rows_of(slices)} | _bounds(request)
                for key, (slices, request) in enumerate(wanted)
            ],
            limit=max(request.limit for _, request in wanted) + 1,
        )
        found = {row["key"]: row["sessions"] for row in rows}
        return [
            page_of(
                [
                    self._record(stored, slices[index].record, (first, last, position))
                    for index, stored, first, last, position in found[key][: request.limit + 1]
                ],
                request,
                lambda session: f"{session.started_at}:{session.stored}",
            )
            for key, (slices, request) in enumerate(wanted)
        ]

    def _record(
        self, stored: str, visitor: VisitorRecord, seen: tuple[Micros, Micros, Place]
    ) -> SessionRecord:
        first, last, position = seen
        owner = owner_of(visitor, position)
        return SessionRecord(session_id(stored, visitor.id), stored, owner, first, last)


def _rows_of(slices: Sequence[Slice]) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "cookie": part.cookie,
            "low": part.low,
            "high": part.high,
            "from": part.record.visitor.start,
            "to": part.record.end,
            "received": part.record.horizon.received,
            "lowAt": moment(part.low),
            "highAt": FOREVER if part.high == END else moment(part.high) + 1,
        }
        for index, part in enumerate(slices)
    ]


def _bounds(request: PageRequest) -> dict[str, Any]:
    at, _, id = (request.after or f"{FOREVER}:").partition(":")
    return {"beforeAt": int(at), "beforeId": id}
