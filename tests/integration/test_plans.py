"""What the planner makes of each query file: no scans, and the columns that its header promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import neo4j
import pytest

from graphid.graph.database import Address
from graphid.graph.queries import Query, load

QUERIES = load()

FORBIDDEN = ("AllNodesScan", "CartesianProduct", "LabelScan", "LabelsScan", "RelationshipsScan")
FORBIDDEN_TYPES = ("RelationshipTypeScan",)


@dataclass(frozen=True)
class Planned:
    """What the planner makes of a statement."""

    plan: dict[str, Any]
    columns: tuple[str, ...]


@pytest.fixture(scope="module")
async def session(database: Address) -> AsyncIterator[neo4j.AsyncSession]:
    """The bare driver: plans are not for the service to ask for."""
    auth = (database.user, database.password) if database.password else None
    async with (
        neo4j.AsyncGraphDatabase.driver(
            database.uri, auth=auth, notifications_min_severity="OFF"
        ) as driver,
        driver.session(database=database.database) as opened,
    ):
        yield opened


async def explained(session: neo4j.AsyncSession, query: Query) -> Planned:
    text: LiteralString = "EXPLAIN " + query.text
    result = await session.run(text, query.given(dict.fromkeys(query.parameters)))
    columns = tuple(result.keys())
    summary = await result.consume()
    assert summary.plan is not None
    return Planned(summary.plan, columns)


@pytest.fixture(scope="module")
async def planned(session: neo4j.AsyncSession) -> dict[str, Planned]:
    """Each of our statements."""
    return {name: await explained(session, query) for name, query in sorted(QUERIES.items())}


def operators(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["operatorType"].partition("@")[0]
    for child in plan.get("children", ()):
        yield from operators(child)


def scans(plan: dict[str, Any]) -> list[str]:
    return [name for name in operators(plan) if name.endswith((*FORBIDDEN, *FORBIDDEN_TYPES))]


def test_no_scan_on_a_request_path(planned: dict[str, Planned]) -> None:
    online = {name: found for name, found in planned.items() if not QUERIES[name].offline}
    assert {name: scans(found.plan) for name, found in online.items() if scans(found.plan)} == {}


def test_the_columns_are_those_of_the_header(planned: dict[str, Planned]) -> None:
    columns = {name: found.columns for name, found in planned.items()}
    assert columns == {name: query.columns for name, query in QUERIES.items()}


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
    found = await explained(session, Query("trial", text, "", frozenset(), (), offline=False))
    assert scan in scans(found.plan)
