"""Resolution is a fold: ``resolve(evidence) = fold(step, sort(evidence), empty)``.

``step`` is pure. Live ingest applies it to what it loaded from the graph; :func:`resolve`
applies it to a dictionary. There is no other way in which anything is decided.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from graphid.identity.identify import step_identify
from graphid.identity.ids import Ids
from graphid.identity.judgements import step_judgement
from graphid.identity.logout import step_logout
from graphid.identity.operations import step_operation
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Contact,
    Cookie,
    Key,
    Person,
    Value,
    Visitor,
)
from graphid.identity.upsert import step_upsert
from graphid.identity.vacancy import step_vacancy
from graphid.identity.values import (
    ContactUpsert,
    Erase,
    Evidence,
    Identify,
    Logout,
    Place,
    Placed,
    Vacancy,
)
from graphid.identity.view import Memory, View

E = TypeVar("E", bound=Evidence)


def step(view: View, evidence: Evidence, policy: Policy, ids: Ids) -> Outcome:
    """Apply one piece of evidence: what it writes is in the view, what it decided is returned."""
    if isinstance(evidence, Identify):
        return step_identify(view, evidence, policy, ids)
    if isinstance(evidence, Logout):
        return step_logout(view, evidence, ids)
    if isinstance(evidence, ContactUpsert):
        return step_upsert(view, evidence, policy, ids)
    if isinstance(evidence, Placed):
        return step_operation(view, evidence, policy, ids)
    if isinstance(evidence, Vacancy):
        return step_vacancy(view, evidence, ids)
    return step_judgement(view, evidence, ids)


def sort(evidence: Iterable[E]) -> list[E]:
    """Evidence in the order of the fold; of a message sent twice, the first is kept, and of what
    was erased, nothing."""
    first: dict[str, E] = {}
    erased: set[str] = set()
    for piece in evidence:
        first.setdefault(piece.id, piece)
        if isinstance(piece, Erase):
            erased.update(piece.withdraws)
    kept = [piece for id, piece in first.items() if id not in erased]
    return sorted(kept, key=lambda piece: piece.place)


class Resolved:
    """The outcome of a whole fold, in memory."""

    def __init__(self, policy: Policy | Mapping[int, Policy], ids: Ids) -> None:
        self.policies = policy if isinstance(policy, Mapping) else defaultdict(lambda: policy)
        self.ids = ids
        self.state = Memory()
        self.outcomes: dict[str, Outcome] = {}
        self._visitors: dict[str, list[Visitor]] | None = None

    def apply(self, evidence: Evidence) -> Mapping[Key, Value | None]:
        """One step on; returns what it changed."""
        view = View(self.state)
        self.outcomes[evidence.id] = step(view, evidence, self.policies[evidence.policy], self.ids)
        changes = view.changes()
        self.state.take_in(changes)
        self._visitors = None
        return changes

    def visitors_of(self, cookie: str) -> list[Visitor]:
        """The visitors of a cookie, from its birth on."""
        if self._visitors is None:
            self._visitors = {}
            for value in self.state.values():
                if isinstance(value, Cookie):
                    value = value.visitor  # noqa: PLW2901
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

    def person_of(self, contact: str) -> tuple[str, Person]:
        """The name and the contacts of the person whose contact this is."""
        while True:
            person = self.state["person", contact]
            assert isinstance(person, Person)
            if person.merged_into is None:
                return contact, person
            contact = person.merged_into

    def contact(self, id: str) -> Contact:
        """A contact, as it is at the end."""
        _, person = self.person_of(id)
        return next(contact for contact in person.contacts if contact.id == id)

    def people(self) -> dict[str, Person]:
        """Everybody, by name."""
        return {
            name: value
            for (_, name), value in self.state.items()
            if isinstance(value, Person) and value.merged_into is None
        }


def resolve(
    evidence: Iterable[Evidence], policy: Policy | Mapping[int, Policy], ids: Ids
) -> Resolved:
    """Fold evidence, given in any order, from nothing. ``policy``: one for all, or one for each
    version that evidence is stamped with."""
    resolved = Resolved(policy, ids)
    for piece in sort(evidence):
        resolved.apply(piece)
    return resolved
