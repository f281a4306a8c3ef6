"""Who follows a person is forgotten once they are gone, whenever that is; without a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from graphid.graph.log import ChangeRecord
from graphid.identity.state import Visitor
from graphid.service.feed import Batch
from graphid.service.news import News
from graphid.service.people import ContactRecord, PersonRecord
from graphid.service.visitors import VisitorRecord

JO, KIM = "visitor_jo", "visitor_kim"


class Gate:
    """Where whoever asks waits while it is shut."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()

    def shut(self) -> None:
        self.open.clear()

    async def pass_through(self) -> None:
        self.reached.set()
        await self.open.wait()


class World:
    """What News reads: Jo and Kim, who are known, and the changes that the test says."""

    def __init__(self) -> None:
        self.gates = {"people": Gate(), "visitors": Gate(), "of_people": Gate()}
        self.asked: list[str] = []
        self.changes: asyncio.Queue[ChangeRecord] = asyncio.Queue()
        people = SimpleNamespace(by_id=self._people)
        visitors = SimpleNamespace(by_id=self._visitors, of_people=self._of_people)
        reads: Any = SimpleNamespace(
            people=people, visitors=visitors, lines=SimpleNamespace(pages=self._pages)
        )
        itself: Any = self
        self.news = News(itself, itself, reads, look_every=3600, mark_every=3600)

    async def _people(self, ids: Sequence[str]) -> dict[str, PersonRecord]:
        self.asked += ids
        await self.gates["people"].pass_through()
        return {id: PersonRecord(f"person_{id}", (contact(id),)) for id in ids}

    async def _visitors(self, ids: Iterable[str]) -> dict[str, VisitorRecord]:
        await self.gates["visitors"].pass_through()
        return {id: VisitorRecord(Visitor(id, "c"), None, 0, 0, None) for id in ids}

    async def _of_people(self, ids: Sequence[str]) -> dict[str, list[VisitorRecord]]:
        await self.gates["of_people"].pass_through()
        return {id: [] for id in ids}

    async def _pages(self, wanted: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(SimpleNamespace(items=[]) for _ in wanted)

    async def read_rows(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        return [{"line": 0, "last": 0, "lines": []}]

    async def subscribe(self, *, after: int) -> AsyncGenerator[tuple[ChangeRecord, Batch], None]:
        return self._told()

    async def _told(self) -> AsyncGenerator[tuple[ChangeRecord, Batch], None]:
        while True:
            yield await self.changes.get(), Batch()
            self.changes.task_done()

    def change(self, id: str) -> None:
        """A change of somebody, which ``changes.join`` waits for until it is gone along with."""
        person = f"person_{id}"
        self.changes.put_nowait(ChangeRecord(1, "UPDATED", person, (), {}, (), "m", 0))


def contact(id: str) -> ContactRecord:
    return ContactRecord(f"contact_{id}", f"person_{id}", None, None, "", "", {}, (), False)


async def test_a_stream_that_was_never_read_leaves_nobody_behind() -> None:
    world = World()
    async with world.news.running():
        other = await world.news.subscribe(KIM)
        stream = await world.news.subscribe(JO)
        await stream.aclose()
        world.asked.clear()
        for id in (JO, KIM):
            world.change(id)
        await world.changes.join()
        assert world.asked == [KIM]
        await other.aclose()
        await other.aclose()  # it may be closed again
        assert not world.news._watchers
        assert not world.news._by_key
        assert not world.news._is_wanted.is_set()


@pytest.mark.parametrize("where", ["people", "visitors", "of_people"])
async def test_who_goes_while_they_are_looked_up_is_not_put_back(where: str) -> None:
    world = World()
    async with world.news.running():
        other = await world.news.subscribe(KIM)
        stream = await world.news.subscribe(JO)
        gate = world.gates[where]
        gate.shut()
        gate.reached.clear()
        world.change(JO)
        await gate.reached.wait()
        await stream.aclose()
        gate.open.set()
        await world.changes.join()
        world.asked.clear()
        for id in (JO, KIM):
            world.change(id)
        await world.changes.join()
        assert world.asked == [KIM]
        await other.aclose()
    assert not world.news._by_key


async def test_who_stays_is_found_while_they_are_looked_up() -> None:
    """Lines are handed out meanwhile, which would else be lost to them."""
    world = World()
    async with world.news.running():
        stream = await world.news.subscribe(JO)
        gate = world.gates["visitors"]
        gate.shut()
        gate.reached.clear()
        world.change(JO)
        await gate.reached.wait()
        assert set(world.news._by_key) == {f"contact_{JO}", f"person_{JO}"}
        gate.open.set()
        await world.changes.join()
        await stream.aclose()
