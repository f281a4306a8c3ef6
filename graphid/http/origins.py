"""Pages of other origins: which of them may send with a key, and read what is answered.

Keys travel in headers and bodies, and no cookie authenticates anything, so there is nothing that a
page could do in another's name. A preflight carries no key: it is answered for every origin. What
follows it is judged by the key: a page of a foreign origin is refused, and cannot read the refusal.
An answer that no key was looked at for tells nothing about anybody, and every page may read it.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphid.auth.keys import Caller

PREFLIGHT_SECONDS = 7200
"""How long a browser may remember that it may send: the most that Chromium keeps."""

_CALLER = "graphid.caller"
"""Where the scope of a request has who sent it, once that is known."""


def admit(request: HTTPConnection, caller: Caller) -> Caller:
    """The caller, where the page that sends is of an origin that the key allows.

    Raises Forbidden.
    """
    request.scope[_CALLER] = caller
    caller.require_origin(request.headers.get("origin"))
    return caller


class Origins(CORSMiddleware):
    """Starlette's middleware, with what an answer tells a page left to the key."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],
            allow_credentials=False,
            expose_headers=["Retry-After", "X-Request-Id"],
            max_age=PREFLIGHT_SECONDS,
        )

    async def simple_response(
        self, scope: Scope, receive: Receive, send: Send, request_headers: Headers
    ) -> None:
        """As Starlette's, but that a key with a list of origins names the one that may read."""
        origin = request_headers.get("origin")

        async def as_the_key_allows(message: Message) -> None:
            caller: Caller | None = scope.get(_CALLER)
            if origin is not None and caller is not None and caller.origins is not None:
                _allow(message, origin if origin in caller.origins else None)
            await send(message)

        await super().simple_response(scope, receive, as_the_key_allows, request_headers)


def _allow(message: Message, origin: str | None) -> None:
    if message["type"] == "http.response.start":
        headers = MutableHeaders(scope=message)
        del headers["Access-Control-Allow-Origin"]
        if origin is not None:
            headers["Access-Control-Allow-Origin"] = origin
