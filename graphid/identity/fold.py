"""Resolution is a fold: ``resolve(evidence) = fold(step, sort(evidence), empty)``.

``step`` is pure. Live ingest applies it to what it loaded from the graph; :func:`resolve`
applies it to a dictionary. There is no other way in which anything is decided.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import TypeVar

from graphid.identity.identify import step_identify
from graphid.identity.ids import Ids
from graphid.identity.logout import step_logout
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.state import Key, Memory, Value, View, Visitor
from graphid.identity.upsert import step_upsert
from graphid.identity.values import Evidence, Identify, Logout, Place

E = TypeVar("E", bound=Evidence)


def step(view: View, evidence: Evidence, policy: Policy, ids: Ids) -> Outcome:
    """Apply one piece of evidence: what it writes is in the view, what it decided is returned."""
    if isinstance(evidence, Identify):
        return step_identify(view, evidence, policy, ids)
    if isinstance(evidence, Logout):
        return step_logout(view, evidence, ids)
    return step_upsert(view, evidence, policy, ids)


def sort(evidence: Iterable[E]) -> list[E]:
    """Evidence in the order of the fold; of a message sent twice, the first is kept."""
    first: dict[str, E] = {}
    for piece in evidence:
        first.setdefault(piece.id, piece)
    return sorted(first.values(), key=lambda piece: piece.place)


class Resolved:
    """The outcome of a whole fold, in memory."""

    def __init__(self, policy: Policy, ids: Ids) -> None:
        self.policy = policy
        self.ids = ids
        self.state = Memory()
        self.outcomes: dict[str, Outcome] = {}
        self._visitors: dict[str, list[Visitor]] | None = None

    def apply(self, evidence: Evidence) -> Mapping[Key, Value]:
        """One step on; returns what it changed."""
        view = View(self.state)
        self.outcomes[evidence.id] = step(view, evidence, self.policy, self.ids)
        changes = view.changes()
        self.state.update(changes)
        self._visitors = None
        return changes

    def visitors_of(self, cookie: str) -> list[Visitor]:
        """The visitors of a cookie, from its birth on."""
        if self._visitors is None:
            self._visitors = {}
            for value in self.state.values():
                if isinstance(value, Visitor):
                    self._visitors.setdefault(value.cookie, []).append(value)
            for visitors in self._visitors.values():
                visitors.sort(key=lambda visitor: visitor.start)
        born = Visitor(id=self.ids.birth(cookie), cookie=cookie)
        return self._visitors.get(cookie, [born])

    def visitor_at(self, cookie: str, place: Place) -> Visitor:
        """The visitor whose interval covers a place on a cookie."""
        visitors = self.visitors_of(cookie)
        index = bisect_right([visitor.start for visitor in visitors], place) - 1
        return visitors[max(index, 0)]


def resolve(evidence: Iterable[Evidence], policy: Policy, ids: Ids) -> Resolved:
    """Fold evidence, given in any order, from nothing."""
    resolved = Resolved(policy, ids)
    for piece in sort(evidence):
        resolved.apply(piece)
    return resolved
