"""The operations of docs/operations: each is answered, in as many round trips to the database for a
person of whom there is much as for one of whom there is little."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from graphid.graph.database import Address, Database
from graphid.graph.policies import Policies
from graphid.graph.queries import Query
from graphid.identity.ids import Ids
from graphid.service.messages import (
    Author,
    ChatMessage,
    Contact,
    Identify,
    Message,
    Page,
    StartChat,
    Traits,
)
from graphid.service.planning import first
from graphid.service.reads import Reads
from tests.integration.asking import Asked, installation, time_of
from tests.integration.test_ingest import SERVER

OPERATIONS = {
    path.stem: path.read_text("utf-8")
    for path in sorted((Path(__file__).parents[2] / "docs" / "operations").glob("*.graphql"))
}

MOST = {"as_of": 14}
"""Round trips of an operation that puts a past together first."""

USUAL = 9
"""Round trips of the others, whatever they return: some wait for what others found."""


class Somebody(Asked):
    """A person, of whom there is more or less."""

    def __init__(self, database: Database, ids: Ids) -> None:
        super().__init__(database, ids)
        # For it no time goes by: that the policy is read again is no trip to be counted here.
        policies = Policies(database, elapsed=lambda: 0.0)
        self.reads = Reads.on(database, policies, clock=lambda: self.now)

    async def live(self, size: int) -> None:
        """They browse, identify and chat on so many browsers, and are so many records."""
        for n in range(size):
            await self.send(*self._on_a_browser(n, size), sender=SERVER)
        for n in range(size):
            await self.one(
                Contact(
                    message_id=f"{self.run}-row-{n}",
                    source="crm",
                    source_id=f"{self.run}-{n}",
                    identifiers=(
                        self.claim("user_id", "jo"),
                        self.claim("email", f"jo{n}@x.example"),
                    ),
                    traits=Traits(first_name="Jo"),
                ),
                SERVER,
            )
            # Somebody else says the same number, and a browser claims both: reviews.
            await self.one(self._identify(f"kim{n}", f"k{n}", self.claim("user_id", f"kim{n}")))
            both = (self.claim("user_id", "jo"), self.claim("user_id", f"kim{n}"))
            await self.one(self._identify(f"kim{n}", f"b{n}", *both), SERVER)

    def _identify(self, cookie: str, id: str, *claims: Any) -> Identify:
        return Identify(
            context=self.context(cookie, id, device_id=f"{self.run}-d"), identifiers=claims
        )

    def _on_a_browser(self, n: int, size: int) -> list[Message]:
        cookie, chat = f"c{n}", f"{self.run}-chat-{n}"
        where = {"device_id": f"{self.run}-d"}
        pages = [
            Page(context=self.context(cookie, f"p{n}-{m}", **where), url="https://x.example")
            for m in range(size)
        ]
        lines = [
            ChatMessage(
                message_id=f"{self.run}-m{n}-{m}", chat_id=chat, author=Author.CUSTOMER, text="hi"
            )
            for m in range(size)
        ]
        start = StartChat(context=self.context(cookie, f"s{n}", **where), chat_id=chat)
        said = Identify(
            context=self.context(cookie, f"i{n}", **where),
            identifiers=(self.claim("user_id", "jo"),),
        )
        return [*pages, said, start, *lines]

    async def variables(self) -> dict[str, Any]:
        """What the operations ask about, by the file's name."""
        found = await self.ask(
            """query ($value: String!) { personByIdentifier(type: "user_id", value: $value) {
              id contacts { id } } }""",
            value=f"{self.run}-jo",
        )
        person = {"id": found["personByIdentifier"]["id"]}
        return {
            "as_of": person | {"at": time_of(self.now).isoformat()},
            "cluster": {"id": f"{self.run}-d"},
            "shared_devices": {"minPeople": 2},
            "chat": {"id": f"{self.run}-chat-0"},
            "device": {"id": f"{self.run}-d"},
            "joins": person,
            "journey": person,
            "opening": person,
            "person_by_cookie": {"cookie": f"{self.run}-c0"},
            "person_by_identifier": {"type": "user_id", "value": f"{self.run}-jo"},
            "reviews": {},
            "search": {"text": f"{self.run}-jo"},
            "why": {"a": found["personByIdentifier"]["contacts"][-1]["id"], "b": person["id"]},
        }


@pytest.fixture(scope="module")
async def both(own_database: Address) -> AsyncIterator[tuple[Somebody, Somebody]]:
    async with installation(own_database, server_warnings=False) as (connected, ids):
        little, much = Somebody(connected, ids), Somebody(connected, ids)
        await little.live(2)
        await much.live(6)
        yield little, much


def nodes(value: Any) -> int:
    """How many objects are in an answer."""
    if isinstance(value, dict):
        return 1 + sum(nodes(inner) for inner in value.values())
    return sum(nodes(inner) for inner in value) if isinstance(value, list) else 0


class Rounds:
    """Counts the round trips. All that are under way together are answered together, so that what
    is asked next, and with what else, does not depend on how long each takes."""

    def __init__(self) -> None:
        self.trips = 0
        self._under_way = 0
        self._turns: list[asyncio.Future[None]] = []

    def reading(self, read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """``Database.read_rows``, counted."""

        async def counted(database: Database, *arguments: Any, **parameters: Any) -> Any:
            self.trips += 1
            self._under_way += 1
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._turns.append(turn)
            try:
                return await read(database, *arguments, **parameters)
            finally:
                self._under_way -= 1
                if not self._under_way:
                    for each in self._turns:  # as they were asked for
                        each.set_result(None)
                    self._turns.clear()
                await turn

        return counted


async def trips(somebody: Somebody, document: str, variables: dict[str, Any]) -> tuple[int, int]:
    """Round trips to the database, and objects in the answer."""
    await somebody.ask(document, **variables)  # reads the policy
    rounds = Rounds()
    with patch.object(Database, "read_rows", rounds.reading(Database.read_rows)):
        answer = await somebody.ask(document, **variables)
    assert all(value is not None for value in answer.values()), answer
    return rounds.trips, nodes(answer)


@pytest.mark.parametrize("name", OPERATIONS)
async def test_round_trips_do_not_depend_on_how_much_there_is(
    both: tuple[Somebody, Somebody], name: str
) -> None:
    document = OPERATIONS[name]
    (few, small), (many, large) = [
        await trips(somebody, document, (await somebody.variables())[name]) for somebody in both
    ]
    # What two fields ask for travels together or apart by which of them comes first.
    assert abs(few - many) <= 1
    assert many <= MOST.get(name, USUAL)
    if name not in {
        "person_by_cookie",
        "person_by_identifier",
        "reviews",
        "search",
        "shared_devices",
        "why",
    }:
        assert large > small


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {"as_of"}))
async def test_what_they_ask_is_planned_before(both: tuple[Somebody, Somebody], name: str) -> None:
    somebody = both[1]
    document, variables = OPERATIONS[name], (await somebody.variables())[name]
    await somebody.ask(document, **variables)  # reads the policy
    asked: set[str] = set()
    read = Database.read_rows

    async def named(database: Database, query: Query, /, **parameters: Any) -> Any:
        asked.add(query.name)
        return await read(database, query, **parameters)

    with patch.object(Database, "read_rows", named):
        await somebody.ask(document, **variables)
    assert asked
    assert asked - {query.name for query in first()} == set()


@pytest.mark.parametrize("name", OPERATIONS)
async def test_nothing_is_left_for_the_garbage_collector(
    both: tuple[Somebody, Somebody], name: str
) -> None:
    # What is freed at once takes no pause of the whole service for it later.
    somebody, document = both[1], OPERATIONS[name]
    variables = (await somebody.variables())[name]
    await somebody.ask(document, **variables)
    left = []
    gc.collect()
    gc.disable()
    try:
        for second in range(3):
            await somebody.ask(document, **variables)
            await somebody.send(somebody.page("c0", second), sender=SERVER)
            await asyncio.sleep(0)  # what is done when the answer is there
            left.append(gc.collect())
    finally:
        gc.enable()
    assert min(left) == 0, left  # the process may do something else besides, once


def test_there_are_ten_of_them() -> None:
    assert len(OPERATIONS) >= 10
