"""Anonymous data goes when its time is over; what is somebody's, or can become it, stays."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, LiteralString

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from graphid.graph.database import Address, Database, Unit
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.identity.attribution import attribute
from graphid.identity.fold import Resolved, resolve
from graphid.identity.policy import Policy
from graphid.identity.values import Evidence, Kind, Micros, place
from graphid.service.batches import batch_of
from graphid.service.ingest import APPEND_EVENTS
from graphid.service.messages import Author, ChatMessage, Context, StartChat
from graphid.service.reads import now
from graphid.service.recordings import Event
from graphid.service.retention import Named, Part, Retention
from graphid.service.verifying import verify
from tests.identity.lives import COOKIES, DAY, EXAMPLES, IDS, MINUTE, OPERATORS, histories
from tests.integration.asking import installation
from tests.integration.ledger import Ledger, Silent
from tests.integration.operating import Operating

RESTED = 61 * DAY
"""Longer than the policy keeps what is nobody's."""


class Kept(Operating):
    """A graph of its own, on whose clock time is let pass."""

    def retention(self, *, events: int = 500, look_first: float = 3600) -> Retention:
        policies = Policies(self.database)
        return Retention(
            self.database,
            policies,
            self.ids,
            lambda: self.now,
            events=events,
            rest=0,
            look_first=look_first,
        )

    def later(self, micros: Micros) -> None:
        self.now += micros

    async def retain(self, **more: int) -> Counter[str]:
        """What retention deletes; after it the graph is what the evidence says."""
        deleted = await self.retention(**more).delete()
        assert await self.faults() == []
        return deleted

    async def faults(self) -> list[str]:
        """Where the graph is not the fold of its evidence."""
        said: list[str] = []
        await verify(
            self.database,
            Policies(self.database).of,
            self.ids,
            Silent(),
            on_finding=lambda finding: said.append(str(finding)),
        )
        return said

    async def written(self, text: LiteralString) -> None:
        await Ledger(self.database, self.ids, {}).write(text)

    async def until_blocked(self) -> None:
        """Return when a transaction waits for a lock."""
        async with asyncio.timeout(60):
            while not await self.rows(
                "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked' RETURN status"
            ):
                pass

    async def left(self) -> list[str]:
        """The messages whose events are there, without this world's name."""
        rows = await self.rows("MATCH (e:Event) RETURN e.messageId AS id ORDER BY e.position")
        return [row["id"].removeprefix(f"{self.run}-") for row in rows]

    async def nodes(self) -> dict[str, int]:
        """How many there are of what retention deletes."""
        rows = await self.rows(
            "MATCH (n) WHERE n:Event OR n:Chat OR n:Session OR n:Cookie OR n:Device OR n:Visitor "
            "RETURN labels(n)[0] AS label, count(*) AS nodes"
        )
        return {row["label"]: row["nodes"] for row in rows}

    async def on_device(self, cookie: str, device: str, message: str) -> None:
        page = self.page(cookie, 0)
        context = Context(
            message_id=f"{self.run}-{message}",
            cookie_id=f"{self.run}-{cookie}",
            device_id=f"{self.run}-{device}",
        )
        await self.one(page.model_copy(update={"context": context}))


@pytest.fixture
async def kept(own_database: Address) -> AsyncIterator[Kept]:
    # Whoever had it before may have begun it with a secret of theirs.
    before = await Database.connect(own_database, timeout=60)
    await migrate(before)
    await Ledger(before, IDS, {}).empty()
    await before.close()
    async with installation(own_database) as (database, ids):
        yield Kept(database, ids)


async def test_an_anonymous_visitor_is_forgotten_after_the_time_of_the_policy(kept: Kept) -> None:
    await kept.on_device("a", "d", "p1")
    await kept.one(StartChat(context=kept.context("a", "chat"), chat_id=f"{kept.run}-chat"))
    await kept.one(
        ChatMessage(
            message_id=f"{kept.run}-line",
            chat_id=f"{kept.run}-chat",
            cookie_id=f"{kept.run}-a",
            author=Author.CUSTOMER,
            text="hello",
        )
    )
    await kept.on_device("b", "d", "p2")
    asked = await kept.ask(
        "query ($c: ID!) { personByCookie(cookieId: $c) { id } }", c=f"{kept.run}-a"
    )
    visitor = asked["personByCookie"]["id"]
    kept.later(59 * DAY)
    assert await kept.retain() == Counter()
    await kept.on_device("b", "d", "p3")  # so that b goes on
    kept.later(2 * DAY)
    assert await kept.retention().count() == {"events": 3, "cookies": 1}
    assert await kept.retain() == {"events": 3, "chats": 1, "sessions": 1, "cookies": 1}
    assert await kept.left() == ["p2", "p3"]
    assert await kept.nodes() == {"Event": 2, "Session": 2, "Cookie": 1, "Device": 1, "Visitor": 1}
    # As of what never was.
    for field in ("person", "node"):
        asked = await kept.ask(f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}", id=visitor)
        assert asked == {field: None}
    kept.later(RESTED)
    assert await kept.retain() == {"events": 2, "sessions": 2, "cookies": 1, "devices": 1}
    assert await kept.nodes() == {}
    # Who comes again is met as for the first time, under the same id.
    await kept.seen("a", "again")
    asked = await kept.ask(
        "query ($c: ID!) { personByCookie(cookieId: $c) { id } }", c=f"{kept.run}-a"
    )
    assert asked["personByCookie"]["id"] == visitor
    assert await kept.faults() == []


async def test_what_is_somebodys_stays_and_what_is_not_goes(kept: Kept) -> None:
    """What was before the identify, as far as it reached, is theirs; not what follows a logout."""
    await kept.seen("a", "too early")
    kept.later(10 * DAY)
    await kept.seen("a", "before")
    kept.later(25 * DAY)
    await kept.identified("a", "jo", "jo")
    await kept.seen("a", "after")
    await kept.one(kept.logout("a", 0).model_copy(update={"context": kept.context("a", "out")}))
    await kept.seen("a", "gone")
    person = await kept.owner("before")
    visitor = (await kept.look("too early"))["person"]["id"]
    assert visitor.endswith("~unclaimed")
    assert [await kept.owner(message) for message in ("jo", "after")] == [person, person]
    kept.later(24 * DAY)
    assert await kept.retain() == Counter()
    kept.later(2 * DAY)
    assert await kept.retain() == {"events": 1, "sessions": 1}
    assert await kept.left() == ["before", "jo", "after", "out", "gone"]
    # Of what went nothing is left that could be read: its id means who has the rest.
    assert (await kept.person(visitor))["id"] == person
    kept.later(RESTED)
    assert await kept.retain() == {"events": 1}
    assert await kept.left() == ["before", "jo", "after", "out"]
    assert {await kept.owner(message) for message in await kept.left()} == {person}
    kept.later(10 * RESTED)
    assert await kept.retain() == Counter()


async def test_what_an_operator_can_give_back_stays(kept: Kept) -> None:
    await kept.two()
    await kept.seen("c", "pc")
    jo, kim, anonymous = [await kept.owner(message) for message in ("pa", "pb", "pc")]
    severed = await kept.changed("severLink", id=await kept.link_of("pa"))
    merged = await kept.changed("mergePeople", ids=[kim, anonymous])
    assert await kept.owner("pc") == kim
    unmerged = await kept.changed("unmerge", id=merged["operationId"])
    assert {await kept.owner(message) for message in ("pa", "pc")}.isdisjoint({jo, kim})
    kept.later(RESTED)
    assert await kept.retain() == Counter()
    await kept.changed("restoreLink", id=severed["operationId"])
    assert await kept.owner("pa") == jo
    await kept.changed("restoreLink", id=unmerged["operationId"])
    assert await kept.owner("pc") == kim


async def test_nothing_is_deleted_while_evidence_waits_for_its_job(kept: Kept) -> None:
    """It may say whose it is."""
    await kept.seen("a", "p")
    await kept.identified("b", "jo", "jo")
    kept.later(RESTED)
    await kept.written("MATCH (e:Evidence) SET e.pendingSince = 1")
    assert await kept.retention().delete() == Counter()
    await kept.written("MATCH (e:Evidence) REMOVE e.pendingSince")
    assert (await kept.retain())["events"] == 1


async def test_one_process_at_a_time_and_few_events_in_a_transaction(kept: Kept) -> None:
    for cookie in "abc":
        await kept.seen(cookie, *(f"{cookie}{number}" for number in range(4)))
    kept.later(RESTED)
    one, two = kept.retention(events=3), kept.retention(events=3)
    assert await one._lease.take() is not None
    await two.turn()
    assert not +two.deleted
    await one._lease.give()
    await asyncio.gather(one.turn(), two.turn(), kept.retention(events=3).delete())
    assert await kept.nodes() == {}
    (row,) = await kept.rows("MATCH (l:Lease {name: 'retention'}) RETURN l.until AS until")
    assert row["until"] == 0


async def test_a_job_does_it_by_itself(kept: Kept) -> None:
    await kept.seen("a", "p")
    kept.later(RESTED)
    retention = kept.retention(look_first=0)
    async with retention.running(), asyncio.timeout(60):
        while not retention.deleted["cookies"]:
            await kept.rows("RETURN 1 AS one")
    assert await kept.nodes() == {}


async def test_whoever_comes_back_meanwhile_loses_nothing(kept: Kept) -> None:
    """Pages and identifies on the cookies that are being deleted, and on their device."""
    cookies = [f"c{number:02}" for number in range(24)]
    for cookie in cookies:
        await kept.on_device(cookie, f"d{cookie[-1]}", f"old-{cookie}")
        await kept.on_device(cookie, f"d{cookie[-1]}", f"older-{cookie}")
    kept.later(RESTED)

    async def come_back(order: Sequence[str]) -> None:
        for cookie in order:
            await kept.on_device(cookie, f"d{cookie[-1]}", f"new-{cookie}")
            if cookie[-1] in "37":
                await kept.identified(cookie, f"id-{cookie}", f"user-{cookie}")

    orders = [cookies[::2], cookies[1::2][::-1]]
    retention = kept.retention(events=5)
    await asyncio.gather(retention.delete(), *map(come_back, orders))
    assert retention.deleted["events"]
    left = set(await kept.left())
    assert {f"new-{cookie}" for cookie in cookies} <= left
    assert {f"id-{cookie}" for cookie in cookies if cookie[-1] in "37"} <= left
    rows = await kept.rows(
        "MATCH (e:Event) RETURN e.messageId AS id, "
        "COUNT { (e)-[:IN_SESSION]->(:Session {id: e.session})-[:ON_COOKIE]->"
        "(:Cookie {id: e.cookie})-[:ON_DEVICE]->(:Device) } AS places, "
        "COUNT { (:Cookie {id: e.cookie})<-[:OF_COOKIE]-(:Visitor {start: ''}) } AS births"
    )
    assert [row for row in rows if (row["places"], row["births"]) != (1, 1)] == []
    assert await kept.faults() == []


@pytest.mark.parametrize(
    "document",
    [{"retention": {"anonymous": 36_500 * 86_400}}, {"retroactive": {"max_age": 60 * 86_400}}],
)
async def test_a_policy_that_keeps_more_is_gone_by_within_a_pass(
    kept: Kept, document: dict[str, Any]
) -> None:
    """Of what is listed already as what is due."""
    await kept.seen("a", "p1")
    kept.later(40 * DAY)
    await kept.identified("a", "jo", "jo")  # who reaches back for 30 days
    kept.later(RESTED)
    before = await kept.nodes()
    retention, set_ = kept.retention(events=1), []
    assert await retention.count() == {"events": 1, "cookies": 1}

    async def setting(parts: list[Part], named: Named) -> bool:
        set_.append(await retention._policies.set(document, None))
        return await retention._delete(parts, named)

    await retention._go(setting)
    assert len(set_) == 1
    assert retention.deleted.total() == 0
    assert await kept.nodes() == before


async def test_an_event_on_its_way_keeps_what_was_before(kept: Kept) -> None:
    """Retention waits for it, and looks again."""
    await kept.seen("a", "old")
    kept.later(RESTED)
    written, let_go = asyncio.Event(), asyncio.Event()
    (new,) = pages_at(f"{kept.run}-a", kept.now)

    async def append(unit: Unit) -> None:
        batch = batch_of([new], MINUTE, kept.ids)
        await unit.rows(APPEND_EVENTS, ids=[new.message_id], batch=batch)
        written.set()
        await let_go.wait()

    appending = asyncio.create_task(kept.database.write(append))
    await written.wait()
    deleting = asyncio.create_task(kept.retention().delete())
    await kept.until_blocked()
    let_go.set()
    await appending
    assert await deleting == Counter()
    assert await kept.left() == ["old", f"a-{new.at}"]
    assert await kept.faults() == []


async def test_an_event_that_comes_while_its_cookie_goes_finds_it_again(kept: Kept) -> None:
    await kept.on_device("a", "d", "old")
    kept.later(RESTED)
    deleted, let_go = asyncio.Event(), asyncio.Event()
    retention = kept.retention()

    async def delete(unit: Unit) -> None:
        gone = await retention._delete_some([f"{kept.run}-a"], set(), unit)
        assert gone == {"events": 1, "sessions": 1, "cookies": 1, "devices": 1}
        deleted.set()
        await let_go.wait()

    deleting = asyncio.create_task(kept.database.write(delete))
    await deleted.wait()
    appending = asyncio.create_task(kept.on_device("a", "d", "new"))
    await kept.until_blocked()
    let_go.set()
    await asyncio.gather(deleting, appending)
    assert await kept.left() == ["new"]
    assert await kept.nodes() == {"Event": 1, "Session": 1, "Cookie": 1, "Device": 1, "Visitor": 1}
    assert await kept.faults() == []


async def test_the_command(kept: Kept, own_database: Address, tmp_path: Path) -> None:
    kept.now = now() - RESTED
    await kept.seen("a", "p", "q")

    def retain(*arguments: str) -> str:
        environment = {
            **os.environ,
            "GRAPHID_NEO4J_URI": own_database.uri,
            "GRAPHID_NEO4J_USER": own_database.user,
            "GRAPHID_NEO4J_PASSWORD": own_database.password,
            "GRAPHID_NEO4J_DATABASE": own_database.database,
            "GRAPHID_DATA_DIR": str(tmp_path),
            "GRAPHID_LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "graphid", "retain", *arguments]
        return subprocess.check_output(command, env=environment, text=True)

    assert retain("--dry-run") == "would delete 2 events, on 1 cookies\n"
    assert await kept.left() == ["p", "q"]
    assert retain() == "deleted 2 events, 1 sessions, 1 cookies\n"
    assert await kept.nodes() == {}
    entries = await kept.rows("MATCH (n:AuditEntry {action: 'retain'}) RETURN n.outcome AS outcome")
    assert entries == [{"outcome": "DONE"}]


# ------------------------------------------------------------------ whatever happened before


def pages_at(cookie: str, *moments: Micros) -> list[Event]:
    """A page on a cookie at each of these moments."""
    return [
        Event(
            message_id=(id := f"{cookie}-{at}"),
            type="PAGE",
            cookie=cookie,
            at=at,
            received_at=at,
            position=place(at, Kind.EVENT, id),
            digest="",
            device=COOKIES.get(cookie),
        )
        for at in moments
    ]


def pages(history: Sequence[Evidence], seed: int) -> list[Event]:
    """Pages on all cookies, at and around what was said, and long before it."""
    random = Random(seed)
    found: dict[str, Event] = {}
    for _ in range(30):
        near = random.choice(history).at
        at = near + random.choice([-40 * DAY, -20 * DAY, -MINUTE, 0, MINUTE, 20 * DAY])
        (event,) = pages_at(random.choice([*sorted(COOKIES), "c-nobody"]), at)
        found[event.message_id] = event
    return [*found.values()]


def owned(resolved: Resolved, event: Event) -> bool:
    """Whether it is somebody's."""
    visitor = resolved.visitor_at(event.cookie, event.position)
    return attribute(visitor, event.position).contact is not None


@settings(max_examples=max(EXAMPLES // 16, 1), phases=[Phase.generate])
@given(
    history=histories(10, policy=Policy(), operators=OPERATORS),
    seed=st.integers(0, 999),
    days=st.integers(0, 160),
)
async def test_after_any_history_what_is_somebodys_is_there(
    ledger: Ledger, history: list[Evidence], seed: int, days: int
) -> None:
    await ledger.empty()
    events = pages(history, seed)
    await ledger.database.write_rows(
        APPEND_EVENTS, ids=[e.message_id for e in events], batch=batch_of(events, MINUTE, IDS)
    )
    for piece in history:
        await ledger.record([piece])
    until = max(piece.recorded_at for piece in history) + days * DAY
    policies = Policies(ledger.database)
    retention = Retention(ledger.database, policies, IDS, lambda: until, events=7, rest=0)
    counted = await retention.count()
    deleted = await retention.delete()
    assert deleted["events"] == counted["events"]
    rows = await ledger.rows("MATCH (e:Event) RETURN e.messageId AS id")
    left = {row["id"] for row in rows}
    resolved = resolve(history, Policy(), IDS)
    gone = [event for event in events if event.message_id not in left]
    assert len(gone) == deleted["events"]
    assert not [event for event in gone if owned(resolved, event)]
    assert not [event for event in gone if event.at >= until - 60 * DAY]
    nobodys = [event for event in events if event.cookie == "c-nobody"]
    if max((event.at for event in nobodys), default=until) < until - 60 * DAY:
        assert left.isdisjoint(event.message_id for event in nobodys)
        assert await ledger.rows("MATCH (c:Cookie {id: 'c-nobody'}) RETURN c") == []
    assert (await ledger.verified())[1] == []
