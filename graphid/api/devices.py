"""Devices in the schema."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphid.api.context import Info
from graphid.api.cursors import bounded
from graphid.api.links import LazyPerson
from graphid.api.loaders import DeviceByIdLoader, UsesByDeviceLoader
from graphid.api.nodes import Node, computed, found
from graphid.api.scalars import Timestamp, micros
from graphid.service.devices import (
    DevicePersonRecord,
    DeviceRecord,
    UseRecord,
    count_owners,
    people_of,
    person_at,
    within,
)

if TYPE_CHECKING:
    from graphid.api.visits import Visitor


@strawberry.type(description="A person's use of a device, all visitors together.")
class DevicePerson:
    first_seen_at: Timestamp = strawberry.field(description="Of their first event there.")
    last_seen_at: Timestamp = strawberry.field(description="Of their latest event there.")
    sessions: int = strawberry.field(description="How many they had there.")
    authenticated: bool = strawberry.field(description="Whether a login there was checked.")
    record: strawberry.Private[DevicePersonRecord]

    @computed("Who it is; anonymous people have the id of a visitor.")
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
    async def device(self, info: Info) -> Device:
        return await device_by_id(info, found(self.record.device))

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
        return count_owners(await self._uses(info)) > 1

    @computed("How many people identified themselves on it.")
    async def person_count(self, info: Info) -> int:
        return count_owners(await self._uses(info))

    @computed("Who used it, the latest first, anonymous people too.")
    async def people(self, info: Info, first: int | None = 100) -> list[DevicePerson]:
        limit = bounded(first, "first", default=100)
        return [DevicePerson.of(p) for p in people_of(await self._uses(info))[:limit]]

    @computed("Who used it from when to when, newest first.")
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
        since = micros(from_) if from_ else None
        until = micros(to) if to else None
        uses = within(await self._uses(info), since, until)
        return [DeviceUse.of(use) for use in uses[:limit]]

    @computed("The person who used the device at that moment, if anybody is known to have.")
    async def person_at(self, info: Info, at: datetime) -> LazyPerson | None:
        from graphid.api.people import person_by_id  # noqa: PLC0415 - each names the other

        person = person_at(await self._uses(info), micros(at))
        return None if person is None else await person_by_id(info, person)

    async def _uses(self, info: Info) -> list[UseRecord]:
        return await info.context.load(UsesByDeviceLoader).load(self.record.id) or []

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
