"""Evidence that takes too many steps for a request: parked, answered as pending, then finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, LiteralString, TypeVar

import msgspec
import pytest

from graphid.api.execution import Request, answer
from graphid.graph.database import Address, Database, Unit
from graphid.graph.policies import Policies
from graphid.identity.ids import Ids
from graphid.identity.policy import DEFAULT, PolicyVersion, Refold
from graphid.service.ingest import Ingest
from graphid.service.messages import Context
from graphid.service.messages import Logout as LogoutMessage
from graphid.service.parked import Parked
from tests.integration.asking import Asked, installation, time_of
from tests.integration.test_ingest import SERVER

T = TypeVar("T")


class Limited(Policies):
    """Policies with a limit of their own to how much is stepped again in a request."""

    def __init__(self, database: Database, most: int) -> None:
        super().__init__(database)
        self._most = most

    async def current(self) -> PolicyVersion:
        limited = msgspec.structs.replace(DEFAULT, refold=Refold(max_evidence=self._most))
        return PolicyVersion(1, limited, 0)


class Parking(Asked):
    """A world in which a request steps hardly anything again."""

    def __init__(self, database: Database, ids: Ids, most: int = 0) -> None:
        super().__init__(database, ids)
        self.parked = Parked(database, Policies(database).of, ids, look_every=3600)
        self.ingest = Ingest(
            database, Limited(database, most), ids, self._tick, on_parked=self.parked.wake
        )

    async def late(self) -> LogoutMessage:
        """Somebody was there, and went before somebody else came: which comes to light late."""
        await self.one(self.identify("a", "jo"))
        before = self.now
        await self.one(self.identify("a", "kim"))
        await self.one(self.identify("a", "kim"), SERVER)
        return LogoutMessage(
            context=Context(
                message_id=f"{self.run}-late",
                cookie_id=f"{self.run}-a",
                occurred_at=time_of(before + 1),
            )
        )

    async def rows_written(self, text: LiteralString) -> None:
        async def work(unit: Unit) -> None:
            await unit.run_text(text, run=self.run)

        await self.database.write(work)

    async def problem(self, document: str, **variables: Any) -> str:
        """The code of the one error of an answer."""
        found = await answer(Request(document, variables), self.request_context(), may_change=True)
        ((error),) = found.body["errors"]
        code: str = error["extensions"]["code"]
        return code

    async def stored(self, id: str) -> tuple[Any, Any]:
        """Since when a piece of evidence has been pending, and its outcome."""
        (row,) = await self.rows(
            "MATCH (e:Evidence {id: $run + '-' + $id}) "
            "RETURN e.pendingSince AS since, e.outcome AS outcome",
            id=id,
        )
        return row["since"], row["outcome"]


@pytest.fixture
async def parking(own_database: Address) -> AsyncIterator[Parking]:
    async with installation(own_database) as (connected, ids):
        yield Parking(connected, ids)


@pytest.mark.parametrize("most", [0, 1, 2, 3])
async def test_what_is_parked_is_finished_as_the_fold_says(parking: Parking, most: int) -> None:
    world = Parking(parking.database, parking.ids, most)
    late = await world.late()
    first = await world.one(late)
    assert first.pending == (most < 2)
    # How much depends on what it sent, a browser does not learn; servers do (below).
    assert not first.warnings
    assert await world.parked.finish_all() == first.pending
    assert await world.differences() == []
    again = await world.one(late)
    assert (again.duplicate, again.pending) == (True, False)
    assert again.outcome == (await world.folded()).outcomes[f"{world.run}-late"]
    assert not again.warnings


async def test_while_it_is_pending_nothing_but_its_event_is_there(parking: Parking) -> None:
    late = await parking.late()
    text = "MATCH (s:State) WHERE s.key CONTAINS $run RETURN s.key, s.value, s.place ORDER BY s.key"
    before = await parking.rows(text)
    receipt = await parking.one(late)
    assert await parking.rows(text) == before
    assert await parking.rows("MATCH (e:Event {messageId: $run + '-late'}) RETURN e.type")
    again = await parking.one(late)
    assert again.pending
    assert again.received_at == receipt.received_at
    assert await parking.parked.finish(f"{parking.run}-late")


async def test_a_crash_leaves_it_pending(parking: Parking) -> None:
    late = await parking.late()
    await parking.one(late)
    dying = Parked(_Dying(parking.database), Policies(parking.database).of, parking.ids)  # type: ignore[arg-type]
    with pytest.raises(Crash):
        await dying.finish(f"{parking.run}-late")
    since, outcome = await parking.stored("late")
    assert since is not None
    assert outcome == "{}"
    assert await parking.parked.finish(f"{parking.run}-late")
    assert (await parking.stored("late"))[0] is None
    assert await parking.differences() == []


async def test_of_two_jobs_one_finishes_it(parking: Parking) -> None:
    late = await parking.late()
    await parking.one(late)
    other = Parked(parking.database, Policies(parking.database).of, parking.ids)
    id = f"{parking.run}-late"
    done = await asyncio.gather(parking.parked.finish(id), other.finish(id), other.finish(id))
    assert sorted(done) == [False, False, True]
    assert await parking.differences() == []


async def test_the_job_is_woken_by_what_is_parked(parking: Parking) -> None:
    late = await parking.late()
    finished = asyncio.Event()
    finish = parking.parked.finish

    async def telling(id: str) -> bool:
        done = await finish(id)
        finished.set()
        return done

    parking.parked.finish = telling  # type: ignore[method-assign]
    async with parking.parked.running():
        await parking.one(late)
        await asyncio.wait_for(finished.wait(), 60)
    assert (await parking.stored("late"))[0] is None


BY_A_POLICY_THAT_IS_NOT_THERE = """MATCH (e:Evidence {id: $run + '-late'})
SET e.body = replace(e.body, '"policy":1', '"policy":77')"""
BY_THE_FIRST_POLICY = """MATCH (e:Evidence {id: $run + '-late'})
SET e.body = replace(e.body, '"policy":77', '"policy":1')"""


async def test_one_that_cannot_be_finished_is_in_nobodys_way(parking: Parking) -> None:
    await parking.one(await parking.late())
    other = Parking(parking.database, parking.ids)
    await other.one(await other.late())
    await parking.rows_written(BY_A_POLICY_THAT_IS_NOT_THERE)
    assert await parking.parked.finish_all() == 1
    assert (await other.stored("late"))[0] is None
    assert (await parking.stored("late"))[0] is not None
    await parking.rows_written(BY_THE_FIRST_POLICY)
    assert await parking.parked.finish_all() == 1


IDENTIFY = """mutation ($input: IdentifyInput!) { identify(input: $input) { __typename
  ... on EventAccepted { duplicate warnings { code } }
  ... on Identified { duplicate created warnings { code } } } }"""


async def test_an_identify_that_is_parked_is_accepted_with_a_warning(parking: Parking) -> None:
    await parking.late()
    said = {
        "context": {
            "messageId": f"{parking.run}-i",
            "cookieId": f"{parking.run}-a",
            "occurredAt": time_of(parking.now - 3_500_000).isoformat(),
        },
        "identifiers": [{"type": "user_id", "value": f"{parking.run}-lee"}],
    }
    (answer,) = (await parking.ask(IDENTIFY, input=said)).values()
    assert answer == {
        "__typename": "EventAccepted",
        "duplicate": False,
        "warnings": [{"code": "PENDING"}],
    }
    await parking.parked.finish_all()
    (answer,) = (await parking.ask(IDENTIFY, input=said)).values()
    assert answer == {
        "__typename": "Identified",
        "duplicate": True,
        "created": True,
        "warnings": [],
    }


SAVE = """mutation ($input: ContactInput!) { saveContact(input: $input) { __typename
  ... on ContactSaved { created warnings { code } } } }"""
SAVE_AND_READ = """mutation ($input: ContactInput!) { saveContact(input: $input) { __typename
  ... on ContactSaved { created contact { id } } } }"""


async def test_a_contact_that_is_parked_is_saved_with_a_warning(parking: Parking) -> None:
    await parking.late()
    record = {
        "messageId": f"{parking.run}-k",
        "source": "crm",
        "sourceId": parking.run,
        "occurredAt": time_of(parking.now - 3_500_000).isoformat(),
        "identifiers": [{"type": "user_id", "value": f"{parking.run}-kim"}],
    }
    (answer,) = (await parking.ask(SAVE, input=record)).values()
    assert answer == {
        "__typename": "ContactSaved",
        "created": False,
        "warnings": [{"code": "PENDING"}],
    }
    assert await parking.problem(SAVE_AND_READ, input=record) == "PENDING"
    await parking.parked.finish_all()
    (answer,) = (await parking.ask(SAVE_AND_READ, input=record)).values()
    assert answer["created"]
    assert answer["contact"]["id"].startswith("contact_")


class Crash(BaseException):
    pass


class _Dying:
    """A database that ends with every unit of work, before its commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, work: Callable[[Unit], Awaitable[T]], **options: Any) -> T:
        async def half(unit: Unit) -> T:
            await work(unit)
            raise Crash

        return await self._database.write(half, **options)
