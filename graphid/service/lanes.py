"""Where messages wait for the database, and are written together.

A *lane* does one piece of work after another. What comes meanwhile waits, and is then done in one
go, so that the busier it is, the more one transaction holds. Nobody waits for company: an idle
lane begins at once. How much may be under way in all is bounded by a *room*; who finds no place in
it within a time is told to come again, so that a database that is slower than its traffic costs
the senders time, and the service no memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from graphid.errors import Busy, Retryable
from graphid.graph.bookmarks import following, reached

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Waiting(Generic[Item, Answer]):
    item: Item
    size: int
    part: int
    answer: asyncio.Future[tuple[Answer, tuple[str, ...]]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class _Queue(Generic[Item, Answer]):
    """What waits in one part of a lane; ``is_taken``: a worker is at it."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting[Item, Answer]] = deque()
        self.size = 0
        self.is_taken = False

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, waiting: _Waiting[Item, Answer]) -> bool:
        return waiting in self._waiting

    def put(self, waiting: _Waiting[Item, Answer]) -> None:
        self._waiting.append(waiting)
        self.size += waiting.size

    def remove(self, waiting: _Waiting[Item, Answer]) -> None:
        self._waiting.remove(waiting)
        self.size -= waiting.size

    def take(self, most: int) -> list[_Waiting[Item, Answer]]:
        """What waits, up to so much; of what is larger, the first."""
        group: list[_Waiting[Item, Answer]] = []
        size = 0
        while self._waiting and (not group or size + self._waiting[0].size <= most):
            group.append(self._waiting.popleft())
            size += group[-1].size
        self.size -= size
        return group


class Lane(Generic[Item, Answer]):
    """Does ``work`` on what waits, in the order in which it came.

    ``work`` is given a few items and returns an answer to each. Where it fails, each is tried by
    itself, so that nobody is refused for another's fault; unless it says to come again, which is
    what all are told. ``most``: how much, by size, is done at once; a larger item is done alone.
    ``workers``: how many pieces of work may be under way. What is done together costs less, so
    another worker begins only where more waits than is done at once, or where the last to begin
    has been at it for ``relief`` seconds and may be so for long.

    Where items must not meet at work, a lane has ``parts``, with a worker for each: no two of them
    are at one part. They are done together while that is not too much.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        most: int,
        workers: int = 1,
        relief: float = 0.0,
        parts: int = 1,
    ) -> None:
        self._work = work
        self._most = most
        self._relief = relief
        self._relieved_at = 0.0
        """When, by the loop's clock, another may begin beside those that are at work."""
        self._timer: asyncio.TimerHandle | None = None
        self._workers = self._idle = max(workers, parts)
        self._queues: list[_Queue[Item, Answer]] = [_Queue() for _ in range(parts)]
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, item: Item, *, size: int, within: float, part: int = 0) -> Answer:
        """The answer to an item. Raises Busy where its turn has not come ``within`` seconds, and
        whatever ``work`` raises."""
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Item, Answer] = _Waiting(item, size, part)
        queue = self._queues[part]
        queue.put(waiting)
        self._wake()
        timer = loop.call_later(within, self._give_up, waiting)
        try:
            answer, bookmarks = await waiting.answer
        finally:
            timer.cancel()
            if waiting.answer.cancelled() and waiting in queue:
                queue.remove(waiting)  # who sent it has hung up
        for bookmark in bookmarks:
            reached(bookmark)
        return answer

    def _give_up(self, waiting: _Waiting[Item, Answer]) -> None:
        queue = self._queues[waiting.part]
        if waiting in queue:
            queue.remove(waiting)
            if not waiting.answer.done():
                waiting.answer.set_exception(Busy())

    def _wake(self) -> None:
        queues = self._free()
        if self._idle and queues and self._may_begin(queues):
            self._idle -= 1
            # In nobody's context: what it does is several requests' work.
            task = asyncio.get_running_loop().create_task(self._run(), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _may_begin(self, queues: Sequence[_Queue[Item, Answer]]) -> bool:
        """Whether another worker is worth it; looks again when it will be."""
        loop = asyncio.get_running_loop()
        if self._idle == self._workers or loop.time() >= self._relieved_at or self._much(queues):
            return True
        if self._timer is None:
            self._timer = loop.call_at(self._relieved_at, self._look_again)
        return False

    def _look_again(self) -> None:
        self._timer = None
        self._wake()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while queues := self._claimed():
                self._relieved_at = loop.time() + self._relief
                group = [waiting for queue in queues for waiting in queue.take(self._most)]
                try:
                    await self._do(group)
                finally:
                    for queue in queues:
                        queue.is_taken = False
        finally:
            self._idle += 1

    def _much(self, queues: Sequence[_Queue[Item, Answer]]) -> bool:
        """Whether more waits than is done at once."""
        return sum(queue.size for queue in queues) > self._most

    def _free(self) -> list[_Queue[Item, Answer]]:
        return [queue for queue in self._queues if queue and not queue.is_taken]

    def _claimed(self) -> list[_Queue[Item, Answer]]:
        """The parts that are done next: all that nobody is at, or the fullest where that is too
        much for once."""
        queues = self._free()
        if self._much(queues):
            queues = [max(queues, key=lambda queue: queue.size)]
        if len(self._queues) > 1:
            for queue in queues:
                queue.is_taken = True
            self._wake()
        return queues

    async def _do(self, group: Sequence[_Waiting[Item, Answer]]) -> None:
        try:
            with following() as bookmarks:
                answers = await self._work([waiting.item for waiting in group])
        except Exception as error:
            if len(group) > 1 and not isinstance(error, Retryable):
                for waiting in group:
                    await self._do([waiting])
                return
            for waiting in group:
                if not waiting.answer.done():
                    waiting.answer.set_exception(_for_one_more(error))
        except BaseException:
            for waiting in group:
                waiting.answer.cancel()
            raise
        else:
            for waiting, answer in zip(group, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result((answer, tuple(bookmarks.reached)))


def _for_one_more(error: Exception) -> Exception:
    """The error for one of those it is told to: each raises its own."""
    if isinstance(error, Retryable):
        return type(error)(error.message, retry_after=error.retry_after, path=error.path)
    return error


class Room:
    """How much may be under way: ``most``, of whatever takes the room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def taken(self) -> int:
        """How much is under way."""
        return self._most - self._free

    @asynccontextmanager
    async def place(self, size: int, *, within: float) -> AsyncIterator[None]:
        """Room for so much, as long as the block runs. Raises Busy where there is none ``within``
        seconds; who comes first is let in first."""
        size = min(size, self._most)
        if self._waiting or size > self._free:
            await self._let_in(size, within)
        else:
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            self._admit()

    async def _let_in(self, size: int, within: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            async with asyncio.timeout(within):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._free += size  # it was let in at the last moment
            elif (size, turn) in self._waiting:
                self._waiting.remove((size, turn))
            self._admit()
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise

    def _admit(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            size, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= size
                turn.set_result(None)
