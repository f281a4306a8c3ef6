"""What the audit is told, kept in memory."""

from __future__ import annotations

from graphid.service.audit.audit import Audit, Witness
from graphid.service.audit.entries import Entry, Origin

Line = tuple[str, str, tuple[str, ...]]
"""Action, outcome and subjects."""


class Seen(Audit):
    """An audit without a database."""

    def __init__(self) -> None:
        self.entries: list[Line] = []

    @property
    def witness(self) -> Witness:
        return Witness(self, lambda: Origin("somebody", "-", "", ""), lambda: 0)

    async def write(self, entry: Entry) -> None:
        self.gather(entry)

    def gather(self, entry: Entry) -> None:
        if not entry.action.isidentifier() or entry.action in ("providers", "keys"):
            return  # reads are another matter
        self.entries.append((entry.action, entry.outcome.value, entry.subjects))
