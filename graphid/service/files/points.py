"""Where the import of a file goes on after it was interrupted.

A point is a small file below the data folder. It is believed only of the same graph, and of a file
that begins with the very bytes that are stored; whatever is wrong with it, the file is taken from
its beginning, which stores nothing twice.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import msgspec

FOLDER = "imports"
"""Below the data folder."""


class Point(msgspec.Struct, frozen=True):
    """All up to and including ``line`` is done, ``refused`` lines of that for good; ``digest``: of
    the file up to there."""

    line: int
    digest: str
    refused: int


class Points:
    """The points of one graph. ``graph``: what tells it from others."""

    def __init__(self, data_dir: Path, graph: str) -> None:
        self._folder = data_dir / FOLDER
        self._graph = graph

    def of(self, *what: str) -> PointFile:
        """The point of a file; ``what``: its path, and how it is read."""
        named = "\x1f".join((self._graph, *what)).encode("utf-8", "surrogateescape")
        return PointFile(self._folder / f"{blake2b(named, digest_size=12).hexdigest()}.json")


class PointFile:
    """One point."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Point | None:
        """The point; None where there is none that can be read."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Point)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, point: Point) -> None:
        """Keep it: whole, or not at all, also where there is no room: it only saves time."""
        beside = self._file.with_suffix(f".{os.getpid()}.new")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside.write_bytes(msgspec.json.encode(point))
            beside.replace(self._file)

    def drop(self) -> None:
        """The import is over."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._file.unlink()
