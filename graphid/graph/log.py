"""The log of changes: numbered after their commit by one process at a time, and read by number.

Numbers have no gaps, and a change never gets another. They are given in one transaction after
the other, yet a reader may meet a later one of a transaction before an earlier one: what is read
counts up to the first gap, and no further.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from graphid.graph.database import Database
from graphid.graph.lease import READ_LEASE
from graphid.graph.queries import query

NUMBER_CHANGES = query("changes/number_changes")
FIND_WAITING = query("changes/find_waiting")
LIST_CHANGES = query("changes/list_changes")
LIST_ABOUT = query("changes/list_about")
FIND_MOVES = query("changes/find_moves")
DROP_LINES = query("changes/drop_lines")

LEASE = "changes"
"""The name of the lease of whoever gives the numbers."""


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A change of who is who. ``moved``: contacts and visitors that are the person's since, each
    with the contact by which it is; empty where it is nobody's."""

    sequence: int
    kind: str
    person: str
    previous: tuple[str, ...]
    moved: dict[str, str]
    links: tuple[str, ...]
    evidence: str
    recorded_at: int

    @property
    def concerns(self) -> list[str]:
        """The ids of whoever wants to know of it."""
        return list(dict.fromkeys((self.person, *self.previous, *self.moved)))


@dataclass(frozen=True, slots=True)
class Move:
    """Whose a contact or a visitor is: the person, and the contact by which."""

    person: str
    contact: str


class Log:
    """Reads the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self) -> int:
        """The last number that was given; 0 where there is none."""
        rows = await self._database.read_rows(READ_LEASE, name=LEASE)
        return rows[0]["last"] if rows else 0

    async def after(self, sequence: int, *, limit: int) -> list[ChangeRecord]:
        """What follows a number, without gaps."""
        (row,) = await self._database.read_rows(LIST_CHANGES, after=sequence, limit=limit)
        return whole(row["changes"], sequence)

    async def about(
        self, subjects: Collection[str], *, after: int, until: int, limit: int
    ) -> list[ChangeRecord]:
        """What concerns some ids, from behind one number up to another."""
        (row,) = await self._database.read_rows(
            LIST_ABOUT, subjects=list(subjects), after=after, until=until, limit=limit
        )
        return [_record(change) for change in row["changes"]]

    async def whose(self, id: str, at: int) -> Move | None:
        """Whose a contact or visitor was when that number was the last, as far as the log tells:
        None where it has not moved since the log began."""
        (row,) = await self._database.read_rows(FIND_MOVES, id=id, at=at)
        former, behind = row["former"], row["next"]
        if former is not None:
            return Move(former["person"], former["movedBy"][former["moved"].index(id)])
        if behind is not None:
            return Move(behind["movedFrom"][behind["moved"].index(id)], "")
        return None


def whole(rows: Sequence[Sequence[Any]], after: int) -> list[ChangeRecord]:
    """The rows up to the first gap."""
    found: list[ChangeRecord] = []
    for expected, row in enumerate(rows, after + 1):
        if row[0] != expected:
            break
        found.append(_record(row))
    return found


def _record(row: Sequence[Any]) -> ChangeRecord:
    sequence, kind, person, previous, moved, moved_by, links, evidence, recorded_at = row
    return ChangeRecord(
        sequence=sequence,
        kind=kind,
        person=person,
        previous=tuple(previous),
        moved=dict(zip(moved, moved_by, strict=True)),
        links=tuple(links),
        evidence=evidence,
        recorded_at=recorded_at,
    )
