"""What waits is done together, in its order, and nobody pays for another's fault."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from graphid.errors import Busy, DatabaseUnavailable, NotFound
from graphid.graph.bookmarks import following, reached
from graphid.service.lanes import Lane, Room

PATIENCE = 60.0
"""Seconds; nothing here takes any."""
AT_ONCE = 0.0


class Work:
    """Answers an item with itself; waits where it is told to, and fails where an item says so."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()

    async def __call__(self, items: Sequence[str]) -> list[str]:
        self.groups.append(list(items))
        self.begun.set()
        await self.open.wait()
        reached(f"after {items[-1]}")
        if "bad" in items:
            raise NotFound("bad")
        if "away" in items:
            raise DatabaseUnavailable(retry_after=7)
        return list(items)


@pytest.fixture
def work() -> Work:
    return Work()


async def queued(work: Work, lane: Lane[str, str], *items: str) -> list[asyncio.Task[str]]:
    """Tasks that put these while the first item, ``head``, is under way."""
    work.open.clear()
    tasks = [asyncio.create_task(lane.put("head", size=1, within=PATIENCE))]
    await work.begun.wait()
    for item in items:
        tasks.append(asyncio.create_task(lane.put(item, size=1, within=PATIENCE)))
        await asyncio.sleep(0)  # let it get in line
    return tasks


async def test_an_idle_lane_begins_at_once(work: Work) -> None:
    lane = Lane(work, most=10)
    assert await lane.put("a", size=1, within=PATIENCE) == "a"
    assert await lane.put("b", size=1, within=PATIENCE) == "b"
    assert work.groups == [["a"], ["b"]]


async def test_what_waits_is_done_together_up_to_the_most_and_in_order(work: Work) -> None:
    tasks = await queued(work, Lane(work, most=3), *"abcd")
    work.open.set()
    assert await asyncio.gather(*tasks) == ["head", *"abcd"]
    assert work.groups == [["head"], ["a", "b", "c"], ["d"]]


async def test_what_is_larger_than_the_most_is_done_alone(work: Work) -> None:
    lane = Lane(work, most=3)
    tasks = await queued(work, lane, "a")
    tasks.append(asyncio.create_task(lane.put("large", size=9, within=PATIENCE)))
    work.open.set()
    await asyncio.gather(*tasks)
    assert work.groups == [["head"], ["a"], ["large"]]


async def test_workers_are_as_many_as_asked_for(work: Work) -> None:
    lane = Lane(work, most=9, workers=2)
    work.open.clear()
    tasks = []
    for item in "ab":
        work.begun.clear()
        tasks.append(asyncio.create_task(lane.put(item, size=1, within=PATIENCE)))
        await work.begun.wait()
    tasks.append(asyncio.create_task(lane.put("c", size=1, within=PATIENCE)))
    await asyncio.sleep(0)
    assert work.groups == [["a"], ["b"]]
    work.open.set()
    assert await asyncio.gather(*tasks) == ["a", "b", "c"]


async def test_another_worker_begins_where_one_is_at_it_for_long(work: Work) -> None:
    lane = Lane(work, most=9, workers=2, relief=0.001)
    tasks = await queued(work, lane)
    work.begun.clear()
    tasks.append(asyncio.create_task(lane.put("past it", size=1, within=PATIENCE)))
    await work.begun.wait()
    work.open.set()
    assert await asyncio.gather(*tasks) == ["head", "past it"]
    assert work.groups == [["head"], ["past it"]]


async def test_until_then_only_where_more_waits_than_is_done_at_once(work: Work) -> None:
    lane = Lane(work, most=2, workers=2, relief=PATIENCE)
    tasks = await queued(work, lane, "a", "b")
    assert work.groups == [["head"]]
    work.begun.clear()
    tasks.append(asyncio.create_task(lane.put("c", size=1, within=PATIENCE)))
    await work.begun.wait()
    assert work.groups == [["head"], ["a", "b"]]
    work.open.set()
    await asyncio.gather(*tasks)
    assert work.groups[2:] == [["c"]]


async def test_parts_are_done_together_while_that_is_not_too_much(work: Work) -> None:
    lane = Lane(work, most=3, parts=2)
    tasks = await queued(work, lane)
    for item, part in (("a", 1), ("b", 0), ("c", 1)):
        tasks.append(asyncio.create_task(lane.put(item, size=1, within=PATIENCE, part=part)))
    work.open.set()
    assert await asyncio.gather(*tasks) == ["head", "a", "b", "c"]
    assert work.groups == [["head"], ["b", "a", "c"]]


async def test_no_two_are_at_one_part(work: Work) -> None:
    lane = Lane(work, most=2, parts=2)
    work.open.clear()
    tasks = [
        asyncio.create_task(lane.put(f"{part}{item}", size=1, within=PATIENCE, part=part))
        for item in "abc"
        for part in range(2)
    ]
    while len(work.groups) < 2:
        work.begun.clear()
        await work.begun.wait()
    for _ in range(5):
        await asyncio.sleep(0)  # nobody else begins
    assert work.groups == [["0a", "0b"], ["1a", "1b"]]
    work.open.set()
    await asyncio.gather(*tasks)
    assert {item for group in work.groups[2:] for item in group} == {"0c", "1c"}


async def test_a_fault_is_told_to_whose_it_is(work: Work) -> None:
    tasks = await queued(work, Lane(work, most=9), "a", "bad", "b")
    work.open.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answers[0], answers[1], answers[3]] == ["head", "a", "b"]
    assert isinstance(answers[2], NotFound)
    assert work.groups[1:] == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]


async def test_to_come_again_is_told_to_all_of_a_group(work: Work) -> None:
    tasks = await queued(work, Lane(work, most=9), "a", "away")
    work.open.set()
    head, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert head == "head"
    for error in others:
        assert isinstance(error, DatabaseUnavailable)
        assert error.retry_after == 7
    assert others[0] is not others[1]
    assert len(work.groups) == 2


async def test_whose_turn_does_not_come_in_time_is_told_to_come_again(work: Work) -> None:
    lane = Lane(work, most=9)
    tasks = await queued(work, lane)
    with pytest.raises(Busy):
        await lane.put("late", size=1, within=AT_ONCE)
    work.open.set()
    await asyncio.gather(*tasks)
    assert work.groups == [["head"]]


async def test_who_hangs_up_is_left_out(work: Work) -> None:
    tasks = await queued(work, Lane(work, most=9), "a", "b")
    tasks[1].cancel()
    await asyncio.gather(tasks[1], return_exceptions=True)
    work.open.set()
    assert [await tasks[0], await tasks[2]] == ["head", "b"]
    assert work.groups == [["head"], ["b"]]


async def test_each_learns_what_its_group_reached(work: Work) -> None:
    lane = Lane(work, most=9)

    async def put(item: str) -> list[str]:
        with following() as bookmarks:
            await lane.put(item, size=1, within=PATIENCE)
            return [*bookmarks.reached]

    work.open.clear()
    tasks = [asyncio.create_task(put("head"))]
    await work.begun.wait()
    tasks += [asyncio.create_task(put("a")), asyncio.create_task(put("b"))]
    await asyncio.sleep(0)
    work.open.set()
    assert await asyncio.gather(*tasks) == [["after head"], ["after b"], ["after b"]]


async def test_a_room_lets_in_as_much_as_it_holds_in_the_order_of_coming() -> None:
    room = Room(10)
    inside: list[str] = []
    leave = {name: asyncio.Event() for name in "abc"}

    async def stay(name: str, size: int) -> None:
        async with room.place(size, within=PATIENCE):
            inside.append(name)
            await leave[name].wait()

    tasks = []
    for name, size in (("a", 6), ("b", 6), ("c", 2)):
        tasks.append(asyncio.create_task(stay(name, size)))
        await asyncio.sleep(0)
    assert inside == ["a"]  # c would fit, and does not pass b
    assert room.taken == 6
    leave["a"].set()
    await tasks[0]
    await asyncio.sleep(0)
    assert inside == ["a", "b", "c"]
    assert room.taken == 8
    leave["b"].set()
    leave["c"].set()
    await asyncio.gather(*tasks)
    assert room.taken == 0


async def test_more_than_a_room_holds_has_it_alone() -> None:
    room = Room(10)
    async with room.place(50, within=PATIENCE):
        assert room.taken == 10
        with pytest.raises(Busy):
            async with room.place(1, within=AT_ONCE):
                raise AssertionError
    assert room.taken == 0


async def test_who_stops_waiting_for_room_takes_none() -> None:
    room = Room(1)
    async with room.place(1, within=PATIENCE):
        waiting = asyncio.create_task(room.place(1, within=PATIENCE).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with room.place(1, within=AT_ONCE):
        assert room.taken == 1
    assert room.taken == 0
