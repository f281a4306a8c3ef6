"""Units of work in each other's way, each time in the same way: who waits for whom is arranged."""
# ruff: noqa: ASYNC109 - as the database has it

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from graphid.graph.database import Address, Database, Unit
from graphid.graph.evidence import NO_EVENTS
from graphid.graph.memory import LOCK_STATES, Memory
from graphid.graph.policies import Policies
from graphid.graph.queries import Query
from graphid.graph.remembered import ABSENT
from graphid.graph.repetitions import NO_REPETITIONS
from graphid.service.ingest import APPEND_AGAIN, WORKERS, Ingest
from graphid.service.messages import Author, ChatMessage, Page, StartChat, Track
from graphid.service.receipts import Receipt
from tests.integration.asking import Asked
from tests.integration.test_database import wired
from tests.integration.test_ingest import BROWSER, SERVER

T = TypeVar("T")
DEADLOCK = "Neo.TransientError.Transaction.DeadlockDetected"
PATIENCE = 60.0


class Pausing(Database):
    """Another process's pool, whose first unit stops before a statement until it may go on."""

    before: str
    reached: asyncio.Event
    go_on: asyncio.Event

    @classmethod
    async def on(cls, address: Address, before: str = "") -> Pausing:
        pausing = await cls.connect(address, timeout=PATIENCE)
        assert isinstance(pausing, Pausing)
        pausing.before = before
        pausing.reached, pausing.go_on = asyncio.Event(), asyncio.Event()
        return pausing

    async def write(
        self, work: Callable[[Unit], Awaitable[T]], *, timeout: float | None = None
    ) -> T:
        async def paused(unit: Unit) -> T:
            return await work(_Pausing(unit, self))

        return await super().write(paused, timeout=timeout)


class _Pausing(Unit):
    __slots__ = ("_database", "_unit")

    def __init__(self, unit: Unit, database: Pausing) -> None:
        self._unit = unit
        self._database = database

    async def rows(self, query: Query, /, **parameters: Any) -> list[dict[str, Any]]:
        await self._pause(query)
        return await self._unit.rows(query, **parameters)

    async def last_rows(self, query: Query, /, **parameters: Any) -> list[dict[str, Any]]:
        await self._pause(query)
        return await self._unit.last_rows(query, **parameters)

    async def _pause(self, query: Query) -> None:
        if query.name == self._database.before:
            self._database.reached.set()
            await self._database.go_on.wait()

    async def run(self, query: Query, /, **parameters: Any) -> None:
        await self._pause(query)
        await self._unit.run(query, **parameters)


class Others:
    """Other processes beside the one of ``asked``, and what they are at."""

    def __init__(self, asked: Asked, address: Address) -> None:
        self.asked = asked
        self._address = address
        self.databases: list[Pausing] = []

    async def ingest(self, pause_before: str = "") -> tuple[Ingest, Pausing]:
        database = await Pausing.on(self._address, pause_before)
        self.databases.append(database)
        clock = self.asked._tick
        return Ingest(database, Policies(database), self.asked.ids, clock), database

    @property
    def retries(self) -> int:
        """Of all of them."""
        return sum(sum(database.retries.values()) for database in self.databases)

    async def until_blocked(self, count: int) -> None:
        """Return when so many transactions wait for a lock."""
        text = "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked' RETURN status"
        async with asyncio.timeout(PATIENCE):
            while len(await self.asked.rows(text)) < count:
                pass

    @asynccontextmanager
    async def holding(self, key: str, *, deleted: bool = False) -> AsyncIterator[None]:
        """Somebody has locked a key as long as the block runs; ``deleted``: to delete it."""
        held, over = asyncio.Event(), asyncio.Event()

        async def hold(unit: Unit) -> None:
            await unit.run_text("MERGE (s:State {key: $key}) SET s.lock = 0", key=key)
            if deleted:
                await unit.run_text("MATCH (s:State {key: $key}) DELETE s", key=key)
            held.set()
            await over.wait()

        holding = asyncio.create_task(self.asked.database.write(hold))
        await held.wait()
        yield
        over.set()
        await holding


@pytest.fixture
async def others(asked: Asked, database: Address) -> AsyncIterator[Others]:
    opened = Others(asked, database)
    yield opened
    for each in opened.databases:
        await each.close()


async def test_the_same_identifiers_in_opposite_orders_are_locked_in_one(
    asked: Asked, others: Others
) -> None:
    """One has the first and waits for the second; the other names the third before the first. If
    it had locked the third, each would wait for what the other has."""
    one, _ = await others.ingest()
    other, _ = await others.ingest()
    first = asked.said("a", 1, "a_id:x", "b_id:x", "c_id:x")
    second = asked.said("b", 2, "c_id:x", "a_id:x")
    async with others.holding(f"identifier:b_id:{asked.run}-x"):
        sending = [asyncio.create_task(one.submit([first], SERVER))]
        await others.until_blocked(1)
        sending.append(asyncio.create_task(other.submit([second], SERVER)))
        await others.until_blocked(2)
    await asyncio.gather(*sending)
    assert others.retries == 0
    assert await asked.differences() == []


async def test_a_hot_cookie_is_waited_for_and_nobody_is_run_again(
    asked: Asked, others: Others
) -> None:
    """Live, on one kiosk, by two processes: each behind those before it. A process has so many
    transactions under way; what comes meanwhile is done together, by the next."""
    both = [(await others.ingest())[0] for _ in range(2)]
    async with others.holding(f"cookie:{asked.run}-kiosk"):
        said = [asked.identify("kiosk", f"human{n % 3}") for n in range(12)]
        sending = []
        for n, message in enumerate(said):
            sending.append(asyncio.create_task(both[n % 2].submit([message], BROWSER)))
            await others.until_blocked(min(n + 1, 2 * WORKERS))
    receipts = await asyncio.gather(*sending)
    assert others.retries == 0
    assert not any(receipt.duplicate for (receipt,) in receipts)
    assert await asked.differences() == []


async def test_what_is_done_together_and_was_sent_twice_is_stored_once(
    asked: Asked, others: Others
) -> None:
    """Both are answered as one after the other would be: also where the second says of the same
    message something else."""
    ingest, _ = await others.ingest()
    said, other = asked.identify("c", "jo", "m"), asked.identify("c", "kim", "m")
    async with others.holding(f"cookie:{asked.run}-kiosk"):
        sending = []
        for busy in range(WORKERS):
            said_there = asked.identify("kiosk", "pat")
            sending.append(asyncio.create_task(ingest.submit([said_there], SERVER)))
            await others.until_blocked(busy + 1)
        sending += [asyncio.create_task(ingest.submit([each], SERVER)) for each in (said, other)]
        page = Page(context=asked.context("c", "n"), url="https://x.example/")
        named = Track(context=asked.context("c", "n"), name="Bought", user_id=f"{asked.run}-kim")
        sending += [
            asyncio.create_task(ingest.submit([asked.identify("c", "jo"), each], SERVER))
            for each in (page, named)
        ]
    *_, (one,), (again,), (_, first), (_, second) = await asyncio.gather(*sending)
    assert [one.duplicate, again.duplicate] == [False, True]
    assert [warning.code for warning in again.warnings] == ["MESSAGE_ID_REUSED"]
    assert again.outcome == one.outcome
    assert [first.duplicate, second.duplicate] == [False, True]
    assert second.outcome is None
    assert len(await asked.rows("MATCH (e:Event) WHERE e.cookie STARTS WITH $run RETURN e")) == 6
    assert await asked.differences() == []


async def test_late_evidence_meets_what_a_live_unit_has_locked(
    asked: Asked, others: Others
) -> None:
    """The late one has Kim and wants her identifier, the live one has that and wants Kim: one of
    the two is run again, once, and both are answered."""
    await asked.one(asked.said("a", 100, "user_id:jo"))
    await asked.one(asked.said("a", 200, "user_id:kim"))
    late, pausing = await others.ingest(pause_before="evidence/load_stored")
    live, _ = await others.ingest()
    sending = [asyncio.create_task(late.submit([asked.said("a", 50, "user_id:mary")], BROWSER))]
    await pausing.reached.wait()
    sending.append(asyncio.create_task(live.submit([asked.said("b", 300, "user_id:kim")], SERVER)))
    await others.until_blocked(1)
    pausing.go_on.set()
    await asyncio.gather(*sending)
    assert [dict(database.retries) for database in others.databases].count({DEADLOCK: 1}) == 1
    assert others.retries == 1
    assert await asked.differences() == []


async def test_the_same_message_at_once_is_stored_once(asked: Asked, others: Others) -> None:
    both = [(await others.ingest())[0] for _ in range(2)]
    said = asked.identify("c", "jo", "m")
    async with others.holding(f"cookie:{asked.run}-c"):
        sending = [asyncio.create_task(ingest.submit([said], BROWSER)) for ingest in both]
        await others.until_blocked(2)
    (one,), (other,) = await asyncio.gather(*sending)
    assert sorted([one.duplicate, other.duplicate]) == [False, True]
    assert one.outcome == other.outcome
    assert one.position == other.position
    assert len(await asked.rows("MATCH (e:Evidence) WHERE e.id STARTS WITH $run RETURN e.id")) == 1
    assert await asked.differences() == []


async def chats(asked: Asked) -> list[dict[str, Any]]:
    """Chats, each with the cookie whose it is and the messages that are stored as its start."""
    return await asked.rows(
        "MATCH (e:Event {type: 'CHAT_START'}) WHERE e.messageId STARTS WITH $run "
        "MATCH (c:Chat {id: e.chat})-[:IN_SESSION]->(:Session {cookie: c.cookie}) "
        "RETURN c.id AS id, c.cookie AS cookie, collect(e.messageId) AS starts"
    )


async def started_at_once(others: Others, *starts: StartChat) -> list[Receipt]:
    """What two are told of whom the second comes when the first has looked for the chat."""
    first, pausing = await others.ingest(pause_before="events/append_events")
    second, _ = await others.ingest()
    sending = [asyncio.create_task(first.submit(starts[:1], BROWSER))]
    await pausing.reached.wait()
    sending.append(asyncio.create_task(second.submit(starts[1:], BROWSER)))
    await others.until_blocked(1)
    pausing.go_on.set()
    return [receipt for receipts in await asyncio.gather(*sending) for receipt in receipts]


@pytest.mark.parametrize("message", ["m", "other"])
async def test_a_chat_that_is_begun_twice_at_once_is_begun_once(
    asked: Asked, others: Others, message: str
) -> None:
    """Also by the same message: it is told that the chat was there, as who comes later is."""
    chat = f"{asked.run}-chat"
    one, other = await started_at_once(
        others,
        StartChat(context=asked.context("c", "m"), chat_id=chat),
        StartChat(context=asked.context("c", message), chat_id=chat),
    )
    assert [one.duplicate, other.duplicate] == [False, True]
    assert one.chat_id == other.chat_id == chat
    assert one.occurred_at == other.occurred_at
    assert await chats(asked) == [
        {"id": chat, "cookie": f"{asked.run}-c", "starts": [f"{asked.run}-m"]}
    ]


async def test_a_chat_id_that_two_browsers_take_at_once_is_the_firsts(
    asked: Asked, others: Others
) -> None:
    chat = f"{asked.run}-chat"
    one, other = await started_at_once(
        others,
        StartChat(context=asked.context("first", "s1"), chat_id=chat),
        StartChat(context=asked.context("late", "s2"), chat_id=chat),
    )
    assert [one.duplicate, other.duplicate] == [False, False]
    assert one.chat_id == chat != other.chat_id
    assert {(c["id"], c["cookie"], *c["starts"]) for c in await chats(asked)} == {
        (receipt.chat_id, f"{asked.run}-{cookie}", f"{asked.run}-{message}")
        for receipt, cookie, message in ((one, "first", "s1"), (other, "late", "s2"))
    }


async def test_lines_of_the_same_chats_at_once_are_all_stored(asked: Asked, others: Others) -> None:
    """Also those of lists that name them in opposite orders."""
    both = [(await others.ingest())[0] for _ in range(2)]
    chats = [f"{asked.run}-chat{number}" for number in range(4)]
    for chat in chats:
        await asked.one(StartChat(context=asked.context("c"), chat_id=chat))
    lists = [
        [
            ChatMessage(
                message_id=f"{chat}-{author}-{number}", chat_id=chat, author=author, text="Hello"
            )
            for chat in (chats if author is Author.AGENT else chats[::-1])
        ]
        for number in range(4)
        for author in (Author.AGENT, Author.CUSTOMER)
    ]
    sending = [both[n % 2].submit(lines, SERVER) for n, lines in enumerate(lists)]
    for receipts in await asyncio.gather(*sending):
        assert [(receipt.duplicate, receipt.problem) for receipt in receipts] == [(False, None)] * 4
    stored = await asked.rows(
        "UNWIND $chats AS chat MATCH (e:Event {chat: chat, type: 'CHAT_MESSAGE'}) "
        "RETURN chat, count(e) AS lines ORDER BY chat",
        chats=chats,
    )
    assert stored == [{"chat": chat, "lines": 8} for chat in chats]


async def test_one_list_may_begin_a_chat_twice(asked: Asked) -> None:
    chat = f"{asked.run}-chat"
    starts = [StartChat(context=asked.context("c", m), chat_id=chat) for m in ("m", "n", "m")]
    receipts = await asked.ingest.submit(starts, BROWSER)
    assert [receipt.duplicate for receipt in receipts] == [False, True, True]
    assert {receipt.chat_id for receipt in receipts} == {chat}
    assert [found["starts"] for found in await chats(asked)] == [[f"{asked.run}-m"]]


async def test_a_key_that_is_deleted_while_one_waits_for_it_is_made_and_locked_anew(
    asked: Asked, others: Others
) -> None:
    id = f"user_id:{asked.run}-jo"
    await asked.database.write_rows(LOCK_STATES, named={"keys": [f"judged:{id}"]})

    async def lock(unit: Unit) -> list[dict[str, Any]]:
        assert await Memory(unit).present([("judged", id)]) == {("judged", id): ABSENT}
        return await unit.run_text("MATCH (s:State {key: $key}) RETURN s.lock", key=f"judged:{id}")

    async with others.holding(f"judged:{id}", deleted=True):
        locking = asyncio.create_task(asked.database.write(lock))
        await others.until_blocked(1)
    assert await locking == [{"s.lock": 0}]
    assert asked.database.retries == {"Retry:gone": 1}


async def test_what_rests_on_a_key_that_is_deleted_meanwhile_is_not_said_again(
    asked: Asked, others: Others
) -> None:
    """Also where it was never written: nobody has its lock."""
    key = f"judged:user_id:{asked.run}-jo"
    await asked.database.write_rows(LOCK_STATES, named={"keys": [key]})

    async def changed() -> list[str]:
        (row,) = await asked.database.write_rows(
            APPEND_AGAIN,
            ids=[],
            batch=NO_EVENTS,
            repetitions=NO_REPETITIONS,
            grounds=[{"key": key, "writes": 0}],
        )
        keys: list[str] = row["changed"]
        return keys

    assert await changed() == []
    async with others.holding(key, deleted=True):
        saying = asyncio.create_task(changed())
        await others.until_blocked(1)
    assert await saying == [key]


async def test_a_connection_lost_at_commit_is_resolved_by_the_message_id(
    asked: Asked, database: Address
) -> None:
    """It was committed, and nobody was told: run again, it is known, and answered as it was."""
    said = asked.identify("c", "jo", "m")
    async with wired(database, timeout=PATIENCE) as (wire, behind):
        ingest = Ingest(behind, Policies(behind), asked.ids, asked._tick)
        await ingest.warm()
        wire.cut_at_commit = 1
        (receipt,) = await ingest.submit([said], SERVER)
        assert behind.retries["IncompleteCommit"] == 1
    assert receipt.outcome == (await asked.folded()).outcomes[f"{asked.run}-m"]
    assert len(await asked.rows("MATCH (e:Event) WHERE e.messageId STARTS WITH $run RETURN e")) == 1
    assert await asked.differences() == []
