"""The scenarios against a real service on a real database, sent as clients send them.

Left out: what needs an operator's step, and what needs another policy than the service has
(``setPolicy`` comes with the next issue).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios.over_graphql import Ask, OverGraphQL
from tests.scenarios.scenario import (
    Expect,
    Scenario,
    Step,
    faults_of_answers,
    faults_of_state,
    load,
)

PLAYABLE = [s for s in load() if not s.has_operator and not s.is_live and s.policy is None]
ON_TIME = [s for s in PLAYABLE if not s.has_late_evidence]
LATE = [s for s in PLAYABLE if s.has_late_evidence]
START = datetime.now(UTC) - timedelta(days=30)


Play = Callable[[Scenario, str], OverGraphQL]


@pytest.fixture(scope="session")
def playing(browser: Ask, server: Ask) -> Play:
    """Begins a playing of a scenario, under a name of its own."""

    def begin(scenario: Scenario, name: str) -> OverGraphQL:
        called = f"{scenario.id}-{name}"
        return OverGraphQL(scenario, called, browser=browser, server=server, start=START)

    return begin


def faults(scenario: Scenario, played: OverGraphQL, steps: Iterable[Step]) -> list[str]:
    """Deliver the steps; everything that differs from what is expected, then and at the end."""
    found: list[str] = []
    waiting = dict(scenario.expect.get("after", {}))
    for step in steps:
        played.send(step)
        if step["id"] in waiting:
            found += [f"after {step['id']}: {f}" for f in at_once(waiting.pop(step["id"]), played)]
    return [
        *found,
        *at_once(scenario.expect, played),
        *faults_of_answers(scenario.expect, played.answers, leave_out=scenario.overtaken),
    ]


def at_once(expect: Expect, played: OverGraphQL) -> list[str]:
    """What differs now, asked in as few queries as may be."""
    named = [ref for group in expect["people"] for ref in group]
    others = [*expect.get("anonymous", ()), *expect.get("known", ()), *expect.get("basis", ())]
    holders = [ref for ref in expect.get("holds", {}).values() if ref]
    played.look([*named, *others, *holders], expect.get("holds", ()))
    return faults_of_state(expect, played)


each = pytest.mark.parametrize("scenario", ON_TIME, ids=lambda scenario: scenario.id)


def test_what_is_left_out() -> None:
    assert (len(PLAYABLE), len(ON_TIME)) == (162, 89)


@each
def test_as_listed(scenario: Scenario, playing: Play) -> None:
    played = playing(scenario, "listed")
    assert faults(scenario, played, scenario.steps) == []


@each
def test_each_message_twice(scenario: Scenario, playing: Play) -> None:
    played = playing(scenario, "twice")
    assert faults(scenario, played, [s for step in scenario.steps for s in (step, step)]) == []


@pytest.mark.parametrize("scenario", LATE, ids=lambda scenario: scenario.id)
def test_with_late_evidence(scenario: Scenario, playing: Play) -> None:
    played = playing(scenario, "late")
    assert faults(scenario, played, scenario.steps) == []
