"""The schema as clients fetch it: Python's gql by introspection, and which keys may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from gql import Client, gql
from gql.client import AsyncClientSession
from gql.dsl import (
    DSLInlineFragment,
    DSLMutation,
    DSLQuery,
    DSLSchema,
    DSLVariableDefinitions,
    dsl_gql,
)
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from graphql import GraphQLError, get_introspection_query

from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Service

CREATE = """mutation ($input: CreateKeyInput!) {
  createKey(input: $input) { ... on IssuedKey { text } ... on Problem { message } } }"""


def transport(service: Service, key: str) -> AIOHTTPTransport:
    return AIOHTTPTransport(
        url=f"{service.url}/graphql", headers={"Authorization": f"Bearer {key}"}
    )


@pytest.fixture
async def session(graphid: Service) -> AsyncIterator[AsyncClientSession]:
    client = Client(transport=transport(graphid, SECRET_KEY), fetch_schema_from_transport=True)
    async with client as opened:
        yield opened


@pytest.fixture
def schema(session: AsyncClientSession) -> DSLSchema:
    fetched = session.client.schema
    assert fetched is not None
    return DSLSchema(fetched)


async def test_what_is_sent_and_asked_is_typed_by_the_schema_that_was_fetched(
    session: AsyncClientSession, schema: DSLSchema
) -> None:
    own = uuid4().hex[:12]
    variables = DSLVariableDefinitions()  # type: ignore[no-untyped-call]
    identified = DSLInlineFragment().on(schema.Identified)
    identified.select(schema.Identified.created, schema.Identified.person.select(schema.Person.id))
    problem = DSLInlineFragment().on(schema.Problem).select(schema.Problem.code)
    identify = schema.Mutation.identify(input=variables.input)
    sending = DSLMutation(identify.select(identified, problem))
    sending.variable_definitions = variables
    request = dsl_gql(sending)
    request.variable_values = {
        "input": {
            "context": {"messageId": own, "cookieId": f"cookie-{own}"},
            "traits": {"email": f"{own}@example.com"},
        }
    }
    sent = (await session.execute(request))["identify"]
    assert sent["created"] is True

    person = schema.Query.personByIdentifier(type="email", value=f"{own}@example.com")
    edges = schema.JourneyConnection.edges.select(
        schema.JourneyEdge.node.select(schema.JourneyEvent.type)
    )
    asked = person.select(
        schema.Person.id, schema.Person.kind, schema.Person.journey(first=5).select(edges)
    )
    found = await session.execute(dsl_gql(DSLQuery(asked)), parse_result=True)
    assert found == {
        "personByIdentifier": {
            "id": sent["person"]["id"],
            "kind": "KNOWN",
            "journey": {"edges": [{"node": {"type": "IDENTIFY"}}]},
        }
    }


async def test_what_the_schema_does_not_have_is_noticed_by_the_client(
    session: AsyncClientSession, schema: DSLSchema
) -> None:
    with pytest.raises(AttributeError):
        _ = schema.Person.shoeSize
    with pytest.raises(GraphQLError, match="Cannot query field 'shoeSize'"):
        await session.execute(gql('{ person(id: "x") { shoeSize } }'))


async def test_no_schema_is_fetched_with_a_publishable_key(graphid: Service) -> None:
    client = Client(transport=transport(graphid, PUBLISHABLE_KEY), fetch_schema_from_transport=True)
    with pytest.raises(TransportQueryError) as caught:
        async with client:
            pass
    (error,) = caught.value.errors or []
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["requestId"]


@pytest.mark.parametrize(
    ("scopes", "may"),
    [
        (["journey:view"], True),
        (["graph:view"], True),
        (["contact:edit", "event:write"], False),
        (["identity:edit"], False),
        (["integration:edit", "audit:view", "metrics:view"], False),
    ],
)
def test_a_key_that_the_graph_keeps_fetches_it_by_its_scopes(
    graphid: Service, scopes: list[str], may: bool
) -> None:
    wanted = {"name": "of a test", "kind": "SECRET", "scopes": scopes}
    key = graphid.client().graphql(CREATE, input=wanted)["createKey"]["text"]
    headers = {"Authorization": f"Bearer {key}"}
    sent = {"query": get_introspection_query(descriptions=True)}
    body: dict[str, Any] = httpx.post(f"{graphid.url}/graphql", json=sent, headers=headers).json()
    if may:
        types = body["data"]["__schema"]["types"]
        assert "Person" in {type["name"] for type in types if type["description"]}
    else:
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert "data" not in body
