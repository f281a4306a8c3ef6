"""What a graph without a history holds already goes along when a history is loaded."""

from __future__ import annotations

from pathlib import Path

from graphid.errors import Refused
from graphid.graph.database import Database
from graphid.graph.loaded import Kept, loaded_rows
from graphid.graph.loading.tables import Table
from graphid.graph.queries import query
from graphid.graph.schema import all_migrations

FIND_HISTORY = query("load/find_history")
READ_SETTINGS = query("load/read_settings")

LONGEST = 3600.0
"""Seconds that one statement may take."""


async def require_no_history(database: Database) -> None:
    """Raises Refused where anything has happened in the graph already."""
    (row,) = await database.read_rows(FIND_HISTORY)
    if row["kinds"]:
        raise Refused(
            f"The database holds {', '.join(row['kinds'])} already, and a history is loaded only "
            "into one that is empty: take the files in with graphid import, or choose another "
            "folder with GRAPHID_DATA_DIR."
        )


async def read_kept(database: Database) -> Kept:
    """What of a graph without a history goes along."""
    (row,) = await database.read_rows(READ_SETTINGS, within=LONGEST)
    return Kept(
        row["installation"], *(tuple(row[n]) for n in ("policies", "keys", "providers", "entries"))
    )


def write_kept(folder: Path, kept: Kept, changes: int) -> None:
    """Write it beside the rows of a history, whose log has so many changes."""
    with Table(folder, "Loaded") as table:
        for number, row in enumerate(loaded_rows(kept, changes, len(all_migrations()))):
            table.put(number, row=row)
