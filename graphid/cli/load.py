"""``graphid load``: a whole history, into a database that has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from graphid import settings as settings_module
from graphid.cli.imports import (
    REFUSED,
    USAGE,
    AssuranceOption,
    FileAssurance,
    FilesArgument,
    FormatOption,
    RejectsOption,
    SourceOption,
    fail,
    files_of,
    import_files,
)
from graphid.cli.rejects import Rejects
from graphid.cli.upkeep import Counting
from graphid.errors import InvalidInput
from graphid.graph.engine import TerminalProgress

if TYPE_CHECKING:
    from graphid.service.loading.parsing import Fault


def load(  # noqa: PLR0917 - the options of a command
    files: FilesArgument,
    format: FormatOption = None,
    source: SourceOption = None,
    assurance: AssuranceOption = FileAssurance.CLAIMED,
    rejects: RejectsOption = None,
    verify: Annotated[
        bool, typer.Option(help="Compare the graph with its evidence before it is put in place.")
    ] = True,
) -> None:
    """Load the history of years into a database that has none, at once.

    The local engine is made anew, of what the files say, and takes the place of the old one when it
    is complete. Into a database at GRAPHID_NEO4J_URI the files are taken in as by graphid import.
    """
    from graphid.wiring_of_loads import require_empty, run_load  # noqa: PLC0415

    console = Console(stderr=True)
    settings = settings_module.load()
    try:
        chosen = files_of(files, format, source, assurance)
        if settings.neo4j_uri:
            with TerminalProgress(console) as progress:
                require_empty(settings, progress)
                progress.step("the database is not the local engine: taking in, as graphid import")
            import_files(chosen, rejects, console)
            return
        with (
            TerminalProgress(console) as progress,
            Counting(console) as counting,
            Rejects(rejects, [file.name for file in chosen]) as rejected,
        ):
            rejected.begin()

            def refused(name: str, fault: Fault) -> None:
                rejected.tell(name, fault.number, InvalidInput(fault.message, path=fault.path))

            loaded = run_load(
                settings,
                chosen,
                progress=progress,
                counting=counting,
                on_refused=refused,
                is_verified=verify,
            )
    except InvalidInput as error:
        fail(console, str(error), USAGE)
    written = loaded.written
    typer.echo(
        f"{written.events:,} events and {written.contacts:,} contacts loaded in "
        f"{loaded.seconds:.1f} s, {written.evidence:,} pieces of evidence among them; "
        f"{written.known:,} known already, {written.refused:,} refused"
    )
    if loaded.verified is not None:
        typer.echo(
            f"the graph is what its {loaded.verified:,} pieces of evidence say "
            f"({loaded.verifying:.1f} s)"
        )
    if written.refused:
        raise typer.Exit(REFUSED)
