"""Units of work by the driver's sessions: on a cluster, and where the server's warnings count."""
# ruff: noqa: ASYNC109 - a timeout here is the server's, which asyncio.timeout cannot set

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, LiteralString, TypeVar

import neo4j
from neo4j import AsyncGraphDatabase
from neo4j.warnings import Neo4jWarning

from graphid.graph.bookmarks import awaited, reached
from graphid.graph.values import to_rows

T = TypeVar("T")
Rows = list[dict[str, Any]]


class Sessions:
    """Opens transactions on one database."""

    def __init__(
        self, driver: neo4j.AsyncDriver, database: str, *, causal: bool, warns: bool = False
    ) -> None:
        """``warns``: what the server notifies of becomes Python's warnings."""
        self._driver = driver
        self._database = database
        self._rows = _rows_and_warnings if warns else _rows
        # On a cluster a read must see this process's writes, whichever member answers it.
        self._bookmarks = AsyncGraphDatabase.bookmark_manager() if causal else None

    async def transaction(
        self,
        mode: str,
        metadata: Mapping[str, str],
        timeout: float,
        work: Callable[[SessionTransaction], Awaitable[T]],
    ) -> T:
        """What ``work`` returns; its transaction is committed then, or rolled back if it fails."""
        async with self.session(mode) as session:
            # Not public, but what the driver's own execute_query uses: BEGIN travels with
            # the first statement instead of costing a round trip.
            with getattr(session, "_pipelined_begin", contextlib.nullcontext()):
                transaction = await session.begin_transaction(dict(metadata), timeout)
            async with transaction:
                done = await work(SessionTransaction(transaction, self._rows))
            await _note(session, mode)
            return done

    async def single(
        self,
        mode: str,
        metadata: Mapping[str, str],
        timeout: float,
        text: LiteralString,
        parameters: Mapping[str, Any],
    ) -> Rows:
        """One statement that commits itself."""
        statement = neo4j.Query(text, metadata=dict(metadata), timeout=timeout)
        async with self.session(mode) as session:
            rows = await self._rows(await session.run(statement, dict(parameters)), text)
            await _note(session, mode)
            return rows

    def session(self, mode: str) -> neo4j.AsyncSession:
        """A session of the driver."""
        return self._driver.session(
            database=self._database,
            default_access_mode=mode,
            bookmark_manager=self._bookmarks,
            bookmarks=neo4j.Bookmarks.from_raw_values(awaited() or ()),
        )


async def _note(session: neo4j.AsyncSession, mode: str) -> None:
    """Tell what a writing transaction reached."""
    if mode == neo4j.WRITE_ACCESS:
        for bookmark in (await session.last_bookmarks()).raw_values:
            reached(bookmark)


async def _rows(result: neo4j.AsyncResult, text: str) -> Rows:
    """Every row of a statement."""
    return await to_rows(result)


async def _rows_and_warnings(result: neo4j.AsyncResult, text: str) -> Rows:
    """Every row of a statement; warns of what the server says about it.

    The driver would warn, too, and look up the files of the whole stack at each statement for it,
    which takes several times as long as the statement.
    """
    rows = await to_rows(result)
    for status in (await result.consume()).gql_status_objects:
        if status.is_notification:
            warnings.warn(Neo4jWarning(status, text), stacklevel=1)
    return rows


class SessionTransaction:
    """One open transaction."""

    __slots__ = ("_rows", "_transaction")

    def __init__(
        self,
        transaction: neo4j.AsyncTransaction,
        rows: Callable[[neo4j.AsyncResult, str], Awaitable[Rows]],
    ) -> None:
        """``rows`` reads what a statement, whose text it is told, returns."""
        self._transaction = transaction
        self._rows = rows

    async def rows(self, text: LiteralString, parameters: Mapping[str, Any]) -> Rows:
        """Every row of a statement."""
        return await self._rows(await self._transaction.run(text, dict(parameters)), text)

    async def last_rows(self, text: LiteralString, parameters: Mapping[str, Any]) -> Rows:
        """Every row of the last statement, after the commit."""
        rows = await self.rows(text, parameters)
        await self._transaction.commit()
        return rows
