"""Who asks, and from where, for the audit."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from graphid.http.addresses import Addresses
from graphid.http.request_id import request_id
from graphid.service.audit.audit import Audit, Witness
from graphid.service.audit.entries import Origin, shortened


class Witnesses:
    """Tells an audit of requests."""

    def __init__(self, audit: Audit, addresses: Addresses) -> None:
        self._audit = audit
        self._addresses = addresses

    def of(self, actor: str, request: HTTPConnection) -> Witness:
        """What is to tell of one request."""
        # Of sends there is nothing to tell, so they need not wait for this.
        return self._audit.of(
            lambda: Origin(
                actor=actor,
                address=self._addresses.of(request.scope),
                agent=shortened(request.headers.get("user-agent", "")),
                request_id=request_id(),
            )
        )
