"""Scenarios as values: what was sent, and who then owns what. The format is in FORMAT.md."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).parent
FILES = ("core.json", "histories.json")

OPERATOR = frozenset({"merge", "unmerge", "sever", "restore", "promote"})
EVIDENCE = frozenset({"identify", "logout", "contact"}) | OPERATOR
CHAT = frozenset({"chat_start", "chat_message", "chat_end"})

Step = Mapping[str, Any]
Expect = Mapping[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One scenario. ``repr`` is its id, which names the test."""

    id: str
    steps: tuple[Step, ...]
    expect: Expect = field(repr=False)
    policy: Mapping[str, Any] | None = None

    @property
    def has_operator(self) -> bool:
        """Operations are the next issue's."""
        return any(step["op"] in OPERATOR for step in self.steps)

    @property
    def is_live(self) -> bool:
        """Some of it happens as it is sent, so it can be sent in one order only."""
        return any(step["at"] is None for step in self.steps)

    @property
    def overtaken(self) -> set[str]:
        """Evidence that other evidence, which arrived later, stands before in the fold.

        Its answer was given before that was known.
        """
        first = {step["id"]: step for step in reversed(self.steps) if step["op"] in EVIDENCE}
        arrived = [step for step in self.steps if first.get(step["id"]) is step]
        return {
            early["id"]
            for number, early in enumerate(arrived)
            for late in arrived[number:]
            if _place(late) < _place(early)
        }

    @property
    def has_late_evidence(self) -> bool:
        """Evidence arrives that counts before evidence that was there."""
        return bool(self.overtaken)

    @property
    def cookie_of_chat(self) -> dict[str, str]:
        return {s["chat"]: s["cookie"] for s in self.steps if s["op"] == "chat_start"}

    def up_to(self, id: str) -> tuple[Step, ...]:
        """The steps that had arrived right after the one with this id (its first delivery)."""
        index = next(i for i, step in enumerate(self.steps) if step["id"] == id)
        return self.steps[: index + 1]


def _place(step: Step) -> tuple[float, int, str]:
    """Where evidence stands in the fold: by time, kind (a logout first), id."""
    at = float("inf") if step["at"] is None else step["at"]
    return (at, 1 if step["op"] == "logout" else 2, step["id"])


def load() -> list[Scenario]:
    """Every scenario of both files."""
    return [
        Scenario(found["id"], tuple(found["steps"]), found["expect"], found.get("policy"))
        for name in FILES
        for found in json.loads((HERE / name).read_text("utf-8"))
    ]


def identifiers_of(step: Step) -> list[tuple[str, str]]:
    """The identifiers of a step, as type and value, in the order written."""
    return [
        (type, value)
        for type, values in (step.get("identifiers") or {}).items()
        for value in (values if isinstance(values, list) else [values])
    ]


class Seen(Protocol):
    """What can be asked of the system under test once some steps have arrived."""

    def owner(self, ref: str) -> str:
        """Id of the person who owns what the step ``ref`` sent."""

    def is_known(self, ref: str) -> bool:
        """Whether that person is KNOWN."""

    def basis(self, ref: str) -> str:
        """The AttributionBasis of an event."""

    def holder(self, type: str, value: str) -> str | None:
        """Id of the person who holds an identifier."""


@dataclass
class Answers:
    """What the steps answered when they arrived."""

    switched: set[str] = field(default_factory=set)
    reviews: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


def faults_of_state(expect: Expect, seen: Seen) -> list[str]:
    """How what is seen differs from what a scenario expects to be so."""
    return [
        *_faults_of_people(expect["people"], seen),
        *(
            f"{ref} is {'known' if seen.is_known(ref) else 'anonymous'}"
            for part, known in (("anonymous", False), ("known", True))
            for ref in expect.get(part, ())
            if seen.is_known(ref) is not known
        ),
        *(
            f"{ref} is {seen.basis(ref)}, not {basis}"
            for ref, basis in expect.get("basis", {}).items()
            if seen.basis(ref) != basis
        ),
        *(
            f"{key} is held by {holder}, not by the person of {ref}"
            for key, ref in expect.get("holds", {}).items()
            if (holder := seen.holder(*key.split(":", 1))) != (seen.owner(ref) if ref else None)
        ),
    ]


def _faults_of_people(people: Sequence[Sequence[str]], seen: Seen) -> list[str]:
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for ref in {ref for group in people for ref in group}:
        groups[seen.owner(ref)].add(ref)
    expected = {frozenset(group) for group in people}
    found = {frozenset(group) for group in groups.values()}
    return [
        *(f"not one person: {sorted(group)}" for group in expected - found),
        *(f"instead: {sorted(group)}" for group in found - expected),
    ]


def faults_of_answers(
    expect: Expect, answers: Answers, *, leave_out: Collection[str] = ()
) -> list[str]:
    """How the answers differ from those that a scenario expects, less those of some steps."""
    faults = []
    switched = answers.switched.difference(leave_out)
    if "switched" in expect and switched != set(expect["switched"]).difference(leave_out):
        faults.append(f"switched: {sorted(switched)}, not {sorted(expect['switched'])}")
    if "refused" in expect and answers.refused != set(expect["refused"]):
        faults.append(f"refused: {sorted(answers.refused)}, not {sorted(expect['refused'])}")
    for part, found in (("reviews", answers.reviews), ("warnings", answers.warnings)):
        for id, kinds in expect.get(part, {}).items():
            if id not in leave_out and sorted(found.get(id, [])) != sorted(kinds):
                faults.append(f"{part} of {id}: {sorted(found.get(id, []))}, not {sorted(kinds)}")
    return faults
