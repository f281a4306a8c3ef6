"""A file as a source of messages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from time import monotonic
from typing import NamedTuple

from graphid.errors import InvalidInput
from graphid.service.files.lines import Block, Lines
from graphid.service.files.points import Point, PointFile
from graphid.service.files.reading import HEADER, Reader
from graphid.service.files.spread import Spread
from graphid.service.messages import Sender
from graphid.service.sources import Sent

SAVE_EVERY = 1.0
"""Seconds between two notes of how far it has come."""


class At(NamedTuple):
    """Where something is said in a file: the numbers of its first line and of its last, from 1."""

    line: int
    end: int

    @property
    def lines(self) -> int:
        """How many lines that are."""
        return self.end - self.line + 1


class _Checkpoint(NamedTuple):
    """Once all up to the line ``said`` is done, all up to ``line`` is: the rest says nothing."""

    said: int
    line: int
    digest: str


class FileSource:
    """The messages of one file, or of a pipe, where there is no ``point`` to keep.

    ``lines_of`` opens it, from its beginning; ``reader_of`` makes what reads it. ``spread``: of all
    files that are taken in together.
    """

    def __init__(
        self,
        lines_of: Callable[[], Lines],
        reader_of: Callable[[], Reader],
        sender: Sender,
        point: PointFile | None,
        spread: Spread,
    ) -> None:
        self._lines_of = lines_of
        self._reader_of = reader_of
        self._sender = sender
        self._point = point
        self._spread = spread
        self._checkpoints: deque[_Checkpoint] = deque()
        self._refused: list[At] = []
        self._refused_before = 0
        self._reached: Point | None = None
        self._saved_at = 0.0
        self.resumed = Point(0, "", 0)
        """What an earlier run is known to have done."""
        self.lines_refused = 0
        """Of this run, and of earlier ones."""
        self.lines: Lines | None = None
        """As it is read; None before that."""

    @property
    def sender(self) -> Sender:
        return self._sender

    def open(self) -> int:
        """Go to where it goes on: the number of the last line that is done, 0 for a new file.

        Raises InvalidInput.
        """
        point = None if self._point is None else self._point.read()
        if point is not None and self._skip_to(point):
            self.resumed = point
            self._refused_before = self.lines_refused = point.refused
        else:
            self._begin()
        return self.resumed.line

    def _begin(self) -> None:
        self.lines = self._lines_of()
        self._blocks, self._reader = self.lines.blocks(), self._reader_of()

    def _skip_to(self, point: Point) -> bool:
        """Whether the file begins with what the point is about; then that is read over."""
        self._begin()
        for block in self._blocks:
            for _ in self._read(block):
                pass  # what it says is stored, and decides the ids and moments of what follows
            if block.last >= point.line:
                return (block.last, block.digest) == (point.line, point.digest)
        return False

    async def messages(self) -> AsyncIterator[Sent[At]]:
        said = end = self.resumed.line
        while (block := await asyncio.to_thread(next, self._blocks, None)) is not None:
            for sent in self._read(block):
                said = sent.position.end
                yield sent
            end = block.last
            if self._reader.is_between:
                self._checkpoints.append(_Checkpoint(said, end, block.digest))
        try:
            message = self._reader.end()
        except InvalidInput as error:
            yield Sent(At(end - self._reader.lines + 1, end), None, error)
        else:
            if message is not None:
                yield Sent(At(end - self._reader.lines + 1, end), message)

    def _read(self, block: Block) -> Iterator[Sent[At]]:
        for number, line in enumerate(block.lines, block.first):
            try:
                message = self._reader.read(line)
            except InvalidInput as error:
                if error.path == HEADER:
                    raise
                yield Sent(At(self._first(number), number), None, error)
                continue
            if message is not None:
                yield Sent(At(self._first(number), number), self._spread.place(message))

    def _first(self, number: int) -> int:
        return number - self._reader.lines + 1

    def refused(self, at: At) -> None:
        """What is said there was refused for good."""
        self._refused.append(at)
        self.lines_refused += at.lines

    async def stored(self, position: At) -> None:
        last: _Checkpoint | None = None
        while self._checkpoints and self._checkpoints[0].said <= position.end:
            last = self._checkpoints.popleft()
        if last is not None:
            self._refused_before += sum(at.lines for at in self._refused if at.end <= last.line)
            self._refused = [at for at in self._refused if at.end > last.line]
            self._reached = Point(last.line, last.digest, self._refused_before)
            if monotonic() - self._saved_at >= SAVE_EVERY:
                self.save()

    def save(self) -> None:
        """Note how far it has come."""
        self._saved_at = monotonic()
        if self._point is not None and self._reached is not None:
            self._point.write(self._reached)
