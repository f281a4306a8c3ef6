"""What SDKs ask for before they send."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from graphid.errors import GraphidError
from graphid.http.answers import on_graphid_error
from graphid.http.callers import Callers
from graphid.http.gate import Gate
from graphid.http.origins import Origins
from graphid.http.sdk_settings import SdkSettings
from graphid.http.usage import Recent, Usage
from tests.keys import Process

KEY = "pk_of_settings"
SEGMENT = f"/v1/projects/{KEY}/settings"


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
async def client(process: Process) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(
        routes=SdkSettings(Callers(process.keyring, Gate(Usage(Recent(lambda: 0.0))))).routes(),
        exception_handlers={GraphidError: on_graphid_error},
        middleware=[Middleware(Origins)],
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://graphid:8080") as client:
        yield client


class TestSegment:
    async def test_it_sends_to_where_it_asked(self, client: httpx.AsyncClient) -> None:
        answer = await client.get(SEGMENT)
        assert answer.status_code == 200
        assert answer.json()["integrations"] == {
            "Segment.io": {"apiKey": KEY, "apiHost": "graphid:8080/v1", "protocol": "http"}
        }
        assert answer.json()["metrics"] == {"sampleRate": 0}

    @pytest.mark.parametrize(
        ("url", "headers", "found"),
        [
            ("https://graphid.example", {}, ("https", "graphid.example")),
            ("http://graphid.example", {"X-Forwarded-Proto": "https"},
             ("https", "graphid.example")),
            ("http://graphid.example", {"Origin": "https://shop.example"},
             ("https", "graphid.example")),
            ("http://graphid.example", {"Origin": "http://localhost:3000"},
             ("http", "graphid.example")),
            # A page of https may ask this machine without.
            ("http://localhost:8080", {"Origin": "https://shop.example"},
             ("http", "localhost:8080")),
            ("http://[::1]:8080", {"Origin": "https://shop.example"}, ("http", "[::1]:8080")),
        ],
    )  # fmt: skip
    async def test_as_the_page_reaches_it(
        self,
        client: httpx.AsyncClient,
        url: str,
        headers: dict[str, str],
        found: tuple[str, str],
    ) -> None:
        answer = await client.get(f"{url}{SEGMENT}", headers=headers)
        told = answer.json()["integrations"]["Segment.io"]
        assert (told["protocol"], told["apiHost"]) == (found[0], f"{found[1]}/v1")

    async def test_a_key_that_is_not_known(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/projects/wrong/settings")).status_code == 401


class TestRudderstack:
    async def test_it_may_run_and_load_nothing(self, client: httpx.AsyncClient) -> None:
        basic = {"authorization": f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"}
        for path, headers in (
            (f"/sourceConfig/?p=npm&v=3.34.1&writeKey={KEY}", {}),
            (f"/sourceConfig?writeKey={KEY}", {}),
            ("/sourceConfig/?p=npm", basic),
        ):
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 200
            source = answer.json()["source"]
            assert (source["enabled"], source["destinations"]) == (True, [])
            assert source["id"]
            assert KEY not in answer.text

    async def test_without_a_key_that_is_known(self, client: httpx.AsyncClient) -> None:
        for query in ("", "?writeKey=", "?writeKey=wrong"):
            assert (await client.get(f"/sourceConfig/{query}")).status_code == 401

    async def test_it_looks_for_blockers_without_a_key(self, client: httpx.AsyncClient) -> None:
        page = {"Origin": "https://shop.example"}
        asked = {"Access-Control-Request-Method": "HEAD"}
        preflight = await client.options("/sourceConfig/?view=ad", headers=page | asked)
        assert preflight.status_code == 200
        assert int(preflight.headers["access-control-max-age"]) >= 3600
        answer = await client.head("/sourceConfig/?view=ad", headers=page)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


async def test_a_key_s_limits_and_origins_count(
    client: httpx.AsyncClient, process: Process
) -> None:
    made = await process.make(
        "PUBLISHABLE",
        origins=["https://shop.example"],
        limits={"requestsPerSecond": 1},
    )
    path = f"/v1/projects/{made.text}/settings"
    foreign = await client.get(path, headers={"Origin": "https://other.example"})
    assert foreign.status_code == 403
    own = {"Origin": "https://shop.example"}
    statuses = [(await client.get(path, headers=own)).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
