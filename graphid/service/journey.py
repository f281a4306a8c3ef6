"""Events, whose they are, and in which order.

Each slice of a visitor is one range of the index (cookie, position), so a page costs the same
whatever its length; lines that are neither pages nor tracked events are found among them by the
index (cookie, kind, position).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.queries import Query, query
from graphid.identity.values import Micros, Place
from graphid.service.joins import JoinType
from graphid.service.pages import Page, PageRequest, page_of
from graphid.service.recordings import COMMON
from graphid.service.visitors import END, Owner, Slice, Visitors, at_moment, owner_of

READ_NEWEST = query("journey/read_newest")
READ_OLDEST = query("journey/read_oldest")
READ_EVENTS = query("journey/read_events")

Row = Sequence[Any]

_detail = msgspec.json.Decoder()


class EventRecord(msgspec.Struct, frozen=True):
    """One line of a journey, with whose it is."""

    message_id: str
    cookie: str
    position: Place
    type: str
    occurred_at: Micros
    received_at: Micros
    device: str | None
    session: str | None
    chat: str | None
    detail_json: str
    owner: Owner

    @property
    def is_identify(self) -> bool:
        """Whether it says who somebody is, and nothing else."""
        return self.type == "IDENTIFY"

    @property
    def detail(self) -> Any:
        """What the event's type adds, as JSON values."""
        return _detail.decode(self.detail_json or "{}")


@dataclass(frozen=True, slots=True)
class Window:
    """Which events of a journey: from ``since`` up to but without ``until``, of some types.

    ``session``: a stored session, of which alone events are wanted.
    """

    since: Micros | None = None
    until: Micros | None = None
    types: tuple[str, ...] = ()
    session: str | None = None

    def bounds(self, request: PageRequest) -> tuple[Place, Place]:
        """From which place up to but without which the lines of a page of it are."""
        low = "" if self.since is None else at_moment(self.since)
        high = END if self.until is None else at_moment(self.until)
        # Newest first: what is before a line is behind it in time. The next text after a position
        # is behind it, and before every other position.
        if request.before is not None:
            low = max(low, request.before + " ")
        if request.after is not None:
            high = min(high, request.after)
        return low, high

    def row(self) -> dict[str, Any]:
        """Of which types events are wanted, as the statements take it."""
        types = [type for type in self.types if type not in list(JoinType)]
        are_kinds = bool(self.types) and COMMON.isdisjoint(types)
        return {"types": types, "kinds": types if are_kinds else None, "session": self.session}


@dataclass(frozen=True, slots=True)
class PageWanted:
    """A page of the events that some slices hold."""

    slices: Sequence[Slice]
    request: PageRequest
    window: Window = Window()


class Journeys:
    """Reads events."""

    def __init__(self, database: Readable, visitors: Visitors) -> None:
        self._database = database
        self._visitors = visitors

    async def pages(self, wanted: Sequence[PageWanted]) -> list[Page[EventRecord]]:
        """For each of these, a page of what its slices hold, newest first. A key is a position."""
        newest, oldest = await asyncio.gather(
            self._read(READ_NEWEST, wanted, from_end=False),
            self._read(READ_OLDEST, wanted, from_end=True),
        )
        rows = newest | oldest
        return [
            page_of(
                [
                    event_of(row, owner_of(one.slices[row[0]].record, row[3]))
                    for row in rows.get(key, ())[: one.request.limit + 1]
                ],
                one.request,
                lambda event: event.position,
            )
            for key, one in enumerate(wanted)
        ]

    async def _read(
        self, statement: Query, wanted: Sequence[PageWanted], *, from_end: bool
    ) -> dict[int, list[Row]]:
        pages = [
            {
                "key": key,
                "slices": _ranges(one.slices, *one.window.bounds(one.request)),
            }
            | one.window.row()
            for key, one in enumerate(wanted)
            if one.request.from_end is from_end
        ]
        if not pages:
            return {}
        limit = max(one.request.limit for one in wanted) + 1
        rows = await self._database.read_rows(statement, pages=pages, limit=limit)
        return {row["key"]: row["events"] for row in rows}

    async def by_message_id(self, ids: Sequence[str]) -> dict[str, EventRecord]:
        """The events of these messages; missing where there is none."""
        rows = await self._database.read_rows(READ_EVENTS, ids=list(ids))
        events: list[Row] = rows[0]["events"]
        owners = await self._visitors.owners({(row[2], row[3]) for row in events})
        return {
            row[1]: event_of(row, owner)
            for row in events
            if (owner := owners.get((row[2], row[3]))) is not None
        }


def _ranges(slices: Sequence[Slice], low: Place, high: Place) -> list[dict[str, Any]]:
    """The slices within bounds."""
    return [
        {
            "index": index,
            "cookie": part.cookie,
            "low": begin,
            "high": end,
            "received": part.record.horizon.received,
        }
        for index, part in enumerate(slices)
        if (begin := max(part.low, low)) < (end := min(part.high, high))
    ]


def event_of(row: Row, owner: Owner) -> EventRecord:
    """An event from what the statements of this module and of ``lines`` collect."""
    _, message_id, cookie, position, type, occurred, received, device, session, chat, detail = row
    return EventRecord(
        message_id=message_id,
        cookie=cookie,
        position=position,
        type=type,
        occurred_at=occurred,
        received_at=received,
        device=device,
        session=session,
        chat=chat,
        detail_json=detail,
        owner=owner,
    )
