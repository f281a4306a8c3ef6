"""Start a database and the service, measure, and print ratios."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from graphid.graph.engine import Address, TerminalProgress, running_database
from graphid.identity.values import Kind, place
from tests.benchmarks.bare import APPEND, CLAIM_AND_MERGE, JOURNEY_PAGE, Bare
from tests.benchmarks.clusters import AROUND_KIOSK, OF_300, Clusters
from tests.benchmarks.crowd import CROWDED, FULL, Crowd
from tests.benchmarks.fold import pieces_a_second
from tests.benchmarks.identifying import rates_of_identifies
from tests.benchmarks.known import KNOWN, known_beside_unknown
from tests.benchmarks.late import reach_of_late_evidence
from tests.benchmarks.load import compared
from tests.benchmarks.operations import Operations
from tests.benchmarks.reading import BY_IDENTIFIER, OPENING, what_agents_ask
from tests.benchmarks.subscribers import deliveries
from tests.benchmarks.timing import Compared, compare
from tests.benchmarks.tokens import milliseconds_of_a_validation
from tests.benchmarks.traffic import MIXED, NAMED, PLAIN, as_it_grows, measured
from tests.benchmarks.trips import trips_of_an_identify
from tests.benchmarks.verified import told_of
from tests.service import PUBLISHABLE_KEY, Client, Service, running_service

IDENTIFY = """mutation ($input: IdentifyInput!) {
  identify(input: $input) { __typename ... on Identified { duplicate } }
}"""
IDENTIFY_AND_READ = """mutation ($input: IdentifyInput!) {
  identify(input: $input) {
    __typename
    ... on Identified { duplicate created switched person { id displayName } links { id } }
  }
}"""
PAGE = """mutation ($input: PageInput!) {
  page(input: $input) { __typename ... on EventAccepted { duplicate } }
}"""
PERSON = """query ($value: String!) { personByIdentifier(type: "user_id", value: $value) { id } }"""
JOURNEY = """query ($id: ID!) {
  person(id: $id) {
    journey(first: 50) {
      edges { cursor node { id type occurredAt messageId detail attribution { basis } } }
      pageInfo { hasNextPage }
    }
  }
}"""

CREATE_KEY = """mutation ($input: CreateKeyInput!) {
  createKey(input: $input) { ... on IssuedKey { text } }
}"""
LIMITED = {
    "name": "of the benchmark",
    "kind": "PUBLISHABLE",
    "limits": {
        "requestsPerSecond": 100_000,
        "eventsPerSecond": 1_000_000,
        "concurrentRequests": 100,
        "costPerMinute": 1_000_000_000,
    },
}
STORED = "identify, a key of the graph with limits beside one of the settings"

SMALL, LARGE = 100, 100_000
"""Events of the two people whose journeys are read."""
BATCH = 1000
ACTS = 50
"""Turns of what operators do, at most: each leaves a judgement behind."""
MANY = 1_000_000
"""Events of others in the graph, which a journey is read beside."""
LATE = 100_000
"""Pieces of evidence in the history of which a tenth comes late."""
KIOSK_VISITORS = 100_000
TURN = 10.0
"""Seconds of traffic before it is the other side's turn."""
WARM_UP = 1000
"""Turns of each write before the first that counts; after fewer, the second half is faster."""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    options.add_argument("--times", type=int, default=500, help="turns of each comparison")
    options.add_argument("--events", type=int, default=LARGE, help="of the larger person")
    options.add_argument(
        "--verify", type=int, metavar="PIECES", help="only graphid verify, of so much evidence"
    )
    options.add_argument(
        "--crowd", type=int, metavar="EVENTS", help="only journeys in a graph of so many events"
    )
    options.add_argument(
        "--clusters", type=int, metavar="VISITORS", help="only clusters, around a kiosk of so many"
    )
    options.add_argument(
        "--traffic", type=float, metavar="SECONDS", help="only traffic, each kind for so long"
    )
    options.add_argument(
        "--load", type=int, metavar="EVENTS", help="only graphid load, of so many events"
    )
    options.add_argument(
        "--growth", type=int, metavar="EVENTS", help="only traffic, until there are so many events"
    )
    options.add_argument("--subscribers", action="store_true", help="only subscriptions")
    chosen = options.parse_args()
    alone: dict[str, Callable[[Any], None]] = {
        "verify": lambda pieces: _verify(pieces, chosen.events),
        "crowd": lambda events: _crowd(events, chosen.times),
        "clusters": lambda visitors: _clusters(visitors, chosen.times),
        "traffic": _traffic,
        "growth": _growth,
        "load": _load,
        "subscribers": lambda _: _subscribers(),
    }
    for name, measure in alone.items():
        if asked := getattr(chosen, name):
            measure(asked)
            return
    _all(chosen.times, chosen.events)


def _all(times: int, events: int) -> None:
    with TerminalProgress() as progress, _service(progress) as (address, service):
        at_rest = service.megabytes
        with closing(Bare(address)) as bare:
            progress.step("measuring writes")
            found = [*_writes(service, bare, times)]
            progress.step(f"sending {events:,} events of one person")
            journeys = _Journeys(service, bare, events)
            progress.step("measuring journeys")
            found += journeys.measured(times)
            found[-1:-1] = journeys.opened(times)
            progress.step(f"measuring journeys among {MANY:,} events")
            found[-1:-1] = Crowd(service.client(), bare).measured(times, MANY)
            progress.step("measuring what operators do")
            found[-1:-1] = journeys.operations(min(times, ACTS))
            progress.step(f"measuring clusters, around {KIOSK_VISITORS:,} visitors, too")
            found[-1:-1] = Clusters(service, bare, KIOSK_VISITORS).measured(times)
            progress.step("measuring what a browser's identify tells by its time")
            found[-1:-1] = known_beside_unknown(service, times)
            trips = trips_of_an_identify(address)
        _show(found, journeys, at_rest, service.megabytes, trips)


def _clusters(visitors: int, times: int) -> None:
    with (
        TerminalProgress() as progress,
        _service(progress) as (address, service),
        closing(Bare(address)) as bare,
    ):
        progress.step(f"writing {visitors:,} visitors")
        clusters = Clusters(service, bare, visitors)
        progress.step("measuring clusters")
        _print_table([*clusters.measured(times)])


def _traffic(seconds: float) -> None:
    with TerminalProgress() as progress, _service(progress) as (address, service):
        for mix in (PLAIN, NAMED, MIXED):
            progress.step(f"sending {mix.name}")
            turns = max(1, round(seconds / TURN))
            print(measured(address, service, mix, seconds=seconds / turns, turns=turns))
        progress.step("identifying")
        for line in rates_of_identifies(address, service, turns=3):
            print(line)


def _growth(events: int) -> None:
    with TerminalProgress() as progress, _service(progress) as (_, service):
        progress.step("sending pages and tracks")
        for line in as_it_grows(service, events):
            print(line, flush=True)


def _load(events: int) -> None:
    for line in compared(events):
        print(line)


def _subscribers() -> None:
    with TerminalProgress() as progress, _service(progress) as (_, service):
        progress.step("telling subscribers of changes")
        print(deliveries(service))


def _verify(pieces: int, events: int) -> None:
    with (
        TerminalProgress() as progress,
        TemporaryDirectory(prefix="graphid-bench-") as folder,
        running_database(data_dir=Path(folder), progress=progress) as address,
    ):
        data = Path(folder)
        for line in told_of(address, data, progress, pieces=pieces, events=events):
            print(line)


def _crowd(events: int, times: int) -> None:
    with (
        TerminalProgress() as progress,
        _service(progress) as (address, service),
        closing(Bare(address)) as bare,
    ):
        for row in Crowd(service.client(), bare).measured(times, events):
            print(f"{row.name}: {row.ours.p50:.2f} ms / {row.theirs.p50:.2f} ms = {row.ratio:.2f}")


@contextmanager
def _service(progress: TerminalProgress) -> Iterator[tuple[Address, Service]]:
    with (
        TemporaryDirectory(prefix="graphid-bench-") as folder,
        running_database(data_dir=Path(folder), progress=progress) as address,
        running_service(address, Path(folder)) as service,
    ):
        yield address, service


class _Fresh:
    """New ids and times for each turn."""

    def __init__(self) -> None:
        self._number = count()
        self._run = uuid4().hex[:8]

    def context(self) -> dict[str, Any]:
        """A GraphQL context of a cookie that nobody has seen."""
        id = self.id()
        return {"messageId": f"m-{id}", "cookieId": f"c-{id}", "deviceId": f"d-{id}"}

    def bare(self) -> dict[str, Any]:
        """The parameters of a bare statement about such a cookie."""
        id, at = self.id(), time.time_ns() // 1000
        return {
            "messageId": f"m-{id}",
            "cookie": f"c-{id}",
            "identifier": f"email:{id}@example.com",
            "position": place(at, Kind.EVENT, id),
            "at": at,
            "detail": json.dumps({"url": f"https://shop.example/{id}", "title": "A page"}),
        }

    def id(self) -> str:
        return f"{self._run}-{next(self._number)}"


def _writes(service: Service, bare: Bare, times: int) -> Iterator[Compared]:
    fresh = _Fresh()
    browser, server = service.client(PUBLISHABLE_KEY), service.client()

    def identify(client: Client, document: str) -> None:
        context = fresh.context()
        traits = {"email": f"{context['cookieId']}@example.com", "firstName": "Jane"}
        client.graphql(document, input={"context": context, "traits": traits})

    def page(_turn: int) -> None:
        said = {"url": "https://shop.example/a", "title": "A page"}
        browser.graphql(PAGE, input={"context": fresh.context(), **said})

    def merge(_turn: int) -> None:
        bare.run(CLAIM_AND_MERGE, **fresh.bare())

    def append(_turn: int) -> None:
        bare.run(APPEND, **fresh.bare())

    for turn in range(WARM_UP):
        # The database compiles what is asked often: all of it, before anything is measured.
        identify(server, IDENTIFY_AND_READ)
        page(turn)
        merge(turn)
        append(turn)
    sizes: Any = {"times": times, "warm_up": 20, "busy": lambda: service.busy_seconds}
    yield compare("identify", lambda _: identify(browser, IDENTIFY), merge, **sizes)
    yield compare(
        "identify, and read the person",
        lambda _: identify(server, IDENTIFY_AND_READ),
        merge,
        **sizes,
    )
    yield compare("page", page, append, **sizes)
    limited = service.client(server.graphql(CREATE_KEY, input=LIMITED)["createKey"]["text"])
    yield compare(
        STORED,
        lambda _: identify(limited, IDENTIFY),
        lambda _: identify(browser, IDENTIFY),
        times=times,
        warm_up=20,
    )


class _Journeys:
    """Two people, of few events and of many, and a page of 50 of each one's journey."""

    def __init__(self, service: Service, bare: Bare, events: int) -> None:
        self._client = service.client()
        self._service = service
        self._bare = bare
        self.events = events
        started = time.perf_counter()
        self._large = self._make("large", events)
        self.events_a_second = events / (time.perf_counter() - started)
        self._small = self._make("small", SMALL)

    def measured(self, times: int) -> list[Compared]:
        sizes: Any = {"times": times, "warm_up": 100}
        return [
            compare(
                "journey page",
                lambda _: self._read(self._small),
                self._bare_read,
                busy=lambda: self._service.busy_seconds,
                **sizes,
            ),
            compare(
                f"journey page, {self.events:,} events beside {SMALL}",
                lambda _: self._read(self._large),
                lambda _: self._read(self._small),
                **sizes,
            ),
        ]

    def opened(self, times: int) -> list[Compared]:
        """What agents ask of the small person."""
        asked = what_agents_ask(self._service, self._bare, times, person=self._small, user="small")
        return [*asked]

    def operations(self, times: int) -> list[Compared]:
        """What operators do to the large person, beside the small one."""
        return [*Operations(self._client, self._large, self._small).measured(times)]

    def _make(self, user: str, events: int) -> str:
        """Id of a person with so many events, a minute apart, sent as SDKs do."""
        last = datetime.now(UTC) - timedelta(hours=1)
        self._client.post("/v1/identify", {"anonymousId": f"c-{user}", "userId": user})
        for first in range(0, events, BATCH):
            calls = [
                {
                    "type": "page",
                    "anonymousId": f"c-{user}",
                    "context": {"device": {"id": f"d-{user}"}},
                    "timestamp": (last - timedelta(seconds=number)).isoformat(),
                    "properties": {"url": f"https://shop.example/{number}", "title": "A page"},
                }
                for number in range(first, min(first + BATCH, events))
            ]
            answer = self._client.post("/v1/batch", {"batch": calls})
            assert answer["accepted"] == len(calls), answer
        person: str = self._client.graphql(PERSON, value=user)["personByIdentifier"]["id"]
        return person

    def _read(self, person: str) -> None:
        found = self._client.graphql(JOURNEY, id=person)["person"]["journey"]
        assert len(found["edges"]) == 50

    def _bare_read(self, _turn: int) -> None:
        (row,) = self._bare.run(JOURNEY_PAGE, person=self._small)
        assert len(row["events"]) == 50, len(row["events"])


def _print_table(found: list[Compared]) -> Console:
    table = Table(box=None, pad_edge=False, title="ms", title_justify="left")
    table.add_column("")
    for name in ("ours p50", "p99", "busy", "theirs p50", "p99", "ratio p50", "ratio p99"):
        table.add_column(name, justify="right")
    for row in found:
        times = (row.ours.p50, row.ours.p99, row.busy, row.theirs.p50, row.theirs.p99)
        figures = (*times, row.ratio, row.ratio_p99)
        table.add_row(row.name, *("" if x is None else f"{x:.2f}" for x in figures))
    console = Console(width=max(100, Console().width))
    console.print(table)
    return console


def _show(
    found: list[Compared], journeys: _Journeys, at_rest: float, after: float, trips: int
) -> None:
    console = _print_table(found)
    console.print(
        f"Events by /v1/batch, {BATCH} a request: {journeys.events_a_second:,.0f} a second"
    )
    console.print(f"Round trips of an identify to the database, commit included: {trips}")
    late = reach_of_late_evidence(LATE)
    console.print(
        f"Late evidence, {late.late:,} of {late.pieces:,} pieces: steps done again "
        f"{late.median} in the median, {late.p99} at p99, {late.most} at most"
    )
    folded = pieces_a_second()
    console.print(f"The fold alone: {folded:,.0f} pieces of evidence a second")
    tokens = milliseconds_of_a_validation()
    console.print(
        "Validation of an ID token, keys known, in the median: "
        + ", ".join(f"{name} {taken:.2f} ms" for name, taken in tokens.items())
    )
    console.print(f"Memory of the service: {at_rest:.0f} MB at rest, {after:.0f} MB after all this")
    ratios = {row.name: row.ratio for row in found}
    bars = {
        "identify at most 3 times the bare transaction": ratios["identify"] <= 3,
        "at most 3 round trips": trips <= 3,
        "merge and unmerge the same within 25 %": ratios["merge and unmerge"] <= 1.25,
        "sever and restore the same within 25 %": ratios["sever and restore"] <= 1.25,
        "a journey page the same within 25 %": found[-1].ratio <= 1.25,
        "a journey page at most 2.5 times a bare statement": ratios["journey page"] <= 2.5,
        "an agent's opening query at most 3 times": ratios[OPENING] <= 3,
        "a person by identifier at most 2.5 times": ratios[BY_IDENTIFIER] <= 2.5,
        "a page of 2,000 visitors at most 3 times that of one": ratios[CROWDED] <= 3,
        "a page among 1,000,000 events the same within 25 %": ratios[FULL] <= 1.25,
        "late evidence at most 3 steps, 30 at p99": late.median <= 3 and late.p99 <= 30,
        "the fold alone 20,000 pieces a second": folded >= 20_000,
        "a key of the graph with limits within 5 %": ratios[STORED] <= 1.05,
        "validation of a token below 1 ms": max(tokens.values()) < 1,
        "known the same as unknown within 10 %": all(
            1 / 1.1 <= ratio <= 1.1 for name, ratio in ratios.items() if name.startswith(KNOWN)
        ),
        "a cluster of 300 at most 2.5 times bare": ratios[OF_300] <= 2.5,
        "around a kiosk at most 3 times a device of 10": ratios[AROUND_KIOSK] <= 3,
        "below 150 MB at rest": at_rest < 150,
    }
    console.print("Bars: " + "; ".join(f"{bar} ({_kept(is_so)})" for bar, is_so in bars.items()))


def _kept(is_so: bool) -> str:
    return "kept" if is_so else "MISSED"


if __name__ == "__main__":
    main()
