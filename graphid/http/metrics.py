"""How the service does, as Prometheus reads it: ``GET /metrics`` with a key for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphid.auth.scopes import Scope
from graphid.errors import Forbidden, GraphidError
from graphid.graph.database import Database
from graphid.graph.parked import count_parked
from graphid.http.callers import Callers
from graphid.http.gate import Gate

PATIENCE = 2.0
"""Seconds that are waited for what the database must be asked."""

BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds that requests take."""

Counts = Mapping[str, int]


class Metrics:
    """What is counted in this process. Labels are routes, statuses and codes: nothing of anybody.

    ``database``, ``gate``: what they count themselves is told as well; ``deleted``: what retention
    deleted here, by kind.
    """

    def __init__(self, database: Database, gate: Gate, *, deleted: Counts | None = None) -> None:
        self._database = database
        retained: Counts = {} if deleted is None else deleted
        self._registry = CollectorRegistry()
        requests = Counter(
            "graphid_requests",
            "Requests answered, by route and status (0: the client was gone).",
            ["route", "status"],
            registry=self._registry,
        )
        seconds = Histogram(
            "graphid_request_seconds",
            "How long requests took, by route.",
            ["route"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._parked = Gauge(
            "graphid_parked_evidence",
            "Evidence that waits for its job, counted up to 10,000; NaN: the database is away.",
            registry=self._registry,
        )
        self._under_way = Gauge(
            "graphid_messages_under_way",
            "Messages that wait for the database, or are being written.",
            registry=self._registry,
        )
        self._subscriptions = Gauge(
            "graphid_subscriptions",
            "Subscriptions that are open, over WebSockets and as server-sent events.",
            registry=self._registry,
        )
        # Finding the child of some labels takes longer than counting with it.
        self._request = lru_cache(maxsize=1_000)(requests.labels)
        self._seconds = lru_cache(maxsize=1_000)(seconds.labels)
        ProcessCollector(registry=self._registry)
        for name, what, label, counts in (
            ("rate_limited", "Requests refused, by limit.", "limit", lambda: gate.refused),
            ("database_retries", "Units run again, by code.", "code", lambda: database.retries),
            ("database_failures", "Units given up, by code.", "code", lambda: database.failures),
            ("retention_deleted", "What retention deleted, by kind.", "kind", lambda: retained),
        ):
            self._registry.register(_Counted(f"graphid_{name}", what, label, counts))

    def watch(self, under_way: Callable[[], int], subscriptions: Callable[[], int]) -> None:
        """Tell of how many messages are under way, and how many subscriptions are open."""
        self._under_way.set_function(under_way)
        self._subscriptions.set_function(subscriptions)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._request(route, status).inc()
        self._seconds(route).observe(seconds)

    async def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        try:
            self._parked.set(await count_parked(self._database, within=PATIENCE))
        except GraphidError:
            self._parked.set(float("nan"))
        return generate_latest(self._registry)


class _Counted(Collector):
    """What somebody else counts."""

    def __init__(self, name: str, what: str, label: str, counts: Callable[[], Counts]) -> None:
        self._name = name
        self._what = what
        self._label = label
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """A sample for each label that there is a count of."""
        family = CounterMetricFamily(self._name, self._what, labels=[self._label])
        for label, count in self._counts().items():
            family.add_metric([label], count)
        yield family


def metrics_route(metrics: Metrics, callers: Callers) -> Route:
    """The route that tells, to whoever may see it."""

    async def respond(request: Request) -> Response:
        caller = await callers.bearer(request)
        if Scope.METRICS_VIEW not in caller.scopes:
            raise Forbidden(f"This key may not read metrics: it needs {Scope.METRICS_VIEW}.")
        return Response(await metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Route("/metrics", respond, methods=["GET"])
