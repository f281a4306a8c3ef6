"""What is stored as said again, compared with what is so at its place in the fold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphid.graph.checks import Check, says
from graphid.graph.evidence import PolicyOf
from graphid.graph.folded import Folded
from graphid.graph.following import rests_on, touched_by
from graphid.graph.memory import mark_of
from graphid.graph.queries import query
from graphid.graph.remembered import Mark
from graphid.identity.policy import Policy
from graphid.identity.repetition import repeated
from graphid.identity.state import Key, Value
from graphid.identity.values import Place
from graphid.identity.view import View

READ_MARKS = query("verify/read_marks")


class Marks(Check):
    """Identifies that are stored as saying again what is so."""

    kind = "mark"
    reads = READ_MARKS

    def __init__(self, folded: Folded) -> None:
        super().__init__(folded)
        self._policies: dict[int, Policy] = {}

    async def learn(self, rows: list[list[Any]], policy_of: PolicyOf) -> None:
        """Have the policies of these at hand."""
        for version in {mark_in(row).piece.policy for row in rows} - self._policies.keys():
            self._policies[version] = await policy_of(version)

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        if row is None:
            return  # it is evidence by now, or erased
        mark = mark_in(row)
        contact, _ = self._seen(mark)
        if contact != mark.contact:
            yield says("the contact that it names again", mark.contact, contact)
        if row[1]["said"] != mark.piece.place:
            yield says("said", row[1]["said"], mark.piece.place)
        if mark.last < mark.piece.place:
            yield says("the last of its repetition", mark.last, mark.piece.place)

    def repeats(self, mark: Mark) -> bool:
        """Whether it says again what is so."""
        return self._seen(mark)[0] == mark.contact

    def rests(self, mark: Mark) -> frozenset[Key]:
        """The keys that it rests on."""
        return touched_by(self._seen(mark)[1], mark.piece)

    def _seen(self, mark: Mark) -> tuple[str | None, View]:
        view = View(_AsOf(self.folded, mark.piece.place))
        policy = self._policies[mark.piece.policy]
        return repeated(view, mark.piece, policy, self.folded.ids), view

    def expected(self) -> Iterator[str]:
        return iter(())

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        return set() if row is None else set(rests_on(mark_in(row)))


def mark_in(row: list[Any]) -> Mark:
    """The mark of a row."""
    _, event, repetition = row
    return mark_of(event, repetition)


class _AsOf:
    """What is so as of a place, in the fold."""

    def __init__(self, folded: Folded, place: Place) -> None:
        self._folded = folded
        self._place = place

    def get(self, key: Key, /) -> Value | None:
        return self._folded.history(key).before(self._place).value

    peek = get
