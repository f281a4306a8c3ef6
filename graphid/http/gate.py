"""Limits: whoever sends more than is allowed is told when to come again, before anything is done.

A caller's limits are its own (``auth.limits``). Browsers that share a publishable key are besides
limited by address, and so is whoever shows keys that nobody knows. Health checks and CORS
preflights pass nothing of this.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil
from types import TracebackType
from typing import Protocol

from starlette.requests import HTTPConnection

from graphid.auth.limits import Limits
from graphid.errors import RateLimited
from graphid.http.addresses import Addresses, network_of
from graphid.http.usage import Recent, Usage

BURST = 5
"""Seconds over which requests and events are averaged: that much may come at once."""

MINUTE = 60

FAILURES = 20
"""Authentications that may fail, a minute and address."""


class Caller(Protocol):
    """Whoever was let in, as far as limits go."""

    @property
    def name(self) -> str: ...
    @property
    def is_browser(self) -> bool: ...
    @property
    def limits(self) -> Limits | None: ...


@dataclass(frozen=True, slots=True)
class Bound:
    """Limits, and who has them: ``kind`` is what they are told as, ``whose`` what is counted."""

    kind: str
    whose: str
    limits: Limits


class Gate:
    """Lets requests in.

    ``browsers``: what one address may do with publishable keys. ``failures``: how many
    authentications may fail, a minute and address; 0: any number.
    """

    def __init__(
        self,
        usage: Usage | None = None,
        addresses: Addresses | None = None,
        *,
        browsers: Limits | None = None,
        failures: int = FAILURES,
    ) -> None:
        self._usage = usage or Usage(Recent())
        self._addresses = addresses or Addresses()
        self._browsers = browsers
        self._failures = failures
        self._under_way: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[str] = Counter()
        """How many requests were refused since start, by the limit."""

    def allowance(self, caller: Caller, request: HTTPConnection) -> Allowance | None:
        """What the request may take, to be entered; None where nothing limits it."""
        if caller.limits is None and (self._browsers is None or not caller.is_browser):
            return None
        bounds = []
        if caller.limits is not None:
            bounds.append(Bound("key", caller.name, caller.limits))
        if self._browsers is not None and caller.is_browser:
            bounds.append(Bound("address", self._counted(request), self._browsers))
        return Allowance(self, tuple(bounds))

    async def failed(self, request: HTTPConnection) -> None:
        """Count a failed authentication. Raises RateLimited where the address had too many."""
        if self._failures:
            seconds = await self._usage.take(
                "failures", self._counted(request), 1, most=self._failures, seconds=MINUTE
            )
            if seconds:
                self.refuse(
                    "failures",
                    seconds,
                    f"More than {self._failures} keys a minute from one address were not known.",
                )

    def enter(self, bound: Bound) -> None:
        """Count a request that is under way. Raises RateLimited."""
        most, place = bound.limits.concurrent_requests, (bound.kind, bound.whose)
        if most is None:
            return
        if self._under_way[place] >= most:
            text = f"This {bound.kind} may have {most} requests under way at once."
            self.refuse("concurrent", 1, text)
        self._under_way[place] += 1

    def leave(self, bound: Bound) -> None:
        """A request that had entered has ended."""
        place = (bound.kind, bound.whose)
        if bound.limits.concurrent_requests is not None:
            self._under_way[place] -= 1
            if not self._under_way[place]:
                del self._under_way[place]

    async def take(
        self, bound: Bound, *, requests: int = 0, events: int = 0, cost: int = 0
    ) -> None:
        """Take from the limits. Raises RateLimited, naming the limit."""
        limits = bound.limits
        for what, amount, rate, seconds, told in (
            ("requests", requests, limits.requests_per_second, BURST, "{} requests a second"),
            ("events", events, limits.events_per_second, BURST, "{} events a second"),
            ("cost", cost, limits.cost_per_minute, MINUTE, "a cost of {} a minute"),
        ):
            if not amount or rate is None:
                continue
            most = rate if seconds == MINUTE else rate * seconds
            kind = f"{bound.kind} {what}"
            wait = await self._usage.take(kind, bound.whose, amount, most=most, seconds=seconds)
            if wait:
                self.refuse(what, wait, f"This {bound.kind} may take {told.format(rate)}.")

    def refuse(self, limit: str, seconds: float, message: str) -> None:
        """Raises RateLimited."""
        self.refused[limit] += 1
        raise RateLimited(
            f"{message} Come again in {max(1, ceil(seconds))} s.", retry_after=seconds
        )

    def _counted(self, request: HTTPConnection) -> str:
        return network_of(self._addresses.of(request.scope))


class Allowance:
    """What one request may take; entered while it is under way."""

    __slots__ = ("_bounds", "_entered", "_gate")

    def __init__(self, gate: Gate, bounds: tuple[Bound, ...]) -> None:
        self._gate = gate
        self._bounds = bounds
        self._entered: list[Bound] = []

    async def __aenter__(self) -> Allowance:
        """Raises RateLimited: then nothing is left to exit."""
        try:
            for bound in self._bounds:
                self._gate.enter(bound)
                self._entered.append(bound)
                await self._gate.take(bound, requests=1)
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    async def spend(self, *, events: int = 0, cost: int = 0) -> None:
        """Take for what the request turned out to be. Raises RateLimited; then it is not done."""
        for bound in self._bounds:
            await self._gate.take(bound, events=events, cost=cost)

    def _leave(self) -> None:
        while self._entered:
            self._gate.leave(self._entered.pop())
