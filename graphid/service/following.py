"""Following a person through the log of changes: through merges and splits, and back.

An id stands for a contact or a visitor for ever (model.md, operations); where that moves, the
follower goes along. Pure: the same changes lead to the same person, live and read again.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphid.graph.changes import ChangeKind
from graphid.graph.log import ChangeRecord


@dataclass
class Follower:
    """Whom an id means. ``visitor``: what it stands for is a visitor; ``contact``: what it
    stands for, or the contact by which the visitor is somebody's; ``person``: who that is now."""

    person: str
    contact: str = ""
    visitor: str = ""
    is_over: bool = False
    """They were erased: whoever has the id later is somebody new."""

    @property
    def subjects(self) -> frozenset[str]:
        """The ids of which some is in all that concerns the person."""
        return frozenset(filter(None, (self.person, self.contact, self.visitor)))

    def take(self, change: ChangeRecord) -> bool:
        """Go along with a change; whether it concerns the person, as they were or are."""
        if self.is_over:
            return False
        concerned = self.person == change.person or self.person in change.previous
        self.is_over = concerned and change.kind == ChangeKind.ERASED
        if self.visitor and self.visitor in change.moved:
            self.contact = change.moved[self.visitor]
            self.person = change.person
            return True
        if self.contact and self.contact in change.moved:
            self.person = change.person
            return True
        return concerned
