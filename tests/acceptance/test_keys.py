"""Stored keys against the running service: made over GraphQL, sent with, rotated, revoked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from segment.analytics.client import Client as Sdk

from graphid.graph.engine import Address
from tests.service import SECRET_KEY, Service, running_service

CREATE = """mutation ($input: CreateKeyInput!) { done: createKey(input: $input) {
  ... on IssuedKey { text key { id } } ... on Problem { code message } } }"""
ROTATE = """mutation ($id: ID!, $overlap: Int) { done: rotateKey(id: $id, overlap: $overlap) {
  ... on IssuedKey { text key { id } } ... on Problem { code message } } }"""
REVOKE = """mutation ($id: ID!) { done: revokeKey(id: $id) {
  ... on AccessKey { id revokedAt } ... on Problem { code message } } }"""
KEYS = "{ keys(first: 200) { edges { node { id lastUsedAt } } } }"
JOURNEY = """query ($id: ID!) { personByCookie(cookieId: $id) {
  journey { edges { node { messageId } } } } }"""
ATTEMPTS = 20_000
"""Of what takes two seconds to be so: far more requests than anybody is answered in that time."""


def ask(service: Service, document: str, key: str = SECRET_KEY, **variables: Any) -> httpx.Response:
    return httpx.post(
        f"{service.url}/graphql",
        json={"query": document, "variables": variables},
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
    )


def done(service: Service, document: str, **variables: Any) -> dict[str, Any]:
    answer = ask(service, document, **variables).json()
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["done"]
    return found


def create(service: Service, **wanted: Any) -> dict[str, Any]:
    made = done(service, CREATE, input={"name": "of the tests", "kind": "PUBLISHABLE", **wanted})
    assert "text" in made, made
    return made


@pytest.fixture
def own() -> str:
    return uuid4().hex[:12]


@pytest.fixture(scope="module")
def other(database: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Another process on the same graph."""
    with running_service(database, tmp_path_factory.mktemp("other")) as running:
        yield running


def test_a_browser_sends_with_a_key_of_its_own(graphid: Service, own: str) -> None:
    made = create(graphid, origins=["https://shop.example"])
    call = {"anonymousId": own, "event": "x"}
    for number, (origin, status) in enumerate(
        [("https://shop.example", 200), ("https://evil.example", 403), (None, 200)]
    ):
        answer = httpx.post(
            f"{graphid.url}/v1/t",
            json={**call, "messageId": f"{own}-{number}", "writeKey": made["text"]},
            headers={} if origin is None else {"Origin": origin},
        )
        assert answer.status_code == status
        readable_by = origin if status == 200 else None
        assert answer.headers.get("Access-Control-Allow-Origin") == readable_by
    found = ask(graphid, JOURNEY, id=own).json()["data"]["personByCookie"]
    lines = {edge["node"]["messageId"] for edge in found["journey"]["edges"]}
    assert lines == {f"{own}-0", f"{own}-2"}
    (error,) = ask(graphid, JOURNEY, made["text"], id=own).json()["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"


def test_the_sdk_sends_with_a_stored_key(graphid: Service, own: str) -> None:
    errors: list[Exception] = []
    client = Sdk(
        create(graphid)["text"],
        host=graphid.url,
        max_retries=1,
        on_error=lambda error, _calls: errors.append(error),
    )
    client.track(anonymous_id=own, event="x", message_id=own)
    client.flush()
    client.shutdown()
    assert errors == []
    assert ask(graphid, JOURNEY, id=own).json()["data"]["personByCookie"] is not None


def test_a_revoked_key_ends_in_every_process(graphid: Service, other: Service) -> None:
    made = create(graphid, kind="SECRET", scopes=["event:write"])
    for service in (graphid, other):
        assert ask(service, "{ __typename }", made["text"]).status_code == 200
    done(graphid, REVOKE, id=made["key"]["id"])
    assert ask(graphid, "{ __typename }", made["text"]).status_code == 401
    with closing(httpx.Client(base_url=other.url)) as client:
        headers = {"Authorization": f"Bearer {made['text']}"}
        for _ in range(ATTEMPTS):
            answer = client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
            if answer.status_code != 200:
                break
    assert answer.status_code == 401
    assert "revoked" in answer.json()["errors"][0]["message"]


def test_a_rotated_key_opens_with_both_and_then_with_one(graphid: Service, other: Service) -> None:
    made = create(graphid)
    rotated = done(graphid, ROTATE, id=made["key"]["id"])
    for service in (graphid, other):
        for text in (made["text"], rotated["text"]):
            assert ask(service, "{ __typename }", text).status_code == 200
    last = done(graphid, ROTATE, id=made["key"]["id"], overlap=0)
    assert ask(graphid, "{ __typename }", rotated["text"]).status_code == 401
    assert ask(other, "{ __typename }", last["text"]).status_code == 200


def test_the_list_says_when_it_was_used(graphid: Service) -> None:
    made = create(graphid)
    assert ask(graphid, "{ __typename }", made["text"]).status_code == 200
    for _ in range(ATTEMPTS):
        edges = ask(graphid, KEYS).json()["data"]["keys"]["edges"]
        (used,) = [e["node"]["lastUsedAt"] for e in edges if e["node"]["id"] == made["key"]["id"]]
        if used is not None:
            break
    assert used is not None


def test_no_key_is_in_the_log(database: Address, tmp_path: Path) -> None:
    with running_service(database, tmp_path) as service:
        made = create(service, kind="SECRET", scopes=["event:write"], signing="HS256")
        rotated = done(service, ROTATE, id=made["key"]["id"])
        ask(service, "{ __typename }", made["text"][:-1])
        ask(service, "{ __typename }", rotated["text"])
    log = "".join(service.log)
    for text in (made["text"], rotated["text"]):
        assert text.rpartition("_")[2] not in log
