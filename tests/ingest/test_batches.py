"""Events in the order in which they are appended, whatever the order in which they came."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from graphid.identity.ids import Ids
from graphid.identity.values import Kind, place
from graphid.service.batches import batch_of
from graphid.service.recordings import Event

IDS = Ids(b"the secret of the tests")
TIMEOUT = 1_000


def event(id: str, cookie: str, at: int, device: str | None = None) -> Event:
    return Event(
        message_id=id,
        type="PAGE",
        cookie=cookie,
        at=at,
        received_at=at,
        position=place(at, Kind.EVENT, id),
        digest="",
        device=device,
    )


def runs(batch: dict[str, Any]) -> dict[str, list[list[str]]]:
    """The message ids of each cookie's runs."""
    return {
        cookie["id"]: [[e["messageId"] for e in run["events"]] for run in cookie["runs"]]
        for cookie in batch["cookies"]
    }


def test_a_gap_that_is_longer_than_the_timeout_parts_two_runs() -> None:
    events = [event("a", "c", 0), event("b", "c", 1_000), event("d", "c", 2_001)]
    batch = batch_of(events, TIMEOUT, IDS)
    assert runs(batch) == {"c": [["a", "b"], ["d"]]}
    (cookie,) = batch["cookies"]
    assert [(run["start"], run["end"]) for run in cookie["runs"]] == [(0, 1_000), (2_001, 2_001)]
    assert [run["newSession"] for run in cookie["runs"]] == [
        IDS.session("c", "a"),
        IDS.session("c", "d"),
    ]
    assert (cookie["first"], cookie["last"]) == (0, 2_001)


def test_a_device_has_each_cookie_that_used_it_once() -> None:
    events = [event("a", "c", 5, "d"), event("b", "e", 9, "d"), event("f", "c", 2, "d")]
    batch = batch_of(events, TIMEOUT, IDS)
    (device,) = batch["devices"]
    assert (device["first"], device["last"]) == (2, 9)
    assert [(use["cookie"], use["first"], use["last"]) for use in device["uses"]] == [
        ("c", 2, 5),
        ("e", 9, 9),
    ]


@given(
    st.lists(st.tuples(st.sampled_from("cde"), st.integers(0, 9_000)), max_size=30), st.randoms()
)
def test_the_order_of_coming_does_not_matter(said: list[tuple[str, int]], random: Random) -> None:
    events = [event(f"m{n}", cookie, at) for n, (cookie, at) in enumerate(said)]
    shuffled = random.sample(events, len(events))
    one, other = batch_of(events, TIMEOUT, IDS), batch_of(shuffled, TIMEOUT, IDS)
    assert one["cookies"] == other["cookies"]
    assert sorted(id for cookie in runs(one).values() for run in cookie for id in run) == sorted(
        event.message_id for event in events
    )
