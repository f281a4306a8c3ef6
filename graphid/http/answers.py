"""Answers in JSON, and what an error looks like in one.

``{"error": {"code": "TOO_LARGE", "message": "…", "path": ["batch", "0"], "requestId": "…"}}``:
``code`` is for programs, ``message`` for people, ``path`` names the field where there is one.
"""

from __future__ import annotations

import math
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

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
from graphid.http.request_id import request_id

log = structlog.get_logger()

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


def error_answer(error: GraphidError) -> JSONResponse:
    """The answer for an error of ours; a retryable one says when in ``Retry-After``."""
    return _answer(
        status_of(error), error.code, error.message, path=error.path, headers=headers_of(error)
    )


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


def http_answer(error: HTTPException) -> JSONResponse:
    """The answer for what HTTP itself refuses: no such route, wrong method or media type."""
    names = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 408: "TIMEOUT", 415: "UNSUPPORTED_MEDIA"}
    code = names.get(error.status_code, "INVALID_INPUT" if error.status_code < 500 else "INTERNAL")
    return _answer(error.status_code, code, error.detail, headers=dict(error.headers or {}))


async def on_graphid_error(_request: Request, error: Exception) -> JSONResponse:
    """Starlette's exception handler for the tree of ``graphid.errors``."""
    assert isinstance(error, GraphidError)
    if status_of(error) == 500:
        log.error("request_failed", exc_info=error)
    return error_answer(error)


async def on_http_error(_request: Request, error: Exception) -> JSONResponse:
    """Starlette's exception handler for its own HTTPException."""
    assert isinstance(error, HTTPException)
    return http_answer(error)


def _answer(
    status: int,
    code: str,
    message: str,
    *,
    path: tuple[str, ...] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    error: dict[str, Any] = {"code": code, "message": message}
    if path is not None:
        error["path"] = list(path)
    if given := request_id():
        error["requestId"] = given
    return JSONResponse({"error": error}, status_code=status, headers=headers)
