"""What an operator points at, as the anchors that an operation stores."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from graphid.identity.state import Contact, Visitor
from graphid.identity.values import ContactAnchor, Side, VisitorAnchor


def anchor_of(contact: Contact) -> ContactAnchor:
    """A contact with the evidence that made it."""
    return ContactAnchor(contact.id, contact.made, contact.named_for, contact.cookie)


def anchor_of_visitor(visitor: Visitor, *, unclaimed: bool = False) -> VisitorAnchor:
    """A visitor, or the part of it that is nobody's."""
    return VisitorAnchor(visitor.id, visitor.cookie, visitor.start, visitor.end, unclaimed)


def sides_of(contacts: Iterable[Contact], parted: Collection[str]) -> tuple[Side, ...]:
    """What a person falls into without these SAME_AS links, by the ids of the links."""
    members = {contact.id: contact for contact in contacts}
    neighbours: dict[str, list[str]] = {id: [] for id in members}
    for contact in members.values():
        for link in contact.same_as:
            if link.id not in parted:
                neighbours[link.source].append(link.target)
                neighbours[link.target].append(link.source)
    sides: list[Side] = []
    seen: set[str] = set()
    for first in neighbours:
        if first in seen:
            continue
        side, around = {first}, [first]
        while around:
            found = side.union(neighbours[around.pop()])
            around += found - side
            side = found
        seen |= side
        sides.append(tuple(anchor_of(members[id]) for id in sorted(side)))
    return tuple(sides)
