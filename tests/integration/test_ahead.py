"""What is below a person is asked for along with the person, however it is selected."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.telling import Telling, interrupted

BELOW = {
    "an alias": "lines: journey(first: 3) { edges { cursor } }",
    "a fragment on the type": "... on Person { journey(first: 3) { edges { cursor } } }",
    "a fragment with a name": "...page",
    "a variable": "journey(first: $first) { edges { cursor } }",
}


def query(below: str) -> str:
    declared = "$id: ID!, $first: Int" if "$first" in below else "$id: ID!"
    named = "fragment page on Person { journey(first: 3) { edges { cursor } } }"
    whole = f"query ({declared}) {{ person(id: $id) {{ id {below} }} }}"
    return whole + (named if "...page" in below else "")


@pytest.mark.parametrize("way", BELOW)
async def test_a_page_is_asked_for_side_by_side_and_once(telling: Telling, way: str) -> None:
    await telling.two()
    jo = await telling.owner("pa")
    graph = interrupted(telling)
    variables = {"first": 3} if "$first" in BELOW[way] else {}
    await telling.ask(query(BELOW[way]), id=jo, **variables)
    assert sorted(graph.asked) == ["journey/open_newest", "people/read_people"]


async def test_what_is_left_out_is_not_asked_for(telling: Telling) -> None:
    await telling.two()
    jo = await telling.owner("pa")
    graph = interrupted(telling)
    await telling.ask(query("journey @skip(if: true) { edges { cursor } }"), id=jo)
    assert graph.asked == ["people/read_people"]


async def test_an_argument_that_is_refused_is_refused_by_its_field(telling: Telling) -> None:
    await telling.two()
    jo = await telling.owner("pa")
    wrong = query("journey(first: 1000) { edges { cursor } }")
    error: dict[str, Any] = await telling.fault_of(wrong, id=jo)
    assert error["path"] == ["person", "journey"]
    assert "first" in error["message"]


async def test_of_a_merged_id_the_journey_is_that_of_who_they_are_now(telling: Telling) -> None:
    await telling.two()
    jo, kim = await telling.owner("pa"), await telling.owner("pb")
    await telling.changed("mergePeople", ids=[jo, kim])
    now = await telling.owner("pa")
    (former,) = {jo, kim} - {now}
    assert await telling.journey(former, first=50) == await telling.journey(now, first=50)
