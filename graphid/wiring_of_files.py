"""The composition of what takes in files; beside ``wiring``, which composes the service."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from graphid import log
from graphid.errors import GraphidError, InvalidInput
from graphid.graph.engine import Address, Progress
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.http.segment_lines import SegmentLines, cookie_rule
from graphid.identity.ids import Ids
from graphid.identity.values import Assurance
from graphid.service.erasures import Erasures
from graphid.service.files.contacts import ContactRows
from graphid.service.files.lines import Lines
from graphid.service.files.points import PointFile, Points
from graphid.service.files.reading import Reader
from graphid.service.files.source import At, FileSource
from graphid.service.files.spread import Spread
from graphid.service.importing import Counts, Importing, patiently
from graphid.service.ingest import Ingest
from graphid.service.messages import Sender
from graphid.service.parked import Parked
from graphid.service.reads import now
from graphid.service.sequencer import Sequencer
from graphid.settings import Settings
from graphid.wiring_of_databases import database_address, ids_of, open_database

Format = Literal["ndjson", "csv"]

SENDER = "graphid import"
"""The actor of what came from a file."""

FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
}


@dataclass(frozen=True)
class File:
    """A file as it is to be read. ``path``: None for standard input."""

    path: Path | None
    format: Format
    assurance: Assurance = Assurance.CLAIMED
    source: str | None = None
    """Of contacts that name none."""

    @property
    def name(self) -> str:
        return "standard input" if self.path is None else str(self.path)

    @property
    def size(self) -> int | None:
        """In bytes, as it lies there; None where it has none."""
        return None if self.path is None or not self.path.is_file() else self.path.stat().st_size

    @property
    def changed_at(self) -> datetime | None:
        """When it was last written: the time of what says none. Of a pipe, None."""
        if self.size is None or self.path is None:
            return None
        return datetime.fromtimestamp(int(self.path.stat().st_mtime), UTC)

    @property
    def sender(self) -> Sender:
        return Sender(name=SENDER, assurance=self.assurance, is_browser=False)

    def lines(self) -> Lines:
        """Open it. Raises InvalidInput."""
        try:
            raw = io.FileIO(
                sys.stdin.fileno() if self.path is None else str(self.path),
                closefd=self.path is not None,
            )
        except OSError as error:
            raise InvalidInput(f"{self.name} cannot be read: {error.strerror}") from None
        return Lines(raw, is_live=self.size is None)

    def reader(self, ids: Ids, now: datetime | None = None) -> Reader:
        """What reads its lines. ``now``: the time of what a pipe holds and says none; else, when it
        is read."""
        at = self.changed_at or now
        if self.format == "csv":
            return ContactRows(source=self.source, at=at)
        return SegmentLines(cookie_rule(ids, self.assurance), at=at)

    def point(self, points: Points) -> PointFile | None:
        """Where it goes on; a pipe cannot."""
        if self.path is None or self.size is None:
            return None
        how = (self.format, str(int(self.assurance)), self.source or "", str(self.changed_at))
        return points.of(str(self.path.resolve()), *how)


def format_of(path: Path | None, chosen: Format | None) -> Format:
    """How a file is read, by its name where nothing is chosen. Raises InvalidInput."""
    if chosen is not None:
        return chosen
    if path is None:
        return "ndjson"
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    found = FORMATS.get(plain.suffix.lower())
    if found is None:
        raise InvalidInput(f"{path} may be NDJSON or CSV: say which with --format")
    return found


@dataclass
class Watching:
    """Who is told how an import goes. ``read`` gets the bytes of the file that were read.

    What is counted as refused is lines, those of earlier runs among them.
    """

    begin: Callable[[File, int], None]
    """A file begins, behind so many lines that are done."""
    refuse: Callable[[File, At, GraphidError], None]
    read: Callable[[int, Counts], None]
    end: Callable[[File, Counts], None]
    """A file has ended."""


def run_import(
    settings: Settings,
    files: Sequence[File],
    *,
    progress: Progress,
    watching: Watching,
    patience: float,
    from_start: bool,
) -> None:
    """Take files in, one after the other.

    Raises InvalidInput for a file that cannot be read, and what the database raises when it is
    away for longer than ``patience`` seconds; run again, it goes on.
    """
    log.set_up_for_a_command(settings.log_level)
    with database_address(settings, progress, beside=True) as address:
        tell = partial(progress.step, "waiting for the database, which is away or busy")
        work = _import(
            settings, address, files, watching, tell, patience=patience, from_start=from_start
        )
        asyncio.run(work)


async def _import(
    settings: Settings,
    address: Address,
    files: Sequence[File],
    watching: Watching,
    on_away: Callable[[], None],
    *,
    patience: float,
    from_start: bool,
) -> None:
    wait_for = partial(patiently, patience=patience, on_away=on_away)
    async with AsyncExitStack() as running:
        database = await wait_for(
            lambda: running.enter_async_context(open_database(settings, address))
        )
        await wait_for(lambda: migrate(database))
        ids = await wait_for(lambda: ids_of(settings, database))
        policies = Policies(database, clock=now)
        sequencer = Sequencer(database)
        parked = Parked(
            database,
            policies.of,
            ids,
            erasures=Erasures(database, policies, ids, now),
            on_written=sequencer.wake,
        )
        ingest = Ingest(
            database, policies, ids, now, on_parked=parked.wake, on_written=sequencer.wake
        )
        await running.enter_async_context(sequencer.running())
        points = Points(settings.data_dir, await wait_for(lambda: _graph(policies, ids)))
        kept, spread = [file.point(points) for file in files], Spread()
        for file, point in zip(files, kept, strict=True):
            if from_start and point is not None:
                point.drop()
            source = FileSource(file.lines, partial(file.reader, ids), file.sender, point, spread)
            await _import_file(file, source, ingest, watching, on_away, patience=patience)
        await wait_for(parked.finish_all)
        for point in kept:
            if point is not None:
                point.drop()


async def _graph(policies: Policies, ids: Ids) -> str:
    """What tells this graph from any other, and from one that was begun anew."""
    first = await policies.find(1)
    assert first is not None
    return ids.version([("graph", str(first.set_at))])


async def _import_file(
    file: File,
    source: FileSource,
    ingest: Ingest,
    watching: Watching,
    on_away: Callable[[], None],
    *,
    patience: float,
) -> None:
    watching.begin(file, await asyncio.to_thread(source.open))

    def refused(at: At, error: GraphidError) -> None:
        source.refused(at)
        watching.refuse(file, at, error)

    def in_lines(counts: Counts) -> Counts:
        return replace(counts, refused=source.lines_refused)

    def progressed(counts: Counts) -> None:
        watching.read(0 if source.lines is None else source.lines.position, in_lines(counts))

    importing = Importing(
        ingest,
        source,
        on_refused=refused,
        on_progress=progressed,
        on_away=on_away,
        patience=patience,
    )
    try:
        counts = await importing.run()
    except InvalidInput as error:
        raise InvalidInput(f"{file.name} {error.message}") from None
    finally:
        source.save()
    watching.end(file, in_lines(counts))
