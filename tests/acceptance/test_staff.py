"""People of the organisation show a token of its own provider, and may what their roles say."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from graphid.graph.engine import Address
from tests.auth.lying_provider import CLIENT, LyingProvider, lying_provider
from tests.service import Service, running_service

ROLES = {
    "agents": ["journey:view"],
    "operators": ["journey:view", "identifier:view", "identity:edit", "audit:view"],
}
IDENTIFY = """mutation ($input: IdentifyInput!) { done: identify(input: $input) {
  ... on Identified { contact { id } } } }"""
FIND = """query ($value: String!) { personByIdentifier(type: "user_id", value: $value) {
  id identifiers { value } } }"""
PROMOTE = """mutation ($id: ID!) { done: promoteContact(id: $id, reason: "seen") {
  __typename ... on Change { operationId after { contacts { state } } } } }"""
AUDIT = """query ($actor: String) { audit(actor: $actor) {
  edges { node { actor action subjects outcome } } } }"""


@pytest.fixture(scope="module")
def provider() -> Iterator[LyingProvider]:
    with lying_provider() as running:
        yield running


@pytest.fixture(scope="module")
def service(
    database: Address, provider: LyingProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    settings = {
        "GRAPHID_STAFF_ISSUER": provider.issuer,
        "GRAPHID_STAFF_AUDIENCE": CLIENT,
        "GRAPHID_STAFF_ROLES_CLAIM": "realm.roles",
        "GRAPHID_STAFF_ROLES": json.dumps(ROLES),
    }
    with running_service(database, tmp_path_factory.mktemp("staff"), **settings) as running:
        yield running


def token(provider: LyingProvider, who: str, *roles: str, **claims: Any) -> str:
    now = int(time.time())
    said = {"sub": who, "preferred_username": who, "realm": {"roles": list(roles)}}
    return provider.token(**{**said, "iat": now - 5, "exp": now + 300, **claims})


def test_a_role_is_what_its_scopes_are(service: Service, provider: LyingProvider) -> None:
    run = uuid4().hex[:10]
    said = {"context": {"cookieId": run}, "identifiers": [{"type": "user_id", "value": run}]}
    contact = service.client().graphql(IDENTIFY, input=said)["done"]["contact"]["id"]

    agent = service.client(token(provider, f"ann-{run}", "agents", "unknown"))
    found = agent.graphql(FIND, value=run)["personByIdentifier"]
    assert found["identifiers"][0]["value"] != run
    with pytest.raises(AssertionError, match=r"promoteContact: it needs identity:edit"):
        agent.graphql(PROMOTE, id=contact)

    name = f"bob-{run}"
    operator = service.client(token(provider, name, "operators"))
    assert operator.graphql(FIND, value=run)["personByIdentifier"]["identifiers"] == [
        {"value": run}
    ]
    done = operator.graphql(PROMOTE, id=contact)["done"]
    assert done["after"][0]["contacts"] == [{"state": "CURATED"}]
    edges = operator.graphql(AUDIT, actor=f"person:{name}")["audit"]["edges"]
    acts = [edge["node"] for edge in edges if edge["node"]["action"] == "promoteContact"]
    assert [act["outcome"] for act in acts] == ["DONE"]
    assert found["id"] in acts[0]["subjects"]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another"}, "another audience"),
        ({"exp": 1}, "expired"),
        ({"iss": "https://evil.example"}, "another issuer"),
    ],
)
def test_a_token_that_is_not_ours(
    service: Service, provider: LyingProvider, claims: dict[str, Any], reason: str
) -> None:
    client = service.client(token(provider, "eve", "operators", **claims))
    with pytest.raises(AssertionError, match=reason):
        client.graphql("{ __typename }")


def test_somebody_without_a_role_may_nothing(service: Service, provider: LyingProvider) -> None:
    client = service.client(token(provider, "zoe"))
    with pytest.raises(AssertionError, match="it needs journey:view"):
        client.graphql(FIND, value="x")
