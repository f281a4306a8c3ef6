"""What the fold knows: one value for each cookie, visitor, device, identifier, contact, person.

A state is a mapping from :data:`Key` to a value. ``step`` sees it through a :class:`View`,
which records what was read and holds what is written. Whoever keeps the state, a dictionary
or a graph, loads what a step reads and stores what it wrote; nobody else decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Protocol, overload

import msgspec

from graphid.identity.values import Assurance, IdentifierKey, Micros, Place, TraitValue

KeyKind = Literal[
    "cookie", "visitor", "device", "identifier", "contact", "person", "link", "review"
]
Key = tuple[KeyKind, str]


class LinkKind(StrEnum):
    IDENTIFIED_AS = "IDENTIFIED_AS"
    HAS_IDENTIFIER = "HAS_IDENTIFIER"
    SAME_AS = "SAME_AS"
    NOT_SAME_AS = "NOT_SAME_AS"


class LinkState(StrEnum):
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"
    SEVERED = "SEVERED"


class ReviewKind(StrEnum):
    TAKEN_IDENTIFIER = "TAKEN_IDENTIFIER"
    LIMIT_REACHED = "LIMIT_REACHED"
    SUGGESTED_MERGE = "SUGGESTED_MERGE"


class Opening(StrEnum):
    """What a visitor began with."""

    BIRTH = "birth"
    LOGOUT = "logout"
    SWITCH = "switch"


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """A join with its provenance. ``source`` and ``target`` are ids of nodes, or an identifier."""

    id: str
    kind: LinkKind
    source: str
    target: str
    rule: str
    assurance: Assurance
    evidence: str
    at: Micros
    recorded_at: Micros
    actor: str | None = None
    reach: Micros | None = None
    ended_at: Micros | None = None
    ended_by: str | None = None
    retracted_at: Micros | None = None
    retracted_by: str | None = None
    reason: str | None = None

    @property
    def state(self) -> LinkState:
        if self.retracted_by is not None:
            return LinkState.SEVERED
        return LinkState.ACTIVE if self.ended_by is None else LinkState.ENDED


class Cookie(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cookie: the visitor who has it at this place of the fold."""

    visitor: str


class Visitor(msgspec.Struct, frozen=True, omit_defaults=True):
    """One continuous human use of a cookie, from ``start`` up to ``end``, if it has ended.

    ``start`` is empty for the visitor that the cookie was born with. ``claims``: every
    identifier that a CLAIMED identify of this visitor named. ``identified``, ``verified``: the
    places of its first identify, and of its first VERIFIED one. ``attended``: from when to when
    the visitor identified, runs no further apart than ``unattended.after``; kept only after a
    switch, where it decides.
    """

    id: str
    cookie: str
    opening: Opening = Opening.BIRTH
    opened_by: str | None = None
    start: Place = ""
    started_at: Micros | None = None
    end: Place | None = None
    ended_at: Micros | None = None
    ended_by: str | None = None
    link: Link | None = None
    assurance: Assurance | None = None
    claims: frozenset[IdentifierKey] = frozenset()
    claims_alone: bool = True
    identified: Place | None = None
    verified: Place | None = None
    attended: tuple[tuple[Micros, Micros], ...] = ()

    @property
    def contact(self) -> str | None:
        """The contact that this visitor is identified as."""
        return None if self.link is None else self.link.target


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device, or a cookie where no device id is known: whom it has served."""

    contact: str | None = None
    shared: bool = False


def device_key(device: str | None, cookie: str) -> str:
    """Whom a shared-device rule asks about: the device, or the cookie where there is none."""
    return f"cookie:{cookie}" if device is None else f"device:{device}"


class Identifier(msgspec.Struct, frozen=True, omit_defaults=True):
    """An identifier: the contacts, all of one person, that hold it."""

    contacts: tuple[str, ...] = ()


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contact's hold on an identifier: what its record says, and what anybody else said."""

    link: Link
    record: Assurance | None = None
    others: Assurance | None = None

    @property
    def assurance(self) -> Assurance:
        """The highest that vouched for it."""
        return max(self.record or Assurance.CLAIMED, self.others or Assurance.CLAIMED)


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record that a source holds of a human, or what an identify made.

    ``claimant`` is the one visitor that ever claimed it, or MANY. ``claim_sets`` counts, while
    the contact rests on claims alone, how many of its visitors claimed exactly which
    identifiers (model.md, identify, step 3).
    """

    id: str
    made: Place
    person: str
    evidence: str
    made_at: Micros
    named_for: IdentifierKey | None = None
    source: str | None = None
    source_id: str | None = None
    curated: bool = False
    assurance: Assurance = Assurance.CLAIMED
    holds: dict[IdentifierKey, Hold] = {}
    claimant: str | None = None
    claim_sets: tuple[tuple[frozenset[IdentifierKey], int], ...] = ()
    traits: dict[str, TraitValue] = {}
    same_as: tuple[Link, ...] = ()

    @property
    def is_known(self) -> bool:
        """A contact that holds nothing and comes from no source names nobody."""
        return bool(self.holds) or self.source is not None


MANY = "*"
"""``Contact.claimant`` of a contact that more than one visitor claimed."""


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """The contacts that are one human; named for the first of them (model.md, Which id).

    ``merged_into`` is set where the id lives on only as an alias of another person.
    """

    contacts: tuple[str, ...] = ()
    merged_into: str | None = None


class Review(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something for a human to decide. ``contacts`` stand for the people concerned."""

    id: str
    kind: ReviewKind
    contacts: tuple[str, ...]
    evidence: str
    at: Micros
    recorded_at: Micros
    identifier: IdentifierKey | None = None
    reason: str = ""


Value = Cookie | Visitor | Device | Identifier | Contact | Person | Link | Review

VALUE_TYPES: Mapping[KeyKind, type[Value]] = {
    "cookie": Cookie,
    "visitor": Visitor,
    "device": Device,
    "identifier": Identifier,
    "contact": Contact,
    "person": Person,
    "link": Link,
    "review": Review,
}


class State(Protocol):
    """Where values are kept. ``get`` answers None for what never was."""

    def get(self, key: Key, /) -> Value | None: ...

    def peek(self, key: Key, /) -> Value | None:
        """The value where it is at hand, without looking for it."""
        ...


class Memory(dict[Key, Value]):
    """A state in memory, whole."""

    peek = dict.get  # everything is at hand


class View:
    """A state as one step sees it: what it read, and what it wrote over it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.reads: dict[Key, None] = {}
        self.writes: dict[Key, Value] = {}

    def _get(self, key: Key) -> Value | None:
        if key in self.writes:
            return self.writes[key]
        self.reads[key] = None
        return self._state.get(key)

    @overload
    def find(self, kind: Literal["cookie"], id: str) -> Cookie | None: ...
    @overload
    def find(self, kind: Literal["visitor"], id: str) -> Visitor | None: ...
    @overload
    def find(self, kind: Literal["device"], id: str) -> Device | None: ...
    @overload
    def find(self, kind: Literal["identifier"], id: str) -> Identifier | None: ...
    @overload
    def find(self, kind: Literal["contact"], id: str) -> Contact | None: ...
    @overload
    def find(self, kind: Literal["person"], id: str) -> Person | None: ...
    @overload
    def find(self, kind: Literal["review"], id: str) -> Review | None: ...
    def find(self, kind: KeyKind, id: str) -> Value | None:
        """The value, or None where there never was one."""
        return self._get((kind, id))

    def contact(self, id: str) -> Contact:
        """A contact that something else points at; its absence is a corrupt state."""
        contact = self.find("contact", id)
        if contact is None:
            raise LookupError(f"the state names contact {id} but does not hold it")
        return contact

    def put(self, kind: KeyKind, id: str, value: Value) -> None:
        self.writes[kind, id] = value

    def put_link(self, link: Link) -> Link:
        """Write a link as it now is."""
        self.put("link", link.id, link)
        return link

    def changes(self) -> dict[Key, Value]:
        """What the step wrote that differs from what it had read."""
        return {key: value for key, value in self.writes.items() if self._state.peek(key) != value}
