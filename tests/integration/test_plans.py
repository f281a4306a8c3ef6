"""What the planner makes of each query file: no scans, and the columns that its header promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, LiteralString

import neo4j
import pytest

from graphid.graph.database import Address, Database
from graphid.graph.queries import Query, load
from graphid.graph.schema import migrate

FORBIDDEN = ("AllNodesScan", "CartesianProduct", "LabelScan", "LabelsScan", "RelationshipsScan")
FORBIDDEN_TYPES = ("RelationshipTypeScan",)

QUERIES = load()


@pytest.fixture(scope="session")
async def session(database: Address) -> AsyncIterator[neo4j.AsyncSession]:
    """The bare driver, on a migrated graph: plans are not for the service to ask for."""
    graph = await Database.connect(database)
    await migrate(graph)
    await graph.close()
    auth = (database.user, database.password) if database.password else None
    async with (
        neo4j.AsyncGraphDatabase.driver(
            database.uri, auth=auth, notifications_min_severity="OFF"
        ) as driver,
        driver.session(database=database.database) as opened,
    ):
        yield opened


async def explained(
    session: neo4j.AsyncSession, query: Query
) -> tuple[dict[str, Any], tuple[str, ...]]:
    text: LiteralString = "EXPLAIN " + query.text
    result = await session.run(text, query.given(dict.fromkeys(query.parameters)))
    keys = tuple(result.keys())
    summary = await result.consume()
    assert summary.plan is not None
    return summary.plan, keys


def operators(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["operatorType"].partition("@")[0]
    for child in plan.get("children", ()):
        yield from operators(child)


def scans(plan: dict[str, Any]) -> list[str]:
    return [name for name in operators(plan) if name.endswith((*FORBIDDEN, *FORBIDDEN_TYPES))]


@pytest.mark.parametrize("name", sorted(name for name in QUERIES if not QUERIES[name].offline))
async def test_no_scan_on_a_request_path(session: neo4j.AsyncSession, name: str) -> None:
    plan, _ = await explained(session, QUERIES[name])
    assert scans(plan) == []


@pytest.mark.parametrize("name", sorted(QUERIES))
async def test_the_columns_are_those_of_the_header(session: neo4j.AsyncSession, name: str) -> None:
    _, columns = await explained(session, QUERIES[name])
    assert columns == QUERIES[name].columns


@pytest.mark.parametrize(
    ("text", "scan"),
    [
        ("MATCH (n) RETURN n", "AllNodesScan"),
        ("MATCH (m:SchemaMigration) RETURN m", "NodeByLabelScan"),
        ("MATCH (m:SchemaMigration|SchemaLock) RETURN m", "UnionNodeByLabelsScan"),
        ("MATCH (a)-[r]->(b) RETURN r", "DirectedAllRelationshipsScan"),
        ("MATCH ()-[r:BELONGS_TO]->() RETURN r", "DirectedRelationshipTypeScan"),
        (
            "MATCH (a:SchemaMigration {number: 1}), (b:SchemaLock {name: 'x'}) RETURN a, b",
            "CartesianProduct",
        ),
    ],
)
async def test_the_check_finds_scans(
    session: neo4j.AsyncSession, text: LiteralString, scan: str
) -> None:
    plan, _ = await explained(session, Query("trial", text, "", frozenset(), (), offline=False))
    assert scan in scans(plan)
