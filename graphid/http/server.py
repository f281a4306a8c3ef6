"""Runs the application in this process until a signal says stop, and then stops in good order.

SIGTERM: ``/readyz`` answers 503 at once; new requests are still answered for ``DRAIN_SECONDS``,
while load balancers look elsewhere; then no new connection is taken, what is in flight is
finished, and ``serve`` returns. SIGINT (Ctrl-C) does the same without the wait; a second one
stops at once.
"""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from time import monotonic
from types import FrameType

import structlog
import uvicorn
from starlette.applications import Starlette

from graphid.errors import SettingsError
from graphid.settings import Settings

log = structlog.get_logger()

DRAIN_SECONDS = 1.0


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
) -> None:
    """Answer requests until SIGTERM or SIGINT. ``on_ready`` is called once requests are taken."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=int(settings.request_timeout) + 5,
    )
    await _Server(config, app, on_ready).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, with a time between "not ready" and "closed"."""

    def __init__(self, config: uvicorn.Config, app: Starlette, on_ready: Callable[[], None]):
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready
        self._stop_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_ready()

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
