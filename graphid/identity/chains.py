"""The shortest chain of links between two things of one person.

A person is what links hold together (invariant 2), so every chain between two things runs within
one person, and no device is a part of it: devices prove nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from graphid.identity.values import Micros


class Join(NamedTuple):
    """A link that stands, as far as a chain asks. ``one``, ``other``: the ids of its ends."""

    link: str
    one: str
    other: str
    assurance: int
    at: Micros

    def beyond(self, end: str) -> str:
        """The end that is not this one."""
        return self.other if end == self.one else self.one

    @property
    def weight(self) -> tuple[int, Micros, str]:
        """Of several links that lead equally far: the best vouched for, the oldest, by id."""
        return (-self.assurance, self.at, self.link)


def shortest_chain(
    joins: Iterable[Join], starts: Collection[str], goals: Collection[str]
) -> list[Join] | None:
    """The links from one of ``starts`` to one of ``goals``, in order; None where none lead there.

    Of equally short chains always the same one: at each step the best vouched for, then the
    oldest link.
    """
    at: dict[str, list[Join]] = {}
    for join in joins:
        at.setdefault(join.one, []).append(join)
        at.setdefault(join.other, []).append(join)
    steps = _steps_to(goals, at)
    left = min((steps[start] for start in starts if start in steps), default=None)
    if left is None:
        return None
    here = {start for start in starts if steps.get(start) == left}
    chain: list[Join] = []
    while left > 0:
        left -= 1
        found = [
            (join.weight, end, join)
            for end in here
            for join in at[end]
            if steps.get(join.beyond(end)) == left
        ]
        _, end, join = min(found)
        chain.append(join)
        here = {join.beyond(end)}
    return chain


def _steps_to(goals: Collection[str], at: dict[str, list[Join]]) -> dict[str, int]:
    """How many links lead from each thing to the nearest of ``goals``."""
    steps = dict.fromkeys(goals, 0)
    reached = list(steps)
    for end in reached:  # grows on the way
        for join in at.get(end, ()):
            beyond = join.beyond(end)
            if beyond not in steps:
                steps[beyond] = steps[end] + 1
                reached.append(beyond)
    return steps
