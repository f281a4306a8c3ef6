"""``graphid engine start|stop|status``: a local database that stays, for several commands."""

from __future__ import annotations

from pathlib import Path

import typer

from graphid import settings
from graphid.graph.engine import (
    Engine,
    Folder,
    TerminalProgress,
    engine_folder,
    standing_engine,
    stop_standing_engine,
)

app = typer.Typer(
    help="The local database engine: start one that stays, stop it, see whether it runs.",
    no_args_is_help=True,
)

NOT_RUNNING = 3
"""Exit code of ``status``; 1 is for errors."""


@app.command()
def start() -> None:
    """Start a database that stays when this command ends, and that the others find."""
    with TerminalProgress() as progress:
        chosen = settings.load()
        there = standing_engine(chosen.data_dir, progress=progress)
        if there is not None:
            typer.echo(f"Runs already: {there.origin}")
            return
        folder = engine_folder(chosen.data_dir)
        address = Engine(folder, version=chosen.engine_version, progress=progress).start(
            standing=True
        )
        typer.echo(f"Runs: {address.origin}")
        _tell_how_to_reach(Folder(folder), address.uri)
        typer.echo("It stays until: graphid engine stop")


@app.command()
def stop() -> None:
    """Stop the database that `graphid engine start` started; its data stays."""
    data_dir = settings.load().data_dir
    stopped = stop_standing_engine(data_dir)
    shown = Folder(engine_folder(data_dir)).shown
    if stopped is None:
        typer.echo(f"No engine runs in {shown}.")
    else:
        typer.echo(f"Stopped engine {stopped.version} in {shown} (process {stopped.process}).")


@app.command()
def status() -> None:
    """Say whether a database runs on the data folder, whose it is, and where it answers."""
    chosen = settings.load()
    if chosen.neo4j_uri:
        typer.echo("GRAPHID_NEO4J_URI is set, so graphid uses that and no local engine.")
    folder = Folder(engine_folder(chosen.data_dir))
    holder = folder.holder()
    if holder is None:
        typer.echo(f"No engine runs in {folder.shown}.")
        raise typer.Exit(NOT_RUNNING)
    typer.echo(f"Engine {holder.version} in {folder.shown}, held by {holder}.")
    if holder.uri is None:
        typer.echo("It is starting.")
        return
    _tell_how_to_reach(folder, holder.uri)
    memory = _resident_megabytes(holder.process)
    if memory is not None:
        typer.echo(f"  memory:   {memory} MB")


def _tell_how_to_reach(folder: Folder, uri: str) -> None:
    typer.echo(f"  address:  {uri}")
    typer.echo(f"  user:     neo4j, password in {folder.shown}/password")


def _resident_megabytes(process: int | None) -> int | None:
    """The memory that a process holds; None where the kernel does not tell in the way of Linux."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    sizes = [int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS:")]
    return sizes[0] if sizes else None
