"""Request bodies: read whole, within limits, and decompressed, before anything looks at them."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import AsyncExitStack

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphid.errors import InvalidInput, TooLarge
from graphid.service.lanes import Room

MOST = 16 * 1024 * 1024
"""Bytes of bodies that are worked on at once; what is made of them takes some five times that."""
GZIP = 16 + zlib.MAX_WBITS
POLITE = 4
"""Read on, up to this many times the limit, so that the sender gets to see why it is refused."""


class Bodies:
    """Hands the application one message with the whole body, decompressed.

    ``limit``: bytes as sent and bytes after decompression, each. ``seconds``: for it to arrive,
    and again until it is worked on: ``most`` bytes are at once, each until its answer begins, so
    that what is made of them does not outgrow the memory. Raises TooLarge, InvalidInput (broken
    gzip), Busy and HTTPException 408 and 415, into the middleware around it.
    """

    def __init__(self, app: ASGIApp, *, limit: int, seconds: float, most: int = MOST) -> None:
        self.app = app
        self.limit = limit
        self.seconds = seconds
        self._room = Room(most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if "content-length" not in headers and "transfer-encoding" not in headers:
            await self.app(scope, receive, send)
            return
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "gzip"}:
            await self._discard(receive, 0)
            raise HTTPException(415, "Content-Encoding must be gzip or identity.")
        try:
            async with asyncio.timeout(self.seconds):
                body = await self._read(receive, headers)
        except TimeoutError:
            raise HTTPException(
                408, f"The body did not arrive within {self.seconds:g} seconds."
            ) from None
        except ClientDisconnect:
            return
        if encoding == "gzip":
            body = decompressed(body, self.limit)
            changed = MutableHeaders(scope=scope)
            del changed["content-encoding"]
            changed["content-length"] = str(len(body))
        async with AsyncExitStack() as place:

            async def begun(message: Message) -> None:
                # An answer may go on for ever, and its reader be slow: others need not wait for it.
                if message["type"] == "http.response.start":
                    await place.aclose()
                await send(message)

            await place.enter_async_context(self._room.place(len(body), within=self.seconds))
            once = _once(body, receive)
            del body  # nor is it kept for as long as the answer goes on
            await self.app(scope, once, begun)

    async def _read(self, receive: Receive, headers: Headers) -> bytes:
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self.limit:
            await self._discard(receive, 0)
            raise too_large(self.limit)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self.limit:
                if message.get("more_body", False):
                    await self._discard(receive, size)
                raise too_large(self.limit)
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def _discard(self, receive: Receive, size: int) -> None:
        while size <= self.limit * POLITE:
            message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return
            size += len(message.get("body", b""))


MAX_MEMBERS = 32
"""Parts of a gzip stream. Clients send one; each costs a copy of what is behind it."""


def decompressed(body: bytes, limit: int) -> bytes:
    """The content of a gzip stream, which may have several members; never more than ``limit``.

    Raises TooLarge as soon as the limit is passed, InvalidInput where the stream is not whole.
    """
    parts: list[bytes] = []
    room = limit
    while body:
        if len(parts) == MAX_MEMBERS:
            raise TooLarge(f"The gzip stream has more than {MAX_MEMBERS} members.")
        member = zlib.decompressobj(GZIP)
        try:
            part = member.decompress(body, room + 1)
        except zlib.error:
            raise InvalidInput("The body is not valid gzip.") from None
        room -= len(part)
        if room < 0:
            raise too_large(limit, "decompressed body")
        if not member.eof:
            raise InvalidInput("The body is not valid gzip: it ends too early.")
        parts.append(part)
        body = member.unused_data
    return b"".join(parts)


def too_large(limit: int, what: str = "body") -> TooLarge:
    """The error that names the limit."""
    return TooLarge(f"The {what} is larger than the limit of {limit} bytes.")


def _once(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
