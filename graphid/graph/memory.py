"""The fold's memory in the graph: what a unit of work loads and locks.

Each key of the fold is a ``State`` node with its latest value, and each place that touched it a
``Touch`` node; those that wrote it hold the version. Locks are taken on the State nodes and on
nothing else, in one order: the keys that evidence names, sorted; then the people reached, sorted;
then, for what is stepped again, the keys that it touched, sorted. Late evidence learns of those on
its way, so two units can be in each other's way: one of them is run again, and locks first, and
sorted, all that it met.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

import msgspec

from graphid.graph.database import Retry, Unit
from graphid.graph.queries import query
from graphid.graph.remembered import (
    ABSENT,
    NEVER,
    Behind,
    Mark,
    Present,
    RestingOn,
    Stored,
    Version,
    is_proxied,
)
from graphid.identity.ids import Ids
from graphid.identity.state import (
    VALUE_TYPES,
    Cookie,
    Device,
    Identifier,
    Key,
    KeyKind,
    Link,
    Person,
    Value,
    Visitor,
    device_key,
)
from graphid.identity.values import (
    SAID_USER,
    Anchor,
    Assurance,
    Block,
    ContactAnchor,
    ContactUpsert,
    Erase,
    Evidence,
    IdentifierAnchor,
    Identify,
    KeepApart,
    Logout,
    Merge,
    Place,
    Promote,
    Restore,
    Sever,
    Vacancy,
)

LOCK_STATES = query("evidence/lock_states")
LOCK_REACHED = query("evidence/lock_reached")
LOAD_VERSIONS = query("evidence/load_versions")
LOAD_STORED = query("evidence/load_stored")
FIND_READERS = query("evidence/find_readers")
FIND_TOUCHING = query("evidence/find_touching")
FIND_MARKS = query("evidence/find_marks")

_encoder = msgspec.json.Encoder(order="deterministic")  # two processes order a set differently
_decoders: Mapping[KeyKind, msgspec.json.Decoder[Value]] = {
    kind: msgspec.json.Decoder(type) for kind, type in VALUE_TYPES.items()
}
evidence_decoder = msgspec.json.Decoder(Evidence)
links_decoder = msgspec.json.Decoder(list[Link])


def as_text(key: Key) -> str:
    """The key as its State node has it."""
    return f"{key[0]}:{key[1]}"


def from_text(text: str) -> Key:
    kind, _, id = text.partition(":")
    return cast("KeyKind", kind), id


def encode(value: Any) -> str:
    return _encoder.encode(value).decode()


def decode(key: Key, text: str | None) -> Value | None:
    return None if text is None else _decoders[key[0]].decode(text)


def refs_of(value: Value | None) -> list[str]:
    """The people whom a value points at: what is locked and loaded along with it."""
    match value:
        case Cookie(visitor=Visitor(contact=str() as contact)):
            return [f"person:{contact}"]
        case Visitor(contact=str() as contact) | Device(contact=str() as contact):
            return [f"person:{contact}"]
        case Identifier(contacts=(contact, *_)):
            return [f"person:{contact}"]
        case Person(merged_into=str() as person):
            return [f"person:{person}"]
        case _:
            return []


def roots_of(evidence: Evidence, ids: Ids) -> set[str]:
    """The keys that evidence names itself, which its unit of work locks first."""
    match evidence:
        case Identify():
            return {
                f"cookie:{evidence.cookie}",
                f"device:{device_key(evidence.device, evidence.cookie)}",
                *(f"identifier:{identifier}" for identifier in evidence.identifiers),
            }
        case Vacancy(given=(_, *_)):
            return {f"cookie:{cookie}" for cookie in evidence.given}
        case Vacancy():
            device = device_key(evidence.device, evidence.cookie)
            return {f"cookie:{evidence.cookie}", f"device:{device}"}
        case Logout():
            return {f"cookie:{evidence.cookie}"}
        case ContactUpsert():
            return {
                f"person:{ids.record(evidence.source, evidence.source_id)}",
                *(f"identifier:{identifier}" for identifier in evidence.identifiers),
            }
        case Merge():
            return {root for anchor in evidence.of for root in _roots_of_anchor(anchor)}
        case Sever():
            anchors: list[Anchor] = [evidence.visitor, *evidence.contacts]
            return {root for anchor in anchors for root in _roots_of_anchor(anchor)}
        case Promote():
            return _roots_of_anchor(evidence.contact)
        case KeepApart():
            parties = [party for side in evidence.sides for party in side]
            roots = {root for party in parties for root in _roots_of_anchor(party)}
            return roots | {f"withdrawn:{id}" for id in evidence.withdraws}
        case Block():
            return {f"identifier:{evidence.identifier}"}
        case Restore():
            return {f"withdrawn:{id}" for id in evidence.withdraws}
        case Erase():
            return {f"bar:{bar}" for bar in evidence.bars}


def _roots_of_anchor(anchor: Anchor | IdentifierAnchor) -> set[str]:
    if isinstance(anchor, IdentifierAnchor):
        return {f"identifier:{anchor.identifier}"}
    if isinstance(anchor, ContactAnchor):
        named = set() if anchor.named_for is None else {f"identifier:{anchor.named_for}"}
        return {f"person:{anchor.contact}", *named}
    return {f"cookie:{anchor.cookie}", f"visitor:{anchor.visitor}"}


def reads_of(evidence: Evidence, ids: Ids) -> set[str]:
    """What its step asks for beside: whether something exists yet, and what was judged."""
    match evidence:
        case Identify(identifiers=identifiers) | ContactUpsert(identifiers=identifiers):
            reads = {f"judged:{identifier}" for identifier in identifiers}
            reads |= {f"bar:{ids.bar(identifier)}" for identifier in identifiers}
            reads |= {f"person:{ids.contact(identifier)}" for identifier in identifiers}
            if isinstance(evidence, ContactUpsert):
                reads.add(f"judged:{ids.record(evidence.source, evidence.source_id)}")
            return reads
        case Logout() | Vacancy():
            return set()
        case _:
            return {f"withdrawn:{evidence.id}"}


def present_of(rows: Iterable[Any]) -> dict[Key, Present]:
    """What was read of State nodes: key, value, place of the last touch, of the last write, of
    the last repetition that rests on it; and more.

    Raises Retry where one was deleted, by an erasure, while this unit waited for its lock: there
    is nothing then that the unit could have locked, and none of it reads as if it were there. Run
    again, the unit makes the node anew.
    """
    found: dict[Key, Present] = {}
    for text, value, touched, wrote, rested, *_ in rows:
        if text is None:
            raise Retry("gone")
        key = from_text(text)
        last = max(touched or NEVER, rested or NEVER)
        found[key] = Present(decode(key, value), wrote or NEVER, last)
    return found


@dataclass
class Reached:
    """What the attempts of a unit of work have met so far.

    The next attempt locks it first, all in one order: what met another unit of work in the wrong
    order once would do so again.
    """

    keys: set[str] = field(default_factory=set)
    places: set[Place] = field(default_factory=set)
    """Of evidence to step again."""

    async def lock(self, unit: Unit) -> None:
        """Lock it, for the rest of the transaction."""
        if self.keys or self.places:
            named = {"keys": sorted(self.keys), "places": sorted(self.places)}
            await unit.run(LOCK_REACHED, named=named)


class Memory:
    """The store of one transaction (:class:`graphid.graph.following.Store`).

    ``reached`` is told what is about to be locked.
    """

    def __init__(self, unit: Unit, reached: Reached | None = None) -> None:
        self._unit = unit
        self._reached = reached or Reached()

    async def present(self, keys: Collection[Key]) -> Mapping[Key, Present]:
        named = sorted(map(as_text, keys))
        self._reached.keys.update(named)
        (row,) = await self._unit.rows(LOCK_STATES, named={"keys": named})
        return dict.fromkeys(keys, ABSENT) | present_of(row["values"])

    async def versions(
        self, asked: Collection[tuple[Key, Place]]
    ) -> Mapping[tuple[Key, Place], Version]:
        found: dict[tuple[Key, Place], Version] = dict.fromkeys(asked, Version(NEVER, None))
        if not asked:
            return found
        (row,) = await self._unit.rows(
            LOAD_VERSIONS,
            named={"asked": [{"key": as_text(key), "place": place} for key, place in asked]},
        )
        for text, place, wrote, value in row["versions"]:
            key = from_text(text)
            found[key, place] = Version(wrote, decode(key, value))
        return found

    async def stored(
        self, places: Collection[Place]
    ) -> tuple[Mapping[Place, Stored], Mapping[Key, Present]]:
        self._reached.places.update(places)
        (row,) = await self._unit.rows(LOAD_STORED, named={"places": list(places)})
        written: dict[Place, dict[Key, Value | None]] = {place: {} for place in places}
        for text, place, value in row["writes"]:
            key = from_text(text)
            written[place][key] = decode(key, value)
        pieces = {
            place: Stored(
                evidence_decoder.decode(body),
                frozenset(map(from_text, touched)),
                written[place],
                {link.id: link for link in links_decoder.decode(links)},
            )
            for place, body, touched, links in row["pieces"]
        }
        return pieces, present_of(row["values"])

    async def readers(self, changed: Collection[tuple[Key, Place]]) -> Collection[Place]:
        proxied = [("identifier", key[1]) for key, _ in changed if is_proxied(key)]
        readers = set(await self.touching(proxied)) if proxied else set()
        own = [{"key": as_text(key), "place": place} for key, place in changed]
        (row,) = await self._unit.rows(FIND_READERS, named={"changed": own})
        readers.update(row["places"])
        return readers

    async def touching(self, keys: Collection[tuple[str, str]]) -> Collection[Place]:
        (row,) = await self._unit.rows(
            FIND_TOUCHING, named={"keys": [f"{kind}:{id}" for kind, id in keys]}
        )
        places: list[Place] = row["places"]
        return places

    async def marks(self, asked: Collection[Behind]) -> Collection[Mark]:
        behind: dict[str, list[dict[str, str]]] = {kind: [] for kind in get_args(RestingOn)}
        for kind, id, place in asked:
            behind[kind].append({"id": id, "place": place})
        (row,) = await self._unit.rows(FIND_MARKS, behind=behind)
        return [mark_of(event, repetition) for event, repetition in row["marks"]]


def mark_of(event: Mapping[str, Any], repetition: Mapping[str, Any]) -> Mark:
    """A mark, of its event and its repetition."""
    return Mark(
        piece=Identify(
            id=event["messageId"] + SAID_USER,
            at=event["occurredAt"],
            recorded_at=event["receivedAt"],
            cookie=event["cookie"],
            device=event["device"],
            assurance=Assurance(repetition["assurance"]),
            identifiers=(repetition["identifier"],),
            actor=event["actor"],
            policy=repetition["policy"],
        ),
        digest=event["digest"],
        contact=repetition["contact"],
        repetition=repetition["id"],
        last=repetition["last"],
    )
