"""What is done in a rehearsal can be read until it ends, and then was never done."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from graphid.errors import Busy, InternalError
from graphid.graph.database import Address, Database, Unit
from graphid.graph.queries import Query
from graphid.graph.rehearsal import Rehearsal, Within

FIND = Query(
    name="tests/find",
    text="MATCH (n:Rehearsed {id: $given.id}) RETURN n.id AS id",
    purpose="Finds what a rehearsal made.",
    parameters=frozenset({"id"}),
    columns=("id",),
    offline=False,
)
WRONG = Query(
    name="tests/wrong",
    text="RETURN 1 / $given.zero AS one",
    purpose="Fails.",
    parameters=frozenset({"zero"}),
    columns=("one",),
    offline=False,
)


@pytest.fixture
async def graph(database: Address) -> AsyncIterator[Database]:
    connected = await Database.connect(database, timeout=60)
    yield connected
    await connected.close()


class Making:
    """Work that makes a node."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.times = 0

    async def work(self, unit: Unit) -> str:
        self.times += 1
        await unit.run_text("CREATE (:Rehearsed {id: $id})", id=self.id)
        return self.id


async def test_it_is_read_inside_and_nowhere_else(graph: Database) -> None:
    making = Making()
    rehearsal = Rehearsal(graph, making.work)
    assert await rehearsal.begin() == making.id
    found = await asyncio.gather(*(rehearsal.read_rows(FIND, id=making.id) for _ in range(5)))
    assert found == [[{"id": making.id}]] * 5
    assert await graph.read_rows(FIND, id=making.id) == []
    await rehearsal.end()
    assert await graph.read_rows(FIND, id=making.id) == []
    with pytest.raises(Busy):
        await rehearsal.read_rows(FIND, id=making.id)
    await rehearsal.end()  # once more is no harm
    assert making.times == 1


async def test_what_its_work_raises_is_raised(graph: Database) -> None:
    class Wrong(Exception):
        pass

    making = Making()

    async def work(unit: Unit) -> None:
        await making.work(unit)
        raise Wrong

    with pytest.raises(Wrong):
        await Rehearsal(graph, work).begin()
    assert await graph.read_rows(FIND, id=making.id) == []


async def test_it_is_over_at_the_deadline(database: Address) -> None:
    hasty = await Database.connect(database, timeout=0.5)
    making = Making()
    rehearsal = Rehearsal(hasty, making.work)
    await rehearsal.begin()

    async def read_on() -> None:
        while True:
            await rehearsal.read_rows(FIND, id=making.id)

    with pytest.raises(Busy):
        await read_on()
    await rehearsal.end()
    await hasty.close()


async def test_a_reader_who_leaves_does_not_spoil_it(graph: Database) -> None:
    making = Making()
    rehearsal = Rehearsal(graph, making.work)
    await rehearsal.begin()
    reader = asyncio.create_task(rehearsal.read_rows(FIND, id=making.id))
    await asyncio.sleep(0)  # it has asked
    reader.cancel()
    assert await rehearsal.read_rows(FIND, id=making.id) == [{"id": making.id}]
    await rehearsal.end()
    assert await graph.read_rows(FIND, id=making.id) == []


async def test_who_leaves_before_it_begins_leaves_nothing(graph: Database) -> None:
    making = Making()
    started = asyncio.Event()

    async def work(unit: Unit) -> None:
        await making.work(unit)
        started.set()
        await asyncio.Event().wait()

    beginning = asyncio.create_task(Rehearsal(graph, work).begin())
    await started.wait()
    beginning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beginning
    assert await graph.read_rows(FIND, id=making.id) == []


async def test_a_statement_that_fails_ends_it_for_all_who_wait(graph: Database) -> None:
    making = Making()
    rehearsal = Rehearsal(graph, making.work)
    await rehearsal.begin()
    found = await asyncio.gather(
        rehearsal.read_rows(WRONG, zero=0),
        rehearsal.read_rows(FIND, id=making.id),
        return_exceptions=True,
    )
    assert all(isinstance(error, Exception) for error in found)
    await rehearsal.end()
    assert making.times == 1
    assert await graph.read_rows(FIND, id=making.id) == []


async def test_who_waited_for_their_turn_meets_the_failure_before(graph: Database) -> None:
    met: list[Any] = []

    async def work(unit: Unit) -> None:
        within = Within(unit)
        asked = (within.read_rows(WRONG, zero=0), within.read_rows(FIND, id="x"))
        met.extend(await asyncio.gather(*asked, return_exceptions=True))

    with pytest.raises(InternalError):
        await graph.read(work)
    assert isinstance(met[0], Exception)
    assert met[0] is met[1]
