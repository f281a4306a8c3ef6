"""The ASGI application: routes that others bring, and what every request needs around them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from graphid.errors import DatabaseUnavailable, GraphidError, Retryable, StaleSchema
from graphid.graph.database import Database
from graphid.graph.schema import is_current
from graphid.http.answers import on_graphid_error, on_http_error
from graphid.http.body import Bodies
from graphid.http.metrics import Metrics
from graphid.http.origins import Origins
from graphid.http.requests import Requests
from graphid.settings import Settings

READY_SECONDS = 2.0
"""How long ``/readyz`` waits for the database: shorter than a watchdog's own patience."""


def create_app(
    *,
    routes: Sequence[BaseRoute],
    database: Database,
    settings: Settings,
    metrics: Metrics | None = None,
) -> Starlette:
    """The application; ``app.state.draining`` set to True makes it not ready, and no more.

    ``metrics`` is told of every request.
    """
    app = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/version", version_),
            *routes,
        ],
        middleware=[
            # Around all that answers, so that a page can read also what refuses its body.
            Middleware(Origins),
            Middleware(Requests, metrics=metrics),
            Middleware(Bodies, limit=settings.max_body_bytes, seconds=settings.request_timeout),
        ],
        exception_handlers={GraphidError: on_graphid_error, HTTPException: on_http_error},
    )
    app.state.database = database
    app.state.settings = settings
    app.state.draining = False
    return app


async def healthz(_request: Request) -> JSONResponse:
    """The process runs. Says nothing of the database: a restart would not mend that."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """Whether to send requests here: database reachable, schema current, not stopping."""
    checks: dict[str, Any] = {"database": "ok", "schema": "current"}
    if request.app.state.draining:
        checks["process"] = "stopping"
    try:
        if not await is_current(request.app.state.database, timeout=READY_SECONDS):
            checks["schema"] = "not migrated"
    except StaleSchema:
        checks["schema"] = "of another graphid"
    except Retryable as error:
        away = isinstance(error, DatabaseUnavailable)
        checks.update(database="unreachable" if away else "slow", schema="unknown")
    ready = checks == {"database": "ok", "schema": "current"}
    return JSONResponse({"ready": ready, **checks}, status_code=200 if ready else 503)


async def version_(_request: Request) -> JSONResponse:
    """Which graphid this is."""
    return JSONResponse({"name": "graphid", "version": version("graphid")})
