"""``graphid demo``."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from rich.console import Console

from graphid import settings as settings_module
from graphid.graph.engine import TerminalProgress


def demo(
    exit: Annotated[bool, typer.Option("--exit", help="Stop when the story is told.")] = False,
    port: Annotated[
        int | None, typer.Option(help="Else GRAPHID_PORT, else 8080 or a free one.")
    ] = None,
) -> None:
    """Play a customer's two days against a real Neo4j, and show what graphid makes of them."""
    from graphid.demo.play import USUAL_PORT, free_or_any, play, utc_now  # noqa: PLC0415 - slow

    given: dict[str, Any] = {"log_level": "error", "log_format": "console"}
    if port is not None:
        given["port"] = port
    elif not os.environ.get(settings_module.variable("port")):
        given["port"] = free_or_any(USUAL_PORT)
    settings = settings_module.load(**given)
    with TerminalProgress(Console(stderr=True)) as progress:
        play(settings, Console(), progress, stay=not exit, now=utc_now())
