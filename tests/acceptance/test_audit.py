"""Limits, the audit and metrics of the running service."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest

from graphid.graph.database import Address, Database
from graphid.service.audit.trail import Trail
from graphid.service.pages import PageRequest
from tests.acceptance.test_http import PATIENCE, running
from tests.acceptance.test_operators import Desk, example
from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Service

CREATE = """mutation ($input: CreateKeyInput!) {
  createKey(input: $input) { ... on IssuedKey { text key { id } } } }"""
READ = "query ($id: ID!) { person(id: $id) { id } }"
OF_ACTOR = """query ($actor: String) { audit(actor: $actor) {
  edges { node { action subjects } } } }"""


@pytest.fixture
def desk(graphid: Service) -> Desk:
    return Desk(graphid.client())


def entries(desk: Desk, subject: str) -> list[dict[str, Any]]:
    """What the audit says about a subject, as the document's example asks."""
    found = desk.ask(example("audit"), subject=subject)
    return [edge["node"] for edge in found["edges"]]


def test_an_act_is_in_the_audit_when_it_is_answered(desk: Desk) -> None:
    people = [desk.identify(c, c, email=desk.address(c))["person"]["id"] for c in ("jane", "j")]
    preview = desk.example("preview", ids=people)
    merged = desk.example("merge", ids=people, graphVersion=preview["graphVersion"])
    done, tried = (e for e in entries(desk, people[0]) if e["action"] == "mergePeople")
    assert (done["outcome"], tried["outcome"]) == ("DONE", "PREVIEWED")
    assert done["operationId"] == merged["operationId"]
    assert set(people) <= set(done["subjects"])
    assert done["address"] == "127.0.0.1"
    assert done["actor"].startswith("sk:")
    assert desk.own not in json.dumps([done, tried])


def test_a_read_is_in_the_audit_soon(desk: Desk, graphid: Service) -> None:
    person = desk.identify("jane", "jane", email=desk.address("jane"))["person"]["id"]
    wanted = {"name": "reader", "kind": "SECRET", "scopes": ["journey:view"]}
    made = desk.ask(CREATE, input=wanted)
    graphid.client(made["text"]).graphql(READ, id=person)
    # Whoever looks is in the audit, too, under a name of their own.
    actor = f"sk:{made['key']['id']}"
    until = monotonic() + PATIENCE
    while not (found := desk.ask(OF_ACTOR, actor=actor)["edges"]):
        assert monotonic() < until
    assert [edge["node"] for edge in found] == [{"action": "person", "subjects": [person]}]


def test_metrics_are_for_whoever_may_see_them(graphid: Service) -> None:
    def scrape(key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.get(f"{graphid.url}/metrics", headers=headers, timeout=PATIENCE)

    scrape(SECRET_KEY)
    told = scrape(SECRET_KEY)
    assert 'graphid_requests_total{route="/metrics",status="200"}' in told.text
    assert "graphid_parked_evidence " in told.text
    assert "process_resident_memory_bytes" in told.text
    assert scrape(PUBLISHABLE_KEY).status_code == 403


async def test_whoever_guesses_is_slowed_down_and_reads_are_kept_when_it_stops(
    database: Address, tmp_path: Path
) -> None:
    key = f"sk_{uuid4().hex}"
    limits = {"GRAPHID_LIMIT_ADDRESS_FAILURES": "3", "GRAPHID_LIMIT_ADDRESS_REQUESTS": "1"}
    keys = {"GRAPHID_SECRET_KEYS": key, "GRAPHID_PUBLISHABLE_KEYS": "pk_of_browsers"}
    page = {"anonymousId": uuid4().hex, "properties": {"url": "https://shop.example/"}}
    wrong = {"Authorization": "Bearer guessed"}
    asked = {"Authorization": f"Bearer {key}", "X-Request-Id": key[3:]}
    with running(database, tmp_path, **limits, **keys) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=PATIENCE) as client:
            guesses = [await client.get("/metrics", headers=wrong) for _ in range(6)]
            assert [guess.status_code for guess in guesses[:3]] == [401] * 3
            assert guesses[-1].status_code == 429
            assert int(guesses[-1].headers["Retry-After"]) >= 1
            assert (await client.get("/readyz")).status_code == 200
            browser = ("pk_of_browsers", "")
            sent = [await client.post("/v1/page", json=page, auth=browser) for _ in range(20)]
            assert [answer.status_code for answer in sent[:5]] == [200] * 5
            assert sent[-1].status_code == 429
            query = {"query": '{ chat(id: "nobody") { id } }'}
            answer = await client.post("/graphql", json=query, headers=asked)
            assert answer.json() == {"data": {"chat": None}}
        assert service.end() == 0
    connected = await Database.connect(database)
    try:
        found = await Trail(connected).page(PageRequest(50))
    finally:
        await connected.close()
    (entry,) = (entry for entry in found.items if entry.request_id == key[3:])
    assert entry.action == "chat"
