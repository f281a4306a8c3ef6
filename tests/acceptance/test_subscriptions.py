"""Subscriptions over real sockets: Python's and npm's clients, and what the protocol forbids."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import httpx
import pytest
from gql import Client, gql
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError

from graphid.graph.engine import Address
from tests.acceptance.clients.node import NodeClients, installed_clients
from tests.acceptance.test_http import running
from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Service
from tests.service import Client as Sender

PATIENCE = 60.0
"""Seconds, for what takes a moment."""

CHANGES = """subscription ($personId: ID, $after: Int) {
  identityChanges(personId: $personId, afterSequence: $after) {
    sequence kind personId previousPersonIds evidenceId recordedAt
    links { id kind state explanation }
  }
}"""
IDENTIFY = """mutation ($input: IdentifyInput!) { identify(input: $input) {
  ... on Identified { person { id } } } }"""
CREATE_KEY = """mutation ($input: CreateKeyInput!) { createKey(input: $input) {
  ... on IssuedKey { text key { id } } } }"""
REVOKE_KEY = """mutation ($id: ID!) { revokeKey(id: $id, reason: "of the test") {
  __typename } }"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeClients]:
    with installed_clients(tmp_path_factory.mktemp("npm")) as clients:
        yield clients


@pytest.fixture
def sender(graphid: Service) -> Sender:
    return graphid.client()


def identify(sender: Sender, name: str, message: str | None = None) -> str:
    """The person who says on a cookie of their own that they are somebody."""
    context = {"cookieId": f"c-{name}", "messageId": message or f"m-{uuid4().hex}"}
    identifiers = [{"type": "user_id", "value": name}]
    said = {"context": context, "identifiers": identifiers}
    found: str = sender.graphql(IDENTIFY, input=said)["identify"]["person"]["id"]
    return found


def new_name() -> str:
    return f"subscribed-{uuid4().hex[:8]}"


def last_sequence(url: str) -> int:
    """The last number that was given, as the error of an impossible one says it."""
    answer = httpx.post(
        f"{url}/graphql",
        json={"query": CHANGES, "variables": {"after": 2**31 - 1}},
        headers={"Authorization": f"Bearer {SECRET_KEY}", "Accept": "text/event-stream"},
        timeout=PATIENCE,
        trust_env=False,
    )
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert error["extensions"]["path"] == ["afterSequence"]
    assert error["extensions"]["requestId"] == answer.headers["X-Request-Id"]
    return int(error["message"].partition("from 0 to ")[2].partition(",")[0])


# ---------------------------------------------------------------------- clients


async def test_pythons_client(graphid: Service, sender: Sender) -> None:
    name = new_name()
    start = last_sequence(graphid.url)
    transport = AIOHTTPWebsocketsTransport(
        url=graphid.url.replace("http", "ws") + "/graphql",
        subprotocols=["graphql-transport-ws"],
        init_payload={"Authorization": f"Bearer {SECRET_KEY}"},
    )
    async with Client(transport=transport) as session, asyncio.timeout(PATIENCE):
        query = gql(CHANGES)
        query.variable_values = {"after": start}
        stream = session.subscribe(query)
        person = await asyncio.to_thread(identify, sender, name)
        told = None
        async for result in stream:
            told = result["identityChanges"]
            if told["personId"] == person:
                break
        assert told is not None
        assert told["kind"] == "IDENTIFIED"
        assert {link["kind"] for link in told["links"]} == {"IDENTIFIED_AS", "HAS_IDENTIFIER"}
        assert all(link["explanation"] for link in told["links"])


async def test_pythons_client_is_told_what_is_wrong(graphid: Service) -> None:
    transport = AIOHTTPWebsocketsTransport(
        url=graphid.url.replace("http", "ws") + "/graphql",
        subprotocols=["graphql-transport-ws"],
        headers={"Authorization": f"Bearer {SECRET_KEY}"},
    )
    async with Client(transport=transport) as session, asyncio.timeout(PATIENCE):
        query = gql(CHANGES)
        query.variable_values = {"after": -1}
        with pytest.raises(TransportQueryError) as raised:
            await anext(aiter(session.subscribe(query)))
        assert raised.value.errors is not None
        (error,) = raised.value.errors
        assert error["extensions"]["path"] == ["afterSequence"]
        # The connection goes on, and takes queries as well.
        found = await session.execute(gql("{ policy { version } }"))
        assert found["policy"]["version"] >= 1


@pytest.mark.parametrize("transport", ["ws", "sse"])
def test_npms_clients(graphid: Service, sender: Sender, node: NodeClients, transport: str) -> None:
    name = new_name()
    person = identify(sender, name)
    with node.subscribed(
        transport, graphid.url, SECRET_KEY, CHANGES, most=2, personId=person, after=0
    ) as subscriber:
        assert subscriber.line() == {"connected": True}
        first = subscriber.result("identityChanges")
        assert (first["kind"], first["personId"]) == ("IDENTIFIED", person)
        sender.graphql(
            "mutation ($input: LogoutInput!) { logout(input: $input) { __typename } }",
            input={"context": {"cookieId": f"c-{name}"}},
        )
        second = subscriber.result("identityChanges")
        assert (second["kind"], second["personId"]) == ("ENDED", person)
        assert second["sequence"] > first["sequence"]
        assert subscriber.line() == {"completed": True}


@pytest.mark.parametrize("transport", ["ws", "sse"])
def test_npms_clients_are_told_what_is_wrong(
    graphid: Service, node: NodeClients, transport: str
) -> None:
    with node.subscribed(transport, graphid.url, SECRET_KEY, CHANGES, after=-1) as subscriber:
        said = subscriber.line()
        if transport == "ws":
            assert said == {"connected": True}
            (error,) = subscriber.line()["error"]
            assert error["extensions"]["path"] == ["afterSequence"]
        else:
            assert "400" in said["error"]["message"] or "Bad Request" in said["error"]["message"]


# ---------------------------------------------------------------------- the protocol


class Raw:
    """A socket, and messages as they are."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, message: Any) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        said = await self.socket.receive(timeout=PATIENCE)
        assert said.type is aiohttp.WSMsgType.TEXT, said
        found: dict[str, Any] = json.loads(said.data)
        return found

    async def closed(self) -> int:
        """The code that it is closed with; everything before is passed over."""
        while True:
            said = await self.socket.receive(timeout=PATIENCE)
            if said.type is not aiohttp.WSMsgType.TEXT:
                assert said.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), said
                assert self.socket.close_code is not None
                return self.socket.close_code

    async def begin(self, key: str = SECRET_KEY) -> None:
        await self.say({"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}})
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, id: str, query: str = CHANGES, **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.say({"type": "subscribe", "id": id, "payload": payload})


@asynccontextmanager
async def raw(url: str, *protocols: str, **headers: str) -> AsyncIterator[Raw]:
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.ws_connect(
            url.replace("http", "ws") + "/graphql",
            protocols=protocols or ("graphql-transport-ws",),
            headers=headers,
            autoping=True,
        ) as socket,
    ):
        yield Raw(socket)


async def test_an_older_protocol_is_not_taken(graphid: Service) -> None:
    async with raw(graphid.url, "graphql-ws") as socket:
        assert await socket.closed() == 4406


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        "1",
        "{}",
        '{"type": 1}',
        '{"type": "else"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": ""}',
        '{"type": "subscribe", "id": 1, "payload": {}}',
        '{"type": "complete"}',
        json.dumps({"type": "subscribe", "id": "x" * 201, "payload": {}}),
    ],
)
async def test_what_is_no_message(graphid: Service, said: str) -> None:
    async with raw(graphid.url) as socket:
        await socket.begin()
        await socket.say(said)
        assert await socket.closed() == 4400


async def test_a_message_of_bytes(graphid: Service) -> None:
    async with raw(graphid.url) as socket:
        await socket.socket.send_bytes(b'{"type": "connection_init"}')
        assert await socket.closed() == 4400


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (None, 4401),
        ({"Authorization": "Bearer sk_unknown"}, 4401),
        ({"Authorization": SECRET_KEY}, 4401),
        ({"Authorization": 1}, 4401),
    ],
)
async def test_whoever_shows_no_key_is_not_let_in(
    graphid: Service, payload: Any, code: int
) -> None:
    async with raw(graphid.url) as socket:
        message = {"type": "connection_init"} | ({} if payload is None else {"payload": payload})
        await socket.say(message)
        assert await socket.closed() == code


async def test_nobody_subscribes_before_they_are_known(graphid: Service) -> None:
    async with raw(graphid.url, Authorization=f"Bearer {SECRET_KEY}") as socket:
        await socket.subscribe("1")
        assert await socket.closed() == 4401


async def test_a_second_beginning(graphid: Service) -> None:
    async with raw(graphid.url) as socket:
        await socket.begin()
        await socket.say({"type": "connection_init"})
        assert await socket.closed() == 4429


async def test_one_id_twice_at_once(graphid: Service) -> None:
    async with raw(graphid.url) as socket:
        await socket.begin()
        await socket.subscribe("1")
        await socket.subscribe("1")
        assert await socket.closed() == 4409


async def test_one_id_again_when_it_is_over(graphid: Service) -> None:
    async with raw(graphid.url) as socket:
        await socket.begin()
        await socket.subscribe("1")
        await socket.say({"type": "complete", "id": "1"})
        await socket.say({"type": "complete", "id": "of nothing"})
        await socket.subscribe("1", "{ policy { version } }")
        assert (await socket.hear())["payload"]["data"]["policy"]["version"] >= 1
        assert await socket.hear() == {"type": "complete", "id": "1"}


async def test_a_ping_is_answered_before_and_after_the_beginning(graphid: Service) -> None:
    async with raw(graphid.url) as socket:
        await socket.say({"type": "ping", "payload": {"a": 1}})
        assert await socket.hear() == {"type": "pong", "payload": {"a": 1}}
        await socket.begin()
        await socket.say({"type": "pong"})
        await socket.say({"type": "ping"})
        assert await socket.hear() == {"type": "pong"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { identityChanges { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { identityChanges { kind } other: identityChanges { kind } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ('subscription { identityChanges(personId: "person_x") { kind } }', "NOT_FOUND"),
        ("subscription { identityChanges(afterSequence: -1) { kind } }", "INVALID_INPUT"),
        ("subscription { identityChanges(afterSequence: 2147483647) { kind } }", "INVALID_INPUT"),
        (
            "subscription { identityChanges(afterSequence: 9147483647) { kind } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ],
)
async def test_an_operation_that_is_refused_leaves_the_others(
    graphid: Service, query: str, code: str
) -> None:
    async with raw(graphid.url) as socket:
        await socket.begin()
        await socket.subscribe("1", query)
        said = await socket.hear()
        assert (said["type"], said["id"]) == ("error", "1")
        extensions = said["payload"][0]["extensions"]
        assert extensions["code"] == code
        assert extensions["requestId"]
        await socket.subscribe("2", "{ policy { version } }")
        assert (await socket.hear())["type"] == "next"


async def test_a_publishable_key_follows_nobody(graphid: Service) -> None:
    async with raw(graphid.url) as socket:
        await socket.begin(PUBLISHABLE_KEY)
        await socket.subscribe("1")
        said = await socket.hear()
        assert said["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_mutation_over_a_socket(graphid: Service) -> None:
    name = new_name()
    said = {
        "context": {"cookieId": f"c-{name}"},
        "identifiers": [{"type": "user_id", "value": name}],
    }
    async with raw(graphid.url) as socket:
        await socket.begin()
        await socket.subscribe("1", IDENTIFY, input=said)
        assert (await socket.hear())["payload"]["data"]["identify"]["person"]["id"]


async def test_a_page_of_a_foreign_origin(graphid: Service, sender: Sender) -> None:
    wanted = {"name": new_name(), "kind": "PUBLISHABLE", "origins": ["https://shop.example"]}
    key = sender.graphql(CREATE_KEY, input=wanted)["createKey"]["text"]
    async with raw(graphid.url, Origin="https://shop.example") as socket:
        await socket.begin(key)
    async with raw(graphid.url, Origin="https://evil.example") as socket:
        await socket.say({"type": "connection_init", "payload": {"Authorization": f"Bearer {key}"}})
        assert await socket.closed() == 4403


async def test_a_key_that_is_revoked_ends_what_it_opened(graphid: Service, sender: Sender) -> None:
    wanted = {"name": new_name(), "kind": "SECRET", "scopes": ["journey:view"]}
    made = sender.graphql(CREATE_KEY, input=wanted)["createKey"]
    async with (
        raw(graphid.url) as socket,
        httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http,
        http.stream(
            "POST",
            f"{graphid.url}/graphql",
            json={"query": CHANGES},
            headers={"Authorization": f"Bearer {made['text']}", "Accept": "text/event-stream"},
        ) as events,
    ):
        assert events.status_code == 200
        await socket.begin(made["text"])
        await socket.subscribe("1")
        await asyncio.to_thread(sender.graphql, REVOKE_KEY, id=made["key"]["id"])
        assert await socket.closed() == 4401
        text = "".join([part async for part in events.aiter_text()])
        assert '"code":"UNAUTHENTICATED"' in text
        assert text.endswith("event: complete\ndata:\n\n")


# ---------------------------------------------------------------------- server-sent events

SSE = {"Authorization": f"Bearer {SECRET_KEY}", "Accept": "text/event-stream"}


def test_a_query_as_events(graphid: Service) -> None:
    asked = {"query": "{ policy { version } }"}
    with httpx.Client(headers=SSE, timeout=PATIENCE, trust_env=False) as http:
        answers = [
            http.post(f"{graphid.url}/graphql", json=asked),
            http.get(f"{graphid.url}/graphql", params=asked),
        ]
    for answer in answers:
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["X-Request-Id"]
        ping, told, done, rest = answer.text.split("\n\n")
        assert (ping, done, rest) == (":", "event: complete\ndata:", "")
        assert told.startswith('event: next\ndata: {"data":{"policy":{"version":')


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"json": {"query": "{"}}, 400, "GRAPHQL_PARSE_FAILED"),
        ({"json": {}}, 400, "INVALID_INPUT"),
        ({"json": {"query": CHANGES, "variables": {"personId": "person_x"}}}, 404, "NOT_FOUND"),
        (
            {"json": {"query": CHANGES}, "headers": {"Authorization": "Bearer x"}},
            401,
            "UNAUTHENTICATED",
        ),
        (
            {"json": {"query": CHANGES}, "headers": {"Authorization": f"Bearer {PUBLISHABLE_KEY}"}},
            403,
            "FORBIDDEN",
        ),
    ],
)
def test_what_is_refused_is_no_stream(
    graphid: Service, more: dict[str, Any], status: int, code: str
) -> None:
    headers = SSE | more.pop("headers", {})
    answer = httpx.post(
        f"{graphid.url}/graphql", headers=headers, timeout=PATIENCE, trust_env=False, **more
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["extensions"]["code"] == code


def test_a_subscription_without_a_stream_says_how_to_have_it(graphid: Service) -> None:
    answer = httpx.post(
        f"{graphid.url}/graphql",
        json={"query": CHANGES},
        headers={"Authorization": f"Bearer {SECRET_KEY}"},
        timeout=PATIENCE,
        trust_env=False,
    )
    (error,) = answer.json()["errors"]
    assert "text/event-stream" in error["message"]


# ---------------------------------------------------------------------- ends


async def test_the_service_is_told_to_stop(database: Address, tmp_path: Path) -> None:
    """Sockets are closed with 1001, streams are completed, and the process ends in good order."""
    keys = {"GRAPHID_SECRET_KEYS": SECRET_KEY}
    with running(database, tmp_path, **keys) as service:
        async with (
            raw(service.url) as socket,
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http,
            http.stream(
                "POST", f"{service.url}/graphql", json={"query": CHANGES}, headers=SSE
            ) as events,
        ):
            assert events.status_code == 200
            await socket.begin()
            await socket.subscribe("1")
            ending = asyncio.create_task(asyncio.to_thread(service.end))
            assert await socket.closed() == 1001
            text = "".join([part async for part in events.aiter_text()])
            assert text.endswith("event: complete\ndata:\n\n")
            assert await ending == 0
    troubles = [line["event"] for line in service.logged() if line["level"] in ("error", "warning")]
    assert troubles == ["secret_key_can_be_guessed"]


async def test_of_two_services_one_is_killed_and_whoever_subscribed_resumes(
    database: Address, tmp_path: Path
) -> None:
    """Whichever of the two gives the numbers: what was sent to either is told once, in order, to
    those who were at the one that stays, and to those who come back from the other."""
    keys = {"GRAPHID_SECRET_KEYS": SECRET_KEY}
    names = [new_name() for _ in range(12)]
    with (
        running(database, tmp_path / "a", **keys) as first,
        running(database, tmp_path / "b", **keys) as second,
    ):
        start = last_sequence(first.url)
        people = []
        here, there = Sender(first.url, SECRET_KEY), Sender(second.url, SECRET_KEY)
        async with raw(first.url) as staying, raw(second.url) as leaving:
            for socket in (staying, leaving):
                await socket.begin()
                await socket.subscribe("1", after=start)
            for name in names[:6]:
                at = here if name in names[:3] else there
                people.append(await asyncio.to_thread(identify, at, name))
            got = await _until(leaving, people[2])
            second.process.kill()
            await asyncio.to_thread(second.process.wait)
            for name in names[6:]:
                people.append(await asyncio.to_thread(identify, here, name))
            told = await _until(staying, people[-1])
        async with raw(first.url) as again:
            await again.begin()
            await again.subscribe("1", after=got[-1]["sequence"])
            got += await _until(again, people[-1])
        here.close()
        there.close()
    assert [change["sequence"] for change in told] == [*range(start + 1, start + 1 + len(told))]
    assert got == told[: len(got)]
    assert len(got) == len(told)
    seen = [change["personId"] for change in told if change["kind"] == "IDENTIFIED"]
    assert [person for person in seen if person in people].count(people[0]) == 1
    assert set(people) <= set(seen)


async def _until(socket: Raw, person: str) -> list[dict[str, Any]]:
    """What is told up to the change of that person."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["personId"] != person:
        said = await socket.hear()
        assert said["type"] == "next", said
        found.append(said["payload"]["data"]["identityChanges"])
    return found
