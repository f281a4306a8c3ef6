"""Errors as HTTP answers, through the whole application but without a socket."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from typing import NoReturn

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from graphid.errors import (
    Busy,
    DatabaseUnavailable,
    Forbidden,
    GraphidError,
    InternalError,
    InvalidInput,
    NotFound,
    RateLimited,
    Refused,
    StaleGraph,
    StaleSchema,
    Unauthorized,
)
from graphid.graph.database import Database
from graphid.http.app import create_app
from graphid.http.request_id import request_id
from graphid.log import without_values
from graphid.settings import Settings


class Nowhere:
    """An address that nothing answers at; these routes never ask it."""

    uri, user, password, database = "bolt://127.0.0.1:1", "neo4j", "", "neo4j"


@pytest.fixture
async def ask() -> AsyncIterator[Callable[[Exception], httpx.AsyncClient]]:
    database = await Database.connect(Nowhere())
    clients: list[httpx.AsyncClient] = []

    def client_of(error: Exception) -> httpx.AsyncClient:
        async def fails(_request: Request) -> NoReturn:
            raise error

        async def echoes(request: Request) -> Response:
            size = request.headers["content-length"]
            body = (await request.body()).decode()
            return PlainTextResponse(f"{size} {body} {request_id()}")

        routes = [Route("/fails", fails), Route("/echoes", echoes, methods=["POST"])]
        app = create_app(routes=routes, database=database, settings=Settings())
        clients.append(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
        )
        return clients[-1]

    yield client_of
    for client in clients:
        await client.aclose()
    await database.close()


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (InvalidInput("too long", path=("batch", "0")), 400, {}),
        (Unauthorized(), 401, {"WWW-Authenticate": "Bearer"}),
        (Forbidden(), 403, {}),
        (NotFound(), 404, {}),
        (Refused(reasons=["no"]), 409, {}),
        (DatabaseUnavailable(retry_after=1.2), 503, {"Retry-After": "2"}),
        (Busy(), 503, {"Retry-After": "1"}),
        (RateLimited(retry_after=0.2), 429, {"Retry-After": "1"}),
        (RateLimited(retry_after=61.5), 429, {"Retry-After": "62"}),
        (StaleGraph(), 409, {}),
        (StaleSchema(), 503, {}),
        (InternalError(), 500, {}),
    ],
)
async def test_an_error_of_ours(
    ask: Callable[[Exception], httpx.AsyncClient],
    error: GraphidError,
    status: int,
    headers: dict[str, str],
) -> None:
    answer = await ask(error).get("/fails", headers={"X-Request-Id": "r-1"})
    assert answer.status_code == status
    expected: dict[str, object] = {"code": error.code, "message": error.message}
    if error.path:
        expected["path"] = list(error.path)
    assert answer.json() == {"error": {**expected, "requestId": "r-1"}}
    assert {name: answer.headers[name] for name in headers} == headers


async def test_what_nobody_expected_is_masked_and_logged_without_values(
    ask: Callable[[Exception], httpx.AsyncClient],
) -> None:
    with structlog.testing.capture_logs(processors=[without_values]) as logs:
        answer = await ask(ValueError("jane@example.com")).get("/fails")
    failed = next(line for line in logs if line["event"] == "request_failed")
    assert failed["error"] == "builtins.ValueError"
    assert "test_answers.py" in failed["at"][-1]
    assert "jane" not in str(logs)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "INTERNAL"
    assert answer.json()["error"]["requestId"] == answer.headers["X-Request-Id"]
    assert "jane" not in answer.text


async def test_a_gzip_body_arrives_plain(ask: Callable[[Exception], httpx.AsyncClient]) -> None:
    answer = await ask(ValueError()).post(
        "/echoes",
        content=gzip.compress(b"hello ") + gzip.compress(b"world"),
        headers={"Content-Encoding": "gzip", "X-Request-Id": "r-2"},
    )
    assert answer.text == "11 hello world r-2"
