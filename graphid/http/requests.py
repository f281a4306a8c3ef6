"""What wraps every request: its id, one line in the log, and no exception past this point."""

from __future__ import annotations

from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphid.errors import GraphidError, InternalError
from graphid.http.answers import error_answer, http_answer
from graphid.http.metrics import Metrics
from graphid.http.request_id import HEADER, accept_or_make, current

log = structlog.get_logger()

QUIET = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by a watchdog: logged at debug."""


class Requests:
    """Gives each HTTP request an id, logs it when it ends, and masks what went wrong.

    The caller's ``X-Request-Id`` is kept where it is 1 to 64 letters, digits, ``.``, ``_`` or
    ``-``; else one is made. The log has the route and never the path as sent, which anybody can
    fill with anything.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics | None = None) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = accept_or_make(Headers(scope=scope).get(HEADER, ""))
        token = current.set(identifier)
        try:
            with structlog.contextvars.bound_contextvars(request_id=identifier):
                await self._answer(scope, receive, send, identifier)
        finally:
            current.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, identifier: str) -> None:
        started = perf_counter()
        status = sent = 0
        begun: float | None = None

        async def counting(message: Message) -> None:
            nonlocal status, sent, begun
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = identifier
                if headers.get("content-type", "").startswith("text/event-stream"):
                    begun = perf_counter()  # how long somebody listens says nothing of us
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counting)
        except Exception as error:
            if status:
                log.error("request_failed", exc_info=error)
                raise  # half an answer is out: closing the connection is all that is left
            await self._mask(error, scope)(scope, receive, counting)
        finally:
            path, seconds = route_of(scope), (begun or perf_counter()) - started
            if self.metrics is not None:
                self.metrics.answered(path, status, seconds)
            tell = log.debug if path in QUIET else log.info
            tell(
                "request",
                method=scope["method"],
                route=path,
                status=status,
                ms=round(seconds * 1000, 1),
                sent=sent,
            )

    @staticmethod
    def _mask(error: Exception, scope: Scope) -> ASGIApp:
        if isinstance(error, HTTPException):
            return http_answer(error, scope)
        if isinstance(error, GraphidError):
            return error_answer(error, scope)
        # The one line about what nobody expected; the caller gets the request's id only.
        log.error("request_failed", exc_info=error)
        return error_answer(InternalError(), scope)


def route_of(scope: Scope) -> str:
    """The pattern of the route that answered, or ``-``."""
    return str(getattr(scope.get("route"), "path", "-"))
