"""Changes of who is who, handed to whoever subscribed to them, as they get their numbers.

One reader of the log a process, however many subscribe: it reads while somebody does, and hands
each change to those whom it concerns. Whoever resumes reads the log by themselves up to where the
reader is, and is handed what follows. What waits for a client is bounded: one that reads too
slowly is told so, and resumes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import structlog

from graphid.errors import GraphidError, InvalidInput, NotFound, Overrun
from graphid.graph.log import ChangeRecord, Move
from graphid.identity.ids import UNCLAIMED, contact_named_by
from graphid.service.beside import beside
from graphid.service.following import Follower
from graphid.service.people import PersonRecord
from graphid.service.visitors import VisitorRecord, visitor_id_of

log = structlog.get_logger()

T = TypeVar("T")

LOOK_EVERY = 0.2
"""Seconds between two looks for what another process numbered, while somebody subscribes."""

PAGE = 500
"""Changes read at once."""

KEPT = 5_000
"""Changes kept for whoever resumes a moment later."""

MOST_WAITING = 1_000
"""Changes that may wait for one subscriber."""

BEHIND = "afterSequence"


class ReadsLog(Protocol):
    """``graph.log.Log``, as far as the feed needs it."""

    async def last(self) -> int: ...
    async def after(self, sequence: int, *, limit: int) -> list[ChangeRecord]: ...
    async def about(
        self, subjects: Collection[str], *, after: int, until: int, limit: int
    ) -> list[ChangeRecord]: ...
    async def whose(self, id: str, at: int) -> Move | None: ...


class FindsPeople(Protocol):
    """``service.people.People``, as far as the feed needs it."""

    async def by_id(self, ids: Sequence[str]) -> dict[str, PersonRecord]: ...


class FindsVisitors(Protocol):
    """``service.visitors.Visitors``, as far as the feed needs it."""

    async def by_id(self, ids: Iterable[str]) -> dict[str, VisitorRecord]: ...


@dataclass(eq=False)
class Batch:
    """What was read at once. ``shared`` is for whoever tells several subscribers of it."""

    shared: dict[Any, Any] = field(default_factory=dict)


class Waiting(Generic[T]):
    """What waits for one subscriber: at most ``most``, and then nothing more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: deque[T] = deque()
        self._there = asyncio.Event()
        self._error: GraphidError | None = None

    def offer(self, item: T) -> None:
        """Have it wait; where it is one too many, none of them waits any more."""
        if self._error is not None:
            return
        if len(self._items) >= self._most:
            self.fail(Overrun())
            return
        self._items.append(item)
        self._there.set()

    def fail(self, error: GraphidError) -> None:
        """End it with an error, in place of what waits."""
        self._items.clear()
        self._error = error
        self._there.set()

    async def get(self) -> T:
        """The next one. Raises the error that it ended with."""
        while not self._items:
            if self._error is not None:
                raise self._error
            self._there.clear()
            await self._there.wait()
        return self._items.popleft()


Told = tuple[ChangeRecord, Batch]


@dataclass(eq=False)
class _Subscriber:
    """Somebody who is handed changes: those of one person, or all."""

    follower: Follower | None
    waiting: Waiting[Told]


class Feed:
    """Hands changes out. ``look_every``: seconds between two looks where nobody wakes it;
    ``most_waiting``: changes that may wait for one subscriber; ``kept``: for who resumes."""

    def __init__(
        self,
        log: ReadsLog,
        people: FindsPeople,
        visitors: FindsVisitors,
        *,
        look_every: float = LOOK_EVERY,
        most_waiting: int = MOST_WAITING,
        kept: int = KEPT,
    ) -> None:
        self._log = log
        self._people = people
        self._visitors = visitors
        self._look_every = look_every
        self._most_waiting = most_waiting
        self._kept = kept
        self._recent: deque[ChangeRecord] = deque(maxlen=kept)
        self._at = 0
        """The last number that was handed out, while anybody reads along."""
        self._readers = 0
        self._is_wanted = asyncio.Event()
        self._woken = asyncio.Event()
        self._reading = asyncio.Lock()
        self._everything: set[_Subscriber] = set()
        self._by_subject: dict[str, set[_Subscriber]] = {}

    def wake(self) -> None:
        """Numbers were given here: read now."""
        self._woken.set()

    # ------------------------------------------------------------------ subscribing

    async def subscribe(
        self, id: str | None = None, *, after: int | None = None
    ) -> AsyncGenerator[Told, None]:
        """What changes from now on, or from behind a number; of one person, or of all.

        Raises InvalidInput for a number that was never given, NotFound for an id that never was;
        while it goes on, Overrun where too much waits.
        """
        last = await self._log.last()
        if after is not None and not 0 <= after <= last:
            raise InvalidInput(
                f"{BEHIND} must be from 0 to {last}, the last number that was given.",
                path=[BEHIND],
            )
        start = last if after is None else after
        follower = None if id is None else await self._follower(id, start, last)
        return self._told(follower, start)

    async def _follower(self, id: str, at: int, last: int) -> Follower:
        """Whom an id meant when that number was the last. Raises NotFound."""
        found = (await self._people.by_id([id])).get(id)
        if found is None:
            # Who was erased since is told of until then.
            if not await self._log.about([id], after=at, until=last, limit=1):
                raise NotFound("There is no person with this id.", path=["personId"])
            found = PersonRecord(id)
        visitor, contact = visitor_id_of(id) or "", contact_named_by(id) or ""
        if id.endswith(UNCLAIMED):
            return Follower(found.id, visitor="" if found.id == id else visitor)
        person = found.id
        if visitor:
            records = await self._visitors.by_id([visitor])
            visitor = records[visitor].id if visitor in records else visitor
            link = records[visitor].visitor if visitor in records else None
            contact = (link.owner if link is not None else None) or ""
            moved = await self._log.whose(visitor, at)
            if moved is not None:
                person, contact = moved.person, moved.contact
        if contact:
            moved = await self._log.whose(contact, at)
            person = person if moved is None else moved.person
        return Follower(person, contact, visitor)

    async def _told(self, follower: Follower | None, at: int) -> AsyncGenerator[Told, None]:
        subscriber = _Subscriber(follower, Waiting(self._most_waiting))
        async with self._reading_along():
            while self._at < at:
                # Another process has given numbers that are not read here yet.
                await self._read()
            while at < self._at:
                page, reached = await self._page(follower, at, self._at)
                batch = Batch()
                for change in page:
                    before = None if follower is None else follower.subjects
                    if follower is None or follower.take(change):
                        yield change, batch
                    if follower is not None and follower.subjects != before:
                        # What concerns whom they are now was not asked for.
                        reached = change.sequence
                        break
                at = reached
            # Nothing is awaited between the last look and this: nothing comes in between.
            self._add(subscriber)
            try:
                while True:
                    yield await subscriber.waiting.get()
            finally:
                self._remove(subscriber)

    async def _page(
        self, follower: Follower | None, after: int, until: int
    ) -> tuple[list[ChangeRecord], int]:
        """Some of what follows a number, of a follower what concerns it; and up to where."""
        subjects = None if follower is None else follower.subjects
        if self._recent and self._recent[0].sequence <= after + 1:
            return [
                change
                for change in self._recent
                if after < change.sequence <= until
                and (subjects is None or not subjects.isdisjoint(change.concerns))
            ], until
        if subjects is None:
            page = await self._log.after(after, limit=min(PAGE, until - after))
            return page, page[-1].sequence if page else after
        page = await self._log.about(subjects, after=after, until=until, limit=PAGE)
        return page, page[-1].sequence if len(page) == PAGE else until

    def _add(self, subscriber: _Subscriber) -> None:
        if subscriber.follower is None:
            self._everything.add(subscriber)
        else:
            for subject in subscriber.follower.subjects:
                self._by_subject.setdefault(subject, set()).add(subscriber)

    def _remove(self, subscriber: _Subscriber) -> None:
        self._everything.discard(subscriber)
        if subscriber.follower is not None:
            self._forget(subscriber, subscriber.follower.subjects)

    def _forget(self, subscriber: _Subscriber, subjects: Iterable[str]) -> None:
        for subject in subjects:
            others = self._by_subject[subject]
            others.discard(subscriber)
            if not others:
                del self._by_subject[subject]

    @property
    def subscribers(self) -> int:
        """How many have been told all that came before, and are handed what comes."""
        return len(self._everything | set().union(*self._by_subject.values()))

    # ------------------------------------------------------------------ reading

    @asynccontextmanager
    async def _reading_along(self) -> AsyncIterator[None]:
        """Have the log read as long as the block runs."""
        self._readers += 1
        try:
            if not self._is_wanted.is_set():
                await self._begin()
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._is_wanted.clear()

    async def _begin(self) -> None:
        """Start from where the log is, with what came last for whoever resumes."""
        async with self._reading:
            if self._is_wanted.is_set():
                return
            last = await self._log.last()
            at = max(0, last - min(self._kept, PAGE))
            recent = await self._log.after(at, limit=PAGE) if at < last else []
            self._recent.clear()
            self._recent.extend(recent)
            self._at = recent[-1].sequence if recent else at
            self._is_wanted.set()

    async def _read(self) -> bool:
        """Read what follows, and hand it out; whether there may be more."""
        async with self._reading:
            page = await self._log.after(self._at, limit=PAGE)
            batch = Batch()
            for change in page:
                self._hand_out(change, batch)
            if not page:
                # Others run meanwhile: whoever waits for a number that is being given asks again.
                await asyncio.sleep(0)
            return len(page) == PAGE

    def _hand_out(self, change: ChangeRecord, batch: Batch) -> None:
        self._at = change.sequence
        self._recent.append(change)
        for subscriber in self._everything:
            subscriber.waiting.offer((change, batch))
        concerned = {
            subscriber
            for subject in change.concerns
            for subscriber in self._by_subject.get(subject, ())
        }
        for subscriber in concerned:
            follower = subscriber.follower
            assert follower is not None
            before = follower.subjects
            if follower.take(change):
                subscriber.waiting.offer((change, batch))
            if follower.subjects != before:
                self._forget(subscriber, before)
                self._add(subscriber)

    async def run(self) -> None:
        """Read while anybody subscribes, for ever."""
        while True:
            await self._is_wanted.wait()
            self._woken.clear()
            try:
                if await self._read():
                    continue
            except GraphidError as error:
                log.warning("changes_not_read", code=error.code)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every):
                    await self._woken.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run as long as the block does."""
        async with beside(self.run(), "feed of changes"):
            yield
