"""``graphid load``: a whole history, into a database that has none."""

from __future__ import annotations

from pathlib import Path
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
from graphid.graph.loading.tables import ARGUMENTS

if TYPE_CHECKING:
    from graphid.service.loading.history import Written
    from graphid.service.loading.parsing import Fault
    from graphid.wiring_of_loads import Loaded


def load(  # noqa: PLR0917 - the options of a command
    files: FilesArgument,
    format: FormatOption = None,
    source: SourceOption = None,
    assurance: AssuranceOption = FileAssurance.CLAIMED,
    rejects: RejectsOption = None,
    into: Annotated[
        Path | None,
        typer.Option(
            help="An empty folder, for files that your own neo4j-admin imports: of a Neo4j that "
            "is not the local engine.",
            file_okay=False,
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option(help="Compare the graph with its evidence before it is put in place.")
    ] = True,
) -> None:
    """Load the history of years into a database that has none, at once.

    The local engine is made anew, of what the files say, and takes the place of the old one when it
    is complete. Into a database at GRAPHID_NEO4J_URI the files are taken in as by graphid import,
    or written for its own neo4j-admin (--into).
    """
    from graphid.wiring_of_loads import (  # noqa: PLC0415
        Watching,
        require_empty,
        run_load,
        write_history,
    )

    console = Console(stderr=True)
    settings = settings_module.load()
    try:
        chosen = files_of(files, format, source, assurance)
        if settings.neo4j_uri and into is None:
            with TerminalProgress(console) as progress:
                require_empty(settings, progress)
                progress.step("the database is not the local engine: taking in, as graphid import")
            import_files(chosen, rejects, console)
            return
        with (
            TerminalProgress(console) as progress,
            Counting(console) as counting,
            Rejects(rejects, chosen) as rejected,
        ):
            rejected.begin(*chosen)

            def refused(name: str, fault: Fault) -> None:
                error = InvalidInput(fault.message, path=fault.path)
                rejected.tell(name, fault.line, fault.end, error)

            watching = Watching(progress, counting, refused)
            if into is None:
                loaded = run_load(settings, chosen, watching, is_verified=verify)
                written = loaded.written
                _tell_loaded(loaded)
            else:
                written = write_history(settings, chosen, into, watching)
                _tell_written(written, into, settings.neo4j_database)
    except InvalidInput as error:
        fail(console, str(error), USAGE)
    if written.refused:
        raise typer.Exit(REFUSED)


def _tell_loaded(loaded: Loaded) -> None:
    own = f"{loaded.of_database:.1f} s of them the database's own import, start and indexes"
    typer.echo(_sentence(loaded.written, f"loaded in {loaded.seconds:.1f} s ({own})"))
    if loaded.verified is not None:
        typer.echo(
            f"the graph is what its {loaded.verified:,} pieces of evidence say "
            f"({loaded.verifying:.1f} s)"
        )


def _tell_written(written: Written, folder: Path, database: str) -> None:
    typer.echo(_sentence(written, f"written into {folder}"))
    typer.echo(
        "Stop the database and run this in that folder, as the user that Neo4j runs as (what the "
        "database holds is gone then); start the database, and run graphid verify.\n"
        f"  neo4j-admin database import full @{ARGUMENTS} --overwrite-destination {database}"
    )


def _sentence(written: Written, how: str) -> str:
    return (
        f"{written.events:,} events and {written.contacts:,} contacts {how}, "
        f"{written.evidence:,} pieces of evidence among them; "
        f"{written.known:,} known already, {written.refused:,} refused"
    )
