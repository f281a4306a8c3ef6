"""What the fold knows: one value for each cookie, device, identifier and person, and a few more.

A person is kept with all their contacts, and a cookie with its open visitor: what a step reads
and writes together is one value.

A state is a mapping from :data:`Key` to a value; a step sees it as ``view`` has it.

The values are frozen and hold no cycles, so the garbage collector need not look at them
(``gc=False``): a fold makes very many.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec

from graphid.identity.values import (
    Assurance,
    IdentifierKey,
    Micros,
    Place,
    TraitValue,
    UnattendedOwner,
)

KeyKind = Literal[
    "cookie",
    "visitor",
    "device",
    "identifier",
    "person",
    "link",
    "review",
    "judged",
    "bar",
    "withdrawn",
    "decided",
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
    CUT = "cut"
    """An operator severed or merged a part of what had been one visitor."""


class Link(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
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


class Visitor(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One continuous human use of a cookie, from ``start`` up to ``end``, if it has ended.

    ``start`` is empty for the visitor that the cookie was born with. ``claims``: every
    identifier that a CLAIMED identify of this visitor named. ``identified``, ``verified``: the
    places of its first identify, and of its first VERIFIED one. ``attended``: from when to when
    the visitor identified, runs no further apart than ``unattended.after``; kept only after a
    switch, where it decides. ``unattended_after`` and ``unattended_owner``: what the policy said
    of such events at the switch. ``cut_from``: the visitor that it was a part of.
    ``forgotten_from``: from then on it was somebody's who was erased, and so is nobody's to claim.
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
    unattended_after: Micros = 0
    unattended_owner: UnattendedOwner = UnattendedOwner.LAST_KNOWN
    cut_from: str | None = None
    forgotten_from: Micros | None = None

    @property
    def is_taken(self) -> bool:
        """Whether who comes next on the cookie is another visitor."""
        return self.link is not None or self.is_forgotten

    @property
    def is_forgotten(self) -> bool:
        """Whether whose it was is erased."""
        return self.forgotten_from is not None

    @property
    def disowns_unattended(self) -> bool:
        """Whether what is done unattended, after the switch that it began with, is nobody's."""
        return self.unattended_owner is UnattendedOwner.ANONYMOUS

    @property
    def contact(self) -> str | None:
        """The contact that this visitor is identified as."""
        return None if self.link is None else self.link.target

    @property
    def owner(self) -> str | None:
        """The contact whose person owns what this visitor did; None where nobody does."""
        link = self.link
        return None if link is None or link.state is LinkState.SEVERED else link.target


class Cookie(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A cookie: the visitor who has it at this place of the fold. Those who had it before are
    kept under their own keys."""

    visitor: Visitor


class Device(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A device, or a cookie where no device id is known: whom it has served."""

    contact: str | None = None
    shared: bool = False


def device_key(device: str | None, cookie: str) -> str:
    """Whom a shared-device rule asks about: the device, or the cookie where there is none."""
    return f"cookie:{cookie}" if device is None else f"device:{device}"


class Identifier(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An identifier: the contacts, all of one person, that hold it."""

    contacts: tuple[str, ...] = ()


class Party(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a judgement names on one of its sides: a contact, an identifier, or both: the contact
    that is named for the identifier."""

    contact: str | None = None
    identifier: IdentifierKey | None = None


class Apart(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A judgement that ``own`` is not ``other``: by which operation, recorded when, of whom.

    ``undoes``: it takes a merge back. What was recorded before had kept the two apart by itself,
    and goes on as it did: no identifier stands for its contact there.
    """

    by: str
    recorded_at: Micros
    own: Party
    other: Party
    actor: str | None = None
    undoes: bool = False


class Hold(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A contact's hold on an identifier: what its record says, what anybody else said, and from
    whom a judgement keeps the identifier apart."""

    link: Link
    record: Assurance | None = None
    others: Assurance | None = None
    apart: tuple[Apart, ...] = ()

    @property
    def assurance(self) -> Assurance:
        """The highest that vouched for it."""
        return max(self.record or Assurance.CLAIMED, self.others or Assurance.CLAIMED)


class Contact(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One record that a source holds of a human, or what an identify made.

    ``cookie``: where the evidence that made it came from; a record has none.
    ``claimant`` is the one visitor that ever claimed it, or MANY. ``claim_sets`` counts, while
    the contact rests on claims alone, how many of its visitors claimed exactly which
    identifiers (model.md, identify, step 3). ``apart``: from whom judgements keep it; ``cleared``:
    the judgements that a later merge of its person overruled. ``deleted``: its source told that
    the record is no more.
    """

    id: str
    made: Place
    evidence: str
    made_at: Micros
    named_for: IdentifierKey | None = None
    cookie: str | None = None
    source: str | None = None
    source_id: str | None = None
    curated: bool = False
    assurance: Assurance = Assurance.CLAIMED
    holds: dict[IdentifierKey, Hold] = {}
    claimant: str | None = None
    claim_sets: tuple[tuple[frozenset[IdentifierKey], int], ...] = ()
    traits: dict[str, TraitValue] = {}
    same_as: tuple[Link, ...] = ()
    apart: tuple[Apart, ...] = ()
    cleared: tuple[Apart, ...] = ()
    deleted: bool = False

    @property
    def is_known(self) -> bool:
        """A contact that holds nothing and comes from no source names nobody; what its source
        deleted comes from none."""
        return bool(self.holds) or (self.source is not None and not self.deleted)


MANY = "*"
"""``Contact.claimant`` of a contact that more than one visitor claimed."""


class Person(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The contacts that are one human; named for the first of them (model.md, Which id).

    ``merged_into`` is set where the id lives on only as an alias of another person. Every
    contact begins as a person of its own name, so that from its id one comes to its person.
    """

    contacts: tuple[Contact, ...] = ()
    merged_into: str | None = None


class Review(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Something for a human to decide. ``contacts`` stand for the people concerned."""

    id: str
    kind: ReviewKind
    contacts: tuple[str, ...]
    evidence: str
    at: Micros
    recorded_at: Micros
    identifier: IdentifierKey | None = None
    reason: str = ""
    accepted: bool | None = None
    decided_by: str | None = None


class Judgements(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What was judged of an identifier, or of a contact that none names: from whom it is kept
    apart, and by which operations its value is blocked."""

    apart: tuple[Apart, ...] = ()
    blocked_by: tuple[str, ...] = ()


class Bar(msgspec.Struct, frozen=True, gc=False):
    """An erased identifier: evidence recorded before this moment no longer names it."""

    until: Micros


class Withdrawn(msgspec.Struct, frozen=True, gc=False):
    """An operation that was taken back."""

    by: str


class Decided(msgspec.Struct, frozen=True, gc=False):
    """A review that was rejected, by the judgement that keeps the two apart."""

    by: str


Value = (
    Cookie
    | Visitor
    | Device
    | Identifier
    | Person
    | Link
    | Review
    | Judgements
    | Bar
    | Withdrawn
    | Decided
)

VALUE_TYPES: Mapping[KeyKind, type[Value]] = {
    "cookie": Cookie,
    "visitor": Visitor,
    "device": Device,
    "identifier": Identifier,
    "person": Person,
    "link": Link,
    "review": Review,
    "judged": Judgements,
    "bar": Bar,
    "withdrawn": Withdrawn,
    "decided": Decided,
}
