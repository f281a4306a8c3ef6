"""What an operation's anchors mean at its place in the fold (model.md, step: operations).

In this order: itself; the holder of the identifier that it is named for; where its evidence
ended up.
"""

from __future__ import annotations

from graphid.identity.ids import Ids
from graphid.identity.people import People
from graphid.identity.state import Visitor
from graphid.identity.values import Anchor, ContactAnchor, Place, VisitorAnchor
from graphid.identity.view import View


class Anchors:
    """Finds what anchors mean in one step."""

    def __init__(self, view: View, people: People, ids: Ids) -> None:
        self._view = view
        self._people = people
        self._ids = ids

    def find(self, anchor: Anchor) -> tuple[str | None, Visitor | None]:
        """The contact that an anchor means, or the visitor, where nobody owns it; else neither:
        so it is with what was done unattended, which is nobody's but no part that could be cut, and
        where the part that was meant is that of somebody who was erased."""
        if isinstance(anchor, ContactAnchor):
            return self.contact(anchor)
        assert isinstance(anchor, VisitorAnchor)
        visitor = self.visitor(anchor)
        if anchor.unclaimed and visitor.is_forgotten and not begins_before_reach(visitor):
            return None, None
        if visitor.owner is None or (anchor.unclaimed and begins_before_reach(visitor)):
            return None, visitor
        if anchor.unclaimed and visitor.disowns_unattended:
            return None, None
        return visitor.owner, None

    def contact(self, anchor: ContactAnchor) -> tuple[str | None, Visitor | None]:
        """The contact that is meant; where its evidence named nobody after all, the visitor;
        neither where that was somebody's who is erased."""
        if self._people.find(anchor.contact) is not None:
            return anchor.contact, None
        holder = None if anchor.named_for is None else self._people.holding(anchor.named_for)
        if holder is not None and anchor.named_for is not None:
            return holder.holds_of(anchor.named_for)[0][0].id, None
        if anchor.cookie is None:
            return None, None
        visitor = self.visitor_at(anchor.cookie, anchor.made)
        if visitor.owner is not None:
            return visitor.owner, None
        # Whose evidence it was is erased, and so is what was meant.
        return None, None if visitor.is_forgotten else visitor

    def visitor(self, anchor: VisitorAnchor) -> Visitor:
        """The visitor that is meant."""
        open_one = self.open_visitor(anchor.cookie)
        if open_one.id == anchor.visitor:
            return open_one
        found = self._view.find("visitor", anchor.visitor)
        return self.visitor_at(anchor.cookie, anchor.start) if found is None else found

    def open_visitor(self, cookie: str) -> Visitor:
        """Who has the cookie now."""
        found = self._view.find("cookie", cookie)
        if found is not None:
            return found.visitor
        return Visitor(id=self._ids.birth(cookie), cookie=cookie)

    def following(self, visitor: Visitor) -> Visitor | None:
        """The visitor after this one: each knows what ended it, and so what opened the next."""
        if visitor.ended_by is None:
            return None
        id = self._ids.visitor(visitor.cookie, visitor.ended_by)
        open_one = self.open_visitor(visitor.cookie)
        return open_one if open_one.id == id else self._view.find("visitor", id)

    def visitor_at(self, cookie: str, place: Place) -> Visitor:
        """The visitor whose interval covers a place."""
        open_one = self.open_visitor(cookie)
        birth = self._ids.birth(cookie)
        visitor = open_one if open_one.id == birth else self._view.find("visitor", birth)
        while visitor is not None and visitor.end is not None and visitor.end <= place:
            visitor = self.following(visitor)
        return open_one if visitor is None else visitor


def begins_before_reach(visitor: Visitor) -> bool:
    """Whether something of the visitor lies before the reach of its owner, or of whoever owned it
    and is erased, and so is nobody's."""
    reach = visitor.forgotten_from if visitor.link is None else visitor.link.reach
    return reach is not None and reach > (visitor.started_at or 0)
