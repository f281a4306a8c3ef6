"""The identity providers whose word counts now: those of the settings, and those of the graph.

What the graph keeps is read again where it was read two seconds ago, one read at a time, so that a
provider that was set or removed elsewhere is known here about as soon.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import structlog

from graphid.auth.providers import Provider, Providers, read_provider
from graphid.auth.sealed import seal, unseal
from graphid.errors import DatabaseUnavailable, InvalidInput, Retryable
from graphid.graph.oidc_providers import StoredProvider
from graphid.identity.ids import Ids

log = structlog.get_logger()

FRESH = 2.0
"""Seconds for which what was read is believed without looking again."""

BELIEVED = 5.0
"""Seconds for which it is believed where the database cannot be asked."""

PATIENCE = 2.0
"""Seconds that one look may take."""


class StoredProviders(Protocol):
    """``graph.oidc_providers.OidcProviders``, as far as finding needs it."""

    async def all(self, *, within: float | None = None) -> Sequence[StoredProvider]: ...


@dataclass(frozen=True)
class _Known:
    """What there was at ``read_at``. ``opened``: what the graph had, and what it says."""

    providers: Providers
    opened: Mapping[StoredProvider, Provider | None]
    read_at: float


class KnownProviders:
    """Finds providers. ``elapsed`` answers seconds from any beginning, which never go back."""

    def __init__(
        self,
        settings: Providers,
        stored: StoredProviders,
        ids: Ids,
        *,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self._stored = stored
        self._ids = ids
        self._elapsed = elapsed
        self._known: _Known | None = None
        self._asking: asyncio.Task[_Known] | None = None

    async def of(self, issuer: str | None = None) -> Provider:
        """The provider with this issuer; without one, the only provider.

        Raises Refused where there is none, or are several; DatabaseUnavailable where only the
        graph could tell.
        """
        if issuer is not None and (found := self._settings.get(issuer)) is not None:
            return found
        known = self._known
        if known is None or self._elapsed() - known.read_at >= FRESH:
            known = await self._look()
        return known.providers.of(issuer)

    def forget(self) -> None:
        """Look again at the next use: a provider was set or removed here.

        What is being read may have been read before that, so nobody waits for it any more.
        """
        self._known = self._asking = None

    async def _look(self) -> _Known:
        """What the graph says now, or said a moment ago where it cannot be asked."""
        try:
            # Shielded: the others wait on where one of them is gone.
            return await asyncio.shield(self._question())
        except Retryable as error:
            known = self._known
            if known is not None and self._elapsed() - known.read_at < BELIEVED:
                return known
            raise DatabaseUnavailable(retry_after=error.retry_after) from error

    def _question(self) -> asyncio.Task[_Known]:
        """The one read that is under way, begun where there is none."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="identity providers")
            self._asking.add_done_callback(self._answered)
        return self._asking

    def _answered(self, task: asyncio.Task[_Known]) -> None:
        if self._asking is task:
            self._asking = None
            if not task.cancelled() and task.exception() is None:
                self._known = task.result()

    async def _ask(self) -> _Known:
        asked_at = self._elapsed()
        before = {} if self._known is None else self._known.opened
        found = await self._stored.all(within=PATIENCE)
        opened = {
            stored: before[stored] if stored in before else provider_of(stored, self._ids)
            for stored in found
            if self._settings.get(stored.issuer) is None
        }
        read = [provider for provider in opened.values() if provider is not None]
        return _Known(Providers([*self._settings, *read]), opened, asked_at)


def provider_of(stored: StoredProvider, ids: Ids) -> Provider | None:
    """What is kept, read; None for what a later graphid or another hand wrote, and is logged."""
    try:
        document, secret = json.loads(stored.document), secret_of(stored, ids)
        if secret is not None:
            document["client_secret"] = secret
        provider = read_provider(document)
    except (InvalidInput, ValueError, TypeError) as error:
        log.warning("stored_provider_not_read", issuer=stored.issuer, reason=type(error).__name__)
        return None
    return provider if provider.issuer == stored.issuer else None


def secret_of(stored: StoredProvider, ids: Ids) -> str | None:
    """Its client secret; None where it has none. Raises ``auth.sealed.CannotOpen``."""
    if stored.sealed is None:
        return None
    return unseal(stored.sealed, _key_of(stored.issuer, ids))


def sealed(provider: Provider, ids: Ids) -> str | None:
    """What is kept of its client secret; None where it has none."""
    if provider.client_secret is None:
        return None
    return seal(provider.client_secret.get_secret_value(), _key_of(provider.issuer, ids))


def _key_of(issuer: str, ids: Ids) -> bytes:
    return ids.sealing_key(f"client secret at {issuer}")
