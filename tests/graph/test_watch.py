"""An engine that ended by itself is started again, a few times; no engine is needed to show it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from graphid.graph.engine import Address, find
from graphid.graph.engine.errors import EngineError, FolderHeld
from graphid.graph.engine.watch import STEADY, Watch


class Failing:
    """An engine that ends again and again, and does as it is told when it is to start."""

    def __init__(self, *starts: bool, lasts: float = 0.0) -> None:
        self.starts = list(starts)
        self.started = 0
        self.now = 0.0
        self.stopped = threading.Event()
        self._lasts = lasts
        self._runs = True

    def wait(self) -> int:
        if not self._runs or (self.started and not self.starts):
            self.stopped.wait()
        self.now += self._lasts
        return 137

    def start_again(self) -> None:
        self.started += 1
        if not self.starts.pop(0):
            raise EngineError("It does not start.\nThe end of its log")

    def clock(self) -> float:
        return self.now


def watch(engine: Failing, *, pauses: int, on_lost: Callable[[], None] = lambda: None) -> Watch:
    watching = Watch(engine, pauses=[0.0] * pauses, on_lost=on_lost, clock=engine.clock)
    watching.begin()
    return watching


def test_one_that_ends_too_often_is_given_up() -> None:
    lost = threading.Event()
    engine = Failing(True, False, True, True)  # of which the last is not asked for
    watching = watch(engine, pauses=3, on_lost=lost.set)
    watching.join()
    assert engine.started == 3
    assert lost.is_set()
    assert watching.failure is not None


def test_one_that_ran_for_long_has_all_its_starts_again() -> None:
    engine = Failing(*[True] * 10, lasts=STEADY)
    watching = watch(engine, pauses=1)
    while engine.starts:
        assert watching.failure is None
    watching.end()
    engine.stopped.set()
    watching.join()
    assert (engine.started, watching.failure) == (10, None)


def test_one_that_is_stopped_is_not_started_again() -> None:
    engine = Failing(True)
    engine._runs = False
    watching = watch(engine, pauses=3)
    watching.end()
    engine.stopped.set()
    watching.join()
    assert (engine.started, watching.failure) == (0, None)


@pytest.mark.parametrize("kind", [FolderHeld, KeyboardInterrupt, SystemExit])
def test_who_gets_no_database_is_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    class Unstartable(Failing):
        def start(self) -> None:
            raise kind("why")

        def stop(self) -> None:
            self.stopped.set()

    engine = Unstartable()
    monkeypatch.setattr(find, "Engine", lambda *_, **__: engine)
    with pytest.raises(kind, match="why"), find.running_database(data_dir=tmp_path):
        pass
    assert engine.stopped.is_set()


def test_who_uses_a_database_that_is_given_up_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Failing(False)
    engine.start = lambda: Address("bolt://127.0.0.1:1", "", "", "", "nowhere")  # type: ignore[attr-defined]
    engine.stop = engine.stopped.set  # type: ignore[attr-defined]
    monkeypatch.setattr(find, "Engine", lambda *_, **__: engine)
    monkeypatch.setattr(find, "Watch", partial(Watch, pauses=[0.0]))
    lost = threading.Event()
    with (
        pytest.raises(EngineError, match="ended too often"),
        find.running_database(data_dir=tmp_path, on_lost=lost.set),
    ):
        assert lost.wait(60)
