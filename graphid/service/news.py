"""New lines of journeys, handed to whoever subscribed to a person, as they are written.

Whoever writes a page does nothing for this but look at a property of its cookie, whose lock it
holds anyway: the cookies of people whom somebody follows are marked, for some minutes, and only
their lines get numbers (as changes do), which one reader a process reads. When a cookie becomes
theirs, it is marked first, and then read for what came before the mark.

Joins and splits are no lines of a cookie. They are told with the change that brought them about,
as whoever reads the journey then finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from graphid.errors import GraphidError, NotFound
from graphid.graph.database import Database
from graphid.graph.log import LEASE, ChangeRecord
from graphid.graph.queries import query
from graphid.identity.ids import contact_named_by
from graphid.identity.values import Micros
from graphid.service.feed import LOOK_EVERY, MOST_WAITING, PAGE, Batch, Feed, Waiting
from graphid.service.joins import JoinRecord, JoinType
from graphid.service.journey import EventRecord, Window
from graphid.service.lines import Line, LinesWanted
from graphid.service.pages import PageRequest
from graphid.service.people import PersonRecord
from graphid.service.reads import Reads, now
from graphid.service.streams import Stream
from graphid.service.visitors import Slice, visitor_id_of

WATCH_COOKIES = query("journey/watch_cookies")
LIST_LINES = query("journey/list_lines")
LIST_RECEIVED = query("journey/list_received")

log = structlog.get_logger()

WATCHED_FOR = 600.0
"""Seconds for which a cookie is marked: so long are numbers given after a process was killed."""

MARK_EVERY = 120.0
"""Seconds between two marks."""

MARKED_AT_ONCE = 500
"""Cookies of one transaction, whose locks it holds."""

MOST_MET = 1_000
"""Lines of a cookie that are told of when it becomes theirs."""

MOST_JOINS = 1_000
"""Joins and splits of one journey, the latest, among which new ones are looked for."""

MOST_LOOKS = 20
"""How often a number that is missing is looked for: what was erased meanwhile has none."""

Joined = tuple[str, JoinType]
"""A link and what it tells of; the ids of lines also tell at which end of it somebody is."""

ONLY_JOINS = Window(types=tuple(JoinType))

Told = tuple[Line, Batch]


@dataclass(eq=False)
class _Watcher:
    """Somebody who follows a person, ``since`` a moment. ``key``: the contact that the id stands
    for, or the anonymous person; ``person``: whom it means now; ``met``: what was told already;
    ``joins``: the joins and splits of the journey that are not new."""

    id: str
    since: Micros
    waiting: Waiting[Told]
    key: str = ""
    person: str = ""
    cookies: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    joins: set[Joined] = field(default_factory=set)


class News:
    """Hands lines out. ``look_every``: seconds between two looks where nobody wakes it;
    ``mark_every``: between two marks; ``most_waiting``: lines that may wait for one subscriber;
    ``clock`` answers the time of receipt, microseconds since 1970 UTC."""

    def __init__(
        self,
        database: Database,
        feed: Feed,
        reads: Reads,
        *,
        look_every: float = LOOK_EVERY,
        mark_every: float = MARK_EVERY,
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], Micros] = now,
    ) -> None:
        self._clock = clock
        self._database = database
        self._feed = feed
        self._reads = reads
        self._look_every = look_every
        self._mark_every = mark_every
        self._most_waiting = most_waiting
        self._watchers: set[_Watcher] = set()
        self._by_key: dict[str, set[_Watcher]] = {}
        self._at = 0
        """The last line that was handed out, while anybody watches."""
        self._looks = 0
        self._changed_at = 0
        """The last change that was gone along with."""
        self._went_along = asyncio.Condition()
        self._is_wanted = asyncio.Event()
        self._is_over = asyncio.Event()
        self._beginning = asyncio.Lock()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Numbers were given here: read now."""
        self._woken.set()
        self._feed.wake()

    # ------------------------------------------------------------------ subscribing

    async def subscribe(self, id: str) -> AsyncGenerator[Told, None]:
        """Lines of a person from now on. Raises NotFound for an id that never was; while it goes
        on, Overrun where too much waits."""
        if id not in await self._reads.people.by_id([id]):
            raise NotFound("There is no person with this id.", path=["personId"])
        watcher = _Watcher(id, self._clock(), Waiting(self._most_waiting))
        await self._add(watcher)
        return Stream(self._told(watcher), partial(self._leave, watcher))

    async def _told(self, watcher: _Watcher) -> AsyncGenerator[Told, None]:
        try:
            while True:
                yield await watcher.waiting.get()
        finally:
            self._remove(watcher)

    async def _leave(self, watcher: _Watcher) -> None:
        self._remove(watcher)

    async def _add(self, watcher: _Watcher) -> None:
        async with self._beginning:
            if not self._watchers:
                await self._begin()
            self._watchers.add(watcher)
        try:
            await self._find(watcher)
            joins = await self._joins_of(watcher)
            watcher.joins |= {_joined(join) for join in joins if join.received_at <= watcher.since}
        except BaseException:
            self._remove(watcher)
            raise

    async def _begin(self) -> None:
        (row,) = await self._database.read_rows(LIST_LINES, after=2**62, limit=1, name=LEASE)
        self._at, self._changed_at, self._looks = row["line"], row["last"], 0
        self._is_wanted.set()

    def _remove(self, watcher: _Watcher) -> None:
        self._watchers.discard(watcher)
        self._forget(watcher)
        if not self._watchers:
            self._is_wanted.clear()
            self._is_over.set()

    def _forget(self, watcher: _Watcher) -> None:
        for key in {watcher.key, watcher.person}:
            others = self._by_key.get(key, set())
            others.discard(watcher)
            if not others:
                self._by_key.pop(key, None)

    # ------------------------------------------------------------------ whom it is about

    async def _find(self, watcher: _Watcher) -> set[str]:
        """Find whom the id means now, and mark their cookies; those that are new of them."""
        record = (await self._reads.people.by_id([watcher.id])).get(watcher.id)
        key = "" if record is None else await self._key_of(watcher.id, record)
        # Nothing is awaited between this look and the adding: who left meanwhile is not put back,
        # and who stays is found all the while.
        if watcher not in self._watchers:
            return set()
        self._forget(watcher)
        watcher.key, watcher.person = key, "" if record is None else record.id
        if record is None:
            return set()  # erased
        for key in {watcher.key, watcher.person}:
            self._by_key.setdefault(key, set()).add(watcher)
        visitors = (await self._reads.visitors.of_people([record.id]))[record.id]
        new = {visitor.visitor.cookie for visitor in visitors} - watcher.cookies
        await self._mark(new)
        watcher.cookies |= new
        return new

    async def _key_of(self, id: str, record: PersonRecord) -> str:
        """The contact that an id stands for; the anonymous person where it is none's."""
        if not record.contacts:
            return record.id
        named = contact_named_by(id)
        visitor = visitor_id_of(id)
        if visitor is not None:
            found = (await self._reads.visitors.by_id([visitor])).get(visitor)
            named = None if found is None else found.visitor.owner
        known = {contact.id for contact in record.contacts}
        return named if named is not None and named in known else record.contacts[0].id

    async def _mark(self, cookies: Iterable[str]) -> None:
        listed = sorted(cookies)
        for first in range(0, len(listed), MARKED_AT_ONCE):
            part = listed[first : first + MARKED_AT_ONCE]
            watch = {"cookies": part, "milliseconds": round(WATCHED_FOR * 1000)}
            await self._database.write_rows(WATCH_COOKIES, watch=watch)

    # ------------------------------------------------------------------ going along

    async def _go_along(self) -> None:
        """Follow the people through the changes, while anybody watches."""
        async with aclosing(await self._feed.subscribe(after=self._changed_at)) as changes:
            async for change, batch in changes:
                for watcher in {one for id in change.concerns for one in self._by_key.get(id, ())}:
                    new = await self._find(watcher)
                    if new:
                        await self._meet(watcher, new, change)
                    if change.links:
                        await self._tell_joins(watcher, change, batch)
                async with self._went_along:
                    self._changed_at = change.sequence
                    self._went_along.notify_all()

    async def _meet(self, watcher: _Watcher, cookies: set[str], change: ChangeRecord) -> None:
        """Tell of what came on new cookies after they became theirs, and before the mark."""
        slices = (await self._reads.visitors.slices_of_people([watcher.person]))[watcher.person]
        parts = [part for part in slices if part.cookie in cookies]
        since = max(watcher.since + 1, await self._received(change))
        (row,) = await self._database.read_rows(
            LIST_RECEIVED, slices=_ranges(parts), since=since, limit=MOST_MET
        )
        batch = Batch()
        if len(watcher.met) > MOST_MET:
            watcher.met.clear()  # they came before the mark, and do not come again
        for record in await self._records(row["ids"]):
            if record.message_id not in watcher.met:
                watcher.met.add(record.message_id)
                watcher.waiting.offer((record, batch))

    async def _tell_joins(self, watcher: _Watcher, change: ChangeRecord, batch: Batch) -> None:
        """Tell of the joins and splits that a change brought into the journey."""
        joins, met = await self._joins_of(watcher), set[Joined]()
        for join in joins:
            is_new = _joined(join) not in watcher.joins
            if is_new and join.link.id in change.links:
                watcher.waiting.offer((join, batch))
            elif is_new and join.received_at > watcher.since:
                continue  # another change may be about to tell of it
            met.add(_joined(join))
        watcher.joins = met

    async def _joins_of(self, watcher: _Watcher) -> list[JoinRecord]:
        """The joins and splits of a journey, in order."""
        wanted = LinesWanted(watcher.person, PageRequest(MOST_JOINS), ONLY_JOINS)
        (page,) = await self._reads.lines.pages([wanted])
        return [line for line in reversed(page.items) if isinstance(line, JoinRecord)]

    async def _received(self, change: ChangeRecord) -> Micros:
        """When what brought a change about was received, as its own line tells."""
        found = (await self._reads.journeys.by_message_id([change.evidence])).get(change.evidence)
        return change.recorded_at if found is None else found.received_at

    # ------------------------------------------------------------------ reading

    async def _read(self) -> bool:
        """Read what follows, and hand it out; whether there may be more."""
        (row,) = await self._database.read_rows(LIST_LINES, after=self._at, limit=PAGE, name=LEASE)
        lines = self._whole(row["lines"])
        if not lines:
            return False
        async with self._went_along:
            # Whoever has become whose by these lines is gone along with first.
            await self._went_along.wait_for(lambda: self._changed_at >= row["last"])
        await self._hand_out(await self._records([id for _, id in lines]))
        self._at = lines[-1][0]
        return len(row["lines"]) == PAGE

    def _whole(self, rows: Sequence[Sequence[Any]]) -> list[tuple[int, str]]:
        """The lines up to the first gap; past one that stays, since what was erased has none."""
        found: list[tuple[int, str]] = []
        for line, id in rows:
            if line != self._at + len(found) + 1 and self._looks < MOST_LOOKS:
                break
            found.append((line, id))
            if line != self._at + len(found):
                break  # past a gap: the next look goes on from here
        self._looks = 0 if found or not rows else self._looks + 1
        return found

    async def _records(self, ids: Sequence[str]) -> list[EventRecord]:
        if not ids:
            return []
        found = await self._reads.journeys.by_message_id(ids)
        return [found[id] for id in ids if id in found]

    async def _hand_out(self, lines: Sequence[EventRecord]) -> None:
        owners = {line.owner.person for line in lines if visitor_id_of(line.owner.person) is None}
        people = await self._reads.people.by_id(list(owners)) if owners else {}
        batch = Batch()
        for line in lines:
            person = people.get(line.owner.person)
            keys = [line.owner.person] if person is None else [c.id for c in person.contacts]
            for watcher in {one for key in keys for one in self._by_key.get(key, ())}:
                if line.message_id in watcher.met:
                    watcher.met.discard(line.message_id)
                else:
                    watcher.waiting.offer((line, batch))

    # ------------------------------------------------------------------ the job

    async def run(self) -> None:
        """Read while anybody watches, for ever."""
        while True:
            await self._is_wanted.wait()
            self._is_over.clear()
            tasks = [
                asyncio.create_task(self._for_ever(work), name=f"news: {work.__name__}")
                for work in (self._reading, self._go_along, self._marking)
            ]
            try:
                await self._is_over.wait()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except GraphidError as error:
                log.warning("news_not_read", work=work.__name__, code=error.code)
            await asyncio.sleep(self._look_every)

    async def _reading(self) -> None:
        while True:
            self._woken.clear()
            if await self._read():
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every):
                    await self._woken.wait()

    async def _marking(self) -> None:
        """Mark again what is marked, and what may have been missed."""
        while True:
            await asyncio.sleep(self._mark_every)
            await self._mark({cookie for one in self._watchers for cookie in one.cookies})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run as long as the block does."""
        task = asyncio.create_task(self.run(), name="news")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _joined(join: JoinRecord) -> Joined:
    return join.link.id, join.type


def _ranges(slices: Iterable[Slice]) -> list[dict[str, str]]:
    return [{"cookie": part.cookie, "low": part.low, "high": part.high} for part in slices]
