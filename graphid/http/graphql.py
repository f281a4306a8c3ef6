"""GraphQL over HTTP: ``/graphql``, by POST, and queries by GET too.

No batches, no uploads, no page for browsers, no web socket. With ``Accept:
application/graphql-response+json`` the status says what became of the request; with
``application/json`` it is 200 for whatever was understood as GraphQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from graphid.api.context import RequestContext, Services
from graphid.api.execution import Answer, MutationByGet, Request, answer, error_body
from graphid.errors import GraphidError, InvalidInput, Retryable
from graphid.graph.bookmarks import BOOKMARK, following
from graphid.http.answers import headers_of, status_of
from graphid.http.callers import Callers
from graphid.http.json_text import parse_json
from graphid.http.witnesses import Witnesses

PLAIN = "application/json"
MODERN = "application/graphql-response+json"

MAX_BOOKMARKS = 2000
"""Characters of the header that names what a caller has seen: some forty bookmarks."""

_encode = msgspec.json.Encoder().encode


def graphql_route(
    callers: Callers, services: Services, witnesses: Witnesses | None = None
) -> Route:
    """The route that answers GraphQL. ``witnesses``: tell the audit of requests."""
    endpoint = _Endpoint(callers, services, witnesses)
    return Route("/graphql", endpoint.respond, methods=["GET", "POST"])


@dataclass(frozen=True)
class _Endpoint:
    callers: Callers
    services: Services
    witnesses: Witnesses | None

    async def respond(self, http: HttpRequest) -> Response:
        media = MODERN if MODERN in http.headers.get("accept", "") else PLAIN
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
        except MutationByGet:
            told = error_body(InvalidInput(MutationByGet.__doc__))
            return _response(told, 405, media, {"Allow": "POST"})
        except GraphidError as error:
            return _response(error_body(error), status_of(error), media, headers_of(error))
        if bookmarks.reached and not caller.is_browser:
            found.body["extensions"] = {"bookmark": ",".join(bookmarks.reached)}
        return _response(found.body, _status(found, media), media, _headers(found))

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
    """The request. Raises InvalidInput, or TooLarge, naming what is wrong."""
    if http.method == "POST":
        kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != PLAIN:
            raise InvalidInput(f"Content-Type must be {PLAIN}.")
        sent = parse_json(await http.body())
        if not isinstance(sent, dict):
            raise InvalidInput("The body must be one JSON object; batches are not taken.")
    else:
        sent = dict(http.query_params)
        for name in ("variables", "extensions"):
            if name in sent:
                sent[name] = parse_json(str(sent[name]).encode("utf-8", "surrogatepass"))
    return _request(sent)


def _request(sent: dict[str, Any]) -> Request:
    query, name = sent.get("query"), sent.get("operationName")
    variables = sent.get("variables")
    if not isinstance(query, str) or not query.strip():
        raise InvalidInput("query must be a text that holds GraphQL.", path=["query"])
    if name is not None and not isinstance(name, str):
        raise InvalidInput("operationName must be a text.", path=["operationName"])
    if variables is not None and not isinstance(variables, dict):
        raise InvalidInput("variables must be an object.", path=["variables"])
    extensions = sent.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise InvalidInput("extensions must be an object.", path=["extensions"])
    return Request(query, variables or {}, name or None)
