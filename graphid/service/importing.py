"""Messages of a source, on their way in: by the one way, ``Ingest.submit``, several at once.

Each message goes to a lane by its cookie (a contact: by its record), and a lane submits one list
after another: so what is said on one cookie stays in order, and lanes do not wait for each other.
Memory is bounded by what the lanes may hold. While the database is away, or busy, lists are sent
again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Generic, Protocol, TypeVar
from zlib import crc32

from graphid.errors import GraphidError, Retryable
from graphid.service.messages import ChatLine, Contact, Message, Plain, Sender
from graphid.service.receipts import Receipt
from graphid.service.sources import Source

P = TypeVar("P")
T = TypeVar("T")

LANES = 4
"""Lists that are under way at once."""

LIST = 250
"""Messages of one list, at most."""

WAITING = 2 * LIST
"""Messages that wait in one lane, at most."""

PATIENCE = 300.0
"""Seconds for which a list is sent again before it is given up."""

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0


class Ingests(Protocol):
    """What stores messages; see ``graphid.service.ingest``."""

    async def submit(self, messages: Sequence[Message], sender: Sender) -> list[Receipt]:
        """One receipt a message, in order."""


@dataclass
class Counts:
    """What became of the messages of a source. ``known``: were there already."""

    taken: int = 0
    known: int = 0
    refused: int = 0

    @property
    def all(self) -> int:
        return self.taken + self.known + self.refused


@dataclass(slots=True)
class _Entry(Generic[P]):
    """A message under way."""

    position: P
    message: Message | None
    is_done: bool = False


class Importing(Generic[P]):
    """One source on its way in.

    ``on_refused`` is told, with its position, of each message that is not stored; ``on_progress``
    when the counts are others; ``on_away`` once where the database goes away or is busy, until no
    list waits for it. ``patience`` is in seconds.
    """

    def __init__(
        self,
        ingest: Ingests,
        source: Source[P],
        *,
        on_refused: Callable[[P, GraphidError], None] = lambda position, error: None,
        on_progress: Callable[[Counts], None] = lambda counts: None,
        on_away: Callable[[], None] = lambda: None,
        patience: float = PATIENCE,
        lanes: int = LANES,
    ) -> None:
        self._ingest = ingest
        self._source = source
        self._on_refused = on_refused
        self._on_progress = on_progress
        self._on_away = on_away
        self._waiting = 0
        self._patience = patience
        self._lanes: list[asyncio.Queue[_Entry[P] | None]] = [
            asyncio.Queue(WAITING) for _ in range(lanes)
        ]
        self._under_way: deque[_Entry[P]] = deque()
        self.counts = Counts()

    async def run(self) -> Counts:
        """Store all that the source yields.

        Raises what the source raises, after what came before is stored; Retryable where the
        database was away for longer than the patience.
        """
        work = [asyncio.create_task(self._work(lane)) for lane in self._lanes]
        reading = asyncio.create_task(self._read())
        ends: list[asyncio.Task[None]] = []
        try:
            await _first_of([reading, *work], asyncio.FIRST_COMPLETED, but=reading)
            # What could not be read has no part in what was read before it.
            ends = [asyncio.create_task(lane.put(None)) for lane in self._lanes]
            await _first_of([*ends, *work], asyncio.FIRST_EXCEPTION)
            reading.result()
        finally:
            for task in (reading, *ends, *work):
                task.cancel()
            await asyncio.gather(reading, *ends, *work, return_exceptions=True)
        return self.counts

    async def _read(self) -> None:
        async for sent in self._source.messages():
            entry = _Entry(sent.position, sent.message)
            self._under_way.append(entry)
            if sent.fault is not None:
                self._refuse(entry, sent.fault)
                await self._tell()
            elif sent.message is not None:
                await self._lanes[_lane(sent.message, len(self._lanes))].put(entry)

    async def _work(self, lane: asyncio.Queue[_Entry[P] | None]) -> None:
        is_last = False
        while not is_last:
            entries: list[_Entry[P]] = []
            while not entries or (not lane.empty() and len(entries) < LIST):
                entry = await lane.get()
                if entry is None:
                    is_last = True
                    break
                entries.append(entry)
            if entries:
                await self._store(entries)

    async def _store(self, entries: list[_Entry[P]]) -> None:
        messages = [entry.message for entry in entries if entry.message is not None]
        receipts = await self._submit(messages)
        for entry, receipt in zip(entries, receipts, strict=True):
            if receipt.problem is not None:
                self._refuse(entry, receipt.problem)
                continue
            entry.is_done = True
            if receipt.duplicate:
                self.counts.known += 1
            else:
                self.counts.taken += 1
        await self._tell()

    async def _submit(self, messages: list[Message]) -> list[Receipt]:
        waits = False

        def wait() -> None:
            nonlocal waits
            waits = True
            self._waiting += 1
            if self._waiting == 1:
                self._on_away()

        try:
            return await patiently(
                lambda: self._ingest.submit(messages, self._source.sender),
                self._patience,
                on_away=wait,
            )
        finally:
            self._waiting -= waits

    def _refuse(self, entry: _Entry[P], error: GraphidError) -> None:
        entry.is_done = True
        self.counts.refused += 1
        self._on_refused(entry.position, error)

    async def _tell(self) -> None:
        """Tell the source how far all is done."""
        last: _Entry[P] | None = None
        while self._under_way and self._under_way[0].is_done:
            last = self._under_way.popleft()
        self._on_progress(self.counts)
        if last is not None:
            await self._source.stored(last.position)


async def patiently(
    do: Callable[[], Awaitable[T]],
    patience: float,
    *,
    on_away: Callable[[], None] = lambda: None,
) -> T:
    """What ``do`` answers, which is done again while the database is away or busy, for so many
    seconds from the first time; ``on_away`` is told of that one. Raises Retryable after them."""
    since, pause = None, FIRST_PAUSE
    while True:
        try:
            return await do()
        except Retryable as error:
            if since is None:
                since = monotonic()
                on_away()
            if monotonic() - since >= patience:
                raise
            await asyncio.sleep(min(max(pause, error.retry_after), LONGEST_PAUSE))
            pause *= 2


async def _first_of(
    tasks: Sequence[asyncio.Task[None]], what: str, but: asyncio.Task[None] | None = None
) -> None:
    """Wait as ``asyncio.wait`` does; what failed is raised, unless it is ``but``."""
    done, _ = await asyncio.wait(tasks, return_when=what)
    for task in done:
        if task is not but:
            task.result()


def _lane(message: Message, lanes: int) -> int:
    if isinstance(message, Contact):
        key = f"{message.source}\x1f{message.source_id}"
    elif isinstance(message, ChatLine):
        key = message.chat_id
    elif isinstance(message, Plain):
        key = message.cookie
    else:
        key = message.context.cookie_id
    return crc32(key.encode("utf-8", "surrogatepass")) % lanes
