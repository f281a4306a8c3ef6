"""The one class that talks to the driver: retries, deadlines, translation, round trips."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from time import monotonic
from typing import Any, LiteralString
from uuid import uuid4

import neo4j.warnings
import pytest

from graphid.errors import Busy, DatabaseUnavailable, InternalError, InvalidInput, SettingsError
from graphid.graph.bookmarks import BOOKMARK, following
from graphid.graph.database import CONNECTIONS, Address, Database, Retry, Unit
from graphid.graph.faults import Verdict, judge
from graphid.graph.queries import Query, of_one_map


def statement(text: LiteralString) -> Query:
    return Query("test/statement", of_one_map(text), "", frozenset(), (), offline=False)


CONSTRAINT = statement(
    "CREATE CONSTRAINT trial_id IF NOT EXISTS FOR (t:Trial) REQUIRE t.id IS UNIQUE"
)
CREATE = statement("CREATE (t:Trial {id: $id})")
MERGE = statement("MERGE (t:Trial {id: $id}) SET t.runs = coalesce(t.runs, 0) + 1")
COUNT = statement("MATCH (t:Trial {id: $id}) RETURN count(t) AS n")
LOCK = statement("MATCH (t:Trial {id: $id}) SET t.held = true")
ONE = statement("RETURN 1 AS one")
CONNECTION = statement(
    "SHOW TRANSACTIONS YIELD connectionId, metaData WHERE metaData.unit = 'test/statement' "
    "RETURN connectionId"
)
PATIENCE = 60.0
"""Seconds, for what takes a moment on a slow machine."""


@dataclass(frozen=True)
class Place:
    """An address that a test made up."""

    uri: str
    user: str
    password: str
    database: str


BOTH_WAYS = pytest.mark.parametrize(
    "server_warnings", [False, True], ids=["by exchanges", "by sessions"]
)
"""The server's warnings are what only the driver's own sessions tell."""


@pytest.fixture(scope="session", params=[False, True], ids=["by exchanges", "by sessions"])
async def graph(database: Address, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    connected = await Database.connect(database, server_warnings=request.param)
    await connected.write_rows(CONSTRAINT)
    yield connected
    await connected.close()


@pytest.fixture
def fresh() -> str:
    return uuid4().hex


async def count(graph: Database, identifier: str) -> int:
    return int((await graph.read_rows(COUNT, id=identifier))[0]["n"])


async def test_rows_are_plain_and_times_are_utc(graph: Database) -> None:
    east = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    query = statement("RETURN $at AS at, [$at] AS list, {at: $at, n: null} AS map")
    expected = datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)

    [row] = await graph.read_rows(query, at=east)

    assert row == {"at": expected, "list": [expected], "map": {"at": expected, "n": None}}
    assert row["at"].tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(graph: Database) -> None:
    with pytest.raises(TypeError, match="without a zone"):
        await graph.read_rows(statement("RETURN localdatetime('2026-03-01T12:00') AS at"))


async def test_a_node_is_refused_and_the_connection_kept(database: Address) -> None:
    connected = await Database.connect(database)
    try:
        before = await connected.read_rows(CONNECTION)
        assert len(before) == 1
        with pytest.raises(TypeError, match="a node"):
            await connected.write_rows(statement("CREATE (t:Trial {id: 'a node'}) RETURN [t] AS t"))
        assert await connected.read_rows(CONNECTION) == before
    finally:
        await connected.close()


def sockets() -> int:
    """How many this process has open."""
    found = 0
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # of the folder itself, which is closed by now
            found += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("turns", range(12))
async def test_who_leaves_while_a_connection_is_opened_leaves_none_open(
    database: Address, turns: int
) -> None:
    """Without the garbage collector, which would close what was forgotten."""
    gc.collect()
    gc.disable()
    try:
        before = sockets()
        connected = await Database.connect(database)
        reading = [asyncio.create_task(connected.read_rows(ONE)) for _ in range(4)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        assert await connected.read_rows(ONE) == [{"one": 1}]
        await connected.close()
        await asyncio.sleep(0)  # a transport closes its socket in the next turn
        assert sockets() == before
    finally:
        gc.enable()


async def test_more_rows_than_one_fetch(graph: Database) -> None:
    rows = await graph.read_rows(statement("UNWIND range(1, 2500) AS x RETURN x"))
    assert [row["x"] for row in rows] == list(range(1, 2501))


async def test_a_unit_is_committed_and_returns_what_the_work_returns(
    graph: Database, fresh: str
) -> None:
    async def work(unit: Unit) -> str:
        await unit.run(MERGE, id=fresh)
        return "done"

    assert await graph.write(work) == "done"
    assert await count(graph, fresh) == 1


async def test_an_error_of_the_work_rolls_back_and_comes_out_as_it_is(
    graph: Database, fresh: str
) -> None:
    async def work(unit: Unit) -> None:
        await unit.run(MERGE, id=fresh)
        raise InvalidInput("no", path=("id",))

    with pytest.raises(InvalidInput, match="id: no"):
        await graph.write(work)
    assert await count(graph, fresh) == 0


async def test_work_can_ask_to_be_run_again_and_the_first_wait_is_short(
    graph: Database, fresh: str
) -> None:
    runs = 0
    before = graph.retries["Retry:changed"]
    await graph.write_rows(MERGE, id=fresh + "-planned")  # planning is not waiting

    async def work(unit: Unit) -> int:
        nonlocal runs
        runs += 1
        await unit.run(MERGE, id=fresh)
        if runs == 1:
            raise Retry("changed")
        return runs

    started = monotonic()
    assert await graph.write(work) == 2
    assert monotonic() - started < 0.95
    assert graph.retries["Retry:changed"] == before + 1
    # The first run left nothing behind.
    [row] = await graph.read_rows(
        statement("MATCH (t:Trial {id: $id}) RETURN t.runs AS runs"), id=fresh
    )
    assert row["runs"] == 1


async def test_reruns_end_with_the_deadline(graph: Database) -> None:
    async def work(unit: Unit) -> None:
        await unit.rows(ONE)
        raise Retry("always")

    with pytest.raises(Busy) as caught:
        await graph.write(work, timeout=0.6)
    assert caught.value.retry_after > 0
    # The deadline may come in the middle of a try, or in a wait between two.
    assert graph.failures["Retry:always"] + graph.failures["Deadline"] == 1


async def test_a_lost_race_for_a_constraint_is_run_again(graph: Database, fresh: str) -> None:
    runs = 0

    async def work(unit: Unit) -> str:
        nonlocal runs
        runs += 1
        [row] = await unit.rows(COUNT, id=fresh)
        if row["n"]:
            return "found"
        await graph.write_rows(CREATE, id=fresh)  # somebody else, in between
        await unit.rows(CREATE, id=fresh)
        return "created"

    assert await graph.write(work) == "found"
    assert runs == 2
    assert graph.retries["Neo.ClientError.Schema.ConstraintValidationFailed"] >= 1


async def test_a_constraint_that_always_fails_is_given_up_and_tells_no_value(
    graph: Database, fresh: str
) -> None:
    await graph.write_rows(CREATE, id=fresh)
    with pytest.raises(InternalError) as caught:
        await graph.write_rows(CREATE, id=fresh)
    assert fresh not in str(caught.value)


async def test_a_deadlock_is_resolved(graph: Database, fresh: str) -> None:
    first, second = f"{fresh}-1", f"{fresh}-2"
    for identifier in (first, second):
        await graph.write_rows(CREATE, id=identifier)
    both_hold_one = asyncio.Barrier(2)
    runs = 0

    async def work(unit: Unit, one: str, other: str, meet: bool) -> None:
        nonlocal runs
        runs += 1
        await unit.rows(LOCK, id=one)
        if meet:
            await both_hold_one.wait()
        await unit.rows(LOCK, id=other)

    async def worker(one: str, other: str) -> None:
        attempts = iter([True])
        await graph.write(lambda unit: work(unit, one, other, next(attempts, False)))

    await asyncio.gather(worker(first, second), worker(second, first))
    assert runs == 3
    assert graph.retries["Neo.TransientError.Transaction.DeadlockDetected"] >= 1


async def test_waiting_for_a_lock_past_the_deadline_is_busy_and_the_pool_survives(
    graph: Database, fresh: str
) -> None:
    await graph.write_rows(CREATE, id=fresh)

    async def holder(unit: Unit) -> None:
        await unit.rows(LOCK, id=fresh)
        with pytest.raises(Busy):
            await graph.write_rows(LOCK, id=fresh, within=0.4)

    await graph.write(holder)
    await graph.write_rows(LOCK, id=fresh)


async def test_a_wrong_statement_is_masked(graph: Database) -> None:
    with pytest.raises(InternalError) as caught:
        await graph.read_rows(statement("MATCH (secret RETURN"))
    assert "secret" not in str(caught.value)


async def test_a_read_may_not_write(graph: Database, fresh: str) -> None:
    with pytest.raises(InternalError):
        await graph.read(lambda unit: unit.rows(CREATE, id=fresh))
    assert await count(graph, fresh) == 0


async def test_the_servers_warnings_become_pythons(database: Address) -> None:
    graph = await Database.connect(database, server_warnings=True)
    old = statement("MATCH (t:Trial {id: 'x'}) RETURN id(t) AS id")
    with pytest.warns(neo4j.warnings.Neo4jWarning, match="deprecated"):
        await graph.read_rows(old)
    await graph.close()


async def test_what_is_asked_of_a_closed_database_fails(database: Address) -> None:
    graph = await Database.connect(database)
    assert await graph.read_rows(ONE) == [{"one": 1}]
    await graph.close()
    with pytest.raises(InternalError):
        await graph.read_rows(ONE)


async def test_the_last_statement_commits(graph: Database, fresh: str) -> None:
    async def work(unit: Unit) -> list[dict[str, Any]]:
        await unit.run(MERGE, id=fresh)
        rows = await unit.last_rows(COUNT, id=fresh)
        assert await count(graph, fresh) == 1  # for everybody
        return rows

    assert await graph.write(work) == [{"n": 1}]


async def test_what_is_written_has_a_bookmark_and_what_is_read_waits_for_it(
    graph: Database, fresh: str
) -> None:
    with following() as first:
        await graph.read_rows(ONE)
        assert not first.reached
        await graph.write_rows(CREATE, id=fresh)
        await graph.write(lambda unit: unit.run(LOCK, id=fresh))
        await graph.write(lambda unit: unit.last_rows(LOCK, id=fresh))
    assert len(first.reached) == 3
    with following(tuple(first.reached)) as second:
        assert await graph.read_rows(COUNT, id=fresh) == [{"n": 1}]
        assert await graph.read(lambda unit: unit.rows(COUNT, id=fresh)) == [{"n": 1}]
    assert not second.reached


async def test_a_bookmark_of_another_database_is_refused(graph: Database) -> None:
    with following(("FB:kcwQtVHRL3qHRc+Vpvdzy0iy18mQ",)):
        for read in (graph.read_rows(ONE), graph.read(lambda unit: unit.rows(ONE))):
            with pytest.raises(InvalidInput, match="no such bookmark") as told:
                await read
            assert told.value.path == (BOOKMARK,)


async def test_nothing_runs_after_the_last_statement(graph: Database, fresh: str) -> None:
    async def work(unit: Unit) -> None:
        await unit.last_rows(MERGE, id=fresh)
        await unit.rows(MERGE, id=f"{fresh}-more")

    with pytest.raises(InternalError):
        await graph.write(work)
    assert await count(graph, f"{fresh}-more") == 0


@pytest.mark.parametrize(
    "failing",
    ["RETURN 1 / 0", "UNWIND range(1, 3) AS x RETURN 1 / (x - 3)", "MATCH (secret RETURN"],
)
async def test_a_last_statement_that_fails_commits_nothing(
    graph: Database, fresh: str, failing: LiteralString
) -> None:
    async def work(unit: Unit) -> None:
        await unit.run(MERGE, id=fresh)
        await unit.last_rows(statement(failing))

    with pytest.raises(InternalError):
        await graph.write(work)
    assert await count(graph, fresh) == 0


async def test_after_a_failed_statement_nothing_is_run_or_committed(
    graph: Database, fresh: str
) -> None:
    async def work(unit: Unit) -> None:
        await unit.run(MERGE, id=fresh)
        with suppress(neo4j.exceptions.Neo4jError):
            await unit.rows(statement("RETURN 1 / 0"))
        with suppress(neo4j.exceptions.TransactionError):
            await unit.rows(MERGE, id=fresh)

    with pytest.raises(InternalError):
        await graph.write(work)
    assert await count(graph, fresh) == 0


async def test_work_that_asks_for_nothing(graph: Database) -> None:
    async def work(_unit: Unit) -> str:
        return "done"

    assert await graph.write(work) == "done"


async def test_cancelled_work_leaves_nothing_behind_and_the_pool_whole(
    graph: Database, fresh: str
) -> None:
    for _ in range(CONNECTIONS + 1):
        async with asyncio.timeout(PATIENCE):
            await graph.read_rows(ONE)
        started = asyncio.Event()

        async def work(unit: Unit, started: asyncio.Event = started) -> None:
            await unit.run(MERGE, id=fresh)
            started.set()
            await unit.rows(LOCK, id=fresh)
            await asyncio.Event().wait()

        task = asyncio.create_task(graph.write(work))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await count(graph, fresh) == 0


async def test_no_server_is_unavailable_soon(database: Address) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = await Database.connect(Place(f"bolt://127.0.0.1:{port}", "neo4j", "x", "neo4j"))
    started = monotonic()
    with pytest.raises(DatabaseUnavailable) as caught:
        await away.read_rows(ONE)
    with pytest.raises(DatabaseUnavailable):
        await away.verify()
    assert monotonic() - started < 10
    assert caught.value.retry_after > 0
    await away.close()


async def test_a_wrong_password_is_a_fault_of_the_settings(database: Address) -> None:
    if not database.password:
        pytest.skip("this database asks for no password")
    wrong = replace(place_of(database), password="not the password")
    refused = await Database.connect(wrong)
    with pytest.raises(SettingsError, match="GRAPHID_NEO4J_PASSWORD"):
        await refused.verify()
    await refused.close()


# What the wire shows --------------------------------------------------------------------------


class Wire:
    """A proxy before the database that counts round trips and can cut or silence the line."""

    COMMIT = b"\xb0\x12"
    """Bolt's COMMIT message: a structure without fields, tag 0x12."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.turns = 0
        self.cut_at_commit = 0
        self.silent = False
        self._last = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        streams = ((reader, back, "ask"), (there, writer, "answer"))
        for stream in streams:
            task = asyncio.create_task(self.forward(*stream, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def forward(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        side: str,
        client: asyncio.StreamWriter,
    ) -> None:
        try:
            while data := await source.read(65536):
                if side == "ask" and self._last != "ask":
                    self.turns += 1
                self._last = side
                if self.silent:
                    continue
                if side == "ask" and self.COMMIT in data and self.cut_at_commit:
                    self.cut_at_commit -= 1
                    target.write(data)
                    await target.drain()
                    client.transport.abort()
                    return
                target.write(data)
        except OSError:
            pass
        finally:
            target.close()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


def place_of(address: Address) -> Place:
    return Place(address.uri, address.user, address.password, address.database)


@asynccontextmanager
async def wired(address: Address, **options: Any) -> AsyncIterator[tuple[Wire, Database]]:
    wire = Wire(int(address.uri.rpartition(":")[2]))
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    graph = await Database.connect(
        replace(place_of(address), uri=f"bolt://127.0.0.1:{port}"), **options
    )
    await graph.verify()
    yield wire, graph
    await graph.close()
    server.close()
    wire.stop()


@BOTH_WAYS
async def test_round_trips(database: Address, fresh: str, server_warnings: bool) -> None:
    async def two(unit: Unit) -> None:
        await unit.rows(MERGE, id=fresh)
        await unit.rows(MERGE, id=fresh)

    async def two_at_most(unit: Unit) -> None:
        await unit.rows(MERGE, id=fresh)
        await unit.last_rows(MERGE, id=fresh)

    async with wired(database, server_warnings=server_warnings) as (wire, graph):
        await graph.write(two)
        wire.turns = 0
        await graph.write(two)
        assert wire.turns == 3  # BEGIN goes with the first statement; COMMIT is the third
        wire.turns = 0
        await graph.write(two_at_most)
        assert wire.turns == (3 if server_warnings else 2)
        wire.turns = 0
        await graph.write_rows(MERGE, id=fresh)
        assert wire.turns == 1


@BOTH_WAYS
@pytest.mark.parametrize("way", ["rows", "last_rows"])
async def test_a_connection_lost_at_commit_is_run_again_and_stored_once(
    database: Address, graph: Database, fresh: str, server_warnings: bool, way: str
) -> None:
    async def work(unit: Unit) -> None:
        await getattr(unit, way)(statement("MERGE (t:Trial {id: $id})"), id=fresh)

    async with wired(database, server_warnings=server_warnings) as (wire, behind):
        wire.cut_at_commit = 1
        await behind.write(work)
        assert behind.retries["IncompleteCommit"] == 1
    assert await count(graph, fresh) == 1


@BOTH_WAYS
async def test_a_silent_server_is_busy_at_the_deadline(
    database: Address, server_warnings: bool
) -> None:
    async with wired(database, server_warnings=server_warnings) as (wire, graph):
        wire.silent = True
        started = monotonic()
        with pytest.raises(Busy):
            await graph.read_rows(ONE, within=0.5)
        assert monotonic() - started < 10
        wire.silent = False
        assert await graph.read_rows(ONE) == [{"one": 1}]


# Verdicts that no server can be made to give on demand ------------------------------------------


class Answer(neo4j.exceptions.ClientError):
    """An answer of the server with a code of our choice."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self._given = code

    @property
    def code(self) -> str:
        return self._given


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("Neo.ClientError.Statement.EntityNotFound", Verdict.RACE),
        ("Neo.ClientError.Transaction.TransactionTimedOut", Verdict.TIMEOUT),
        ("Neo.ClientError.Transaction.Terminated", Verdict.UNAVAILABLE),
        ("Neo.ClientError.Statement.SyntaxError", Verdict.FAULT),
    ],
)
def test_verdicts(code: str, verdict: Verdict) -> None:
    assert judge(Answer(code)) == (verdict, code)


def test_the_cause_behind_a_failed_transaction_counts() -> None:
    failed = neo4j.exceptions.ResultFailedError(None, "failed")
    failed.__cause__ = neo4j.exceptions.SessionExpired("gone")
    assert judge(failed) == (Verdict.UNAVAILABLE, "SessionExpired")
