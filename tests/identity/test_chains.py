"""The shortest chain, and always the same one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from graphid.identity.chains import Join, shortest_chain


def join(one: str, other: str, *, assurance: int = 1, at: int = 0, link: str = "") -> Join:
    return Join(link or f"{one}-{other}", one, other, assurance, at)


def chain(joins: list[Join], starts: str, goals: str) -> list[str] | None:
    found = shortest_chain(joins, starts.split(), goals.split())
    return None if found is None else [join.link for join in found]


LINE = [join("a", "b"), join("c", "b"), join("c", "d")]


def test_a_chain_is_told_from_its_start_whichever_way_links_point() -> None:
    assert chain(LINE, "a", "d") == ["a-b", "c-b", "c-d"]
    assert chain(LINE, "d", "a") == ["c-d", "c-b", "a-b"]


def test_the_same_thing_needs_no_links_and_what_is_apart_has_none() -> None:
    assert chain(LINE, "a", "a") == []
    assert chain([], "a", "a") == []
    assert chain(LINE, "a", "x") is None
    assert chain(LINE, "x", "a") is None
    assert chain([*LINE, join("x", "y")], "a", "y") is None
    assert chain(LINE, "", "a") is None


def test_of_several_starts_and_goals_the_nearest_two_are_taken() -> None:
    assert chain(LINE, "a b", "d x") == ["c-b", "c-d"]
    assert chain(LINE, "a c", "c d") == []


def test_the_shortest_is_taken() -> None:
    assert chain([*LINE, join("a", "d", at=9)], "a", "d") == ["a-d"]


def test_of_equally_short_ones_the_best_vouched_for_then_the_oldest_then_by_id() -> None:
    by_b = [join("a", "b", at=5), join("b", "z")]
    assert chain([*by_b, join("a", "c", assurance=2, at=9), join("c", "z")], "a", "z") == [
        "a-c",
        "c-z",
    ]
    assert chain([*by_b, join("a", "c", at=4), join("c", "z")], "a", "z") == ["a-c", "c-z"]
    assert chain([*by_b, join("a", "c", at=5), join("c", "z")], "a", "z") == ["a-b", "b-z"]


names = st.sampled_from("abcdefgh")
links = st.lists(st.tuples(names, names).filter(lambda ends: ends[0] != ends[1]), max_size=14)


@given(links, names, names, st.randoms())
def test_a_chain_is_one_is_the_shortest_and_does_not_depend_on_order(
    pairs: list[tuple[str, str]], start: str, goal: str, random: object
) -> None:
    joins = [join(one, other, link=f"l{n}", at=n % 3) for n, (one, other) in enumerate(pairs)]
    found = shortest_chain(joins, {start}, {goal})
    shuffled = list(joins)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shortest_chain(shuffled, {start}, {goal}) == found
    reached, frontier = {start: 0}, {start}
    while frontier:
        frontier = {
            j.beyond(end) for j in joins for end in frontier if end in (j.one, j.other)
        } - reached.keys()
        reached |= dict.fromkeys(frontier, max(reached.values()) + 1)
    assert (None if found is None else len(found)) == reached.get(goal)
    if found:
        assert start in (found[0].one, found[0].other)
        assert goal in (found[-1].one, found[-1].other)
        assert all({a.one, a.other} & {b.one, b.other} for a, b in pairwise(found))
