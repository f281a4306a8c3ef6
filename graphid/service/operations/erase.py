"""Erase: forget a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from graphid.graph.database import Retry, Unit
from graphid.graph.evidence import EvidenceUnit, PolicyOf
from graphid.graph.memory import Memory, Reached
from graphid.graph.projection import Difference
from graphid.graph.queries import query
from graphid.graph.rows import evidence_as_row
from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.state import Key
from graphid.identity.values import (
    OPERATIONS,
    Erase,
    IdentifierKey,
    Identify,
    Micros,
    message_of,
)
from graphid.service.operations.changes import MOST_TOLD, concerned, count_events
from graphid.service.operations.finding import Belongings, Finding, Piece
from graphid.service.operations.proposing import Asked, Header, refused
from graphid.service.operations.seeing import Seen

FORGET_PERSON = query("erasures/forget_person")
FIND_NAMED = query("erasures/find_named")
READ_DETAILS = query("erasures/read_details")
NOTE_SUBJECT = query("erasures/note_subject")

_json = msgspec.json.Encoder()
_detail = msgspec.json.Decoder(dict[str, Any])
TELLING = 4
"""The shortest identifier or name that a reason may not hold, in characters."""


class ErasePerson(Asked, frozen=True, tag="erase"):
    """``id``: of a person, a contact or a visitor."""

    id: str


@dataclass(frozen=True)
class ErasureDone:
    """What an erasure did, or would do. ``others``: ids of whom it concerns beside the one who
    is erased, whose id is ``person``. ``events``: how many go; None where nobody asked."""

    person: str
    others: tuple[str, ...]
    is_pending: bool
    events: int | None
    version: str


class Erasing:
    """One erasure inside one transaction.

    ``most``: how many stored pieces of evidence may be stepped again before it is parked.
    ``reached``: what earlier attempts met; it takes in what this one meets.
    """

    def __init__(
        self,
        unit: Unit,
        seen: Seen,
        policy_of: PolicyOf,
        ids: Ids,
        clock: Callable[[], Micros],
        *,
        most: int | None,
        reached: Reached,
    ) -> None:
        self._unit = unit
        self._rows = seen.rows
        self._seen = seen
        self._policy_of = policy_of
        self._ids = ids
        self._clock = clock
        self._most = most
        self._reached = reached
        self._finding = Finding(unit, seen, ids)

    async def prepare(self, id: str) -> Belongings:
        """Find and lock what is theirs. Raises NotFound, Refused."""
        await self._reached.lock(self._unit)
        found = await self._finding.find(id)
        bars: set[Key] = {("bar", self._ids.bar(i)) for i in found.identifiers}
        await Memory(self._unit, self._reached).present(found.keys | bars)
        if await self._finding.find(id) != found:
            raise Retry("seen")  # others were at it until the locks were had
        return found

    async def do(
        self, found: Belongings, header: Header, digest: str, *, count: bool, subject: str
    ) -> ErasureDone | None:
        """Erase what was prepared; None where this operation is recorded already."""
        await self._require_something(found, header.reason)
        header = replace(header, recorded_at=max(header.recorded_at, self._clock()))
        erase = header.on(
            Erase,
            withdraws=found.withdrawn,
            bars=tuple(sorted(self._ids.bar(i) for i in found.identifiers)),
        )
        evidence = EvidenceUnit(
            self._unit,
            [(erase, digest)],
            self._policy_of,
            self._ids,
            most=self._most,
            reached=self._reached,
        )
        await evidence.load()
        if evidence.known:
            return None
        events = await count_events(self._rows, found.ranges) if count else None
        placed = [piece for piece in found.pieces if not piece.is_pending]
        difference = await evidence.follow(
            again=found.again,
            withdrawn={piece.was.place for piece in placed if piece.left is None},
            restated={piece.was.place: piece.left for piece in placed if piece.left is not None},
            forgotten=[contact.id for contact in found.contacts],
        )
        version = evidence.version(difference)
        if difference is None:
            parked = msgspec.structs.replace(erase, withdraws=(), bars=())
            evidence.restamp([(parked, digest)])
            await evidence.park(evidence.new)
            await self._unit.run(NOTE_SUBJECT, id=erase.id, subject=subject)
            return ErasureDone(found.person, (), True, events, version)
        await evidence.write(evidence.new, difference)
        await self._forget(found, erase, evidence, difference)
        theirs = {c.id for c in found.contacts} | {v.id for v in found.visitors}
        others = tuple(id for id in concerned(difference) if id not in theirs)[: 2 * MOST_TOLD]
        return ErasureDone(found.person, others, False, events, version)

    async def _require_something(self, found: Belongings, reason: str) -> None:
        said = reason.casefold()
        names = [
            str(contact.traits[name].value)
            for contact in found.contacts
            for name in ("firstName", "lastName")
            if name in contact.traits
        ]
        values = [identifier.partition(":")[2] for identifier in found.identifiers]
        if any(len(name) >= TELLING and name.casefold() in said for name in (*names, *values)):
            raise refused("reason: it is kept, and names who is to be erased; say it without.")
        is_nothing = not found.contacts and not found.pieces
        if is_nothing and not await count_events(self._rows, found.ranges):
            raise refused("There is nothing of this visitor that could be erased.")

    # ------------------------------------------------------------------ forgetting

    async def _forget(
        self, found: Belongings, erase: Erase, evidence: EvidenceUnit, difference: Difference
    ) -> None:
        """Take out what the fold makes no more, and what is said in clear."""
        withdrawn = set(found.withdrawn)
        gone = [c.id for c in found.contacts if difference.after.get(("person", c.id)) is None]
        former = await self._rows.read_rows(FIND_NAMED, identifiers=sorted(found.named))
        gone += [
            row["id"]
            for row in former
            if row["namedFor"] in found.identifiers or row["evidence"] in withdrawn
        ]
        contacts = sorted(set(gone))
        await self._unit.run(
            FORGET_PERSON,
            erasure={
                "id": erase.id,
                "at": erase.recorded_at,
                "withdrawn": list(found.withdrawn),
                "restated": [
                    {"id": piece.was.id, "properties": _restated(piece, evidence)}
                    for piece in found.pieces
                    if piece.left is not None
                ],
                "events": await self._details(found),
                "said": sorted({contact.id for contact in found.contacts} | set(gone)),
                "contacts": contacts,
                "people": [self._ids.person(contact) for contact in contacts],
                "identifiers": sorted(found.identifiers),
                "ranges": _json.encode(found.ranges).decode(),
            },
        )

    async def _details(self, found: Belongings) -> list[dict[str, str]]:
        """What is left of what the identifies tell as lines of a journey."""
        said = {
            message_of(piece.was.id): piece.own
            for piece in found.pieces
            if isinstance(piece.was, Identify) and message_of(piece.was.id) == piece.was.id
        }
        rows = await self._rows.read_rows(READ_DETAILS, ids=sorted(said))
        return [
            {
                "messageId": row["messageId"],
                "detail": "{}"
                if said[row["messageId"]]
                else _json.encode(
                    _without(_detail.decode(row["detail"]), found.identifiers, self._seen.policy)
                ).decode(),
            }
            for row in rows
        ]


def _restated(piece: Piece, evidence: EvidenceUnit) -> dict[str, Any]:
    """The properties of evidence of which something is left."""
    assert piece.left is not None
    outcome = Outcome() if piece.is_pending else evidence.outcome(piece.left)
    row = evidence_as_row(piece.left, outcome, None)
    if isinstance(piece.left, OPERATIONS):
        del row["digest"]  # it tells an act of operators from another, and says nothing of anybody
        return row
    return row | {"answer": None}


def _without(
    detail: Mapping[str, Any], erased: Collection[IdentifierKey], policy: Policy
) -> dict[str, Any]:
    """What an identify tells, without identifiers that are erased, in whatever spelling."""
    left = dict(detail)
    if "identifiers" in left:
        left["identifiers"] = [
            claim
            for claim in left["identifiers"]
            if f"{claim['type']}:{claim['value']}" not in erased
        ]
    if "traits" in left:
        left["traits"] = _traits_without(left["traits"], erased, policy)
    return left


def _traits_without(
    traits: Mapping[str, Any], erased: Collection[IdentifierKey], policy: Policy
) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for name, value in traits.items():
        if isinstance(value, dict):
            left[name] = _traits_without(value, erased, policy)
            continue
        try:
            key = normalise(name, str(value), region=policy.phone.region)
        except InvalidIdentifier:
            key = ""
        if key not in erased:
            left[name] = value
    return left
