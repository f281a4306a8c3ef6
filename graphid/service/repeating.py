"""What this process knows to be said again: such events need one statement, as plain ones do.

An identify that an event says besides is looked at once (``identity.repetition``). Who says the
same once more finds here what that rested on; the statement that appends the event sees, under its
locks, whether it still does (``events/append_again``), and appends nothing where it does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from graphid.graph.repetitions import Ground, noted
from graphid.identity.repetition import may_repeat
from graphid.identity.values import Evidence, Identify, Place

MOST = 20_000
"""How many are kept: those that were met last."""

Said = tuple[str, str | None, tuple[str, ...], int, int, str | None]
"""What is the same of those that say the same."""


class Repeating:
    """Keeps what repetitions rest on. ``most``: how many."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._grounds: dict[Said, Ground] = {}

    def learn(self, met: Iterable[tuple[Identify, Ground]]) -> None:
        """Repetitions were met, and rest on these."""
        for piece, ground in met:
            self._grounds.pop(said := _said(piece), None)
            self._grounds[said] = ground
        while len(self._grounds) > self._most:
            del self._grounds[next(iter(self._grounds))]

    def ground(self, evidence: Collection[Evidence]) -> Ground | None:
        """What an event rests on that says no more than this; None where it may say more."""
        if len(evidence) != 1:
            return None
        (piece,) = evidence
        if not may_repeat(piece):
            return None
        ground = self._grounds.get(_said(piece))
        return ground if ground is not None and ground.wrote < piece.place else None

    def forget(self, piece: Identify) -> None:
        """What it rested on is another now."""
        self._grounds.pop(_said(piece), None)


def _said(piece: Identify) -> Said:
    return (
        piece.cookie,
        piece.device,
        piece.identifiers,
        piece.assurance,
        piece.policy,
        piece.actor,
    )


def rows_of(said: Iterable[tuple[Place, Ground]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The ``repetitions`` and ``grounds`` of ``events/append_again``, of places where something
    is said again."""
    rows: list[tuple[dict[str, Any], Iterable[str]]] = []
    writes: dict[str, int] = {}
    for place, ground in said:
        node = {"id": ground.id, "properties": ground.properties, "last": place}
        rows.append((node, ground.writes))
        for key, count in ground.writes.items():
            # Two that differ in this are not both so: the lower one is found to be another.
            writes[key] = min(count, writes.get(key, count))
    return noted(rows), [{"key": key, "writes": writes[key]} for key in sorted(writes)]


def marks_of(said: Mapping[str, tuple[Identify, Ground]]) -> dict[str, dict[str, str]]:
    """How events are marked, by message id."""
    return {
        id: {"repetition": ground.id, "said": piece.place} for id, (piece, ground) in said.items()
    }
