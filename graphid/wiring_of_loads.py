"""The composition of the first load; beside ``wiring``, which composes the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

from graphid import log
from graphid.errors import InternalError, InvalidInput
from graphid.graph.engine import Address, Progress
from graphid.graph.installation import installation_secret, new_installation
from graphid.graph.loaded import Kept
from graphid.graph.loading.kept import read_kept, require_no_history, write_kept
from graphid.graph.loading.store import NewStore
from graphid.graph.loading.tables import write_arguments
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
from graphid.wiring_of_databases import database_address, open_database
from graphid.wiring_of_files import File

BRIEF = 1_000_000
"""With fewer events, a database is started and read in less time than it takes to become fast."""

PATIENCE = 600.0
"""Seconds for what a request has few for: nobody waits for an answer, an engine that has just
started is slow, and what was done until then is lost with it."""


@dataclass(frozen=True)
class Loaded:
    """What was loaded, in how many ``seconds``, of which the database took so many for what its own
    tools do (import, start, indexes); ``verified``: pieces of evidence that the graph was compared
    with, in how many more."""

    written: Written
    seconds: float
    of_database: float
    verified: int | None
    verifying: float


@dataclass(frozen=True)
class _Begun:
    """Whose graph it is, and what it holds."""

    secret: bytes
    in_force: PolicyVersion
    kept: Kept


@dataclass(frozen=True)
class Watching:
    """Who is told how it goes; ``on_refused``: of the lines of which file that cannot be read."""

    progress: Progress
    counting: Counting
    on_refused: Callable[[str, Fault], None]


def run_load(
    settings: Settings, files: Sequence[File], watching: Watching, *, is_verified: bool
) -> Loaded:
    """Load a history into the local engine, which has none.

    Raises Refused where there is one, FolderHeld where the engine runs, InvalidInput where a file
    cannot be read; then, and however it is interrupted, all is as it was.
    """
    log.set_up_for_a_command(settings.log_level)
    started, progress = monotonic(), watching.progress
    store = NewStore(settings.data_dir, settings.engine_version, progress)
    begun = _begun(settings, store)
    with store.held() as folder:
        written = _write(files, folder, begun, watching)
        brief = written.events < BRIEF
        filling = monotonic()
        store.fill(brief=brief)
        with store.running(brief=brief) as address:
            progress.step("building the indexes")
            asyncio.run(_complete(settings, address))
            seconds, of_database = monotonic() - started, monotonic() - filling
            verified = None
            if is_verified:
                verified = asyncio.run(_verify(settings, address, watching.counting, begun.secret))
        store.put_in_place()
    return Loaded(written, seconds, of_database, verified, monotonic() - started - seconds)


def write_history(
    settings: Settings, files: Sequence[File], into: Path, watching: Watching
) -> Written:
    """Write a history as what ``neo4j-admin database import`` reads, into a folder.

    What the database of GRAPHID_NEO4J_URI holds goes along, where one is given.
    Raises Refused where that has a history, InvalidInput where the folder is not empty or a file
    cannot be read.
    """
    log.set_up_for_a_command(settings.log_level)
    folder = _empty_folder(into)
    begun = _of_new(settings)
    if settings.neo4j_uri:
        with database_address(settings, watching.progress) as address:
            begun = asyncio.run(_of_old(settings, address))
    try:
        written = _write(files, folder, begun, watching)
    except BaseException:
        _empty(folder)
        raise
    _empty(folder, but=".csv")
    write_arguments(folder)
    return written


def _empty_folder(into: Path) -> Path:
    """The folder, empty and for us alone. Raises InvalidInput."""
    try:
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_empty = not any(into.iterdir())
    except OSError as error:
        raise InvalidInput(f"{into} cannot be written: {error.strerror}") from None
    if not is_empty:
        raise InvalidInput(f"{into} is not empty")
    return into.absolute()


def _empty(folder: Path, *, but: str | None = None) -> None:
    """Delete the files of a folder; ``but``: except those whose names end so."""
    for file in folder.iterdir():
        if file.suffix != but:
            file.unlink()


def _begun(settings: Settings, store: NewStore) -> _Begun:
    if store.has_old:
        with store.old() as address:
            return asyncio.run(_of_old(settings, address))
    return _of_new(settings)


def _of_new(settings: Settings) -> _Begun:
    given = settings.installation_secret
    secret, node = new_installation(given.get_secret_value() if given else None)
    return _Begun(secret, PolicyVersion(1, DEFAULT, now()), Kept(node))


async def _of_old(settings: Settings, address: Address) -> _Begun:
    async with open_database(settings, address, patience=PATIENCE) as database:
        await require_no_history(database)
        await migrate(database)
        given = settings.installation_secret
        secret = await installation_secret(database, given.get_secret_value() if given else None)
        return _Begun(secret, await Policies(database).current(), await read_kept(database))


def _write(files: Sequence[File], folder: Path, begun: _Begun, watching: Watching) -> Written:
    received_at = now()
    began = datetime.fromtimestamp(received_at / 1_000_000, UTC)
    task = Task(
        readers=tuple(LinesOf(file.assurance, file.changed_at or began) for file in files),
        secret=begun.secret,
        sender=files[0].sender,
        in_force=begun.in_force,
        received_at=received_at,
        shares=shares_of(sum(file.size or 0 for file in files)),
    )
    ids = Ids(begun.secret)
    inputs = [
        Input(
            file.name,
            file.lines,
            partial(file.reader, ids, began) if file.format == "csv" else None,
        )
        for file in files
    ]
    written = History(folder, task, watching.counting, watching.on_refused).write(inputs)
    write_kept(folder, begun.kept, written.changes)
    return written


async def _complete(settings: Settings, address: Address) -> None:
    async with open_database(settings, address, patience=PATIENCE) as database:
        await migrate(database)


async def _verify(settings: Settings, address: Address, counting: Counting, secret: bytes) -> int:
    """Compare the graph with its evidence. Raises InternalError where they differ."""
    async with open_database(settings, address, patience=PATIENCE) as database:
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
    async with open_database(settings, address, patience=PATIENCE) as database:
        await require_no_history(database)


def require_empty(settings: Settings, progress: Progress) -> None:
    """Raises Refused where the database of the settings has a history."""
    with database_address(settings, progress) as address:
        asyncio.run(_require_none(settings, address))
