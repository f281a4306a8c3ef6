"""The versions of the policy: kept, numbered once, in force everywhere within a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from graphid.errors import DatabaseUnavailable, InternalError, InvalidPolicy, NotFound
from graphid.graph.database import Address, Database, Unit
from graphid.graph.installation import installation_secret
from graphid.graph.policies import FRESH, Policies
from graphid.graph.queries import Query
from graphid.graph.schema import migrate
from graphid.identity.ids import Ids
from graphid.identity.policy import DEFAULT, document_of
from graphid.identity.values import Assurance
from graphid.service.ingest import Ingest
from graphid.service.messages import (
    ClaimedIdentifier,
    Contact,
    Context,
    Identify,
    Sender,
    Track,
)

SET_AT = 1_900_000_000_000_000
"""Later than the installation of any test began."""


class CountingDatabase(Database):
    """Counts the reads, and holds them up where it is told to."""

    reads = 0
    held: asyncio.Event | None = None
    gate: asyncio.Event | None = None

    async def read_rows(self, query: Query, /, **parameters: Any) -> list[dict[str, Any]]:
        self.reads += 1
        rows = await super().read_rows(query, **parameters)
        if self.held is not None and self.gate is not None:
            self.held.set()
            await self.gate.wait()
        return rows


@pytest.fixture
async def graph(database: Address) -> AsyncIterator[CountingDatabase]:
    """The database, whose versions are set aside for the length of a test."""
    connected = await CountingDatabase.connect(database, server_warnings=True)
    assert isinstance(connected, CountingDatabase)
    await migrate(connected)
    await installation_secret(connected, None)

    async def aside(unit: Unit) -> None:
        await unit.run_text("MATCH (p:Policy) SET p.aside = p.version REMOVE p.version")

    async def back(unit: Unit) -> None:
        await unit.run_text("MATCH (p:Policy) WHERE p.aside IS NULL DELETE p")
        await unit.run_text("MATCH (p:Policy) SET p.version = p.aside REMOVE p.aside")

    await connected.write(aside)
    yield connected
    await connected.write(back)
    await connected.close()


class Process:
    """A process on the graph, whose clocks are set by hand."""

    def __init__(self, graph: Database) -> None:
        self.now = SET_AT
        self.seconds = 1000.0
        self.policies = Policies(graph, clock=lambda: self.now, elapsed=lambda: self.seconds)


def naming(event: str) -> dict[str, Any]:
    """A document that no other test sets."""
    return {"logout_events": [event]}


async def test_a_new_installation_follows_the_default_since_it_began(
    graph: CountingDatabase,
) -> None:
    found = await Process(graph).policies.current()
    (row,) = await graph.read(
        lambda unit: unit.run_text(
            "MATCH (i:Installation {name: 'graphid'}) RETURN i.begunAt AS begun"
        )
    )
    assert (found.version, found.policy, found.set_by) == (1, DEFAULT, None)
    assert found.set_at == row["begun"] * 1000
    assert found.document == document_of(DEFAULT)
    assert await Process(graph).policies.find(1) == found


async def test_each_document_is_a_version_and_none_is_lost(graph: CountingDatabase) -> None:
    here, there = Process(graph), Process(graph)
    assert here.policies.latest == DEFAULT
    first = await here.policies.set(naming("one"), "sk:a")
    here.now += 5
    second = await here.policies.set({**naming("two"), "session": {"timeout": 60}}, None)
    assert [first.version, second.version] == [2, 3]
    assert (first.set_at, first.set_by) == (SET_AT, "sk:a")
    assert (second.set_at, second.set_by) == (SET_AT + 5, None)
    assert second.document == document_of(DEFAULT) | {
        **naming("two"),
        "session": {"timeout": 60},
        "logout_events": ("two",),
    }
    assert here.policies.latest == second.policy
    assert await there.policies.current() == second
    assert await there.policies.find(2) == first
    assert await there.policies.of(2) == first.policy
    assert await there.policies.of(1) is DEFAULT


async def test_a_version_that_is_not_there(graph: CountingDatabase) -> None:
    policies = Process(graph).policies
    for version in (0, -1, 99):
        assert await policies.find(version) is None
        with pytest.raises(NotFound, match=f"no version {version}"):
            await policies.of(version)


async def test_a_document_that_says_the_same_makes_no_version(graph: CountingDatabase) -> None:
    policies = Process(graph).policies
    assert (await policies.set({}, "sk:a")).version == 1
    first = await policies.set(naming("one"), "sk:a")
    assert await policies.set(naming("one"), "sk:b") == first
    assert await policies.set(first.document, "sk:b") == first
    back = await policies.set({}, "sk:a")
    assert (back.version, back.policy) == (3, DEFAULT)


async def test_a_document_that_is_refused_changes_nothing(graph: CountingDatabase) -> None:
    policies = Process(graph).policies
    kept = await policies.set(naming("one"), "sk:a")
    with pytest.raises(InvalidPolicy):
        await policies.set({**naming("two"), "session": {"timeout": 0}}, "sk:a")
    assert await policies.current() == await Process(graph).policies.current() == kept


async def test_many_set_at_once_and_each_has_a_version_of_its_own(
    graph: CountingDatabase,
) -> None:
    processes = [Process(graph) for _ in range(4)]
    found = await asyncio.gather(
        *(processes[n % 4].policies.set(naming(f"event {n}"), f"sk:{n}") for n in range(12))
    )
    assert sorted(version.version for version in found) == list(range(2, 14))
    last = max(found, key=lambda version: version.version)
    for process in processes:
        process.seconds += FRESH
        assert await process.policies.current() == last
        for version in found:
            assert await process.policies.find(version.version) == version


async def test_many_who_say_the_same_at_once_make_one_version(graph: CountingDatabase) -> None:
    processes = [Process(graph) for _ in range(4)]
    found = await asyncio.gather(*(p.policies.set(naming("same"), None) for p in processes))
    assert {version.version for version in found} == {2}


async def test_evidence_says_under_which_version_it_was_recorded(graph: CountingDatabase) -> None:
    process, own = Process(graph), uuid4().hex[:12]
    ids = Ids(await installation_secret(graph, None))
    ingest = Ingest(graph, process.policies, ids, lambda: SET_AT)

    async def send(part: str) -> None:
        where = f"{own}-{part}"
        claims = (ClaimedIdentifier(type="user_id", value=where),)
        messages = (
            Identify(context=Context(message_id=f"{where}-i", cookie_id=where), identifiers=claims),
            Track(context=Context(message_id=f"{where}-t", cookie_id=where), name="Away"),
            Track(context=Context(message_id=f"{where}-u", cookie_id=where), name="x", user_id="u"),
            Contact(message_id=f"{where}-c", source="crm", source_id=where, identifiers=claims),
        )
        await ingest.submit(
            messages, Sender(name="sk", assurance=Assurance.ASSERTED, is_browser=False)
        )

    await send("before")
    await process.policies.set(naming("Away"), None)
    await send("after")
    rows = await graph.read(
        lambda unit: unit.run_text(
            "MATCH (e:Evidence) WHERE e.id STARTS WITH $own RETURN e.kind AS kind, e.body AS body",
            own=own,
        )
    )
    found = sorted((msgspec.json.decode(row["body"])["policy"], row["kind"]) for row in rows)
    assert found == [
        *((1, kind) for kind in ("contact", "identify", "identify")),
        # "Away" is a logout by the second version only.
        *((2, kind) for kind in ("contact", "identify", "identify", "logout")),
    ]


async def test_what_was_read_counts_for_a_second(graph: CountingDatabase) -> None:
    process, other = Process(graph), Process(graph)
    await process.policies.current()
    later = await other.policies.set(naming("later"), None)
    graph.reads = 0
    process.seconds += FRESH - 0.001
    assert (await process.policies.current()).version == 1
    assert graph.reads == 0
    process.seconds += 0.001
    assert await process.policies.current() == later
    assert await process.policies.current() == later
    assert graph.reads == 1


async def test_who_sets_it_follows_it_at_once(graph: CountingDatabase) -> None:
    process = Process(graph)
    await process.policies.current()
    set_here = await process.policies.set(naming("mine"), None)
    assert await process.policies.current() == set_here


async def test_a_version_is_read_once(graph: CountingDatabase) -> None:
    await Process(graph).policies.set(naming("one"), None)
    process = Process(graph)
    graph.reads = 0
    first, second = await process.policies.of(2), await process.policies.of(2)
    assert first is second
    assert graph.reads == 1
    # What is read anew is the policy that is known, with what was made ready of it.
    assert (await process.policies.current()).policy is first
    process.seconds += FRESH
    assert (await process.policies.current()).policy is first


async def test_many_who_ask_wait_for_one_read(graph: CountingDatabase) -> None:
    process = Process(graph)
    graph.reads = 0
    found = await asyncio.gather(*(process.policies.current() for _ in range(50)))
    assert graph.reads == 1
    assert {version.version for version in found} == {1}


async def test_many_who_ask_a_database_that_does_not_answer_wait_as_long_as_one(
    graph: CountingDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(graph)
    held, gate = asyncio.Event(), asyncio.Event()
    reads = 0

    async def hang(_query: Query, /, **_parameters: Any) -> list[dict[str, Any]]:
        nonlocal reads
        reads += 1
        held.set()
        await gate.wait()
        raise DatabaseUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(graph, "read_rows", hang)
        asking = [asyncio.create_task(process.policies.current()) for _ in range(10)]
        await held.wait()
        asking[0].cancel()  # whoever asked first goes
        gate.set()
        found = await asyncio.gather(*asking, return_exceptions=True)
    assert reads == 1
    assert [type(error) for error in found[1:]] == [DatabaseUnavailable] * 9
    assert (await process.policies.current()).version == 1


async def test_a_read_that_is_overtaken_does_not_bring_the_old_one_back(
    graph: CountingDatabase,
) -> None:
    process = Process(graph)
    graph.held, graph.gate = asyncio.Event(), asyncio.Event()
    slow = asyncio.create_task(process.policies.current())
    await graph.held.wait()  # it has read what was in force, and tells nobody yet
    newer = await process.policies.set(naming("newer"), None)
    graph.gate.set()
    assert await slow == newer
    assert await process.policies.current() == newer


async def test_clocks_that_differ_put_no_version_before_the_one_it_follows(
    graph: CountingDatabase,
) -> None:
    ahead, behind = Process(graph), Process(graph)
    behind.now -= 3_000_000
    first = await ahead.policies.set(naming("one"), None)
    assert (await behind.policies.set(naming("two"), None)).set_at == first.set_at


async def test_before_an_installation_nothing_is_set(graph: CountingDatabase) -> None:
    async def rename(unit: Unit, old: str, new: str) -> None:
        await unit.run_text(
            "MATCH (i:Installation {name: $old}) SET i.name = $new", old=old, new=new
        )

    await graph.write(lambda unit: rename(unit, "graphid", "aside"))
    try:
        process = Process(graph)
        assert (await process.policies.current()).set_at == SET_AT
        with pytest.raises(InternalError):
            await process.policies.set(naming("one"), None)
    finally:
        await graph.write(lambda unit: rename(unit, "aside", "graphid"))
