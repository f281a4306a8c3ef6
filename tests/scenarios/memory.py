"""Scenarios against the fold itself, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphid.identity.attribution import Attribution, attribute
from graphid.identity.fold import Resolved, resolve
from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy, parse_policy
from graphid.identity.state import Identifier, Review
from graphid.identity.values import (
    SECOND,
    Anchor,
    Assurance,
    ContactUpsert,
    Evidence,
    Identify,
    Kind,
    Logout,
    Micros,
    Place,
    place,
)
from tests.identity.operator import Operator, Refused
from tests.scenarios.scenario import EVIDENCE, OPERATOR, Answers, Scenario, Step, identifiers_of

IDS = Ids(b"a secret of the tests")
START: Micros = 1_700_000_000 * SECOND
NOW: Micros = START + 30 * 86400 * SECOND
"""When the first step arrives; each arrives a second after the one listed before it."""


def play(scenario: Scenario, steps: Iterable[Step] | None = None) -> InMemory:
    """What the fold makes of the steps (all, unless given) of a scenario, in whatever order they
    come."""
    played = InMemory(scenario)
    for step in scenario.steps if steps is None else steps:
        played.send(step)
    return played


class InMemory:
    """One playing of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.policy: Policy = parse_policy(dict(scenario.policy or {}))
        self.answers = Answers()
        """What each step answered when it arrived."""
        self._invalid: dict[str, list[str]] = {}
        self._chats = scenario.cookie_of_chat
        self._steps = {step["id"]: step for step in scenario.steps}
        self._received = {id: NOW + n * SECOND for n, id in enumerate(self._steps)}
        self._arrived: list[Evidence] = []
        self._known: dict[str, Evidence] = {}
        self._resolved = resolve((), self.policy, IDS)
        self._last: Place = ""

    # ------------------------------------------------------------------ sending

    def send(self, step: Step) -> None:
        """Deliver a step: evidence joins the rest, and what the fold says of it is the answer."""
        id = step["id"]
        if step["op"] not in EVIDENCE or id in self.answers.refused:
            return
        if step["op"] not in OPERATOR:
            piece = self._evidence(step)
        elif id in self._known:
            return  # an operator's act is made of what the operator saw, once
        else:
            try:
                piece = self._operation(step)
            except Refused:
                self.answers.refused.add(id)
                return
        self._arrived.append(piece)
        if id not in self._known:
            self._known[id] = piece
            self._fold(piece)
            self._tell_answer(id, self.answers)

    def _fold(self, piece: Evidence) -> None:
        if piece.place > self._last:
            self._resolved.apply(piece)
            self._last = piece.place
        else:
            self._resolved = resolve(self._arrived, self.policy, IDS)

    def _evidence(self, step: Step) -> Evidence:
        id, at, recorded_at = step["id"], self._time(step), self._received[step["id"]]
        if step["op"] == "logout":
            return Logout(id, at, recorded_at, step["cookie"], step.get("device"))
        identifiers, invalid = [], []
        for type, value in identifiers_of(step):
            try:
                identifiers.append(normalise(type, value, region=self.policy.phone.region))
            except InvalidIdentifier:
                invalid.append("INVALID_IDENTIFIER")
        self._invalid[id] = invalid
        traits = step.get("traits") or {}
        if step["op"] == "contact":
            return ContactUpsert(
                id,
                at,
                recorded_at,
                step["source"],
                step["source_id"],
                tuple(identifiers),
                curated=bool(step.get("curated")),
                traits=traits,
            )
        assert step["op"] == "identify"
        return Identify(
            id,
            at,
            recorded_at,
            step["cookie"],
            step.get("device"),
            Assurance[step.get("assurance", "CLAIMED")],
            tuple(identifiers),
            traits,
        )

    def _operation(self, step: Step) -> Evidence:
        operator = Operator(self.resolved, step["id"], self._received[step["id"]])
        match step["op"]:
            case "merge":
                return operator.merge(*(self._anchor(operator, ref) for ref in step["of"]))
            case "unmerge" if step["of"] in self.answers.refused:
                raise Refused("there was no such merge")
            case "unmerge":
                return operator.unmerge(step["of"])
            case "sever":
                since = START + round(step["from"] * SECOND) if "from" in step else None
                return operator.sever(*self._place(step["link_of"]), since)
            case "restore":
                return operator.restore(*self._place(step["link_of"]))
        assert step["op"] == "promote"
        if not self.is_known(step["contact"]):
            raise Refused("nobody known owns it")
        return operator.promote(operator.namesake(self.owner(step["contact"])))

    def _anchor(self, operator: Operator, ref: str) -> Anchor:
        """Whom an operator means by an event or a record."""
        if self._steps[ref]["op"] == "contact":
            return operator.namesake(self._record(ref))
        return operator.whose(*self._place(ref))

    def answers_now(self) -> Answers:
        """What the steps would answer, had all that arrived been known."""
        answers = Answers(warnings=dict(self._invalid), refused=self.answers.refused)
        for id in self._known:
            self._tell_answer(id, answers)
        return answers

    def _tell_answer(self, id: str, answers: Answers) -> None:
        outcome = self.resolved.outcomes[id]
        if outcome.switched:
            answers.switched.add(id)
        answers.reviews[id] = [self._review(review).kind for review in outcome.reviews]
        warned = [warning.code for warning in outcome.warnings]
        answers.warnings[id] = [*self._invalid.get(id, ()), *warned]

    # ------------------------------------------------------------------ reading

    @property
    def resolved(self) -> Resolved:
        """The fold of all that has arrived."""
        return self._resolved

    @property
    def arrived(self) -> list[Evidence]:
        """All evidence, in the order in which it arrived; what came twice is there twice."""
        return list(self._arrived)

    def in_one_go(self) -> Resolved:
        """The fold of every message as often as it arrived, from nothing."""
        return resolve(self._arrived, self.policy, IDS)

    def owner(self, ref: str) -> str:
        if self._steps[ref]["op"] == "contact":
            return self.resolved.person_of(self._record(ref))[0]
        found = self.attribution(ref)
        if found.contact is None:
            assert found.anonymous is not None
            return found.anonymous
        return self.resolved.person_of(found.contact)[0]

    def is_known(self, ref: str) -> bool:
        owner = self.owner(ref)
        if owner.startswith("visitor_"):
            return False
        return any(contact.is_known for contact in self.resolved.person_of(owner)[1].contacts)

    def basis(self, ref: str) -> str:
        return self.attribution(ref).basis

    def holder(self, type: str, value: str) -> str | None:
        try:
            key = normalise(type, value, region=self.policy.phone.region)
        except InvalidIdentifier:
            return None
        found = self.resolved.state.get(("identifier", key))
        if not isinstance(found, Identifier) or not found.contacts:
            return None
        return self.resolved.person_of(found.contacts[0])[0]

    def attribution(self, ref: str) -> Attribution:
        """Whose the event of a step is, and on what basis."""
        cookie, at = self._place(ref)
        return attribute(self.resolved.visitor_at(cookie, at), at)

    def _record(self, ref: str) -> str:
        step = self._steps[ref]
        return IDS.record(step["source"], step["source_id"])

    def _place(self, ref: str) -> tuple[str, Place]:
        """The cookie and the place of the event of a step."""
        step, evidence = self._steps[ref], self._known.get(ref)
        cookie = step["cookie"] if "cookie" in step else self._chats[step["chat"]]
        if evidence is not None:
            return cookie, evidence.place
        return cookie, place(self._time(step), Kind.EVENT, ref)

    def _time(self, step: Step) -> Micros:
        """When it happened: live, when it arrives."""
        at: Any = step["at"]
        return self._received[step["id"]] if at is None else START + round(at * SECOND)

    def _review(self, id: str) -> Review:
        review = self.resolved.state["review", id]
        assert isinstance(review, Review)
        return review
