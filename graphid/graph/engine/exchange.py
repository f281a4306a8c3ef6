"""One folder of an engine takes the place of another, whole, whenever a process may be killed.

engine.loading  is being made; of no use if whoever makes it is gone
engine.loaded   is complete, and about to be ``engine``
engine.before   was ``engine``, and is about to be deleted

Renaming is two steps. Whoever comes in between finds no ``engine``, and does the second.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from graphid.graph.engine.folder import LOCK_PATIENCE, usable

NAME = "engine"


def loading_folder(data_dir: Path) -> Path:
    """Where a new engine is made."""
    return data_dir / f"{NAME}.loading"


def put_in_place(data_dir: Path) -> None:
    """The engine that was made takes the place of the old one. Only for whoever has the lock of
    the old one, and only once the new one is complete and stopped."""
    loaded, before = data_dir / f"{NAME}.loaded", data_dir / f"{NAME}.before"
    shutil.rmtree(before, ignore_errors=True)
    loading_folder(data_dir).rename(loaded)
    (data_dir / NAME).rename(before)
    finish(data_dir)
    shutil.rmtree(before, ignore_errors=True)
    # Whoever had opened the old lock tries for it so long, and is not to get it for the new folder.
    time.sleep(LOCK_PATIENCE)


def finish(data_dir: Path) -> None:
    """Do the second step, if it is to be done. Raises EngineError where that cannot be."""
    folder, loaded = data_dir / NAME, data_dir / f"{NAME}.loaded"
    with usable(folder):
        if not folder.exists():
            with suppress(FileNotFoundError):  # there is nothing to do, or another has just done it
                loaded.rename(folder)


def sweep(data_dir: Path) -> None:
    """Delete what a process that was killed left behind. Only for whoever has the lock."""
    finish(data_dir)
    for left in ("loading", "loaded", "before"):
        shutil.rmtree(data_dir / f"{NAME}.{left}", ignore_errors=True)
