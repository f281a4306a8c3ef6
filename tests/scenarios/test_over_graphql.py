"""The scenarios against a real service on a real database, sent as clients send them.

A scenario with a policy of its own is played while the service follows that one, which all else
that a run plays then comes after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.scenarios.over_graphql import Ask, OverGraphQL, set_policy
from tests.scenarios.scenario import (
    Expect,
    Scenario,
    Step,
    faults_of_answers,
    faults_of_state,
    load,
)

PLAYABLE = load()
ON_TIME = [s for s in PLAYABLE if not s.has_late_evidence]
LATE = [s for s in PLAYABLE if s.has_late_evidence]
TWICE = [s for s in PLAYABLE if s.policy is not None or s.has_operator]
"""In memory all are played so. Here every playing sends what identifies twice, to be told what a
browser is not; so everything twice is for those where more than messages comes between."""
RUN = uuid4().hex[:6]
"""Sets this run apart from others on the same database."""
START = datetime.now(UTC) - timedelta(days=30)


Play = Callable[[Scenario, str], OverGraphQL]


@pytest.fixture
def playing(browser: Ask, server: Ask) -> Iterator[Play]:
    """Begins a playing of a scenario, under a name of its own, and under its policy.

    The default is in force again afterwards.
    """
    was_set = False

    def begin(scenario: Scenario, name: str) -> OverGraphQL:
        nonlocal was_set
        if scenario.policy is not None:
            was_set = True
            set_policy(server, scenario.policy)
        called = f"{scenario.id}-{name}-{RUN}"
        return OverGraphQL(scenario, called, browser=browser, server=server, start=START)

    yield begin
    if was_set:
        set_policy(server, {})


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


def test_none_is_left_out() -> None:
    assert (len(PLAYABLE), len(ON_TIME)) == (212, 109)


@pytest.mark.parametrize("scenario", ON_TIME, ids=lambda scenario: scenario.id)
def test_as_listed(scenario: Scenario, playing: Play) -> None:
    played = playing(scenario, "listed")
    assert faults(scenario, played, scenario.steps) == []


@pytest.mark.parametrize("scenario", LATE, ids=lambda scenario: scenario.id)
def test_with_late_evidence(scenario: Scenario, playing: Play) -> None:
    played = playing(scenario, "late")
    assert faults(scenario, played, scenario.steps) == []


@pytest.mark.parametrize("scenario", TWICE, ids=lambda scenario: scenario.id)
def test_each_message_twice(scenario: Scenario, playing: Play) -> None:
    played = playing(scenario, "twice")
    assert faults(scenario, played, [s for step in scenario.steps for s in (step, step)]) == []
