"""The audit of GraphQL over HTTP, and clients from npm, against the running service."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.npm.node import Node
from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Service

AUDITS = 61
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
VISITS = 11
SIZE = 4

VISIT = """mutation ($input: PageInput!) { page(input: $input) { __typename } }"""
IDENTIFY = """mutation ($input: IdentifyInput!) {
  identify(input: $input) { ... on Identified { person { id } } } }"""
LINES = """query ($id: ID!) {
  person(id: $id) { journey { edges { node { id } } } } }"""


def test_the_audit_of_graphql_over_http_finds_nothing(graphid: Service, npm_clients: Node) -> None:
    results = npm_clients.run("audit.mjs", graphid.url, SECRET_KEY)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS


def test_the_audit_finds_what_is_wrong(graphid: Service, npm_clients: Node) -> None:
    """With a key that may not select what it selects: the test above can fail."""
    results = npm_clients.run("audit.mjs", graphid.url, PUBLISHABLE_KEY)
    assert Counter(result["status"] for result in results)["error"] > 0


@dataclass(frozen=True)
class Person:
    """Somebody with a journey."""

    own: str
    id: str
    lines: list[str]

    @property
    def asked(self) -> str:
        """What the programs are told: whose journey to read, and what to send."""
        sent = {"context": self._context("sent"), "url": "https://shop.example/basket"}
        too_long = {"context": self._context("long"), "url": "https://shop.example/" + "x" * 4096}
        asked = {"person": self.id, "size": SIZE, "sent": sent, "tooLong": too_long}
        return json.dumps(asked)

    def _context(self, name: str) -> dict[str, str]:
        return {
            "messageId": f"{self.own}-{name}",
            "cookieId": f"another-cookie-{self.own}",
            "occurredAt": START.isoformat(),
        }


@pytest.fixture
def person(graphid: Service) -> Person:
    own, client = uuid4().hex[:12], graphid.client()

    def context(minute: int) -> dict[str, str]:
        at = (START + timedelta(minutes=minute)).isoformat()
        return {"messageId": f"{own}-{minute}", "cookieId": f"cookie-{own}", "occurredAt": at}

    for minute in range(VISITS):
        client.graphql(VISIT, input={"context": context(minute), "url": f"https://s.example/{own}"})
    said = {"context": context(VISITS), "traits": {"email": f"{own}@example.com"}}
    id = client.graphql(IDENTIFY, input=said)["identify"]["person"]["id"]
    edges = client.graphql(LINES, id=id)["person"]["journey"]["edges"]
    return Person(own, id, [edge["node"]["id"] for edge in edges])


@pytest.mark.parametrize("program", ["urql.mjs", "apollo.mjs"])
def test_a_client_sends_and_is_told_what_went_wrong(
    graphid: Service, npm_clients: Node, person: Person, program: str
) -> None:
    said = run(npm_clients, program, graphid, person)
    accepted, again, invalid = said["sent"]
    assert accepted["__typename"] == again["__typename"] == "EventAccepted"
    assert (accepted["duplicate"], again["duplicate"]) == (False, True)
    assert accepted["event"] == again["event"]
    assert accepted["event"]["messageId"] == f"{person.own}-sent"
    assert (invalid["__typename"], invalid["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert invalid["path"][-1] == "url"

    codes = {
        "validation": "GRAPHQL_VALIDATION_FAILED",
        "variable": "BAD_USER_INPUT",
        "cursor": "BAD_CURSOR",
        "forbidden": "FORBIDDEN",
        "unknown": "UNAUTHENTICATED",
    }
    errors = {name: failure["errors"] for name, failure in said["failures"].items()}
    assert {name: [error["code"] for error in told] for name, told in errors.items()} == {
        name: [code] for name, code in codes.items()
    }
    ids = [error["requestId"] for told in errors.values() for error in told]
    assert all(ids)
    assert len(set(ids)) == len(codes)


def test_urql_pages_a_journey_in_both_directions(
    graphid: Service, npm_clients: Node, person: Person
) -> None:
    said = run(npm_clients, "urql.mjs", graphid, person)
    for direction in ("forwards", "backwards"):
        pages = said[direction]
        assert len(pages) == len(person.lines) // SIZE
        assert [line for page in pages for line in page] == person.lines


def test_apollo_puts_the_pages_of_a_journey_together_in_its_cache(
    graphid: Service, npm_clients: Node, person: Person
) -> None:
    journey = run(npm_clients, "apollo.mjs", graphid, person)["journey"]
    assert journey["grown"] == list(range(SIZE, len(person.lines) + 1, SIZE))
    assert journey["lines"] == person.lines


def run(clients: Node, program: str, graphid: Service, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = clients.run(
        program, graphid.url, SECRET_KEY, OTHER_KEY=PUBLISHABLE_KEY, INPUT=person.asked
    )
    return found
