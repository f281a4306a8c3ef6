"""What the tests of what is read share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from graphid.graph.database import Address, Database
from graphid.graph.schema import migrate
from graphid.identity.policy import Policy
from tests.identity.lives import IDS
from tests.integration.asking import Asked, installation
from tests.integration.ledger import Ledger
from tests.integration.operating import Operating
from tests.integration.telling import Telling


@pytest.fixture
async def asked(database: Address) -> AsyncIterator[Asked]:
    async with installation(database) as (connected, ids):
        yield Asked(connected, ids)


@pytest.fixture
async def operator(database: Address) -> AsyncIterator[Operating]:
    async with installation(database) as (connected, ids):
        yield Operating(connected, ids)


@pytest.fixture
async def telling(database: Address) -> AsyncIterator[Telling]:
    async with installation(database) as (connected, ids):
        yield Telling(connected, ids)


@pytest.fixture
async def ledger(own_database: Address) -> AsyncIterator[Ledger]:
    connected = await Database.connect(own_database, server_warnings=True, timeout=60)
    await migrate(connected)
    yield Ledger(connected, IDS, {1: Policy()})
    await connected.close()
