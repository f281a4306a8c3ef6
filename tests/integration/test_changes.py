"""The log of changes in the graph: numbered without a gap whoever numbers, and followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest

from graphid.errors import InvalidInput, NotFound
from graphid.graph.database import Address, Database, Unit
from graphid.graph.lease import Lease
from graphid.graph.log import LEASE, ChangeRecord, Log
from graphid.graph.policies import Policies
from graphid.identity.ids import Ids
from graphid.service.feed import Feed
from graphid.service.reads import Reads
from graphid.service.sequencer import Sequencer
from tests.integration.asking import installation
from tests.integration.operating import Operating
from tests.integration.test_erasing import erased
from tests.integration.test_ingest import SERVER

PATIENCE = 60


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Told(Operating):
    """A world with a sequencer and a feed of its own, on a database where no service runs."""

    def __init__(self, database: Database, ids: Ids) -> None:
        super().__init__(database, ids)
        self.clock = Clock()
        self.sequencer = Sequencer(database, elapsed=self.clock)
        self.log = Log(database)
        self.feed = self.another_feed()

    def another_feed(self, **more: Any) -> Feed:
        reads = Reads.on(self.database, Policies(self.database), clock=lambda: self.now)
        return Feed(self.log, reads.people, reads.visitors, **more)

    async def number(self) -> None:
        """Number all that waits."""
        self.sequencer.wake()
        while await self.sequencer.turn() or not self.sequencer.is_holder:
            self.sequencer.wake()

    async def since(self, sequence: int) -> list[ChangeRecord]:
        """All of the log behind a number, once it is numbered."""
        await self.number()
        found: list[ChangeRecord] = []
        while page := await self.log.after(sequence, limit=100):
            found += page
            sequence = page[-1].sequence
        return found

    async def kinds_since(self, sequence: int) -> list[str]:
        return [change.kind for change in await self.since(sequence)]

    async def written(self, text: Any, **parameters: Any) -> None:
        async def work(unit: Unit) -> None:
            await unit.run_text(text, run=self.run, **parameters)

        await self.database.write(work)


@pytest.fixture
async def told(own_database: Address) -> AsyncIterator[Told]:
    async with installation(own_database) as (connected, ids):
        world = Told(connected, ids)
        # Whatever another test left: its lease, and what nobody numbered.
        await world.written(f"MATCH (l:Lease {{name: '{LEASE}'}}) SET l.until = 0")
        await world.number()
        yield world


async def test_an_identify_a_merge_and_back(told: Told) -> None:
    start = await told.log.last()
    await told.one(told.identify("a", "jo"), SERVER)
    await told.one(told.identify("b", "kim"), SERVER)
    jo, kim = told.birth("a"), told.birth("b")
    people = [(await told.person(id))["id"] for id in (jo, kim)]
    # What they hold says two: nobody joins them.
    await told.one(told.logout("a", 5))
    first, second, *_ = await told.since(start)
    assert [(c.kind, c.person, c.previous) for c in (first, second)] == [
        ("IDENTIFIED", people[0], (jo,)),
        ("IDENTIFIED", people[1], (kim,)),
    ]
    assert first.sequence == start + 1
    assert first.links
    assert first.recorded_at <= second.recorded_at


async def test_nothing_that_changes_nobody_is_told(told: Told) -> None:
    await told.one(told.identify("a", "jo"))
    start = (await told.since(0))[-1].sequence
    await told.one(told.page("a", 3))
    await told.one(told.identify("a", "jo"))
    assert await told.since(start) == []


async def test_what_is_rolled_back_or_rehearsed_is_not_told(told: Told) -> None:
    await told.one(told.said("a", 1, "email:jo@example.com"), SERVER)
    await told.one(told.said("b", 2, "email:kim@example.com"), SERVER)
    start = (await told.since(0))[-1].sequence
    people = [(await told.person(told.birth(cookie)))["id"] for cookie in "ab"]
    await told.changed("mergePeople", ids=people, dryRun=True)
    assert await told.since(start) == []
    await told.changed("mergePeople", ids=people)
    merged = await told.since(start)
    assert [(change.kind, change.person, change.previous) for change in merged] == [
        ("MERGED", people[0], (people[1],))
    ]
    assert merged[0].evidence == f"{told.run}-act-1"


async def test_concurrent_writers_leave_no_gap_and_keep_each_persons_order(told: Told) -> None:
    start = await told.log.last()

    async def visit(cookie: str) -> None:
        for turn in range(4):
            await told.one(told.identify(cookie, f"u-{cookie}-{turn % 2}"))

    numbering = asyncio.create_task(told.sequencer.run())
    await asyncio.gather(*(visit(f"c{number}") for number in range(12)))
    numbering.cancel()
    changes = await told.since(start)
    assert [change.sequence for change in changes] == [*range(start + 1, start + 1 + len(changes))]
    for number in range(12):
        birth = told.birth(f"c{number}")
        mine = [change for change in changes if birth in change.previous]
        assert [change.kind for change in mine] == ["IDENTIFIED"]
    # Each switch ended what the one before began, in this order.
    person = (await told.person(told.birth("c0")))["id"]
    kinds = [change.kind for change in changes if change.person == person]
    assert kinds[:2] == ["IDENTIFIED", "ENDED"]


async def test_two_sequencers_give_no_number_twice(told: Told) -> None:
    """Each believes that it holds the lease: the one whose term is over gives nothing."""
    start = await told.log.last()
    await told.one(told.identify("a", "jo"))
    await told.number()
    numbered = await told.log.last()
    assert numbered > start
    await told.written(f"MATCH (l:Lease {{name: '{LEASE}'}}) SET l.until = 0")
    other = Sequencer(told.database, elapsed=told.clock)
    other.wake()
    assert await other.turn() == 0
    assert other.is_holder
    assert told.sequencer.is_holder  # as far as it knows
    await told.one(told.identify("b", "kim"))
    told.sequencer.wake()
    assert await told.sequencer.turn() == 0
    assert not told.sequencer.is_holder
    assert await told.log.last() == numbered
    other.wake()
    assert await other.turn() == 1
    assert await told.log.last() == numbered + 1


async def test_sequencers_that_are_at_it_together(told: Told) -> None:
    """The lease changes hands all the while."""
    start = await told.log.last()
    others = [Sequencer(told.database, seconds=0, batch=2) for _ in range(3)]

    async def number(sequencer: Sequencer) -> None:
        while True:
            sequencer.wake()
            await sequencer.turn()

    numbering = [asyncio.create_task(number(one)) for one in others]
    await asyncio.gather(*(told.one(told.identify(f"c{n}", f"u{n}")) for n in range(30)))
    for task in numbering:
        task.cancel()
    await asyncio.wait(numbering)
    await told.written(f"MATCH (l:Lease {{name: '{LEASE}'}}) SET l.until = 0")
    changes = await told.since(start)
    births = {told.birth(f"c{n}") for n in range(30)}
    told_of = [change.previous[0] for change in changes if births & set(change.previous)]
    assert sorted(told_of) == sorted(births)
    assert [change.sequence for change in changes] == [*range(start + 1, start + 1 + len(changes))]


async def test_a_lease_is_kept_and_taken_over(told: Told) -> None:
    name = f"lease-{told.run}"
    one = Lease(told.database, name, "one", seconds=3600)
    two = Lease(told.database, name, "two", seconds=3600)
    assert await one.is_free()
    first = await one.take()
    assert await one.take() == first
    assert not await two.is_free()
    assert await two.take() is None
    await two.give()  # it is not its own
    assert await two.take() is None
    await one.give()
    assert await two.is_free()
    assert await two.take() == (first or 0) + 1
    assert await one.take() is None


async def test_whoever_holds_the_lease_keeps_it_in_time(told: Told) -> None:
    (row,) = await told.rows(f"MATCH (l:Lease {{name: '{LEASE}'}}) RETURN l.until AS until")
    await told.sequencer.turn()
    assert await told.rows(f"MATCH (l:Lease {{name: '{LEASE}'}}) RETURN l.until AS until") == [row]
    told.clock.now += 1.0
    await told.sequencer.turn()
    (later,) = await told.rows(f"MATCH (l:Lease {{name: '{LEASE}'}}) RETURN l.until AS until")
    assert later["until"] > row["until"]


# ---------------------------------------------------------------------- the feed


async def collected(
    feed: Feed, count: int, id: str | None = None, after: int | None = None
) -> list[ChangeRecord]:
    """The next changes that a subscriber is told of."""
    found: list[ChangeRecord] = []
    async with aclosing(await feed.subscribe(id, after=after)) as stream:
        async with asyncio.timeout(PATIENCE):
            while len(found) < count:
                change, _ = await anext(stream)
                found.append(change)
    return found


async def test_a_number_that_was_never_given(told: Told) -> None:
    last = await told.log.last()
    for number in (-1, last + 1, 2**31 - 1):
        with pytest.raises(InvalidInput, match=f"from 0 to {last}") as raised:
            await told.feed.subscribe(after=number)
        assert raised.value.path == ("afterSequence",)


async def test_a_person_that_never_was(told: Told) -> None:
    with pytest.raises(NotFound) as raised:
        await told.feed.subscribe("person_0123456789abcdef01234567")
    assert raised.value.path == ("personId",)


async def test_an_erasure_is_told_to_who_resumes_and_nothing_of_whoever_comes_after(
    told: Told,
) -> None:
    start = await told.log.last()
    await told.one(told.said("a", 1, "email:jo@example.com"), SERVER)
    await told.number()
    person = (await told.person(told.birth("a")))["id"]
    await erased(told, person)
    await told.number()
    over = await told.log.last()
    with pytest.raises(NotFound):
        await told.another_feed().subscribe(person)
    again = await told.one(told.said("b", 3, "email:jo@example.com"), SERVER)
    assert (await told.person(told.birth("b")))["id"] == person, again
    await told.number()
    last = await told.log.last()
    kinds = {c.sequence: c.kind for c in await told.since(start)}
    assert kinds[over] == "ERASED"
    assert last > over
    for after in range(start, over):
        numbers = [c.sequence for c in await _taken(told, person, after, last)]
        assert numbers == list(range(after + 1, over + 1))
    # Whoever asks behind it means who they are now.
    found = await _taken(told, person, over, last)
    assert [c.kind for c in found] == ["IDENTIFIED"]


async def _taken(told: Told, id: str, after: int, last: int) -> list[ChangeRecord]:
    """What a follower goes along with of the log up to a number."""
    follower = await told.another_feed()._follower(id, after, last)
    found = await told.log.about(follower.subjects, after=after, until=last, limit=100)
    return [change for change in found if follower.take(change)]


async def test_whoever_resumes_anywhere_is_told_the_same(told: Told) -> None:
    """Everything, and one person who is merged, parted and merged again: from each number on,
    what follows is what whoever was there all along was told."""
    start = await told.log.last()
    await told.one(told.said("a", 1, "email:jo@example.com"), SERVER)
    await told.one(told.said("b", 2, "email:kim@example.com"), SERVER)
    await told.number()
    first, second = [(await told.person(told.birth(cookie)))["id"] for cookie in "ab"]
    merged = await told.changed("mergePeople", ids=[first, second])
    await told.one(told.said("c", 5, "email:jo@example.com"), SERVER)
    await told.changed("unmerge", id=merged["operationId"])
    await told.one(told.said("d", 7, "email:kim@example.com"), SERVER)
    await told.one(told.said("e", 8, "email:jo@example.com"), SERVER)
    everything = await told.since(start)
    last = everything[-1].sequence
    expected: dict[str, list[int]] = {}
    for id in (first, second, told.birth("b"), told.birth("d")):
        feed = told.another_feed()
        expected[id] = [c.sequence for c in await _until(feed, id, start, last)]
    kinds = {c.sequence: (c.kind, c.person) for c in everything}
    assert [kinds[n] for n in expected[second]] == [
        ("IDENTIFIED", second),
        ("MERGED", first),
        ("IDENTIFIED", first),  # on c, while the two were one
        ("UNMERGED", second),
        ("IDENTIFIED", second),
    ]
    assert expected[told.birth("b")] == expected[second]
    for after in range(start, last + 1):
        fresh = told.another_feed(kept=3)
        assert [c.sequence for c in await _until(fresh, None, after, last)] == [
            *range(after + 1, last + 1)
        ]
        for id, numbers in expected.items():
            found = [c.sequence for c in await _until(told.another_feed(kept=2), id, after, last)]
            assert found == [n for n in numbers if n > after], (id, after)


async def _until(feed: Feed, id: str | None, after: int, last: int) -> list[ChangeRecord]:
    """What a subscriber is told up to a number; nothing more is there to be told."""
    found: list[ChangeRecord] = []
    async with aclosing(await feed.subscribe(id, after=after)) as stream:
        while True:
            waiting = asyncio.create_task(anext(stream))
            while not waiting.done() and not feed.subscribers:  # noqa: ASYNC110
                await asyncio.sleep(0)
            if not waiting.done():
                # It has caught up, and there is nothing more.
                waiting.cancel()
                await asyncio.wait({waiting})
                return found
            found.append(waiting.result()[0])
            assert found[-1].sequence <= last


async def test_changes_are_handed_out_as_they_are_numbered(told: Told) -> None:
    """Two feeds, as in two processes: one is woken, the other looks by itself."""
    here, there = told.another_feed(look_every=3600), told.another_feed(look_every=0.01)
    told.sequencer.on_numbered = here.wake
    async with here.running(), there.running():
        start = await told.log.last()
        waiting = [
            asyncio.create_task(collected(feed, 2, after=start))
            for feed in (here, here, there, there)
        ]
        await told.one(told.identify("a", "jo"))
        await told.number()
        await told.one(told.identify("b", "kim"))
        await told.number()
        found = await asyncio.gather(*waiting)
    assert [[c.sequence for c in one] for one in found] == [[start + 1, start + 2]] * 4


async def test_followers_are_handed_only_what_concerns_them(told: Told) -> None:
    await told.one(told.said("a", 1, "email:jo@example.com"), SERVER)
    await told.one(told.said("b", 2, "email:kim@example.com"), SERVER)
    await told.number()
    first, second = [(await told.person(told.birth(cookie)))["id"] for cookie in "ab"]
    told.sequencer.on_numbered = told.feed.wake
    async with told.feed.running(), AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(aclosing(await told.feed.subscribe(id)))
            for id in (first, second)
        ]
        waiting = [asyncio.create_task(anext(stream)) for stream in streams]
        await told.one(told.said("c", 3, "email:kim@example.com"), SERVER)
        await told.number()
        (change, _) = await asyncio.wait_for(waiting[1], PATIENCE)
        assert change.person == second
        assert not waiting[0].done()
        await told.changed("mergePeople", ids=[first, second])
        await told.number()
        merges = [
            await asyncio.wait_for(waiting[0], PATIENCE),
            await asyncio.wait_for(anext(streams[1]), PATIENCE),
        ]
        assert [(c.kind, c.person) for c, _ in merges] == [("MERGED", first)] * 2
        await told.one(told.said("d", 9, "email:jo@example.com"), SERVER)
        await told.number()
        ((change, _),) = [await asyncio.wait_for(anext(streams[1]), PATIENCE)]
        assert (change.kind, change.person) == ("IDENTIFIED", first)


async def test_a_history_of_many_writers_is_the_same_for_all_who_follow(told: Told) -> None:
    start = await told.log.last()
    told.sequencer.on_numbered = told.feed.wake
    async with told.feed.running():
        following = asyncio.create_task(told.sequencer.run())
        live = asyncio.create_task(collected(told.feed, 20, after=start))
        await asyncio.gather(*(told.one(told.identify(f"c{n}", f"u{n}")) for n in range(20)))
        found = await live
        following.cancel()
    assert [c.sequence for c in found] == [*range(start + 1, start + 21)]
    assert found == (await told.since(start))[:20]
