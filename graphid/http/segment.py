"""``POST /v1/…``: the tracking API that the SDKs of Segment, RudderStack and Jitsu speak.

Success is 200 and ``{"success": true, "accepted": 2, "duplicates": 0, "errors": [], "warnings":
[]}``. Of a batch, a call that cannot be stored is an entry of ``errors`` (``index``, ``code``,
``path``, ``message``) and the others are stored; an SDK would send a refused batch again, whole.
With ``X-Strict-Mode: 1`` a batch with such a call is 400, with the same list, and nothing of it is
stored. A single call that cannot be stored is 400. The write key is a publishable or secret key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from graphid.auth.keys import Caller
from graphid.auth.scopes import Scope
from graphid.errors import Forbidden, GraphidError, InvalidInput, TooLarge
from graphid.http.callers import Callers
from graphid.http.gate import Allowance
from graphid.http.json_text import parse_batch
from graphid.http.request_id import request_id
from graphid.http.segment_calls import Clock, JsonObject, sent_at_of, translate
from graphid.http.segment_plain import plain_of
from graphid.identity.ids import Ids
from graphid.service.messages import Message, Sender
from graphid.service.receipts import Receipt
from graphid.service.senders import sender_of

MAX_BATCH = 2_500
"""Calls in one batch."""

BAD_HEADER = "The Authorization header is not valid."
NO_KEY = "Send a write key: as user of Basic authentication, as X-Write-Key, or as writeKey."

STRICT = "x-strict-mode"
"""The header that has a batch refused for one bad call."""

CALLS = ("identify", "track", "page", "screen", "alias", "group")

SHORT = {call[0]: call for call in CALLS}
"""``/v1/t`` is ``/v1/track``: what the browser SDK posts to."""

BATCHES = ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch")
"""Where batches go; the last is RudderStack's, from pages that are being left."""

SINGLES = ("/v1", "/api/s", "/api/s/s2s")
"""Where the calls are, each by its name; the last two are Jitsu's, of browsers and of servers."""


Answering = Callable[
    [Request, JsonObject, Sender, Allowance | None], Coroutine[Any, Any, JSONResponse]
]
"""Answers a body, from a sender, within an allowance where there are limits."""


class Ingests(Protocol):
    """What stores messages; see ``graphid.service.ingest``."""

    async def submit(self, messages: Sequence[Message], sender: Sender) -> list[Receipt]:
        """One receipt a message, in order."""


class Segment:
    """The endpoints, on a service."""

    def __init__(self, ingest: Ingests, callers: Callers, ids: Ids) -> None:
        self._ingest = ingest
        self._callers = callers
        self._ids = ids

    def routes(self) -> list[BaseRoute]:
        """``/v1/batch``, ``/v1/identify`` and so on, long and short, and what others call them."""
        paths: dict[str, Answering] = dict.fromkeys(BATCHES, self._batch)
        for place in SINGLES:
            for call in CALLS:
                paths[f"{place}/{call}"] = self._single
        for short in SHORT:
            paths[f"/v1/{short}"] = self._single
        return [
            Route(path, self._admitted(answer), methods=["POST"]) for path, answer in paths.items()
        ]

    def _admitted(self, answer: Answering) -> Callable[[Request], Awaitable[JSONResponse]]:
        """What answers, for whom the key and its limits let in."""

        async def respond(request: Request) -> JSONResponse:
            caller, body = await self._caller(request)
            if Scope.EVENT_WRITE not in caller.scopes:
                raise Forbidden(f"This key may not send events: it needs {Scope.EVENT_WRITE}.")
            allowance = self._callers.allowance(caller, request)
            if allowance is None:
                return await answer(request, body or await _body(request), sender_of(caller), None)
            async with allowance:
                body = body or await _body(request)
                return await answer(request, body, sender_of(caller), allowance)

        return respond

    async def _caller(self, request: Request) -> tuple[Caller, JsonObject | None]:
        """Whose request it is, and the body where the key was in it: one outside of the body is
        judged before the body."""
        key = key_in_headers(request)
        if key is not None:
            return await self._callers.find(request, key, BAD_HEADER), None
        body = await _body(request)
        key = _key_of(body.get("writeKey")) or _key_of(request.query_params.get("writeKey"))
        return await self._callers.find(request, key, NO_KEY), body

    async def _batch(
        self, request: Request, body: JsonObject, sender: Sender, allowance: Allowance | None
    ) -> JSONResponse:
        calls = body.get("batch")
        if not isinstance(calls, list):
            raise InvalidInput("must be a list of calls", path=["batch"])
        if len(calls) > MAX_BATCH:
            raise TooLarge(f"must hold at most {MAX_BATCH} calls", path=["batch"])
        context = body.get("context")
        if context is not None and not isinstance(context, dict):
            raise InvalidInput("must be an object", path=["context"])
        if allowance is not None:
            await allowance.spend(events=len(calls))
        read = self._read(calls, body, context, sender)
        if read.errors and request.headers.get(STRICT) == "1":
            return JSONResponse(_refused(read.errors), 400)
        return JSONResponse(await self._store(read, sender))

    async def _single(
        self, request: Request, body: JsonObject, sender: Sender, allowance: Allowance | None
    ) -> JSONResponse:
        name = request.url.path.rpartition("/")[2]
        if allowance is not None:
            await allowance.spend(events=1)
        call = {**body, "type": SHORT.get(name, name)}
        answer = await self._store(self._read([call], body, None, sender), sender)
        if answer["errors"]:
            error = answer["errors"][0]
            raise InvalidInput(error["message"], path=error["path"])
        return JSONResponse(answer)

    def _read(
        self,
        calls: list[Any],
        body: JsonObject,
        context: JsonObject | None,
        sender: Sender,
    ) -> _Read:
        """The messages that the calls mean, and what is wrong with the others."""
        clock = Clock(sent_at_of(body), datetime.now(UTC))

        def cookie_of(user: str, kind: str, message: str | None) -> str:
            if not sender.is_browser:
                return self._ids.cookie_of_server(user)
            # What anybody may say of a user beside the user id is said on nobody else's cookie.
            alone = (message or uuid4().hex) if kind == "identify" else None
            return self._ids.cookie_of_browser(user, alone)

        read = _Read()
        for index, call in enumerate(calls):
            try:
                if isinstance(call, InvalidInput):
                    raise call
                if not isinstance(call, dict):
                    raise InvalidInput("must be an object", path=[])
                plain = None if context or clock.of(call).is_wrong else plain_of(call)
                read.messages[index] = plain or translate(
                    call, clock=clock, cookie_of=cookie_of, context=context
                )
            except InvalidInput as error:
                read.errors[index] = error
        return read

    async def _store(self, read: _Read, sender: Sender) -> dict[str, Any]:
        """Store what could be read; the answer."""
        messages = [*read.messages.values()]
        receipts = await self._ingest.submit(messages, sender) if messages else []
        stored = dict(zip(read.messages, receipts, strict=True))
        refused = {i: receipt.problem for i, receipt in stored.items() if receipt.problem}
        errors = read.errors | refused
        return {
            "success": True,
            "accepted": len(stored) - len(refused),
            "duplicates": sum(receipt.duplicate for receipt in stored.values()),
            "errors": [_told(index, error) for index, error in sorted(errors.items())],
            "warnings": [
                {"index": index, "code": warning.code, "message": warning.message}
                for index, receipt in stored.items()
                for warning in receipt.warnings
            ],
        }


@dataclass
class _Read:
    """What the calls of a request say, by their index."""

    messages: dict[int, Message] = field(default_factory=dict)
    errors: dict[int, GraphidError] = field(default_factory=dict)


def key_in_headers(request: Request) -> str | None:
    """The write key as user of Basic, as SDKs send it, or Bearer, or ``X-Write-Key``; None where
    none of them is there, and nothing where the header cannot be read."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    written: str | None = None
    if scheme.lower() == "basic":
        try:
            written = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
    elif scheme.lower() == "bearer":
        written = credentials.strip()
    return _key_of(written) or _key_of(request.headers.get("x-write-key"))


def _key_of(written: object) -> str | None:
    """The key in what stands where one may be; None where there is none."""
    # Jitsu's SDKs want "key:secret", as Basic has it. No key of ours has a colon.
    return (isinstance(written, str) and written.partition(":")[0]) or None


async def _body(request: Request) -> JsonObject:
    body = parse_batch(await request.body(), "batch")
    if not isinstance(body, dict):
        raise InvalidInput("The body must be a JSON object.")
    return body


def _refused(errors: Mapping[int, GraphidError]) -> dict[str, Any]:
    """The answer to a batch that is refused for what is wrong with some of it."""
    told = [_told(index, error) for index, error in sorted(errors.items())]
    first = told[0]
    error = {
        "code": first["code"],
        "path": ["batch", str(first["index"]), *first["path"]],
        "message": first["message"],
        "requestId": request_id(),
    }
    beside = {"code": error["code"], "message": error["message"]}
    return {"success": False, "accepted": 0, "error": error, "errors": told, **beside}


def _told(index: int, error: GraphidError) -> dict[str, Any]:
    return {
        "index": index,
        "code": error.code,
        "path": list(error.path or ()),
        "message": error.message,
    }
