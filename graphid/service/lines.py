"""Journeys of people: one list over all their visitors, with their joins and splits, newest first.

A page is one statement, whatever is in it: of the person's visitors it reads those that can hold
the page, by when something can have happened of them last, and says what the rest may hold; only
where that would belong on the page too, more of them are read. Whose a line is is decided here, by
the visitors as they were after the events had been read. Where they were not what they had been
before, or own less than their time (model.md, Attribution basis: UNATTENDED), the parts that the
person owns are worked out first, and read after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from graphid.errors import Busy
from graphid.graph.database import Readable
from graphid.graph.queries import Query, query
from graphid.identity.ids import UNCLAIMED
from graphid.identity.values import OF_OPERATION, Micros, Place, moment
from graphid.service.joins import JoinRecord, JoinType, joins_in
from graphid.service.journey import EventRecord, Journeys, PageWanted, Window, event_of
from graphid.service.pages import Page, PageRequest, page_of
from graphid.service.people import People
from graphid.service.visitors import (
    END,
    FOREVER,
    Visitors,
    owner_of,
    visitor_id_of,
    visitor_of,
)

OPEN_NEWEST = query("journey/open_newest")
OPEN_OLDEST = query("journey/open_oldest")
READ_JOINS = query("journey/read_joins")

FIRST_VISITORS = 8
"""Of how many visitors a page is read before the others are looked at."""

MORE_VISITORS = 8
"""How many times as many visitors are looked at where those were too few."""

ATTEMPTS = 5
"""How often a page is read that the graph changes under."""

WHOLE = Window()
"""All of a journey."""

Line = EventRecord | JoinRecord


@dataclass(frozen=True, slots=True)
class LinesWanted:
    """A page of a person's journey. ``person``: an id, as it was found; ``with_joins`` False:
    events only."""

    person: str
    request: PageRequest
    window: Window = WHOLE
    with_joins: bool = True

    @property
    def is_newest(self) -> bool:
        """Whether it is read from its newest line on."""
        return not self.request.from_end

    @property
    def joins(self) -> list[str]:
        """Which types of joins and splits are wanted."""
        if not self.with_joins or self.window.session is not None:
            return []
        wanted = self.window.types
        return [type.value for type in JoinType if not wanted or type in wanted]

    @property
    def with_events(self) -> bool:
        """Whether events are wanted."""
        return not self.window.types or any(t not in list(JoinType) for t in self.window.types)

    def bounds(self) -> tuple[Place, Place]:
        """From which place up to but without which its lines are."""
        return self.window.bounds(self.request)

    def row(self, key: int) -> dict[str, Any]:
        """The page, as the statements take it."""
        low, high = self.bounds()
        visitor = visitor_id_of(self.person)
        return {
            "key": key,
            "person": self.person if visitor is None else None,
            "visitor": None if self.person.endswith(UNCLAIMED) else visitor,
            "low": low,
            "high": high,
            "sinceAt": moment(low) if low else 0,
            "untilAt": FOREVER if high == END else moment(high),
            "joins": self.joins,
            "newest": self.is_newest,
        } | self.window.row()


class _Otherwise(Enum):
    """What hinders a page that was read in one statement."""

    MORE = "others of their visitors may hold lines of it"
    ASTRAY = "what was read is not the person's, or the person is somebody else now"


class Lines:
    """Reads journeys of people."""

    def __init__(
        self, database: Readable, visitors: Visitors, people: People, journeys: Journeys
    ) -> None:
        self._database = database
        self._visitors = visitors
        self._people = people
        self._journeys = journeys

    async def pages(self, wanted: Sequence[LinesWanted]) -> list[Page[Line]]:
        """For each of these, a page of the journey, newest first. A key is a position.

        Raises Busy where whose the lines are changes faster than it can be read.
        """
        found: dict[int, Page[Line]] = {}
        astray = [key for key, one in enumerate(wanted) if one.person.endswith(UNCLAIMED)]
        pending = [key for key in range(len(wanted)) if key not in astray]
        visitors = max((one.request.limit for one in wanted), default=0) + FIRST_VISITORS
        while pending:
            rows = await self._open({key: wanted[key] for key in pending}, visitors)
            more: list[int] = []
            for key in pending:
                page = _page(wanted[key], rows.get(key))
                if page is _Otherwise.MORE:
                    more.append(key)
                elif page is _Otherwise.ASTRAY:
                    astray.append(key)
                else:
                    found[key] = page
            pending, visitors = more, visitors * MORE_VISITORS
        if astray:
            found |= await self._worked_out({key: wanted[key] for key in astray})
        return [found[key] for key in range(len(wanted))]

    async def seen(self, people: Sequence[str]) -> dict[str, tuple[Micros, Micros]]:
        """When the first and the last event of each happened; those without events are missing."""
        ends = [
            LinesWanted(person, PageRequest(1, from_end=from_end), with_joins=False)
            for from_end in (True, False)
            for person in people
        ]
        pages = await self.pages(ends)
        first, last = pages[: len(people)], pages[len(people) :]
        return {
            person: (one.items[0].occurred_at, other.items[0].occurred_at)
            for person, one, other in zip(people, first, last, strict=True)
            if one.items and other.items
        }

    async def _open(self, wanted: Mapping[int, LinesWanted], visitors: int) -> dict[int, Any]:
        newest, oldest = await asyncio.gather(
            self._opened(OPEN_NEWEST, wanted, visitors, is_newest=True),
            self._opened(OPEN_OLDEST, wanted, visitors, is_newest=False),
        )
        return newest | oldest

    async def _opened(
        self,
        statement: Query,
        wanted: Mapping[int, LinesWanted],
        visitors: int,
        *,
        is_newest: bool,
    ) -> dict[int, Any]:
        pages = [one.row(key) for key, one in wanted.items() if one.is_newest is is_newest]
        if not pages:
            return {}
        rows = await self._database.read_rows(
            statement,
            pages=pages,
            first=FIRST_VISITORS,
            visitors=visitors,
            limit=max(wanted[page["key"]].request.limit for page in pages) + 1,
            operation=OF_OPERATION,
        )
        return {row["key"]: row for row in rows}

    # ------------------------------------------------------------------ part by part

    async def _worked_out(self, wanted: Mapping[int, LinesWanted]) -> dict[int, Page[Line]]:
        """The pages, from the parts of visitors that each person owns."""
        found: dict[int, Page[Line]] = {}
        left = dict(wanted)
        for _ in range(ATTEMPTS):
            people = await self._people.by_id(list({one.person for one in left.values()}))
            known = {
                key: replace(one, person=people[one.person].id)
                for key, one in left.items()
                if one.person in people
            }
            found |= {key: Page((), (), False, False) for key in left.keys() - known.keys()}
            found |= await self._once(known) if known else {}
            left = {key: one for key, one in left.items() if key not in found}
            if not left:
                return found
        raise Busy

    async def _once(self, wanted: Mapping[int, LinesWanted]) -> dict[int, Page[Line]]:
        """Those of the pages that nothing changed under."""
        owned = await self._visitors.slices_of_people(list({one.person for one in wanted.values()}))
        pages, joins = await asyncio.gather(
            self._journeys.pages(
                [
                    PageWanted(
                        owned[one.person],
                        replace(one.request, limit=one.request.limit + 1),
                        one.window,
                    )
                    for one in wanted.values()
                ]
            ),
            self._joins(wanted),
        )
        places = {(event.cookie, event.position) for page in pages for event in page.items}
        owners = await self._visitors.owners(places) if places else {}
        return {
            key: _merged(one, page.items, joins[key])
            for (key, one), page in zip(wanted.items(), pages, strict=True)
            if all(
                (owner := owners.get((event.cookie, event.position))) is not None
                and owner.person == one.person
                for event in page.items
            )
        }

    async def _joins(self, wanted: Mapping[int, LinesWanted]) -> dict[int, list[JoinRecord]]:
        rows = await self._database.read_rows(
            READ_JOINS,
            pages=[one.row(key) for key, one in wanted.items()],
            limit=max(one.request.limit for one in wanted.values()) + 1,
            operation=OF_OPERATION,
        )
        return {row["key"]: joins_in(row["joins"], wanted[row["key"]].person) for row in rows}


def _page(one: LinesWanted, row: Mapping[str, Any] | None) -> Page[Line] | _Otherwise:
    """The page that a row of the opening statements holds, or why it does not."""
    if row is None or not row["stands"]:
        return _Otherwise.ASTRAY
    records = {record.id: record for record in map(visitor_of, row["visitors"])}
    events: list[EventRecord] = []
    for event in row["events"]:
        visitor, position = records.get(event[0]), event[3]
        if visitor is None or not visitor.covers(position):
            return _Otherwise.ASTRAY
        owner = owner_of(visitor, position)
        if owner.person != one.person:
            return _Otherwise.ASTRAY
        events.append(event_of(event, owner))
    page = _merged(one, events, joins_in(row["joins"], one.person))
    rest: Micros | None = row["rest"]
    if rest is None or not one.with_events:
        return page
    last = page.items[0 if one.request.from_end else -1] if page.items else None
    goes_on = page.has_previous if one.request.from_end else page.has_next
    if last is None or not goes_on:
        return _Otherwise.MORE
    # Strictly: of what happened at one time nobody knows here which comes first.
    at = last.occurred_at
    return page if (at > rest if one.is_newest else at < rest) else _Otherwise.MORE


def _merged(
    one: LinesWanted, events: Sequence[EventRecord], joins: Sequence[JoinRecord]
) -> Page[Line]:
    """The page of all these lines, some of which may lie outside of it."""
    low, high = one.bounds()
    lines: list[Line] = [*events, *(join for join in joins if low <= join.position < high)]
    lines.sort(key=_position, reverse=one.is_newest)
    return page_of(lines[: one.request.limit + 1], one.request, _position)


def _position(line: Line) -> Place:
    return line.position
