"""From when on a reader of the past sees nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphid.identity.values import SECOND, Micros, Place
from graphid.service.visitors import Horizon, at_moment

LATEST: Micros = 10**16 - 2
"""The last moment that a place has room for; in the year 2286."""

SPREAD: Micros = SECOND
"""How much later than it was received something may be said to have happened: equal times within
one request are spread."""


@dataclass(frozen=True)
class Moment:
    """A moment on one axis, or on each. ``at``: what had happened by then, itself included;
    ``known``: what was recorded by then."""

    at: Micros | None = None
    known: Micros | None = None

    @property
    def now(self) -> Micros:
        """What a reader takes for the present."""
        given = [given for given in (self.at, self.known) if given is not None]
        return max(0, min([*given, LATEST]))

    @property
    def place(self) -> Place:
        """The place before which everything stands that is seen."""
        known = None if self.known is None else self.known + SPREAD
        given = [given for given in (self.at, known) if given is not None]
        return at_moment(max(0, min([*given, LATEST])) + 1)

    @property
    def horizon(self) -> Horizon:
        return Horizon(self.place, self.known)

    def as_row(self) -> dict[str, Any]:
        """As statements are told it."""
        return {"place": self.place, "at": int(self.place) - 1, "received": self.known}
