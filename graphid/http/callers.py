"""Who sends a request: a key's holder, or somebody of the organisation with a provider's token.

Whoever shows nothing that is known is counted by address, and a page of an origin that the key
does not allow is refused, before anything of the request is done.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection

from graphid.auth.keys import Caller
from graphid.auth.staff import StaffTokens
from graphid.errors import Unauthorized
from graphid.http.gate import Allowance, Gate
from graphid.http.origins import admit
from graphid.service.keys import Keyring

DOTS = 2
"""In the compact form of a signed token; no key has that many."""


class Callers:
    """Finds who sends. ``staff`` is None where people have no provider of their own."""

    def __init__(self, keyring: Keyring, gate: Gate, staff: StaffTokens | None = None) -> None:
        self._keyring = keyring
        self._gate = gate
        self._staff = staff

    async def bearer(self, request: HTTPConnection) -> Caller:
        """Whoever sends ``Authorization: Bearer``, with a key or a person's token.

        Raises Unauthorized, RateLimited for an address that failed too often, Forbidden for a
        foreign origin, DatabaseUnavailable where only the graph could tell.
        """
        shown = bearer_in(request.headers.get("authorization", ""))
        return await self.find(request, shown, "Send a key: 'Authorization: Bearer KEY'.")

    async def find(
        self, request: HTTPConnection, shown: Any, otherwise: str = "Send a key."
    ) -> Caller:
        """Whoever shows this; ``otherwise`` says what to do where nothing is shown. Raises as
        :meth:`bearer`."""
        try:
            if not shown or not isinstance(shown, str):
                raise Unauthorized(otherwise)
            caller = await self._caller(shown)
        except Unauthorized:
            await self._gate.failed(request)
            raise
        return admit(request, caller)

    async def again(self, shown: str) -> Caller:
        """Whoever showed this before, where it still opens. Raises Unauthorized."""
        return await self._caller(shown)

    async def _caller(self, shown: str) -> Caller:
        if self._staff is None or shown.count(".") != DOTS:
            return await self._keyring.find(shown)
        staff = await self._staff.validate(shown)
        return Caller(f"person:{staff.name}", staff.scopes, is_browser=False, is_person=True)

    def allowance(self, caller: Caller, request: HTTPConnection) -> Allowance | None:
        """What the request may take, to be entered; None where nothing limits it."""
        return self._gate.allowance(caller, request)


def bearer_in(header: str) -> str | None:
    """What an Authorization header shows; None where it shows nothing as a bearer's."""
    scheme, _, text = header.partition(" ")
    return text.strip() or None if scheme.lower() == "bearer" else None
