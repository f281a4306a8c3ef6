"""Methods of HTTP by which GraphQL is not to be had; without a database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from graphid.auth.keys import Caller
from graphid.auth.scopes import SERVER
from graphid.graph.database import Database
from graphid.http.app import create_app
from graphid.http.callers import Callers
from graphid.http.gate import Gate
from graphid.http.graphql import graphql_route
from graphid.settings import Settings
from tests.http.test_answers import Nowhere
from tests.keys import keyring_of
from tests.services import services

EVENTS = "text/event-stream"
PAGE = 'mutation { page(input: {context: {cookieId: "c"}, url: "u"}) { __typename } }'
CHANGES = "subscription { identityChanges { sequence } }"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Of a service that can do nothing."""
    database = await Database.connect(Nowhere())
    keyring = keyring_of([("k", Caller("sk:1", SERVER, is_browser=False))])
    routes = [graphql_route(Callers(keyring, Gate()), services())]
    app = create_app(routes=routes, database=database, settings=Settings())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://test",
        headers={"Authorization": "Bearer k"},
    ) as opened:
        yield opened
    await database.close()


@pytest.mark.parametrize(
    "accept", ["application/json", "application/graphql-response+json", EVENTS]
)
async def test_a_mutation_by_get_is_not_allowed(client: httpx.AsyncClient, accept: str) -> None:
    answer = await client.get("/graphql", params={"query": PAGE}, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    (error,) = answer.json()["errors"]
    assert error["message"].startswith("Only a query may come by GET")
    assert error["extensions"] == {
        "code": "METHOD_NOT_ALLOWED",
        "requestId": answer.headers["X-Request-Id"],
    }


async def test_nothing_is_begun_for_the_head_of_a_stream(client: httpx.AsyncClient) -> None:
    answer = await client.head("/graphql", params={"query": CHANGES}, headers={"Accept": EVENTS})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    query = await client.head("/graphql", params={"query": "{ __typename }"})
    assert query.status_code == 200
