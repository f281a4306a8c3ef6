"""Keys for tests that have no database: kept in memory, with clocks that are set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from graphid.auth.key_text import KeyKind
from graphid.auth.keys import Caller, Keys
from graphid.auth.scopes import SERVER
from graphid.errors import GraphidError, NotFound
from graphid.graph.access_keys import AccessKey
from graphid.identity.ids import Ids
from graphid.identity.values import SECOND, Micros
from graphid.service.keymaking import CreateKey, IssuedKey, Keymaker
from graphid.service.keys import Keyring

IDS = Ids(b"a secret of the tests")
OPERATOR = Caller("sk:operator", SERVER, is_browser=False)


class KeysInMemory:
    """Keeps keys as the graph does. Counts what it is asked; ``fails`` is raised instead."""

    def __init__(self) -> None:
        self.kept: dict[str, AccessKey] = {}
        self.asked: list[list[str]] = []
        self.noted: list[tuple[str, Micros]] = []
        self.fails: GraphidError | None = None
        self.gate: asyncio.Event | None = None
        """What is asked waits for it, and says so by ``held``."""
        self.held = asyncio.Event()

    async def find(
        self, ids: Sequence[str], *, within: float | None = None
    ) -> dict[str, AccessKey]:
        self.asked.append(list(ids))
        if self.gate is not None:
            self.held.set()
            await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        return {id: self.kept[id] for id in ids if id in self.kept}

    async def note_use(self, id: str, at: Micros, *, every: Micros) -> None:
        if self.fails is not None:
            raise self.fails
        self.noted.append((id, at))

    async def newest(self, limit: int, after: str | None) -> list[AccessKey]:
        before = after or "~"
        keys = [key for key in self.kept.values() if key.position < before]
        return sorted(keys, key=lambda key: key.position, reverse=True)[:limit]

    async def create(self, key: AccessKey) -> None:
        self.kept[key.id] = key

    async def change(self, id: str, changed: Callable[[AccessKey], AccessKey]) -> AccessKey:
        if id not in self.kept:
            raise NotFound("There is no key of this id.", path=["id"])
        self.kept[id] = changed(self.kept[id])
        return self.kept[id]


def keyring_of(keys: Iterable[tuple[str, Caller]]) -> Keyring:
    """One that knows these keys, and no others."""
    return Keyring(Keys(keys), KeysInMemory(), IDS)


class Time:
    """Both clocks of a process: they go on together."""

    def __init__(self) -> None:
        self.micros: Micros = 1_900_000_000 * SECOND
        self.seconds = 1000.0

    def go_on(self, seconds: float) -> None:
        self.seconds += seconds
        self.micros += round(seconds * SECOND)


class Process:
    """A process that finds callers, and one that makes keys, on the same store."""

    def __init__(self, stored: KeysInMemory | None = None, time: Time | None = None) -> None:
        self.stored = stored or KeysInMemory()
        self.time = time or Time()
        self.keyring = Keyring(
            Keys.of(secret=["sk_of_settings"], publishable=["pk_of_settings"]),
            self.stored,
            IDS,
            clock=lambda: self.time.micros,
            elapsed=lambda: self.time.seconds,
        )
        self.keymaker = Keymaker(
            self.stored, IDS, lambda: self.time.micros, on_change=self.keyring.forget
        )

    async def make(self, kind: str = "SECRET", **wanted: object) -> IssuedKey:
        """A key; a secret one holds every scope where none are named."""
        given: dict[str, object] = {"name": "of the tests", "kind": KeyKind(kind), **wanted}
        if kind == "SECRET":
            given.setdefault("scopes", sorted(SERVER))
        return await self.keymaker.create(CreateKey.model_validate(given), OPERATOR)
