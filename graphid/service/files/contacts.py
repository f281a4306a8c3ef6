"""CSV of contacts: one record of a source a row, its columns named by the first row.

``source`` and ``sourceId`` say which record it is; ``email``, ``phone``, ``firstName``,
``lastName``, ``curated``, ``deleted``, ``occurredAt`` and ``messageId`` are the fields of
``saveContact``, and ``identifier:TYPE`` is an identifier of that type. Every other column is a
trait of its name, so that the policy decides which of them identify (``trait_identifiers``). An
empty cell says nothing. Case, ``_``, ``-`` and spaces do not matter in the names of fields.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from graphid.errors import InvalidInput
from graphid.service.files.lines import TOO_LONG
from graphid.service.files.reading import HEADER
from graphid.service.messages import Contact

MOST = 1 << 16
"""The longest row, in characters: a quote that is never closed holds no more than that."""

FIELDS = {
    "source": ("source",),
    "sourceid": ("sourceId",),
    "messageid": ("messageId",),
    "occurredat": ("occurredAt",),
    "timestamp": ("occurredAt",),
    "curated": ("curated",),
    "deleted": ("deleted",),
    "email": ("traits", "email"),
    "phone": ("traits", "phone"),
    "firstname": ("traits", "firstName"),
    "lastname": ("traits", "lastName"),
}
IDENTIFIER = "identifier:"
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
DELIMITERS = ",;\t|"


class ContactRows:
    """Reads rows as contacts.

    ``source``: of rows that name none. ``at``: when it is so, of rows that say no time; None for
    when they are read.
    """

    def __init__(self, *, source: str | None = None, at: datetime | None = None) -> None:
        self._source = source
        self._at = at
        self._columns: list[tuple[str, ...]] | None = None
        self._names: list[str] = []
        self._delimiter = ","
        self._open: list[str] = []
        self._read_lines = 0
        self.lines = 1

    @property
    def is_between(self) -> bool:
        return not self._open

    def read(self, line: bytes | None) -> Contact | None:
        row = self._row(line)
        if row is None or not any(row):
            return None
        if self._columns is None:
            self._head(row)
            return None
        return self._contact(row)

    def end(self) -> Contact | None:
        if self._open:
            self.lines = len(self._open)
            raise InvalidInput("the file ends inside a quoted cell")
        return None

    def _row(self, line: bytes | None) -> list[str] | None:
        """The cells of the row that ends with the line; None where it goes on."""
        self.lines = len(self._open) + 1
        if line is None:
            self._open = []
            raise InvalidInput(TOO_LONG)
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            self._open = []
            raise InvalidInput(f"is not UTF-8: byte {error.start + 1} of the line") from None
        if self._columns is None and not self._open:
            self._delimiter = max(DELIMITERS, key=text.count)
        self._open.append(text)
        try:
            rows = list(csv.reader(self._open, delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                if sum(map(len, self._open)) <= MOST:
                    return None
                error = csv.Error("a quoted cell is never closed")
            self._open = []
            raise InvalidInput(f"is not CSV: {error}") from None
        self._open = []
        return rows[0] if rows else []

    def _head(self, names: list[str]) -> None:
        """Take in the first row. Raises InvalidInput for what no row could be read by."""
        columns = [_column(name.strip()) for name in names]
        twice = {names[i] for i, c in enumerate(columns) if c and columns.index(c) != i}
        if twice:
            raise InvalidInput(f"two columns are {', '.join(sorted(twice))}", path=HEADER)
        needed = [] if self._source else [("source",)]
        missing = [c[-1] for c in (*needed, ("sourceId",)) if c not in columns]
        if missing:
            raise InvalidInput(f"no column is {', '.join(missing)}", path=HEADER)
        self._names, self._columns = names, columns

    def _contact(self, row: list[str]) -> Contact:
        assert self._columns is not None
        if len(row) > len(self._columns):
            raise InvalidInput(f"has {len(row)} cells, and there are {len(self._columns)} columns")
        said: dict[str, Any] = {"identifiers": [], "traits": {}}
        custom: dict[str, Any] = {}
        for name, column, cell in zip(self._names, self._columns, row, strict=False):
            value = cell.strip()
            if not value or not column:
                continue
            match column:
                case ("identifier", type):
                    said["identifiers"].append({"type": type, "value": value})
                case ("custom", trait):
                    custom[trait] = value
                case ("traits", trait):
                    said["traits"][trait] = value
                case ("curated" | "deleted",):
                    said[column[0]] = _flag(value, name)
                case ("occurredAt",):
                    said["occurredAt"] = read_time(value, name)
                case _:
                    said[column[0]] = value
        if custom:
            said["traits"]["custom"] = custom
        said.setdefault("source", self._source)
        said.setdefault("occurredAt", self._at or datetime.now(UTC))
        said["traits"] = said["traits"] or None
        try:
            return Contact.model_validate(said)
        except ValidationError as error:
            raise self._named(error, said) from None

    def _named(self, error: ValidationError, said: dict[str, Any]) -> InvalidInput:
        """The first fault, under the name of its column."""
        fault = error.errors(include_url=False, include_input=False)[0]
        where = tuple(str(part) for part in fault["loc"])
        assert self._columns is not None
        if where[:1] == ("identifiers",) and len(where) > 1:
            where = ("identifier", said["identifiers"][int(where[1])]["type"])
        elif where[:2] == ("traits", "custom") and len(where) > 2:
            where = ("custom", where[2])
        named = dict(zip(self._columns, self._names, strict=True))
        path = next((named[where[:n]] for n in (2, 1) if where[:n] in named), where[-1])
        return InvalidInput(fault["msg"].removeprefix("Value error, "), path=[path])


def _column(name: str) -> tuple[str, ...]:
    """Where what is in a column goes; empty for a column without a name."""
    if name.startswith(IDENTIFIER):
        return ("identifier", name.removeprefix(IDENTIFIER))
    plain = "".join(c for c in name.casefold() if c not in "_- ")
    return FIELDS.get(plain) or (("custom", name) if name else ())


def _flag(value: str, name: str) -> bool:
    flag = FLAGS.get(value.casefold())
    if flag is None:
        raise InvalidInput("must be true or false", path=[name])
    return flag


def read_time(value: str, name: str) -> datetime:
    """A time as ISO 8601 text; without an offset it is UTC. Raises InvalidInput."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise InvalidInput("must be a time in ISO 8601", path=[name]) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
