"""Devices and cookies as they were seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest

from msgspec.structs import replace

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.values import Micros
from graphid.service.devices import (
    MOST_VISITORS,
    CookieRecord,
    DeviceRecord,
    Devices,
    UseRecord,
    newest,
    person_at,
    whole,
)
from graphid.service.past.moment import Moment
from graphid.service.past.visitors import PastVisitors
from graphid.service.visitors import VisitorRecord

READ_DEVICES = query("past/read_devices")
LIST_COOKIES = query("past/list_cookies")


class PastDevices(Devices):
    """Reads devices and cookies as they were seen."""

    def __init__(self, database: Readable, visitors: PastVisitors, moment: Moment) -> None:
        super().__init__(database)
        self._past = visitors
        self._moment = moment

    async def by_id(self, ids: Iterable[str]) -> dict[str, DeviceRecord]:
        """The devices of these ids that had been seen."""
        rows = await self._database.read_rows(
            READ_DEVICES, ids=list(ids), horizon=self._moment.as_row(), limit=MOST_VISITORS
        )
        return {
            row["id"]: DeviceRecord(row["id"], row["firstSeenAt"], row["lastSeenAt"])
            for row in rows
        }

    async def cookies(self, ids: Iterable[str]) -> dict[str, CookieRecord]:
        """The cookies of these ids that had been seen."""
        return await self._past.cookies(ids)

    async def visitors_of_cookies(
        self, ids: Iterable[str], *, limit: int
    ) -> dict[str, list[VisitorRecord]]:
        """Each cookie's visitors, newest first."""
        return await self._past.on_cookies(ids, limit=limit)

    async def uses_of_devices(
        self, wanted: Sequence[tuple[str, Micros | None]]
    ) -> dict[tuple[str, Micros | None], list[UseRecord]]:
        """Who had used each device: one use per visitor that did something, newest first; of the
        latest by the moment of the past."""
        uses = await self._uses_of(list({device for device, _ in wanted}))
        return {key: uses[key[0]] for key in wanted}

    async def _uses_of(self, ids: Sequence[str]) -> dict[str, list[UseRecord]]:
        rows = await self._database.read_rows(
            LIST_COOKIES,
            ids=ids,
            at=self._moment.as_row()["at"],
            limit=MOST_VISITORS,
        )
        cookies = {cookie for row in rows for cookie in row["cookies"]}
        visitors = await self._past.on_cookies(cookies, limit=MOST_VISITORS)
        of_device = [
            (row["of"], record)
            for row in rows
            for record in nlargest(
                MOST_VISITORS,
                (record for cookie in row["cookies"] for record in visitors.get(cookie, ())),
                key=lambda record: record.started_at,
            )
        ]
        uses = await self._uses([whole(record) for _, record in of_device])
        found: dict[str, list[UseRecord]] = {id: [] for id in ids}
        for (device, _), use in zip(of_device, uses, strict=True):
            if use is not None:
                found[device].append(replace(use, device=device))
        return {id: newest(all) for id, all in found.items()}

    async def uses_of_people(
        self, people: Sequence[str], *, limit: int
    ) -> dict[str, list[UseRecord]]:
        """The devices that each person had used, one use per visitor, newest first."""
        owned = await self._past.slices_of_people(people)
        kept = {
            person: nlargest(
                limit,
                (part for part in parts if part.record.device is not None),
                key=lambda part: part.record.started_at,
            )
            for person, parts in owned.items()
        }
        uses = iter(await self._uses([part for parts in kept.values() for part in parts]))
        return {
            person: newest([use for _ in parts if (use := next(uses)) is not None])
            for person, parts in kept.items()
        }

    async def count_people(self, ids: Iterable[str]) -> dict[str, int]:
        """How many people had identified themselves on each device."""
        uses = await self._uses_of(list(ids))
        return {
            id: len({owner for use in some if (owner := use.record.owner) is not None})
            for id, some in uses.items()
        }

    async def people_at(
        self, moments: Sequence[tuple[str, Micros]]
    ) -> dict[tuple[str, Micros], str]:
        """Who had used each (device, moment); without those of whom nobody knew."""
        uses = await self._uses_of(list({device for device, _ in moments}))
        return {
            (device, at): person
            for device, at in moments
            if at <= self._moment.now and (person := person_at(uses[device], at)) is not None
        }
