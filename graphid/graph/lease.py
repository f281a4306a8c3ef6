"""A lease in the database: one process at a time does what may be done by one only.

Its time runs by the database's clock. What is done under it checks, behind the lock of its node,
that it is still the same term; so whoever lost it without noticing does nothing.
"""

from __future__ import annotations

from typing import Any

from graphid.graph.database import Database
from graphid.graph.queries import query

TAKE_LEASE = query("changes/take_lease")
READ_LEASE = query("changes/read_lease")
GIVE_LEASE = query("changes/give_lease")


class Lease:
    """One lease, as one process sees it. ``seconds``: for how long it is had."""

    def __init__(self, database: Database, name: str, holder: str, *, seconds: float) -> None:
        self._database = database
        self._name = name
        self._holder = holder
        self._milliseconds = round(seconds * 1000)

    def told(self, term: int) -> dict[str, Any]:
        """The lease as a parameter of what is done under it; ``term`` as :meth:`take` said."""
        return self._named | {"term": term}

    @property
    def _named(self) -> dict[str, Any]:
        return {
            "name": self._name,
            "holder": self._holder,
            "milliseconds": self._milliseconds,
        }

    async def take(self) -> int | None:
        """Take it, or keep it: the term; None where another process has it."""
        rows = await self._database.write_rows(TAKE_LEASE, lease=self._named)
        return rows[0]["term"] if rows else None

    async def is_free(self) -> bool:
        """Whether nobody has it, or its time is over. Takes no lock."""
        rows = await self._database.read_rows(READ_LEASE, name=self._name)
        return not rows or bool(rows[0]["free"])

    async def give(self) -> None:
        """Let it go, where it is this process's."""
        await self._database.write_rows(GIVE_LEASE, name=self._name, holder=self._holder)
