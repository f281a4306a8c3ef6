"""Values as statements return them, made plain: rows of dicts, times aware and in UTC."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from functools import partial
from typing import Any

import neo4j
from neo4j._codec.packstream import Structure
from neo4j.time import DateTime

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""What nearly all values are: a call for each would take longer than the rest."""


async def to_rows(result: neo4j.AsyncResult) -> list[dict[str, Any]]:
    """Every row of a result of the driver's, read to the end."""
    records = await result.fetch(sys.maxsize)
    keys = result.keys()
    return [dict(zip(keys, map(plain, record), strict=True)) for record in records]


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


class Reading:
    """How the rows of statements are read off a connection: plain from the start.

    The driver's own way looks at each item of each list and map for what it could not read, keeps
    a graph of the nodes that were returned, and leaves circles behind for the garbage collector.
    """

    __slots__ = ("_fault", "hooks")

    def __init__(self, connection: Any) -> None:
        handler = connection.hydration_handler
        self._fault: list[TypeError] = []
        made = partial(_made_plain, handler.struct_hydration_functions, self._fault)
        self.hooks: dict[str, Any] = {
            "dehydration_hooks": handler.dehydration_hooks,
            "hydration_hooks": {Structure: made},
        }

    def rows(self, keys: Iterable[str], records: Iterable[Iterable[Any]]) -> list[dict[str, Any]]:
        """Rows by their columns' names. TypeError as ``plain``, and for a node or relationship."""
        if self._fault:
            raise self._fault[0]
        return [dict(zip(keys, record, strict=True)) for record in records]


def _made_plain(
    functions: Mapping[bytes, Callable[..., Any]], fault: list[TypeError], structure: Any
) -> Any:
    # An error that leaves here would cost the connection: what is read off it ends half-way.
    function = functions.get(structure.tag)
    if function is None:
        fault.append(TypeError("a statement returned a node, relationship or path, not its values"))
        return None
    try:
        return plain(function(*structure.fields))
    except TypeError as error:
        fault.append(error)
    except Exception as error:
        fault.append(TypeError(f"a statement returned what cannot be read: {type(error).__name__}"))
    return None
