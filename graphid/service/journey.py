"""Journeys: what happened, whose it is, and in which order.

A person's journey is one list over all their visitors, newest first, ordered by position. Each
slice of a visitor that the person owns is one range of the index (cookie, position), so a page
costs the same whatever the journey's length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.queries import Query, query
from graphid.identity.values import SAID_USER, Micros, Place, message_of
from graphid.service.pages import Page, PageRequest, page_of
from graphid.service.visitors import Owner, Slice, Visitors, at_moment, owner_of

READ_NEWEST = query("journey/read_newest")
READ_OLDEST = query("journey/read_oldest")
READ_EVENTS = query("journey/read_events")

Row = Sequence[Any]

_detail = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class EventRecord:
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
                    _event(row, owner_of(one.slices[row[0]].record, row[3]))
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
                "slices": _ranges(one.slices, one.request, one.window),
                "types": list(one.window.types),
                "session": one.window.session,
            }
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
            row[1]: _event(row, owner)
            for row in events
            if (owner := owners.get((row[2], row[3]))) is not None
        }

    async def named(self, evidence: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Which types of identifiers each piece of evidence named, as its event tells.

        Records and operations have no event; they are missing.
        """
        events = {id: message_of(id) for id in evidence}
        rows = await self._database.read_rows(READ_EVENTS, ids=list(set(events.values())))
        types = {
            row[1]: tuple(
                dict.fromkeys(
                    i["type"] for i in _detail.decode(row[10] or "{}").get("identifiers", ())
                )
            )
            for row in rows[0]["events"]
        }
        return {
            id: ("user_id",) if id.endswith(SAID_USER) else types.get(event, ())
            for id, event in events.items()
            if id == event or id.endswith(SAID_USER)
        }


def _ranges(slices: Sequence[Slice], request: PageRequest, window: Window) -> list[dict[str, Any]]:
    """The slices within the bounds of page and window. Newest first: ``after`` is an upper one."""
    lows = [at_moment(window.since)] if window.since is not None else []
    highs = [at_moment(window.until)] if window.until is not None else []
    if request.before is not None:
        # The next text after a position: behind it, and before every other position.
        lows.append(request.before + " ")
    if request.after is not None:
        highs.append(request.after)
    return [
        {"index": index, "cookie": part.cookie, "low": low, "high": high}
        for index, part in enumerate(slices)
        if (low := max(part.low, *lows, "")) < (high := min([part.high, *highs]))
    ]


def _event(row: Row, owner: Owner) -> EventRecord:
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
