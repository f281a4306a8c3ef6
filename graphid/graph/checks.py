"""Comparing the graph with the fold of its evidence, one kind of thing at a time, in words.

A check knows its statement, which reads a page or named ones; what is wrong with a row of it;
which ids there should be; and what to lock so that it stays as it was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from graphid.graph.folded import Folded
from graphid.graph.memory import decode, encode
from graphid.graph.queries import Query
from graphid.identity.state import Key, Value
from graphid.identity.values import Place

SHOWN = 100
"""Characters of a value that a sentence shows."""

MISSING = "is missing"


class Subject(NamedTuple):
    """What a sentence is about: a thing of the graph, or (with a place) a touch of a key."""

    kind: str
    id: str
    place: Place = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.id}" + (f" at {self.place.strip()}" if self.place else "")


def shown(value: Any) -> str:
    """A value as a sentence has it."""
    if value is None:
        return "not set"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def says(what: str, found: Any, expected: Any) -> str:
    """What is, and what should be."""
    return f"{what} is {shown(found)}, and the evidence says {shown(expected)}"


def differing(found: Mapping[str, Any], expected: Mapping[str, Any]) -> Iterator[str]:
    """Where properties are not what they should be; one that is not set is None."""
    for name, value in expected.items():
        if found.get(name) != value:
            yield says(name, found.get(name), value)


def same(key: Key, text: str | None, value: Value | None) -> bool:
    """Whether a stored text is this value."""
    if text is None or value is None:
        return text is None and value is None
    if text == encode(value):
        return True
    try:
        return decode(key, text) == value  # a set can be written in more than one order
    except msgspec.DecodeError:
        return False


class Check:
    """A kind of thing."""

    kind: str
    reads: Query

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.ids = folded.ids

    def faults(self, id: str, row: list[Any] | None) -> Iterator[str]:
        """What is wrong with it; ``row`` is None where there is no such thing in the graph."""
        raise NotImplementedError

    def expected(self) -> Iterator[str]:
        """The ids that there should be, some perhaps twice."""
        raise NotImplementedError

    def keys(self, id: str, row: list[Any] | None) -> set[Key]:
        """What every unit of work that changes it locks."""
        raise NotImplementedError
