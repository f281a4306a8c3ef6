"""``graphid schema``: the text of the GraphQL schema."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the GraphQL schema. The repository's schema.graphql is this, and a test compares."""
    from graphid.api.schema import schema_text  # noqa: PLC0415 - other commands start faster

    typer.echo(schema_text(), nl=False)
