"""Limits at the door: who is let in, and what those are told who are not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.types import Scope

from graphid.auth.keys import Caller
from graphid.auth.limits import LEAST_COST, Limits
from graphid.auth.scopes import BROWSER, SERVER
from graphid.errors import NotFound, RateLimited
from graphid.graph.database import Database
from graphid.http.addresses import Addresses
from graphid.http.app import create_app
from graphid.http.callers import Callers
from graphid.http.gate import BURST, Gate
from graphid.http.graphql import graphql_route
from graphid.http.segment import MAX_BATCH, Segment
from graphid.http.usage import Recent, Usage
from graphid.identity.ids import Ids
from graphid.service.messages import Message, Sender
from graphid.service.receipts import Receipt
from graphid.settings import Settings
from tests.http.test_usage import Clock
from tests.keys import keyring_of
from tests.services import services

PROXY = Addresses([ip_network("127.0.0.1")])


def key(limits: Limits | None, *, is_browser: bool = False) -> Caller:
    scopes = BROWSER if is_browser else SERVER
    return Caller("sk:1", scopes, is_browser, limits=limits)


def request(address: str = "192.0.2.1") -> Request:
    scope: Scope = {"type": "http", "client": (address, 1), "headers": []}
    return Request(scope)


async def test_a_caller_without_limits_passes_nothing() -> None:
    gate = Gate()
    assert gate.allowance(key(None), request()) is None
    assert gate.allowance(key(None, is_browser=True), request()) is None


async def test_requests_at_once_are_those_under_way() -> None:
    gate = Gate()
    limited = key(Limits(concurrent_requests=2))

    @asynccontextmanager
    async def let_in() -> AsyncIterator[None]:
        allowance = gate.allowance(limited, request())
        assert allowance is not None
        async with allowance:
            yield

    async def fill() -> None:
        async with let_in(), let_in():
            with pytest.raises(RateLimited, match="2 requests under way"):
                await let_in().__aenter__()
            raise NotFound

    for _ in range(3):  # what has ended makes room, whatever way it ended
        with pytest.raises(NotFound):
            await fill()
    assert not gate._under_way
    assert gate.refused == {"concurrent": 3}


async def test_a_request_that_is_refused_is_not_under_way() -> None:
    gate = Gate()
    limited = key(Limits(concurrent_requests=1, requests_per_second=1))
    for _ in range(BURST):
        allowance = gate.allowance(limited, request())
        assert allowance is not None
        async with allowance:
            pass
    refused = gate.allowance(limited, request())
    assert refused is not None
    with pytest.raises(RateLimited, match="1 requests a second"):
        await refused.__aenter__()
    assert not gate._under_way


async def test_a_browser_is_limited_by_address_and_a_server_is_not() -> None:
    gate = Gate(browsers=Limits(events_per_second=1))
    assert gate.allowance(key(None), request()) is None
    for address in ("192.0.2.1", "2001:db8::1"):
        allowance = gate.allowance(key(None, is_browser=True), request(address))
        assert allowance is not None
        await allowance.spend(events=BURST)
    # The same customer's next address.
    again = gate.allowance(key(None, is_browser=True), request("2001:db8::2"))
    assert again is not None
    with pytest.raises(RateLimited, match="This address may take 1 events a second"):
        await again.spend(events=1)


async def test_failures_are_counted_by_address() -> None:
    clock = Clock()
    gate = Gate(Usage(Recent(clock)), failures=3)
    for _ in range(3):
        await gate.failed(request())
    with pytest.raises(RateLimited) as caught:
        await gate.failed(request())
    assert 0 < caught.value.retry_after <= 120
    await gate.failed(request("192.0.2.2"))
    clock.now += 120
    await gate.failed(request())


async def test_any_number_may_fail_where_nothing_is_set() -> None:
    gate = Gate(failures=0)
    for _ in range(100):
        await gate.failed(request())


# Over HTTP -------------------------------------------------------------------------------------


class Nowhere:
    uri, user, password, database = "bolt://127.0.0.1:1", "neo4j", "", "neo4j"


class Stores:
    """An ingest that takes everything."""

    def __init__(self) -> None:
        self.stored = 0

    async def submit(
        self, messages: Sequence[Message], sender: Sender, *, taken: object = None
    ) -> list[Receipt]:
        self.stored += len(messages)
        return [Receipt("m", 0, 0, "PAGE") for _ in messages]


PAGE = {"type": "page", "anonymousId": "c", "messageId": "m"}


Answers = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def serve() -> AsyncIterator[Answers]:
    """Serves a key with limits, ``k``, and one without, ``free``."""
    database = await Database.connect(Nowhere())
    clients: list[httpx.AsyncClient] = []

    def client_of(limits: Limits | None, ingest: Stores | None = None, **more: Any) -> Any:
        stores = ingest or Stores()
        keyring = keyring_of([("k", key(limits)), ("free", key(None))])
        callers = Callers(keyring, Gate(Usage(Recent(Clock())), PROXY, **more))
        routes = [
            graphql_route(callers, services(ingest=stores)),
            *Segment(stores, callers, Ids(b"of the tests")).routes(),
        ]
        app = create_app(routes=routes, database=database, settings=Settings())
        clients.append(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://test",
                headers={"Authorization": "Bearer k"},
            )
        )
        return clients[-1]

    yield client_of
    for client in clients:
        await client.aclose()
    await database.close()


async def test_too_many_requests_are_429_everywhere_but_at_health_checks(serve: Answers) -> None:
    client = serve(Limits(requests_per_second=1))
    for _ in range(BURST):
        assert (await client.post("/v1/page", json=PAGE)).status_code == 200
    answer = await client.post("/v1/page", json=PAGE)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["error"]["code"] == "RATE_LIMITED"
    assert "1 requests a second" in answer.json()["error"]["message"]
    for accept in ("application/json", "application/graphql-response+json"):
        headers = {"Accept": accept}
        told = await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
        assert told.status_code == 429
        assert int(told.headers["Retry-After"]) >= 1
        assert told.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    for path in ("/healthz", "/version"):
        assert (await client.get(path)).status_code == 200
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    assert (await client.options("/graphql", headers=asked)).status_code == 200
    other = {"Authorization": "Bearer free"}
    assert (await client.post("/v1/page", json=PAGE, headers=other)).status_code == 200


async def test_a_batch_counts_as_the_events_in_it_and_none_is_stored_of_too_many(
    serve: Answers,
) -> None:
    ingest = Stores()
    client = serve(Limits(events_per_second=2), ingest)
    assert (await client.post("/v1/batch", json={"batch": [PAGE] * 8})).status_code == 200
    refused = await client.post("/v1/batch", json={"batch": [PAGE] * 3})
    assert refused.status_code == 429
    assert "2 events a second" in refused.json()["error"]["message"]
    assert (await client.post("/v1/batch", json={"batch": [PAGE] * 2})).status_code == 200
    assert ingest.stored == 10


async def test_the_largest_batch_is_not_refused_for_ever(serve: Answers) -> None:
    client = serve(Limits(events_per_second=1))
    answer = await client.post("/v1/batch", json={"batch": [PAGE] * MAX_BATCH})
    assert answer.status_code == 200
    assert (await client.post("/v1/page", json=PAGE)).status_code == 429


async def test_the_mutations_of_an_operation_are_refused_whole(serve: Answers) -> None:
    ingest = Stores()
    client = serve(Limits(events_per_second=1), ingest)
    page = 'page(input: {context: {cookieId: "c"}, url: "u"}) { __typename }'
    many = "mutation { " + " ".join(f"a{n}: {page}" for n in range(3)) + " }"
    assert (await client.post("/graphql", json={"query": many})).status_code == 200
    spread = f"mutation {{ ...M ...M x: {page} }} fragment M on Mutation {{ a: {page} b: {page} }}"
    told = await client.post("/graphql", json={"query": spread})
    assert told.status_code == 429
    assert "data" not in told.json()
    assert ingest.stored == 3
    # What asks nothing of anybody is no event.
    assert (await client.post("/graphql", json={"query": "{ __typename }"})).status_code == 200


async def test_a_cost_is_taken_of_a_budget(serve: Answers) -> None:
    client = serve(Limits(cost_per_minute=LEAST_COST))
    # Judged, and refused, before anything is read: there is nothing here to read from.
    costly = """{ node(id: "unknown") { ... on Person {
        journey(first: %s) { edges { node { id type } } } } } }"""
    with structlog.testing.capture_logs():
        for _ in range(30):
            answer = await client.post("/graphql", json={"query": costly % 200})
            assert "RATE_LIMITED" not in answer.text
    body = {"query": "{ " + " ".join(f"f{n}: __typename" for n in range(50)) + " }"}
    left = LEAST_COST - 30 * (1 + 1 + 200 * 4)
    for _ in range(left // 50):
        assert (await client.post("/graphql", json=body)).status_code == 200
    told = await client.post("/graphql", json=body)
    assert told.status_code == 429
    assert f"a cost of {LEAST_COST} a minute" in told.json()["errors"][0]["message"]


async def test_whoever_guesses_keys_is_slowed_down_and_others_are_not(serve: Answers) -> None:
    client = serve(None, failures=2)

    async def guess(path: str, address: str, **headers: str) -> int:
        sent = {"Authorization": "Bearer wrong", "X-Forwarded-For": address, **headers}
        answer = await client.post(path, json={"query": "{ __typename }"}, headers=sent)
        return answer.status_code

    assert await guess("/graphql", "192.0.2.1") == 401
    assert await guess("/v1/page", "192.0.2.1", Authorization="Basic ?") == 401
    for path in ("/graphql", "/v1/page", "/v1/batch"):
        assert await guess(path, "192.0.2.1") == 429
    assert await guess("/graphql", "192.0.2.2") == 401
    assert await guess("/graphql", "192.0.2.1", Authorization="Bearer k") == 200
