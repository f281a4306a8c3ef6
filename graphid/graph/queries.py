"""The statements that reach the database: one file each, ``cypher/<area>/<verb_noun>.cypher``.

A module that needs one names it once, at import, so that a wrong name fails at start::

    APPEND_EVENTS = query("events/append_events")

A file begins with a comment that says what it is for::

    // Purpose: one or two sentences.
    // Parameters: $a, what it is; $b, what it is.     (or: none)
    // Columns: x, y.                                  (or: none)
    // Plan: offline                                   (only where a job may scan)

A statement that another one contains is written once, and named there by an indented line::

    CALL () {
      // Include: events/append_events
    }

``cypher/parts`` holds what several statements share and is no statement by itself.

The server plans a statement anew for each combination of empty, short and long lists and texts
among its parameters, which takes up to seconds where running it takes milliseconds. So all are
handed over inside one map, whose content it does not look at: ``$id`` is sent as ``$given.id``.

``cypher/schema`` holds migrations, which ``graphid.graph.schema`` reads. Neither are queries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, LiteralString

FIELDS = ("Purpose", "Parameters", "Columns", "Plan")
SUFFIX = ".cypher"
PARTS = "parts/"
GIVEN = "given"
"""The parameter that holds all others."""


@dataclass(frozen=True, slots=True)
class Query:
    """One statement, with what its header says."""

    name: str
    text: LiteralString
    """As it is sent, with :meth:`given`."""
    purpose: str
    parameters: frozenset[str]
    columns: tuple[str, ...]
    offline: bool
    """A job's statement: its plan may scan, and no request waits for it."""

    def given(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """These parameters as the statement takes them."""
        return {GIVEN: parameters}


def query(name: str) -> Query:
    """The statement of that name (``area/verb_noun``); KeyError where there is none."""
    return load()[name]


@cache
def load() -> dict[str, Query]:
    """Every statement except the migrations, by name, with what it includes."""
    texts = {
        f"{area.name}/{file.name.removesuffix(SUFFIX)}": file.read_text(encoding="utf-8")
        for area in folder().iterdir()
        if area.is_dir() and area.name != "schema"
        for file in area.iterdir()
        if file.name.endswith(SUFFIX)
    }
    return {
        name: parse(name, included(text, texts))
        for name, text in texts.items()
        if not name.startswith(PARTS)
    }


def included(text: str, texts: Mapping[str, str]) -> str:
    """The text with each ``// Include: area/verb_noun`` in its body replaced by that statement,
    and by what that one includes."""
    return re.sub(
        r"^ +// Include: (\S+)$",
        lambda found: included(body_of(texts[found[1]]), texts),
        text,
        flags=re.MULTILINE,
    )


def folder() -> Traversable:
    """Where the files are: inside the wheel, or at the root of an editable checkout."""
    inside = files("graphid") / "cypher"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "cypher"


def parse(name: str, text: str) -> Query:
    """A statement and its header; ValueError names the file and what its header lacks."""
    header = header_of(text)
    for field in FIELDS[:3]:
        if field not in header:
            raise ValueError(f"cypher/{name}{SUFFIX}: the header has no line '// {field}: …'")
    return Query(
        name=name,
        # The only place where text becomes a statement: files that ship with the code.
        text=of_one_map(body_of(text)),
        purpose=header["Purpose"],
        parameters=frozenset(re.findall(r"\$(\w+)", header["Parameters"])),
        columns=_names(header["Columns"]),
        offline=header.get("Plan", "").rstrip(".") == "offline",
    )


def header_of(text: str) -> dict[str, str]:
    """The fields of the leading comment; a line without a field's name continues the last one."""
    found: dict[str, str] = {}
    field = None
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        words = line.removeprefix("//").strip()
        start, colon, rest = words.partition(":")
        if colon and start in FIELDS:
            field, words = start, rest.strip()
        if field is not None:
            found[field] = f"{found[field]} {words}" if field in found else words
    return found


def body_of(text: str) -> str:
    """The statement without its header: less to send, and the server caches plans by text."""
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if not line.startswith("//")), len(lines))
    return "\n".join(lines[start:]).strip().removesuffix(";")


def of_one_map(text: str) -> str:
    """A statement whose parameters are all in one map; words in comments and strings are none."""
    return re.sub(
        r"//[^\n]*|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|\$(\w+)",
        lambda found: found[0] if found[1] is None else f"${GIVEN}.{found[1]}",
        text,
    )


def _names(columns: str) -> tuple[str, ...]:
    listed = re.sub(r"\([^)]*\)", "", columns).strip().rstrip(".")
    if listed.lower() == "none":
        return ()
    # "x, what it is; y" and "x, y" are both in use: a name is a single word before , ; or the end.
    return tuple(re.findall(r"(?:^|[,;])\s*(\w+)(?=\s*(?:[,;:]|$))", listed))
