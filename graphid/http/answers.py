"""Answers in JSON, and what an error looks like in one.

``{"error": {"code": "TOO_LARGE", "message": "…", "path": ["batch", "0"], "requestId": "…"}}``:
``code`` is for programs, ``message`` for people, ``path`` names the field where there is one.
Clients of GraphQL get the same as ``errors``, with all but the message in ``extensions``; SDKs find
code and message beside ``error``, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Scope

from graphid.errors import (
    Forbidden,
    GraphidError,
    InvalidInput,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
    StaleGraph,
    StaleSchema,
    TooLarge,
    Unauthorized,
)
from graphid.http.negotiation import IN_JSON, PLAIN, media_of
from graphid.http.request_id import request_id

log = structlog.get_logger()

GRAPHQL = "/graphql"
"""Where GraphQL is answered."""

TRACKING = ("/v1/", "/beacon/", "/api/s/")
"""What the paths that SDKs send to begin with. Segment's for Python looks for ``code`` and
``message`` where Segment has them, outside of ``error``; up to 2.3, what is refused without them is
sent again whatever the status."""

STATUS: dict[type[GraphidError], int] = {
    TooLarge: 413,
    InvalidInput: 400,
    NotFound: 404,
    Refused: 409,
    Forbidden: 403,
    Unauthorized: 401,
    StaleGraph: 409,
    StaleSchema: 503,
    RateLimited: 429,
    Retryable: 503,
    GraphidError: 500,
}


def error_answer(error: GraphidError, scope: Scope) -> JSONResponse:
    """The answer to a request for an error of ours; a retryable one says when in
    ``Retry-After``."""
    status, headers = status_of(error), headers_of(error)
    return _answer(scope, status, error.code, error.message, path=error.path, headers=headers)


def status_of(error: GraphidError) -> int:
    """The HTTP status that says what the caller can do."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def headers_of(error: GraphidError) -> dict[str, str]:
    """What HTTP wants besides the status: when to come again, how to authenticate."""
    if isinstance(error, Retryable):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    if isinstance(error, Unauthorized) and not isinstance(error, Forbidden):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def http_answer(error: HTTPException, scope: Scope) -> JSONResponse:
    """The answer for what HTTP itself refuses: no such route, wrong method or media type."""
    names = {
        404: "NOT_FOUND",
        405: "METHOD_NOT_ALLOWED",
        406: "NOT_ACCEPTABLE",
        408: "TIMEOUT",
        415: "UNSUPPORTED_MEDIA",
    }
    code = names.get(error.status_code, "INVALID_INPUT" if error.status_code < 500 else "INTERNAL")
    return _answer(scope, error.status_code, code, error.detail, headers=error.headers)


async def on_graphid_error(request: Request, error: Exception) -> JSONResponse:
    """Starlette's exception handler for the tree of ``graphid.errors``."""
    assert isinstance(error, GraphidError)
    if status_of(error) == 500:
        log.error("request_failed", exc_info=error)
    return error_answer(error, request.scope)


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Starlette's exception handler for its own HTTPException."""
    assert isinstance(error, HTTPException)
    return http_answer(error, request.scope)


def _answer(
    scope: Scope,
    status: int,
    code: str,
    message: str,
    *,
    path: tuple[str, ...] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    told: dict[str, Any] = {"code": code}
    if path is not None:
        told["path"] = list(path)
    if given := request_id():
        told["requestId"] = given
    if scope["path"] != GRAPHQL:
        found: dict[str, Any] = {"error": {**told, "message": message}}
        if scope["path"].startswith(TRACKING):
            found |= {"code": code, "message": message}
        return JSONResponse(found, status, headers)
    body = {"errors": [{"message": message, "extensions": told}]}
    media = media_of(Headers(scope=scope).get("accept", ""), IN_JSON) or PLAIN
    return JSONResponse(body, status, headers, f"{media}; charset=utf-8")
