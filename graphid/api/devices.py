"""Devices in the schema."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from graphid.api.context import Info
from graphid.api.cursors import bounded, cursor
from graphid.api.links import LazyPerson
from graphid.api.loaders import (
    DeviceByIdLoader,
    PeopleCountByDeviceLoader,
    PersonByMomentLoader,
    UsesByDeviceLoader,
)
from graphid.api.nodes import Node, PageInfo, computed, cursors_of, found, page_info
from graphid.api.scalars import Timestamp, micros, time_range
from graphid.errors import InvalidInput
from graphid.service.devices import (
    MOST_VISITORS,
    DevicePersonRecord,
    DeviceRecord,
    UseRecord,
    people_of,
    within,
)
from graphid.service.pages import PageRequest
from graphid.service.shared import SharedPage

if TYPE_CHECKING:
    from graphid.api.visits import Visitor


SHARED = "sharedDevices"
"""The name of the list, in its cursors."""

FEWEST = 2
"""People that a device is listed for, where the client does not say."""


@strawberry.type(description="A person's use of a device, all visitors together.")
class DevicePerson:
    first_seen_at: Timestamp = strawberry.field(description="Of their first event there.")
    last_seen_at: Timestamp = strawberry.field(description="Of their latest event there.")
    sessions: int = strawberry.field(description="How many they had there.")
    authenticated: bool = strawberry.field(description="Whether a login there was checked.")
    record: strawberry.Private[DevicePersonRecord]

    @computed("Who it is; where nobody identified themselves, the anonymous person of a visitor.")
    async def person(self, info: Info) -> LazyPerson:
        from graphid.api.people import person_by_id  # noqa: PLC0415 - each names the other

        return await person_by_id(info, self.record.person)

    @classmethod
    def of(cls, record: DevicePersonRecord) -> DevicePerson:
        return cls(
            first_seen_at=Timestamp(record.first_at),
            last_seen_at=Timestamp(record.last_at),
            sessions=record.sessions,
            authenticated=record.is_authenticated,
            record=record,
        )


@strawberry.type(description="Who used a device from when to when: one block per visitor.")
class DeviceUse:
    started_at: Timestamp = strawberry.field(description="Of the first event.")
    ended_at: Timestamp | None = strawberry.field(description="When the visitor ended.")
    sessions: int = strawberry.field(description="How many there were.")
    record: strawberry.Private[UseRecord]

    @computed("The device.")
    def device(self, info: Info) -> Device:
        place = self.record.place
        if place is not None:
            return Device.of(place)
        # Where it must wait it returns an awaitable, which GraphQL takes as well.
        return cast(Device, device_by_id(info, found(self.record.device)))

    @computed("The visitor.")
    def visitor(self) -> Annotated[Visitor, strawberry.lazy("graphid.api.visits")]:
        from graphid.api.visits import Visitor  # noqa: PLC0415 - each names the other

        return Visitor.of(self.record.record)

    @computed("Whose the latest event is.")
    async def person(self, info: Info) -> LazyPerson:
        from graphid.api.people import person_by_id  # noqa: PLC0415 - each names the other

        return await person_by_id(info, self.record.person)

    @classmethod
    def of(cls, record: UseRecord) -> DeviceUse:
        ended = record.ended_at
        return cls(
            started_at=Timestamp(record.first_at),
            ended_at=None if ended is None else Timestamp(ended),
            sessions=record.sessions,
            record=record,
        )


@strawberry.type(
    description="One browser profile or app install. It says where things happened, never who."
)
class Device(Node):
    first_seen_at: Timestamp = strawberry.field(description="Of its first event.")
    last_seen_at: Timestamp = strawberry.field(description="Of its latest event.")
    record: strawberry.Private[DeviceRecord]

    @computed("Whether two or more people identified themselves on it.")
    async def shared(self, info: Info) -> bool:
        return await self._count(info) > 1

    @computed(
        "How many people, as people are today, identified themselves on it; where more than "
        f"{MOST_VISITORS:,} visitors used it, how many of the latest {MOST_VISITORS:,} are. "
        "Whoever did counts, also where they hold nothing any more and are read as ANONYMOUS."
    )
    async def person_count(self, info: Info) -> int:
        return await self._count(info)

    @computed(
        "Who used it, the latest first, anonymous people too; of its latest "
        f"{MOST_VISITORS:,} uses."
    )
    async def people(self, info: Info, first: int | None = 100) -> list[DevicePerson]:
        limit = bounded(first, "first", default=100)
        return [DevicePerson.of(p) for p in people_of(await self._uses(info))[:limit]]

    @computed(
        f"Who used it from when to when, newest first; of its latest {MOST_VISITORS:,} uses, by "
        "`to` where that is given."
    )
    async def uses(
        self,
        info: Info,
        from_: Annotated[
            datetime | None, strawberry.argument(name="from", description="Not over by then.")
        ] = strawberry.UNSET,
        to: datetime | None = strawberry.UNSET,
        first: int | None = 100,
    ) -> list[DeviceUse]:
        limit = bounded(first, "first", default=100)
        since, until = time_range(from_, to)
        uses = within(await self._uses(info, until), since, until)
        return [DeviceUse.of(use) for use in uses[:limit]]

    @computed("The person who used the device at that moment, if anybody is known to have.")
    async def person_at(self, info: Info, at: datetime) -> LazyPerson | None:
        from graphid.api.people import person_by_id  # noqa: PLC0415 - each names the other

        moment = (self.record.id, micros(at))
        person = await info.context.load(PersonByMomentLoader).load(moment)
        return None if person is None else await person_by_id(info, person)

    async def _count(self, info: Info) -> int:
        return await info.context.load(PeopleCountByDeviceLoader).load(self.record.id) or 0

    async def _uses(self, info: Info, until: int | None = None) -> list[UseRecord]:
        return await info.context.load(UsesByDeviceLoader).load((self.record.id, until)) or []

    @classmethod
    def of(cls, record: DeviceRecord) -> Device:
        return cls(
            id=strawberry.ID(record.id),
            first_seen_at=Timestamp(record.first_seen_at),
            last_seen_at=Timestamp(record.last_seen_at),
            record=record,
        )


async def device_by_id(info: Info, id: str) -> Device:
    """A device that something points at."""
    return Device.of(found(await info.context.load(DeviceByIdLoader).load(id)))


@strawberry.type(description="A device in a list.")
class DeviceEdge:
    cursor: str = strawberry.field(description="For `after`.")
    node: Device = strawberry.field(description="The device.")


@strawberry.type(description="A page of devices.")
class DeviceConnection:
    edges: list[DeviceEdge] = strawberry.field(description="The devices, in the list's order.")
    page_info: PageInfo = strawberry.field(
        description="Where the page lies. `endCursor` is where to go on, also behind a page that "
        "is short or empty because most of what was looked at did not fit."
    )

    @classmethod
    def of(cls, found: SharedPage) -> DeviceConnection:
        cursors = cursors_of(SHARED, found.page)
        info = page_info(found.page, cursors)
        if found.resume is not None:
            info.end_cursor = cursor(SHARED, found.resume)
        return cls(
            edges=[
                DeviceEdge(cursor=cursor, node=Device.of(shared.device))
                for cursor, shared in zip(cursors, found.page.items, strict=True)
            ],
            page_info=info,
        )


async def shared_devices(
    info: Info, min_people: int | None, since: datetime | None, request: PageRequest
) -> DeviceConnection:
    """A page of the devices that so many people used. Raises InvalidInput past the bound."""
    people = FEWEST if min_people is None else min_people
    if not 1 <= people <= MOST_VISITORS:
        raise InvalidInput(f"minPeople must be from 1 to {MOST_VISITORS}.", path=["minPeople"])
    seen = micros(since) if since else 0
    found = await info.context.reads.shared.newest(request, people=people, since=seen)
    counts = info.context.load(PeopleCountByDeviceLoader)
    for shared in found.page.items:
        counts.prime(shared.device.id, shared.people)
    return DeviceConnection.of(found)
