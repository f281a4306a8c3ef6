"""Reading inside a transaction that is still open: what would be, before it is so, if ever.

``Within`` is for the function that a transaction was given to. A ``Rehearsal`` outlives it: what
was done stays to be read, by anybody in this process, until it is ended; then it is taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from graphid.errors import Busy
from graphid.graph.database import Database, Unit
from graphid.graph.queries import Query

T = TypeVar("T")

Rows = list[dict[str, Any]]


class Within:
    """Reads inside an open transaction, one statement at a time."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._turn = asyncio.Lock()
        self._failed: BaseException | None = None

    async def read_rows(
        self, query: Query, /, *, within: float | None = None, **parameters: Any
    ) -> Rows:
        """Every row. ``within`` is the transaction's matter: it has a deadline."""
        async with self._turn:
            if self._failed is not None:
                # Others waited for their turn; the transaction is over for them, too.
                raise self._failed
            try:
                return await self._unit.rows(query, **parameters)
            except BaseException as error:
                self._failed = error
                raise


class Rehearsal(Generic[T]):
    """Work that was done and can be read, and that will not have been.

    Its locks are held until :meth:`end`, or the database's deadline. Statements run in the one
    task that holds the transaction, so whatever becomes of the readers, it ends in order.
    """

    def __init__(self, database: Database, work: Callable[[Unit], Awaitable[T]]) -> None:
        self._work = work
        self._done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked: asyncio.Queue[_Question | None] = asyncio.Queue()
        self._waiting: set[asyncio.Future[Rows]] = set()
        self._task = asyncio.create_task(self._hold(database))

    async def begin(self) -> T:
        """What the work returns. Raises what it raises, DatabaseUnavailable or Busy; then nothing
        is left to end."""
        try:
            return await asyncio.shield(self._done)
        except BaseException:
            await self.end()
            raise

    async def read_rows(
        self, query: Query, /, *, within: float | None = None, **parameters: Any
    ) -> Rows:
        """Every row, as it would be. Raises Busy when the rehearsal is over."""
        if self._task.done():
            raise Busy
        found: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        self._waiting.add(found)
        self._asked.put_nowait((found, query, parameters))
        try:
            return await found
        finally:
            self._waiting.discard(found)

    async def end(self) -> None:
        """Take everything back; all that is asked from here on raises Busy."""
        if self._done.done():
            self._asked.put_nowait(None)
        else:
            self._task.cancel()
        await asyncio.wait([self._task])

    async def _hold(self, database: Database) -> None:
        try:
            await database.write(self._play)
        except _Over:
            pass
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._fail(Busy())

    async def _play(self, unit: Unit) -> None:
        if self._done.done():
            raise Busy  # a statement of the readers failed: there is nothing to try again
        result = await self._work(unit)
        self._done.set_result(result)
        while (asked := await self._asked.get()) is not None:
            found, query, parameters = asked
            rows = await unit.rows(query, **parameters)
            if not found.done():
                found.set_result(rows)
        raise _Over

    def _fail(self, error: BaseException) -> None:
        told = error if isinstance(error, Exception) else Busy()
        if not self._done.done():
            self._done.set_exception(told)
        for found in self._waiting:
            if not found.done():
                found.set_exception(told)


class _Over(Exception):
    """Nobody reads any more: roll back."""


_Question = tuple[asyncio.Future[Rows], Query, dict[str, Any]]
