"""The one class that talks to the Neo4j driver.

A *unit of work* is an async function of a ``Unit`` (one open transaction). It can run more than
once, from the start, so it must not touch anything but the database and its own values; message
ids make every write of ours safe to run again, also after a commit of unknown outcome.

The retry loop is our own because the driver's waits a second before its first retry, and gives
up on errors that are harmless here: a lost race for a constraint, a node that a concurrent merge
deleted, a connection lost at commit.

Round trips: BEGIN travels with the first statement; each statement is waited for, and so is COMMIT,
which travels with ``last_rows``: n + 1 for n statements, or n. ``read_rows`` and ``write_rows``
take one round trip in all; what one request reads at once takes one together (``together``). A
statement that returns a page does well to ``collect`` it into one row and to hand times out as
integers: each row costs the driver some 40 us and each DATETIME 50.
"""
# ruff: noqa: ASYNC109 - a timeout here is also the server's, which asyncio.timeout cannot set

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from time import monotonic
from typing import Any, LiteralString, Protocol, TypeVar

import neo4j
import structlog
from neo4j import AsyncGraphDatabase

from graphid.errors import (
    Busy,
    DatabaseUnavailable,
    GraphidError,
    InternalError,
    InvalidInput,
    SettingsError,
)
from graphid.graph.bookmarks import BOOKMARK
from graphid.graph.exchange import exchanges
from graphid.graph.faults import CANNOT_WRITE, Retry, Verdict, judge
from graphid.graph.queries import Query
from graphid.graph.sessions import Sessions

__all__ = ["Address", "Database", "Readable", "Retry", "Unit"]

T = TypeVar("T")
log = structlog.get_logger()

FIRST_DELAY = 0.05
"""Seconds before the first retry; doubles each time, with jitter, up to ``LONGEST_DELAY``."""
LONGEST_DELAY = 1.0
ATTEMPTS = {Verdict.CONTENTION: 25, Verdict.RACE: 6, Verdict.UNAVAILABLE: 4}
"""How often one unit is tried, by the verdict on its last failure; the deadline comes first."""
CONNECTIONS = 64
UNAVAILABLE_RETRY_AFTER = 2.0


class Address(Protocol):
    """Where a database answers. An empty password: it asks for none."""

    @property
    def uri(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def database(self) -> str: ...


class Transaction(Protocol):
    """One open transaction, as ``exchange`` and ``sessions`` have it."""

    async def rows(
        self, text: LiteralString, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]: ...
    async def last_rows(
        self, text: LiteralString, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]: ...


class Readable(Protocol):
    """Where reading statements are answered: the database, or a transaction that is still open."""

    async def read_rows(
        self, query: Query, /, *, within: float | None = None, **parameters: Any
    ) -> list[dict[str, Any]]: ...


class Unit:
    """One open transaction. Ends with the function that it was given to."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def rows(self, query: Query, /, **parameters: Any) -> list[dict[str, Any]]:
        """Every row, read to the end; times are aware and in UTC."""
        return await self._transaction.rows(query.text, query.given(parameters))

    async def last_rows(self, query: Query, /, **parameters: Any) -> list[dict[str, Any]]:
        """Every row of the last statement of the unit, which is committed when this returns.

        Saves the round trip of COMMIT. Nothing can be run or taken back after it.
        """
        return await self._transaction.last_rows(query.text, query.given(parameters))

    async def run(self, query: Query, /, **parameters: Any) -> None:
        """Run for the effect."""
        await self._transaction.rows(query.text, query.given(parameters))

    async def run_text(self, text: LiteralString, /, **parameters: Any) -> list[dict[str, Any]]:
        """For migrations and EXPLAIN only; everything else is a Query from a file."""
        return await self._transaction.rows(text, parameters)


Work = Callable[[Unit], Awaitable[T]]


class Database:
    """A pool of connections to one named database."""

    def __init__(
        self,
        driver: neo4j.AsyncDriver,
        name: str,
        *,
        timeout: float,
        causal: bool = False,
        server_warnings: bool = False,
    ) -> None:
        self._driver = driver
        self._timeout = timeout
        self._sessions = Sessions(driver, name, causal=causal, warns=server_warnings)
        self._quick = (
            None if causal or server_warnings else exchanges(driver, name, patience=timeout)
        )
        self._transactions = self._quick or self._sessions
        self.retries: Counter[str] = Counter()
        """Reruns since start, by error code."""
        self.failures: Counter[str] = Counter()
        """Units given up since start, by error code."""

    @classmethod
    async def connect(
        cls, address: Address, *, timeout: float = 10.0, server_warnings: bool = False
    ) -> Database:
        """A pool; nothing is sent before ``verify`` or the first unit.

        ``timeout``: seconds for a unit that names none. ``server_warnings``: raise the server's
        notifications as Python warnings, which tests turn into failures (slower: off in service).
        """
        driver = AsyncGraphDatabase.driver(
            address.uri,
            auth=(address.user, address.password) if address.password else None,
            user_agent="graphid",
            max_connection_pool_size=CONNECTIONS,
            connection_timeout=5.0,
            connection_acquisition_timeout=timeout,
            liveness_check_timeout=60.0,
            telemetry_disabled=True,
            disable_auto_commit_retries=True,  # our loop does it, and counts
            notifications_min_severity="WARNING" if server_warnings else "OFF",
            warn_notification_severity="OFF",  # our sessions warn, at less cost
        )
        causal = address.uri.startswith("neo4j")
        return cls(
            driver,
            address.database,
            timeout=timeout,
            causal=causal,
            server_warnings=server_warnings,
        )

    async def close(self) -> None:
        """Close every connection; running units fail, and so do later ones."""
        self._transactions = self._sessions
        if self._quick is not None:
            await self._quick.aclose()
        await self._driver.close()

    async def verify(self, *, timeout: float = 5.0) -> None:
        """One trip to the database.

        Raises DatabaseUnavailable where it does not answer, SettingsError where it refuses us.
        """
        try:
            async with (
                asyncio.timeout(timeout),
                self._sessions.session(neo4j.READ_ACCESS) as session,
            ):
                await (await session.run("RETURN 1")).consume()
        except neo4j.exceptions.AuthError:
            fault = "GRAPHID_NEO4J_USER, GRAPHID_NEO4J_PASSWORD: the database refused them"
            raise SettingsError([fault]) from None
        except TimeoutError as error:
            raise DatabaseUnavailable(retry_after=UNAVAILABLE_RETRY_AFTER) from error
        except (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError) as error:
            raise self._translated(error, judge(error)) from error

    async def read(self, work: Work[T], *, timeout: float | None = None) -> T:
        """What ``work`` returns; it may not write. Errors as ``write``."""
        return await self._attempts(neo4j.READ_ACCESS, work, timeout)

    async def write(self, work: Work[T], *, timeout: float | None = None) -> T:
        """What ``work`` returns, after its transaction is committed.

        ``timeout``: seconds for all attempts together. Raises what ``work`` raises (rolled back),
        DatabaseUnavailable, Busy (deadline or contention), else InternalError.
        """
        return await self._attempts(neo4j.WRITE_ACCESS, work, timeout)

    async def read_rows(
        self, query: Query, /, *, within: float | None = None, **parameters: Any
    ) -> list[dict[str, Any]]:
        """One reading statement as a unit of its own, in one round trip; ``within`` seconds."""
        return await self._single(neo4j.READ_ACCESS, query, within, parameters)

    async def write_rows(
        self, query: Query, /, *, within: float | None = None, **parameters: Any
    ) -> list[dict[str, Any]]:
        """One writing statement as a unit of its own, committed, in one round trip."""
        return await self._single(neo4j.WRITE_ACCESS, query, within, parameters)

    async def plan(self, query: Query, /, *, within: float) -> None:
        """Have the server plan a statement, in so many seconds, and run nothing."""
        planned = replace(query, text="EXPLAIN " + query.text)
        await self._single(neo4j.READ_ACCESS, planned, within, {})

    async def _attempts(self, mode: str, work: Work[T], timeout: float | None) -> T:
        metadata = {"app": "graphid", "unit": getattr(work, "__qualname__", "unit")}

        async def attempt(remaining: float) -> T:
            return await self._transactions.transaction(
                mode, metadata, remaining, lambda transaction: work(Unit(transaction))
            )

        return await self._retried(attempt, timeout)

    async def _single(
        self, mode: str, query: Query, timeout: float | None, parameters: dict[str, Any]
    ) -> list[dict[str, Any]]:
        metadata = {"app": "graphid", "unit": query.name}

        async def attempt(remaining: float) -> list[dict[str, Any]]:
            return await self._transactions.single(
                mode, metadata, remaining, query.text, query.given(parameters)
            )

        return await self._retried(attempt, timeout)

    async def _retried(self, attempt: Callable[[float], Awaitable[T]], timeout: float | None) -> T:
        allowed = self._timeout if timeout is None else timeout
        deadline = monotonic() + allowed
        delay, tried = FIRST_DELAY, 0
        while True:
            try:
                # The server stops its side by itself; this is for a server that is silent.
                remaining = max(deadline - monotonic(), 0.001)
                async with asyncio.timeout(remaining):
                    return await attempt(remaining)
            except TimeoutError as error:
                self.failures["Deadline"] += 1
                raise Busy from error
            except (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError, Retry) as error:
                verdict, code = judge(error)
                tried += 1
                pause = delay * random.uniform(0.5, 1.5)
                late = monotonic() + pause >= deadline
                if late or tried >= ATTEMPTS.get(verdict, 1):
                    raise self._translated(error, (verdict, code)) from error
                self.retries[code] += 1
                log.debug("unit_retried", code=code, attempt=tried, pause=round(pause, 3))
            await asyncio.sleep(pause)
            delay = min(delay * 2, LONGEST_DELAY)

    def _translated(self, error: Exception, judged: tuple[Verdict, str]) -> GraphidError:
        verdict, code = judged
        self.failures[code] += 1
        match verdict:
            case Verdict.UNAVAILABLE:
                if code in CANNOT_WRITE:
                    log.error("database_cannot_write", code=code)
                return DatabaseUnavailable(retry_after=UNAVAILABLE_RETRY_AFTER)
            case Verdict.CONTENTION | Verdict.TIMEOUT:
                return Busy()
            case Verdict.UNKNOWN_BOOKMARK:
                return InvalidInput(
                    f"{BOOKMARK}: this database has given out no such bookmark.", path=[BOOKMARK]
                )
            case _:
                # The server's message can quote a property's value, so only the code is logged.
                log.error("database_error", code=code, kind=type(error).__name__)
                return InternalError()
