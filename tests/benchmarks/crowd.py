"""A journey's page where there is much else: many visitors of the person, many events of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

from tests.benchmarks.bare import Bare
from tests.benchmarks.timing import Compared, compare
from tests.service import Client

VISITORS = 2_000
"""Of a browser that clears its cookies."""
EACH = 5
"""Events of each of them."""
PAGE = 50
BATCH = 5_000
START = 1_760_000_000_000_000

CROWDED = f"journey page, {VISITORS:,} visitors beside one"
FULL = "journey page among many events of others, beside few"
RARE = f"chats among {VISITORS * EACH:,} pages, beside a page of the journey"

MAKE_PERSON: LiteralString = """
MERGE (person:Person {id: 'person_' + $name})
MERGE (contact:Contact {id: 'contact_' + $name})
SET contact.source = 'identify', contact.sourceId = contact.id, contact.state = 'IDENTIFIED',
  contact.made = '', contact.traits = '{}'
MERGE (contact)-[:BELONGS_TO]->(person)
"""
MAKE_VISITORS: LiteralString = """
MATCH (contact:Contact {id: 'contact_' + $name})
UNWIND range(0, $visitors - 1) AS number
WITH contact, $name + '-' + number AS id, $start + number * $each * 60000000 AS first,
  $start + (number * $each + $each - 1) * 60000000 AS last
CREATE (cookie:Cookie {id: id, firstSeenAt: first, lastSeenAt: last})
CREATE (visitor:Visitor {id: 'visitor_' + id, cookie: id, start: '', opening: 'birth'})
CREATE (visitor)-[:OF_COOKIE]->(cookie)
CREATE (visitor)-[:IDENTIFIED_AS {id: 'link_' + id, state: 'ACTIVE', rule: 'IDENTIFIED',
  assurance: 2, evidence: id, at: last, recordedAt: last, reach: 0}]->(contact)
"""
MAKE_EVENTS: LiteralString = """
UNWIND range($from, $to - 1) AS number
WITH number, $name + '-' + number AS id, $name + '-' + number / $each AS cookie,
  $start + number * 60000000 AS at
CREATE (event:Event {messageId: id, cookie: cookie, type: 'PAGE', occurredAt: at, receivedAt: at,
  position: toString(at) + '5' + id + ' ', digest: '', session: 'session_' + cookie,
  detail: '{"title":"A page","url":"https://shop.example/' + number + '"}'})
"""
JOURNEY = """query ($id: ID!, $types: [JourneyEventType!]) {
  person(id: $id) {
    journey(first: 50, types: $types) {
      edges { cursor node { id type occurredAt messageId detail attribution { basis } } }
      pageInfo { hasNextPage }
    }
  }
}"""


class Crowd:
    """One person of many visitors, one of a single one, and, later, a million events of others."""

    def __init__(self, client: Client, bare: Bare) -> None:
        self._client = client
        self._bare = bare
        self._make("alone", visitors=1, each=VISITORS * EACH)
        self._make("many", visitors=VISITORS, each=EACH)

    def measured(self, times: int, events: int) -> Iterator[Compared]:
        """Pages of both, and of the one alone with so many ``events`` in the graph."""
        yield compare(
            CROWDED,
            lambda _: self._read("many"),
            lambda _: self._read("alone"),
            times=times,
            warm_up=50,
        )
        yield compare(
            RARE,
            lambda _: self._read("alone", types=["CHAT_START"]),
            lambda _: self._read("alone"),
            times=times,
            warm_up=50,
        )
        few = self._alone(times)
        self._make_events("others", 0, events, each=100)
        many = self._alone(times)
        yield Compared(FULL, many.ours, few.ours, None)

    def _alone(self, times: int) -> Compared:
        read = self._read
        return compare(
            "", lambda _: read("alone"), lambda _: read("alone"), times=times, warm_up=50
        )

    def _read(self, name: str, types: list[str] | None = None) -> None:
        found = self._client.graphql(JOURNEY, id=f"person_{name}", types=types)
        lines = found["person"]["journey"]["edges"]
        assert len(lines) == (PAGE if types is None else 0)

    def _make(self, name: str, *, visitors: int, each: int) -> None:
        self._bare.run(MAKE_PERSON, name=name)
        self._bare.run(MAKE_VISITORS, name=name, visitors=visitors, each=each, start=START)
        self._make_events(name, 0, visitors * each, each=each)

    def _make_events(self, name: str, first: int, events: int, *, each: int) -> None:
        for begin in range(first, events, BATCH):
            end = min(begin + BATCH, events)
            self._bare.run(
                MAKE_EVENTS, **{"from": begin, "to": end}, name=name, each=each, start=START
            )
