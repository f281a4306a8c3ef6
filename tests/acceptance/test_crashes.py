"""Killed in the middle of a stream of messages, and started again: what was answered is there,
what was not can be sent again, and the graph is the fold of it all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from http.client import HTTPException
from itertools import cycle
from pathlib import Path
from random import Random
from time import monotonic
from uuid import uuid4

import httpx
import pytest

from graphid.graph.database import Database
from graphid.graph.engine import Address, engine_folder
from graphid.graph.engine.engine import DATABASE, USER
from graphid.graph.engine.folder import Folder
from graphid.graph.installation import installation_secret
from graphid.identity.ids import Ids
from graphid.identity.values import message_of
from tests.acceptance.test_http import Service, running
from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Client
from tests.stored import World
from tests.storm import Said, Storm, misstored

CLIENTS = 4
MESSAGES = 60
BEFORE = 20
"""Messages that are answered before it is killed."""
PATIENCE = 120.0
"""Seconds, for what takes a few on a quiet machine."""

KEYS = {"GRAPHID_SECRET_KEYS": SECRET_KEY, "GRAPHID_PUBLISHABLE_KEYS": PUBLISHABLE_KEY}


class Stream:
    """Messages that a few clients send over and over, each until something is broken and it is not
    answered. Until then a busy machine may tell them to come again."""

    def __init__(self, seed: str) -> None:
        self.run = f"crash-{uuid4().hex[:8]}"
        self.said = Storm(self.run, Random(seed)).messages(MESSAGES)
        self.answered: set[str] = set()
        self._enough, self._broken = threading.Event(), threading.Event()

    def send_and_meanwhile(self, service: Service, do: Callable[[], object]) -> None:
        """Send until nobody is answered; ``do`` what has it so after ``BEFORE`` answers."""
        shares = [self.said[number::CLIENTS] for number in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            sending = [pool.submit(self._send, service, share) for share in shares]
            try:
                assert self._enough.wait(PATIENCE)
                do()
            finally:
                self._broken.set()
            for each in sending:
                each.result()

    def _send(self, service: Service, share: Sequence[Said]) -> None:
        with clients_of(service) as clients:
            for message in cycle(share):
                is_broken = self._broken.is_set()
                if self._is_answered(clients[message.key], message):
                    self.answered.add(message.id)
                elif is_broken:
                    break
                if len(self.answered) >= BEFORE:
                    self._enough.set()

    @staticmethod
    def _is_answered(client: Client, message: Said) -> bool:
        try:
            message.send(client)
        except (OSError, HTTPException):
            return False
        except AssertionError as error:
            if says_to_come_again(error):
                return False
            raise
        return True

    def send_again(self, service: Service) -> None:
        """Send all once more, in another order: what was answered is known, and all is taken."""
        assert len(self.answered) >= BEFORE
        with clients_of(service) as clients:
            unknown = {m.id for m in reversed(self.said) if not self._sent(clients[m.key], m)}
        assert unknown & self.answered == set()

    @staticmethod
    def _sent(client: Client, message: Said) -> bool:
        """Send it until it is answered: a database that has just started plans every statement,
        which may take a busy machine longer than one request. Whether it was known."""
        deadline = monotonic() + PATIENCE
        while True:
            try:
                return message.send(client)
            except AssertionError as error:
                if monotonic() > deadline or not says_to_come_again(error):
                    raise

    async def stored(self, address: Address) -> set[str]:
        """The messages that are there."""
        async with self._world(address) as world:
            evidence = [message_of(piece.id) for piece in await world.evidence()]
            return {*evidence, *await world.events()}

    async def faults(self, address: Address) -> list[str]:
        """Where the graph is not what was sent."""
        async with self._world(address) as world:
            faults = [*misstored(self.said, await world.evidence()), *await world.faults()]
            events = sorted(await world.events())
        expected = sorted(message.id for message in self.said if message.field != "saveContact")
        return faults if events == expected else [*faults, f"these events are there: {events}"]

    @asynccontextmanager
    async def _world(self, address: Address) -> AsyncIterator[World]:
        database = await Database.connect(address, timeout=60)
        yield World(database, Ids(await installation_secret(database, None)), self.run)
        await database.close()


@contextmanager
def clients_of(service: Service) -> Iterator[dict[str, Client]]:
    """A client for each key."""
    clients = {key: Client(service.url, key) for key in (SECRET_KEY, PUBLISHABLE_KEY)}
    try:
        yield clients
    finally:
        for client in clients.values():
            client.close()


def says_to_come_again(error: AssertionError) -> bool:
    """Whether this is an answer that nothing is known of the message, and to send it again."""
    return any(code in str(error) for code in ("BUSY", "DATABASE_UNAVAILABLE"))


async def test_the_service_is_killed(database: Address, tmp_path: Path) -> None:
    stream = Stream("killed service")
    with running(database, tmp_path, **KEYS) as service:
        stream.send_and_meanwhile(service, service.process.kill)
        assert service.process.wait(PATIENCE) == -signal.SIGKILL
    with running(database, tmp_path, **KEYS) as service:
        stream.send_again(service)
        assert await stream.faults(database) == []
        assert service.end() == 0


async def test_the_service_is_told_to_stop(database: Address, tmp_path: Path) -> None:
    """What it took before it stopped, it answered: nobody is left without an answer whose message
    was stored."""
    stream = Stream("stopped service")
    with running(database, tmp_path, **KEYS) as service:
        stream.send_and_meanwhile(service, service.process.terminate)
        assert service.process.wait(PATIENCE) == 0
    assert await stream.stored(database) == stream.answered
    with running(database, tmp_path, **KEYS) as service:
        stream.send_again(service)
        assert await stream.faults(database) == []
        assert service.end() == 0


@pytest.mark.skipif("config.getoption('--engine') != 'local'", reason="kills a local engine")
async def test_the_database_is_killed(
    tmp_path: Path, engine_version: str, database: Address
) -> None:
    """``graphid serve`` starts its own database again; it need not be started again itself."""
    stream = Stream("killed database")
    own = {"GRAPHID_NEO4J_URI": "", "GRAPHID_ENGINE_VERSION": engine_version}
    with running(database, tmp_path, **KEYS, **own) as service:
        before = address_in(tmp_path)
        stream.send_and_meanwhile(service, lambda: os.kill(process_in(tmp_path), signal.SIGKILL))
        until_ready(service)
        assert address_in(tmp_path) == before
        stream.send_again(service)
        assert await stream.faults(address_in(tmp_path)) == []
        assert service.end() == 0
    logged = [line["event"] for line in service.logged()]
    assert logged.count("engine_ended") == logged.count("engine_started_again") == 1


def until_ready(service: Service) -> None:
    """Return when it takes requests again. It lives all the while."""
    deadline = monotonic() + PATIENCE
    with httpx.Client(base_url=service.url, timeout=PATIENCE) as client:
        while client.get("/readyz").status_code != 200:
            assert client.get("/healthz").status_code == 200
            assert monotonic() < deadline


def process_in(folder: Path) -> int:
    """Of the database that runs there."""
    holder = Folder(engine_folder(folder)).holder()
    assert holder is not None
    assert holder.process is not None
    return holder.process


def address_in(folder: Path) -> Address:
    """Where it answers."""
    engine = Folder(engine_folder(folder))
    holder, password = engine.holder(), engine.password()
    assert holder is not None
    assert holder.uri is not None
    assert password is not None
    return Address(holder.uri, USER, password, DATABASE, "the test's own")
