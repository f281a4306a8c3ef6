"""The engine that stays: ``graphid engine start`` leaves it on a data folder, others find it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from graphid.graph.engine import exchange
from graphid.graph.engine.address import Address, require_answer
from graphid.graph.engine.engine import DATABASE, START_TIMEOUT, USER
from graphid.graph.engine.errors import EngineError, FolderHeld
from graphid.graph.engine.folder import Folder, Holder, is_alive
from graphid.graph.engine.process import STOP_TIMEOUT
from graphid.graph.engine.progress import Progress

ANSWER_TIMEOUT = 10.0


def engine_folder(data_dir: Path) -> Path:
    """Where below graphid's data folder the local engine lives.

    Where the load of a history was killed as its engine took the place of the old one, it does
    now.
    """
    exchange.finish(data_dir)
    return data_dir / exchange.NAME


def standing_engine(
    data_dir: Path, *, progress: Progress | None = None, or_owned: bool = False
) -> Address | None:
    """The engine that stands on the data folder, or None.

    ``or_owned``: also one that belongs to another process, and ends with it. One that is just
    starting is waited for. Raises EngineError when it does not answer.
    """
    folder = Folder(engine_folder(data_dir))
    holder = folder.holder()
    if holder is None or not (holder.standing or or_owned):
        return None
    if holder.uri is None and progress is not None:
        progress.step(f"waiting for the engine that is starting in {folder.shown}")
    holder = _ready(folder, holder)
    password = folder.password()
    if holder is None or holder.uri is None or password is None:
        return None
    address = Address(
        uri=holder.uri,
        user=USER,
        password=password,
        database=DATABASE,
        origin=(
            f"standing engine {holder.version} in {folder.shown} "
            f"(process {holder.process}, since {holder.since})"
            if holder.standing
            else f"engine {holder.version} in {folder.shown}, held by {holder}"
        ),
    )
    try:
        require_answer(address, timeout=ANSWER_TIMEOUT)
    except EngineError as error:
        whose = f"It belongs to {holder}"
        cure = "Stop the standing engine with: graphid engine stop"
        raise EngineError(f"{error.message}. {cure if holder.standing else whose}") from error
    return address


def stop_standing_engine(data_dir: Path) -> Holder | None:
    """Stop the engine that stands on the data folder, and wait until it has stopped.

    Returns what was stopped, None when nothing runs. Raises FolderHeld when the engine belongs to
    a process that is still there: it stops with that.
    """
    folder = Folder(engine_folder(data_dir))
    holder = folder.holder()
    if holder is not None and holder.standing:
        holder = _ready(folder, holder)
    if holder is None:
        return None
    if not holder.standing:
        raise FolderHeld(
            f"The engine in {folder.shown} belongs to {holder} and stops with it: stop that."
        )
    for process in (holder.supervisor, holder.process):
        if process is not None and is_alive(process):
            os.kill(process, signal.SIGTERM)
            break
    deadline = time.monotonic() + STOP_TIMEOUT
    while folder.is_locked():
        if time.monotonic() > deadline:
            raise EngineError(
                f"The engine in {folder.shown} (process {holder.process}) has not stopped "
                f"within {STOP_TIMEOUT:.0f} s; its log is {folder.console_log}"
            )
        time.sleep(0.02)
    return holder


def _ready(folder: Folder, holder: Holder | None) -> Holder | None:
    """The holder once it answers; None if it gave up."""
    deadline = time.monotonic() + START_TIMEOUT
    while holder is not None and holder.uri is None and time.monotonic() < deadline:
        time.sleep(0.1)
        holder = folder.holder()
    return holder
