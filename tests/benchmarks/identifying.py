"""Identifies one by one, of many clients at once: each of somebody else, and all of one person.

Beside them the bare driver, at as many connections, with one claim-and-merge transaction each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from statistics import quantiles
from typing import Any
from uuid import uuid4

from graphid.graph.engine import Address
from graphid.identity.values import Kind, place
from tests.benchmarks.bare import CLAIM_AND_MERGE, Bare
from tests.service import Service

CLIENTS = 8
TURN = 5.0
"""Seconds of one kind before it is another's turn."""

IDENTIFY = """mutation ($input: IdentifyInput!) {
  identify(input: $input) { __typename ... on Identified { duplicate } }
}"""


@dataclass
class Rate:
    """How many were answered in how many seconds, and how long each took, in milliseconds."""

    taken: list[float]
    seconds: float

    @property
    def a_second(self) -> float:
        return len(self.taken) / self.seconds

    def at(self, percent: int) -> float:
        return quantiles(self.taken, n=100)[percent - 1]

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.taken + other.taken, self.seconds + other.seconds)


def rates_of_identifies(address: Address, service: Service, *, turns: int) -> list[str]:
    """What was measured, as lines; each kind has a turn that does not count."""
    clients = [service.client() for _ in range(CLIENTS)]
    bares = [Bare(address) for _ in range(CLIENTS)]
    run, number = uuid4().hex[:8], count()

    def identify(user: str | None) -> Callable[[Any], None]:
        def send(client: Any) -> None:
            id = f"{run}-{next(number)}"
            context = {"messageId": f"m-{id}", "cookieId": f"c-{id}", "deviceId": f"d-{id}"}
            said = [{"type": "user_id", "value": user or id}]
            found = client.graphql(IDENTIFY, input={"context": context, "identifiers": said})
            assert found["identify"]["duplicate"] is False, found

        return send

    def merge(bare: Any) -> None:
        id, at = f"{run}-{next(number)}", time.time_ns() // 1000
        bare.write(
            CLAIM_AND_MERGE,
            messageId=f"m-{id}",
            cookie=f"c-{id}",
            identifier=f"user_id:{id}",
            position=place(at, Kind.EVENT, id),
            at=at,
            detail="{}",
        )

    hot = f"{run}-hot"
    kinds: dict[str, tuple[list[Any], Callable[[Any], None]]] = {
        "distinct": (clients, identify(None)),
        "bare": (bares, merge),
        "one alone": (clients[:1], identify(f"{run}-alone")),
        "hot": (clients, identify(hot)),
    }
    rates: dict[str, Rate] = {}
    with ThreadPoolExecutor(CLIENTS) as threads:
        for turn in range(turns + 1):
            for name, (senders, send) in kinds.items():
                rate = _run(threads, senders, send)
                if turn:
                    rates[name] = rates[name] + rate if name in rates else rate
    for bare in bares:
        bare.close()
    distinct, theirs, alone, crowd = (rates[name] for name in kinds)
    return [
        f"identify, {CLIENTS} clients, distinct people: {distinct.a_second:,.0f} a second of "
        f"{theirs.a_second:,.0f} bare = {distinct.a_second / theirs.a_second:.0%} (at least 40 %); "
        f"p50 {distinct.at(50):.1f} ms, p99 {distinct.at(99):.1f} ms = "
        f"{distinct.at(99) / distinct.at(50):.1f} x (below 5)",
        f"identify, {CLIENTS} clients, one person: {crowd.a_second:,.0f} a second, "
        f"{crowd.a_second / alone.a_second:.2f} of one client's {alone.a_second:,.0f} "
        "(at least half); none failed",
    ]


def _run(threads: ThreadPoolExecutor, senders: list[Any], send: Callable[[Any], None]) -> Rate:
    ends = time.perf_counter() + TURN

    def work(sender: Any) -> list[float]:
        taken = []
        while (began := time.perf_counter()) < ends:
            send(sender)
            taken.append((time.perf_counter() - began) * 1000)
        return taken

    started = time.perf_counter()
    taken = [each for part in threads.map(work, senders) for each in part]
    return Rate(taken, time.perf_counter() - started)
