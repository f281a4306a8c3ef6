"""Setting identity providers up in the graph, and taking them out again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphid.auth.keys import Caller
from graphid.auth.providers import Path, Provider, Providers, read_provider
from graphid.auth.sealed import CannotOpen
from graphid.errors import InvalidInput, NotFound, Refused
from graphid.graph.oidc_providers import StoredProvider
from graphid.identity.ids import Ids
from graphid.identity.values import Micros
from graphid.service.providers import provider_of, sealed, secret_of

MAX_PROVIDERS = 50
"""Providers that the graph keeps, at most."""

OF_SETTINGS = "The settings define this provider (GRAPHID_OIDC_PROVIDERS): change it there."


@dataclass(frozen=True)
class ProviderRecord:
    """A provider, and who set it up when; of the settings' providers neither is known."""

    provider: Provider
    set_at: Micros | None = None
    set_by: str | None = None

    @property
    def is_from_settings(self) -> bool:
        """Whether the settings define it, and not the graph."""
        return self.set_at is None


class KeepsProviders(Protocol):
    """``graph.oidc_providers.OidcProviders``, as far as setting up needs it."""

    async def all(self) -> Sequence[StoredProvider]: ...
    async def set(
        self, made: Callable[[Sequence[StoredProvider]], StoredProvider]
    ) -> StoredProvider: ...
    async def remove(self, issuer: str) -> bool: ...


class ProviderSetup:
    """Sets providers up for callers.

    ``clock`` answers microseconds since 1970 UTC; ``on_change`` is called when a provider was set
    or removed. Every method may raise DatabaseUnavailable or Busy.
    """

    def __init__(
        self,
        settings: Providers,
        stored: KeepsProviders,
        ids: Ids,
        clock: Callable[[], Micros],
        *,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._stored = stored
        self._ids = ids
        self._clock = clock
        self._on_change = on_change

    async def all(self) -> list[ProviderRecord]:
        """All that count: those of the settings first, then those of the graph by issuer."""
        return [
            *map(ProviderRecord, self._settings),
            *(
                ProviderRecord(provider, stored.set_at, stored.set_by)
                for stored in await self._stored.all()
                if self._settings.get(stored.issuer) is None
                and (provider := provider_of(stored, self._ids)) is not None
            ),
        ]

    async def set(
        self,
        document: Mapping[str, Any],
        by: Caller,
        *,
        spelled: Callable[[Path], Path] = lambda path: path,
    ) -> ProviderRecord:
        """The provider that the document describes, in the place of the one with its issuer.

        A client secret that is left out is the one that is kept, unless ``auth_method`` says that
        none is shown. Raises as ``auth.providers.read_provider``, and Refused for an issuer of the
        settings' and where there are too many.
        """
        issuer = document.get("issuer")
        if isinstance(issuer, str) and self._settings.get(issuer) is not None:
            raise Refused(OF_SETTINGS, reasons=[OF_SETTINGS])

        def made(kept: Sequence[StoredProvider]) -> StoredProvider:
            before = next((stored for stored in kept if stored.issuer == issuer), None)
            whole = document if before is None else self._with_secret(document, before, spelled)
            provider = read_provider(whole, spelled=spelled)
            if before is None and len(kept) >= MAX_PROVIDERS:
                reason = f"There are {MAX_PROVIDERS} already, the most that are kept: remove one."
                raise Refused("There are too many providers.", reasons=[reason])
            return self._to_store(provider, by)

        stored = await self._stored.set(made)
        self._on_change()
        provider = provider_of(stored, self._ids)
        assert provider is not None
        return ProviderRecord(provider, stored.set_at, stored.set_by)

    async def remove(self, issuer: str) -> None:
        """Forget a provider that the graph keeps, and its secret; what it vouched for stays.

        Raises NotFound.
        """
        was_there = await self._stored.remove(issuer)
        # Also where it was not: a commit whose outcome was lost may have removed it.
        self._on_change()
        if not was_there:
            is_of_settings = self._settings.get(issuer) is not None
            raise NotFound(
                OF_SETTINGS if is_of_settings else "There is no provider of this issuer.",
                path=["issuer"],
            )

    def _with_secret(
        self,
        document: Mapping[str, Any],
        before: StoredProvider,
        spelled: Callable[[Path], Path],
    ) -> Mapping[str, Any]:
        if "client_secret" in document or document.get("auth_method") == "none":
            return document
        try:
            secret = secret_of(before, self._ids)
        except CannotOpen:
            path = spelled(("client_secret",))
            raise InvalidInput(
                "The client secret that is kept cannot be read: send it again.", path=path
            ) from None
        return document if secret is None else {**document, "client_secret": secret}

    def _to_store(self, provider: Provider, by: Caller) -> StoredProvider:
        document = provider.model_dump(mode="json", exclude={"client_secret"})
        return StoredProvider(
            issuer=provider.issuer,
            document=json.dumps(document),
            set_at=self._clock(),
            set_by=by.name,
            sealed=sealed(provider, self._ids),
        )
