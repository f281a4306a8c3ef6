"""Two ways of doing one thing, in turn, and how long they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter

Run = Callable[[int], object]
"""Does the thing for the n-th time."""


@dataclass(frozen=True)
class Times:
    """Milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Compared:
    """``ours`` beside ``theirs``."""

    name: str
    ours: Times
    theirs: Times
    busy: float | None
    """Milliseconds of processor time that the service takes for one of ours: steadier than the
    others where the machine does something else besides. None where theirs is the service too."""

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return self.ours.p50 / self.theirs.p50

    @property
    def ratio_p99(self) -> float:
        return self.ours.p99 / self.theirs.p99


def compare(
    name: str,
    ours: Run,
    theirs: Run,
    *,
    times: int,
    warm_up: int,
    busy: Callable[[], float] | None = None,
) -> Compared:
    """Run both ``times`` times, in turn, after ``warm_up`` turns that do not count.

    ``busy``: the processor time of the service up to now, in seconds.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    before = 0.0
    for turn in range(warm_up + times):
        if turn == warm_up and busy is not None:
            before = busy()
        for run, found in zip((ours, theirs), taken, strict=True):
            started = perf_counter()
            run(turn)
            if turn >= warm_up:
                found.append((perf_counter() - started) * 1000)
    each = None if busy is None else (busy() - before) * 1000 / times
    ours_taken, theirs_taken = (_times(found) for found in taken)
    return Compared(name, ours_taken, theirs_taken, each)


def _times(found: list[float]) -> Times:
    cuts = quantiles(found, n=100)
    return Times(cuts[49], cuts[98])
