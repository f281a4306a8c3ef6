"""After any history: as of any moment of the world, and as of any moment of what was known, the
graph is read as the fold of the evidence that counts then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from graphid.graph.database import Address, Database
from graphid.graph.past.past import Past
from graphid.graph.past.replay import BEHIND, Replay
from graphid.graph.past.versions import Versions
from graphid.graph.policies import Policies
from graphid.identity.fold import Resolved, resolve
from graphid.identity.policy import Policy
from graphid.identity.state import Contact, Link, LinkKind, Review, Visitor
from graphid.identity.traits import traits_of
from graphid.identity.values import SECOND, Evidence, Kind, Micros, Place, place
from graphid.service.journey import PageWanted
from graphid.service.links import LinksWanted
from graphid.service.pages import PageRequest
from graphid.service.past.as_of import reads_of
from graphid.service.past.moment import Moment
from graphid.service.people import PersonRecord
from graphid.service.reads import Reads
from tests.identity.lives import (
    COOKIES,
    DAY,
    EXAMPLES,
    IDS,
    MINUTE,
    OPERATORS,
    START,
    contacts_of,
    lives,
    owners,
    visitors_of,
)
from tests.integration.ledger import Ledger

WRITE_EVENTS = """UNWIND $events AS row
MERGE (cookie:Cookie {id: row.cookie})
  ON CREATE SET cookie.firstSeenAt = row.occurredAt, cookie.lastSeenAt = row.occurredAt
SET cookie.firstSeenAt = CASE WHEN cookie.firstSeenAt < row.occurredAt
    THEN cookie.firstSeenAt ELSE row.occurredAt END,
  cookie.lastSeenAt = CASE WHEN cookie.lastSeenAt > row.occurredAt
    THEN cookie.lastSeenAt ELSE row.occurredAt END
MERGE (visitor:Visitor {id: row.birth})
  ON CREATE SET visitor.cookie = row.cookie, visitor.opening = 'birth', visitor.start = ''
FOREACH (id IN row.devices |
  MERGE (device:Device {id: id})
    ON CREATE SET device.firstSeenAt = row.occurredAt
  SET device.firstSeenAt = CASE WHEN device.firstSeenAt < row.occurredAt
    THEN device.firstSeenAt ELSE row.occurredAt END
  MERGE (cookie)-[:ON_DEVICE]->(device))
CREATE (:Event {messageId: row.messageId, cookie: row.cookie, position: row.position,
  type: 'PAGE', occurredAt: row.occurredAt, receivedAt: row.receivedAt, detail: '{}'})"""


class Seen(NamedTuple):
    """A page that was seen."""

    id: str
    cookie: str
    at: Micros
    received: Micros

    @property
    def place(self) -> Place:
        return place(self.at, Kind.EVENT, self.id)


def pages(history: Iterable[Evidence]) -> list[Seen]:
    """A page on each cookie at the beginning, and around each piece of evidence; one in three was
    received two days late."""
    moments = {max(START, piece.at + around) for piece in history for around in (-MINUTE, MINUTE)}
    return [
        Seen(f"{cookie}-{number}", cookie, at, at + (2 * DAY if number % 3 == 2 else 0))
        for cookie in COOKIES
        for number, at in enumerate([START - MINUTE, *sorted(moments)])
    ]


async def write(ledger: Ledger, seen: Sequence[Seen]) -> None:
    await ledger.write(
        WRITE_EVENTS,
        events=[
            {
                "messageId": page.id,
                "cookie": page.cookie,
                "position": page.place,
                "occurredAt": page.at,
                "receivedAt": page.received,
                "birth": IDS.birth(page.cookie),
                "devices": [] if (device := COOKIES[page.cookie]) is None else [device],
            }
            for page in seen
        ],
    )


class Compared:
    """One past, as it is read, beside the fold of what counts in it."""

    def __init__(
        self,
        ledger: Ledger,
        database: Database,
        history: Sequence[Evidence],
        seen: Sequence[Seen],
        moment: Moment,
    ) -> None:
        at, known = moment.at, moment.known
        self.counted = [
            piece
            for piece in history
            if (at is None or piece.place < moment.place)
            and (known is None or piece.recorded_at <= known)
        ]
        self.seen = [
            page
            for page in seen
            if page.place < moment.place and (known is None or page.received <= known)
        ]
        self.everything = resolve(history, ledger.policies[1], IDS)
        self.then: Resolved = resolve(self.counted, ledger.policies[1], IDS)
        self.past: Past = (
            Versions(database, IDS, moment.place)
            if known is None
            else Replay(
                database,
                ledger.policy_of,
                IDS,
                recorded=known,
                place=BEHIND if at is None else moment.place,
                most=1000,
            )
        )
        self.reads: Reads = reads_of(database, Policies(database), self.past, IDS, moment)
        self.moment = moment

    async def faults(self) -> list[str]:
        """Where what is read is not what the fold says."""
        return [
            *await self._faults_of_people(),
            *await self._faults_of_visitors(),
            *await self._faults_of_owners(),
            *await self._faults_of_journeys(),
            *await self._faults_of_links(),
            *await self._faults_of_reviews(),
        ]

    async def _faults_of_people(self) -> list[str]:
        then = contacts_of(self.then)
        ids = {id for c in (*then, *contacts_of(self.everything)) for id in (c, IDS.person(c))}
        found = await self.reads.people.by_id(sorted(ids))
        faults = []
        for id in sorted(ids):
            contact = "contact_" + id.partition("_")[2]
            if contact in then:
                name, person = self.then.person_of(contact)
                expected = told(name, person.contacts)
                if as_told(found.get(id)) != expected:
                    faults.append(f"{id} is {as_told(found.get(id))}, not {expected}")
            elif id in found and not self._may_be_meant(contact):
                faults.append(f"{id} is {found[id].id}, and was not there")
        return faults

    def _may_be_meant(self, contact: str) -> bool:
        """Whether an id of a contact that was not made may lead to somebody."""
        made = contacts_of(self.everything).get(contact)
        evidence = {piece.id for piece in self.counted}
        return made is not None and made.evidence in evidence

    async def _faults_of_visitors(self) -> list[str]:
        then = {visitor.id: visitor for visitor in visitors_of(self.then)}
        found = await self.reads.visitors.by_id(list(then))
        faults = []
        for id, visitor in then.items():
            record = found.get(id)
            if record is None:
                if visitor.link is not None or any(p.cookie == visitor.cookie for p in self.seen):
                    faults.append(f"{id} is missing")
            elif (record.id, spans(record.visitor)) != (id, spans(visitor)):
                faults.append(f"{id} is {record.visitor}, not {visitor}")
        return faults

    async def _faults_of_owners(self) -> list[str]:
        spots = [(page.cookie, page.place) for page in self.seen]
        expected = {
            spot: owner if owner.startswith("visitor_") else IDS.person(owner)
            for spot, owner in owners(self.then, spots).items()
        }
        found = await self.reads.visitors.owners(spots)
        return [
            f"{spot} is {found[spot].person if spot in found else None}'s, not {owner}'s"
            for spot, owner in expected.items()
            if spot not in found or found[spot].person != owner
        ]

    async def _faults_of_journeys(self) -> list[str]:
        spots = [(page.cookie, page.place) for page in self.seen]
        expected: dict[str, list[str]] = {}
        for page, owner in zip(self.seen, owners(self.then, spots).values(), strict=True):
            id = owner if owner.startswith("visitor_") else IDS.person(owner)
            expected.setdefault(id, []).append(page.id)
        people = sorted(expected)
        slices = await self.reads.visitors.slices_of_people(people)
        wanted = [PageWanted(slices[person], PageRequest(limit=1000)) for person in people]
        journeys = await self.reads.journeys.pages(wanted)
        seen = await self.reads.lines.seen(people)
        faults = []
        for person, journey in zip(people, journeys, strict=True):
            if sorted(event.message_id for event in journey.items) != sorted(expected[person]):
                faults.append(f"{person} did {[e.message_id for e in journey.items]}")
            times = [page.at for page in self.seen if page.id in expected[person]]
            if seen.get(person) != (min(times), max(times)):
                faults.append(f"{person} was seen {seen.get(person)}")
        return faults

    async def _faults_of_links(self) -> list[str]:
        then = contacts_of(self.then)
        links = [
            link
            for link in self.then.state.values()
            if isinstance(link, Link)
            and (link.kind is not LinkKind.NOT_SAME_AS or {link.source, link.target} <= then.keys())
        ]
        faults = []
        people = {name: {c.id for c in p.contacts} for name, p in self.then.people().items()}
        wanted = [LinksWanted(IDS.person(name), (), 1000) for name in people]
        found = await self.reads.links.of_people(wanted)
        for (name, contacts), records in zip(people.items(), found, strict=True):
            expected = {
                link.id: link_told(link)
                for link in links
                if link.source in contacts
                or (link.kind is not LinkKind.SAME_AS and link.target in contacts)
            }
            got = {record.link.id: link_told(record.link) for record in records}
            if got != expected:
                faults.append(f"the links of {name} are {got}, not {expected}")
        of_contacts = await self.reads.links.of_contacts(list(then), limit=1000)
        for id in then:
            ids = {link.id for link in links if id in (link.source, link.target)}
            if {record.link.id for record in of_contacts[id]} != ids:
                faults.append(f"the links at {id}")
        return faults

    async def _faults_of_reviews(self) -> list[str]:
        people = {IDS.person(name): p.contacts for name, p in self.then.people().items()}
        found = await self.reads.links.reviews_of(people)
        faults = []
        for person, contacts in people.items():
            own = {contact.id for contact in contacts}
            states = {None: "OPEN", True: "ACCEPTED", False: "REJECTED"}
            expected = {
                review.id: states[review.accepted]
                for review in self.then.state.values()
                if isinstance(review, Review) and own.intersection(review.contacts)
            }
            got = {review.id: review.state for review in found.get(person, ())}
            if got != expected:
                faults.append(f"the reviews of {person} are {got}, not {expected}")
        return faults


def told(name: str, contacts: Sequence[Contact]) -> dict[str, Any]:
    """What of a person is compared."""
    return {
        "id": IDS.person(name),
        "contacts": {c.id: {i: hold.assurance for i, hold in c.holds.items()} for c in contacts},
        "merged": sorted(IDS.person(c.id) for c in contacts if c.id != name),
        "traits": traits_of(contacts),
    }


def as_told(record: PersonRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "id": record.id,
        "contacts": {
            c.id: {f"{i.type}:{i.value}": i.assurance for i in c.identifiers}
            for c in record.contacts
        },
        "merged": list(record.merged_from),
        "traits": record.traits,
    }


def spans(visitor: Visitor) -> tuple[Any, ...]:
    return (visitor.start, visitor.end, visitor.ended_by, visitor.owner, visitor.verified)


def link_told(link: Link) -> tuple[Any, ...]:
    ended = (link.ended_at, link.ended_by)
    return (link.state, link.rule, link.assurance, link.reach, *ended, link.retracted_by)


def moments(history: Sequence[Evidence], picks: Sequence[int]) -> Iterable[Moment]:
    """Moments around evidence: on the one axis, on the other, and on both."""
    for pick in picks:
        piece, other = history[pick % len(history)], history[(pick // 7) % len(history)]
        at = piece.at + (pick % 3 - 1) * MINUTE
        yield Moment(at=at)
        yield Moment(known=piece.recorded_at - pick % 2 * SECOND)
        yield Moment(at=at, known=other.recorded_at)
    yield Moment(at=START + 400 * DAY)
    yield Moment(known=START + 4000 * DAY)


@pytest.fixture
async def reading(own_database: Address) -> AsyncIterator[Database]:
    """Many statements, so without what makes each of them slow: to tell warnings of the server."""
    connected = await Database.connect(own_database, timeout=60)
    yield connected
    await connected.close()


@settings(max_examples=EXAMPLES // 8, phases=[Phase.generate])
@given(
    life=lives(operators=OPERATORS),
    picks=st.lists(st.integers(0, 1000), min_size=3, max_size=3),
)
async def test_every_past_is_the_fold_of_what_counts_in_it(
    ledger: Ledger,
    reading: Database,
    life: tuple[list[Evidence], Policy],
    picks: list[int],
) -> None:
    history, policy = life
    await ledger.empty()
    ledger.policies = {1: policy}
    for piece in history:
        await ledger.record([piece])
    seen = pages(history)
    await write(ledger, seen)
    for moment in moments(history, picks):
        faults = await Compared(ledger, reading, history, seen, moment).faults()
        assert faults == [], (moment, history)
