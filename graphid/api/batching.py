"""Loading in batches: what is asked for at one time is read together, and each key once.

A request's fields share what is read, and each of them may be cancelled: graphql-core cancels the
siblings of a field that fails, and a task that is cancelled cancels the future that it awaits. So
nobody is given a future that others wait for, and a read ends with the last who waits for it.
(strawberry's DataLoader gives all the same future; and whoever comes to a batch that was given up
before it began waits there for ever.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Loader(Generic[K, V]):
    """Reads values by their keys."""

    def __init__(
        self,
        read: Callable[[list[K]], Awaitable[Sequence[V]]],
        *,
        is_kept: bool = True,
        same: Callable[[K], Hashable] | None = None,
    ) -> None:
        """``read``: the values of keys, in their order. ``is_kept``: a key is read once, and must
        be hashable. ``same``: what is equal of keys that ask for the same."""
        self.read = read
        self._is_kept = is_kept
        self._same = same
        self._known: dict[Any, _Asked[K, V]] = {}
        self._gathering: _Batch[K, V] | None = None

    def load(self, key: K) -> asyncio.Future[V]:
        """What is read for a key. Raises what the read raises."""
        return self._asked(key).awaited()

    def load_many(self, keys: Iterable[K]) -> asyncio.Future[list[V]]:
        """What is read for each of the keys."""
        return asyncio.gather(*map(self.load, keys))

    def begin(self, key: K) -> None:
        """Have read what will probably be loaded; it need not be."""
        self._asked(key)

    def prime(self, key: K, value: V) -> None:
        """The value of a key is known, and need not be read."""
        name = self._name(key)
        asked = self._known.get(name)
        if asked is None or asked.is_given_up:
            asked = self._known[name] = _Asked(key)
        asked.answer(value)

    def _asked(self, key: K) -> _Asked[K, V]:
        name = self._name(key) if self._is_kept else None
        asked = self._known.get(name) if self._is_kept else None
        if asked is None or asked.is_given_up:
            if self._gathering is None:
                self._gathering = _Batch()
                asyncio.get_running_loop().call_soon(self._begin, self._gathering)
            asked = _Asked(key, self._gathering)
            self._gathering.asked.append(asked)
            if self._is_kept:
                self._known[name] = asked
        return asked

    def _name(self, key: K) -> Hashable:
        return key if self._same is None else self._same(key)

    def _begin(self, batch: _Batch[K, V]) -> None:
        # A turn of the loop later than it could be: what others ask for meanwhile comes along.
        batch.reading = asyncio.create_task(self._read(batch))

    async def _read(self, batch: _Batch[K, V]) -> None:
        self._gathering = None
        batch.is_closed = True
        batch.asked = [asked for asked in batch.asked if asked.is_open]
        try:
            if batch.asked:
                values = await self.read([asked.key for asked in batch.asked])
                for asked, value in zip(batch.asked, values, strict=True):
                    asked.answer(value)
        except Exception as error:
            for asked in batch.asked:
                asked.fail(error)
        finally:
            # Nobody waits for ever, whatever came of the read.
            for asked in batch.asked:
                asked.give_up()
            batch.reading = None


class _Batch(Generic[K, V]):
    """Keys that are read together."""

    __slots__ = ("asked", "is_closed", "reading")

    def __init__(self) -> None:
        self.asked: list[_Asked[K, V]] = []
        self.is_closed = False
        """It takes no more keys: they are being read."""
        self.reading: asyncio.Task[None] | None = None

    def left(self) -> None:
        """Somebody gave up: maybe there is nobody to read for any more."""
        if self.is_closed and self.reading and not any(asked.is_open for asked in self.asked):
            self.reading.cancel()


class _Asked(Generic[K, V]):
    """A key, and who waits for its value."""

    __slots__ = ("answered", "batch", "is_given_up", "key", "waiting")

    def __init__(self, key: K, batch: _Batch[K, V] | None = None) -> None:
        self.key = key
        self.batch = batch
        self.waiting: list[asyncio.Future[V]] = []
        self.answered: asyncio.Future[V] | None = None
        self.is_given_up = False

    @property
    def is_open(self) -> bool:
        return self.answered is None and not self.is_given_up

    def awaited(self) -> asyncio.Future[V]:
        """The value, to await; where it has yet to come, in a future that is nobody else's."""
        if self.answered is not None:
            return self.answered  # what is done cannot be cancelled
        own: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        own.add_done_callback(self._left)
        self.waiting.append(own)
        return own

    def _left(self, own: asyncio.Future[V]) -> None:
        if own.cancelled() and self.is_open:
            self.waiting.remove(own)
            if not self.waiting:
                self.is_given_up = True
                batch, self.batch = self.batch, None
                if batch is not None:
                    batch.left()

    def answer(self, value: V) -> None:
        if self.is_open:
            self.answered = asyncio.get_running_loop().create_future()
            self.answered.set_result(value)
            for own in self._told():
                own.set_result(value)

    def fail(self, error: Exception) -> None:
        if self.is_open:
            self.answered = asyncio.get_running_loop().create_future()
            self.answered.set_exception(error)
            self.answered.exception()  # there may be nobody to hear of it
            for own in self._told():
                own.set_exception(error)

    def give_up(self) -> None:
        """It is not read: whoever waits is cancelled."""
        if self.is_open:
            self.is_given_up = True
            for own in self._told():
                own.cancel()

    def _told(self) -> list[asyncio.Future[V]]:
        """Who is to be told what came of it; the end of their waiting."""
        waiting, self.waiting, self.batch = self.waiting, [], None
        return [own for own in waiting if not own.done()]
