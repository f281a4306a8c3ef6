"""One operation of a socket, from when it is asked for until it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Operation:
    """What a client asked for under an id. ``task`` carries it out."""

    task: asyncio.Task[None]

    def __init__(self, id: str, request_id: str) -> None:
        self.id = id
        self.request_id = request_id
        self.is_changing = False
        """A mutation is carried out."""
        self._is_dropped = False

    def drop(self) -> None:
        """Nobody waits for the answer any more."""
        self._is_dropped = True
        if not self.is_changing:
            self.task.cancel()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Where the operation is dropped in the block, it ends with the block, and not in it: what
        was begun may be done already, and then the audit is to be told."""
        self.is_changing = True
        try:
            yield
        finally:
            self.is_changing = False
            if self._is_dropped:
                raise asyncio.CancelledError
