"""``graphid doctor``: what is set up insecurely."""

from __future__ import annotations

import typer

from graphid import settings as settings_module

INSECURE = 1
"""Exit code where something is, as of an error."""


def doctor() -> None:
    """Say what of the settings is insecure, a line each, and what to do about it.

    The exit code is 1 where anything is; notes do not count.
    """
    from graphid.cli.findings import findings  # noqa: PLC0415 - other commands start faster

    found = findings(settings_module.load())
    for finding in found:
        typer.echo(str(finding))
    insecure = sum(not finding.is_note for finding in found)
    typer.echo(f"{insecure} insecure" if insecure else "nothing insecure was found")
    if insecure:
        raise typer.Exit(INSECURE)
