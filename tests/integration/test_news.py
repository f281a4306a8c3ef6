"""Lines of journeys, as they are told to whoever follows a person: each once, and none lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import pytest

from graphid.errors import NotFound
from graphid.graph.database import Address
from graphid.graph.log import LEASE
from graphid.service.news import News
from tests.integration.asking import installation
from tests.integration.test_changes import PATIENCE, Told
from tests.integration.test_ingest import SERVER

NAMES = ("jo", "kim", "lee")

JOINS = """query ($id: ID!) { person(id: $id) {
  journey(types: [MERGE, UNMERGE, SEVER]) { edges { node { id } } } } }"""


class Watched(Told):
    """A world whose lines are followed."""

    def another(self, **more: Any) -> News:
        feed = self.another_feed(look_every=0.01)
        return News(self.database, feed, self.reads, clock=lambda: self.now, **more)

    @asynccontextmanager
    async def followed(self, lines: News, *ids: str) -> AsyncIterator[list[Following]]:
        """Who follows these, with all jobs running."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(lines._feed.running())
            await stack.enter_async_context(lines.running())
            self.sequencer.on_numbered = lines.wake
            streams = [
                await stack.enter_async_context(aclosing(await lines.subscribe(id))) for id in ids
            ]
            yield [Following(stream) for stream in streams]


class Following:
    """One subscriber."""

    def __init__(self, stream: AsyncGenerator[Any, None]) -> None:
        self._stream = stream

    async def line(self) -> Any:
        """The next line."""
        async with asyncio.timeout(PATIENCE):
            line, _ = await anext(self._stream)
        return line

    async def next(self) -> str:
        """The message id of the next line."""
        id: str = (await self.line()).message_id
        return id

    async def until(self, last: str) -> list[str]:
        found = [await self.next()]
        while found[-1] != last:
            found.append(await self.next())
        return found


@pytest.fixture
async def watched(own_database: Address) -> AsyncIterator[Watched]:
    async with installation(own_database) as (connected, ids):
        world = Watched(connected, ids)
        await world.written(f"MATCH (l:Lease {{name: '{LEASE}'}}) SET l.until = 0")
        await world.number()
        yield world


async def page(world: Watched, cookie: str, second: int) -> str:
    """A page that is sent, and its message id."""
    receipt = await world.one(world.page(cookie, second))
    return receipt.message_id


async def three(world: Watched) -> list[str]:
    """The ids of Jo, Kim and Lee, who have identified themselves on a cookie each."""
    for second, name in enumerate(NAMES, 1):
        await world.one(world.said(name, second, f"email:{name}@example.com"), SERVER)
    return [(await world.person(world.birth(name)))["id"] for name in NAMES]


async def test_lines_of_one_person_and_of_no_other(watched: Watched) -> None:
    await watched.one(watched.said("a", 1, "email:jo@example.com"), SERVER)
    await watched.one(watched.said("b", 2, "email:kim@example.com"), SERVER)
    async with watched.followed(watched.another(), watched.birth("a")) as (jo,):
        await page(watched, "b", 10)
        sent = [await page(watched, "a", second) for second in (10, 4, 12)]
        await watched.number()
        assert await jo.until(sent[-1]) == sent  # the late one, too, as it came


async def test_what_nobody_watches_gets_no_number(watched: Watched) -> None:
    id = await page(watched, "a", 1)
    await watched.number()
    (row,) = await watched.rows(
        "MATCH (e:Event {messageId: $id}) RETURN e.line AS line, e.waiting AS waiting", id=id
    )
    assert row == {"line": None, "waiting": None}


async def test_somebody_who_becomes_known_and_goes_on_elsewhere(watched: Watched) -> None:
    """An anonymous visitor is followed: into the person that they turn out to be, onto a new
    device, on which what came before anybody could know of it is told of, too."""
    await page(watched, "a", 1)
    async with watched.followed(watched.another(), watched.birth("a")) as (who,):
        first = await page(watched, "a", 2)
        said = (await watched.one(watched.said("a", 3, "email:jo@example.com"), SERVER)).message_id
        await watched.number()
        assert await who.until(said) == [first, said]
        before = await page(watched, "b", 4)  # nobody knows whose
        there = (await watched.one(watched.said("b", 5, "email:jo@example.com"), SERVER)).message_id
        unmarked = await page(watched, "b", 6)
        await watched.number()
        assert await who.until(unmarked) == [there, unmarked]
        marked = await page(watched, "b", 7)
        await watched.number()
        assert await who.until(marked) == [marked]
        assert before != marked


async def test_through_a_merge_and_an_unmerge(watched: Watched) -> None:
    await watched.one(watched.said("a", 1, "email:jo@example.com"), SERVER)
    await watched.one(watched.said("b", 2, "email:kim@example.com"), SERVER)
    people = [(await watched.person(watched.birth(cookie)))["id"] for cookie in "ab"]
    async with watched.followed(watched.another(), *people) as (jo, kim):
        done = await watched.changed("mergePeople", ids=people)
        both = [await page(watched, "a", 10), await page(watched, "b", 11)]
        await watched.number()
        merge = done["operationId"]
        for one in (jo, kim):
            # What came before the other's cookie could be marked comes ahead of other lines.
            assert {await one.next() for _ in range(3)} == {*both, merge}
        unmerge = (await watched.changed("unmerge", id=merge))["operationId"]
        await watched.number()
        assert await jo.until(unmerge) == [unmerge]
        assert await kim.until(unmerge) == [unmerge]
        alone = [await page(watched, "a", 20), await page(watched, "b", 21)]
        last = [await page(watched, "a", 30), await page(watched, "b", 31)]
        await watched.number()
        assert await jo.until(last[0]) == [alone[0], last[0]]
        assert await kim.until(last[1]) == [alone[1], last[1]]


async def test_joins_and_splits_are_told_as_the_journey_has_them(watched: Watched) -> None:
    """Those from before are not told again, and neither are those that somebody brought along."""
    jo_id, kim_id, lee_id = await three(watched)
    brought = await watched.changed("mergePeople", ids=[kim_id, lee_id])
    async with watched.followed(watched.another(), jo_id) as (jo,):
        await watched.changed("mergePeople", ids=[jo_id, kim_id])
        await watched.number()
        told = [await jo.line()]
        link = (await watched.links(jo_id, "IDENTIFIED_AS"))[0]["id"]
        await watched.changed("severLink", id=link)
        await watched.number()
        told.append(await jo.line())
        found = await watched.ask(JOINS, id=kim_id)
    lines = [edge["node"]["id"] for edge in found["person"]["journey"]["edges"]]
    assert [line.type for line in told] == ["MERGE", "SEVER"]
    assert {line.id for line in told} < set(lines)
    assert len(lines) == 3
    assert brought["operationId"] not in {line.message_id for line in told}


async def test_what_was_being_numbered_is_told_once_with_its_own_change(watched: Watched) -> None:
    """Two merges are there before the first is told of: each comes once."""
    jo_id, kim_id, lee_id = await three(watched)
    async with watched.followed(watched.another(), jo_id) as (jo,):
        done = [
            (await watched.changed("mergePeople", ids=[jo_id, id]))["operationId"]
            for id in (kim_id, lee_id)
        ]
        await watched.number()
        assert [await jo.next(), await jo.next()] == done
        last = await page(watched, "jo", 30)
        await watched.number()
        assert await jo.until(last) == [last]


async def test_many_at_once_each_once(watched: Watched) -> None:
    """Two readers, as in two processes, and whoever numbers all the while."""
    await watched.one(watched.said("a", 1, "email:jo@example.com"), SERVER)
    number = asyncio.create_task(watched.sequencer.run())
    id = watched.birth("a")
    async with (
        watched.followed(watched.another(look_every=0.01), id) as (one,),
        watched.followed(watched.another(look_every=0.01), id) as (other,),
    ):
        sent = await asyncio.gather(*(page(watched, "a", second) for second in range(2, 42)))
        last = await page(watched, "a", 50)
        found = [await one.until(last), await other.until(last)]
    number.cancel()
    assert found[0] == found[1]
    assert sorted(found[0]) == sorted([*sent, last])


async def test_what_is_erased_before_it_is_read_leaves_no_reader_waiting(watched: Watched) -> None:
    await watched.one(watched.said("a", 1, "email:jo@example.com"), SERVER)
    lines = watched.another(look_every=0.001)
    id = watched.birth("a")
    stream = await lines.subscribe(id)  # it watches; nothing reads yet
    gone = await page(watched, "a", 2)
    left = await page(watched, "a", 3)
    await watched.number()
    await watched.written("MATCH (e:Event {messageId: $id}) SET e.line = null", id=gone)
    async with lines._feed.running(), lines.running(), aclosing(stream):
        assert await Following(stream).until(left) == [left]


async def test_a_person_that_never_was(watched: Watched) -> None:
    with pytest.raises(NotFound):
        await watched.another().subscribe("person_0123456789abcdef01234567")


async def test_numbers_of_lines_are_taken_back(watched: Watched) -> None:
    await watched.one(watched.said("a", 1, "email:jo@example.com"), SERVER)
    async with watched.followed(watched.another(), watched.birth("a")) as (jo,):
        id = await page(watched, "a", 2)
        await watched.number()
        await jo.until(id)
        await watched.sequencer._drop_lines(2**31)
    (row,) = await watched.rows("MATCH (e:Event {messageId: $id}) RETURN e.line AS line", id=id)
    assert row["line"] is None
