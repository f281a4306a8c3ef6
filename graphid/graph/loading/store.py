"""A new store for the local engine, made of files, which takes the place of the old one at the end.

The old engine is stopped and its folder locked all the while; until the new one takes its place it
is as it was, however this process ends. Only an engine without a history gives way: what else its
graph holds (the installation, keys, policies, providers, the audit) goes along.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphid.errors import Refused
from graphid.graph.database import Database
from graphid.graph.engine import (
    Address,
    Engine,
    Folder,
    Progress,
    engine_folder,
    exchange,
    release_of,
)
from graphid.graph.engine.engine import DATABASE
from graphid.graph.engine.jars import class_path
from graphid.graph.engine.java import java_for
from graphid.graph.engine.process import Installation
from graphid.graph.loading.tables import LIST, sources
from graphid.graph.log import LEASE
from graphid.graph.queries import query

FIND_HISTORY = query("load/find_history")
READ_SETTINGS = query("load/read_settings")
WRITE_SETTINGS = query("load/write_settings")
WRITE_ENTRIES = query("audit/write_entries")

FILES = "history"
"""Of the new engine's folder, where the files are that it is made of."""

HEAP, PAGE_CACHE = 1024, 512
"""Megabytes that the engine may have while it builds its indexes."""

AT_ONCE = 5_000
"""Rows of one transaction."""

LONGEST = 3600.0
"""Seconds that one statement may take."""


@dataclass(frozen=True)
class Kept:
    """What a graph without a history holds."""

    installation: dict[str, Any] | None = None
    policies: tuple[dict[str, Any], ...] = ()
    keys: tuple[dict[str, Any], ...] = ()
    providers: tuple[dict[str, Any], ...] = ()
    entries: tuple[dict[str, Any], ...] = ()


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


async def complete(database: Database, kept: Kept, changes: int) -> None:
    """Give a graph that was loaded what it holds beside its history; ``changes``: how many."""
    await database.write_rows(
        WRITE_SETTINGS,
        within=LONGEST,
        settings={
            "installation": kept.installation,
            "policies": list(kept.policies),
            "keys": list(kept.keys),
            "providers": list(kept.providers),
            "lease": {"name": LEASE, "last": changes, "until": 0},
        },
    )
    for first in range(0, len(kept.entries), AT_ONCE):
        batch = {"entries": list(kept.entries[first : first + AT_ONCE])}
        await database.write_rows(WRITE_ENTRIES, within=LONGEST, batch=batch)


class NewStore:
    """A new engine, beside the one of the data folder."""

    def __init__(self, data_dir: Path, version: str, progress: Progress) -> None:
        self._data_dir = data_dir
        self._release = release_of(version)
        self._progress = progress
        self._folder = exchange.loading_folder(data_dir)
        self._old = Folder(engine_folder(data_dir))
        self._lock: int | None = None

    @property
    def has_old(self) -> bool:
        """Whether there is a graph already."""
        return (self._old.path / "data" / "databases" / DATABASE).exists()

    @contextmanager
    def old(self) -> Iterator[Address]:
        """The graph that there is, for as long as the block runs. Raises FolderHeld."""
        with self._engine(self._old.path, brief=True) as address:
            yield address

    @contextmanager
    def held(self) -> Iterator[Path]:
        """Hold the folder of the old engine; yields an empty one for files.

        Raises FolderHeld, also where somebody had the engine since it was looked at.
        """
        if self.has_old and self._old.last_owner != os.getpid():
            raise Refused("Another process has had the engine meanwhile: try again.")
        self._lock = self._old.take(self._release, standing=False)
        try:
            exchange.sweep(self._data_dir)
            files = self._folder / FILES
            files.mkdir(parents=True, mode=0o700)
            self._folder.chmod(0o700)
            yield files
        finally:
            exchange.sweep(self._data_dir)
            self._old.release()

    def fill(self, *, brief: bool) -> None:
        """Make the store of the files, and delete them; ``brief``: that is a minute's work.

        Raises EngineError.
        """
        self._progress.step("making the store")
        folder = Folder(self._folder)
        folder.prepare(self._release, port=0, page_cache=PAGE_CACHE)
        installation = Installation(
            release=self._release,
            java=java_for(self._release),
            class_path=class_path(self._release, self._progress),
            folder=folder,
        )
        installation.admin(
            *("database", "import", "full", DATABASE),
            *sources(folder.path / FILES),
            "--id-type=integer",
            f"--array-delimiter=U+{ord(LIST):04X}",
            lock=self._lock,
            timeout=None,
            brief=brief,
        )
        shutil.rmtree(folder.path / FILES)

    @contextmanager
    def running(self, *, brief: bool) -> Iterator[Address]:
        """The new engine, for as long as the block runs; ``brief``: that is minutes."""
        sizes = {"heap": HEAP, "page_cache": PAGE_CACHE}
        with self._engine(self._folder, brief=brief, **sizes) as address:
            yield address

    @contextmanager
    def _engine(
        self, folder: Path, *, brief: bool, heap: int = 512, page_cache: int = 128
    ) -> Iterator[Address]:
        with Engine(
            folder,
            version=self._release.version,
            progress=self._progress,
            heap=heap,
            page_cache=page_cache,
            brief=brief,
        ) as engine:
            assert engine.address is not None
            yield engine.address

    def put_in_place(self) -> None:
        """From now on, it is the engine."""
        exchange.put_in_place(self._data_dir)
