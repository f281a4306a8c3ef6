"""What the planner makes of each query file: no scans, the columns that its header promises, and no
name that a new graph does not know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import neo4j
import pytest

from graphid.graph.database import Address, Database
from graphid.graph.queries import Query, load
from graphid.graph.schema import migrate

QUERIES = load()

FORBIDDEN = ("AllNodesScan", "CartesianProduct", "LabelScan", "LabelsScan", "RelationshipsScan")
FORBIDDEN_TYPES = ("RelationshipTypeScan",)

UNKNOWN = ("01N50", "01N51", "01N52")
"""What the planner says of labels, types and properties that are not there."""


@dataclass(frozen=True)
class Planned:
    """What the planner makes of a statement. ``unknown``: what it says of names it does not know."""

    plan: dict[str, Any]
    columns: tuple[str, ...]
    unknown: list[str]


@pytest.fixture(scope="module")
async def session(unused_database: Address) -> AsyncIterator[neo4j.AsyncSession]:
    """The bare driver, on a migrated graph that holds nothing: plans are not for the service to ask
    for."""
    address = unused_database
    graph = await Database.connect(address, timeout=60)
    await migrate(graph)
    await graph.close()
    auth = (address.user, address.password) if address.password else None
    async with (
        neo4j.AsyncGraphDatabase.driver(
            address.uri, auth=auth, warn_notification_severity="OFF"
        ) as driver,
        driver.session(database=address.database) as opened,
    ):
        yield opened


async def explained(session: neo4j.AsyncSession, query: Query) -> Planned:
    text: LiteralString = "EXPLAIN " + query.text
    result = await session.run(text, query.given(dict.fromkeys(query.parameters)))
    columns = tuple(result.keys())
    summary = await result.consume()
    assert summary.plan is not None
    said = summary.gql_status_objects
    unknown = [one.status_description for one in said if one.gql_status in UNKNOWN]
    return Planned(summary.plan, columns, unknown)


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


def test_a_new_graph_knows_all_names(planned: dict[str, Planned]) -> None:
    """A plan that was made without a name is made again when there is one: the schema's last
    migration names what is missing."""
    assert {name: found.unknown for name, found in planned.items() if found.unknown} == {}


async def test_names_that_are_missing_are_found(session: neo4j.AsyncSession) -> None:
    text: LiteralString = "MATCH (n:NoLabel)-[:NO_TYPE]->() RETURN n.noProperty"
    found = await explained(session, Query("trial", text, "", frozenset(), (), offline=False))
    assert len(found.unknown) == len(UNKNOWN)


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
