"""Nodes and relationships as CSV, as ``neo4j-admin database import`` reads it.

Numbers of nodes, within their kind, are for the import alone: they are not stored. An empty list
cannot be said in such a file: the property is not there, and whoever reads it takes that for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LIST = "\x1e"
"""Between the items of a list: no id and no identifier holds a control character."""

BUFFER = 1 << 18

NODES: Mapping[str, Mapping[str, str]] = {
    "Cookie": {
        "id": "string",
        "firstSeenAt": "long",
        "lastSeenAt": "long",
        "known": "boolean",
    },
    "Device": {
        "id": "string",
        "firstSeenAt": "long",
        "lastSeenAt": "long",
        "sharedSince": "string",
    },
    "Session": {
        "id": "string",
        "cookie": "string",
        "startedAt": "long",
        "lastActivityAt": "long",
    },
    "Event": {
        "messageId": "string",
        "cookie": "string",
        "position": "string",
        "occurredAt": "long",
        "session": "string",
        "repetition": "string",
        "said": "string",
        "type": "string",
        "kind": "string",
        "nobody": "boolean",
        "receivedAt": "long",
        "digest": "string",
        "device": "string",
        "clientSession": "string",
        "actor": "string",
        "detail": "string",
    },
    "Visitor": {
        "id": "string",
        "cookie": "string",
        "opening": "string",
        "openedBy": "string",
        "start": "string",
        "end": "string",
        "startedAt": "long",
        "endedAt": "long",
        "endedBy": "string",
        "identified": "string",
        "verified": "string",
        "attended": "long[]",
        "unattendedAfter": "long",
        "unattendedOwner": "string",
        "contact": "string",
        "linkedAt": "long",
    },
    "Contact": {
        "id": "string",
        "source": "string",
        "sourceId": "string",
        "state": "string",
        "assurance": "long",
        "made": "string",
        "madeAt": "long",
        "namedFor": "string",
        "evidence": "string",
        "isRecord": "boolean",
        "traits": "string",
        "names": "string",
    },
    "Identifier": {
        "key": "string",
        "id": "string",
        "type": "string",
        "value": "string",
        "words": "string",
    },
    "Person": {"id": "string"},
    "Review": {
        "id": "string",
        "kind": "string",
        "state": "string",
        "contacts": "string[]",
        "identifier": "string",
        "evidence": "string",
        "at": "long",
        "recordedAt": "long",
        "position": "string",
        "reason": "string",
        "decidedBy": "string",
    },
    "Evidence": {
        "id": "string",
        "place": "string",
        "kind": "string",
        "at": "long",
        "recordedAt": "long",
        "policy": "long",
        "body": "string",
        "outcome": "string",
        "digest": "string",
        "cookie": "string",
        "operation": "string",
        "touched": "string[]",
        "links": "string",
    },
    "State": {
        "key": "string",
        "place": "string",
        "wrote": "string",
        "repeated": "string",
        "value": "string",
        "refs": "string[]",
    },
    "Repetition": {
        "id": "string",
        "cookie": "string",
        "device": "string",
        "identifier": "string",
        "assurance": "long",
        "policy": "long",
        "actor": "string",
        "contact": "string",
        "last": "string",
    },
    "Touch": {"key": "string", "place": "string", "wrote": "boolean", "value": "string"},
    "Change": {
        "sequence": "long",
        "recordedAt": "long",
        "kind": "string",
        "person": "string",
        "previous": "string[]",
        "moved": "string[]",
        "movedFrom": "string[]",
        "movedBy": "string[]",
        "links": "string[]",
        "evidence": "string",
        "index": "long",
    },
    "ChangeMention": {"subject": "string", "sequence": "long"},
    "Loaded": {"number": "long", "migrations": "long", "settings": "string"},
}
"""The properties of nodes (docs/graph.md), in the order in which rows have them."""

_LINK = {
    "id": "string",
    "state": "string",
    "rule": "string",
    "assurance": "long",
    "evidence": "string",
    "actor": "string",
    "at": "long",
    "recordedAt": "long",
    "reach": "long",
    "endedAt": "long",
    "endedBy": "string",
    "retractedAt": "long",
    "retractedBy": "string",
    "reason": "string",
    "toldOf": "string",
}

RELATIONSHIPS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "IN_SESSION": ("Event", "Session", {}),
    "ON_COOKIE": ("Session", "Cookie", {}),
    "ON_DEVICE": (
        "Cookie",
        "Device",
        {"device": "string", "known": "boolean", "usedAt": "long"},
    ),
    "OF_COOKIE": ("Visitor", "Cookie", {}),
    "BELONGS_TO": ("Contact", "Person", {}),
    "MERGED_INTO": ("Person", "Person", {}),
    "CONCERNS": ("Review", "Contact", {}),
    "IDENTIFIED_AS": ("Visitor", "Contact", _LINK),
    "HAS_IDENTIFIER": ("Contact", "Identifier", _LINK),
    "SAME_AS": ("Contact", "Contact", _LINK),
}
"""Of relationships: the kinds of nodes that they go from and to, and their properties."""


class Table:
    """One file of rows. ``name``: the label of the nodes, or the type of the relationships."""

    def __init__(self, folder: Path, name: str, part: str = "0") -> None:
        if name in NODES:
            properties = NODES[name]
            ends = [f":ID({name})"]
        else:
            start, end, properties = RELATIONSHIPS[name]
            ends = [f":START_ID({start})", f":END_ID({end})"]
        self.properties = tuple(properties)
        self._file = (folder / f"{name}.{part}.csv").open("w", encoding="utf-8", buffering=BUFFER)
        typed = (f"{name}:{type}" for name, type in properties.items())
        self._file.write(",".join((*ends, *typed)) + "\n")
        self.write = self._file.write
        """Takes the text of a row, which ends with a newline."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, *values: Any) -> None:
        """A row: the numbers of its ends, and the properties in their order."""
        self.write(cells(values) + "\n")

    def put(self, *ends: int, row: Mapping[str, Any]) -> None:
        """A row from its properties by name; what is None, or not named, is not there."""
        self.add(*ends, *map(row.get, self.properties))


def cells(values: Iterable[Any]) -> str:
    """Values as the text of a row."""
    return ",".join(map(cell, values))


def cell(value: Any) -> str:
    """A value as the text of a cell; None is nothing."""
    if isinstance(value, str):  # most are
        return f'"{value.replace(_QUOTE, _TWO_QUOTES)}"' if _QUOTE in value else f'"{value}"'
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if "" in value:
        raise ValueError("a list of a CSV file cannot hold an empty text")
    return cell(LIST.join(map(str, value))) if value else ""


_QUOTE, _TWO_QUOTES = '"', '""'


ARGUMENTS = "import.args"
"""The file of a folder that holds its options."""


def options(folder: Path, *, beside: str | None = None) -> list[str]:
    """The options by which ``neo4j-admin database import full`` reads the files of a folder;
    ``beside``: as what the folder is named, else by its path."""
    named = str(folder) if beside is None else beside
    found = ["--id-type=integer", f"--array-delimiter=U+{ord(LIST):04X}"]
    for name in (*NODES, *RELATIONSHIPS):
        option = "nodes" if name in NODES else "relationships"
        files = sorted(file.name for file in folder.glob(f"{name}.*.csv"))
        found += [f"--{option}={name}={named}/{file}" for file in files]
    return found


def write_arguments(folder: Path) -> None:
    """Write the options into a file of the folder, for whoever calls the importer in it."""
    text = "\n".join(options(folder, beside="."))
    (folder / ARGUMENTS).write_text(f"{text}\n", encoding="utf-8")
