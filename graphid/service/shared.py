"""Devices that more than one person used, as fraud teams look for them."""

from __future__ import annotations

from dataclasses import dataclass

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.values import Micros, Place
from graphid.service.devices import MOST_VISITORS, DeviceRecord
from graphid.service.pages import Page, PageRequest
from graphid.service.visitors import END

LIST_SHARED = query("devices/list_shared")

CANDIDATES = 50
"""How many devices are looked at in one read."""
READS = 10
"""Of one page, at most: where nearly all that the fold marked is too old, or was parted since."""


@dataclass(frozen=True, slots=True)
class SharedDevice:
    """``since``: the place of what made the fold count it as shared. ``people``: how many
    identified themselves there, as people are today."""

    device: DeviceRecord
    since: Place
    people: int


@dataclass(frozen=True, slots=True)
class SharedPage:
    """``resume``: where the next page begins; None where the list ends with this one."""

    page: Page[SharedDevice]
    resume: Place | None


class Shared:
    """Reads devices that were used by several people.

    The list is in the order in which the fold met the second person on each, the latest first:
    that never changes while people use them, so no device is met twice, or missed, between pages.
    """

    def __init__(self, database: Readable) -> None:
        self._database = database

    async def newest(self, request: PageRequest, *, people: int, since: Micros) -> SharedPage:
        """A page of devices that so many people used, and that were seen since a time.

        It is shorter than wanted only where the list ends, or after CANDIDATES * READS devices
        were looked at: then it goes on behind those.
        """
        found: list[SharedDevice] = []
        last, is_over = request.after or END, False
        for _ in range(READS):
            rows = await self._candidates(last, since)
            found += (row for row in rows if row.people >= people)
            is_over = len(rows) < CANDIDATES
            if is_over or len(found) > request.limit:
                break
            last = rows[-1].since
        more = len(found) > request.limit
        items = tuple(found[: request.limit])
        resume = items[-1].since if more else None if is_over else last
        page = Page(
            items=items,
            keys=tuple(one.since for one in items),
            has_next=resume is not None,
            has_previous=request.after is not None,
        )
        return SharedPage(page, resume)

    async def _candidates(self, before: Place, since: Micros) -> list[SharedDevice]:
        named = {"before": before, "since": since, "size": CANDIDATES, "most": MOST_VISITORS}
        (row,) = await self._database.read_rows(LIST_SHARED, named=named)
        return [
            SharedDevice(DeviceRecord(id, first, last), shared_since, people)
            for id, first, last, shared_since, people in row["rows"]
        ]
