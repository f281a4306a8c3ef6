"""Two services on one database, many clients at once: no failed request, and one outcome.

What is sent, and by whom, depends on the seed alone; who comes first does not, and need not
matter: whatever the order, the graph is the fold of what was sent.
"""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import count
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from graphid.graph.database import Database
from graphid.graph.engine import Address
from graphid.graph.installation import installation_secret
from graphid.identity.ids import Ids
from tests.service import SECRET_KEY, Client, Service, running_service
from tests.stored import World
from tests.storm import Said, Storm, misstored

SEEDS = int(os.environ.get("GRAPHID_STORMS", "2"))
CLIENTS = 5
"""Of each service."""

ACTS = {
    "mergePeople": ("$ids: [ID!]!", "ids: $ids"),
    "severLink": ("$id: ID!", "id: $id"),
    "restoreLink": ("$id: ID!", "id: $id"),
    "promoteContact": ("$id: ID!", "id: $id"),
    "unmerge": ("$id: ID!", "id: $id"),
}
LOOK = """query ($id: ID!) { event(messageId: $id) {
  person { id kind links(first: 50) { id kind state } } attribution { link { id } } } }"""


@pytest.fixture(scope="module")
def services(
    graphid: Service, database: Address, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Service]]:
    with running_service(database, tmp_path_factory.mktemp("second")) as second:
        yield graphid, second


@pytest.fixture(scope="module")
async def connected(database: Address) -> AsyncIterator[Database]:
    opened = await Database.connect(database, timeout=60)
    yield opened
    await opened.close()


ClientOf = Callable[[str], Client]
"""The client of whoever does something, with a key."""


class Clients:
    """Clients of one service, at work at once. Every answer that is no success is kept."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._mine = threading.local()
        self._pool = ThreadPoolExecutor(CLIENTS)

    def do(self, job: Callable[[ClientOf], bool | str]) -> Future[bool | str]:
        """Have one of them do it."""
        return self._pool.submit(job, self._client)

    def _client(self, key: str) -> Client:
        name = f"client_{key}"
        if not hasattr(self._mine, name):
            setattr(self._mine, name, self._service.client(key))
        client: Client = getattr(self._mine, name)
        return client

    def close(self) -> None:
        self._pool.shutdown()


@pytest.fixture
def clients(services: tuple[Service, Service]) -> Iterator[tuple[Clients, Clients]]:
    both = Clients(services[0]), Clients(services[1])
    yield both
    for each in both:
        each.close()


class Operator:
    """Acts on whoever owns what was sent. Two at once see the same, and are in each other's way."""

    def __init__(self, said: Sequence[Said], seed: str) -> None:
        self._lines = [message.id for message in said if message.field != "saveContact"]
        self._random = Random(seed)
        self._seed = seed
        self._numbers = count()
        self._done: list[str] = []

    def act(self, client_of: ClientOf) -> str:
        """One act; the kind of its answer."""
        ask = client_of(SECRET_KEY).graphql
        seen = [ask(LOOK, id=id)["event"] for id in self._random.sample(self._lines, 2)]
        seen = [event for event in seen if event is not None]
        field = self._random.choice(sorted(ACTS))
        about = self._about(field, seen)
        if about is None:
            return "nothing to do"
        declared, passed = ACTS[field]
        id = f"{self._seed}-act{next(self._numbers)}"
        document = f"""mutation ({declared}, $reason: String!, $operation: ID) {{
          done: {field}({passed}, reason: $reason, operationId: $operation) {{ __typename }} }}"""
        told = [ask(document, reason=self._seed, operation=id, **about) for _ in range(2)]
        first, again = (answer["done"]["__typename"] for answer in told)
        assert first in ("Change", "Refused", "NotFound"), told
        if first == "Change":
            assert again == "Change", told
            self._done.append(id)
        return f"{field}: {first}"

    def _about(self, field: str, seen: list[dict[str, Any]]) -> dict[str, Any] | None:
        people = list(dict.fromkeys(event["person"]["id"] for event in seen))
        links = [event["attribution"]["link"] for event in seen if event["attribution"]["link"]]
        severed = [
            link["id"]
            for event in seen
            for link in event["person"]["links"]
            if link["state"] == "SEVERED"
        ]
        match field:
            case "mergePeople":
                return {"ids": people} if len(people) == 2 else None
            case "severLink":
                return {"id": links[0]["id"]} if links else None
            case "restoreLink":
                return {"id": severed[0]} if severed else None
            case "unmerge":
                return {"id": self._done[-1]} if self._done else None
        known = [event["person"]["id"] for event in seen if event["person"]["kind"] == "KNOWN"]
        return {"id": known[0]} if known else None


def send(message: Said, client_of: ClientOf) -> bool:
    return message.send(client_of(message.key))


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_comes_at_once_the_graph_is_the_fold(
    connected: Database, clients: tuple[Clients, Clients], seed: int
) -> None:
    run = f"storm{seed}-{uuid4().hex[:8]}"
    random = Random(seed)
    said = Storm(run, random).messages(60)
    operators = [Operator(said, f"{run}-operator{n}") for n in range(2)]
    jobs = []
    for number, message in enumerate(random.sample(said, len(said))):
        first, second = random.sample(clients, 2)
        jobs.append(first.do(partial(send, message)))
        if random.random() < 0.4:
            jobs.append(second.do(partial(send, message)))
        if number % 6 == 5:
            jobs += [c.do(o.act) for c, o in zip(clients, operators, strict=True)]
    answers = [job.result() for job in jobs]
    world = World(connected, Ids(await installation_secret(connected, None)), run)
    stored = await world.evidence()
    assert list(misstored(said, stored)) == [], seed
    # Of a message that was sent twice, one of the two answers said that it was new.
    assert sum(answer is False for answer in answers) == len(said), seed
    assert sum(str(answer).endswith(": Change") for answer in answers) > 0, seed
    assert await world.faults() == [], seed
