"""Traffic as sites send it, and how many events a second are stored of it.

Ours: several senders, each a site's server with visitors of its own, post batches to ``/v1/batch``
as fast as they are answered. Theirs: the bare driver at two connections, the leanest statement that
keeps an event once by its message id, with its cookie and session. Each connection gets the calls
of half of the senders: two that write of the same visitors are in each other's way, and the driver
waits a second before it tries again. Both sides get a few seconds in turn, on the same graph as it
grows, so that what else the machine does falls on both.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from random import Random
from typing import Any, LiteralString, TypeVar
from uuid import uuid4

from graphid.graph.engine import Address
from tests.benchmarks.bare import Bare
from tests.service import Client, Service

SENDERS = 24
"""Connections that post batches; with fewer, the machine has idle time."""
CALLS = 100
"""Of one batch: what servers' SDKs send at most at once, as they come."""
CONNECTIONS = 2
"""Of the bare driver."""
ROWS = 500
"""Of one bare transaction."""
BROWSERS = 20
"""Cookies in one batch."""
WARM_UP = 60.0
"""Seconds of our traffic before the first turn: so long does the database compile what is asked of
it, the rare statements last."""
LONG = 3600.0
"""Seconds that no turn takes: it ends with what there is to send."""
LATE = timedelta(days=2)
"""How long ago what comes late happened."""
MOST_OF_OURS, MOST_OF_THEIRS = 25_000, 60_000
"""Events a second that each side is given."""

S = TypeVar("S")
P = TypeVar("P")

APPEND_ALL: LiteralString = """
UNWIND $rows AS row
MERGE (event:BareEvent {messageId: row.messageId})
  ON CREATE SET event += row
MERGE (cookie:BareCookie {id: row.cookie})
MERGE (session:BareSession {id: row.session})
MERGE (session)-[:ON_COOKIE]->(cookie)
MERGE (event)-[:IN_SESSION]->(session)
"""


@dataclass(frozen=True)
class Mix:
    """Shares of a traffic that are not pages and tracked events that come once and in time."""

    name: str
    identifies: float = 0.0
    logouts: float = 0.0
    repeats: float = 0.0
    late: float = 0.0
    named: bool = False
    """Each says with a user id who is there, as SDKs do after an identify."""
    staying: float = 0.8
    """Of the visitors of a batch, the share that is there in the next."""


PLAIN = Mix("pages and tracks")
NAMED = Mix("pages and tracks, each with the user id of who is there", named=True, staying=0.99)
MIXED = Mix(
    "5 % identifies, 2 % logouts, 20 % repeats, 5 % late",
    identifies=0.05,
    logouts=0.02,
    repeats=0.20,
    late=0.05,
)


@dataclass
class Stored:
    """How many events came in, in how many seconds."""

    events: int = 0
    seconds: float = 0.0

    def add(self, more: Stored) -> None:
        self.events += more.events
        self.seconds += more.seconds

    @property
    def a_second(self) -> float:
        return self.events / self.seconds


@dataclass
class Flow:
    """Both sides of one traffic."""

    mix: Mix
    ours: Stored = field(default_factory=Stored)
    theirs: Stored = field(default_factory=Stored)
    megabytes: list[float] = field(default_factory=list)
    """Of the service, after each turn."""
    busy: float = 0.0
    """Seconds of processor time of the service."""

    @property
    def share(self) -> float:
        """Of what the bare driver stores."""
        return self.ours.a_second / self.theirs.a_second

    def __str__(self) -> str:
        return (
            f"{self.mix.name}: {self.ours.a_second:,.0f} events a second of "
            f"{self.theirs.a_second:,.0f} bare = {self.share:.0%}; service: "
            f"{self.busy * 1e6 / self.ours.events:.0f} us of processor time an event, "
            f"{self.megabytes[0]:.0f} MB after the first turn, {max(self.megabytes):.0f} at most"
        )


class Traffic:
    """Makes calls, as one sender's visitors do."""

    def __init__(self, mix: Mix, seed: int) -> None:
        self._mix = mix
        self._random = Random(seed)
        self._run = uuid4().hex[:8]
        self._number = count()
        self._cookies: list[str] = []
        self._sent: deque[dict[str, Any]] = deque(maxlen=200)

    def batch(self) -> bytes:
        """The body of a request with the next calls."""
        return json.dumps({"batch": self.calls(), "sentAt": datetime.now(UTC).isoformat()}).encode()

    def calls(self) -> list[dict[str, Any]]:
        """The next calls of those who are there."""
        # Each visitor stays for a few batches, and another takes their place.
        self._cookies = [c for c in self._cookies if self._random.random() < self._mix.staying]
        while len(self._cookies) < BROWSERS:
            self._cookies.append(f"{self._run}-{next(self._number)}")
        now = datetime.now(UTC)
        return [self._call(now) for _ in range(CALLS)]

    def _call(self, now: datetime) -> dict[str, Any]:
        random = self._random
        if self._sent and random.random() < self._mix.repeats:
            return random.choice(self._sent)
        cookie = random.choice(self._cookies)
        at = now - (LATE if random.random() < self._mix.late else timedelta())
        number = next(self._number)
        call = {
            "messageId": f"ajs-{self._run}-{number}",
            "anonymousId": cookie,
            "timestamp": at.isoformat(),
            "context": {
                "device": {"id": f"d-{cookie}"},
                "library": {"name": "analytics.js", "version": "next-1.70.0"},
                "locale": "en-GB",
                "page": {"path": "/", "title": "A page", "url": "https://shop.example/"},
            },
        }
        call |= self._said(random.random(), cookie, number)
        if self._mix.named:
            call["userId"] = f"u-{cookie}"
        self._sent.append(call)
        return call

    def _said(self, share: float, cookie: str, number: int) -> dict[str, Any]:
        mix = self._mix
        if share < mix.identifies:
            return {"type": "identify", "userId": f"u-{cookie}", "traits": {"firstName": "Jo"}}
        if share < mix.identifies + mix.logouts:
            return {"type": "track", "event": "Signed Out", "properties": {}}
        if number % 2:
            return {"type": "page", "properties": {"url": f"https://shop.example/{number}"}}
        return {
            "type": "track",
            "event": "Product Viewed",
            "properties": {"sku": f"sku-{number % 999}", "price": 12.5, "currency": "EUR"},
        }


def measured(address: Address, service: Service, mix: Mix, *, seconds: float, turns: int) -> Flow:
    """``turns`` times, each side as many ``seconds``, after some that do not count."""
    flow = Flow(mix)
    traffics = [Traffic(mix, seed) for seed in range(SENDERS)]
    halves = [cycle(traffics[number::CONNECTIONS]) for number in range(CONNECTIONS)]
    clients = [service.client() for _ in range(SENDERS)]
    bares = [Bare(address) for _ in range(CONNECTIONS)]
    with ThreadPoolExecutor(SENDERS) as threads:
        for turn in range(-max(1, round(WARM_UP / seconds)), turns):
            bodies = _bodies(traffics, int(seconds * MOST_OF_OURS))
            busy = service.busy_seconds
            ours = _run(threads, seconds, clients, bodies, _post)
            busy = service.busy_seconds - busy
            if turn < -1:
                continue
            transactions = int(seconds * MOST_OF_THEIRS / ROWS / CONNECTIONS)
            rows = [iter([_rows(half) for _ in range(transactions)]) for half in halves]
            theirs = _run(threads, seconds, bares, rows, _append)
            if turn >= 0:
                flow.ours.add(ours)
                flow.theirs.add(theirs)
                flow.busy += busy
                flow.megabytes.append(service.megabytes)
    for bare in bares:
        bare.close()
    return flow


def as_it_grows(service: Service, events: int, *, steps: int = 10) -> Iterator[str]:
    """How fast pages and tracked events are stored until there are so many, step by step."""
    traffics = [Traffic(PLAIN, seed) for seed in range(SENDERS)]
    clients = [service.client() for _ in range(SENDERS)]
    stored = Stored()
    with ThreadPoolExecutor(SENDERS) as threads:
        while stored.events < events:
            step = Stored()
            while step.events < events / steps:
                bodies = _bodies(traffics, events // steps // 4)
                step.add(_run(threads, LONG, clients, bodies, _post))
            stored.add(step)
            yield (
                f"up to {stored.events:,} events: {step.a_second:,.0f} a second, "
                f"{service.megabytes:.0f} MB"
            )


def _post(client: Client, body: bytes) -> int:
    answer = client.send("/v1/batch", body)
    assert not answer["errors"], answer
    return int(answer["accepted"])


def _bodies(traffics: Sequence[Traffic], events: int) -> list[Iterator[bytes]]:
    """So many events, or some more, as each sender has them to send."""
    batches = events // CALLS // len(traffics) + 1
    return [iter([traffic.batch() for _ in range(batches)]) for traffic in traffics]


def _rows(traffics: Iterator[Traffic]) -> list[dict[str, Any]]:
    """What a batch of the bare driver holds: one of each sender's, in turn."""
    calls = [call for _ in range(ROWS // CALLS) for call in next(traffics).calls()]
    return [
        {
            "messageId": call["messageId"],
            "cookie": call["anonymousId"],
            "session": f"s-{call['anonymousId']}",
            "type": call["type"],
            "occurredAt": call["timestamp"],
            "detail": json.dumps(call.get("properties")),
        }
        for call in calls
    ]


def _append(bare: Bare, rows: list[dict[str, Any]]) -> int:
    bare.write(APPEND_ALL, rows=rows)
    return len(rows)


def _run(
    threads: ThreadPoolExecutor,
    seconds: float,
    senders: Sequence[S],
    pieces: Sequence[Iterator[P]],
    send: Callable[[S, P], int],
) -> Stored:
    """What the senders have stored in so many seconds, all at it, each of its own pieces."""
    ends = time.perf_counter() + seconds

    def work(sender: S, left: Iterator[P]) -> int:
        stored = 0
        for piece in left:
            stored += send(sender, piece)
            if time.perf_counter() >= ends:
                break  # the seconds are counted as they were
        return stored

    started = time.perf_counter()
    events = sum(threads.map(work, senders, pieces))
    return Stored(events, time.perf_counter() - started)
