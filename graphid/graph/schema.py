"""The schema of the graph: migrations from ``cypher/schema/NNN_name.cypher``, applied in order.

A file holds statements that end with ``;`` at the end of a line. Every statement runs in a
transaction of its own (Neo4j does not mix schema and data in one) and must be safe to run twice
(``IF NOT EXISTS``, ``MERGE``): the record that a file is applied is written after it, so a crash
between the two applies it again. What brings older data up to date begins with ``MATCH``: a graph
that has none goes without, and its constraints and indexes are made together.

Several processes may start at once: one holds the lock, an open transaction on one node that a
crash lets go of by itself, and the others wait, then find nothing left to do.
"""
# ruff: noqa: ASYNC109 - the timeout is the database's

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString

import structlog

from graphid.errors import StaleSchema
from graphid.graph.database import Database, Unit
from graphid.graph.loaded import READ_LOADED, complete, read_loaded
from graphid.graph.queries import SUFFIX, folder, query

log = structlog.get_logger()

READ_APPLIED = query("migrations/read_applied")
TAKE_LOCK = query("migrations/take_lock")
RECORD_APPLIED = query("migrations/record_applied")
AWAIT_INDEXES = query("migrations/await_indexes")

UPDATES = "MATCH "
"""What statements begin with that bring up to date what is there."""

IS_INDEX = re.compile(r"CREATE (?:[A-Z]+ )?INDEX ")

LONGEST = 6 * 3600.0
"""Seconds that a migration may take: indexes over a large graph are built meanwhile."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of statements."""

    number: int
    name: str
    statements: tuple[LiteralString, ...]

    @property
    def checksum(self) -> str:
        """SHA-256 of the statements: a comment may be mended after the file was applied."""
        return hashlib.sha256("\0".join(self.statements).encode()).hexdigest()


async def migrate(
    database: Database,
    migrations: Sequence[Migration] | None = None,
) -> list[str]:
    """Bring the graph to the schema of this graphid; the names of what was applied now. One that
    was made of files gets what it lacks besides (``graph/loaded.py``).

    Returns when every index is online. Raises StaleSchema where the graph is of a newer graphid,
    or has a file in another form; then nothing is applied.
    """
    known = tuple(all_migrations() if migrations is None else migrations)
    is_loaded = bool(await read_loaded(database))
    if not is_loaded and not _missing(await database.read_rows(READ_APPLIED), known):
        return []
    # The lock itself needs its constraint first; statements that are there already do nothing.
    for statement in known[0].statements:
        await _apply(database, statement)

    async def under_lock(unit: Unit) -> list[str]:
        await unit.rows(TAKE_LOCK)
        applied = []
        recorded = await unit.rows(READ_APPLIED)
        missing = _missing(recorded, known)
        loaded = await unit.rows(READ_LOADED)
        anew = 0 if recorded else len(known)  # without a record, there is nothing of ours yet
        if loaded:
            anew = loaded[0]["migrations"]
        if anew > len(known):
            raise StaleSchema(
                "The graph was written by graphid load of a newer graphid; run that or a later one."
            )
        await _build(database, [one for one in missing if one.number < anew])
        for migration in missing:
            for statement in migration.statements if migration.number >= anew else ():
                await _apply(database, statement)
            await unit.rows(
                RECORD_APPLIED,
                number=migration.number,
                name=migration.name,
                checksum=migration.checksum,
            )
            applied.append(migration.name)
        if loaded:
            await complete(unit, loaded)
        return applied

    applied = await database.write(under_lock, timeout=LONGEST)
    await database.read_rows(AWAIT_INDEXES, within=LONGEST, seconds=int(LONGEST))
    for name in applied:
        log.info("migration_applied", name=name)
    return applied


async def is_current(database: Database, *, timeout: float | None = None) -> bool:
    """Whether the graph has every migration, as this graphid knows it.

    Raises StaleSchema where it is of a newer graphid, DatabaseUnavailable where it is away.
    """
    applied = await database.read_rows(READ_APPLIED, within=timeout)
    return not _missing(applied, all_migrations())


@cache
def all_migrations() -> tuple[Migration, ...]:
    """Every migration that ships with this graphid, in order."""
    return read_migrations(
        (file.name, file.read_text(encoding="utf-8"))
        for file in (folder() / "schema").iterdir()
        if file.name.endswith(SUFFIX)
    )


def read_migrations(files: Iterable[tuple[str, str]]) -> tuple[Migration, ...]:
    """Migrations from names and texts of files; ValueError where a number is missing or twice."""
    found = sorted(
        (_read(name.removesuffix(SUFFIX), text) for name, text in files), key=lambda m: m.number
    )
    for expected, migration in enumerate(found):
        if migration.number != expected:
            raise ValueError(f"schema: expected number {expected:03}, found {migration.name}")
    return tuple(found)


def _read(name: str, text: str) -> Migration:
    lines = [line.rstrip() for line in text.splitlines() if not line.lstrip().startswith("//")]
    parts = "\n".join([*lines, ""]).split(";\n")
    statements = tuple(part.strip() for part in parts if part.strip())
    return Migration(int(name.partition("_")[0]), name, statements)


def _missing(rows: Sequence[dict[str, Any]], known: Sequence[Migration]) -> list[Migration]:
    applied = {row["number"]: row for row in rows}
    for number, row in applied.items():
        if number >= len(known):
            raise StaleSchema(
                f"The graph was migrated by a newer graphid (it has {row['name']}); "
                "run that version or a later one."
            )
        if row["checksum"] != known[number].checksum:
            raise StaleSchema(
                f"Migration {row['name']} was applied to this graph in another form than this "
                "graphid has; run the version that made it."
            )
    return [migration for migration in known if migration.number not in applied]


async def _apply(database: Database, *statements: LiteralString) -> None:
    """Run statements in one transaction."""

    async def work(unit: Unit) -> None:
        for statement in statements:
            await unit.run_text(statement)

    await database.write(work, timeout=LONGEST)


async def _build(database: Database, migrations: Sequence[Migration]) -> None:
    """Apply migrations by which the nodes that are there, if any, are made already: what brings
    older ones up to date is left out, and indexes of one transaction are filled by going through
    them once."""
    made = [s for m in migrations for s in m.statements if not s.startswith(UPDATES)]
    constraints = [statement for statement in made if statement.startswith("CREATE CONSTRAINT ")]
    indexes = [statement for statement in made if IS_INDEX.match(statement)]
    others = [[s] for s in made if s not in constraints and s not in indexes]
    for statements in filter(None, (constraints, indexes, *others)):
        await _apply(database, *statements)
