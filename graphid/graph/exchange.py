"""Units of work by the messages of Bolt themselves, on connections of the driver's pool.

The driver's sessions, transactions and results take half a millisecond of an identify, and know
no way to send COMMIT along with the last statement. The pool, its health checks, authentication,
encryption, the connections, their messages and their errors are the driver's here too; what is
left out is what a unit of work has no use for: streaming, lazy results, summaries.

Little of this has a public name, so the driver's version is pinned, and the tests of ``Database``
run both ways. ``sessions`` is the other: on a cluster (routing), and where the server's warnings
are wanted.
"""
# ruff: noqa: ASYNC109 - a timeout here is the server's, which asyncio.timeout cannot set

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import neo4j
from neo4j.exceptions import TransactionError

from graphid.graph.bookmarks import awaited, current, reached
from graphid.graph.together import Asked, LeftBehind, Together
from graphid.graph.values import Reading

T = TypeVar("T")
Rows = list[dict[str, Any]]


class Exchanges:
    """Opens transactions on one database."""

    def __init__(self, pool: Any, database: str, *, patience: float) -> None:
        """``patience``: seconds to wait for a connection."""
        self._pool = pool
        self._database = database
        self._patience = patience
        self._together = Together(partial(self._connected, neo4j.READ_ACCESS))
        self._left: set[asyncio.Task[Any]] = set()
        """Connections that are opened for who has gone, or given back for them."""

    async def aclose(self) -> None:
        """Return when nothing is on its way to the pool any more."""
        while self._left:
            await asyncio.wait(self._left)

    async def transaction(
        self,
        mode: str,
        metadata: Mapping[str, str],
        timeout: float,
        work: Callable[[Exchange], Awaitable[T]],
    ) -> T:
        """What ``work`` returns; its transaction is committed then, or rolled back if it fails."""

        async def run(connection: Any) -> T:
            begin = {
                "mode": mode,
                "metadata": metadata,
                "timeout": timeout,
                "db": self._database,
                "bookmarks": awaited(),
            }
            exchange = Exchange(connection, begin)
            result = await work(exchange)
            await exchange.commit()
            return result

        return await self._connected(mode, run)

    async def single(
        self,
        mode: str,
        metadata: Mapping[str, str],
        timeout: float,
        text: str,
        parameters: Mapping[str, Any],
    ) -> Rows:
        """One statement that commits itself; a reading one goes with others of its request."""
        extra = {
            "mode": mode,
            "metadata": metadata,
            "timeout": timeout,
            "db": self._database,
            "bookmarks": awaited(),
        }
        request = current()
        while mode == neo4j.READ_ACCESS and request is not None:
            try:
                asked = Asked(text, _Untold(parameters), extra)
                return await self._together.rows(request, asked)
            except LeftBehind:
                pass  # what was before it was at fault, and is not there the next time

        async def run(connection: Any) -> Rows:
            statement = _Statement(connection)
            statement.ask(text, parameters, **extra)
            rows = await statement.answered()
            if mode == neo4j.WRITE_ACCESS:
                reached(statement.bookmark)
            return rows

        return await self._connected(mode, run)

    async def _acquired(self, mode: str) -> Any:
        """A connection. Who is cancelled meanwhile leaves it to the next: of one that it is just
        opening the driver would not close the socket."""
        acquiring = asyncio.create_task(
            self._pool.acquire(
                access_mode=mode,
                timeout=self._patience,
                database=None,
                bookmarks=None,
                auth=None,
                liveness_check_timeout=None,
            )
        )
        try:
            return await asyncio.shield(acquiring)
        except asyncio.CancelledError:
            self._leave(acquiring, then=self._give_back)
            raise

    def _give_back(self, acquired: asyncio.Task[Any]) -> None:
        if not acquired.cancelled() and acquired.exception() is None:
            self._leave(asyncio.create_task(self._pool.release(acquired.result())))

    def _leave(
        self, task: asyncio.Task[Any], then: Callable[[asyncio.Task[Any]], None] | None = None
    ) -> None:
        self._left.add(task)
        if then is not None:
            task.add_done_callback(then)
        task.add_done_callback(self._left.discard)

    async def _connected(self, mode: str, run: Callable[[Any], Awaitable[T]]) -> T:
        connection = await self._acquired(mode)
        try:
            # The deadline of the unit is stricter than the time that the server names, for which
            # the driver starts a task and a timer for each piece that it reads.
            connection.socket.set_read_timeout(None)
            result = await run(connection)
        except Exception:
            # Resets it, which ends the transaction, where it failed in between.
            await self._pool.release(connection)
            raise
        except BaseException:
            # Cancelled: nobody knows what is still on the line.
            self._pool.kill_and_release(connection)
            raise
        await self._pool.release(connection)
        return result


class Exchange:
    """One transaction. BEGIN goes with the first statement, COMMIT with ``last_rows``."""

    __slots__ = ("_begin", "_connection", "_ended", "_statement", "_writes")

    def __init__(self, connection: Any, begin: Mapping[str, Any]) -> None:
        self._connection = connection
        self._statement = _Statement(connection)
        self._begin: Mapping[str, Any] | None = begin
        self._writes = begin["mode"] == neo4j.WRITE_ACCESS
        self._ended: BaseException | bool = False
        """What it failed with; True where it was committed."""

    async def rows(self, text: str, parameters: Mapping[str, Any]) -> Rows:
        """Every row of a statement."""
        self._ask(text, parameters)
        return await self._answered()

    async def last_rows(self, text: str, parameters: Mapping[str, Any]) -> Rows:
        """Every row of the last statement, after the commit. If it fails, nothing is committed."""
        self._ask(text, parameters)
        # The server ignores what was sent after a message that fails.
        done = self._commit()
        rows = await self._answered()
        self._ended = True
        self._note(done)
        return rows

    async def commit(self) -> None:
        """Commit, where that has not been done yet and there is anything to commit."""
        if self._ended is True or self._begin is not None:
            return
        if self._ended:
            raise self._failed()
        done = self._commit()
        await self._connection.send_all()
        await self._connection.fetch_all()
        self._note(done)

    def _note(self, done: Mapping[str, Any]) -> None:
        if self._writes:
            reached(done.get("bookmark"))

    def _commit(self) -> dict[str, Any]:
        """Write COMMIT down; what is returned is filled when it is answered."""
        done: dict[str, Any] = {}
        self._connection.commit(on_success=done.update, **self._statement.hooks)
        return done

    def _ask(self, text: str, parameters: Mapping[str, Any]) -> None:
        if self._ended:
            # The connection was reset: a statement would be a transaction of its own.
            raise self._failed()
        if self._begin is not None:
            self._connection.begin(**self._begin, **self._statement.hooks)
            self._begin = None
        self._statement.ask(text, parameters)

    async def _answered(self) -> Rows:
        try:
            return await self._statement.answered()
        except BaseException as error:
            self._ended = error
            raise

    def _failed(self) -> TransactionError:
        error = TransactionError(self, "The transaction has ended.")
        error.__cause__ = self._ended if isinstance(self._ended, BaseException) else None
        return error


class _Statement:
    """Statements on a connection, one after another."""

    __slots__ = ("_connection", "_head", "_reading", "_records", "_tail", "hooks")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._reading = Reading(connection)
        self.hooks = self._reading.hooks

    def ask(self, text: str, parameters: Mapping[str, Any], **extra: Any) -> None:
        """Write a statement down; it is sent by ``answered``."""
        self._head: dict[str, Any] = {}
        self._tail: dict[str, Any] = {}
        self._records: list[list[Any]] = []
        connection = self._connection
        untold = _Untold(parameters)
        connection.run(text, untold, on_success=self._head.update, **extra, **self.hooks)
        connection.pull(
            n=-1, on_records=self._records.extend, on_success=self._tail.update, **self.hooks
        )

    @property
    def bookmark(self) -> str | None:
        """Of a statement that committed itself."""
        return self._tail.get("bookmark")

    async def answered(self) -> Rows:
        """Send what was written down; the rows, when everything has been answered."""
        await self._connection.send_all()
        await self._connection.fetch_all()
        return self._reading.rows(self._head["fields"], self._records)


class _Untold(dict[str, Any]):
    """Parameters that do not show: the driver spells them out for its log, wanted or not."""

    def __repr__(self) -> str:
        return "{…}"


def exchanges(driver: neo4j.AsyncDriver, database: str, *, patience: float) -> Exchanges | None:
    """How to talk to a database; None where this is not the way."""
    pool: Any = getattr(driver, "_pool", None)
    if getattr(pool, "is_direct_pool", False) is not True:
        return None
    return Exchanges(pool, database, patience=patience)
