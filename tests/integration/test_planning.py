"""Statements are planned before they are asked, and planning runs none of them."""

from __future__ import annotations

import structlog

from graphid.graph.database import Database
from graphid.graph.engine import Address
from graphid.service.planning import Planning, first
from tests.integration.test_database import COUNT, CREATE, ONE


async def test_planning_runs_nothing(database: Address) -> None:
    graph = await Database.connect(database)
    await graph.plan(CREATE, within=60)
    assert await graph.read_rows(COUNT, id=None) == [{"n": 0}]
    assert await graph.read_rows(ONE) == [{"one": 1}], "the connection is as good as before"
    await graph.close()


async def test_all_are_planned_and_then_it_is_over(database: Address) -> None:
    graph = await Database.connect(database)
    with structlog.testing.capture_logs() as logs:
        await Planning(graph).run()
    assert [(line["event"], line["statements"]) for line in logs] == [("planned", len(first()))]
    assert len({query.name for query in first()}) == len(first()) > 0
    await graph.close()


async def test_a_database_that_is_not_there_is_no_matter(unused_tcp_port: int) -> None:
    nowhere = Address(f"bolt://127.0.0.1:{unused_tcp_port}", "neo4j", "secret", "neo4j", "nowhere")
    graph = await Database.connect(nowhere)
    with structlog.testing.capture_logs() as logs:
        async with Planning(graph).running():
            await Planning(graph).run()
    given_up = [line["statement"] for line in logs if line["event"] == "planning_given_up"]
    assert set(given_up) == {first()[0].name}
    await graph.close()
