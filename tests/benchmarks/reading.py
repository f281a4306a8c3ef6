"""What agents ask first, beside the leanest statement that finds the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

from tests.benchmarks.bare import Bare
from tests.benchmarks.timing import Compared, compare
from tests.service import Service

DOCUMENTS = Path(__file__).parents[2] / "docs" / "operations"

OPENING = "opening query"
BY_IDENTIFIER = "person by identifier"

BARE_OPENING: LiteralString = """
MATCH (person:Person {id: $person})<-[:BELONGS_TO]-(contact:Contact)
WITH person, collect(contact {.id, .source, .sourceId, .state, .traits,
  identifiers: [(contact)-[:HAS_IDENTIFIER]->(i:Identifier) | i {.type, .value}]}) AS contacts
MATCH (person)<-[:BELONGS_TO]-(:Contact)<-[:IDENTIFIED_AS]-(visitor:Visitor)
WITH person, contacts, collect(DISTINCT visitor) AS visitors
WITH person, contacts, visitors, [v IN visitors | v.cookie] AS cookies
CALL (cookies) {
  UNWIND cookies AS cookie
  CALL (cookie) {
    MATCH (event:Event) WHERE event.cookie = cookie AND event.position > ''
    RETURN event ORDER BY event.cookie DESC, event.position DESC LIMIT 50
  }
  RETURN collect(event {.*}) AS events
}
CALL (cookies) {
  UNWIND cookies AS cookie
  MATCH (chat:Chat {cookie: cookie}) WHERE chat.endedAt IS NULL
  RETURN collect(chat {.*}) AS chats
}
RETURN person.id AS id, contacts, events, chats,
  [v IN visitors | [(v)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(d:Device) | d.id]] AS devices
"""

BARE_BY_IDENTIFIER: LiteralString = """
MATCH (:Identifier {key: $key})<-[:HAS_IDENTIFIER {state: 'ACTIVE'}]-(:Contact)
  -[:BELONGS_TO]->(person:Person)
MATCH (person)<-[:BELONGS_TO]-(contact:Contact)
RETURN person.id AS id, collect(contact {.id, .traits,
  identifiers: [(contact)-[:HAS_IDENTIFIER]->(i:Identifier) | i {.type, .value}]}) AS contacts
LIMIT 1
"""


def what_agents_ask(
    service: Service, bare: Bare, times: int, *, person: str, user: str
) -> Iterator[Compared]:
    """Of a person who is known by this ``user_id``, and has fifty lines or more."""
    client = service.client()
    opening = (DOCUMENTS / "opening.graphql").read_text("utf-8")
    by_identifier = (DOCUMENTS / "person_by_identifier.graphql").read_text("utf-8")
    sizes: Any = {"times": times, "warm_up": 100, "busy": lambda: service.busy_seconds}

    def open_desktop(_turn: int) -> None:
        found = client.graphql(opening, id=person)["person"]
        assert len(found["journey"]["edges"]) == 50, found

    def open_bare(_turn: int) -> None:
        (row,) = bare.run(BARE_OPENING, person=person)
        assert len(row["events"]) == 50, row

    def find(_turn: int) -> None:
        found = client.graphql(by_identifier, type="user_id", value=user)
        assert found["personByIdentifier"]["id"] == person, found

    def find_bare(_turn: int) -> None:
        (row,) = bare.run(BARE_BY_IDENTIFIER, key=f"user_id:{user}")
        assert row["id"] == person, row

    yield compare(OPENING, open_desktop, open_bare, **sizes)
    yield compare(BY_IDENTIFIER, find, find_bare, **sizes)
