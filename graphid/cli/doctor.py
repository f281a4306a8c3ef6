"""``graphid doctor``: what is set up insecurely, or does not work."""

from __future__ import annotations

import typer

from graphid import settings as settings_module

UNSOUND = 1
"""Exit code where something is, as of an error."""


def doctor() -> None:
    """Say what of the settings is insecure or broken, a line each, and what to do about it.

    Identity providers are asked for their keys; nothing else is started or called. The exit code
    is 1 where anything is insecure or broken; notes do not count.
    """
    from graphid.cli.findings import Kind, findings  # noqa: PLC0415 - other commands start faster
    from graphid.wiring import ask_providers  # noqa: PLC0415

    settings = settings_module.load()
    found = findings(settings, ask_providers(settings))
    for finding in found:
        typer.echo(str(finding))
    counts = {kind: sum(each.kind is kind for each in found) for kind in Kind if kind.is_unsound}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    typer.echo(told or "nothing insecure was found")
    if told:
        raise typer.Exit(UNSOUND)
