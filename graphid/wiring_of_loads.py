"""The composition of the first load; beside ``wiring``, which composes the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic

from graphid import log
from graphid.errors import InternalError
from graphid.graph.engine import Address, Progress
from graphid.graph.installation import installation_secret, new_installation
from graphid.graph.loading.store import (
    Kept,
    NewStore,
    complete,
    read_kept,
    require_no_history,
)
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.graph.verifying import Progress as Counting
from graphid.http.segment_lines import LinesOf
from graphid.identity.ids import Ids
from graphid.identity.policy import DEFAULT, PolicyVersion
from graphid.service.loading.history import History, Input, Written, shares_of
from graphid.service.loading.parsing import Fault, Task
from graphid.service.reads import now
from graphid.service.verifying import verify
from graphid.settings import Settings
from graphid.wiring import database_address, open_database
from graphid.wiring_of_files import File

BRIEF = 1_000_000
"""With fewer events, a database is started and read in less time than it takes to become fast."""


@dataclass(frozen=True)
class Loaded:
    """What was loaded, in how many ``seconds``; ``verified``: pieces of evidence that the graph was
    compared with, in how many more."""

    written: Written
    seconds: float
    verified: int | None
    verifying: float


@dataclass(frozen=True)
class _Begun:
    """Whose graph it is, and what it holds."""

    secret: bytes
    in_force: PolicyVersion
    kept: Kept


def run_load(
    settings: Settings,
    files: Sequence[File],
    *,
    progress: Progress,
    counting: Counting,
    on_refused: Callable[[str, Fault], None],
    is_verified: bool,
) -> Loaded:
    """Load a history into the local engine, which has none.

    Raises Refused where there is one, FolderHeld where the engine runs, InvalidInput where a file
    cannot be read; then, and however it is interrupted, all is as it was.
    """
    log.set_up("warning" if settings.log_level == "info" else settings.log_level, "console")
    started = monotonic()
    store = NewStore(settings.data_dir, settings.engine_version, progress)
    begun = _begun(settings, store)
    with store.held() as folder:
        written = _write(files, folder, begun, counting, on_refused)
        brief = written.events < BRIEF
        store.fill(brief=brief)
        with store.running(brief=brief) as address:
            progress.step("building the indexes")
            asyncio.run(_complete(settings, address, begun.kept, written))
            seconds = monotonic() - started
            verified = None
            if is_verified:
                verified = asyncio.run(_verify(settings, address, counting, begun.secret))
        store.put_in_place()
    return Loaded(written, seconds, verified, monotonic() - started - seconds)


def _begun(settings: Settings, store: NewStore) -> _Begun:
    given = settings.installation_secret
    if store.has_old:
        with store.old() as address:
            return asyncio.run(_of_old(settings, address))
    secret, node = new_installation(given.get_secret_value() if given else None)
    return _Begun(secret, PolicyVersion(1, DEFAULT, now()), Kept(node))


async def _of_old(settings: Settings, address: Address) -> _Begun:
    async with open_database(settings, address) as database:
        await require_no_history(database)
        await migrate(database)
        given = settings.installation_secret
        secret = await installation_secret(database, given.get_secret_value() if given else None)
        return _Begun(secret, await Policies(database).current(), await read_kept(database))


def _write(
    files: Sequence[File],
    folder: Path,
    begun: _Begun,
    counting: Counting,
    on_refused: Callable[[str, Fault], None],
) -> Written:
    task = Task(
        readers=tuple(LinesOf(file.assurance, file.changed_at) for file in files),
        secret=begun.secret,
        sender=files[0].sender,
        in_force=begun.in_force,
        received_at=now(),
        shares=shares_of(sum(file.size or 0 for file in files)),
    )
    ids = Ids(begun.secret)
    inputs = [
        Input(file.name, file.lines, partial(file.reader, ids) if file.format == "csv" else None)
        for file in files
    ]
    return History(folder, task, counting, on_refused).write(inputs)


async def _complete(settings: Settings, address: Address, kept: Kept, written: Written) -> None:
    async with open_database(settings, address) as database:
        await migrate(database, is_written_anew=True)
        await complete(database, kept, written.changes)


async def _verify(settings: Settings, address: Address, counting: Counting, secret: bytes) -> int:
    """Compare the graph with its evidence. Raises InternalError where they differ."""
    async with open_database(settings, address) as database:
        told: list[str] = []
        verified = await verify(
            database,
            Policies(database).of,
            Ids(secret),
            counting,
            on_finding=lambda finding: told.append(str(finding)),
        )
    if told:
        raise InternalError("\n".join(["The graph is not what its evidence says:", *told[:20]]))
    return verified.pieces


async def _require_none(settings: Settings, address: Address) -> None:
    async with open_database(settings, address) as database:
        await require_no_history(database)


def require_empty(settings: Settings, progress: Progress) -> None:
    """Raises Refused where the database of the settings has a history."""
    with database_address(settings, progress) as address:
        asyncio.run(_require_none(settings, address))
