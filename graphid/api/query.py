"""What can be asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import strawberry
from graphql import FieldNode

from graphid.api.ahead import ask_ahead
from graphid.api.audit import AUDIT, AuditConnection
from graphid.api.chats import Chat, chat_by_id
from graphid.api.clusters import HOPS, NODES, Cluster, cluster_around
from graphid.api.context import Info, RequestContext
from graphid.api.cursors import forwards
from graphid.api.devices import FEWEST, SHARED, Device, DeviceConnection, shared_devices
from graphid.api.journey import EVENT, JourneyEvent
from graphid.api.keys import KEYS, AccessKeyConnection
from graphid.api.links import (
    REVIEWS,
    Link,
    ReviewConnection,
    ReviewItem,
    contact_by_id,
    identifier_by_id,
)
from graphid.api.loaders import (
    ChatByIdLoader,
    CookieByIdLoader,
    DeviceByIdLoader,
    EventByMessageIdLoader,
    JoinByIdLoader,
    LinkByIdLoader,
    OwnerByPlaceLoader,
    PersonByIdLoader,
    ReviewByIdLoader,
    SessionByIdLoader,
    VisitorByIdLoader,
)
from graphid.api.nodes import Node, ReviewState, computed
from graphid.api.people import Contact, Person
from graphid.api.policies import Policy, policy_by_version
from graphid.api.providers import OidcProvider
from graphid.api.reasons import ReasonQuery
from graphid.api.scalars import micros
from graphid.api.search import SearchQuery
from graphid.api.selections import selected_on
from graphid.api.visits import Cookie, Session, Visitor
from graphid.identity.ids import UNCLAIMED
from graphid.service.people import PersonRecord
from graphid.service.visitors import at_moment


@strawberry.type(description="Everything that can be read.")
class Query(SearchQuery, ReasonQuery):
    @computed("Anything by its id; an id that was given out for a person leads to one for ever.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        kind, _, _ = id.partition("_")
        if id.startswith("visitor_"):
            return await _visitor_or_person(info, id)
        find = _BY_PREFIX.get(kind)
        node = None if find is None else await find(info, id)
        return node or await _by_client_id(info, id)

    @computed(
        "Any id ever given out: person, merged person, contact or visitor. `at`: as it was in the "
        "world then, as far as is known now. `asKnownAt`: as this service knew it then. Everything "
        "below is as of then, too."
    )
    async def person(
        self,
        info: Info,
        id: strawberry.ID,
        at: datetime | None = strawberry.UNSET,
        as_known_at: datetime | None = strawberry.UNSET,
    ) -> Person | None:
        if not at and not as_known_at:
            return await _person(info, id)
        context = info.context
        reads = await context.services.past.reads(
            at=micros(at) if at else None, known=micros(as_known_at) if as_known_at else None
        )
        past = context.reading(reads)
        context.bind(info.path, past)
        return await _person_in(past, id)

    @computed("Whoever holds the identifier, in any spelling that is normalised to it.")
    async def person_by_identifier(self, info: Info, type: str, value: str) -> Person | None:
        context = info.context
        record = await context.reads.people.holding(type, value)
        return None if record is None else _met(context, await context.shown(record))

    @computed("Whoever used the cookie then; without `at`: uses it now.")
    async def person_by_cookie(
        self, info: Info, cookie_id: strawberry.ID, at: datetime | None = strawberry.UNSET
    ) -> Person | None:
        moment = micros(at) if at else info.context.reads.chats.now()
        place = (str(cookie_id), at_moment(moment + 1))
        owner = await info.context.load(OwnerByPlaceLoader).load(place)
        if owner is None or moment < owner.record.seen_from:
            return None
        return await _person(info, owner.person)

    @computed("A source's record.")
    async def contact(self, info: Info, source: str, source_id: strawberry.ID) -> Contact | None:
        id = await info.context.reads.people.contact(source, source_id)
        return None if id is None else await _contact(info, id)

    @computed("A chat by the client's id, or ours.")
    async def chat(self, info: Info, id: strawberry.ID) -> Chat | None:
        return await chat_by_id(info, id)

    @computed("A device by the client's id.")
    async def device(self, info: Info, id: strawberry.ID) -> Device | None:
        record = await info.context.load(DeviceByIdLoader).load(id)
        return None if record is None else Device.of(record)

    @computed(
        "Devices on which several people identified themselves, by identifies that named the "
        "device, in the order in which the second of them did, the latest first. `minPeople`: as "
        "people are today, as `personCount` counts them; `since`: something happened on it since."
    )
    async def shared_devices(
        self,
        info: Info,
        min_people: int | None = FEWEST,
        since: datetime | None = strawberry.UNSET,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
    ) -> DeviceConnection:
        request = forwards(SHARED, first, after or None)
        return await shared_devices(info, min_people, since or None, request)

    @computed(
        "The neighbourhood of a person, device, contact, cookie, visitor (its owner's) or "
        "identifier: `maxHops` edges away, from 1 to 6, and `maxNodes`, from 1 to 1000."
    )
    async def cluster(
        self,
        info: Info,
        around: strawberry.ID,
        max_hops: int | None = HOPS,
        max_nodes: int | None = NODES,
    ) -> Cluster:
        return await cluster_around(info, around, max_hops, max_nodes)

    @computed("What waits for a human, the latest first; `state: null` for all there ever was.")
    async def reviews(
        self,
        info: Info,
        state: ReviewState | None = ReviewState.OPEN,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
    ) -> ReviewConnection:
        request = forwards(REVIEWS, first, after or None)
        states = [state.value] if state else [each.value for each in ReviewState]
        page = await info.context.reads.links.newest_reviews(states, request)
        return ReviewConnection.of(await info.context.shown(page))

    @computed("The keys that the graph keeps, the latest first; those of the settings are not.")
    async def keys(
        self, info: Info, first: int | None = 20, after: str | None = strawberry.UNSET
    ) -> AccessKeyConnection:
        request = forwards(KEYS, first, after or None)
        return AccessKeyConnection.of(await info.context.services.keys.newest(request))

    @computed("The identity providers whose word counts: those of the settings, then by issuer.")
    async def providers(self, info: Info) -> list[OidcProvider]:
        return [OidcProvider.of(record) for record in await info.context.services.providers.all()]

    @computed(
        "One line of a journey by its message id. Joins and splits have none of their own: `node` "
        "finds those."
    )
    async def event(self, info: Info, message_id: strawberry.ID) -> JourneyEvent | None:
        return await _event(info, EVENT + message_id)

    @computed(
        "Who did what to whose data, the latest first; of one actor, about one subject. Acts are "
        "here before they are answered, reads within a second."
    )
    async def audit(
        self,
        info: Info,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
        actor: str | None = strawberry.UNSET,
        subject: strawberry.ID | None = strawberry.UNSET,
    ) -> AuditConnection:
        request = forwards(AUDIT, first, after or None)
        page = await info.context.reads.trail.page(
            request, actor=actor or None, subject=subject or None
        )
        return AuditConnection.of(page)

    @computed("What resolution follows; with `version`: what it followed then.")
    async def policy(self, info: Info, version: int | None = strawberry.UNSET) -> Policy:
        return await policy_by_version(info, version if isinstance(version, int) else None)


async def _person(info: Info, id: str) -> Person | None:
    ask_ahead(info, id)
    return await _person_in(info.context, id)


async def _person_in(context: RequestContext, id: str) -> Person | None:
    record = await context.load(PersonByIdLoader).load(id)
    return None if record is None else _met(context, record)


def _met(context: RequestContext, record: PersonRecord) -> Person:
    """A person whom the request need not read again."""
    context.load(PersonByIdLoader).prime(record.id, record)
    context.people[record.id] = record
    return Person.of(record)


async def _contact(info: Info, id: str) -> Contact | None:
    if not id.startswith("contact_"):
        return None
    person = await info.context.load(PersonByIdLoader).load(id)
    return None if person is None else await contact_by_id(info, id)


async def _event(info: Info, id: str) -> JourneyEvent | None:
    load = info.context.load(EventByMessageIdLoader)
    record = await load.load(id.removeprefix(EVENT))
    return None if record is None else JourneyEvent.of(record)


async def _join(info: Info, id: str) -> JourneyEvent | None:
    record = await info.context.load(JoinByIdLoader).load(id)
    return None if record is None else JourneyEvent.of(record)


async def _session(info: Info, id: str) -> Session | None:
    record = await info.context.load(SessionByIdLoader).load(id)
    return None if record is None else Session.of(record)


async def _link(info: Info, id: str) -> Link | None:
    record = await info.context.load(LinkByIdLoader).load(id)
    return None if record is None else Link.of(record)


async def _review(info: Info, id: str) -> ReviewItem | None:
    record = await info.context.load(ReviewByIdLoader).load(id)
    return None if record is None else ReviewItem.of(record)


async def _visitor_or_person(info: Info, id: str) -> Node | None:
    """A visitor's id is also that of the anonymous person as whom it is read.

    The client says by its fragments which of the two it holds; where it does not, the id is the
    anonymous person's while there is one.
    """
    record = await info.context.load(VisitorByIdLoader).load(id.removesuffix(UNCLAIMED))
    if record is None:
        return None
    asked = _types_asked_for(info)
    is_person = "Person" in asked or ("Visitor" not in asked and record.owner is None)
    if is_person or id.endswith(UNCLAIMED):
        return await _person(info, id)
    return Visitor.of(record)


def _types_asked_for(info: Info) -> set[str]:
    """The types that the fragments directly on this field name."""
    return {
        found.type_condition.name.value
        for found in selected_on(info._raw_info)
        if not isinstance(found, FieldNode) and found.type_condition is not None
    }


async def _by_client_id(info: Info, id: str) -> Node | None:
    """Chats, devices and cookies have the ids that clients gave them."""
    load = info.context.load
    chat, device, cookie = await asyncio.gather(
        load(ChatByIdLoader).load(id),
        load(DeviceByIdLoader).load(id),
        load(CookieByIdLoader).load(id),
    )
    if chat is not None:
        return Chat.of(chat)
    if device is not None:
        return Device.of(device)
    return None if cookie is None else Cookie.of(cookie)


_BY_PREFIX: dict[str, Callable[[Info, str], Awaitable[Node | None]]] = {
    "person": _person,
    "contact": _contact,
    "event": _event,
    "join": _join,
    "session": _session,
    "link": _link,
    "identifier": identifier_by_id,
    "review": _review,
}
