"""How the service does, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from math import isnan
from typing import Any, cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from graphid.auth.keys import Caller
from graphid.auth.scopes import Scope
from graphid.errors import DatabaseUnavailable, NotFound
from graphid.graph.database import Database
from graphid.http.app import create_app
from graphid.http.callers import Callers
from graphid.http.gate import Gate
from graphid.http.metrics import Metrics, metrics_route
from graphid.settings import Settings
from tests.keys import keyring_of

KEYS = keyring_of(
    [
        ("watches", Caller("sk:1", frozenset({Scope.METRICS_VIEW}), False)),
        ("reads", Caller("sk:2", frozenset({Scope.JOURNEY_VIEW}), False)),
    ]
)


class Counts:
    """A database that has counted, and is asked what waits."""

    def __init__(self) -> None:
        self.retries = {"Neo.TransientError.Transaction.DeadlockDetected": 3}
        self.failures = {"Deadline": 1}
        self.is_away = False

    async def read_rows(self, _query: object, **_given: Any) -> list[dict[str, Any]]:
        if self.is_away:
            raise DatabaseUnavailable
        return [{"parked": 7}]


@pytest.fixture
def database() -> Counts:
    return Counts()


@pytest.fixture
async def client(database: Counts) -> AsyncIterator[httpx.AsyncClient]:
    async def found(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("found")

    async def missed(_request: Request) -> PlainTextResponse:
        raise NotFound

    gate = Gate(failures=2)
    served = cast(Database, database)
    metrics = Metrics(served, gate, deleted={"events": 4})
    metrics.watch(lambda: 12, lambda: 3)
    routes = [
        Route("/found/{whom}", found),
        Route("/missed", missed),
        metrics_route(metrics, Callers(KEYS, gate)),
    ]
    app = create_app(routes=routes, database=served, settings=Settings(), metrics=metrics)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def scraped(client: httpx.AsyncClient) -> dict[tuple[str, str], float]:
    """Samples by name, and their labels' values."""
    answer = await client.get("/metrics", headers={"Authorization": "Bearer watches"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_requests_are_counted_by_route_and_status(client: httpx.AsyncClient) -> None:
    for whom in ("jane", "joe"):
        await client.get(f"/found/{whom}")
    await client.get("/missed")
    await client.get("/nowhere/jane")
    found = await scraped(client)
    assert found["graphid_requests_total", "/found/{whom} 200"] == 2
    assert found["graphid_requests_total", "/missed 404"] == 1
    assert found["graphid_requests_total", "- 404"] == 1
    assert found["graphid_request_seconds_count", "/found/{whom}"] == 2
    assert not any("jane" in labels for _, labels in found)


async def test_what_others_count_is_told(client: httpx.AsyncClient) -> None:
    for _ in range(4):
        await client.get("/metrics")
    found = await scraped(client)
    deadlock = "Neo.TransientError.Transaction.DeadlockDetected"
    assert found["graphid_database_retries_total", deadlock] == 3
    assert found["graphid_database_failures_total", "Deadline"] == 1
    assert found["graphid_rate_limited_total", "failures"] == 2
    assert found["graphid_parked_evidence", ""] == 7
    assert found["graphid_messages_under_way", ""] == 12
    assert found["graphid_subscriptions", ""] == 3
    assert found["graphid_retention_deleted_total", "events"] == 4


async def test_it_is_answered_while_the_database_is_away(
    client: httpx.AsyncClient, database: Counts
) -> None:
    database.is_away = True
    assert isnan((await scraped(client))["graphid_parked_evidence", ""])


@pytest.mark.parametrize(("key", "status"), [("reads", 403), ("unknown", 401), (None, 401)])
async def test_only_whoever_may_see_it_does(
    client: httpx.AsyncClient, key: str | None, status: int
) -> None:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert "graphid_" not in answer.text
