"""Who is connected for long: their keys are looked at again, and they are told when it ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import structlog

from graphid.auth.keys import Caller
from graphid.errors import GraphidError, RateLimited, Unauthorized
from graphid.http.callers import Callers
from graphid.service.beside import beside

log = structlog.get_logger()

LOOK_EVERY = 2.0
"""Seconds between two looks at the keys of those who are connected."""

MOST_SUBSCRIPTIONS = 5_000
"""How many subscriptions one caller may have in one process."""

PARTING = 3.0
"""Seconds that those who are connected have to be told that the process stops."""


@dataclass(eq=False)
class Listener:
    """One connection. ``end`` is called once, with why it ends: None where the process stops."""

    shown: str
    end: Callable[[GraphidError | None], None]


class Listeners:
    """All connections of this process that stay open.

    ``look_every``: seconds between two looks at their keys; ``most``: subscriptions a caller.
    """

    def __init__(
        self,
        callers: Callers,
        *,
        look_every: float = LOOK_EVERY,
        most: int = MOST_SUBSCRIPTIONS,
    ) -> None:
        self._callers = callers
        self._look_every = look_every
        self._most = most
        self._listeners: set[Listener] = set()
        self._subscriptions: Counter[str] = Counter()
        self._left = asyncio.Event()
        self.is_stopping = False

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Keep an eye on a connection as long as the block runs."""
        self._listeners.add(listener)
        try:
            if self.is_stopping:
                listener.end(None)
            yield
        finally:
            self._listeners.discard(listener)
            self._left.set()

    @contextmanager
    def subscribed(self, caller: Caller) -> Iterator[None]:
        """Count a subscription as long as the block runs. Raises RateLimited."""
        if self._subscriptions[caller.name] >= self._most:
            raise RateLimited(f"One caller may have {self._most} subscriptions at once.")
        self._subscriptions[caller.name] += 1
        try:
            yield
        finally:
            self._subscriptions[caller.name] -= 1
            if not self._subscriptions[caller.name]:
                del self._subscriptions[caller.name]

    @property
    def subscriptions(self) -> int:
        """How many are open, of all callers."""
        return self._subscriptions.total()

    async def look(self) -> None:
        """End the connections of those whose key or token opens nothing any more."""
        for shown in {listener.shown for listener in self._listeners}:
            try:
                await self._callers.again(shown)
            except Unauthorized as error:
                for listener in [one for one in self._listeners if one.shown == shown]:
                    listener.end(error)
            except GraphidError as error:
                # Nothing is told meanwhile that the database would not have to tell.
                log.info("keys_not_looked_at", code=error.code)

    async def run(self) -> None:
        """Look at the keys again and again, for ever."""
        while True:
            await asyncio.sleep(self._look_every)
            await self.look()

    async def stop(self) -> None:
        """Tell all that the process stops, and wait until they are gone."""
        self.is_stopping = True
        for listener in list(self._listeners):
            listener.end(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                while self._listeners:
                    self._left.clear()
                    await self._left.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run as long as the block does."""
        async with beside(self.run(), "keys of listeners"):
            yield
