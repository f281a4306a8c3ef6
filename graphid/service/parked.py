"""The job that finishes parked evidence: what would have kept a request waiting too long.

Any number of processes may run it. Evidence is pending until its effect is committed, so a crash
loses nothing, and of two that take the same piece the second finds it done.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from graphid.errors import GraphidError
from graphid.graph.database import Database, Unit
from graphid.graph.evidence import PolicyOf
from graphid.graph.memory import Reached
from graphid.graph.parked import find_parked, finish_parked
from graphid.identity.ids import Ids
from graphid.service.beside import beside
from graphid.service.erasures import Erasures

log = structlog.get_logger()

LONGEST = 3600.0
"""Seconds that one piece of evidence may take."""

LOOK_EVERY = 5.0
"""Seconds between two looks for what another process parked."""


class Parked:
    """Finishes what is parked, the oldest first.

    ``look_every``: seconds between two looks, where nobody says that something was parked.
    ``on_written`` is called when something was finished.
    """

    def __init__(
        self,
        database: Database,
        policy_of: PolicyOf,
        ids: Ids,
        *,
        erasures: Erasures | None = None,
        look_every: float = LOOK_EVERY,
        longest: float = LONGEST,
        on_written: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._policy_of = policy_of
        self._ids = ids
        self._erasures = erasures
        self._look_every = look_every
        self._longest = longest
        self._on_written = on_written
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was parked: look now."""
        self._woken.set()

    async def finish(self, id: str) -> bool:
        """Finish one piece of evidence; False where it is not pending (any more).

        Raises DatabaseUnavailable or Busy: then it stays pending.
        """
        reached = Reached()

        async def work(unit: Unit) -> bool:
            if self._erasures is not None and await self._erasures.finish_parked(unit, id, reached):
                return True
            return await finish_parked(unit, id, self._policy_of, self._ids, reached)

        done = await self._database.write(work, timeout=self._longest)
        self._on_written()
        return done

    async def finish_all(self) -> int:
        """Finish what is parked now; how many pieces of evidence that were.

        What fails is left for the next time, and is in nobody's way.
        """
        finished = 0
        passed: set[str] = set()
        while (id := await find_parked(self._database, passed)) is not None:
            passed.add(id)
            try:
                finished += await self.finish(id)
            except GraphidError as error:
                log.error("parked_evidence_waits_on", evidence=id, code=error.code)
        return finished

    async def run(self) -> None:
        """Finish whatever is parked, for ever."""
        while True:
            self._woken.clear()
            try:
                await self.finish_all()
                if self._erasures is not None:
                    await self._erasures.finish_all()
            except GraphidError as error:
                log.warning("parked_evidence_not_found", code=error.code)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every):
                    await self._woken.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run as long as the block does. What is under way then is given up, and stays pending."""
        async with beside(self.run(), "parked evidence"):
            yield
