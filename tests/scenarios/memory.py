"""Scenarios against the fold itself, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from graphid.identity.attribution import Attribution, attribute
from graphid.identity.fold import Resolved, resolve
from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy, parse_policy
from graphid.identity.state import Contact, Identifier, Review
from graphid.identity.values import (
    SECOND,
    Assurance,
    ContactUpsert,
    Evidence,
    Identify,
    Kind,
    Logout,
    Micros,
    place,
)
from tests.scenarios.scenario import EVIDENCE, Answers, Scenario, Step, identifiers_of

IDS = Ids(b"a secret of the tests")
START: Micros = 1_700_000_000 * SECOND


def play(scenario: Scenario, steps: Sequence[Step] | None = None) -> InMemory:
    """The fold of the steps (all, unless given) of a scenario, in whatever order they come."""
    return InMemory(scenario, scenario.steps if steps is None else steps)


class InMemory:
    """What the fold makes of a scenario."""

    def __init__(self, scenario: Scenario, steps: Sequence[Step]) -> None:
        self.policy: Policy = parse_policy(dict(scenario.policy or {}))
        self.answers = Answers()
        self._chats = scenario.cookie_of_chat
        self._steps = {step["id"]: step for step in steps}
        arrived = [self._evidence(step) for step in steps if step["op"] in EVIDENCE]
        self.evidence = {piece.id: piece for piece in arrived}
        self.resolved: Resolved = resolve(arrived, self.policy, IDS)
        self._tell_answers()

    def owner(self, ref: str) -> str:
        step = self._steps[ref]
        if step["op"] == "contact":
            return self._contact(IDS.record(step["source"], step["source_id"])).person
        found = self.attribution(ref)
        if found.contact is None:
            assert found.anonymous is not None
            return found.anonymous
        return self._contact(found.contact).person

    def is_known(self, ref: str) -> bool:
        return not self.owner(ref).startswith("visitor_")

    def basis(self, ref: str) -> str:
        return self.attribution(ref).basis

    def holder(self, type: str, value: str) -> str | None:
        key = normalise(type, value, region=self.policy.phone.region)
        found = self.resolved.state.get(("identifier", key))
        if not isinstance(found, Identifier) or not found.contacts:
            return None
        return self._contact(found.contacts[0]).person

    def attribution(self, ref: str) -> Attribution:
        """Whose the event of a step is, and on what basis."""
        step = self._steps[ref]
        evidence = self.evidence.get(ref)
        cookie = step["cookie"] if "cookie" in step else self._chats[step["chat"]]
        at = evidence.place if evidence else place(_time(step), Kind.EVENT, ref)
        return attribute(self.resolved.visitor_at(cookie, at), at, self.policy)

    def _contact(self, id: str) -> Contact:
        contact = self.resolved.state["contact", id]
        assert isinstance(contact, Contact)
        return contact

    def _evidence(self, step: Step) -> Evidence:
        id, at, op = step["id"], _time(step), step["op"]
        if op == "logout":
            return Logout(id, at, at, step["cookie"], step.get("device"))
        identifiers, invalid = [], []
        for type, value in identifiers_of(step):
            try:
                identifiers.append(normalise(type, value, region=self.policy.phone.region))
            except InvalidIdentifier:
                invalid.append("INVALID_IDENTIFIER")
        self.answers.warnings[id] = invalid
        traits = step.get("traits") or {}
        if op == "contact":
            return ContactUpsert(
                id,
                at,
                at,
                step["source"],
                step["source_id"],
                tuple(identifiers),
                curated=bool(step.get("curated")),
                traits=traits,
            )
        assert op == "identify"
        return Identify(
            id,
            at,
            at,
            step["cookie"],
            step.get("device"),
            Assurance[step.get("assurance", "CLAIMED")],
            tuple(identifiers),
            traits,
        )

    def _tell_answers(self) -> None:
        for id, outcome in self.resolved.outcomes.items():
            if outcome.switched:
                self.answers.switched.add(id)
            self.answers.reviews[id] = [self._review(review).kind for review in outcome.reviews]
            self.answers.warnings.setdefault(id, []).extend(w.code for w in outcome.warnings)

    def _review(self, id: str) -> Review:
        review = self.resolved.state["review", id]
        assert isinstance(review, Review)
        return review


def _time(step: Step) -> Micros:
    at: float = step["at"]
    return START + round(at * SECOND)
