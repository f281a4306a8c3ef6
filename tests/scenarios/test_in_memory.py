"""Every scenario that the fold can play today, against the fold."""

from __future__ import annotations

import random

import pytest

from tests.scenarios.memory import play
from tests.scenarios.scenario import Scenario, faults_of_answers, faults_of_state, load

ALL = load()
PLAYABLE = [s for s in ALL if not s.has_operator and not s.is_live]

each = pytest.mark.parametrize("scenario", PLAYABLE, ids=lambda scenario: scenario.id)


def test_only_operator_steps_are_left_out() -> None:
    assert len(ALL) == 212
    assert len(PLAYABLE) == 171
    assert all(s.has_operator for s in ALL if s not in PLAYABLE)


@each
def test_as_listed(scenario: Scenario) -> None:
    played = play(scenario)
    assert faults_of_state(scenario.expect, played) == []
    assert faults_of_answers(scenario.expect, played.answers) == []


@each
def test_right_after_a_step(scenario: Scenario) -> None:
    for id, expect in scenario.expect.get("after", {}).items():
        assert (id, faults_of_state(expect, play(scenario, scenario.up_to(id)))) == (id, [])


@each
def test_each_message_twice(scenario: Scenario) -> None:
    twice = [step for step in scenario.steps for _ in range(2)]
    assert play(scenario, twice).resolved.state == play(scenario).resolved.state


@each
def test_in_any_order_of_arrival(scenario: Scenario) -> None:
    steps = list({step["id"]: step for step in scenario.steps}.values())
    expected = play(scenario).resolved.state
    for seed in range(3):
        random.Random(seed).shuffle(steps)
        assert play(scenario, steps).resolved.state == expected
