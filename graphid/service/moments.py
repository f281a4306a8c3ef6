"""The moments that messages have: on one cookie each its own."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Generic, TypeVar

from graphid.identity.values import Micros

K = TypeVar("K")
V = TypeVar("V")

Moment = tuple[str, Micros]
"""A cookie and a time."""


class Recent(Generic[K, V]):
    """What was noted last: of ``most`` keys at least, and of twice as many at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._new: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What was noted of a key; None where that is forgotten."""
        found = self._new.get(key)
        return self._old.get(key) if found is None else found

    def note(self, key: K, value: V) -> None:
        """Note it, in place of what was noted of the key before."""
        self._new[key] = value
        if len(self._new) >= self._most:
            self._old, self._new = self._new, {}


class Moments:
    """Equal times on one cookie are spread by a microsecond, so that what was sent first comes
    first. ``taken``: those that earlier messages have; ``most``: how many are remembered."""

    def __init__(self, taken: Iterable[Moment] = (), *, most: int = sys.maxsize) -> None:
        self._next: Recent[Moment, Micros] = Recent(most)
        for moment in taken:
            self._next.note(moment, moment[1] + 1)

    def free(self, cookie: str, at: Micros) -> Micros:
        """The first moment of a cookie from ``at`` on that nothing has yet; it is taken then."""
        free = at
        while (after := self._next.get((cookie, free))) is not None:
            free = after
        self._next.note((cookie, free), free + 1)
        if free != at:  # of many equal times, the next has one step to go
            self._next.note((cookie, at), free + 1)
        return free
