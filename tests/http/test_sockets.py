"""What becomes of sockets and streams that are slow, late, or one too many; without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.websockets import WebSocket

from graphid.api.context import Services
from graphid.auth.keys import Caller
from graphid.auth.scopes import SERVER
from graphid.errors import (
    DatabaseUnavailable,
    Forbidden,
    GraphidError,
    Overrun,
    RateLimited,
    Unauthorized,
)
from graphid.graph.log import ChangeRecord
from graphid.http import sockets
from graphid.http.event_streams import EventStream
from graphid.http.graphql import graphql_route
from graphid.http.listeners import Listener, Listeners
from graphid.http.sockets import Sockets
from graphid.service.audit.audit import Witness
from graphid.service.feed import Batch, Waiting
from tests.api.witness import Seen
from tests.services import services

CALLER = Caller("sk:test", SERVER, is_browser=False)
CHANGES = "subscription { identityChanges { sequence } }"
JOURNEY = 'subscription { journey(personId: "person_1") { id } }'
BLOCK = """mutation { blockIdentifier(type: "email", value: "a@example.com", reason: "Shared.") {
  __typename } }"""
REMOVE = 'mutation { removeProvider(issuer: "x") { __typename } }'


class Door:
    """Callers, as far as sockets need them; ``error``: why nobody is let in any more."""

    def __init__(self) -> None:
        self.error: GraphidError | None = None
        self.asked: list[str] = []

    async def find(self, request: Any, shown: Any, otherwise: str = "") -> Caller:
        if self.error is not None:
            raise self.error
        return CALLER

    async def bearer(self, request: Any) -> Caller:
        return await self.find(request, None)

    async def again(self, shown: str) -> Caller:
        self.asked.append(shown)
        return await self.find(None, shown)

    def allowance(self, caller: Caller, request: Any) -> None:
        return None


class Source:
    """A feed whose changes are said by the test."""

    def __init__(self) -> None:
        self.waiting: Waiting[Any] = Waiting(3)
        self.closed = asyncio.Event()

    async def subscribe(
        self, id: str | None = None, *, after: int | None = None
    ) -> AsyncGenerator[tuple[ChangeRecord, Batch], None]:
        return self._told()

    async def _told(self) -> AsyncGenerator[tuple[ChangeRecord, Batch], None]:
        try:
            while True:
                yield await self.waiting.get()
        finally:
            self.closed.set()

    def tell(self, sequence: int) -> None:
        change = ChangeRecord(sequence, "UPDATED", "person_1", (), {}, (), "m", 0)
        self.waiting.offer((change, Batch()))


class Lines(AsyncGenerator[Any, None]):
    """Lines of which there are none; they may be closed before anybody reads them."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def subscribe(self, id: str) -> Lines:
        return self

    async def asend(self, value: Any) -> Any:
        await asyncio.Event().wait()

    async def athrow(self, *_: Any) -> Any:
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed.set()


class Slow:
    """Providers and operations; what is asked of them is done when the test says so."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def remove(self, issuer: str) -> None:
        self.begun.set()
        await self.may_end.wait()

    async def do(self, *_: Any, **__: Any) -> None:
        await self.remove("")


class Watched(Seen):
    """An audit that is told of whoever is connected."""

    def of(self, *_: Any) -> Witness:
        return self.witness


class Line:
    """The other end of a socket."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.is_read = asyncio.Event()
        self.is_read.set()
        self.said.put_nowait({"type": "websocket.connect"})

    def say(self, **message: Any) -> None:
        self.said.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def send(self, message: Any) -> None:
        await self.is_read.wait()
        await self.heard.put(message)

    async def hear(self) -> dict[str, Any]:
        message = await self.heard.get()
        if message["type"] == "websocket.send":
            found: dict[str, Any] = json.loads(message["text"])
            return found
        return message

    def socket(self, *protocols: str) -> WebSocket:
        scope = {
            "type": "websocket",
            "path": "/graphql",
            "headers": [],
            "subprotocols": list(protocols or ("graphql-transport-ws",)),
        }
        return WebSocket(scope, self.said.get, self.send)


async def turns() -> None:
    """Time for what was said to be noticed, and for what follows from that."""
    for _ in range(20):
        await asyncio.sleep(0)


class Served:
    """One socket that is served."""

    def __init__(self, *, look_every: float = 3600, most: int = 100, **more: Any) -> None:
        self.door, self.source, self.line = Door(), Source(), Line()
        self.lines = Lines()
        self.slow, self.audit = Slow(), Watched()
        self.listeners = Listeners(self.door, look_every=look_every, most=most)  # type: ignore[arg-type]
        given: Services = services(
            feed=self.source, news=self.lines, providers=self.slow, operations=self.slow
        )
        self.sockets = Sockets(self.door, given, self.listeners, self.audit, **more)  # type: ignore[arg-type]
        self.serving = asyncio.create_task(self.sockets.respond(self.line.socket()))

    async def begin(self) -> None:
        assert (await self.line.hear())["type"] == "websocket.accept"
        self.line.say(type="connection_init", payload={"Authorization": "Bearer key"})
        assert await self.line.hear() == {"type": "connection_ack"}

    def subscribe(self, id: str, query: str = CHANGES) -> None:
        self.line.say(type="subscribe", id=id, payload={"query": query})

    async def change(self, id: str, mutation: str = REMOVE) -> None:
        """A mutation that has begun."""
        self.subscribe(id, mutation)
        await self.slow.begun.wait()

    def go(self) -> None:
        self.line.said.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def closed(self) -> tuple[int, str]:
        await self.serving
        message = await self.line.hear()
        while message["type"] != "websocket.close":
            message = await self.line.hear()
        return message["code"], message["reason"]


async def test_whoever_says_nothing_is_closed() -> None:
    served = Served(init_seconds=0)
    assert (await served.line.hear())["type"] == "websocket.accept"
    assert await served.closed() == (4408, "Connection initialisation timeout")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unauthorized("No."), 4401),
        (Forbidden("No."), 4403),
        (RateLimited("No."), 1013),
        (DatabaseUnavailable("No."), 1013),
    ],
)
async def test_whoever_is_not_let_in_is_told_why(error: GraphidError, code: int) -> None:
    served = Served()
    served.door.error = error
    served.line.say(type="connection_init")
    assert await served.closed() == (code, "No.")


async def test_results_and_a_complete_that_ends_the_source() -> None:
    served = Served()
    await served.begin()
    served.subscribe("a")
    served.source.tell(7)
    assert await served.line.hear() == {
        "type": "next",
        "id": "a",
        "payload": {"data": {"identityChanges": {"sequence": 7}}},
    }
    served.line.say(type="complete", id="a")
    await served.source.closed.wait()
    served.go()
    await served.serving


async def test_a_client_that_goes_leaves_nothing_behind() -> None:
    served = Served()
    await served.begin()
    served.subscribe("a")
    served.source.tell(7)
    await served.line.hear()
    served.go()
    await served.serving
    assert served.source.closed.is_set()
    with served.listeners.subscribed(CALLER):
        assert served.listeners.subscriptions == 1
    assert served.listeners.subscriptions == 0


DONE = ("removeProvider", "DONE", ("provider_x",))


async def test_a_mutation_is_carried_out_and_told_to_the_audit_when_the_client_has_gone() -> None:
    served = Served()
    await served.begin()
    await served.change("a")
    served.go()
    await turns()
    served.slow.may_end.set()
    await served.serving
    assert served.audit.entries == [DONE]
    assert served.line.heard.empty()


async def test_a_mutation_is_carried_out_that_the_client_wants_no_answer_of() -> None:
    served = Served()
    await served.begin()
    await served.change("a")
    served.line.say(type="complete", id="a")
    # Its id is free, and the connection goes on, while it is carried out.
    served.subscribe("a", "{ nothing }")
    assert (await served.line.hear())["type"] == "error"
    served.slow.may_end.set()
    served.go()
    await served.serving
    assert served.audit.entries == [DONE]
    assert served.line.heard.empty()


async def test_a_mutation_that_nobody_waits_for_is_under_way_still() -> None:
    served = Served()
    served.sockets.most = 1
    await served.begin()
    await served.change("a")
    served.line.say(type="complete", id="a")
    served.subscribe("b")
    said = await served.line.hear()
    assert said["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    served.slow.may_end.set()
    served.go()
    await served.serving


async def test_a_process_that_stops_waits_for_a_mutation() -> None:
    served = Served()
    await served.begin()
    await served.change("a")
    await served.listeners.stop()
    assert await served.line.hear() == {
        "type": "websocket.close",
        "code": 1001,
        "reason": "The service stops; connect again.",
    }
    assert not served.serving.done()
    served.slow.may_end.set()
    await served.serving
    assert served.audit.entries == [DONE]


@pytest.mark.parametrize(
    ("mutation", "action"), [(REMOVE, "removeProvider"), (BLOCK, "blockIdentifier")]
)
async def test_a_mutation_that_is_given_up_is_told_to_the_audit(mutation: str, action: str) -> None:
    """As the ASGI server does with what goes on for too long when the process stops."""
    served = Served()
    await served.begin()
    await served.change("a", mutation)
    served.go()
    served.serving.cancel()
    await asyncio.wait({served.serving})
    await turns()
    assert served.audit.entries == [(action, "FAILED", ())]


async def test_one_operation_too_many() -> None:
    served = Served(most=100)
    served.sockets.most = 1
    await served.begin()
    served.subscribe("a")
    served.subscribe("b")
    said = await served.line.hear()
    assert (said["type"], said["id"]) == ("error", "b")
    assert said["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert said["payload"][0]["extensions"]["requestId"].endswith("-2")
    served.serving.cancel()
    await asyncio.wait({served.serving})


async def test_operations_that_are_sent_together_have_ids_of_their_own() -> None:
    served = Served()
    await served.begin()
    for id in ("a", "b", "c"):
        served.subscribe(id, "{ nothing }")
    heard = [await served.line.hear() for _ in range(3)]
    ids = {said["id"]: said["payload"][0]["extensions"]["requestId"] for said in heard}
    assert {id: given.rpartition("-")[2] for id, given in ids.items()} == {
        "a": "1",
        "b": "2",
        "c": "3",
    }
    served.serving.cancel()
    await asyncio.wait({served.serving})


async def test_one_subscription_of_a_caller_too_many() -> None:
    served = Served(most=1)
    await served.begin()
    with served.listeners.subscribed(CALLER):
        served.subscribe("a")
        said = await served.line.hear()
    assert said["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    served.serving.cancel()
    await asyncio.wait({served.serving})


async def test_a_journey_that_is_one_too_many_is_followed_no_more() -> None:
    served = Served(most=1)
    await served.begin()
    with served.listeners.subscribed(CALLER):
        served.subscribe("a", JOURNEY)
        said = await served.line.hear()
    assert said["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert served.lines.closed.is_set()
    served.go()
    await served.serving


async def test_whoever_has_as_many_subscriptions_as_may_be_still_asks() -> None:
    served = Served(most=1)
    await served.begin()
    with served.listeners.subscribed(CALLER):
        served.subscribe("a", "{ __typename }")
        assert (await served.line.hear())["payload"] == {"data": {"__typename": "Query"}}
    served.go()
    await served.serving


async def test_a_client_that_reads_too_slowly_is_told_so() -> None:
    """Three may wait, beside the one that is on its way: with the fifth it is too much."""
    served = Served()
    await served.begin()
    served.subscribe("a")
    served.source.tell(1)
    await served.line.hear()
    served.line.is_read.clear()
    served.source.tell(2)
    while served.source.waiting._items:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for sequence in range(3, 7):
        served.source.tell(sequence)
    served.line.is_read.set()
    assert (await served.line.hear())["payload"]["data"]["identityChanges"]["sequence"] == 2
    said = await served.line.hear()
    assert (said["type"], said["payload"][0]["extensions"]["code"]) == ("error", "OVERRUN")
    served.serving.cancel()
    await asyncio.wait({served.serving})


async def test_a_client_that_reads_nothing_any_more_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = Served()
    await served.begin()
    served.subscribe("a")
    served.source.tell(1)
    await served.line.hear()
    monkeypatch.setattr(sockets, "SEND_SECONDS", 0)
    monkeypatch.setattr(sockets, "CLOSE_SECONDS", 0)
    served.line.is_read.clear()
    served.source.tell(2)
    await served.serving
    assert served.source.closed.is_set()


async def test_the_process_stops() -> None:
    served = Served()
    await served.begin()
    served.subscribe("a")
    stopping = asyncio.create_task(served.listeners.stop())
    assert (await served.closed())[0] == 1001
    await stopping


async def test_whoever_comes_while_the_process_stops_is_sent_away() -> None:
    served = Served()
    served.listeners.is_stopping = True
    served.line.say(type="connection_init", payload={"Authorization": "Bearer key"})
    assert (await served.closed())[0] == 1001


async def test_a_key_that_opens_nothing_any_more_ends_its_sockets_and_no_other() -> None:
    served = Served()
    await served.begin()
    ended: list[GraphidError | None] = []
    with served.listeners.listening(Listener("key", ended.append)):
        await served.listeners.look()
        assert ended == []
        served.door.error = DatabaseUnavailable()
        await served.listeners.look()
        assert ended == []
        served.door.error = Unauthorized("This key was revoked.")
        await served.listeners.look()
    assert [str(error) for error in ended] == ["This key was revoked."]
    assert await served.closed() == (4401, "This key was revoked.")
    assert served.door.asked == ["key"] * 3  # once for all who show it


async def test_what_waits_is_bounded() -> None:
    waiting: Waiting[int] = Waiting(2)
    for number in range(5):
        waiting.offer(number)
    with pytest.raises(Overrun):
        await waiting.get()
    waiting.offer(7)
    with pytest.raises(Overrun):
        await waiting.get()


# ---------------------------------------------------------------------- server-sent events


class Subscribed:
    """Payloads that are said by the test; an error ends them."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[bytes | GraphidError | Exception] = asyncio.Queue()
        self.closed = asyncio.Event()

    async def payloads(self) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                said = await self.said.get()
                if isinstance(said, Exception):
                    raise said
                yield said
        finally:
            self.closed.set()


class Streamed:
    """One answer that is streamed."""

    def __init__(self, **more: Any) -> None:
        self.subscribed, self.gone = Subscribed(), asyncio.Event()
        self.listeners = Listeners(Door())  # type: ignore[arg-type]
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()
        stream = EventStream(
            self.subscribed,  # type: ignore[arg-type]
            "key",
            self.listeners,
            AsyncExitStack(),
            **more,
        )
        self.serving = asyncio.create_task(stream({}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.sent.put_nowait(message["body"])
        else:
            assert (b"content-type", b"text/event-stream; charset=utf-8") in message["headers"]


async def test_events_and_an_error_at_the_end() -> None:
    streamed = Streamed()
    streamed.subscribed.said.put_nowait(b'{"data":1}')
    streamed.subscribed.said.put_nowait(Overrun())
    await streamed.serving
    assert streamed.sent.get_nowait() == b":\n\n"
    assert streamed.sent.get_nowait() == b'event: next\ndata: {"data":1}\n\n'
    assert b'"code":"OVERRUN"' in streamed.sent.get_nowait()
    assert streamed.sent.get_nowait() == b"event: complete\ndata:\n\n"


async def test_a_fault_of_ours_is_masked() -> None:
    streamed = Streamed()
    streamed.subscribed.said.put_nowait(ValueError("secret"))
    await streamed.serving
    streamed.sent.get_nowait()
    said = streamed.sent.get_nowait()
    assert b'"code":"INTERNAL"' in said
    assert b"secret" not in said


async def test_a_quiet_stream_gives_signs_of_life() -> None:
    streamed = Streamed(alive_every=0)
    for _ in range(3):
        assert await streamed.sent.get() == b":\n\n"
    streamed.gone.set()
    await streamed.serving


async def test_a_client_that_is_gone_leaves_nothing_behind() -> None:
    streamed = Streamed()
    await streamed.sent.get()
    streamed.subscribed.said.put_nowait(b"1")
    await streamed.sent.get()
    streamed.gone.set()
    await streamed.serving
    assert streamed.subscribed.closed.is_set()
    await streamed.listeners.stop()


async def test_a_stream_is_complete_when_the_process_stops() -> None:
    streamed = Streamed()
    await streamed.sent.get()
    await streamed.listeners.stop()
    assert await streamed.sent.get() == b"event: complete\ndata:\n\n"


async def test_a_journey_whose_head_cannot_be_sent_is_followed_no_more() -> None:
    lines, door, listeners = Lines(), Door(), Listeners(Door())  # type: ignore[arg-type]
    route = graphql_route(door, services(news=lines), listeners=listeners)  # type: ignore[arg-type]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/graphql",
        "query_string": urlencode({"query": JOURNEY}).encode(),
        "headers": [(b"accept", b"text/event-stream")],
    }

    async def send(message: Any) -> None:
        assert message["type"] == "http.response.start"
        assert listeners.subscriptions == 1
        raise OSError("The client is gone.")

    with pytest.raises(OSError, match="gone"):
        await route.handle(scope, asyncio.Event().wait, send)  # type: ignore[arg-type]
    assert lines.closed.is_set()
    assert listeners.subscriptions == 0
