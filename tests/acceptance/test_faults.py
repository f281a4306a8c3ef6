"""Batches while something breaks: the service or the database is killed, the database stands still
or cannot write, clients hang up or send the same at once. Whoever was answered finds his events,
whoever was not sends them again; in the end each is there once and ``graphid verify`` is clean."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest

from graphid.graph.database import Database
from graphid.graph.engine import Address, running_database
from graphid.graph.installation import installation_secret
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.graph.verifying import Finding
from graphid.identity.ids import Ids
from graphid.service.verifying import verify
from tests.acceptance.test_crashes import PATIENCE, process_in, until_ready
from tests.acceptance.test_http import Service, running
from tests.service import PUBLISHABLE_KEY, SECRET_KEY

CLIENTS = 4
CALLS = 80
"""In one batch."""
BEFORE = 8
"""Batches that are answered before anything breaks."""
TIMEOUT = 4
"""Seconds that the service gives one request's work in the database."""
BOUND = 60.0
"""Seconds after which nobody may still be waiting: what the service waits for in all, and what a
busy machine takes besides. Who waited for the database to come back would wait until the test's
end."""

SETTINGS = {
    "GRAPHID_SECRET_KEYS": SECRET_KEY,
    "GRAPHID_PUBLISHABLE_KEYS": PUBLISHABLE_KEY,
    "GRAPHID_REQUEST_TIMEOUT": str(TIMEOUT),
    "GRAPHID_MAX_BODY_BYTES": "4000000",
}

pytestmark = pytest.mark.skipif(
    "config.getoption('--engine') != 'local'", reason="breaks a local engine"
)

Call = dict[str, Any]

EVENTS = "MATCH (n:Event) WHERE n.cookie STARTS WITH $run RETURN n.messageId AS id"


class Batch:
    """Calls that are sent together. ``answered``: a 200 came for it."""

    def __init__(self, run: str, random: Random) -> None:
        self.answered = False
        self.calls = [self._call(run, random) for _ in range(CALLS)]

    @staticmethod
    def _call(run: str, random: Random) -> Call:
        cookie = random.randrange(12)
        call: Call = {
            "messageId": uuid4().hex,
            "anonymousId": f"{run}-cookie-{cookie}",
            "context": {"device": {"id": f"{run}-device-{cookie // 3}"}},
        }
        if random.random() < 0.1:
            late = datetime.now(UTC) - timedelta(minutes=random.randrange(1, 600))
            call["timestamp"] = late.isoformat()
        kind = random.random()
        if kind < 0.08:
            person = random.randrange(6)
            traits = {"email": f"{run}-{person}@example.com"}
            return call | {"type": "identify", "userId": f"{run}-{person}", "traits": traits}
        if kind < 0.10:
            return call | {"type": "track", "event": "Signed Out"}
        if kind < 0.55:
            return call | {"type": "page", "properties": {"url": "https://shop.example/"}}
        return call | {"type": "track", "event": "Seen"}

    @property
    def ids(self) -> list[str]:
        return [call["messageId"] for call in self.calls]

    def body(self) -> bytes:
        return json.dumps({"batch": self.calls}).encode()


class Senders:
    """Clients that send one batch after another, each until something breaks and it is told so."""

    def __init__(self, seed: str) -> None:
        self.run = f"fault-{uuid4().hex[:8]}"
        self.batches: list[Batch] = []
        self.told_to_come_again = 0
        self.cut_off = 0
        self._random = Random(seed)
        self._answered = threading.Semaphore(0)
        self._breaking, self._broken = threading.Event(), threading.Event()
        self._making = threading.Lock()

    def batch(self) -> Batch:
        """A new one, of this test's."""
        with self._making:
            batch = Batch(self.run, self._random)
            self.batches.append(batch)
            return batch

    def send_and_meanwhile(self, service: Service, do: Callable[[], object]) -> None:
        """Send until no client is answered; ``do`` what has it so, while batches are under way.

        Until then a busy machine may tell them to come again.
        """
        with ThreadPoolExecutor(CLIENTS) as pool:
            sending = [pool.submit(self._send, service) for _ in range(CLIENTS)]
            for _ in range(BEFORE):
                assert self._answered.acquire(timeout=PATIENCE)
            self._breaking.set()
            do()
            self._broken.set()
            for each in sending:
                each.result()

    def _send(self, service: Service) -> None:
        with client_of(service) as client:
            while True:
                batch, since = self.batch(), monotonic()
                is_broken = self._broken.is_set()
                try:
                    answer = client.post("/v1/batch", content=batch.body())
                except (httpx.NetworkError, httpx.RemoteProtocolError):
                    assert self._breaking.is_set()
                    self.cut_off += 1
                    return
                if answer.status_code == 200:
                    assert answer.json()["accepted"] == CALLS
                    batch.answered = True
                    self._answered.release()
                    continue
                assert_says_to_come_again(answer)
                assert monotonic() - since < BOUND
                if is_broken:
                    self.told_to_come_again += 1
                    return

    def send_again(self, service: Service) -> None:
        """Send all once more, the last first: what was answered is known, and all is taken."""
        with client_of(service) as client:
            for batch in reversed(self.batches):
                answer = until_answered(client, batch)
                assert answer["accepted"] == CALLS
                assert answer["errors"] == []
                if batch.answered:
                    assert answer["duplicates"] == CALLS

    async def faults(self, address: Address) -> list[str]:
        """Where the graph is not what was sent."""
        sent = sorted(id for batch in self.batches for id in batch.ids)
        identifies = {
            call["messageId"]
            for batch in self.batches
            for call in batch.calls
            if call["type"] == "identify"
        }
        database = await Database.connect(address, timeout=PATIENCE)
        try:
            events = await self._ids(database, EVENTS)
            evidence = await self._ids(
                database,
                "MATCH (n:Evidence {kind: 'identify'}) WHERE n.cookie STARTS WITH $run "
                "RETURN n.id AS id",
            )
        finally:
            await database.close()
        faults = []
        if sorted(events) != sent:
            faults.append(f"{len(events)} events are there, and {len(sent)} were sent")
        if sorted(evidence) != sorted(identifies):
            faults.append(f"{len(evidence)} identifies are there, of {len(identifies)}")
        return faults

    async def stored(self, address: Address) -> set[str]:
        """The messages that are there."""
        database = await Database.connect(address, timeout=PATIENCE)
        try:
            return set(await self._ids(database, EVENTS))
        finally:
            await database.close()

    async def _ids(self, database: Database, text: Any) -> list[str]:
        rows = await database.read(lambda unit: unit.run_text(text, run=self.run))
        return [row["id"] for row in rows]


class Uncounted:
    """Nobody looks how far it is."""

    def begin(self, what: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""


@contextmanager
def client_of(service: Service) -> Iterator[httpx.Client]:
    auth = httpx.BasicAuth(SECRET_KEY, "")
    with httpx.Client(base_url=service.url, auth=auth, timeout=PATIENCE) as client:
        yield client


def assert_says_to_come_again(answer: httpx.Response) -> None:
    """Nothing is known of the batch, and it is to be sent again, in a while."""
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] in ("BUSY", "DATABASE_UNAVAILABLE")
    assert 1 <= int(answer.headers["Retry-After"]) <= 10


def until_answered(client: httpx.Client, batch: Batch) -> dict[str, Any]:
    """The answer to a batch, sent until there is one: a database that has just started plans every
    statement, which may take a busy machine longer than one request."""
    deadline = monotonic() + PATIENCE
    while (answer := client.post("/v1/batch", content=batch.body())).status_code != 200:
        assert_says_to_come_again(answer)
        assert monotonic() < deadline
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("breaks")


@pytest.fixture(scope="module")
async def engine(folder: Path, engine_version: str) -> AsyncIterator[Address]:
    """A database to break, which is started again where it ends."""
    with running_database(data_dir=folder, engine_version=engine_version, brief=True) as address:
        # A new one may take longer for its schema than the services here wait.
        database = await Database.connect(address, timeout=PATIENCE)
        await migrate(database)
        yield address
        different = await differences(database)
        await database.close()
        assert different == []


async def differences(database: Database) -> list[str]:
    """Where the graph is not the fold of its evidence, after all that has been broken."""
    secret = await installation_secret(database, None)
    found: list[Finding] = []
    verified = await verify(
        database, Policies(database).of, Ids(secret), Uncounted(), on_finding=found.append
    )
    assert verified.pieces > 0
    assert verified.pending == 0
    return [str(finding) for finding in found]


@pytest.fixture(scope="module")
def service(engine: Address, folder: Path) -> Iterator[Service]:
    """A service that lives through all of it, and never answers with an error of its own."""
    with running(engine, folder, **SETTINGS) as started:
        yield started
        assert started.end() == 0
        events = [line["event"] for line in started.logged()]
        assert "request_failed" not in events
        assert "database_error" not in events


async def test_the_service_is_killed_in_the_middle_of_a_batch(
    engine: Address, folder: Path, service: Service
) -> None:
    """Another process takes over: what is known of a message is in the database alone."""
    senders = Senders("killed service")
    with running(engine, folder, **SETTINGS) as mortal:
        senders.send_and_meanwhile(mortal, mortal.process.kill)
        assert mortal.process.wait(PATIENCE) == -signal.SIGKILL
    assert senders.cut_off == CLIENTS
    senders.send_again(service)
    assert await senders.faults(engine) == []


async def test_the_database_is_killed_in_the_middle_of_a_commit(
    engine: Address, folder: Path, service: Service
) -> None:
    senders = Senders("killed database")
    senders.send_and_meanwhile(service, lambda: os.kill(process_in(folder), signal.SIGKILL))
    assert senders.told_to_come_again == CLIENTS
    until_ready(service)
    senders.send_again(service)
    assert await senders.faults(engine) == []


async def test_the_database_stops_answering_for_longer_than_a_request_may_take(
    engine: Address, folder: Path, service: Service
) -> None:
    """It says nothing and closes nothing, until every client has been told to come again; what it
    had been asked by then, it does when it goes on."""
    senders = Senders("silent database")
    process = process_in(folder)
    try:
        senders.send_and_meanwhile(service, lambda: os.kill(process, signal.SIGSTOP))
        assert senders.told_to_come_again == CLIENTS
    finally:
        os.kill(process, signal.SIGCONT)
    until_ready(service)
    senders.send_again(service)
    assert await senders.faults(engine) == []
    assert process_in(folder) == process


async def test_the_database_cannot_write(engine: Address, folder: Path, service: Service) -> None:
    """As on a full disk. Neo4j refuses everything from then on, until it is started again."""
    senders = Senders("full disk")
    process = process_in(folder)
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    senders.send_and_meanwhile(
        service, lambda: resource.prlimit(process, resource.RLIMIT_FSIZE, (1, before[1]))
    )
    assert senders.told_to_come_again == CLIENTS
    with suppress(ProcessLookupError):  # or it has ended by itself
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)
        os.kill(process, signal.SIGKILL)
    until_ready(service)
    senders.send_again(service)
    assert await senders.faults(engine) == []


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_client_hangs_up(engine: Address, service: Service, reset: bool) -> None:
    """Half a body is nothing; a whole one is stored, or not, whoever waits for the answer."""
    senders = Senders("hangs up")
    for _ in range(4):
        hang_up(service, senders.batch().body(), half=True, reset=reset)
        hang_up(service, senders.batch().body(), half=False, reset=reset)
    halves = senders.batches[::2]
    # What is sent until it is answered may be stored in part before that: so it is looked at here.
    assert await senders.stored(engine) & {id for half in halves for id in half.ids} == set()
    with client_of(service) as client:
        for half in halves:
            until_answered(client, half)
            half.answered = True
    senders.send_again(service)
    assert await senders.faults(engine) == []


def hang_up(service: Service, body: bytes, *, half: bool, reset: bool) -> None:
    """Send a batch, or half of it, and be gone."""
    credentials = httpx.BasicAuth(SECRET_KEY, "")._auth_header
    head = (
        f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {credentials}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as line:
        if reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.sendall(head.encode() + body[: len(body) // 2 if half else len(body)])


async def test_two_clients_send_the_same_batch_at_once(engine: Address, service: Service) -> None:
    """Each call is new to one of them, and known to the other; in whatever order they send it."""
    senders = Senders("the same")
    start = threading.Barrier(2)
    batches = [senders.batch() for _ in range(6)]

    def send(backwards: bool) -> list[int]:
        known = []
        with client_of(service) as client:
            for number, batch in enumerate(batches):
                calls = batch.calls[::-1] if backwards and number % 2 else batch.calls
                body = json.dumps({"batch": calls}).encode()
                start.wait(PATIENCE)
                answer = client.post("/v1/batch", content=body)
                assert answer.status_code == 200, answer.text
                assert answer.json()["accepted"] == CALLS
                known.append(answer.json()["duplicates"])
        return known

    with ThreadPoolExecutor(2) as pool:
        first, second = [pool.submit(send, backwards) for backwards in (False, True)]
        known = zip(first.result(), second.result(), strict=True)
    assert [sum(pair) for pair in known] == [CALLS] * len(batches)
    assert await senders.faults(engine) == []
