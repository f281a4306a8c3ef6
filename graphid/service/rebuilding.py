"""A policy is applied to the evidence that is there and is stamped with a lower version.

Readers are not disturbed: each transaction takes whole components of the graph from one policy
to the other. Whoever interrupts it can go on later: what is stamped with the new version is done.
So is what is stamped with a later one, which somebody set meanwhile: it ends, and the later wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

from graphid.graph.database import Database, Unit
from graphid.graph.policies import FRESH, Policies
from graphid.graph.restamping import find_stale, restamp, restamp_marks, restamp_parked
from graphid.graph.verifying import Progress
from graphid.identity.ids import Ids
from graphid.identity.values import Place

AT_ONCE = 250
"""How many pieces of evidence, of small components, one transaction takes."""

MOST = 2_000
"""How many of a large component. Past that it is taken in parts, the oldest first, and readers
can meet both policies in it."""

LONGEST = 3600.0
"""Seconds that one transaction may take."""

ACTOR = "graphid rebuild"
"""Who sets the policy."""


@dataclass(frozen=True)
class Rebuilt:
    """``version`` is applied to all evidence that no later one had; to ``pieces`` of it, now, in so
    many seconds. ``in_force`` at the end: it, or a later one that was set meanwhile."""

    version: int
    pieces: int
    seconds: float
    in_force: int


async def rebuild(
    database: Database,
    policies: Policies,
    ids: Ids,
    progress: Progress,
    document: Any,
    *,
    patience: float = 2 * FRESH,
) -> Rebuilt:
    """Set the policy, unless it is in force already, and apply it to all evidence that no later
    version has been applied to meanwhile.

    ``patience``: seconds after which every process has noticed that the policy is another.
    Raises InvalidPolicy, and then nothing has changed; DatabaseUnavailable or Busy: what was done
    by then is, and the rest can be done later, by the same call.
    """
    started = monotonic()
    version = (await policies.set(document, ACTOR)).version
    pieces = 0
    is_known = False
    while True:
        while restamped := await _restamp_marks(database, version, policies, ids):
            pieces += restamped
        stale = await find_stale(database, version)
        if not stale.pieces:
            if is_known:
                # Another process may have set it: what this one knows can be a second old.
                in_force = (await Policies(database).current()).version
                return Rebuilt(version, pieces, monotonic() - started, in_force)
            # Whatever was recorded just now could be stamped with the version before.
            await asyncio.sleep(patience)
            is_known = True
            continue
        progress.begin("pieces of evidence", stale.pieces)
        for id in stale.parked:
            pieces += await _restamp_parked(database, id, version)
            progress.advance(1)
        for places in packed(stale.components):
            pieces += await _restamp(database, places, version, policies, ids)
            progress.advance(len(places))


async def _restamp(
    database: Database, places: list[Place], version: int, policies: Policies, ids: Ids
) -> int:
    async def work(unit: Unit) -> int:
        return await restamp(unit, places, version, policies.of, ids)

    return await database.write(work, timeout=LONGEST)


async def _restamp_marks(database: Database, version: int, policies: Policies, ids: Ids) -> int:
    async def work(unit: Unit) -> int:
        return await restamp_marks(unit, version, policies.of, ids, most=AT_ONCE)

    return await database.write(work, timeout=LONGEST)


async def _restamp_parked(database: Database, id: str, version: int) -> int:
    async def work(unit: Unit) -> int:
        return await restamp_parked(unit, id, version)

    return await database.write(work, timeout=LONGEST)


def packed(components: Iterable[list[Place]]) -> Iterator[list[Place]]:
    """What one transaction each takes: small components together, large ones in parts."""
    together: list[Place] = []
    for component in components:
        if len(together) + len(component) > AT_ONCE and together:
            yield together
            together = []
        for first in range(0, len(component), MOST):
            part = component[first : first + MOST]
            if len(part) >= AT_ONCE:
                yield part  # alone: what was gathered before it waits for others
            else:
                together += part
    if together:
        yield together
