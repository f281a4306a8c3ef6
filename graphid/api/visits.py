"""Cookies, visitors and sessions in the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from graphid.api.context import Info
from graphid.api.cursors import bounded, forwards
from graphid.api.journey import JOURNEY, JourneyConnection
from graphid.api.links import LazyPerson
from graphid.api.loaders import (
    CookieByIdLoader,
    JourneyPageLoader,
    SessionByVisitorLoader,
    VisitorsByCookieLoader,
)
from graphid.api.nodes import Node, PageInfo, computed, cursors_of, found, page_info
from graphid.api.scalars import Timestamp
from graphid.identity.values import message_of
from graphid.service.devices import CookieRecord
from graphid.service.journey import PageWanted, Window
from graphid.service.pages import Page
from graphid.service.sessions import SessionRecord, session_id
from graphid.service.visitors import VisitorRecord

if TYPE_CHECKING:
    from graphid.api.devices import Device

SESSIONS = "sessions"
"""The name of the list, in its cursors."""


@strawberry.type(description="One anonymous id, as the client holds it.")
class Cookie(Node):
    first_seen_at: Timestamp = strawberry.field(description="Of its first event.")
    last_seen_at: Timestamp = strawberry.field(description="Of its latest event.")
    record: strawberry.Private[CookieRecord]

    @computed("Where it lies, if the client says.")
    async def device(
        self, info: Info
    ) -> Annotated[Device, strawberry.lazy("graphid.api.devices")] | None:
        from graphid.api.devices import device_by_id  # noqa: PLC0415 - each names the other

        device = self.record.device
        return None if device is None else await device_by_id(info, device)

    @computed("Who used it, newest first.")
    async def visitors(self, info: Info, first: int | None = 100) -> list[Visitor]:
        limit = bounded(first, "first", default=100)
        records = await info.context.load(VisitorsByCookieLoader).load(self.record.id)
        return [Visitor.of(record) for record in (records or ())[:limit]]

    @classmethod
    def of(cls, record: CookieRecord) -> Cookie:
        return cls(
            id=strawberry.ID(record.id),
            first_seen_at=Timestamp(record.first_seen_at),
            last_seen_at=Timestamp(record.last_seen_at),
            record=record,
        )


@strawberry.type(description="One continuous human use of a cookie.")
class Visitor(Node):
    started_at: Timestamp = strawberry.field(description="When it began.")
    ended_at: Timestamp | None = strawberry.field(description="When it ended, if it has.")
    ended_by: str | None = strawberry.field(description="The message that ended it.")
    record: strawberry.Private[VisitorRecord]

    @computed("The cookie that was used.")
    async def cookie(self, info: Info) -> Cookie:
        load = info.context.load(CookieByIdLoader)
        return Cookie.of(found(await load.load(self.record.visitor.cookie)))

    @computed("Its owner, else the anonymous person as whom it is read.")
    async def person(self, info: Info) -> LazyPerson:
        from graphid.api.people import person_by_id  # noqa: PLC0415 - each names the other

        return await person_by_id(info, self.record.owner or self.record.id)

    @classmethod
    def of(cls, record: VisitorRecord) -> Visitor:
        ended = record.visitor.ended_at
        return cls(
            id=strawberry.ID(record.id),
            started_at=Timestamp(record.started_at),
            ended_at=None if ended is None else Timestamp(ended),
            ended_by=None if (by := record.visitor.ended_by) is None else message_of(by),
            record=record,
        )


@strawberry.type(description="A run of a visitor's events without a long gap.")
class Session(Node):
    part: strawberry.Private[tuple[str, VisitorRecord]]
    """The stored session, and whose part of it this is."""
    record: strawberry.Private[SessionRecord | None]
    """None: it is read only if somebody asks for more than its id."""

    async def _stored(self, info: Info) -> SessionRecord:
        if self.record is None:
            self.record = found(await info.context.load(SessionByVisitorLoader).load(self.part))
        return self.record

    @computed("Of its first event.")
    async def started_at(self, info: Info) -> Timestamp:
        return Timestamp((await self._stored(info)).started_at)

    @computed("Of its latest event.")
    async def last_activity_at(self, info: Info) -> Timestamp:
        return Timestamp((await self._stored(info)).last_activity_at)

    @computed("Whose part of the session this is.")
    def visitor(self) -> Visitor:
        return Visitor.of(self.part[1])

    @computed("Whom its latest event belongs to.")
    async def person(self, info: Info) -> LazyPerson:
        from graphid.api.people import person_by_id  # noqa: PLC0415 - each names the other

        return await person_by_id(info, (await self._stored(info)).owner.person)

    @computed("Its events, newest first.")
    async def events(
        self, info: Info, first: int | None = 50, after: str | None = strawberry.UNSET
    ) -> JourneyConnection:
        request = forwards(JOURNEY, first, after or None, default=50)
        stored = await self._stored(info)
        wanted = PageWanted([stored.slice()], request, Window(session=stored.stored))
        return JourneyConnection.of(await info.context.load(JourneyPageLoader).load(wanted))

    @classmethod
    def of(cls, record: SessionRecord) -> Session:
        part = (record.stored, record.owner.record)
        return cls(id=strawberry.ID(record.id), part=part, record=record)

    @classmethod
    def of_part(cls, stored: str, visitor: VisitorRecord) -> Session:
        """A visitor's part of a stored session, in which it has an event."""
        id = strawberry.ID(session_id(stored, visitor.id))
        return cls(id=id, part=(stored, visitor), record=None)


@strawberry.type(description="A session in a list.")
class SessionEdge:
    cursor: str = strawberry.field(description="For `after`.")
    node: Session = strawberry.field(description="The session.")


@strawberry.type(description="A page of sessions.")
class SessionConnection:
    edges: list[SessionEdge] = strawberry.field(description="The sessions, newest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[SessionRecord]) -> SessionConnection:
        cursors = cursors_of(SESSIONS, page)
        return cls(
            edges=[
                SessionEdge(cursor=cursor, node=Session.of(session))
                for cursor, session in zip(cursors, page.items, strict=True)
            ],
            page_info=page_info(page, cursors),
        )
