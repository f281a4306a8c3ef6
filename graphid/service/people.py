"""People and their contacts, as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.ids import UNCLAIMED, contact_named_by
from graphid.identity.state import Contact
from graphid.identity.traits import traits_of
from graphid.identity.values import Assurance, IdentifierKey, Micros, TraitValue
from graphid.service.visitors import (
    VisitorRecord,
    Visitors,
    person_named_by,
    visitor_id_of,
)

READ_PEOPLE = query("people/read_people")
RESOLVE_CONTACTS = query("people/resolve_contacts")
READ_HOLDER = query("people/read_holder")
FIND_PEOPLE = query("people/find_people")
FIND_CONTACTS = query("people/find_contacts")

MADE_HERE = "identify"
"""The source of a contact that no record is behind: an identify made it."""

_traits = msgspec.json.Decoder(dict[str, TraitValue])


class IdentifierRecord(msgspec.Struct, frozen=True):
    id: str
    type: str
    value: str
    assurance: Assurance
    at: Micros = 0


class ContactRecord(msgspec.Struct, frozen=True):
    """One record of a human, and the person whom it belongs to."""

    id: str
    person: str
    source: str | None
    source_id: str | None
    state: str
    made: str
    traits: Mapping[str, TraitValue]
    identifiers: tuple[IdentifierRecord, ...]
    is_record: bool


class PersonRecord(msgspec.Struct, frozen=True):
    """A person. One without contacts is anonymous: the unowned part of ``visitor``."""

    id: str
    contacts: tuple[ContactRecord, ...] = ()
    merged_from: tuple[str, ...] = ()
    visitor: VisitorRecord | None = None
    traits: Mapping[str, TraitValue] = msgspec.field(default_factory=dict)

    def contact(self, id: str) -> ContactRecord | None:
        """The contact of this person with that id."""
        return next((contact for contact in self.contacts if contact.id == id), None)

    @property
    def is_known(self) -> bool:
        """Whether a contact holds an identifier or comes from a source."""
        return any(c.identifiers or c.is_record for c in self.contacts)

    @property
    def identifiers(self) -> list[IdentifierRecord]:
        """What any contact holds, once each: custom ids, then e-mail, then the rest."""
        best: dict[str, IdentifierRecord] = {}
        for contact in self.contacts:
            for identifier in contact.identifiers:
                other = best.get(identifier.id)
                if other is None or identifier.assurance > other.assurance:
                    best[identifier.id] = identifier
        return sorted(best.values(), key=lambda i: (_RANK.get(i.type, 0), i.type, i.value))

    @property
    def display_name(self) -> str | None:
        """First and last name, else an identifier, an e-mail address before others."""
        names = [self.traits[n].value for n in ("firstName", "lastName") if n in self.traits]
        spoken = " ".join(name for name in names if isinstance(name, str) and name.strip())
        if spoken:
            return spoken
        readable = sorted(self.identifiers, key=lambda i: (_READABLE.get(i.type, 2), i.type))
        return readable[0].value if readable else None


_RANK = {"email": 1, "phone": 2}
_READABLE = {"email": 0, "phone": 1}


class People:
    """Reads people and contacts."""

    def __init__(self, database: Readable, visitors: Visitors) -> None:
        self._database = database
        self._visitors = visitors

    async def by_id(self, ids: Sequence[str]) -> dict[str, PersonRecord]:
        """Whom each id means; ids that were never given out are missing.

        Any id ever given out: a person's, a merged person's, a contact's, a visitor's (its owner,
        else the anonymous person), and ``visitor…~unclaimed``; also of those that late evidence
        made no more (model.md, operations: what an anchor means).
        """
        visitors = {id: v for id in ids if (v := visitor_id_of(id)) is not None}
        found, records = await asyncio.gather(
            self._straight([id for id in ids if not id.endswith(UNCLAIMED)]),
            self._visitors_of(set(visitors.values())),
        )
        meant: dict[str, str] = {}
        for id, visitor in visitors.items():
            record = records.get(visitor)
            if id in found or record is None:
                continue
            meant[id] = person_named_by(id, record)
            if visitor_id_of(meant[id]) is not None:
                found[id] = PersonRecord(id=meant.pop(id), visitor=record)
        meant |= await self._meant_by([id for id in ids if id not in found and id not in visitors])
        if meant:
            people = await self.by_id(list(set(meant.values())))
            found |= {id: people[other] for id, other in meant.items() if other in people}
        return found

    async def contacts(self, ids: Sequence[str]) -> dict[str, ContactRecord]:
        """What the ids of contacts that are made no more mean now.

        Another contact; where its evidence is nobody's, one that holds nothing, of the anonymous
        person. Ids that were never given out are missing.
        """
        meant = await self._meant_by(ids)
        people = await self.by_id(list(set(meant.values())))
        return {
            id: people[other].contact(other) or _nobodys(id, people[other].id)
            for id, other in meant.items()
            if other in people
        }

    async def holding(self, type: str, value: str) -> PersonRecord | None:
        """The person who holds an identifier, in any spelling that normalises to it."""
        policy = (await self._visitors.policies.current()).policy
        try:
            key = normalise(type, value, region=policy.phone.region)
        except InvalidIdentifier:
            return None
        return await self._holder(key)

    async def _holder(self, key: IdentifierKey) -> PersonRecord | None:
        rows = await self._database.read_rows(READ_HOLDER, key=key)
        return person_of(rows[0]["person"]) if rows else None

    async def holders(self, keys: Sequence[IdentifierKey]) -> dict[IdentifierKey, str]:
        """The person who holds each identifier."""
        rows = await self._database.read_rows(FIND_PEOPLE, keys=list(keys))
        return {row["key"]: row["person"] for row in rows}

    async def contact(self, source: str, source_id: str) -> str | None:
        """The id of the contact of a source's record."""
        if source == MADE_HERE:
            return source_id
        rows = await self._database.read_rows(FIND_CONTACTS, source=source, sourceId=source_id)
        return rows[0]["contact"] if rows else None

    async def _meant_by(self, ids: Iterable[str]) -> dict[str, str]:
        """What ids of contacts, and of people named for them, mean: a contact's or visitor's id."""
        contacts = {id: contact for id in ids if (contact := contact_named_by(id)) is not None}
        if not contacts:
            return {}
        wanted = list(set(contacts.values()))
        rows = await self._database.read_rows(RESOLVE_CONTACTS, ids=wanted)
        means = {row["contact"]: row["means"] for row in rows if row["means"] is not None}
        return {id: means[contact] for id, contact in contacts.items() if contact in means}

    async def _straight(self, ids: list[str]) -> dict[str, PersonRecord]:
        """Whom ids mean that lead straight to somebody who is known."""
        rows = await self._database.read_rows(READ_PEOPLE, ids=ids) if ids else []
        return {row["asked"]: person_of(row["person"]) for row in rows}

    async def _visitors_of(self, ids: Iterable[str]) -> dict[str, VisitorRecord]:
        wanted = list(ids)
        return await self._visitors.by_id(wanted) if wanted else {}


def person_of(row: Mapping[str, Any]) -> PersonRecord:
    """A person from what statements tell of one: id, contacts, and the ids merged into it."""
    contacts = tuple(sorted((contact_of(c, row["id"]) for c in row["contacts"]), key=_seniority))
    told = [_with_traits(contact) for contact in contacts if contact.traits]
    return PersonRecord(
        id=row["id"],
        contacts=contacts,
        merged_from=tuple(sorted(set(row["merged"]))),
        traits=traits_of(told) if told else {},
    )


def _seniority(contact: ContactRecord) -> tuple[str, str]:
    return (contact.made, contact.id)


def _with_traits(contact: ContactRecord) -> Contact:
    return Contact(
        id=contact.id,
        made=contact.made,
        evidence="",
        made_at=0,
        # What is said here by the record's own source is its curator's word.
        source=None if contact.source == MADE_HERE else contact.source,
        curated=contact.state == "CURATED",
        traits=dict(contact.traits),
    )


def _nobodys(id: str, person: str) -> ContactRecord:
    """A contact that is made no more, and whose evidence nobody owns."""
    return ContactRecord(
        id=id,
        person=person,
        source=None,
        source_id=None,
        state="IDENTIFIED",
        made="",
        traits={},
        identifiers=(),
        is_record=False,
    )


def contact_of(row: Mapping[str, Any], person: str) -> ContactRecord:
    """A contact of a person from ``parts/contact_columns``."""
    return ContactRecord(
        id=row["id"],
        person=person,
        source=row["source"],
        source_id=row["sourceId"],
        state=row["state"],
        made=row["made"] or "",
        traits=_traits.decode(row["traits"] or "{}"),
        identifiers=tuple(
            IdentifierRecord(i["id"], i["type"], i["value"], Assurance(i["assurance"]), i["at"])
            for i in sorted(row["identifiers"], key=lambda i: (i["type"], i["value"]))
        ),
        is_record=bool(row["isRecord"]),
    )
