"""How many bodies are worked on at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from graphid.errors import Busy
from graphid.http.body import Bodies


async def test_past_the_most_bodies_wait_and_then_are_told_to_come_again() -> None:
    begun, over, answered = asyncio.Event(), asyncio.Event(), []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        body = (await receive())["body"]
        begun.set()
        if body == b"long":
            await over.wait()
        answered.append(body)

    async def send(_message: Any) -> None:
        raise AssertionError

    def request(bodies: Bodies, body: bytes) -> Coroutine[Any, Any, None]:
        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        headers = [(b"content-length", str(len(body)).encode())]
        return bodies({"type": "http", "method": "POST", "headers": headers}, receive, send)

    bodies = Bodies(app, limit=100, seconds=60, most=4)
    impatient = Bodies(app, limit=100, seconds=0.01, most=4)
    impatient._room = bodies._room
    long = asyncio.create_task(request(bodies, b"long"))
    await begun.wait()
    with pytest.raises(Busy):
        await request(impatient, b"x")
    waiting = asyncio.create_task(request(bodies, b"y"))
    over.set()
    await asyncio.gather(long, waiting)
    assert answered == [b"long", b"y"]
    await request(impatient, b"x")
    assert answered == [b"long", b"y", b"x"]
