"""The command ``graphid``."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import version as version_of
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from graphid import settings as settings_module
from graphid.cli.demo import demo
from graphid.cli.doctor import doctor
from graphid.cli.engine import app as engine
from graphid.cli.imports import import_, said_of
from graphid.cli.keys import app as keys
from graphid.cli.load import load
from graphid.cli.schema import schema
from graphid.cli.upkeep import rebuild, retain, verify
from graphid.errors import GraphidError, Retryable
from graphid.graph.engine import TerminalProgress

app = typer.Typer(
    name="graphid",
    help="Identity resolution on Neo4j.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would print secrets
)
app.add_typer(engine, name="engine")
app.add_typer(keys, name="keys")
app.command("import")(import_)
app.command()(load)
app.command()(demo)
app.command()(doctor)
app.command()(schema)
app.command()(verify)
app.command()(rebuild)
app.command()(retain)


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Else GRAPHID_PORT, else 8080.")] = None,
) -> None:
    """Start the database (unless GRAPHID_NEO4J_URI names one) and the service; Ctrl-C stops."""
    from graphid.wiring import run_service  # noqa: PLC0415 - other commands start faster without

    given = {} if port is None else {"port": port}
    with TerminalProgress(_console) as progress:
        run_service(
            settings_module.load(**given),
            progress=progress,
            on_ready=lambda url: progress.step(f"the service answers at {url}"),
        )


@app.command()
def migrate() -> None:
    """Bring the graph to the schema of this version. Also done by serve, at start."""
    from graphid.wiring_of_commands import run_migrations  # noqa: PLC0415

    with TerminalProgress(_console) as progress:
        applied = run_migrations(settings_module.load(), progress=progress)
    typer.echo("\n".join(f"applied {name}" for name in applied) or "already current")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"graphid {version_of('graphid')}")


def main() -> None:
    """Run the command; an error of ours is one readable message and exit code 1."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        app()
    except GraphidError as error:
        said = said_of(error) if isinstance(error, Retryable) else str(error)
        _console.print(f"[red]error:[/red] {said}", highlight=False, soft_wrap=True)
        sys.exit(1)


_console = Console(stderr=True)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    # SystemExit lets the blocks close what they opened: the engine stops with us.
    sys.exit(128 + signal.SIGTERM)
