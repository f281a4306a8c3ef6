"""The identity providers that the graph keeps. What a document says is read elsewhere.

Of a client secret only what is sealed is here: without the installation's secret it opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphid.errors import InternalError
from graphid.graph.database import Database, Unit
from graphid.graph.queries import query
from graphid.identity.values import Micros

LIST_PROVIDERS = query("providers/list_providers")
TAKE_LOCK = query("providers/take_lock")
WRITE_PROVIDER = query("providers/write_provider")
REMOVE_PROVIDER = query("providers/remove_provider")


@dataclass(frozen=True, slots=True)
class StoredProvider:
    """A provider. ``document``: JSON, without the client secret; ``sealed``: that, encrypted, or
    None where it has none. ``set_by``: the name of a caller."""

    issuer: str
    document: str
    set_at: Micros
    set_by: str
    sealed: str | None = None


class OidcProviders:
    """Reads and writes providers. Every method may raise DatabaseUnavailable or Busy."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, *, within: float | None = None) -> list[StoredProvider]:
        """All of them, by issuer; asked for in ``within`` seconds."""
        return _providers(await self._database.read_rows(LIST_PROVIDERS, within=within))

    async def set(
        self, made: Callable[[Sequence[StoredProvider]], StoredProvider]
    ) -> StoredProvider:
        """Keep what ``made`` makes of all that there are, which nobody changes meanwhile.

        Raises what ``made`` raises: then everything stays as it is.
        """

        async def work(unit: Unit) -> StoredProvider:
            if not await unit.rows(TAKE_LOCK):
                raise InternalError  # every installation is begun before it is served
            provider = made(_providers(await unit.rows(LIST_PROVIDERS)))
            await unit.run(WRITE_PROVIDER, issuer=provider.issuer, provider=_row(provider))
            return provider

        return await self._database.write(work)

    async def remove(self, issuer: str) -> bool:
        """Forget a provider; False where there is none of that issuer."""
        return bool(await self._database.write_rows(REMOVE_PROVIDER, issuer=issuer))


def _providers(rows: Sequence[Mapping[str, Any]]) -> list[StoredProvider]:
    return [_provider(row["provider"]) for row in rows]


def _provider(row: Mapping[str, Any]) -> StoredProvider:
    return StoredProvider(
        issuer=row["issuer"],
        document=row["document"],
        set_at=row["setAt"],
        set_by=row["setBy"],
        sealed=row.get("sealed"),
    )


def _row(provider: StoredProvider) -> dict[str, Any]:
    return {
        "issuer": provider.issuer,
        "document": provider.document,
        "setAt": provider.set_at,
        "setBy": provider.set_by,
        "sealed": provider.sealed,
    }
