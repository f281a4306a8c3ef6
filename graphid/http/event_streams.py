"""GraphQL by server-sent events, for where no WebSocket comes through: a connection for each
operation (``graphql-sse``, "distinct connections mode")."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from graphid.api.execution import Answer, error_body
from graphid.api.streaming import Subscribed
from graphid.errors import GraphidError, InternalError
from graphid.http.listeners import Listener, Listeners
from graphid.http.negotiation import EVENTS

log = structlog.get_logger()

ALIVE_EVERY = 12.0
"""Seconds between two signs of life: proxies close what is silent."""

SEND_SECONDS = 10.0
"""How long a client may let an event wait before it is given up as one that reads no more."""

COMPLETE = b"event: complete\ndata:\n\n"
ALIVE = b":\n\n"

_encode = msgspec.json.Encoder().encode


class EventStream:
    """The answer to one request, event by event. What is in ``stack`` is left when it ends."""

    def __init__(
        self,
        found: Answer | Subscribed,
        shown: str,
        listeners: Listeners,
        stack: AsyncExitStack,
        *,
        alive_every: float = ALIVE_EVERY,
    ) -> None:
        self._found = found
        self._shown = shown
        self._listeners = listeners
        self._stack = stack
        self._alive_every = alive_every
        self._ended: asyncio.Future[GraphidError | None] = (
            asyncio.get_running_loop().create_future()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until it is over, the client is gone, or the process stops."""
        self._to = send
        async with self._stack:
            with self._listeners.listening(Listener(self._shown, self._end)):
                await self._send_head()
                pumping = asyncio.create_task(self._pump())
                gone = asyncio.create_task(self._gone(receive))
                live = asyncio.create_task(self._live())
                tasks = {pumping, gone, live}
                any_of: set[asyncio.Future[Any]] = {*tasks, self._ended}
                try:
                    await asyncio.wait(any_of, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.wait(tasks)
                with suppress(OSError, TimeoutError):
                    await self._part(pumping)

    def _end(self, error: GraphidError | None) -> None:
        if not self._ended.done():
            self._ended.set_result(error)

    async def _part(self, pumping: asyncio.Task[None]) -> None:
        """Say why it is over, where anybody listens still."""
        if self._ended.done():
            error = self._ended.result()
            if error is not None:
                await self._next(_encode(error_body(error)))
        elif pumping.cancelled():
            return  # the client is gone
        elif (failure := pumping.exception()) is not None:
            if isinstance(failure, OSError | TimeoutError):
                return
            if not isinstance(failure, GraphidError):
                log.error("request_failed", exc_info=failure)
                failure = InternalError()
            await self._next(_encode(error_body(failure)))
        await self._send(COMPLETE, more=False)

    async def _pump(self) -> None:
        if isinstance(self._found, Answer):
            await self._next(_encode(self._found.body))
            return
        payloads = self._found.payloads()
        try:
            async for payload in payloads:
                await self._next(payload)
        finally:
            await payloads.aclose()

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self._alive_every)
            await self._send(ALIVE)

    async def _next(self, payload: bytes) -> None:
        # JSON has no line ends but what it escapes.
        await self._send(b"event: next\ndata: " + payload + b"\n\n")

    async def _send_head(self) -> None:
        headers = [
            (b"content-type", f"{EVENTS}; charset=utf-8".encode()),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
        ]
        await self._to({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send(ALIVE)  # so that the head goes out at once

    async def _send(self, body: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._to({"type": "http.response.body", "body": body, "more_body": more})
        await asyncio.sleep(0)
