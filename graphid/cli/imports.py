"""``graphid import``: files of calls and contacts, into the graph."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, NoReturn, Self

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from graphid import settings as settings_module
from graphid.cli.rejects import Rejects
from graphid.errors import GraphidError, InvalidInput, Retryable
from graphid.graph.engine import TerminalProgress
from graphid.identity.values import Assurance

if TYPE_CHECKING:
    from graphid.service.files.source import At
    from graphid.service.importing import Counts
    from graphid.wiring_of_files import File

REFUSED = 1
"""Exit code where lines were refused; all others are stored."""

USAGE = 2
"""Exit code where a file cannot be read, or is none of ours."""

UNFINISHED = 3
"""Exit code where the database was away for too long: the same command goes on."""

PATIENCE = 300.0
"""Seconds to wait for a database that is away."""

LINE_EVERY = 10.0
"""Seconds between two lines about one file, where there is no terminal to draw on."""

STDIN = "-"


class FileFormat(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"


class FileAssurance(StrEnum):
    CLAIMED = "CLAIMED"
    ASSERTED = "ASSERTED"


FilesArgument = Annotated[
    list[str], typer.Argument(help="Files, gzip or not; - for standard input.")
]
FormatOption = Annotated[
    FileFormat | None, typer.Option(help="Else by the name; of standard input, NDJSON.")
]
SourceOption = Annotated[
    str | None, typer.Option(help="Of contacts in CSV that have no column source.")
]
AssuranceOption = Annotated[
    FileAssurance, typer.Option(help="What events count as; contacts are ASSERTED in any case.")
]
RejectsOption = Annotated[
    Path | None,
    typer.Option(help="Where refused lines are told, JSON lines; else on standard error."),
]


def import_(  # noqa: PLR0917 - the options of a command
    files: FilesArgument,
    format: FormatOption = None,
    source: SourceOption = None,
    assurance: AssuranceOption = FileAssurance.CLAIMED,
    rejects: RejectsOption = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Do not go on where an earlier run was ended.")
    ] = False,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for a database that is away.")
    ] = PATIENCE,
) -> None:
    """Take in files of Segment calls or contacts, beside a running service or without one.

    Every line is stored once, however often the command runs. Ended in the middle, it goes on
    where it was. Exit codes: 0, all is stored; 1, some lines were refused; 2, a file cannot be
    read; 3, the database was away for too long.
    """
    console = Console(stderr=True)
    try:
        chosen = files_of(files, format, source, assurance)
        import_files(chosen, rejects, console, patience=patience, from_start=from_start)
    except InvalidInput as error:
        fail(console, str(error), USAGE)


def import_files(
    files: Sequence[File],
    rejects: Path | None,
    console: Console,
    *,
    patience: float = PATIENCE,
    from_start: bool = False,
) -> None:
    """Take files in, and tell of it. Raises InvalidInput; ends the command where lines were refused
    or the database was away."""
    from graphid.wiring_of_files import Watching, run_import  # noqa: PLC0415

    try:
        with (
            TerminalProgress(console) as progress,
            Rejects(rejects, files) as rejected,
            Told(console, rejected) as told,
        ):
            watching = Watching(begin=told.begin, refuse=told.refuse, read=told.read, end=told.end)
            run_import(
                settings_module.load(),
                files,
                progress=progress,
                watching=watching,
                patience=patience,
                from_start=from_start,
            )
    except Retryable as error:
        fail(console, f"{said_of(error)} It goes on where it was.", UNFINISHED)
    if told.refused:
        raise typer.Exit(REFUSED)


def said_of(error: Retryable) -> str:
    """What such an error says, for who gave a command: it is worded for who sends messages."""
    return str(error).replace("send the same message again", "run the same command again")


def fail(console: Console, message: str, code: int) -> NoReturn:
    """End the command with a message and an exit code."""
    console.print(f"[red]error:[/red] {message}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def files_of(
    names: Sequence[str],
    format: FileFormat | None,
    source: str | None,
    assurance: FileAssurance,
) -> list[File]:
    """The files that were named. Raises InvalidInput, before anything is done."""
    from graphid.wiring_of_files import File, format_of  # noqa: PLC0415

    found = []
    for name in names:
        path = None if name == STDIN else Path(name)
        if path is not None and not path.exists():
            raise InvalidInput(f"{name} is not there")
        if path is not None and path.is_dir():
            raise InvalidInput(f"{name} is a folder")
        how = format_of(path, None if format is None else format.value)
        found.append(File(path, how, Assurance[assurance.value], source))
    return found


class Told:
    """Tells how an import goes: a bar, refused lines, and a sentence for each file."""

    def __init__(self, console: Console, rejects: Rejects) -> None:
        self._console = console
        self._rejects = rejects
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._name = ""
        self._last = monotonic()
        self.refused = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_bar()

    def begin(self, file: File, done: int) -> None:
        self._name, self._last = file.name, monotonic()
        self._rejects.begin(file, done=done)
        if done:
            self._say(f"{file.name}: goes on behind line {done:,}")
        if self._console.is_terminal:
            columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn())
            more = (TextColumn("{task.fields[stored]}"), TimeElapsedColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, *more, console=self._console, transient=True)
            self._task = self._bar.add_task(Path(file.name).name, total=file.size, stored="")
            self._bar.start()
            self._rejects.console = self._console

    def read(self, size: int, counts: Counts) -> None:
        stored = f"{counts.taken + counts.known:,} stored"
        if self._bar is not None:
            self._bar.update(self._task, completed=size, stored=stored)
        elif monotonic() - self._last >= LINE_EVERY:
            self._last = monotonic()
            self._say(f"{self._name}: {stored}, {counts.refused:,} refused")

    def refuse(self, file: File, at: At, error: GraphidError) -> None:
        self._rejects.tell(file.name, at.line, at.end, error)

    def end(self, file: File, counts: Counts) -> None:
        self._end_bar()
        self._rejects.end(file)
        self.refused += counts.refused
        typer.echo(
            f"{file.name}: {counts.taken:,} stored, {counts.known:,} known already, "
            f"{counts.refused:,} refused"
        )

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}", highlight=False, soft_wrap=True)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._rejects.console = None
