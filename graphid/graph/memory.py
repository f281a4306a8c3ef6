"""The fold's memory in the graph: how values are loaded for a step and what is written after it.

Each key of the fold is a ``State`` node. Locks are taken on these and on nothing else, in one
order: the keys that evidence names, sorted; then the people reached, sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from graphid.graph.database import Retry
from graphid.identity.ids import Ids
from graphid.identity.state import (
    VALUE_TYPES,
    Contact,
    Cookie,
    Device,
    Identifier,
    Key,
    KeyKind,
    Person,
    Value,
    Visitor,
    device_key,
)
from graphid.identity.values import ContactUpsert, Evidence, Identify, Place

_encoder = msgspec.json.Encoder()
_decoders = {kind: msgspec.json.Decoder(type) for kind, type in VALUE_TYPES.items()}


class Missing(Exception):
    """A step asked for a key that was not loaded; load it and step again."""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.key = key


def as_text(key: Key) -> str:
    """The key as its State node has it."""
    return f"{key[0]}:{key[1]}"


def from_text(text: str) -> Key:
    kind, _, id = text.partition(":")
    return cast("KeyKind", kind), id


def refs_of(value: Value) -> list[str]:
    """The keys that a value points at: what is loaded along with it."""
    match value:
        case Cookie(visitor=visitor):
            return [f"visitor:{visitor}"]
        case Visitor(contact=str() as contact) | Device(contact=str() as contact):
            return [f"contact:{contact}"]
        case Identifier(contacts=contacts):
            return [f"contact:{contact}" for contact in contacts]
        case Contact(person=person):
            return [f"person:{person}"]
        case Person(contacts=contacts, merged_into=None):
            return [f"contact:{contact}" for contact in contacts]
        case Person(merged_into=str() as person):
            return [f"person:{person}"]
        case _:
            return []


def as_row(key: Key, value: Value, place: Place) -> dict[str, Any]:
    """A value as a State node stores it; ``place``: of the step that wrote it."""
    return {
        "key": as_text(key),
        "place": place,
        "value": _encoder.encode(value).decode(),
        "refs": refs_of(value),
    }


def roots_of(evidence: Evidence, ids: Ids) -> set[str]:
    """The keys that evidence names itself, which its unit of work locks."""
    if isinstance(evidence, Identify):
        return {
            f"cookie:{evidence.cookie}",
            f"device:{device_key(evidence.device, evidence.cookie)}",
            *(f"identifier:{identifier}" for identifier in evidence.identifiers),
        }
    if isinstance(evidence, ContactUpsert):
        return {
            f"contact:{ids.record(evidence.source, evidence.source_id)}",
            *(f"identifier:{identifier}" for identifier in evidence.identifiers),
        }
    return {f"cookie:{evidence.cookie}"}


def reads_of(evidence: Evidence, ids: Ids) -> set[str]:
    """What its step may ask for beside: mostly whether something exists yet."""
    if isinstance(evidence, ContactUpsert):
        return {f"contact:{ids.contact(identifier)}" for identifier in evidence.identifiers}
    keys = {f"visitor:{ids.birth(evidence.cookie)}"}
    if isinstance(evidence, Identify):
        keys |= {f"contact:{ids.contact(identifier)}" for identifier in evidence.identifiers}
    return keys


class Neighbourhood:
    """A state of which a part is loaded. Asking for more raises :class:`Missing`."""

    def __init__(self) -> None:
        self._values: dict[Key, Value | None] = {}
        self.places: dict[str, Place] = {}

    def get(self, key: Key, /) -> Value | None:
        try:
            return self._values[key]
        except KeyError:
            raise Missing(key) from None

    def peek(self, key: Key, /) -> Value | None:
        return self._values.get(key)

    def items(self) -> Iterable[tuple[Key, Value | None]]:
        """All that is loaded."""
        return self._values.items()

    def absent(self, keys: Iterable[str]) -> None:
        """These were looked for; what is not there does not exist."""
        for text in keys:
            self._values.setdefault(from_text(text), None)

    def load(self, rows: Iterable[tuple[str, str | None, Place | None]]) -> None:
        """Take in what was read: key, value, place of the last step that touched it."""
        for text, encoded, place in rows:
            key = from_text(text)
            self._values[key] = None if encoded is None else _decoders[key[0]].decode(encoded)
            if place is not None:
                self.places[text] = place

    def update(self, changes: Mapping[Key, Value]) -> None:
        """What a step wrote, for the next step of the same unit of work."""
        self._values.update(changes)

    def check(self) -> None:
        """Raise Retry where somebody merged people while their locks were waited for."""
        for key, value in self._values.items():
            if isinstance(value, Contact):
                person = self._values.get(("person", value.person))
                if isinstance(person, Person) and key[1] in person.contacts:
                    continue
                if person is None and ("person", value.person) not in self._values:
                    continue  # a contact that was only looked at; its step will ask for more
                raise Retry("a person changed while its lock was waited for")
