"""Erasures after their transaction: the events go in batches, and what was parked is done.

The transaction of an erasure notes where the events lie; the note goes with the last of them. So
a crash loses nothing, and any number of processes may be at it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import structlog

from graphid.errors import GraphidError, NotFound, Refused
from graphid.graph.database import Database, Unit
from graphid.graph.memory import Reached, evidence_decoder
from graphid.graph.policies import Policies
from graphid.graph.queries import query
from graphid.graph.rehearsal import Within
from graphid.identity.ids import Ids
from graphid.identity.values import Erase, Micros
from graphid.service.operations.erase import Erasing
from graphid.service.operations.proposing import Header
from graphid.service.operations.seeing import Seen
from graphid.service.reads import Reads

LIST_PENDING = query("erasures/list_pending")
TAKE_ERASURE = query("erasures/take_erasure")
ERASE_EVENTS = query("erasures/erase_events")
ERASE_CHATS = query("erasures/erase_chats")
LEAVE_RANGES = query("erasures/leave_ranges")
TAKE_PARKED = query("erasures/take_parked")
RECORD_ANSWER = query("operations/record_answer")
DROP_PARKED = query("erasures/drop_parked")

log = structlog.get_logger()

BATCH = 500
"""How many events one unit of work erases."""

AT_ONCE = 4_000
"""How many events a request erases; the job does the rest."""

_ranges = msgspec.json.Decoder(list[dict[str, Any]])


class Erasures:
    """Finishes erasures. ``clock`` answers microseconds since 1970 UTC."""

    def __init__(
        self,
        database: Database,
        policies: Policies,
        ids: Ids,
        clock: Callable[[], Micros],
        *,
        batch: int = BATCH,
    ) -> None:
        self._database = database
        self._policies = policies
        self._ids = ids
        self._clock = clock
        self._batch = batch

    async def erase_events(self, id: str, *, most: int | None = None) -> bool:
        """Erase the events of an erasure, about ``most`` of them; True when all are gone.

        ``id``: of the evidence. Raises DatabaseUnavailable or Busy: what is left is for later.
        """
        erased = 0
        while most is None or erased < most:
            events = await self._database.write(lambda unit: self._erase_batch(unit, id))
            if events is None:
                return True
            erased += events
        return False

    async def _erase_batch(self, unit: Unit, id: str) -> int | None:
        """Erase some events, the first ones that are left; None: there are none."""
        taken = await unit.rows(TAKE_ERASURE, id=id)
        if not taken:
            return None
        ranges, until = _ranges.decode(taken[0]["ranges"]), taken[0]["since"]
        erased = 0
        while ranges and erased < self._batch:
            most = self._batch - erased
            (row,) = await unit.rows(ERASE_EVENTS, range=ranges[0], until=until, most=most)
            erased += row["events"]
            if row["chats"]:
                await unit.run(ERASE_CHATS, ids=row["chats"])
            if row["events"] == most:
                break
            ranges.pop(0)
        left = msgspec.json.encode(ranges).decode() if ranges else None
        await unit.run(LEAVE_RANGES, id=id, ranges=left)
        return erased

    async def finish_all(self) -> int:
        """Erase what events are left of all erasures; how many erasures that finished.

        What fails is left for the next time, and is in nobody's way.
        """
        finished = 0
        passed: list[str] = []
        while rows := await self._database.read_rows(LIST_PENDING, passed=passed):
            id = rows[0]["id"]
            passed.append(id)
            try:
                finished += await self.erase_events(id)
            except GraphidError as error:
                log.error("erasure_waits_on", erasure=id, code=error.code)
        return finished

    async def finish_parked(self, unit: Unit, id: str, reached: Reached) -> bool:
        """Do an erasure that was parked; False where that is none, or is not pending (any more).

        ``reached``: what earlier attempts met; it takes in what this one meets.
        """
        rows = await unit.rows(TAKE_PARKED, id=id)
        if not rows:
            return False
        answer = rows[0]["answer"]
        piece = cast(Erase, evidence_decoder.decode(rows[0]["body"]))
        within = Within(unit)
        reads = Reads.on(within, self._policies, clock=self._clock)
        seen = Seen(within, reads, (await self._policies.current()).policy)
        erasing = Erasing(
            unit, seen, self._policies.of, self._ids, self._clock, most=None, reached=reached
        )
        header = Header(
            id=id,
            recorded_at=piece.recorded_at,
            actor=piece.actor or "",
            reason=piece.reason,
            policy=piece.policy,
        )
        subject = rows[0]["subject"]
        try:
            found = await erasing.prepare(subject)
        except (NotFound, Refused):
            # Another erasure was first.
            await unit.run(DROP_PARKED, id=id)
            return True
        # It is recorded anew, with what is theirs by now.
        await unit.run(DROP_PARKED, id=id)
        await erasing.do(found, header, rows[0]["digest"], count=False, subject=subject)
        await unit.run(RECORD_ANSWER, id=id, answer=answer)
        return True
