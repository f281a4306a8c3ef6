"""Read your own writes: what a reader has to wait for, and what a writer has done.

On a cluster, or through another graphid, a read may meet a member of the database that has not
heard yet of a write that was answered. A bookmark is the database's word for a state; a
transaction that is given one begins once that state is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

BOOKMARK = "Graphid-Bookmark"
"""The header in which a caller names what it has seen."""


@dataclass(eq=False)
class Bookmarks:
    """Of one request. ``awaited``: what its transactions wait for. ``reached``: what the writing
    ones among them reached, each once."""

    awaited: tuple[str, ...] = ()
    reached: dict[str, None] = field(default_factory=dict)

    @property
    def known(self) -> list[str]:
        """What the next transaction waits for: its own request's writes, too."""
        return [*self.awaited, *self.reached]


_current: ContextVar[Bookmarks | None] = ContextVar("bookmarks", default=None)


@contextmanager
def following(awaited: tuple[str, ...] = ()) -> Iterator[Bookmarks]:
    """Let the transactions that are begun inside wait for these, and tell what they reach."""
    bookmarks = Bookmarks(awaited)
    token = _current.set(bookmarks)
    try:
        yield bookmarks
    finally:
        _current.reset(token)


def current() -> Bookmarks | None:
    """Those of the request that this code runs for; None outside of one."""
    return _current.get()


def awaited() -> list[str] | None:
    """What a transaction has to wait for; None where nothing is asked for."""
    bookmarks = _current.get()
    return None if bookmarks is None else bookmarks.known or None


def reached(bookmark: str | None) -> None:
    """Note what a writing transaction reached."""
    bookmarks = _current.get()
    if bookmarks is not None and bookmark is not None:
        bookmarks.reached[bookmark] = None
