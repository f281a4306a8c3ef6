"""Devices and cookies: who used them, from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.values import Micros, moment
from graphid.service.visitors import (
    END,
    FOREVER,
    Slice,
    VisitorRecord,
    asked_of,
    at_moment,
    owner_of,
    slices_of,
    visitor_id_of,
    visitor_of,
)

READ_DEVICES = query("devices/read_devices")
READ_COOKIES = query("devices/read_cookies")
LIST_VISITORS = query("devices/list_visitors")
LIST_VISITORS_OF = query("devices/list_visitors_of")
FIND_VISITORS = query("devices/find_visitors")
COUNT_PEOPLE = query("devices/count_people")
LIST_COOKIE_VISITORS = query("devices/list_cookie_visitors")
READ_USES = query("devices/read_uses")

MOST_VISITORS = 1000
"""Of a device with more visitors, the latest are looked at: those of the cookies used last."""

MOST_VISITS = 2000
"""Of a contact with more visitors, those who identified themselves last are looked at for what
devices they used."""

MOST_COOKIES = 500
"""Of a device with more cookies, so many are looked at for who used it at a moment: those used
last, and those used last by then."""


class DeviceRecord(msgspec.Struct, frozen=True):
    id: str
    first_seen_at: Micros
    last_seen_at: Micros


class CookieRecord(msgspec.Struct, frozen=True):
    id: str
    first_seen_at: Micros
    last_seen_at: Micros
    device: str | None


class UseRecord(msgspec.Struct, frozen=True):
    """A visitor, or the part of one that a person owns, as a use of a device.

    ``person``: whose its last event is. ``last_at``: when that was; ``ended_at``: when the visitor
    ended, None while it is open. ``place``: the device, where it was read along.
    """

    record: VisitorRecord
    device: str | None
    person: str
    first_at: Micros
    last_at: Micros
    sessions: int
    place: DeviceRecord | None = None

    @property
    def ended_at(self) -> Micros | None:
        return self.record.visitor.ended_at

    @property
    def is_authenticated(self) -> bool:
        """Whether a VERIFIED identify named the owner."""
        return visitor_id_of(self.person) is None and self.record.visitor.verified is not None


class DevicePersonRecord(msgspec.Struct, frozen=True):
    """A person's use of a device, all visitors together."""

    person: str
    first_at: Micros
    last_at: Micros
    sessions: int
    is_authenticated: bool


class Devices:
    """Reads devices and cookies."""

    def __init__(self, database: Readable) -> None:
        self._database = database

    async def by_id(self, ids: Iterable[str]) -> dict[str, DeviceRecord]:
        """The devices of these ids, as many as there are."""
        rows = await self._database.read_rows(READ_DEVICES, ids=list(ids))
        return {
            row["id"]: DeviceRecord(row["id"], row["firstSeenAt"], row["lastSeenAt"])
            for row in rows
        }

    async def cookies(self, ids: Iterable[str]) -> dict[str, CookieRecord]:
        """The cookies of these ids, as many as there are."""
        rows = await self._database.read_rows(READ_COOKIES, ids=list(ids))
        return {
            row["id"]: CookieRecord(row["id"], row["firstSeenAt"], row["lastSeenAt"], row["device"])
            for row in rows
        }

    async def visitors_of_cookies(
        self, ids: Iterable[str], *, limit: int
    ) -> dict[str, list[VisitorRecord]]:
        """Each cookie's visitors, newest first."""
        rows = await self._database.read_rows(LIST_COOKIE_VISITORS, ids=list(ids), limit=limit)
        found: dict[str, list[VisitorRecord]] = {}
        for row in rows:
            found.setdefault(row["of"], []).append(visitor_of(row))
        return {
            id: sorted(records, key=lambda r: r.visitor.start, reverse=True)
            for id, records in found.items()
        }

    async def uses_of_devices(
        self, wanted: Sequence[tuple[str, Micros | None]]
    ) -> dict[tuple[str, Micros | None], list[UseRecord]]:
        """Who used each device: one use per visitor that did something, newest first; of the
        latest, or where a time is given, the latest by then."""
        asked = list(dict.fromkeys(wanted))
        named = {
            "wanted": [
                {"key": key, "device": device, **_by(until)}
                for key, (device, until) in enumerate(asked)
            ],
            "most": MOST_VISITORS,
            "limit": MOST_VISITORS
            * max((len(_by(until)["moments"]) for _, until in asked), default=1),
        }
        rows = await self._database.read_rows(LIST_VISITORS, named=named)
        of_key = [(asked[row["of"]], visitor_of(row)) for row in rows]
        uses = await self._uses([whole(record) for _, record in of_key])
        found: dict[tuple[str, Micros | None], list[UseRecord]] = {key: [] for key in asked}
        for (key, _), use in zip(of_key, uses, strict=True):
            if use is not None:
                # A cookie that was seen on several devices counts on each of them.
                found[key].append(replace(use, device=key[0]))
        return {key: newest(all) for key, all in found.items()}

    async def count_people(self, ids: Iterable[str]) -> dict[str, int]:
        """How many people identified themselves on each device, of the latest MOST_VISITORS."""
        named = {"ids": list(ids), "most": MOST_VISITORS}
        (row,) = await self._database.read_rows(COUNT_PEOPLE, named=named)
        return dict(row["rows"])

    async def people_at(
        self, moments: Sequence[tuple[str, Micros]]
    ) -> dict[tuple[str, Micros], str]:
        """Who used each (device, moment); without those of whom nobody knows."""
        named = {
            "moments": [
                {"index": index, "device": device, "at": at, "position": at_moment(at + 1)}
                for index, (device, at) in enumerate(moments)
            ],
            "most": MOST_COOKIES,
            "until": FOREVER,
        }
        rows = await self._database.read_rows(FIND_VISITORS, named=named)
        uses = await self._uses([whole(visitor_of(row)) for row in rows])
        at_moments: dict[int, list[UseRecord]] = {}
        for row, use in zip(rows, uses, strict=True):
            if use is not None:
                at_moments.setdefault(row["of"], []).append(use)
        return {
            moments[index]: person
            for index, found in at_moments.items()
            if (person := person_at(found, moments[index][1])) is not None
        }

    async def uses_of_people(
        self, people: Sequence[str], *, limit: int
    ) -> dict[str, list[UseRecord]]:
        """The devices that each person used, one use per visitor, newest first; of the visitors of
        each contact who identified themselves last."""
        rows = await self._database.read_rows(
            LIST_VISITORS_OF,
            people=[asked_of(person) for person in people],
            most=MOST_VISITS,
            limit=limit,
            forever=FOREVER,
        )
        owned: dict[str, list[_Part]] = {person: [] for person in people}
        for row in rows:
            person = row["key"]
            parts = slices_of(visitor_of(row))
            owned[person] += [_part(part, row) for part in parts if part.person == person]
        kept = {
            person: sorted(parts, key=lambda part: part.slice.record.started_at, reverse=True)[
                :limit
            ]
            for person, parts in owned.items()
        }
        unread = [part.slice for parts in kept.values() for part in parts if not part.is_read]
        others = iter(await self._uses(unread))
        uses = {
            person: [part.use if part.is_read else next(others) for part in parts]
            for person, parts in kept.items()
        }
        return {
            person: newest(use for use in found if use is not None)
            for person, found in uses.items()
        }

    async def _uses(self, slices: Sequence[Slice]) -> list[UseRecord | None]:
        """The use that each slice is; None where nothing happened in it."""
        if not slices:
            return []
        rows = await self._database.read_rows(
            READ_USES,
            slices=[
                {
                    "index": index,
                    "cookie": part.cookie,
                    "low": part.low,
                    "high": part.high,
                    "highAt": FOREVER if part.high == END else moment(part.high),
                    "received": part.record.horizon.received,
                }
                for index, part in enumerate(slices)
            ],
        )
        uses: list[UseRecord | None] = [None] * len(slices)
        for row in rows:
            record = slices[row["slice"]].record
            owner = owner_of(record, row["lastPosition"])
            uses[row["slice"]] = UseRecord(
                record,
                record.device,
                owner.person,
                row["firstAt"],
                row["lastAt"],
                row["sessions"],
            )
        return uses


def _by(until: Micros | None) -> dict[str, Any]:
    """Up to when uses are looked for: a cookie may have been used since, too."""
    if until is None:
        return {"moments": [FOREVER], "before": END}
    return {"moments": [until, FOREVER], "before": at_moment(until)}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a visitor. ``use``: the use that it is, if any, where that ``is_read`` already."""

    slice: Slice
    is_read: bool
    use: UseRecord | None = None


def _part(part: Slice, row: Mapping[str, Any]) -> _Part:
    """A part with its use, where that is what the row tells of."""
    if (part.low, part.high) != (row["low"], row["high"]):
        return _Part(part, is_read=False)
    if row["used"] is None:
        return _Part(part, is_read=True)
    first_at, last_at, last_position, sessions = row["used"]
    record = part.record
    owner = owner_of(record, last_position)
    place = None if row["place"] is None else DeviceRecord(*row["place"])
    use = UseRecord(record, record.device, owner.person, first_at, last_at, sessions, place)
    return _Part(part, is_read=True, use=use)


def people_of(uses: Sequence[UseRecord]) -> list[DevicePersonRecord]:
    """The people of a device's uses, the latest first."""
    people: dict[str, list[UseRecord]] = {}
    for use in uses:
        people.setdefault(use.person, []).append(use)
    return sorted(
        (
            DevicePersonRecord(
                person=person,
                first_at=min(use.first_at for use in theirs),
                last_at=max(use.last_at for use in theirs),
                sessions=sum(use.sessions for use in theirs),
                is_authenticated=any(use.is_authenticated for use in theirs),
            )
            for person, theirs in people.items()
        ),
        key=lambda p: (-p.last_at, p.person),
    )


def within(
    uses: Sequence[UseRecord], since: Micros | None, until: Micros | None
) -> list[UseRecord]:
    """The uses that overlap the time from ``since`` up to but without ``until``."""
    return [
        use
        for use in uses
        if (until is None or use.first_at < until)
        and (since is None or use.ended_at is None or use.ended_at > since)
    ]


def person_at(uses: Sequence[UseRecord], at: Micros) -> str | None:
    """Who used the device then: of the uses that cover the moment, the one begun last.

    An open use covers all time after its last event: nobody is known to have left.
    """
    covering = [u for u in uses if u.first_at <= at and (u.ended_at is None or at < u.ended_at)]
    return max(covering, key=lambda use: use.first_at).person if covering else None


def whole(record: VisitorRecord) -> Slice:
    """All of a visitor, whosever it is."""
    return Slice(record, record.id, record.visitor.start, record.end)


def newest(uses: Iterable[UseRecord]) -> list[UseRecord]:
    """Uses in the order in which they are told."""
    return sorted(uses, key=lambda use: (-use.first_at, use.record.id))
