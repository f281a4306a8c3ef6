"""Every scenario, against the fold."""

from __future__ import annotations

import random

import pytest

from tests.scenarios.memory import InMemory, play
from tests.scenarios.scenario import Scenario, faults_of_answers, faults_of_state, load

ALL = load()
IN_ANY_ORDER = [scenario for scenario in ALL if not scenario.is_live]

each = pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.id)


def test_none_is_left_out() -> None:
    assert (len(ALL), len(IN_ANY_ORDER)) == (212, 171)


@each
def test_as_listed(scenario: Scenario) -> None:
    played = InMemory(scenario)
    after = dict(scenario.expect.get("after", {}))
    for step in scenario.steps:
        played.send(step)
        expect = after.pop(step["id"], None)
        if expect is not None:
            assert (step["id"], faults_of_state(expect, played)) == (step["id"], [])
    assert not after
    assert faults_of_state(scenario.expect, played) == []
    overtaken = scenario.overtaken
    assert faults_of_answers(scenario.expect, played.answers, leave_out=overtaken) == []
    assert faults_of_answers(scenario.expect, played.answers_now()) == []
    assert played.resolved.state == played.in_one_go().state


@each
def test_each_message_twice(scenario: Scenario) -> None:
    twice = play(scenario, [step for step in scenario.steps for _ in range(2)])
    once = play(scenario)
    assert twice.in_one_go().state == once.resolved.state
    assert twice.answers == once.answers


@pytest.mark.parametrize("scenario", IN_ANY_ORDER, ids=lambda scenario: scenario.id)
def test_in_any_order_of_arrival(scenario: Scenario) -> None:
    steps = list({step["id"]: step for step in scenario.steps}.values())
    expected = play(scenario).resolved.state
    for seed in range(3):
        random.Random(seed).shuffle(steps)
        assert play(scenario, steps).resolved.state == expected
