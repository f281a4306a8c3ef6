"""People and contacts in the schema."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from graphid.api.chats import ChatConnection
from graphid.api.context import Info
from graphid.api.cursors import bounded, either_way, forwards
from graphid.api.devices import DeviceUse
from graphid.api.journey import JOURNEY, JourneyConnection
from graphid.api.links import Identifier, Link, ReviewItem
from graphid.api.loaders import (
    ChatPageLoader,
    LinesPageLoader,
    LinksByContactLoader,
    LinksByPersonLoader,
    PersonByIdLoader,
    ReviewsByPersonLoader,
    SeenByPersonLoader,
    SessionPageLoader,
    UsesByPersonLoader,
)
from graphid.api.nodes import ContactState, JourneyEventType, Node, PersonKind, computed, found
from graphid.api.scalars import JSON, Timestamp, time_range
from graphid.identity.state import LinkState
from graphid.identity.values import Assurance, TraitValue
from graphid.service.devices import MOST_VISITS
from graphid.service.journey import Window
from graphid.service.lines import LinesWanted
from graphid.service.links import LinksWanted
from graphid.service.people import MADE_HERE, ContactRecord, PersonRecord
from graphid.service.visits import VisitsWanted

if TYPE_CHECKING:
    from graphid.api.visits import SessionConnection

JOURNEY_PAGE = 50


@strawberry.type(description="What is said of a person, and who said it.")
class Trait:
    name: str = strawberry.field(description="As `firstName`.")
    value: JSON = strawberry.field(description="As it was sent.")
    source: str = strawberry.field(description="Of the record, or `identify`.")
    assurance: Assurance = strawberry.field(description="Of who said it.")
    occurred_at: Timestamp = strawberry.field(description="When it was said.")

    @classmethod
    def of(cls, name: str, trait: TraitValue) -> Trait:
        return cls(
            name=name,
            value=trait.value,
            source=trait.source,
            assurance=trait.assurance,
            occurred_at=Timestamp(trait.at),
        )


@strawberry.type(description="One record that a source holds of a human, or what an identify made.")
class Contact(Node):
    source: str = strawberry.field(description="The source; `identify` where no record is behind.")
    source_id: strawberry.ID = strawberry.field(
        description="The source's id; else the contact's own."
    )
    state: ContactState = strawberry.field(description="Whether anybody confirmed it.")
    traits: list[Trait] = strawberry.field(description="What is said of it.")
    identifiers: list[Identifier] = strawberry.field(description="What it holds.")
    record: strawberry.Private[ContactRecord]

    @computed("Whom it belongs to.")
    async def person(self, info: Info) -> Person:
        return await person_by_id(info, self.record.person)

    @computed("The latest 100 joins at it, newest first.")
    async def links(self, info: Info) -> list[Link]:
        records = await info.context.load(LinksByContactLoader).load(self.record.id)
        return [Link.of(record) for record in records or ()]

    @classmethod
    def of(cls, record: ContactRecord) -> Contact:
        return cls(
            id=strawberry.ID(record.id),
            source=record.source or MADE_HERE,
            source_id=strawberry.ID(record.source_id or record.id),
            state=ContactState(record.state),
            traits=[Trait.of(name, record.traits[name]) for name in sorted(record.traits)],
            identifiers=[Identifier(type=i.type, value=i.value) for i in record.identifiers],
            record=record,
        )


@strawberry.type(description="The contacts that are one human, and through them the journey.")
class Person(Node):
    kind: PersonKind = strawberry.field(description="Whether anybody knows who they are.")
    display_name: str | None = strawberry.field(
        description="First and last name, else an identifier."
    )
    merged_from: list[strawberry.ID] = strawberry.field(
        description="Ids of people who were merged into this one."
    )
    record: strawberry.Private[PersonRecord]

    @computed("When their first event happened.")
    async def first_seen_at(self, info: Info) -> Timestamp | None:
        seen = await info.context.load(SeenByPersonLoader).load(self.record.id)
        return None if seen is None else Timestamp(seen[0])

    @computed("When their latest event happened.")
    async def last_seen_at(self, info: Info) -> Timestamp | None:
        seen = await info.context.load(SeenByPersonLoader).load(self.record.id)
        return None if seen is None else Timestamp(seen[1])

    @computed("One value a name: curated contacts first, then assurance, then the latest.")
    def traits(self) -> list[Trait]:
        return [Trait.of(name, trait) for name, trait in self.record.traits.items()]

    @computed("What any of the contacts holds.")
    def identifiers(self) -> list[Identifier]:
        return [Identifier(type=i.type, value=i.value) for i in self.record.identifiers]

    @computed("The contacts, the oldest first.")
    def contacts(self) -> list[Contact]:
        return [Contact.of(contact) for contact in self.record.contacts]

    @computed(
        "The devices that they used, newest first: one block per visitor; of the "
        f"{MOST_VISITS:,} visitors of each contact who identified themselves last."
    )
    async def devices(self, info: Info, first: int | None = 100) -> list[DeviceUse]:
        limit = bounded(first, "first", default=100)
        uses = await info.context.load(UsesByPersonLoader).load(self.record.id)
        return [DeviceUse.of(use) for use in uses or () if use.device is not None][:limit]

    @computed("The joins that make this person, newest first.")
    async def links(
        self, info: Info, state: LinkState | None = strawberry.UNSET, first: int | None = 100
    ) -> list[Link]:
        limit = bounded(first, "first", default=100)
        states = (state.value,) if state else ()
        wanted = LinksWanted(self.record.id, states, limit)
        records = await info.context.load(LinksByPersonLoader).load(wanted)
        return [Link.of(record) for record in records]

    @computed("Their sessions, newest first.")
    async def sessions(
        self, info: Info, first: int | None = 20, after: str | None = strawberry.UNSET
    ) -> Annotated[SessionConnection, strawberry.lazy("graphid.api.visits")]:
        from graphid.api.visits import SESSIONS, SessionConnection  # noqa: PLC0415 - a circle

        request = forwards(SESSIONS, first, after or None)
        wanted = VisitsWanted(self.record.id, request)
        return SessionConnection.of(await info.context.load(SessionPageLoader).load(wanted))

    @computed("Their chats, newest first; `open` keeps those (not) ended.")
    async def chats(
        self,
        info: Info,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
        open: bool | None = strawberry.UNSET,
    ) -> ChatConnection:
        wanted = chats_wanted(self.record.id, first=first, after=after, open=open)
        return ChatConnection.of(await info.context.load(ChatPageLoader).load(wanted))

    @computed(
        "Newest first; 50 where neither `first` nor `last` is given. `from` is included, `to` is "
        "not. Joins and splits that an operator took back are in the journeys of both sides."
    )
    async def journey(
        self,
        info: Info,
        *,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
        last: int | None = strawberry.UNSET,
        before: str | None = strawberry.UNSET,
        from_: Annotated[
            datetime | None, strawberry.argument(name="from", description="Not before this.")
        ] = strawberry.UNSET,
        to: datetime | None = strawberry.UNSET,
        types: list[JourneyEventType] | None = strawberry.UNSET,
    ) -> JourneyConnection:
        wanted = journey_wanted(
            self.record.id,
            first=first,
            after=after,
            last=last,
            before=before,
            from_=from_,
            to=to,
            types=types,
        )
        return JourneyConnection.of(await info.context.load(LinesPageLoader).load(wanted))

    @computed("What waits, or waited, for a human about them, latest first.")
    async def reviews(self, info: Info) -> list[ReviewItem]:
        records = await info.context.load(ReviewsByPersonLoader).load(self.record.id)
        return [ReviewItem.of(record) for record in records or ()]

    @classmethod
    def of(cls, record: PersonRecord) -> Person:
        return cls(
            id=strawberry.ID(record.id),
            kind=PersonKind.KNOWN if record.is_known else PersonKind.ANONYMOUS,
            display_name=record.display_name,
            merged_from=[strawberry.ID(id) for id in record.merged_from],
            record=record,
        )


def chats_wanted(
    person: str,
    *,
    first: int | None = 20,
    after: str | None = None,
    open: bool | None = strawberry.UNSET,
) -> VisitsWanted:
    """The page of chats that these arguments mean. Raises InvalidInput."""
    request = forwards("chats", first, after or None)
    return VisitsWanted(person, request, None if open is strawberry.UNSET else open)


def journey_wanted(
    person: str,
    *,
    first: int | None = strawberry.UNSET,
    after: str | None = None,
    last: int | None = strawberry.UNSET,
    before: str | None = None,
    from_: datetime | None = None,
    to: datetime | None = None,
    types: list[JourneyEventType] | None = None,
) -> LinesWanted:
    """The page of a journey that these arguments mean. Raises InvalidInput."""
    request = either_way(
        JOURNEY,
        first=_given(first),
        after=after or None,
        last=_given(last),
        before=before or None,
        default=JOURNEY_PAGE,
    )
    since, until = time_range(from_, to)
    window = Window(since, until, tuple(dict.fromkeys(type.value for type in types or ())))
    return LinesWanted(person, request, window)


async def person_by_id(info: Info, id: str) -> Person:
    """A person that something points at."""
    record = found(await info.context.load(PersonByIdLoader).load(id))
    info.context.people[id] = record
    return Person.of(record)


def person_now(info: Info, id: str) -> Person:
    """As ``person_by_id``, and without waiting for whom this request has met already.

    Where it must wait it returns an awaitable, which GraphQL takes as well.
    """
    record = info.context.people.get(id)
    return cast(Person, person_by_id(info, id)) if record is None else Person.of(record)


def _given(value: int | None) -> int | None:
    return None if value is strawberry.UNSET else value
