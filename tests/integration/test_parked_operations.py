"""Operators' acts that take too many steps for a request."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from graphid.graph.database import Address, Database
from graphid.graph.policies import Policies
from graphid.identity.ids import Ids
from graphid.service.operations.operating import Operations
from graphid.service.parked import Parked
from tests.integration.asking import installation
from tests.integration.operating import Operating
from tests.integration.test_parked import Limited


class Parking(Operating):
    """A world in which a request steps nothing again."""

    def __init__(self, database: Database, ids: Ids) -> None:
        super().__init__(database, ids)
        self.woken = 0
        self.parked = Parked(database, Policies(database).of, ids, look_every=3600)
        limited = Limited(database, 0)
        self.operations = Operations(database, limited, ids, self._tick, on_parked=self._wake)

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
async def parking(own_database: Address) -> AsyncIterator[Parking]:
    async with installation(own_database) as (connected, ids):
        yield Parking(connected, ids)


async def test_a_parked_act_is_told_as_pending_and_finished_by_the_job(parking: Parking) -> None:
    await parking.two()
    kim = await parking.owner("kim")
    value = {"type": "email", "value": f"{parking.run}-kim@x.example"}
    before = await parking.whole()
    preview = await parking.changed("blockIdentifier", **value, dryRun=True)
    assert (preview["pending"], preview["links"]) == (True, [])
    assert await parking.whole() == before
    assert parking.woken == 0

    version = preview["graphVersion"]
    done = await parking.changed("blockIdentifier", **value, graphVersion=version, operationId="b")
    assert done["pending"] is True
    assert [person["id"] for person in done["after"]] == [kim]
    assert parking.woken == 1
    assert await parking.owner("kim") == kim
    again = await parking.changed("blockIdentifier", **value, operationId="b")
    assert again["pending"] is True

    assert await parking.parked.finish_all() >= 1
    assert (await parking.look("kim"))["person"]["kind"] == "ANONYMOUS"
    again = await parking.changed("blockIdentifier", **value, operationId="b")
    assert again["pending"] is False
    assert await parking.differences() == []


async def test_what_needs_no_second_step_is_done_at_once(parking: Parking) -> None:
    jo, kim = await parking.two()
    done = await parking.changed("mergePeople", ids=[jo, kim])
    assert done["pending"] is False
    assert await parking.owner("kim") == await parking.owner("jo")
    assert await parking.differences() == []
