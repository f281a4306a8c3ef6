"""The plain values that resolution is computed from: identifiers, evidence and places.

Everything here is immutable and knows nothing of a driver, a clock or a request.
Times are integers: microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec

Micros = int
"""Microseconds since 1970-01-01 UTC."""

SECOND: Micros = 1_000_000

IdentifierKey = str
"""A normalised identifier as one string, ``type:value``."""

Place = str
"""Where something stands in the fold: sorts, as text, as model.md orders evidence."""


class Assurance(IntEnum):
    """Who vouches for a piece of evidence; a higher one may do all that a lower one may."""

    CLAIMED = 1
    ASSERTED = 2
    VERIFIED = 3


class Kind(StrEnum):
    """What stands at a place; the value is its rank among equal times."""

    LOGOUT = "1"
    STATEMENT = "2"
    """An identify or a contact upsert: somebody says who somebody is."""
    OPERATION = "3"
    """A merge, a sever or a promotion: an operator acts."""
    EVENT = "5"
    """A line of a journey that is no evidence: at the moment of a boundary, it is after it."""


class UnattendedOwner(StrEnum):
    """Whose it is what a visitor does long after they last identified."""

    LAST_KNOWN = "LAST_KNOWN"
    ANONYMOUS = "ANONYMOUS"


# Printable ASCII that sorts after the two terminators below; the rest is percent-encoded.
_PLAIN = "".join(chr(c) for c in range(ord('"'), ord("~") + 1) if chr(c) != "%")
_is_plain = re.compile(f"[{re.escape(_PLAIN)}]*").fullmatch
_ITSELF = " "
_AFTER = "!"


@lru_cache(maxsize=4096)  # asked for the same piece many times in one step
def place(at: Micros, kind: Kind, id: str) -> Place:
    """The place of what happened at ``at``: by time, kind, id (model.md, Order)."""
    if not _is_plain(id):
        # Mostly what an event says besides: a plain id, a separator and a plain word.
        said, beside, what = id.partition(_BESIDE)
        id = f"{said}%1F{what}" if beside and _is_plain(said + what) else quote(id, safe=_PLAIN)
    return f"{at:016d}{kind.value}{id}{_ITSELF}"


def judged_at(at: Micros, id: str, *, withdraws: bool = False) -> Place:
    """The place of a judgement: before all that happened, withdrawals of judgements first."""
    return f"!{0 if withdraws else 1}{place(at, Kind.OPERATION, id)}"


def is_judgement(place: Place) -> bool:
    """Whether a place is one of those that :func:`judged_at` gives."""
    return place.startswith("!")


def start_of(at: Micros) -> Place:
    """The boundary before all that happened at a moment."""
    return f"{max(at, 0):016d}"


def just_after(place: Place) -> Place:
    """The boundary directly behind a place: later than it, earlier than all that follows."""
    return place[:-1] + _AFTER


def moment(place: Place) -> Micros:
    """The time that a place stands for; a judgement is about all time, so 0."""
    return 0 if is_judgement(place) else int(place[:16])


_BESIDE = "\x1f"
"""No id that a client sends holds a control character."""

SAID_USER = _BESIDE + "user_id"
"""What the id of the identify that an event says besides ends with."""

SAID_NOBODY = _BESIDE + "nobody"
"""What the id of the logout ends with that an event says besides, by naming nobody."""

SAID_BESIDE = _BESIDE + "beside"
"""What the id of the identify ends with that is sent beside what a provider vouches for."""

OF_RECORD = _BESIDE + "record"
"""What the id of a contact upsert ends with: records have message ids of their own."""


OF_OPERATION = _BESIDE + "operation"
"""What the id of an operation ends with: operators have ids of their own."""


def message_of(evidence: str) -> str:
    """The id of the message that a piece of evidence came with."""
    return evidence.partition(_BESIDE)[0]


def type_of(identifier: IdentifierKey) -> str:
    """``email`` of ``email:jane@example.com``."""
    return identifier.partition(":")[0]


class TraitValue(msgspec.Struct, frozen=True, gc=False):
    """What one piece of evidence says of a trait."""

    value: Any
    assurance: Assurance
    at: Micros
    evidence: str
    source: str


class Identify(msgspec.Struct, frozen=True, tag="identify", gc=False):
    """Somebody on a cookie said, or had it said, who they are.

    ``identifiers`` are normalised keys; ``device`` is the cookie's device id where the
    client knows one; ``actor`` names the key that sent it; ``policy`` is the version that was in
    force when it was recorded.
    """

    id: str
    at: Micros
    recorded_at: Micros
    cookie: str
    device: str | None
    assurance: Assurance
    identifiers: tuple[IdentifierKey, ...]
    traits: dict[str, Any] = {}
    actor: str | None = None
    policy: int = 1

    @property
    def place(self) -> Place:
        return place(self.at, Kind.STATEMENT, self.id)


class Logout(msgspec.Struct, frozen=True, tag="logout", gc=False):
    """The human on a cookie left."""

    id: str
    at: Micros
    recorded_at: Micros
    cookie: str
    device: str | None = None
    actor: str | None = None
    policy: int = 1

    @property
    def place(self) -> Place:
        return place(self.at, Kind.LOGOUT, self.id)


class ContactUpsert(msgspec.Struct, frozen=True, tag="contact", gc=False):
    """A source told what it holds of a human; ``(source, source_id)`` is the record's key."""

    id: str
    at: Micros
    recorded_at: Micros
    source: str
    source_id: str
    identifiers: tuple[IdentifierKey, ...]
    curated: bool = False
    deleted: bool = False
    traits: dict[str, Any] = {}
    assurance: Assurance = Assurance.ASSERTED
    actor: str | None = None
    policy: int = 1

    @property
    def place(self) -> Place:
        return place(self.at, Kind.STATEMENT, self.id)


class Vacancy(msgspec.Struct, frozen=True, tag="vacancy", gc=False):
    """Somebody who was erased had the cookie: what is left of the evidence that said who.

    Who comes next is somebody else, so that nobody inherits what was theirs. ``ends``: it is what
    is left of a sever, by which an operator ended the visitor. ``given``: it is what is left of a
    merge, and these are the cookies whose open visitors it gave to them. ``reach``: what was done
    before was not theirs.
    """

    id: str
    at: Micros
    recorded_at: Micros
    cookie: str
    device: str | None = None
    ends: bool = False
    given: tuple[str, ...] = ()
    reach: Micros = 0
    policy: int = 1

    @property
    def place(self) -> Place:
        is_of_operation = self.ends or bool(self.given)
        return place(self.at, Kind.OPERATION if is_of_operation else Kind.STATEMENT, self.id)

    @property
    def cookies(self) -> tuple[str, ...]:
        """Where they were."""
        return self.given or (self.cookie,)


class ContactAnchor(msgspec.Struct, frozen=True, omit_defaults=True, tag="contact", gc=False):
    """A contact, with what it is found by where late knowledge no longer makes it.

    ``named_for``: the identifier that it is named for. ``cookie`` and ``made``: where the
    evidence that made it stands; a record has no cookie.
    """

    contact: str
    made: Place
    named_for: IdentifierKey | None = None
    cookie: str | None = None


class VisitorAnchor(msgspec.Struct, frozen=True, omit_defaults=True, tag="visitor", gc=False):
    """A visitor, with the places of its start and end as the operator saw them (``end`` is None
    where it was open); or, with ``unclaimed``, what it did before its owner's ``reach``."""

    visitor: str
    cookie: str
    start: Place = ""
    end: Place | None = None
    unclaimed: bool = False


class IdentifierAnchor(msgspec.Struct, frozen=True, tag="identifier", gc=False):
    """An identifier, whoever holds it."""

    identifier: IdentifierKey


Anchor = ContactAnchor | VisitorAnchor
"""What an operation acts on. It never is a person's id: people come and go."""

Side = tuple[ContactAnchor | IdentifierAnchor, ...]
"""One of the two that a judgement keeps apart."""


class Operation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An operator's act. ``review``: the review that it decides, where it decides one."""

    id: str
    recorded_at: Micros
    actor: str | None = None
    reason: str = ""
    review: str | None = None
    policy: int = 1

    @property
    def at(self) -> Micros:
        """An operator acts when it is recorded."""
        return self.recorded_at

    @property
    def assurance(self) -> Assurance:
        """An operator vouches as a server does."""
        return Assurance.ASSERTED

    @property
    def place(self) -> Place:
        return place(self.recorded_at, Kind.OPERATION, self.id)


class Merge(Operation, frozen=True, tag="merge"):
    """All of these are one human."""

    of: tuple[Anchor, ...]


class Sever(Operation, frozen=True, tag="sever"):
    """What this visitor did is not the owner's: all of it, or from ``since`` on.

    ``contacts``: all contacts of the owner, as the operator saw them.
    """

    visitor: VisitorAnchor
    contacts: tuple[ContactAnchor, ...]
    since: Micros | None = None


class Promote(Operation, frozen=True, tag="promote"):
    """A human confirmed this contact."""

    contact: ContactAnchor


class Judgement(Operation, frozen=True):
    """An operation about all time: it stands before everything else."""

    @property
    def place(self) -> Place:
        return judged_at(self.recorded_at, self.id)


class KeepApart(Judgement, frozen=True, tag="keep_apart"):
    """Nobody on one side is anybody on another; ``withdraws``: merges that are taken back."""

    sides: tuple[Side, ...]
    withdraws: tuple[str, ...] = ()


class Block(Judgement, frozen=True, tag="block"):
    """This value identifies nobody."""

    identifier: IdentifierKey


class Restore(Judgement, frozen=True, tag="restore"):
    """Takes operations back: severs, judgements."""

    withdraws: tuple[str, ...]

    @property
    def place(self) -> Place:
        return judged_at(self.recorded_at, self.id, withdraws=True)


class Erase(Judgement, frozen=True, tag="erase"):
    """Somebody is forgotten: ``withdraws`` is the evidence about them; ``bars`` are keyed hashes
    of their identifiers, which evidence recorded before no longer names."""

    withdraws: tuple[str, ...]
    bars: tuple[str, ...]


Statement = Identify | ContactUpsert
Placed = Merge | Sever | Promote
Judged = KeepApart | Block | Restore | Erase
Evidence = Identify | Logout | ContactUpsert | Vacancy | Placed | Judged
"""What resolution is computed from."""

OPERATIONS = (Merge, Sever, Promote, KeepApart, Block, Restore, Erase)
