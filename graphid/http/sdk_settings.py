"""What browsers' SDKs ask for before they send anything: their settings, as a service of the SDK's
vendor would tell them. Here they say no more than that it may run, and send to this service.

Segment's asks its ``cdnURL`` for ``/v1/projects/KEY/settings``, RudderStack's its ``configUrl`` for
``/sourceConfig/?writeKey=KEY``. Jitsu's asks for nothing. A key that is not known is 401 here
already, so that it is seen when a page is set up.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from graphid.auth.keys import Caller
from graphid.auth.origins import is_of_this_machine
from graphid.http.callers import Callers
from graphid.http.segment import key_in_headers

NO_KEY = "Send a write key: as user of Basic authentication, or as writeKey."


class SdkSettings:
    """The endpoints, for whoever has a key."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def routes(self) -> list[BaseRoute]:
        """Segment's and RudderStack's, which is asked with and without a slash at its end."""
        return [
            Route("/v1/projects/{write_key}/settings", self._segment, methods=["GET"]),
            Route("/sourceConfig", self._rudder, methods=["GET"]),
            Route("/sourceConfig/", self._rudder, methods=["GET"]),
        ]

    async def _segment(self, request: Request) -> Response:
        key = request.path_params["write_key"]
        await self._known(request, key)
        return JSONResponse(segment_settings(key, *address_of(request)))

    async def _rudder(self, request: Request) -> Response:
        if request.method == "HEAD":
            # It looks for blockers of advertisements in its way, and shows no key.
            return Response()
        key = key_in_headers(request) or request.query_params.get("writeKey")
        return JSONResponse(rudder_settings(await self._known(request, key)))

    async def _known(self, request: Request, key: str | None) -> Caller:
        """Whose key it is, within its limits. Raises Unauthorized, RateLimited."""
        caller = await self._callers.find(request, key, NO_KEY)
        allowance = self._callers.allowance(caller, request)
        if allowance is not None:
            async with allowance:
                pass
        return caller


def address_of(request: Request) -> tuple[str, str]:
    """How the page reaches this service: scheme and host, with a port where it is not the usual.

    Behind a proxy that ends TLS the request says ``http``. The page's own origin says better: one
    of ``https`` could not have asked otherwise.
    """
    said = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    origin = request.headers.get("origin", "")
    is_safe = "https" in (request.url.scheme, said) or (
        origin.startswith("https://") and not is_of_this_machine(request.url.hostname or "")
    )
    return "https" if is_safe else "http", request.url.netloc


def segment_settings(key: str, scheme: str, host: str) -> dict[str, Any]:
    """Settings of Segment's SDK with itself as the only destination, which is this service."""
    return {
        "integrations": {
            "Segment.io": {"apiKey": key, "apiHost": f"{host}/v1", "protocol": scheme},
        },
        "plan": {"track": {"__default": {"enabled": True}}},
        "enabledMiddleware": {},
        "remotePlugins": [],
        # It would tell Segment how often it was called.
        "metrics": {"sampleRate": 0},
    }


def rudder_settings(caller: Caller) -> dict[str, Any]:
    """Settings of RudderStack's SDK without destinations; where to send is what the page says."""
    nothing = {"enabled": False}
    return {
        "source": {
            "id": caller.name,
            "name": caller.name,
            "workspaceId": "graphid",
            "enabled": True,
            "config": {"statsCollection": {"errors": nothing, "metrics": nothing}},
            "destinations": [],
        }
    }
