"""What a graph that was made of files still lacks: it is given that by whoever starts on it first,
under the lock of the schema.

Such a graph holds nodes ``Loaded`` until then. They say how many migrations of the schema its nodes
are made by, and the rest that it is to hold: the installation, keys, policies, providers, the
audit, and the number of its last change. That is JSON, because files hold no empty lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.database import Database, Unit
from graphid.graph.log import LEASE
from graphid.graph.queries import query

READ_LOADED = query("load/read_loaded")
WRITE_SETTINGS = query("load/write_settings")
DROP_LOADED = query("load/drop_loaded")
WRITE_ENTRIES = query("audit/write_entries")

Row = dict[str, Any]

AT_ONCE = 1_000
"""Rows of one ``Loaded``, and of one statement: an importer reads a value of 4 MB at most."""


@dataclass(frozen=True)
class Kept:
    """What a graph without a history holds."""

    installation: Row | None = None
    policies: tuple[Row, ...] = ()
    keys: tuple[Row, ...] = ()
    providers: tuple[Row, ...] = ()
    entries: tuple[Row, ...] = ()


def loaded_rows(kept: Kept, changes: int, migrations: int) -> Iterator[Row]:
    """The nodes ``Loaded`` of a graph whose log has so many changes."""
    settings = {
        "installation": kept.installation,
        "policies": kept.policies,
        "keys": kept.keys,
        "providers": kept.providers,
        "lease": {"name": LEASE, "last": changes, "until": 0},
    }
    parts: list[Any] = [settings]
    for first in range(0, len(kept.entries), AT_ONCE):
        parts.append(kept.entries[first : first + AT_ONCE])
    for number, part in enumerate(parts):
        text = msgspec.json.encode(part).decode()
        yield {"number": number, "migrations": migrations, "settings": text}


async def read_loaded(database: Database) -> Sequence[Row]:
    """The nodes ``Loaded`` of a graph; none of nearly all."""
    return await database.read_rows(READ_LOADED)


async def complete(unit: Unit, loaded: Sequence[Row]) -> None:
    """Give a graph what it still lacks."""
    settings, *entries = (msgspec.json.decode(row["settings"]) for row in loaded)
    await unit.rows(WRITE_SETTINGS, settings=settings)
    for batch in entries:
        await unit.rows(WRITE_ENTRIES, batch={"entries": batch})
    await unit.rows(DROP_LOADED)
