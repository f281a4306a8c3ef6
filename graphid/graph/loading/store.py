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
from pathlib import Path

from graphid.errors import Refused
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
from graphid.graph.loading.tables import options

FILES = "history"
"""Of the new engine's folder, where the files are that it is made of."""

HEAP, PAGE_CACHE = 1024, 512
"""Megabytes that the engine may have while it builds its indexes."""


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
            *options(folder.path / FILES),
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
