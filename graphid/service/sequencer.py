"""The job that numbers what changed: one process at a time, whoever holds the lease.

Whoever writes takes no lock for it, so that no identify waits for another; the numbers are given
after the commit, in small batches. A process that dies holding the lease is followed by another
when its time is over; and one that lost it without noticing gives no number.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic

import structlog

from graphid.errors import GraphidError
from graphid.graph.database import Database
from graphid.graph.lease import Lease
from graphid.graph.log import DROP_LINES, FIND_WAITING, LEASE, NUMBER_CHANGES

log = structlog.get_logger()

LEASE_SECONDS = 3.0
"""How long changes wait at most where the process that numbers them is killed."""

LOOK_EVERY = 0.2
"""Seconds between two looks for what another process wrote."""

STAND_BY = 0.5
"""Seconds between two looks for a lease that is free."""

GATHER = 0.05
"""Seconds between two looks at the least, in which changes gather."""

BATCH = 500
"""How many are numbered in one transaction."""


KEPT_LINES = 50_000
"""Lines that keep their numbers: far more than are written between two looks of a reader."""

DROPPED_AT_ONCE = 10_000


class Sequencer:
    """Numbers changes, as long as it holds the lease.

    ``elapsed`` answers seconds from any beginning, which never go back; ``on_numbered`` is called
    when numbers were given here.
    """

    def __init__(
        self,
        database: Database,
        *,
        holder: str | None = None,
        seconds: float = LEASE_SECONDS,
        batch: int = BATCH,
        elapsed: Callable[[], float] = monotonic,
        on_numbered: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._lease = Lease(database, LEASE, holder or uuid.uuid4().hex, seconds=seconds)
        self._seconds = seconds
        self._batch = batch
        self._elapsed = elapsed
        self.on_numbered = on_numbered
        self._term: int | None = None
        self._keep_at = 0.0
        self._dropped = 0
        """Up to which line numbers were taken back from here."""
        self._flows = False
        """Whether something was numbered the last time."""
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was written here: number it now."""
        self._woken.set()

    @property
    def is_holder(self) -> bool:
        """Whether this process gives the numbers, as far as it knows."""
        return self._term is not None

    async def turn(self) -> int:
        """Take the lease, or keep it, and number what waits; how many were numbered.

        Raises DatabaseUnavailable or Busy: then nobody knows who holds the lease.
        """
        if not await self._hold():
            return 0
        # Much that is written changes nobody: a look costs less than a transaction that writes. But
        # where there was something a moment ago there mostly is something again.
        self._woken.clear()
        numbered = await self._number() if self._flows or await self._is_waiting() else 0
        self._flows = numbered > 0
        return numbered

    async def _hold(self) -> bool:
        if self._term is None and not await self._lease.is_free():
            return False
        if self._term is None or self._elapsed() >= self._keep_at:
            asked_at = self._elapsed()
            self._term = await self._lease.take()
            self._keep_at = asked_at + self._seconds / 3
        return self._term is not None

    async def _is_waiting(self) -> bool:
        (row,) = await self._database.read_rows(FIND_WAITING)
        return bool(row["waiting"])

    async def _number(self) -> int:
        assert self._term is not None
        asked_at = self._elapsed()
        rows = await self._database.write_rows(
            NUMBER_CHANGES, lease=self._lease.told(self._term), most=self._batch
        )
        if not rows:
            self._term = None  # another process has it
            return 0
        self._keep_at = asked_at + self._seconds / 3
        numbered: int = rows[0]["numbered"]
        if numbered:
            self.on_numbered()
        await self._drop_lines(rows[0]["line"] - KEPT_LINES)
        return numbered

    async def _drop_lines(self, before: int) -> None:
        if before - self._dropped < DROPPED_AT_ONCE:
            return
        await self._database.write_rows(DROP_LINES, before=before, most=DROPPED_AT_ONCE)
        self._dropped += DROPPED_AT_ONCE

    async def run(self) -> None:
        """Number whatever is written, for ever."""
        while True:
            try:
                numbered = await self.turn()
            except GraphidError as error:
                self._term, numbered = None, 0
                log.warning("changes_not_numbered", code=error.code)
            if numbered == self._batch:
                continue
            await asyncio.sleep(GATHER)
            await self._wait()

    async def _wait(self) -> None:
        if self._term is None:
            # Who is woken here can do nothing: whoever holds the lease looks by itself.
            await asyncio.sleep(STAND_BY)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await self._woken.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run as long as the block does, and let the lease go."""
        task = asyncio.create_task(self.run(), name="sequencer")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            if self._term is not None:
                with suppress(GraphidError):
                    await self._lease.give()
