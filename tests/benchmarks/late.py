"""How far late evidence reaches: steps that are done again, in a history of a whole town."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from time import process_time

from graphid.identity.ids import Ids
from graphid.identity.policy import DEFAULT
from graphid.identity.values import Place
from tests.benchmarks.town import Town
from tests.graph.in_memory import InMemory


@dataclass(frozen=True)
class Reached:
    """Steps of stored evidence that one late piece caused, over all late pieces."""

    pieces: int
    late: int
    median: int
    p99: int
    most: int
    seconds: float
    """CPU seconds for all pieces."""


def reach_of_late_evidence(pieces: int, *, late: float = 0.1) -> Reached:
    """Take a town's history in, a piece at a time, following changes forward."""
    store = InMemory(DEFAULT, Ids(b"a benchmark"))
    town = Town(max(pieces // 10, 10), Random(1))
    steps: list[int] = []
    began = process_time()

    async def take_all() -> None:
        newest: Place = ""
        for piece in town.evidence(pieces, late=late):
            await store.take([piece])
            if piece.place < newest:
                steps.append(store.steps_again[-1])
            newest = max(newest, piece.place)

    asyncio.run(take_all())
    steps.sort()
    return Reached(
        pieces=pieces,
        late=len(steps),
        median=steps[len(steps) // 2],
        p99=steps[int(len(steps) * 0.99)],
        most=steps[-1],
        seconds=process_time() - began,
    )
