"""Writes the audit.

An act is in it before it is answered: where it cannot be written, the request fails, although the
act is done, and is sent again under its id. Reads are written in batches soon after, so that
they cost the reader nothing; a process that is killed loses those of the last second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import structlog

from graphid.errors import GraphidError
from graphid.graph.database import Database
from graphid.graph.queries import query
from graphid.identity.values import SECOND, Micros
from graphid.service.audit.entries import Entry, Origin, Outcome, position_at, to_row

WRITE_ENTRIES = query("audit/write_entries")
DROP_ENTRIES = query("audit/drop_entries")

log = structlog.get_logger()

DAY = 24 * 3600 * SECOND

BATCH = 500
"""How many entries are written, or dropped, at once."""

MOST_WAITING = 10_000
"""Entries that wait to be written. What comes on top of them is counted, and lost."""

GATHER = 0.5
"""Seconds for which entries are gathered before they are written."""

AT_THE_END = 5.0
"""Seconds for what waits when the process stops."""

DROP_EVERY = 3600.0
"""Seconds between two looks for entries that have had their time."""

LOST = "readsNotRecorded"
"""The action of an entry that stands for those that were lost; it says how many as ``omitted``."""

OURS = Origin(actor="graphid", address="-", agent="", request_id="")
"""Who writes about the audit itself."""

COMMAND_LINE = Origin(actor="command line", address="-", agent="", request_id="")
"""Whoever runs commands beside the service, and has the database's password."""


class Audit:
    """Keeps entries. ``clock`` answers microseconds since 1970 UTC; ``days``: how long. ``most``
    of them wait at a time; ``gather``: seconds for which they do."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], Micros],
        *,
        days: int,
        most: int = MOST_WAITING,
        gather: float = GATHER,
    ) -> None:
        self._database = database
        self._clock = clock
        self._days = days
        self._most = most
        self._gather = gather
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._noted = asyncio.Event()

    def of(self, origin: Callable[[], Origin]) -> Witness:
        """What tells of one request; ``origin`` is asked where there is something to tell."""
        return Witness(self, origin, self._clock)

    async def write(self, entry: Entry) -> None:
        """Write one entry. Raises DatabaseUnavailable or Busy."""
        await self._database.write_rows(WRITE_ENTRIES, batch={"entries": [to_row(entry)]})

    def gather(self, entry: Entry) -> None:
        """Have an entry written soon."""
        if len(self._waiting) >= self._most:
            self._lost += 1
            return
        self._waiting.append(entry)
        self._noted.set()

    async def flush(self) -> None:
        """Write what waits. Raises DatabaseUnavailable or Busy: then it waits on."""
        while self._waiting or self._lost:
            entries = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            lost, self._lost = self._lost, 0
            rows = [to_row(entry) for entry in entries]
            if lost:
                gap = Entry.of(OURS, LOST, Outcome.FAILED, (), at=self._clock())
                rows.append({**to_row(gap), "omitted": lost})
            try:
                await self._database.write_rows(WRITE_ENTRIES, batch={"entries": rows})
            except BaseException:
                self._waiting.extendleft(reversed(entries))
                self._lost += lost
                raise

    async def forget(self) -> int:
        """Drop the entries that have had their time; how many those were."""
        before = position_at(self._clock() - self._days * DAY)
        dropped: int = 0
        while True:
            (row,) = await self._database.write_rows(DROP_ENTRIES, before=before, most=BATCH)
            dropped += row["entries"]
            if row["entries"] < BATCH:
                return dropped

    async def run(self) -> None:
        """Write what is gathered, for ever."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            await asyncio.sleep(self._gather)
            try:
                await self.flush()
            except GraphidError as error:
                self._noted.set()
                log.warning("audit_waits_on", code=error.code, entries=len(self._waiting))

    async def run_forgetting(self) -> None:
        """Drop what has had its time, for ever."""
        while True:
            try:
                await self.forget()
            except GraphidError as error:
                log.warning("audit_not_dropped", code=error.code)
            await asyncio.sleep(DROP_EVERY)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run as long as the block does, and write what waits then."""
        tasks = [
            asyncio.create_task(self.run(), name="audit"),
            asyncio.create_task(self.run_forgetting(), name="forgotten audit"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            try:
                async with asyncio.timeout(AT_THE_END):
                    await self.flush()
            except (GraphidError, TimeoutError) as error:
                log.error("audit_lost", entries=len(self._waiting) + self._lost, exc_info=error)


class Witness:
    """Tells the audit what one request does."""

    __slots__ = ("_audit", "_clock", "_origin")

    def __init__(
        self, audit: Audit, origin: Callable[[], Origin], clock: Callable[[], Micros]
    ) -> None:
        self._audit = audit
        self._origin = origin
        self._clock = clock

    async def record(
        self,
        action: str,
        *,
        subjects: Iterable[str] = (),
        outcome: Outcome = Outcome.DONE,
        operation: str | None = None,
    ) -> None:
        """An act, written when this returns. ``subjects``: ids, and nothing that a client says is
        one (``entries.given_out``). ``operation``: under which it is in the graph.

        Raises DatabaseUnavailable or Busy: then the act may not be answered.
        """
        entry = Entry.of(
            self._origin(), action, outcome, subjects, at=self._clock(), operation=operation
        )
        try:
            await self._audit.write(entry)
        except GraphidError as error:
            log.error("act_not_in_audit", action=action, outcome=outcome.value, code=error.code)
            raise

    def note(
        self, action: str, *, subjects: Iterable[str] = (), outcome: Outcome = Outcome.DONE
    ) -> None:
        """What was read, or what came to nothing: written soon."""
        self._audit.gather(Entry.of(self._origin(), action, outcome, subjects, at=self._clock()))
