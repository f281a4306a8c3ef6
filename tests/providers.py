"""Identity providers for tests that have no database: kept in memory, with clocks set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from graphid.auth.providers import Providers, read_provider
from graphid.graph.oidc_providers import StoredProvider
from graphid.service.provider_setup import ProviderSetup
from graphid.service.providers import KnownProviders
from tests.keys import IDS, OPERATOR, Time

OF_SETTINGS = "https://settings.example"


class ProvidersInMemory:
    """Keeps providers as the graph does. Counts how often it is asked; ``fails`` is raised."""

    def __init__(self) -> None:
        self.kept: dict[str, StoredProvider] = {}
        self.asked = 0
        self.fails: Exception | None = None
        self.gate: asyncio.Event | None = None
        """What is read waits for it, once it says so by ``held``."""
        self.held = asyncio.Event()

    async def all(self, *, within: float | None = None) -> list[StoredProvider]:
        self.asked += 1
        found = [self.kept[issuer] for issuer in sorted(self.kept)]
        if self.gate is not None:
            self.held.set()
            await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        return found

    async def set(
        self, made: Callable[[Sequence[StoredProvider]], StoredProvider]
    ) -> StoredProvider:
        stored = made(list(self.kept.values()))
        self.kept[stored.issuer] = stored
        return stored

    async def remove(self, issuer: str) -> bool:
        return self.kept.pop(issuer, None) is not None


class Process:
    """A process that believes providers, and sets them up: any number on one store."""

    def __init__(
        self,
        stored: ProvidersInMemory | None = None,
        time: Time | None = None,
        settings: Sequence[str] = (OF_SETTINGS,),
    ) -> None:
        self.stored = stored or ProvidersInMemory()
        self.time = time or Time()
        given = Providers(
            read_provider({"issuer": issuer, "client_id": "graphid", "client_secret": "hidden"})
            for issuer in settings
        )
        self.known = KnownProviders(given, self.stored, IDS, elapsed=lambda: self.time.seconds)
        self.setup = ProviderSetup(
            given,
            self.stored,
            IDS,
            lambda: self.time.micros,
            on_change=self.known.forget,
        )

    async def set(self, issuer: str, **more: Any) -> None:
        document = {"issuer": issuer, "client_id": "graphid", **more}
        await self.setup.set(document, OPERATOR)
