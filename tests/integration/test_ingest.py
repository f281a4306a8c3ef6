"""Messages in, graph out: the stored graph is what the fold of the evidence says."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import pytest

from graphid.errors import InvalidInput, NotFound
from graphid.graph.database import Address, Database, Unit
from graphid.graph.installation import installation_secret
from graphid.graph.memory import as_text, decode, evidence_decoder, from_text
from graphid.graph.policies import Policies
from graphid.graph.queries import Query
from graphid.graph.schema import migrate
from graphid.identity.fold import resolve
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.state import VALUE_TYPES, Link
from graphid.identity.values import Assurance
from graphid.service.ingest import UNIT, Ingest
from graphid.service.messages import (
    Author,
    ChatMessage,
    ClaimedIdentifier,
    Contact,
    Context,
    EndChat,
    Message,
    Page,
    Sender,
    StartChat,
    Track,
)
from graphid.service.messages import Identify as IdentifyMessage
from graphid.service.messages import Logout as LogoutMessage
from graphid.service.receipts import Receipt

BROWSER = Sender(name="pk", assurance=Assurance.CLAIMED, is_browser=True)
SERVER = Sender(name="sk", assurance=Assurance.ASSERTED, is_browser=False)


class World:
    """An ingest whose clock is set by hand, and whose ids no other test uses."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self.database = database
        self.ids = ids
        self.run = uuid.uuid4().hex[:8]
        self.now = 1_790_000_000_000_000
        self.ingest = Ingest(database, Policies(database), self.ids, self._tick)

    def _tick(self) -> int:
        self.now += 1_000_000
        return self.now

    def context(self, cookie: str, message_id: str | None = None, **more: Any) -> Context:
        id = None if message_id is None else f"{self.run}-{message_id}"
        return Context(message_id=id, cookie_id=f"{self.run}-{cookie}", **more)

    def claim(self, type: str, value: str) -> ClaimedIdentifier:
        return ClaimedIdentifier(type=type, value=f"{self.run}-{value}")

    def identify(self, cookie: str, value: str, message_id: str | None = None) -> IdentifyMessage:
        return IdentifyMessage(
            context=self.context(cookie, message_id), identifiers=(self.claim("user_id", value),)
        )

    async def send(self, *messages: Message, sender: Sender = BROWSER) -> list[Receipt]:
        return await self.ingest.submit(messages, sender)

    async def one(self, message: Message, sender: Sender = BROWSER) -> Receipt:
        (receipt,) = await self.send(message, sender=sender)
        return receipt

    async def rows(self, text: LiteralString, **parameters: Any) -> list[dict[str, Any]]:
        async def work(unit: Unit) -> list[dict[str, Any]]:
            return await unit.run_text(text, run=self.run, **parameters)

        return await self.database.read(work)

    async def differences(self) -> list[str]:
        """Where what is stored is not the fold of this world's evidence."""
        stored = await self.rows(
            "MATCH (e:Evidence) WHERE e.body CONTAINS $run RETURN e.body AS body"
        )
        resolved = resolve(
            [evidence_decoder.decode(row["body"]) for row in stored], Policy(), self.ids
        )
        expected = {k: v for k, v in resolved.state.items() if not isinstance(v, Link)}
        rows = await self.rows(
            "UNWIND $keys AS key MATCH (s:State {key: key}) RETURN s.key AS key, s.value AS value",
            keys=[as_text(key) for key in expected],
        )
        state = {(key := from_text(row["key"])): decode(key, row["value"]) for row in rows}
        differing = [as_text(key) for key, value in expected.items() if state.get(key) != value]
        return differing + await self._differing_links(
            link for link in resolved.state.values() if isinstance(link, Link)
        )

    async def _differing_links(self, links: Iterable[Link]) -> list[str]:
        expected = {link.id: (link.state.value, int(link.assurance), link.reach) for link in links}
        rows = await self.rows(
            "MATCH ()-[l:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS|NOT_SAME_AS]->() "
            "WHERE l.id IN $links "
            "RETURN l.id AS id, l.state AS state, l.assurance AS assurance, l.reach AS reach",
            links=list(expected),
        )
        found = {row["id"]: (row["state"], row["assurance"], row["reach"]) for row in rows}
        return [id for id, link in expected.items() if found.get(id) != link]


@pytest.fixture
async def world(database: Address) -> AsyncIterator[World]:
    connected = await Database.connect(database, server_warnings=True)
    await migrate(connected)
    yield World(connected, Ids(await installation_secret(connected, None)))
    await connected.close()


def test_keys_go_to_text_and_back() -> None:
    for kind in VALUE_TYPES:
        assert from_text(as_text((kind, "a:b"))) == (kind, "a:b")


async def test_a_page_is_stored_once_and_answered_as_it_was(world: World) -> None:
    page = Page(context=world.context("c", "p"), url="https://shop.example/")
    first, again = await world.one(page), await world.one(page)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert (first.received_at, first.position) == (again.received_at, again.position)
    assert not again.warnings


async def test_another_content_under_a_known_message_id_is_warned_of(world: World) -> None:
    await world.one(Page(context=world.context("c", "p"), url="https://shop.example/"))
    again = await world.one(Page(context=world.context("c", "p"), url="https://shop.example/b"))
    assert [warning.code for warning in again.warnings] == ["MESSAGE_ID_REUSED"]


async def test_what_is_told_of_it_is_what_is_stored(world: World) -> None:
    context = world.context("first", "p", device_id="d")
    page = await world.one(Page(context=context, url="https://shop.example/"), SERVER)
    again = await world.one(Track(context=world.context("second", "p"), name="Bought"), SERVER)
    assert (again.type, again.cookie_id, again.device_id) == ("PAGE", f"{world.run}-first", "d")
    assert again.position == page.position
    # A logout that did nothing is not told as one.
    logout = await world.one(LogoutMessage(context=world.context("second", "p")), SERVER)
    assert logout.problem is not None
    assert list(logout.problem.path or ()) == ["messageId"]


async def test_a_browser_is_not_told_that_somebody_else_used_its_message_id(world: World) -> None:
    await world.one(Page(context=world.context("theirs", "p"), url="https://shop.example/"))
    mine = await world.one(Page(context=world.context("mine", "p"), url="https://shop.example/b"))
    assert not mine.warnings
    assert mine.cookie_id == f"{world.run}-mine"
    assert mine.received_at == world.now


async def test_nor_that_somebody_else_identified_under_it(world: World) -> None:
    await world.one(world.identify("theirs", "jo", "i"), SERVER)
    mine = await world.one(world.identify("mine", "kim", "i"))
    fresh = await world.one(world.identify("mine", "kim", "other"))
    assert (mine.duplicate, mine.warnings, mine.received_at < fresh.received_at) == (
        False,
        (),
        True,
    )
    assert mine.outcome is not None
    assert fresh.outcome is not None
    assert mine.outcome.admitted == fresh.outcome.admitted


async def test_a_message_id_that_was_a_pages_is_no_evidence(world: World) -> None:
    await world.one(Page(context=world.context("c", "m"), url="https://shop.example/"))
    receipt = await world.one(world.identify("c", "jo", "m"), SERVER)
    assert receipt.duplicate
    assert receipt.outcome is None
    assert [warning.code for warning in receipt.warnings] == ["MESSAGE_ID_REUSED"]
    assert await world.rows("MATCH (e:Evidence) WHERE e.id STARTS WITH $run RETURN e.id") == []


async def test_a_record_has_message_ids_of_its_own(world: World) -> None:
    await world.one(world.identify("c", "jo", "m"))
    contact = Contact(
        message_id=f"{world.run}-m",
        source="crm",
        source_id=world.run,
        identifiers=(world.claim("user_id", "jo"),),
    )
    first, again = await world.one(contact, SERVER), await world.one(contact, SERVER)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.outcome == again.outcome
    assert await world.differences() == []


async def test_a_chat_is_not_begun_by_a_message_that_was_something_else(world: World) -> None:
    await world.one(Page(context=world.context("c", "m"), url="https://shop.example/"))
    started = await world.one(StartChat(context=world.context("c", "m")), SERVER)
    assert isinstance(started.problem, InvalidInput)


async def test_in_order_evidence_leaves_what_the_fold_says(world: World) -> None:
    contact = Contact(
        message_id=f"{world.run}-k",
        source="crm",
        source_id=world.run,
        identifiers=(world.claim("crm_account_id", "9"), world.claim("user_id", "jo")),
    )
    await world.one(Page(context=world.context("a", device_id=world.run), url="https://x.example"))
    await world.one(world.identify("a", "jo"))
    await world.one(contact, SERVER)
    await world.one(LogoutMessage(context=world.context("a")))
    await world.one(world.identify("a", "kim"))
    await world.one(world.identify("a", "jo"))
    await world.one(world.identify("b", "jo"), SERVER)
    assert await world.differences() == []


async def test_late_evidence_leaves_what_the_fold_says(world: World) -> None:
    await world.one(world.identify("a", "jo"))
    before = world.now
    await world.one(world.identify("a", "kim"))
    late = Context(
        message_id=f"{world.run}-late",
        cookie_id=f"{world.run}-a",
        occurred_at=_time(before + 1),
    )
    receipt = await world.one(LogoutMessage(context=late))
    assert receipt.outcome is not None
    assert receipt.outcome.ended
    assert await world.differences() == []


async def test_live_evidence_that_waited_for_its_lock_happens_behind_it(world: World) -> None:
    await world.one(world.identify("a", "jo"))
    early, late = world.now - 500, world.now + 500
    times = iter((early, late))
    waiting = Ingest(world.database, Policies(world.database), world.ids, lambda: next(times))
    (receipt,) = await waiting.submit([world.identify("a", "kim")], BROWSER)
    assert receipt.received_at == late
    assert receipt.outcome is not None
    assert receipt.outcome.switched
    assert await world.differences() == []


async def test_many_clients_at_once_leave_what_the_fold_says(world: World) -> None:
    messages = [
        world.identify(f"c{n % 5}", f"u{n % 3}", message_id=f"m{n}") for n in [*range(12)] * 2
    ]
    receipts = await asyncio.gather(*(world.one(message) for message in messages))
    assert sum(not receipt.duplicate for receipt in receipts) == 12
    assert await world.differences() == []


async def test_a_batch_spreads_equal_times_and_keeps_its_order(world: World) -> None:
    at = _time(world.now)
    receipts = await world.send(
        world.identify("c", "jo"),
        LogoutMessage(context=world.context("c", "lo", occurred_at=at)),
        IdentifyMessage(
            context=world.context("c", "i", occurred_at=at),
            identifiers=(world.claim("user_id", "kim"),),
        ),
        Track(context=world.context("c", "t", occurred_at=at), name="Order Completed"),
        Track(context=world.context("c", "t", occurred_at=at), name="Order Completed"),
    )
    positions = [receipt.position or "" for receipt in receipts[1:4]]
    assert positions == sorted(positions)
    assert [receipt.duplicate for receipt in receipts] == [False] * 4 + [True]
    assert await world.differences() == []


async def test_a_list_of_several_units_is_stored_whole_and_once(world: World) -> None:
    ids = [str(n) for n in range(UNIT + 10)]
    pages = [
        Page(context=world.context("c", id), url="https://shop.example/") for id in [*ids, ids[0]]
    ]
    first, again = await world.send(*pages), await world.send(*pages)
    assert [receipt.duplicate for receipt in first] == [False] * len(ids) + [True]
    assert all(receipt.duplicate for receipt in again)
    positions = [receipt.position or "" for receipt in first[:-1]]
    assert positions == sorted(positions)
    (row,) = await world.rows(
        "MATCH (e:Event {cookie: $run + '-c'}) RETURN count(e) AS events, min(e.position) AS first"
    )
    assert row == {"events": len(ids), "first": positions[0]}


async def test_a_chat_is_its_cookies_alone(world: World) -> None:
    mine = await world.one(StartChat(context=world.context("c", "s"), chat_id=f"{world.run}-chat"))
    theirs = await world.one(
        StartChat(context=world.context("d", "s2"), chat_id=f"{world.run}-chat")
    )
    assert mine.chat_id == f"{world.run}-chat"
    assert theirs.chat_id != mine.chat_id
    line = ChatMessage(
        message_id=f"{world.run}-m",
        chat_id=f"{world.run}-chat",
        cookie_id=f"{world.run}-c",
        author=Author.CUSTOMER,
        text="Hello",
    )
    said = await world.one(line)
    assert (said.chat_id, said.cookie_id) == (mine.chat_id, f"{world.run}-c")
    stranger = line.model_copy(update={"cookie_id": f"{world.run}-e", "message_id": "x"})
    assert isinstance((await world.one(stranger)).problem, NotFound)
    ended = await world.one(
        EndChat(chat_id=f"{world.run}-chat", cookie_id=f"{world.run}-c"), SERVER
    )
    (chat,) = await world.rows(
        "MATCH (c:Chat {id: $run + '-chat'}) RETURN c.endedAt AS ended, c.cookie AS cookie"
    )
    assert chat == {"ended": ended.occurred_at, "cookie": f"{world.run}-c"}


async def test_pages_share_a_session_until_the_gap(world: World) -> None:
    start = world.now
    for seconds in (0, 600, 1799, 1799 + 1201):
        world.now = start + seconds * 1_000_000
        await world.one(Page(context=world.context("c"), url="https://shop.example/"))
    rows = await world.rows(
        "MATCH (s:Session {cookie: $run + '-c'})<-[:IN_SESSION]-(e:Event) "
        "RETURN s.startedAt AS started, count(e) AS events ORDER BY started"
    )
    assert [row["events"] for row in rows] == [3, 1]


async def test_what_fails_half_way_leaves_nothing(world: World) -> None:
    class Cut(Exception):
        pass

    submit = world.ingest.submit

    async def cut(work: Any, **options: Any) -> Any:
        async def half(unit: Unit) -> None:
            await work(_Uncommitted(unit))
            raise Cut

        return await Database.write(world.database, half, **options)

    policies = Policies(world.database)
    world.ingest = Ingest(_Cut(world.database, cut), policies, world.ids, world._tick)  # type: ignore[arg-type]
    with pytest.raises(Cut):
        await world.one(world.identify("c", "jo", "i"))
    rows = await world.rows("MATCH (e:Event) WHERE e.messageId STARTS WITH $run RETURN e")
    assert rows == []
    receipt = (await submit([world.identify("c", "jo", "i")], BROWSER))[0]
    assert not receipt.duplicate


class _Uncommitted(Unit):
    """A unit of work whose last statement does not commit."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit._transaction)

    async def last_rows(self, query: Query, /, **parameters: Any) -> list[dict[str, Any]]:
        return await self.rows(query, **parameters)


class _Cut:
    """A database on which every unit of work fails after its work, before its commit."""

    def __init__(self, database: Database, write: Any) -> None:
        self._database = database
        self.write = write


def _time(micros: int) -> Any:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
