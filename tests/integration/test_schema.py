"""Migrations: in order, once, by one process at a time, and never backwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import LiteralString

import pytest

from graphid.errors import StaleSchema
from graphid.graph.database import Address, Database, Unit
from graphid.graph.schema import Migration, all_migrations, is_current, migrate, read_migrations


@pytest.fixture(scope="session")
async def graph(database: Address) -> AsyncIterator[Database]:
    connected = await Database.connect(database, server_warnings=True)
    yield connected
    await connected.close()


async def do(graph: Database, *statements: LiteralString) -> None:
    for statement in statements:

        async def work(unit: Unit, text: LiteralString = statement) -> None:
            await unit.run_text(text)

        await graph.write(work)


@pytest.fixture
async def unmigrated(graph: Database) -> AsyncIterator[Database]:
    """The graph as if nothing was recorded; migrated again afterwards, for the other tests."""
    await forget(graph)
    yield graph
    await forget(graph)
    await migrate(graph)


async def forget(graph: Database) -> None:
    await do(
        graph,
        "MATCH (m:SchemaMigration) DELETE m",
        "MATCH (l:SchemaLock) DELETE l",
        "DROP CONSTRAINT schema_migration_number IF EXISTS",
        "DROP CONSTRAINT schema_lock_name IF EXISTS",
        "DROP CONSTRAINT trial_schema IF EXISTS",
        "MATCH (t:TrialMigration) DELETE t",
    )


NAMES = [migration.name for migration in all_migrations()]


async def test_migrations_are_applied_once(unmigrated: Database) -> None:
    assert not await is_current(unmigrated)
    assert await migrate(unmigrated) == NAMES
    assert await migrate(unmigrated) == []
    assert await is_current(unmigrated)


async def test_every_index_is_online_afterwards(unmigrated: Database) -> None:
    await migrate(unmigrated)
    rows = await unmigrated.read(lambda unit: unit.run_text("SHOW INDEXES YIELD name, state"))
    assert rows
    assert [row["name"] for row in rows if row["state"] != "ONLINE"] == []


async def test_several_processes_at_once(unmigrated: Database, database: Address) -> None:
    step: LiteralString = (
        "MERGE (t:TrialMigration {id: 1}) SET t.times = coalesce(t.times, 0) + 1;\n"
    )
    known = one_more(step + step)
    racers = [await Database.connect(database, server_warnings=True) for _ in range(8)]

    applied = await asyncio.gather(*(migrate(racer, known) for racer in racers))

    assert sorted(applied, key=len)[-1] == [migration.name for migration in known]
    assert sum(map(len, applied)) == len(known)
    [row] = await unmigrated.read(
        lambda unit: unit.run_text("MATCH (t:TrialMigration) RETURN t.times AS times")
    )
    assert row["times"] == 2
    for racer in racers:
        await racer.close()


async def test_a_crash_half_way_is_made_good(unmigrated: Database) -> None:
    fails: LiteralString = "CREATE (t:TrialMigration {id: 1});\nRETURN 1/0;\n"
    with pytest.raises(Exception, match="wrong on our side"):
        await migrate(unmigrated, one_more(fails))
    assert not await is_current(unmigrated)
    assert await migrate(unmigrated) == NAMES


async def test_what_an_older_graphid_wrote_is_brought_up_to_date(unmigrated: Database) -> None:
    await migrate(unmigrated)
    await do(unmigrated, "CREATE (:TrialMigration {id: 1})")
    known = one_more("MATCH (t:TrialMigration) SET t.times = 1;\n")
    assert await migrate(unmigrated, known) == [known[-1].name]
    [row] = await unmigrated.read(
        lambda unit: unit.run_text("MATCH (t:TrialMigration) RETURN t.times AS times")
    )
    assert row["times"] == 1


async def test_a_graph_of_a_newer_graphid_is_refused(unmigrated: Database) -> None:
    await migrate(unmigrated)
    await do(unmigrated, "CREATE (:SchemaMigration {number: 999, name: '999_x', checksum: 'x'})")
    with pytest.raises(StaleSchema, match=r"newer graphid .it has 999_x"):
        await migrate(unmigrated)
    with pytest.raises(StaleSchema):
        await is_current(unmigrated)


async def test_a_graph_that_a_newer_graphid_wrote_is_refused(unmigrated: Database) -> None:
    await do(unmigrated, "CREATE (:Loaded {number: 0, migrations: 999, settings: '{}'})")
    with pytest.raises(StaleSchema, match="graphid load of a newer graphid"):
        await migrate(unmigrated)
    assert not await is_current(unmigrated)
    await do(unmigrated, "MATCH (loaded:Loaded) DELETE loaded")


async def test_a_migration_that_was_changed_afterwards_is_refused(unmigrated: Database) -> None:
    await migrate(unmigrated)
    await do(unmigrated, "MATCH (m:SchemaMigration {number: 0}) SET m.checksum = 'other'")
    with pytest.raises(StaleSchema, match=r"000_migrations was applied .* in another form"):
        await migrate(unmigrated)


def one_more(text: LiteralString) -> tuple[Migration, ...]:
    """The migrations that ship, and one after them."""
    parts = tuple(part.strip() for part in text.split(";\n") if part.strip())
    return (*all_migrations(), Migration(len(NAMES), f"{len(NAMES):03}_trial", parts))


def test_files_hold_several_statements_and_comments() -> None:
    text = "// why\nCREATE (a);\n\n  // how; really;\nCREATE (b {x: ';'})\nSET b.y = 1;\nRETURN 1\n"
    [migration] = read_migrations([("000_first.cypher", text)])
    assert migration.name == "000_first"
    assert migration.statements == ("CREATE (a)", "CREATE (b {x: ';'})\nSET b.y = 1", "RETURN 1")
    [other] = read_migrations([("000_first.cypher", text.replace("why", "because"))])
    assert other.checksum == migration.checksum


@pytest.mark.parametrize("names", [["001_a.cypher"], ["000_a.cypher", "000_b.cypher"]])
def test_numbers_have_no_gaps_and_no_twins(names: list[str]) -> None:
    with pytest.raises(ValueError, match="expected number"):
        read_migrations((name, "RETURN 1;") for name in names)
