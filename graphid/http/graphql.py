"""GraphQL over HTTP: ``/graphql``, by POST, and queries by GET too.

No batches, no uploads, no page for browsers. With ``Accept: text/event-stream`` the answer comes
as server-sent events, and subscriptions are taken, by GET too. With ``Accept:
application/graphql-response+json`` the status says what became of the request; with
``application/json`` it is 200 for whatever was understood as GraphQL. Whoever accepts none of these
gets 406, and nothing is done.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from graphid.api.context import RequestContext, Services
from graphid.api.execution import Answer, MutationByGet, Request, answer, error_body
from graphid.api.streaming import Subscribed, begin
from graphid.errors import GraphidError, InvalidInput, Retryable
from graphid.graph.bookmarks import BOOKMARK, following
from graphid.http.answers import GRAPHQL, headers_of, status_of
from graphid.http.callers import Callers, bearer_in
from graphid.http.event_streams import EventStream
from graphid.http.json_text import parse_json
from graphid.http.listeners import Listeners
from graphid.http.negotiation import EVENTS, MODERN, OFFERED, PLAIN, media_of
from graphid.http.operations import request_of
from graphid.http.witnesses import Witnesses

MAX_BOOKMARKS = 2000
"""Characters of the header that names what a caller has seen: some forty bookmarks."""

_encode = msgspec.json.Encoder().encode


def graphql_route(
    callers: Callers,
    services: Services,
    witnesses: Witnesses | None = None,
    listeners: Listeners | None = None,
) -> Route:
    """The route that answers GraphQL. ``witnesses``: tell the audit of requests. ``listeners``:
    take subscriptions; without, there are none."""
    endpoint = _Endpoint(callers, services, witnesses, listeners or Listeners(callers))
    return Route(GRAPHQL, endpoint.respond, methods=["GET", "POST"])


@dataclass(frozen=True)
class _Endpoint:
    callers: Callers
    services: Services
    witnesses: Witnesses | None
    listeners: Listeners

    async def respond(self, http: HttpRequest) -> Response | EventStream:
        media = media_of(http.headers.get("accept", ""))
        if media is None:
            raise HTTPException(406, f"The answer can be {' or '.join(OFFERED)}.")
        try:
            return await (self._streamed(http) if media == EVENTS else self._in_json(http, media))
        except MutationByGet:
            raise HTTPException(405, str(MutationByGet.__doc__), {"Allow": "POST"}) from None

    async def _in_json(self, http: HttpRequest, media: str) -> Response:
        """The answer at once. Raises MutationByGet."""
        try:
            caller = await self.callers.bearer(http)
            context = RequestContext.of(caller, self.services)
            if self.witnesses is not None:
                context.audit = self.witnesses.of(caller.name, http)
            allowance = self.callers.allowance(caller, http)
            with following(_awaited(http)) as bookmarks:
                if allowance is None:
                    found = await self._answer(http, context)
                else:
                    context.allowance = allowance
                    async with allowance:
                        found = await self._answer(http, context)
        except GraphidError as error:
            return _response(error_body(error), status_of(error), media, headers_of(error))
        if bookmarks.reached and not caller.is_browser:
            found.body["extensions"] = {"bookmark": ",".join(bookmarks.reached)}
        return _response(found.body, _status(found, media), media, _headers(found))

    async def _streamed(self, http: HttpRequest) -> Response | EventStream:
        """The answer as events; as one in JSON where there is none. Raises MutationByGet."""
        if http.method == "HEAD":
            # What it would be the head of need not have an end.
            raise HTTPException(
                405, "Events are to be had by GET and POST.", {"Allow": "GET, POST"}
            )
        async with AsyncExitStack() as stack:
            try:
                caller = await self.callers.bearer(http)
                context = RequestContext.of(caller, self.services)
                if self.witnesses is not None:
                    context.audit = self.witnesses.of(caller.name, http)
                context.allowance = self.callers.allowance(caller, http)
                if context.allowance is not None:
                    await stack.enter_async_context(context.allowance)
                stack.enter_context(self.listeners.subscribed(caller))
                request = await _read(http)
                found = await begin(request, context, may_change=http.method == "POST")
            except GraphidError as error:
                return _response(error_body(error), status_of(error), MODERN, headers_of(error))
            if isinstance(found, Answer) and found.refusal is not None:
                return _response(found.body, _status(found, MODERN), MODERN, _headers(found))
            if isinstance(found, Subscribed):
                await stack.enter_async_context(aclosing(found))
            shown = bearer_in(http.headers.get("authorization", "")) or ""
            return EventStream(found, shown, self.listeners, stack.pop_all())

    async def _answer(self, http: HttpRequest, context: RequestContext) -> Answer:
        return await answer(await _read(http), context, may_change=http.method == "POST")


def _awaited(http: HttpRequest) -> tuple[str, ...]:
    """The bookmarks that the caller has seen. Raises InvalidInput."""
    said = ",".join(http.headers.getlist(BOOKMARK))
    if len(said) > MAX_BOOKMARKS:
        raise InvalidInput(
            f"{BOOKMARK} is longer than {MAX_BOOKMARKS} characters.", path=[BOOKMARK]
        )
    return tuple(dict.fromkeys(part for word in said.split(",") if (part := word.strip())))


def _status(found: Answer, media: str) -> int:
    if (error := _retryable(found)) is not None:
        return status_of(error)
    if found.refusal is None or media == PLAIN:
        return 200
    return status_of(found.refusal)


def _headers(found: Answer) -> dict[str, str]:
    error = _retryable(found)
    return {} if error is None else headers_of(error)


def _retryable(found: Answer) -> Retryable | None:
    """What the same request may be sent again for."""
    error = found.refusal or found.failure
    return error if isinstance(error, Retryable) else None


def _response(body: dict[str, Any], status: int, media: str, headers: dict[str, str]) -> Response:
    return Response(_encode(body), status, headers, media_type=f"{media}; charset=utf-8")


async def _read(http: HttpRequest) -> Request:
    """The request. Raises InvalidInput, naming what is wrong, and HTTPException 415."""
    if http.method == "POST":
        if not _is_json(http.headers.get("content-type", "")):
            raise HTTPException(415, f"Content-Type must be {PLAIN}, in UTF-8.")
        # Not by http.body(), which keeps it for as long as a subscription goes on.
        sent = parse_json(b"".join([part async for part in http.stream()]))
        if not isinstance(sent, dict):
            raise InvalidInput("The body must be one JSON object; batches are not taken.")
    else:
        sent = dict(http.query_params)
        for name in ("variables", "extensions"):
            if name in sent:
                sent[name] = parse_json(str(sent[name]).encode("utf-8", "surrogatepass"))
    return request_of(sent)


def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charsets = [p.removeprefix("charset=").strip('"') for p in parameters if "charset=" in p]
    return kind == PLAIN and all(charset in {"utf-8", "utf8"} for charset in charsets)
