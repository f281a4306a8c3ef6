"""Lines of a journey in the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from graphid.api.context import Info
from graphid.api.links import LazyPerson, Link, operation_of
from graphid.api.loaders import (
    EventByMessageIdLoader,
    SeveredByVisitorLoader,
    StatedLoader,
)
from graphid.api.nodes import (
    JourneyEventType,
    Node,
    PageInfo,
    computed,
    cursors_of,
    found,
    page_info,
)
from graphid.api.scalars import JSON, Timestamp
from graphid.errors import NotFound
from graphid.identity.attribution import Basis
from graphid.identity.values import Assurance, Operation
from graphid.service.explanations import deciding_evidence, explain_attribution, is_by_merge
from graphid.service.joins import JoinRecord
from graphid.service.journey import EventRecord
from graphid.service.lines import Line
from graphid.service.links import LinkRecord
from graphid.service.pages import Page
from graphid.service.receipts import Receipt
from graphid.service.statements import About
from graphid.service.visitors import Owner, visitor_id_of

if TYPE_CHECKING:
    from graphid.api.chats import Chat
    from graphid.api.people import Person
    from graphid.api.visits import Session

JOURNEY = "journey"
"""The name of the list, in its cursors."""

EVENT = "event_"
"""What the id of an event begins with; its message id follows."""


@strawberry.type(description="Whose a line is, and why.")
class Attribution:
    basis: Basis = strawberry.field(description="On what basis it is theirs.")
    assurance: Assurance | None = strawberry.field(description="Of the link.")
    record: strawberry.Private[LinkRecord | None]
    owner: strawberry.Private[Owner | None]
    """None: the line is a join or a split, and ``link`` says all there is to say."""
    at: strawberry.Private[int]
    is_identify: strawberry.Private[bool]

    @computed("The link that makes it theirs.")
    def link(self) -> Link | None:
        return None if self.record is None else Link.of(self.record)

    @computed("One sentence a contact-centre agent understands.")
    async def explanation(self, info: Info) -> str:
        if self.owner is None:
            return await Link.of(found(self.record)).explanation(info)
        attribution, visitor = self.owner.attribution, self.owner.record.visitor
        evidence = deciding_evidence(attribution, visitor)
        stated = None
        if evidence is not None and attribution.contact is not None:
            about = About(evidence, (attribution.contact,))
            stated = await info.context.load(StatedLoader).load(about)
        named = () if stated is None else stated.named
        policy = None
        if attribution.basis is Basis.ANONYMOUS:
            policy = (await info.context.reads.policies.current()).policy
        return explain_attribution(
            attribution,
            visitor,
            self.at,
            named=named,
            act=await self._act(info, self.owner),
            is_identify=self.is_identify,
            policy=policy,
        )

    async def _act(self, info: Info, owner: Owner) -> Operation | None:
        """The operation that made it theirs, or nobody's, where one did."""
        attribution, visitor = owner.attribution, owner.record.visitor
        if is_by_merge(attribution) and attribution.link is not None:
            return await operation_of(info, attribution.link.evidence)
        if attribution.basis is Basis.ANONYMOUS and visitor.link is None:
            severed = await info.context.load(SeveredByVisitorLoader).load(visitor.id)
            return await operation_of(info, severed.link.retracted_by if severed else None)
        return None

    @classmethod
    def of(cls, line: EventRecord) -> Attribution:
        owner, attribution = line.owner, line.owner.attribution
        link = attribution.link
        return cls(
            basis=attribution.basis,
            assurance=attribution.assurance,
            record=None if link is None else LinkRecord(link),
            owner=owner,
            at=line.occurred_at,
            is_identify=line.is_identify,
        )

    @classmethod
    def of_join(cls, join: JoinRecord) -> Attribution:
        """Of a join or a split, which is theirs because an end of its link is."""
        is_known = visitor_id_of(join.person) is None
        return cls(
            basis=Basis.IDENTIFIED if is_known else Basis.ANONYMOUS,
            assurance=join.link.assurance,
            record=join.record,
            owner=None,
            at=join.occurred_at,
            is_identify=False,
        )


@strawberry.type(
    description="One line of a journey, newest first. `detail` holds what its type adds: url and "
    "title, name and properties, identifiers claimed, author and text; of a join or a split its "
    "link, contacts and people, who did it and why. Without identifier:view "
    "identifiers in it are masked, as they are wherever else a value appears."
)
class JourneyEvent(Node):
    type: JourneyEventType = strawberry.field(description="What it is.")
    occurred_at: Timestamp = strawberry.field(description="When, in the world.")
    received_at: Timestamp = strawberry.field(description="When this service got it.")
    message_id: strawberry.ID = strawberry.field(
        description="The sender's, or ours; of a join or a split, that of the message or the "
        "operation behind it, which may have made several: only `node(id)` finds such a line."
    )
    cookie_id: strawberry.ID | None = strawberry.field(description="Where it happened.")
    device_id: strawberry.ID | None = strawberry.field(description="Where it happened.")
    record: strawberry.Private[Line | None]
    """None: it was just sent, and is read only if somebody asks for more than was sent."""

    async def _stored(self, info: Info) -> Line:
        if self.record is None:
            load = info.context.load(EventByMessageIdLoader)
            self.record = await load.load(self.message_id)
            if self.record is None:
                raise NotFound("What came under this messageId was erased.")
        return self.record

    @computed("The session that it is part of.")
    async def session(
        self, info: Info
    ) -> Annotated[Session, strawberry.lazy("graphid.api.visits")] | None:
        from graphid.api.visits import Session  # noqa: PLC0415 - each names the other

        stored = await self._stored(info)
        if isinstance(stored, JoinRecord) or stored.session is None:
            return None
        return Session.of_part(stored.session, stored.owner.record)

    @computed("The chat that it is a line of.")
    async def chat(
        self, info: Info
    ) -> Annotated[Chat, strawberry.lazy("graphid.api.chats")] | None:
        from graphid.api.chats import chat_by_id  # noqa: PLC0415 - each names the other

        stored = await self._stored(info)
        if isinstance(stored, JoinRecord) or stored.chat is None:
            return None
        return await chat_by_id(info, stored.chat)

    # A page has fifty lines: what is there already is answered without a task for each.

    @computed("Whose it is, now.")
    def person(self, info: Info) -> LazyPerson:
        if self.record is None:
            return cast("Person", self._person(info))
        from graphid.api.people import person_now  # noqa: PLC0415 - each names the other

        return person_now(info, whose(self.record))

    @computed("Why it is theirs.")
    def attribution(self, info: Info) -> Attribution:
        if self.record is None:
            return cast(Attribution, self._attribution(info))
        return _attribution_of(self.record)

    @computed("What its type adds.")
    def detail(self, info: Info) -> JSON:
        if isinstance(self.record, EventRecord):
            return cast(JSON, self.record.detail)
        return cast(JSON, self._detail(info))

    async def owner_id(self, info: Info) -> str:
        """The id of whose it is, now."""
        return whose(await self._stored(info))

    async def _person(self, info: Info) -> Person:
        from graphid.api.people import person_by_id  # noqa: PLC0415 - each names the other

        return await person_by_id(info, await self.owner_id(info))

    async def _attribution(self, info: Info) -> Attribution:
        return _attribution_of(await self._stored(info))

    async def _detail(self, info: Info) -> Any:
        stored = await self._stored(info)
        if not isinstance(stored, JoinRecord):
            return stored.detail
        act = await operation_of(info, stored.evidence)
        if act is None:
            return stored.detail | {"actor": stored.link.actor}
        told = {"actor": act.actor, "reason": act.reason, "operationId": stored.message_id}
        return stored.detail | told

    @classmethod
    def of(cls, record: Line) -> JourneyEvent:
        if isinstance(record, JoinRecord):
            id, cookie, device = record.id, record.cookie, None
        else:
            id, cookie, device = EVENT + record.message_id, record.cookie, record.device
        return cls(
            id=strawberry.ID(id),
            type=JourneyEventType(record.type),
            occurred_at=Timestamp(record.occurred_at),
            received_at=Timestamp(record.received_at),
            message_id=strawberry.ID(record.message_id),
            cookie_id=None if cookie is None else strawberry.ID(cookie),
            device_id=None if device is None else strawberry.ID(device),
            record=record,
        )

    @classmethod
    def of_receipt(cls, receipt: Receipt) -> JourneyEvent:
        """What the sender knows of it without a look at the graph."""
        cookie, device = receipt.cookie_id, receipt.device_id
        return cls(
            id=strawberry.ID(EVENT + receipt.message_id),
            type=JourneyEventType(receipt.type),
            occurred_at=Timestamp(receipt.occurred_at),
            received_at=Timestamp(receipt.received_at),
            message_id=strawberry.ID(receipt.message_id),
            cookie_id=None if cookie is None else strawberry.ID(cookie),
            device_id=None if device is None else strawberry.ID(device),
            record=None,
        )


def whose(line: Line) -> str:
    """Whose a line is."""
    return line.person if isinstance(line, JoinRecord) else line.owner.person


def _attribution_of(line: Line) -> Attribution:
    if isinstance(line, JoinRecord):
        return Attribution.of_join(line)
    return Attribution.of(line)


@strawberry.type(description="A line of a journey in a list.")
class JourneyEdge:
    cursor: str = strawberry.field(description="For `after` and `before`.")
    node: JourneyEvent = strawberry.field(description="The line.")


@strawberry.type(description="A page of a journey.")
class JourneyConnection:
    edges: list[JourneyEdge] = strawberry.field(description="The lines, newest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[EventRecord] | Page[Line]) -> JourneyConnection:
        cursors = cursors_of(JOURNEY, page)
        return cls(
            edges=[
                JourneyEdge(cursor=cursor, node=JourneyEvent.of(event))
                for cursor, event in zip(cursors, page.items, strict=True)
            ],
            page_info=page_info(page, cursors),
        )
