"""Reads of one request that are asked for at once: one round trip, and each its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from graphid.errors import Busy, InternalError
from graphid.graph.bookmarks import following
from graphid.graph.database import CONNECTIONS, Address, Database
from graphid.graph.together import MOST
from tests.integration.test_database import ONE, PATIENCE, statement, wired

NUMBER = statement("RETURN $number AS number")
WRONG = statement("RETURN 1 / 0 AS wrong")
LONG = statement("UNWIND range(1, 1000000000000) AS x RETURN max(x) AS most")


@pytest.fixture(scope="module")
async def graph(database: Address) -> AsyncIterator[Database]:
    connected = await Database.connect(database)
    yield connected
    await connected.close()


def read(graph: Database, count: int) -> list[Any]:
    return [graph.read_rows(NUMBER, number=number) for number in range(count)]


def rows(count: int) -> list[Any]:
    return [[{"number": number}] for number in range(count)]


async def test_more_than_go_together_are_all_answered(graph: Database) -> None:
    with following():
        assert await asyncio.gather(*read(graph, 3 * MOST + 1)) == rows(3 * MOST + 1)


async def test_requests_do_not_wait_for_each_other(graph: Database) -> None:
    async def request(work: Any) -> Any:
        with following():
            return await work

    long = asyncio.create_task(request(graph.read_rows(LONG, within=PATIENCE)))
    async with asyncio.timeout(PATIENCE):
        assert await request(graph.read_rows(ONE)) == [{"one": 1}]
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long


async def test_one_that_fails_takes_nobody_along(graph: Database) -> None:
    before, behind = graph.read_rows(ONE), graph.read_rows(NUMBER, number=2)
    with following():
        found: list[Any] = await asyncio.gather(
            before, graph.read_rows(WRONG), behind, return_exceptions=True
        )
    first, wrong, last = found
    assert (first, last) == ([{"one": 1}], [{"number": 2}])
    assert isinstance(wrong, InternalError)


async def test_a_time_without_a_zone_is_refused_and_nothing_else(graph: Database) -> None:
    local = statement("RETURN localdatetime('2026-03-01T12:00') AS at")
    with following():
        both: list[Any] = await asyncio.gather(
            graph.read_rows(local), graph.read_rows(ONE), return_exceptions=True
        )
    refused, found = both
    assert isinstance(refused, TypeError)
    assert found == [{"one": 1}]


async def test_one_past_its_deadline_takes_nobody_along(graph: Database) -> None:
    with following():
        both: list[Any] = await asyncio.gather(
            graph.read_rows(LONG, within=0.2),
            graph.read_rows(ONE, within=PATIENCE),
            return_exceptions=True,
        )
    late, found = both
    assert isinstance(late, Busy)
    assert found == [{"one": 1}]


async def test_each_is_answered_when_its_own_rows_are_there_and_whoever_leaves_leaves_no_connection(
    graph: Database,
) -> None:
    for _ in range(CONNECTIONS + 1):
        with following():
            short = asyncio.create_task(graph.read_rows(ONE))
            long = asyncio.create_task(graph.read_rows(LONG, within=PATIENCE))
            async with asyncio.timeout(PATIENCE):
                assert await short == [{"one": 1}]
            long.cancel()
            with pytest.raises(asyncio.CancelledError):
                await long


async def test_what_is_asked_for_at_once_takes_one_round_trip(database: Address) -> None:
    async with wired(database) as (wire, behind):
        await behind.read_rows(ONE)
        wire.turns = 0
        with following():
            assert await asyncio.gather(*read(behind, MOST)) == rows(MOST)
        assert wire.turns == 1


async def test_what_is_asked_for_a_turn_later_goes_along(database: Address) -> None:
    async def later() -> Any:
        await asyncio.sleep(0)
        return await behind.read_rows(ONE)

    async with wired(database) as (wire, behind):
        await behind.read_rows(ONE)
        wire.turns = 0
        with following():
            await asyncio.gather(later(), *read(behind, 2))
        assert wire.turns == 1


async def test_a_silent_server_is_busy_for_all(database: Address) -> None:
    async with wired(database) as (wire, behind):
        wire.silent = True
        with following():
            found = await asyncio.gather(
                *(behind.read_rows(ONE, within=0.5) for _ in range(2)), return_exceptions=True
            )
        assert all(isinstance(one, Busy) for one in found)
        wire.silent = False
        with following():
            assert await asyncio.gather(*read(behind, 2)) == rows(2)
