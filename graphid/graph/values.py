"""Values as the driver gives them, made plain: rows of dicts, times aware and in UTC."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC
from typing import Any

import neo4j
from neo4j.time import DateTime

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""What nearly all values are: a call for each would take longer than the rest."""


async def to_rows(result: neo4j.AsyncResult) -> list[dict[str, Any]]:
    """Every row of a result, read to the end."""
    records = await result.fetch(sys.maxsize)
    keys = result.keys()
    return [plain_row(keys, record) for record in records]


def plain_row(keys: Iterable[str], record: Iterable[Any]) -> dict[str, Any]:
    """A row by its columns' names."""
    return dict(zip(keys, map(plain, record), strict=True))


def plain(value: Any) -> Any:
    """The value without driver types, also inside lists and maps.

    A time without a zone is refused with TypeError: nobody could say when it was.
    """
    kind = type(value)
    if kind is DateTime:
        native = value.to_native()
        if native.tzinfo is None:
            raise TypeError("a statement returned a time without a zone")
        return native.astimezone(UTC)
    if kind is list:
        return [item if type(item) in _PLAIN else plain(item) for item in value]
    if kind is dict:
        return {key: item if type(item) in _PLAIN else plain(item) for key, item in value.items()}
    return value
