"""The moments that the messages of one request have: on one cookie each its own."""

from __future__ import annotations

from collections.abc import Iterable

from graphid.identity.values import Micros

Moment = tuple[str, Micros]
"""A cookie and a time."""


class Moments:
    """Equal times on one cookie are spread by a microsecond, so that what was sent first comes
    first. ``taken``: those that earlier messages of the same request have."""

    def __init__(self, taken: Iterable[Moment]) -> None:
        self._taken = set(taken)

    def free(self, cookie: str, at: Micros) -> Micros:
        """The first moment of a cookie from ``at`` on that nothing has yet; it is taken then."""
        while (cookie, at) in self._taken:
            at += 1
        self._taken.add((cookie, at))
        return at
