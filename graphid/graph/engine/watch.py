"""Starts a local engine again that has ended by itself: killed, or out of memory.

Meanwhile the service tells its clients to come again (503, Retry-After). An engine that ends again
and again is given up: whoever watches over the service then has something to see.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

import structlog

from graphid.graph.engine.errors import EngineError

log = structlog.get_logger()

PAUSES = (0.0, 1.0, 4.0, 15.0, 60.0)
"""Seconds before one start and the next; when they are used up, the engine is given up."""
STEADY = 600.0
"""An engine that ran for so many seconds has all its starts again."""


class Restartable(Protocol):
    """What is watched: an engine."""

    def wait(self) -> int:
        """Return when the database has ended, by itself or stopped: its exit code."""
        ...

    def start_again(self) -> None:
        """Start it where it was. Raises EngineError."""
        ...


class Watch:
    """Watches over an engine until it is told to end, which comes before the engine's stop.

    ``on_lost`` is called, in another thread, when the engine is given up.
    """

    def __init__(
        self,
        engine: Restartable,
        *,
        on_lost: Callable[[], None] = lambda: None,
        pauses: Sequence[float] = PAUSES,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._engine = engine
        self._on_lost = on_lost
        self._pauses = pauses
        self._clock = clock
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="engine watch", daemon=True)
        self.failure: EngineError | None = None
        """Why it was given up."""

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Start nothing from now on."""
        self._ending.set()

    def join(self) -> None:
        """Wait until nothing is watched any more: after the engine's stop, or when it is lost; not
        at all where nothing ever was."""
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        pauses = list(self._pauses)
        while True:
            since = self._clock()
            code = self._engine.wait()
            if self._ending.is_set():
                return
            log.error("engine_ended", exit_code=code)
            if self._clock() - since >= STEADY:
                pauses = list(self._pauses)
            while not self._starts(pauses):
                if self._ending.is_set():
                    return
                if not pauses:
                    self.failure = EngineError(
                        "The database has ended too often, and is not started again."
                    )
                    log.error("engine_given_up")
                    self._on_lost()
                    return

    def _starts(self, pauses: list[float]) -> bool:
        """Use up one pause and start; whether it runs."""
        if not pauses or self._ending.wait(pauses.pop(0)):
            return False
        try:
            self._engine.start_again()
        except EngineError as error:
            # What follows is the end of the database's own log, for people.
            log.error("engine_not_started", reason=error.message.splitlines()[0])
            return False
        log.warning("engine_started_again")
        return True
