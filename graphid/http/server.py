"""Runs the application in this process until a signal says stop, and then stops in good order.

SIGTERM: ``/readyz`` answers 503 at once; new requests are still answered for ``DRAIN_SECONDS``,
while load balancers look elsewhere; then no new connection is taken, what is in flight is
finished, and ``serve`` returns. SIGINT (Ctrl-C) does the same without the wait; a second one
stops at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from time import monotonic
from types import FrameType
from typing import Any, TypeVar, cast

import structlog
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

from graphid.errors import SettingsError
from graphid.settings import Settings

T = TypeVar("T")
log = structlog.get_logger()

DRAIN_SECONDS = 1.0

PARTING_SECONDS = 10.0
"""How long a client may take to read what is left for it on a socket that is over."""

MAX_FRAME_BYTES = 65_536
"""Of what is around a body (request line and headers; trailers): what a sender may have us keep."""

YOUNG = 20_000
"""Objects made between two looks for garbage in circles; Python's own 700 is a look a request."""

_WHY = (
    f"The head of the request is no WebSocket's, or too large: {MAX_NUM_HEADERS} headers, "
    f"{MAX_LINE_LENGTH} bytes each."
)
_UNREADABLE_HEAD = (
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    f"Content-Length: {len(_WHY)}\r\nConnection: close\r\n\r\n{_WHY}"
).encode("ascii")


def run(service: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run``, on uvloop where that can be had: the same, and takes less time."""
    try:
        import uvloop  # noqa: PLC0415 - not made for Windows and PyPy
    except ImportError:
        return asyncio.run(service)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(service)


def settle_memory() -> None:
    """What was made to start with (modules, the schema) stays: no garbage is looked for in it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


def listen(settings: Settings) -> socket.socket:
    """The bound socket, before anything slow is started; SettingsError where it cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only where it is, and accepted
    # sockets inherit it: without, head and body of an answer go out 40 ms apart (Nagle's
    # algorithm against the client's delayed acknowledgement). socket.create_server leaves it 0.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
        return listener
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        fault = f"GRAPHID_HOST, GRAPHID_PORT: {where} cannot be used: {error.strerror}"
    raise SettingsError([fault])


def address_of(listener: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    app: Starlette,
    listener: socket.socket,
    settings: Settings,
    *,
    on_ready: Callable[[], None] = lambda: None,
    on_stop: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Answer requests until SIGTERM or SIGINT. ``on_ready`` is called once requests are taken,
    ``on_stop`` before connections are closed: whoever is connected for long is told then."""
    settle_memory()
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws=_SocketProtocol,
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=False,  # takes more memory than small messages save
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=int(settings.request_timeout) + 5,
    )
    await _Server(config, app, on_ready, on_stop).serve(sockets=[listener])


class _Together:
    """A transport that sends what is written in one turn of the loop at once.

    uvicorn writes head and body of an answer one after the other: two calls of the system, and
    a client that is woken twice.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._written:
            asyncio.get_running_loop().call_soon(self._send)
        self._written.append(data)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._written and not self._transport.is_closing():
            self._transport.write(b"".join(self._written))
        self._written.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Protocol(HttpToolsProtocol):
    """uvicorn's, with what its slower one does better: the limit of a head, and order."""

    _unread = 0
    """Bytes received since the last that completed something."""
    _answered: RequestResponseCycle | None = None
    """The request that is being answered; ``cycle`` is the last that came."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, _Together(transport))

    def connection_lost(self, exc: Exception | None) -> None:
        asked = self._answered
        if asked is not None and not asked.response_complete:
            # uvicorn tells only the last that came, and an event stream before it would never end.
            asked.disconnected = True
            asked.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MAX_FRAME_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def send_400_response(self, msg: str) -> None:
        asked = self.cycle
        if asked is not None and not asked.more_body and not asked.response_complete:
            # The request is whole; what came behind it is not. It is answered, and that is all.
            asked.keep_alive = False
        else:
            super().send_400_response(msg)

    def on_headers_complete(self) -> None:
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()


def _is_text(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True


class _SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, but that what is written to a client that reads no more is not kept for ever, and
    that what cannot be read is answered."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            self.transport.write(_UNREADABLE_HEAD)
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.curr_msg_data_type = "bytes"  # which are no message, either
        super().send_receive_event_to_app()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self.loop.call_later(PARTING_SECONDS, self.transport.abort)


class _Server(uvicorn.Server):
    """uvicorn's server, with a time between "not ready" and "closed"."""

    def __init__(
        self,
        config: uvicorn.Config,
        app: Starlette,
        on_ready: Callable[[], None],
        on_stop: Callable[[], Awaitable[None]] | None,
    ) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self._app = app
        self._on_ready = on_ready
        self._stop_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._on_stop is not None:
            await self._on_stop()
        await super().shutdown(sockets=sockets)

    async def on_tick(self, counter: int) -> bool:
        if self._stop_at is not None and monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._app.state.draining:
            self.should_exit = True
            self.force_exit = sig == signal.SIGINT
            return
        self._app.state.draining = True
        self._stop_at = monotonic() + (DRAIN_SECONDS if sig == signal.SIGTERM else 0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Like uvicorn's, which afterwards raises the signal again: that would kill us before
        the database is closed and the engine stopped."""
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            log.info("server_stopped")
