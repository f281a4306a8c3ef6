"""One graph, one installation secret."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from graphid.errors import SettingsError
from graphid.graph.database import Address, Database, Unit
from graphid.graph.installation import installation_secret
from graphid.graph.schema import migrate


@pytest.fixture
async def graph(database: Address) -> AsyncIterator[Database]:
    """The database, whose installation is set aside for the length of a test."""
    connected = await Database.connect(database, server_warnings=True)
    await migrate(connected)

    async def aside(unit: Unit) -> None:
        await unit.run_text(
            "OPTIONAL MATCH (i:Installation {name: 'graphid'}) SET i.name = 'aside'"
        )

    async def back(unit: Unit) -> None:
        await unit.run_text("OPTIONAL MATCH (i:Installation {name: 'graphid'}) DELETE i")
        await unit.run_text(
            "OPTIONAL MATCH (i:Installation {name: 'aside'}) SET i.name = 'graphid'"
        )

    await connected.write(aside)
    yield connected
    await connected.write(back)
    await connected.close()


async def test_a_graph_keeps_the_secret_that_it_was_begun_with(graph: Database) -> None:
    first, *others = await asyncio.gather(*(installation_secret(graph, None) for _ in range(8)))
    assert len(first) == 64
    assert set(others) == {first}
    assert await installation_secret(graph, first.decode()) == first


async def test_a_given_secret_stays_outside_and_must_be_given_again(graph: Database) -> None:
    assert await installation_secret(graph, "given from outside") == b"given from outside"
    (row,) = await graph.read(
        lambda unit: unit.run_text("MATCH (i:Installation {name: 'graphid'}) RETURN i.secret AS s")
    )
    assert row["s"] is None
    with pytest.raises(SettingsError, match="begun with one"):
        await installation_secret(graph, None)
    with pytest.raises(SettingsError, match="another one"):
        await installation_secret(graph, "given from elsewhere")
