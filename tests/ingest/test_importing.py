"""What an import does while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from graphid.errors import Busy, DatabaseUnavailable, InvalidInput, Retryable
from graphid.identity.values import Assurance
from graphid.service import importing
from graphid.service.importing import Importing, patiently
from graphid.service.messages import Context, Message, Page, Sender
from graphid.service.receipts import Receipt
from graphid.service.sources import Sent


class Away:
    """A database that fails so, and then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.told = 0

    async def ask(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "an answer"

    def tell(self) -> None:
        self.told += 1


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "FIRST_PAUSE", 0)


async def test_it_waits_for_a_database_that_is_away_and_tells_it_once() -> None:
    away = Away(DatabaseUnavailable(retry_after=0), Busy(retry_after=0))
    assert await patiently(away.ask, 60, on_away=away.tell) == "an answer"
    assert away.told == 1


async def test_it_waits_no_longer_than_its_patience() -> None:
    away = Away(*(Busy(retry_after=0) for _ in range(2)))
    with pytest.raises(Retryable):
        await patiently(away.ask, 0)
    assert len(away.failures) == 1


async def test_what_will_not_pass_is_raised_at_once() -> None:
    away = Away(InvalidInput("no"))
    with pytest.raises(InvalidInput):
        await patiently(away.ask, 60, on_away=away.tell)
    assert not away.told


class Pages:
    """A source of one page on each of these cookies; the next comes when ``more`` is set."""

    sender = Sender(name="a file", assurance=Assurance.CLAIMED, is_browser=False)

    def __init__(self, *turns: Sequence[str]) -> None:
        self._turns = turns
        self.more = asyncio.Event()

    async def messages(self) -> AsyncIterator[Sent[str]]:
        for cookies in self._turns:
            self.more.clear()
            for cookie in cookies:
                yield Sent(cookie, _page(cookie))
            await self.more.wait()

    async def stored(self, position: str) -> None:
        pass


class Outages:
    """Stores after all lists of a turn were refused once, as by a database that is away."""

    def __init__(self, pages: Pages, *turns: int) -> None:
        self._pages = pages
        self._turns = list(turns)
        self._away = self._stored = 0

    async def submit(self, messages: Sequence[Message], sender: Sender) -> list[Receipt]:
        if self._away < self._turns[0]:
            self._away += 1
            raise DatabaseUnavailable(retry_after=0)
        self._stored += 1
        if self._stored == self._turns[0]:
            self._turns.pop(0)
            self._away = self._stored = 0
            self._pages.more.set()
        return [Receipt(str(number), 0, 0, "page") for number, _ in enumerate(messages)]


async def test_an_import_tells_each_outage_once_whatever_its_lanes_wait_for() -> None:
    cookies = [f"cookie-{number}" for number in range(40)]
    lanes = {importing._lane(_page(cookie), 4): cookie for cookie in cookies}
    assert len(lanes) == 4
    turns = (list(lanes.values()), list(lanes.values()))
    pages = Pages(*turns)
    away = Away()
    ingest = Outages(pages, *map(len, turns))
    counts = await Importing(ingest, pages, on_away=away.tell, lanes=4).run()
    assert (counts.taken, away.told) == (8, 2)


def _page(cookie: str) -> Page:
    return Page(context=Context(cookie_id=cookie), url="https://x.example/")
