"""What one request asks for side by side goes to the database in one turn."""

from __future__ import annotations

import asyncio

import pytest

from graphid.errors import InternalError
from graphid.graph.bookmarks import following
from graphid.graph.database import Address
from tests.integration.test_database import ONE, PATIENCE, statement, wired

FAILS = statement("RETURN 1 / $zero AS one")
ECHO = statement("RETURN $said AS said")


async def test_side_by_side_is_one_turn_and_each_gets_its_own_rows(database: Address) -> None:
    async with wired(database) as (wire, graph):
        wire.turns = 0
        with following():
            found = await asyncio.gather(*(graph.read_rows(ECHO, said=n) for n in range(5)))
        assert found == [[{"said": n}] for n in range(5)]
        assert wire.turns == 1


async def test_two_requests_do_not_wait_for_each_other(database: Address) -> None:
    """Each has a connection of its own: that of the other need not be answered first."""

    async def request(said: str) -> list[str]:
        with following():
            asked = [graph.read_rows(ECHO, said=said), graph.read_rows(ECHO, said=said * 2)]
            return [row["said"] for rows in await asyncio.gather(*asked) for row in rows]

    async with wired(database) as (wire, graph):
        one, other = await asyncio.gather(request("a"), request("b"))
        assert (one, other) == (["a", "aa"], ["b", "bb"])
        assert wire.accepted == 2


async def test_what_stands_behind_a_failure_is_answered_all_the_same(database: Address) -> None:
    async with wired(database) as (_, graph):
        with following():
            asked = (
                graph.read_rows(ECHO, said="first"),
                graph.read_rows(FAILS, zero=0),
                graph.read_rows(ECHO, said="last"),
            )
            answers: list[object] = await asyncio.gather(*asked, return_exceptions=True)
        assert answers[::2] == [[{"said": "first"}], [{"said": "last"}]]
        assert isinstance(answers[1], InternalError)
        assert sum(graph.failures.values()) == 1


async def test_who_goes_away_takes_nothing_from_the_others(database: Address) -> None:
    async with wired(database) as (_, graph):
        with following():
            gone = asyncio.ensure_future(graph.read_rows(ECHO, said="gone"))
            stays = asyncio.ensure_future(graph.read_rows(ECHO, said="stays"))
            await asyncio.sleep(0)
            gone.cancel()
            async with asyncio.timeout(PATIENCE):
                assert await stays == [{"said": "stays"}]
        with pytest.raises(asyncio.CancelledError):
            await gone


async def test_what_nobody_waits_for_any_more_is_stopped(database: Address) -> None:
    """The connection is not used again with an answer still on its way."""
    async with wired(database) as (wire, graph):
        wire.silent = True
        wire.asked.clear()
        with following():
            both = [asyncio.ensure_future(graph.read_rows(ECHO, said=n)) for n in (1, 2)]
            await wire.asked.wait()
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            wire.silent = False
            async with asyncio.timeout(PATIENCE):
                assert await graph.read_rows(ONE) == [{"one": 1}]
