"""How many bodies are worked on at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from graphid.errors import Busy
from graphid.http.body import Bodies


def request(bodies: Bodies, body: bytes, send: Send) -> Coroutine[Any, Any, None]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-length", str(len(body)).encode())]
    return bodies({"type": "http", "method": "POST", "headers": headers}, receive, send)


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

    bodies = Bodies(app, limit=100, seconds=60, most=4)
    impatient = Bodies(app, limit=100, seconds=0.01, most=4)
    impatient._room = bodies._room
    long = asyncio.create_task(request(bodies, b"long", send))
    await begun.wait()
    with pytest.raises(Busy):
        await request(impatient, b"x", send)
    waiting = asyncio.create_task(request(bodies, b"y", send))
    over.set()
    await asyncio.gather(long, waiting)
    assert answered == [b"long", b"y"]
    await request(impatient, b"x", send)
    assert answered == [b"long", b"y", b"x"]


async def test_an_answer_that_goes_on_leaves_its_place_to_others() -> None:
    begun, over, sent = asyncio.Event(), asyncio.Event(), []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if body == b"long":
            begun.set()
            await over.wait()
        await send({"type": "http.response.body", "body": body})

    async def send(message: Message) -> None:
        sent.append(message.get("body"))

    bodies = Bodies(app, limit=100, seconds=0, most=4)
    long = asyncio.create_task(request(bodies, b"long", send))
    await begun.wait()
    await request(bodies, b"full", send)
    assert sent == [None, None, b"full"]
    over.set()
    await long
    assert sent[-1] == b"long"
    assert bodies._room.taken == 0
