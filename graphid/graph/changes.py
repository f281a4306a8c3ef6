"""What a unit of work changes of who is who: the rows of the log of changes (docs/graph.md).

A change is told of whoever somebody is now, with whoever they were. What a list of evidence does
together is told as what it comes to, each change with the last evidence that had a part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from graphid.graph.remembered import Present, Stepped
from graphid.identity.ids import Ids
from graphid.identity.state import (
    Contact,
    Identifier,
    Key,
    Link,
    LinkKind,
    LinkState,
    Opening,
    Person,
    Value,
    Visitor,
)
from graphid.identity.values import Erase, Evidence, Place, Restore, message_of

Row = dict[str, Any]

MOST_LINKS = 200
"""How many links a change names; a re-fold can make very many."""


class ChangeKind(StrEnum):
    """What became of somebody. Of several that are so at once, the first in this list is told."""

    ERASED = "ERASED"
    MERGED = "MERGED"
    UNMERGED = "UNMERGED"
    UNMADE = "UNMADE"
    RESTORED = "RESTORED"
    IDENTIFIED = "IDENTIFIED"
    SEVERED = "SEVERED"
    ENDED = "ENDED"
    ATTRIBUTED = "ATTRIBUTED"
    CREATED = "CREATED"
    PROMOTED = "PROMOTED"
    UPDATED = "UPDATED"
    REPAIRED = "REPAIRED"


_MINOR = (ChangeKind.CREATED, ChangeKind.UPDATED)
"""What another change of the same person says already."""


@dataclass
class Change:
    """One change. ``moved``: contacts and visitors who were ``previous``'s, or nobody's, and are
    the person's now, each with whose it was, and with the contact by which it is the person's
    (itself; of a visitor that is nobody's none). ``keys``: of the fold, that it shows in."""

    kind: ChangeKind
    person: str
    previous: dict[str, None] = field(default_factory=dict)
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    links: dict[str, None] = field(default_factory=dict)
    keys: set[Key] = field(default_factory=set)

    @property
    def concerns(self) -> list[str]:
        """The ids of whoever wants to know of it."""
        return list(dict.fromkeys((self.person, *self.previous, *self.moved)))

    def as_row(self, evidence: str, index: int) -> Row:
        """A Change node, but for its number and when it was written."""
        return {
            "kind": self.kind.value,
            "person": self.person,
            "previous": list(self.previous),
            "moved": list(self.moved),
            "movedFrom": [was for was, _ in self.moved.values()],
            "movedBy": [contact for _, contact in self.moved.values()],
            "links": list(self.links)[:MOST_LINKS],
            "concerns": self.concerns,
            "evidence": evidence,
            "index": index,
        }


@dataclass(frozen=True)
class Shift:
    """What was and what is: ``before`` and ``after`` of the keys that were written, visitors by
    id, ``present`` of all that was looked at (as it was), and the links that are another."""

    ids: Ids
    cause: Evidence | None
    present: Mapping[Key, Present]
    before: Mapping[Key, Value | None]
    after: Mapping[Key, Value | None]
    were: Mapping[str, Visitor]
    are: Mapping[str, Visitor]
    links: Mapping[str, Link]


def log_rows(shift: Shift, steps: Mapping[Place, Stepped], otherwise: str) -> list[Row]:
    """The rows for the log. ``otherwise``: what is told as the evidence where there is none."""
    if not shift.after:
        return []
    changes = _Changes(shift).found()
    new = [stepped for stepped in steps.values() if stepped.before is None]
    rows = []
    for index, change in enumerate(changes):
        piece = shift.cause
        if len(new) > 1:
            wrote = (s.piece for s in reversed(new) if not change.keys.isdisjoint(s.writes))
            piece = next(wrote, piece)
        rows.append(change.as_row(otherwise if piece is None else message_of(piece.id), index))
    return rows


class _Changes:
    """Compares."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._ids = shift.ids
        known = {key: latest.value for key, latest in shift.present.items()}
        self._person_was = self._people_of(known)
        self._person_is = self._people_of({**known, **shift.after})
        self._alive = set(self._person_is.values())
        self._changes: dict[tuple[ChangeKind, str], Change] = {}

    def found(self) -> list[Change]:
        """All changes; those of whom more changed than that they are told of once."""
        self._contacts()
        self._visitors()
        self._details()
        self._links()
        major = [change for change in self._changes.values() if change.kind not in _MINOR]
        told = {id for change in major for id in (change.person, *change.previous)}
        left = list(major)
        for change in self._changes.values():
            if change.kind not in _MINOR:
                continue
            same = next((other for other in major if other.person == change.person), None)
            if same is not None:
                same.moved = change.moved | same.moved
            elif change.moved or change.person not in told:
                left.append(change)
        order = list(ChangeKind)
        return sorted(left, key=lambda change: order.index(change.kind))

    def _of(self, kind: ChangeKind, person: str, *keys: Key) -> Change:
        change = self._changes.setdefault((kind, person), Change(kind, person))
        change.keys.update(keys)
        return change

    def _people_of(self, values: Mapping[Key, Value | None]) -> dict[str, str]:
        """The person of each contact."""
        return {
            contact.id: self._ids.person(key[1])
            for key, value in values.items()
            if isinstance(value, Person) and value.merged_into is None
            for contact in value.contacts
        }

    # ------------------------------------------------------------------ contacts

    def _contacts(self) -> None:
        were, are = _contacts_in(self._shift.before), _contacts_in(self._shift.after)
        existed = set(self._person_was.values())
        for id in {**were, **are}:
            was, is_ = self._person_was.get(id), self._person_is.get(id)
            if was == is_:
                continue
            keys: list[Key] = [("person", id)]
            if was is None:
                assert is_ is not None
                kind = ChangeKind.UPDATED if is_ in existed else ChangeKind.CREATED
                self._of(kind, is_, *keys).moved[id] = (is_, id)
            elif is_ is None:
                self._gone(were[id], was, keys)
            else:
                kind = ChangeKind.UNMERGED if was in self._alive else ChangeKind.MERGED
                change = self._of(kind, is_, *keys)
                change.previous[was] = None
                change.moved[id] = (was, id)

    def _gone(self, contact: Contact, was: str, keys: Iterable[Key]) -> None:
        if isinstance(self._shift.cause, Erase):
            self._of(ChangeKind.ERASED, was, *keys).moved[contact.id] = (was, contact.id)
            return
        heir = self._heir_of(contact) or was
        change = self._of(ChangeKind.UNMADE, heir, *keys)
        change.moved[contact.id] = (was, contact.id)
        if was != heir:
            change.previous[was] = None

    def _heir_of(self, contact: Contact) -> str | None:
        """Whom a contact that is made no more means, as far as what was looked at tells."""
        if contact.named_for is not None:
            held = self._value(("identifier", contact.named_for))
            if isinstance(held, Identifier):
                people = (self._person_is.get(holder) for holder in held.contacts)
                if (person := next(filter(None, people), None)) is not None:
                    return person
        for id, visitor in self._shift.were.items():
            if visitor.contact == contact.id:
                return self._meaning_of(id, visitor)
        return None

    def _value(self, key: Key) -> Value | None:
        if key in self._shift.after:
            return self._shift.after[key]
        latest = self._shift.present.get(key)
        return None if latest is None else latest.value

    # ------------------------------------------------------------------ visitors

    def _visitors(self) -> None:
        for id in {**self._shift.were, **self._shift.are}:
            was, is_ = self._shift.were.get(id), self._shift.are.get(id)
            if is_ is None:
                assert was is not None
                self._unmade(was)
            else:
                self._visitor(was, is_)

    def _unmade(self, was: Visitor) -> None:
        had = self._owner(was, self._person_was)
        if had is not None and not isinstance(self._shift.cause, Erase):
            self._moved(ChangeKind.ATTRIBUTED, was, had, self._meaning_of(was.id, was))

    def _visitor(self, was: Visitor | None, is_: Visitor) -> None:
        had = None if was is None else self._owner(was, self._person_was)
        has = self._owner(is_, self._person_is)
        if has is None:
            if had is not None and not isinstance(self._shift.cause, Erase):
                self._moved(ChangeKind.SEVERED, is_, had, is_.id)
            return
        is_same = was is not None and was.owner == is_.owner
        if had is None or (had != has and not is_same):
            restored = isinstance(self._shift.cause, Restore)
            kind = ChangeKind.RESTORED if restored else ChangeKind.IDENTIFIED
            began_here = was is None and is_.opening in (Opening.SWITCH, Opening.CUT)
            self._moved(kind, is_, had or ("" if began_here else is_.id), has)
        elif not is_same:
            self._moved(ChangeKind.ATTRIBUTED, is_, has, has)
        if _has_ended(is_) and not (is_same and was is not None and _has_ended(was)):
            self._of(ChangeKind.ENDED, has, *_keys_of(is_))
        elif is_same and was is not None and _extent(was) != _extent(is_):
            self._of(ChangeKind.ATTRIBUTED, has, *_keys_of(is_))

    def _owner(self, visitor: Visitor, people: Mapping[str, str]) -> str | None:
        owner = visitor.owner
        return None if owner is None else people.get(owner)

    def _moved(self, kind: ChangeKind, visitor: Visitor, was: str, is_: str) -> None:
        change = self._of(kind, is_, *_keys_of(visitor))
        owner = self._shift.are[visitor.id].owner if visitor.id in self._shift.are else None
        change.moved[visitor.id] = (was or is_, owner or "")
        if was and was != is_:
            change.previous[was] = None

    def _meaning_of(self, id: str, visitor: Visitor) -> str:
        """Whom the id of a visitor means now: also of one that late evidence made no more."""
        covering = [
            other
            for other in self._shift.are.values()
            if other.cookie == visitor.cookie and other.start <= visitor.start
        ]
        if not covering:
            return id
        found = max(covering, key=lambda other: other.start)
        return self._owner(found, self._person_is) or found.id

    # ------------------------------------------------------------------ what is known of them

    def _details(self) -> None:
        for key, value in self._shift.after.items():
            before = self._shift.before[key]
            if not isinstance(value, Person) or not isinstance(before, Person):
                continue
            were = {contact.id: contact for contact in before.contacts}
            for contact in value.contacts:
                former = were.get(contact.id)
                if former is None:
                    continue
                if contact.curated and not former.curated:
                    self._of(ChangeKind.PROMOTED, self._ids.person(key[1]), key)
                elif _held(contact) != _held(former) or contact.is_known != former.is_known:
                    self._of(ChangeKind.UPDATED, self._ids.person(key[1]), key)

    def _links(self) -> None:
        """Each link goes with the changes of those whom it joins; else it is a change itself."""
        erased = {c.person for c in self._changes.values() if c.kind is ChangeKind.ERASED}
        for link in self._shift.links.values():
            people = set(self._joined_by(link))
            if not people or people <= erased:
                continue
            concerned = [
                change
                for change in self._changes.values()
                if change.kind is not ChangeKind.ERASED
                and not people.isdisjoint((change.person, *change.previous))
            ]
            for change in concerned or [
                self._of(ChangeKind.UPDATED, person, ("person", link.source))
                for person in sorted(people & self._alive)
            ]:
                change.links[link.id] = None

    def _joined_by(self, link: Link) -> Iterator[str]:
        """Whom a link joins, or joined."""
        if link.kind is LinkKind.IDENTIFIED_AS:
            contacts = [link.target]
        elif link.kind is LinkKind.HAS_IDENTIFIER:
            contacts = [link.source]
        else:
            contacts = [link.source, link.target]
        for contact in contacts:
            for people in (self._person_was, self._person_is):
                if contact in people:
                    yield people[contact]


def _contacts_in(values: Mapping[Key, Value | None]) -> dict[str, Contact]:
    return {
        contact.id: contact
        for value in values.values()
        if isinstance(value, Person)
        for contact in value.contacts
    }


def _keys_of(visitor: Visitor) -> tuple[Key, Key]:
    """The keys of the fold under which a visitor is found."""
    return ("visitor", visitor.id), ("cookie", visitor.cookie)


def _has_ended(visitor: Visitor) -> bool:
    return visitor.link is not None and visitor.link.state is LinkState.ENDED


def _extent(visitor: Visitor) -> Any:
    """Which of what happened is the owner's."""
    link = visitor.link
    return (None if link is None else link.reach, visitor.start, visitor.end)


def _held(contact: Contact) -> dict[str, int]:
    """What identifies a contact, and how sure that is."""
    return {
        identifier: int(hold.assurance)
        for identifier, hold in contact.holds.items()
        if hold.link.state is LinkState.ACTIVE
    }
