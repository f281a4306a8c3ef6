"""``graphid verify``: whether the graph is what the evidence says, and making it so. ``graphid
rebuild``: also under another policy. ``graphid retain``: deleting what is past its time."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from graphid import settings as settings_module
from graphid.errors import InvalidInput
from graphid.graph.engine import TerminalProgress

DIFFERENT = 1
"""Exit code where differences remain, as of an error."""


def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Write what the evidence says where it differs.")
    ] = False,
) -> None:
    """Compare the graph with the fold of all its evidence. May run beside the service.

    Each difference is a line; the exit code is 1 where any remain.
    """
    _verify(repair=repair)


def rebuild(
    policy: Annotated[
        Path | None,
        typer.Option(help="A policy document, JSON: it is set, and applied to all evidence."),
    ] = None,
) -> None:
    """Make the graph from its evidence again. May run beside the service.

    Without a policy: under the versions that the evidence is stamped with, in place: only what
    differs is written. With one, under that; interrupted and started again, it goes on.
    Where a later one is set meanwhile, what is stamped with that stays so.
    """
    if policy is None:
        _verify(repair=True)
        return
    from graphid.wiring_of_commands import run_rebuild  # noqa: PLC0415

    console = Console(stderr=True)
    with TerminalProgress(console) as progress, Counting(console) as counting:
        rebuilt = run_rebuild(
            settings_module.load(),
            progress=progress,
            counting=counting,
            document=_document(policy),
        )
    typer.echo(
        f"version {rebuilt.version} of the policy is applied to all evidence: "
        f"to {rebuilt.pieces:,} pieces now, in {rebuilt.seconds:.1f} s"
    )
    if rebuilt.in_force != rebuilt.version:
        typer.echo(
            f"version {rebuilt.in_force} of the policy was set meanwhile and is in force: what is "
            "stamped with a later version than yours stays so. To apply the one in force to all "
            "evidence, run graphid rebuild --policy with its document, which the query "
            "{ policy { document } } answers."
        )


def retain(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how much would go, and delete nothing.")
    ] = False,
) -> None:
    """Delete what anonymous visitors did, where the policy's retention.anonymous is over.

    May run beside the service, which does the same a few times a day.
    """
    from graphid.wiring_of_retention import run_retention  # noqa: PLC0415

    with TerminalProgress(Console(stderr=True)) as progress:
        told = run_retention(settings_module.load(), progress=progress, dry_run=dry_run)
    if dry_run:
        typer.echo(f"would delete {told['events']:,} events, on {told['cookies']:,} cookies")
    else:
        found = ", ".join(f"{count:,} {kind}" for kind, count in told.items() if count)
        typer.echo(f"deleted {found}" if found else "nothing to delete")


def _document(file: Path) -> Any:
    """What a policy file says. Raises InvalidInput where it cannot be read."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InvalidInput(f"{file} is not JSON: {error}") from None


def _verify(*, repair: bool) -> None:
    from graphid.wiring_of_commands import run_verification  # noqa: PLC0415 - as in main

    console = Console(stderr=True)
    with TerminalProgress(console) as progress, Counting(console) as counting:
        verified = run_verification(
            settings_module.load(),
            progress=progress,
            counting=counting,
            mend=repair,
            on_difference=typer.echo,
        )
    pending = f", {verified.pending:,} pending" if verified.pending else ""
    typer.echo(f"{verified.pieces:,} pieces of evidence{pending}")
    bytes_each = verified.bytes_a_piece
    memory = "" if bytes_each is None else f", {bytes_each:,.0f} bytes of memory"
    typer.echo(
        f"{verified.seconds:.1f} s: {verified.micros_a_piece:,.0f} microseconds a piece{memory}"
    )
    if verified.mended:
        typer.echo(f"{verified.mended:,} differences mended")
    typer.echo(f"{verified.differences:,} differences" + (" remain" if repair else ""))
    if verified.differences:
        raise typer.Exit(DIFFERENT)


class Counting:
    """How far a long job is, as a bar on a terminal; elsewhere, a line for each part.

    A context manager, so that a bar never stays on the screen of a command that failed.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar | None = None
        self._task = TaskID(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def begin(self, what: str, total: int | None = None) -> None:
        self._end()
        if not self._console.is_terminal:
            self._console.print(f"  {what}" + (f": {total:,}" if total else ""), highlight=False)
            return
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Bar(*columns, TimeElapsedColumn(), console=self._console, transient=True)
        self._task = self._bar.add_task(what, total=total)
        self._bar.start()

    def advance(self, count: int) -> None:
        if self._bar is not None:
            self._bar.advance(self._task, count)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
