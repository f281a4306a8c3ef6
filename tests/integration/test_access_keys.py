"""Keys in the graph: kept whole, changed by one at a time, and seen by every process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import pytest

from graphid.auth.key_text import KeyKind, KeyText
from graphid.auth.keys import Caller, Keys
from graphid.auth.scopes import SERVER, Scope
from graphid.errors import DatabaseUnavailable, NotFound, Refused, Unauthorized
from graphid.graph.access_keys import AccessKeys
from graphid.graph.database import Address, Database, Unit
from graphid.identity.ids import Ids
from graphid.identity.values import SECOND
from graphid.service.keymaking import (
    MAX_SECRETS,
    CreateKey,
    IssuedKey,
    Keymaker,
    RevokeKey,
    RotateKey,
    SigningMethod,
)
from graphid.service.keys import FRESH, NOTED_EVERY, Keyring
from graphid.service.pages import PageRequest
from tests.integration.asking import installation
from tests.keys import Time

OPERATOR = Caller("sk:operator", SERVER, is_browser=False)
NOTHING = Keys.of(secret=(), publishable=())


class Graph:
    """A graph with keys, of which any number of processes find callers."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self.database = database
        self.ids = ids
        self.time = Time()
        self.stored = AccessKeys(database)
        self.keymaker = Keymaker(self.stored, ids, lambda: self.time.micros)

    def process(self, stored: AccessKeys | None = None) -> Keyring:
        return Keyring(
            NOTHING,
            stored or self.stored,
            self.ids,
            clock=lambda: self.time.micros,
            elapsed=lambda: self.time.seconds,
        )

    async def make(self, **wanted: Any) -> IssuedKey:
        given = {"name": "shop", "kind": KeyKind.SECRET, "scopes": ["event:write"], **wanted}
        return await self.keymaker.create(CreateKey.model_validate(given), OPERATOR)

    async def rows(self, text: LiteralString, **parameters: Any) -> list[dict[str, Any]]:
        async def work(unit: Unit) -> list[dict[str, Any]]:
            return await unit.run_text(text, **parameters)

        return await self.database.write(work)

    async def used_at(self, key: IssuedKey) -> int | None:
        return (await self.stored.find([key.key.id]))[key.key.id].last_used_at


@pytest.fixture
async def graph(database: Address) -> AsyncIterator[Graph]:
    async with installation(database) as (connected, ids):
        yield Graph(connected, ids)


async def test_a_key_is_kept_whole_and_nothing_that_opens_it(graph: Graph) -> None:
    made = await graph.make(
        scopes=["journey:view", "event:write"],
        origins=["https://shop.example"],
        limits={"eventsPerSecond": 9},
        signing=SigningMethod.HS256,
        expiresAt="2099-01-01T00:00:00Z",
    )
    assert (await graph.stored.find([made.key.id, "nobody"])) == {made.key.id: made.key}
    (row,) = await graph.rows(
        "MATCH (k:AccessKey {id: $id}) RETURN properties(k) AS kept", id=made.key.id
    )
    shown = KeyText.read(made.text)
    assert shown is not None
    assert shown.secret not in str(row)
    assert made.signing_secret is not None
    assert made.signing_secret not in str(row)
    assert row["kept"]["scopes"] == ["event:write", "journey:view"]
    caller = await graph.process().find(made.text)
    assert caller.scopes == {Scope.EVENT_WRITE, Scope.JOURNEY_VIEW}
    assert caller.signing is not None
    assert caller.signing.keys == (made.signing_secret,)


async def test_what_one_process_revokes_another_refuses(graph: Graph) -> None:
    made, here, there = await graph.make(), graph.process(), graph.process()
    for process in (here, there):
        await process.find(made.text)
    revoked = await graph.keymaker.revoke(made.key.id, RevokeKey(reason="leaked"), OPERATOR)
    assert (revoked.revoked_by, revoked.reason) == ("sk:operator", "leaked")
    graph.time.go_on(FRESH)
    for process in (here, there):
        with pytest.raises(Unauthorized, match="revoked"):
            await process.find(made.text)


async def test_a_rotation_overlaps_and_ends(graph: Graph) -> None:
    made, process = await graph.make(), graph.process()
    await process.find(made.text)
    rotated = await graph.keymaker.rotate(made.key.id, RotateKey(overlap=3600), OPERATOR)
    for text in (made.text, rotated.text):
        await process.find(text)
    graph.time.go_on(3600)
    with pytest.raises(Unauthorized, match="replaced"):
        await process.find(made.text)
    await process.find(rotated.text)


async def test_of_many_rotations_at_once_none_is_lost(graph: Graph) -> None:
    made = await graph.make()
    rotating = (
        graph.keymaker.rotate(made.key.id, RotateKey(), OPERATOR) for _ in range(MAX_SECRETS + 2)
    )
    found = await asyncio.gather(*rotating, return_exceptions=True)
    issued = [one for one in found if isinstance(one, IssuedKey)]
    assert len(issued) == MAX_SECRETS - 1
    assert sum(isinstance(one, Refused) for one in found) == 3
    numbers = sorted(one.key.versions[0].number for one in issued)
    assert numbers == list(range(2, MAX_SECRETS + 1))
    process = graph.process()
    for text in (made.text, *(one.text for one in issued)):
        await process.find(text)


async def test_a_rotation_and_a_revocation_at_once(graph: Graph) -> None:
    for _ in range(5):
        made = await graph.make()
        rotating = graph.keymaker.rotate(made.key.id, RotateKey(), OPERATOR)
        revoking = graph.keymaker.revoke(made.key.id, RevokeKey(), OPERATOR)
        rotated, _ = await asyncio.gather(rotating, revoking, return_exceptions=True)
        process = graph.process()
        texts = [made.text, *([rotated.text] if isinstance(rotated, IssuedKey) else [])]
        for text in texts:
            with pytest.raises(Unauthorized, match="revoked"):
                await process.find(text)


async def test_there_is_no_such_key(graph: Graph) -> None:
    unknown = KeyText.new(KeyKind.SECRET)
    with pytest.raises(Unauthorized):
        await graph.process().find(str(unknown))
    with pytest.raises(NotFound):
        await graph.keymaker.rotate(unknown.id, RotateKey(), OPERATOR)
    with pytest.raises(NotFound):
        await graph.keymaker.revoke(unknown.id, RevokeKey(), OPERATOR)


async def test_a_key_made_twice_is_one(graph: Graph) -> None:
    made = await graph.make()
    await graph.stored.create(made.key)
    rows = await graph.rows("MATCH (k:AccessKey {id: $id}) RETURN k.id AS id", id=made.key.id)
    assert len(rows) == 1


async def test_its_last_use_is_noted_once_a_minute_by_all_together(graph: Graph) -> None:
    made, here, there = await graph.make(), graph.process(), graph.process()
    begun = graph.time.micros
    for process in (here, there):
        await process.find(made.text)
    await here.settle()
    await there.settle()
    assert await graph.used_at(made) == begun
    graph.time.go_on(59)
    await here.find(made.text)
    await here.settle()
    assert await graph.used_at(made) == begun
    graph.time.go_on(1)
    await there.find(made.text)
    await there.settle()
    assert await graph.used_at(made) == begun + 60 * SECOND


async def test_a_last_use_never_goes_back(graph: Graph) -> None:
    made, at = await graph.make(), graph.time.micros
    uses = [at + step * 61 * SECOND for step in (3, 1, 0, 2, 5, 4)]
    noting = (graph.stored.note_use(made.key.id, use, every=NOTED_EVERY) for use in uses)
    await asyncio.gather(*noting)
    assert await graph.used_at(made) == max(uses)
    await graph.stored.note_use(made.key.id, at, every=NOTED_EVERY)
    assert await graph.used_at(made) == max(uses)


async def test_a_use_noted_meanwhile_survives_a_rotation(graph: Graph) -> None:
    made = await graph.make()
    await asyncio.gather(
        graph.stored.note_use(made.key.id, graph.time.micros, every=NOTED_EVERY),
        graph.keymaker.rotate(made.key.id, RotateKey(), OPERATOR),
    )
    assert await graph.used_at(made) == graph.time.micros


async def test_pages_go_from_the_latest_to_the_first(graph: Graph) -> None:
    graph.time.micros += 10**14  # after every key of other tests
    made = []
    for _ in range(5):
        made.append((await graph.make()).key.id)
        graph.time.go_on(1)
    first = await graph.keymaker.newest(PageRequest(3))
    assert [key.id for key in first.items] == made[:1:-1]
    assert first.has_next
    second = await graph.keymaker.newest(PageRequest(2, after=first.keys[-1]))
    assert [key.id for key in second.items] == made[1::-1]


class Nowhere:
    """An address that nothing answers at."""

    uri, user, password, database = "bolt://127.0.0.1:1", "neo4j", "", "neo4j"


async def test_a_graph_that_is_away_is_no_reason_to_say_no(graph: Graph) -> None:
    away = await Database.connect(Nowhere(), timeout=0.5)
    with pytest.raises(DatabaseUnavailable):
        await graph.process(AccessKeys(away)).find(str(KeyText.new(KeyKind.SECRET)))
    await away.close()
