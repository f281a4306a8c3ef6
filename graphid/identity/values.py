"""The plain values that resolution is computed from: identifiers, evidence and places.

Everything here is immutable and knows nothing of a driver, a clock or a request.
Times are integers: microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
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
    EVENT = "5"
    """A line of a journey that is no evidence: at the moment of a boundary, it is after it."""


# Printable ASCII that sorts after the two terminators below; the rest is percent-encoded.
_PLAIN = "".join(chr(c) for c in range(ord('"'), ord("~") + 1) if chr(c) != "%")
_ITSELF = " "
_AFTER = "!"


def place(at: Micros, kind: Kind, id: str) -> Place:
    """The place of what happened at ``at``: by time, kind, id (model.md, Order)."""
    return f"{at:016d}{kind.value}{quote(id, safe=_PLAIN)}{_ITSELF}"


def just_after(place: Place) -> Place:
    """The boundary directly behind a place: later than it, earlier than all that follows."""
    return place[:-1] + _AFTER


def moment(place: Place) -> Micros:
    """The time that a place stands for."""
    return int(place[:16])


_BESIDE = "\x1f"
"""No id that a client sends holds a control character."""

SAID_USER = _BESIDE + "user_id"
"""What the id of the identify that an event says besides ends with."""

OF_RECORD = _BESIDE + "record"
"""What the id of a contact upsert ends with: records have message ids of their own."""


def message_of(evidence: str) -> str:
    """The id of the message that a piece of evidence came with."""
    return evidence.partition(_BESIDE)[0]


def type_of(identifier: IdentifierKey) -> str:
    """``email`` of ``email:jane@example.com``."""
    return identifier.partition(":")[0]


class TraitValue(msgspec.Struct, frozen=True):
    """What one piece of evidence says of a trait."""

    value: Any
    assurance: Assurance
    at: Micros
    evidence: str
    source: str


class Identify(msgspec.Struct, frozen=True, tag="identify"):
    """Somebody on a cookie said, or had it said, who they are.

    ``identifiers`` are normalised keys; ``device`` is the cookie's device id where the
    client knows one; ``actor`` names the key that sent it.
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

    @property
    def place(self) -> Place:
        return place(self.at, Kind.STATEMENT, self.id)


class Logout(msgspec.Struct, frozen=True, tag="logout"):
    """The human on a cookie left."""

    id: str
    at: Micros
    recorded_at: Micros
    cookie: str
    device: str | None = None
    actor: str | None = None

    @property
    def place(self) -> Place:
        return place(self.at, Kind.LOGOUT, self.id)


class ContactUpsert(msgspec.Struct, frozen=True, tag="contact"):
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

    @property
    def place(self) -> Place:
        return place(self.at, Kind.STATEMENT, self.id)


Evidence = Identify | Logout | ContactUpsert
