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

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return self.ours.p50 / self.theirs.p50

    @property
    def ratio_p99(self) -> float:
        return self.ours.p99 / self.theirs.p99


def compare(name: str, ours: Run, theirs: Run, *, times: int, warm_up: int) -> Compared:
    """Run both ``times`` times, in turn, after ``warm_up`` turns that do not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(warm_up + times):
        for run, found in zip((ours, theirs), taken, strict=True):
            started = perf_counter()
            run(turn)
            if turn >= warm_up:
                found.append((perf_counter() - started) * 1000)
    return Compared(name, *(_times(found) for found in taken))


def _times(found: list[float]) -> Times:
    cuts = quantiles(found, n=100)
    return Times(cuts[49], cuts[98])
