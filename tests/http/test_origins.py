"""Pages of other origins: what each key takes, what a page can read, and what preflights are told;
through the whole application but without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from graphid.graph.database import Database
from graphid.http.app import create_app
from graphid.http.callers import Callers
from graphid.http.gate import Gate
from graphid.http.graphql import graphql_route
from graphid.http.segment import Segment
from graphid.service.keymaking import RevokeKey
from graphid.service.messages import Message, Sender
from graphid.service.receipts import Receipt
from graphid.settings import Settings
from tests.http.test_answers import Nowhere
from tests.keys import IDS, OPERATOR, Process
from tests.services import services

OURS, FOREIGN = "https://shop.example", "https://evil.example"
ALLOWED = "Access-Control-Allow-Origin"
LIMIT = 2048
CALL = {"anonymousId": "c", "event": "x"}
PAGE = 'mutation { page(input: {context: {cookieId: "c"}, url: "u"}) { __typename } }'


class Taken:
    """An ingest that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def submit(
        self, messages: Sequence[Message], sender: Sender, *, taken: object = None
    ) -> list[Receipt]:
        self.messages += messages
        return [
            Receipt(message_id="m", occurred_at=0, received_at=0, type="page", duplicate=False)
            for _ in messages
        ]


class Site:
    """The application, and keys for it."""

    def __init__(self, client: httpx.AsyncClient, process: Process, ingest: Taken) -> None:
        self.client = client
        self.process = process
        self.ingest = ingest

    async def key(self, kind: str = "PUBLISHABLE", **wanted: object) -> str:
        return (await self.process.make(kind, **wanted)).text

    async def graphql(
        self, key: str, origin: str | None, query: str = "{ __typename }"
    ) -> httpx.Response:
        return await self.client.post(
            "/graphql", json={"query": query}, headers=shown(f"Bearer {key}", origin)
        )

    async def track(self, key: str, origin: str | None) -> list[httpx.Response]:
        """By every way in which SDKs send the key."""
        post, auth = self.client.post, httpx.BasicAuth(key, "")
        headers = shown(None, origin)
        return [
            await post("/v1/track", json=CALL, headers=headers, auth=auth),
            await post("/v1/t", json=CALL, headers=shown(f"Bearer {key}", origin)),
            await post("/v1/track", json=CALL, headers={**headers, "X-Write-Key": key}),
            await post("/v1/track", json={**CALL, "writeKey": key}, headers=headers),
            await post("/v1/track", json=CALL, params={"writeKey": key}, headers=headers),
            await post("/v1/batch", json={"batch": [], "writeKey": key}, headers=headers),
        ]


def shown(authorization: str | None, origin: str | None) -> dict[str, str]:
    given = {"Authorization": authorization, "Origin": origin}
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    process, ingest = Process(), Taken()
    database = await Database.connect(Nowhere())
    callers = Callers(process.keyring, Gate())
    routes = [
        graphql_route(callers, services(ingest=ingest, keys=process.keymaker)),
        *Segment(ingest, callers, IDS).routes(),
    ]
    app = create_app(routes=routes, database=database, settings=Settings(max_body_bytes=LIMIT))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Site(client, process, ingest)
    await database.close()


@pytest.mark.parametrize("kind", ["PUBLISHABLE", "SECRET"])
async def test_a_page_of_a_listed_origin_sends_and_reads(site: Site, kind: str) -> None:
    key = await site.key(kind, origins=[OURS, "https://other.example"])
    for answer in (await site.graphql(key, OURS), *await site.track(key, OURS)):
        assert answer.status_code == 200
        assert answer.headers[ALLOWED] == OURS
        assert "Origin" in answer.headers["Vary"]
    assert len(site.ingest.messages) == 5


@pytest.mark.parametrize("kind", ["PUBLISHABLE", "SECRET"])
@pytest.mark.parametrize("origin", [FOREIGN, "null", "https://shop.example.evil.example"])
async def test_a_page_of_a_foreign_origin_is_refused_and_reads_nothing(
    site: Site, kind: str, origin: str
) -> None:
    key = await site.key(kind, origins=[OURS])
    graphql = await site.graphql(key, origin, PAGE)
    assert graphql.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    sdks = await site.track(key, origin)
    assert {answer.json()["error"]["code"] for answer in sdks} == {"FORBIDDEN"}
    for answer in (graphql, *sdks):
        assert answer.status_code == 403
        assert ALLOWED not in answer.headers
        assert "Origin" in answer.headers["Vary"]
    assert site.ingest.messages == []


async def test_a_foreign_page_asks_by_get_in_vain(site: Site) -> None:
    key = await site.key("SECRET", origins=[OURS])
    answer = await site.client.get(
        "/graphql", params={"query": "{ __typename }"}, headers=shown(f"Bearer {key}", FOREIGN)
    )
    assert answer.status_code == 403
    assert ALLOWED not in answer.headers


async def test_who_names_no_origin_is_taken(site: Site) -> None:
    key = await site.key(origins=[OURS])
    for answer in (await site.graphql(key, None), *await site.track(key, None)):
        assert answer.status_code == 200
        assert ALLOWED not in answer.headers


async def test_a_key_without_a_list_takes_pages_of_any(site: Site) -> None:
    for key in (await site.key(), "pk_of_settings", "sk_of_settings"):
        for answer in (await site.graphql(key, FOREIGN), *await site.track(key, FOREIGN)):
            assert answer.status_code == 200
            assert answer.headers[ALLOWED] == "*"


@pytest.mark.parametrize("path", ["/graphql", "/v1/batch", "/v1/t"])
async def test_a_preflight_is_answered_for_every_origin_and_kept(site: Site, path: str) -> None:
    asked = {
        "Origin": FOREIGN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-write-key",
    }
    answer = await site.client.options(path, headers=asked)
    assert answer.status_code == 200
    assert answer.headers[ALLOWED] == "*"
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert answer.headers["Access-Control-Allow-Headers"] == asked["Access-Control-Request-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_page_reads_why_it_was_refused(site: Site) -> None:
    made = await site.process.make("PUBLISHABLE", origins=[OURS])
    bad_query = await site.graphql(made.text, OURS, "{")
    unknown = await site.graphql("pk_nobody", OURS)
    too_large = await site.graphql(made.text, OURS, "{ __typename }" + " " * LIMIT)
    forbidden = await site.graphql(made.text, OURS, '{ chat(id: "x") { id } }')
    await site.process.keymaker.revoke(made.key.id, RevokeKey(), OPERATOR)
    revoked = await site.graphql(made.text, OURS)
    answers = (bad_query, unknown, too_large, forbidden, revoked)
    assert [answer.status_code for answer in answers] == [200, 401, 413, 200, 401]
    assert "revoked" in revoked.text
    for answer in answers:
        assert answer.headers[ALLOWED] in (OURS, "*")
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers["X-Request-Id"]


async def test_no_answer_takes_cookies(site: Site) -> None:
    key = await site.key(origins=[OURS])
    for answer in (await site.graphql(key, OURS), await site.graphql("x", OURS)):
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers
