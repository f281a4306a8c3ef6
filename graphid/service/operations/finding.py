"""Find all that is stored of one person: what an erasure takes out (model.md, erase)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.database import Unit
from graphid.graph.memory import Memory, evidence_decoder
from graphid.graph.queries import query
from graphid.identity.erasure import Erased, given_at, left_of, vacancy_of
from graphid.identity.ids import UNCLAIMED, Ids, contact_named_by
from graphid.identity.state import Contact, Cookie, Identifier, Key, Visitor
from graphid.identity.values import (
    OPERATIONS,
    ContactUpsert,
    Evidence,
    IdentifierKey,
    Identify,
    Logout,
    Micros,
    Place,
    VisitorAnchor,
)
from graphid.service.operations.seeing import Seen
from graphid.service.visitors import END, Slice

LIST_VISITORS = query("erasures/list_visitors")
FIND_GIVEN = query("erasures/find_given")
FIND_PLACED = query("erasures/find_placed")
FIND_NAMING = query("erasures/find_naming")

_KINDS = [kind.__struct_config__.tag for kind in OPERATIONS]


class Piece(msgspec.Struct, frozen=True):
    """Evidence as it is stored, and what is left of it. ``own``: the person gave it, or a source
    about them; ``is_pending``: its effect is left to a job."""

    was: Evidence
    left: Evidence | None
    own: bool
    is_pending: bool


@dataclass(frozen=True)
class Belongings:
    """All that is one person's. ``identifiers``: what they, and nobody else, held or named.

    ``named``: every identifier that their evidence names. ``pieces``: the evidence of which
    something, or all, goes. ``again``: the places of what names an identifier that goes.
    """

    person: str
    contacts: tuple[Contact, ...]
    visitors: tuple[Visitor, ...]
    slices: tuple[Slice, ...]
    identifiers: frozenset[IdentifierKey]
    named: frozenset[IdentifierKey]
    pieces: tuple[Piece, ...]
    again: frozenset[Place]

    @property
    def keys(self) -> set[Key]:
        """The keys of the fold that are theirs."""
        keys: set[Key] = {("person", contact.id) for contact in self.contacts}
        keys |= {("visitor", visitor.id) for visitor in self.visitors if visitor.end is not None}
        keys |= {("cookie", visitor.cookie) for visitor in self.visitors}
        return keys | {("identifier", identifier) for identifier in self.named}

    @property
    def withdrawn(self) -> tuple[str, ...]:
        """Ids of the evidence of which nothing is left."""
        return tuple(piece.was.id for piece in self.pieces if piece.left is None)

    @property
    def ranges(self) -> list[dict[str, str]]:
        """Where their events lie."""
        return [{"cookie": s.cookie, "low": s.low, "high": s.high} for s in self.slices]


class Finding:
    """Finds what is one person's, inside one transaction."""

    def __init__(self, unit: Unit, seen: Seen, ids: Ids) -> None:
        self._rows = seen.rows
        self._seen = seen
        self._ids = ids
        self._memory = Memory(unit)

    async def find(self, id: str) -> Belongings:
        """All that is theirs whom an id means. Raises NotFound, or Refused for who was erased."""
        whom = await self._seen.whom(id)
        slices = (await self._seen.reads.visitors.slices_of_people([whom.person]))[whom.person]
        if isinstance(whom.anchor, VisitorAnchor) and whom.person.startswith("visitor_"):
            visitors = await self._anonymous(whom.anchor, whom.person)
            return await self._gather(whom.person, (), visitors, slices)
        name = contact_named_by(whom.person)
        person = None if name is None else await self._seen.person(name)
        assert person is not None
        visitors = await self._visitors_of(person.contacts)
        return await self._gather(whom.person, person.contacts, visitors, slices)

    async def _anonymous(self, anchor: VisitorAnchor, person: str) -> tuple[Visitor, ...]:
        """The visitor, where what was said on it was said of nobody else."""
        visitor = await self._visitor(anchor.visitor, anchor.cookie)
        if visitor is None:
            visitor = Visitor(id=anchor.visitor, cookie=anchor.cookie)
        return () if person.endswith(UNCLAIMED) or visitor.link is not None else (visitor,)

    async def _visitors_of(self, contacts: Collection[Contact]) -> tuple[Visitor, ...]:
        """Those whom evidence identifies as these, also where an operator severed that."""
        ids = [contact.id for contact in contacts]
        rows = await self._rows.read_rows(LIST_VISITORS, contacts=ids)
        found = [await self._visitor(row["id"], row["cookie"]) for row in rows]
        return tuple(
            sorted(
                (v for v in found if v is not None and v.link and v.link.target in ids),
                key=lambda visitor: visitor.id,
            )
        )

    async def _visitor(self, id: str, cookie: str) -> Visitor | None:
        """A visitor as the fold has it."""
        values = await self._seen.values([("visitor", id), ("cookie", cookie)])
        for value in values.values():
            visitor = value.visitor if isinstance(value, Cookie) else value
            if isinstance(visitor, Visitor) and visitor.id == id:
                return visitor
        return None

    async def _gather(
        self,
        person: str,
        contacts: tuple[Contact, ...],
        visitors: tuple[Visitor, ...],
        slices: list[Slice],
    ) -> Belongings:
        held = {identifier for contact in contacts for identifier in contact.holds}
        stored = await self._own(contacts, visitors, held)
        own = frozenset(stored)
        statements = [piece for piece, _ in stored.values()]
        named = held | {i for piece in statements for i in _identifiers_of(piece)}
        identifiers = await self._not_others(named, {contact.id for contact in contacts})
        erased = Erased(
            contacts=frozenset(contact.id for contact in contacts),
            visited=visitors,
            identifiers=identifiers,
        )
        again = await self._memory.touching([("identifier", i) for i in sorted(identifiers)])
        stored |= await self._placed(again)
        stored |= await self._naming(erased)
        reaches = _first_of_each(visitors, statements)
        pieces = []
        for id, (piece, is_pending) in sorted(stored.items()):
            if id not in own:
                left = left_of(piece, erased)
            else:
                left = None
                if id in reaches and isinstance(piece, Identify):
                    left = vacancy_of(piece, reaches[id])
            if left != piece:
                pieces.append(Piece(piece, left, id in own, is_pending))
        return Belongings(
            person=person,
            contacts=contacts,
            visitors=visitors,
            slices=tuple(slices),
            identifiers=identifiers,
            named=frozenset(named),
            pieces=tuple(pieces),
            again=frozenset(again),
        )

    # ------------------------------------------------------------------ evidence

    async def _own(
        self,
        contacts: Collection[Contact],
        visitors: Collection[Visitor],
        held: Collection[IdentifierKey],
    ) -> dict[str, tuple[Evidence, bool]]:
        """What was said on their visitors, and by the sources of their records.

        Logouts stay: they say that somebody left a browser, and not who.
        """
        found: dict[str, tuple[Evidence, bool]] = {}
        for visitor in visitors:
            stretch = {
                "cookie": visitor.cookie,
                "low": visitor.start,
                "high": visitor.end or END,
            }
            rows = await self._rows.read_rows(FIND_GIVEN, named={"stretches": [stretch]})
            given = given_at(visitor)
            found |= {
                piece.id: (piece, is_pending)
                for piece, is_pending in _pieces(rows)
                if not isinstance(piece, Logout)
                # Before an operator gave them a visitor, others may have said something on it.
                and not (piece.place < given and set(_identifiers_of(piece)).isdisjoint(held))
            }
        records = {contact.id for contact in contacts if contact.source is not None}
        places = await self._memory.touching([("person", record) for record in sorted(records)])
        for id, (piece, is_pending) in (await self._placed(places)).items():
            if (
                isinstance(piece, ContactUpsert)
                and self._ids.record(piece.source, piece.source_id) in records
            ):
                found[id] = (piece, is_pending)
        return found

    async def _placed(self, places: Iterable[Place]) -> dict[str, tuple[Evidence, bool]]:
        rows = await self._rows.read_rows(FIND_PLACED, named={"places": sorted(places)})
        return {piece.id: (piece, is_pending) for piece, is_pending in _pieces(rows)}

    async def _naming(self, erased: Erased) -> dict[str, tuple[Evidence, bool]]:
        """Operations, and what is pending, that name who is erased."""
        texts = [msgspec.json.encode(i).decode()[1:-1] for i in erased.identifiers]
        names = sorted({*erased.contacts, *erased.visitors, *texts})
        if not names:
            return {}
        rows = await self._rows.read_rows(FIND_NAMING, named={"operations": _KINDS, "names": names})
        return {piece.id: (piece, is_pending) for piece, is_pending in _pieces(rows)}

    async def _not_others(
        self, named: Collection[IdentifierKey], contacts: Collection[str]
    ) -> frozenset[IdentifierKey]:
        """Those of the identifiers that nobody else holds."""
        values = await self._seen.values([("identifier", i) for i in sorted(named)])
        others = {
            key[1]
            for key, value in values.items()
            if isinstance(value, Identifier)
            and value.contacts
            and not set(contacts).intersection(value.contacts)
        }
        return frozenset(named) - others


def _pieces(rows: list[dict[str, Any]]) -> Iterator[tuple[Evidence, bool]]:
    for row in rows:
        for _, body, pending in row["rows"]:
            yield evidence_decoder.decode(body), pending is not None


def _identifiers_of(piece: Evidence) -> tuple[IdentifierKey, ...]:
    return piece.identifiers if isinstance(piece, Identify | ContactUpsert) else ()


def _first_of_each(visitors: Iterable[Visitor], pieces: Iterable[Evidence]) -> dict[str, Micros]:
    """The first identify of each visitor that is somebody's tells that it was: by its id, the
    visitor's reach."""
    identifies = sorted(
        (piece for piece in pieces if isinstance(piece, Identify)), key=lambda piece: piece.place
    )
    found = {}
    for visitor in visitors:
        if visitor.link is None:
            continue
        reach = visitor.link.reach or 0
        for piece in identifies:
            if piece.cookie == visitor.cookie and visitor.start <= piece.place < (
                visitor.end or END
            ):
                found[piece.id] = reach
                break
    return found
