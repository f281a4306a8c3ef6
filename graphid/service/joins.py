"""Joins and splits as lines of a journey: who became one with whom, and what was taken back.

They are read from the links and their evidence; nothing is stored for them. A join is told in the
journey of the person whom it made. One that an operator took back is told, with that, in the
journeys of both sides, as one line in each. What later knowledge unmade never was, and is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.state import Link, LinkKind
from graphid.identity.values import OF_OPERATION, Kind, Micros, Place, message_of, place
from graphid.service.links import LinkRecord, NamedIdentifier
from graphid.service.visitors import link_of

FIND_JOINS = query("journey/find_joins")

JOIN = "join_"
"""What the id of such a line begins with."""

_LINK = "link_"


class JoinType(StrEnum):
    MERGE = "MERGE"
    """Two contacts became one person; or an operator gave an anonymous visitor to a contact."""
    UNMERGE = "UNMERGE"
    """An operator took such a join back."""
    SEVER = "SEVER"
    """An operator withdrew a visitor, or an identifier, from a contact."""


class End(StrEnum):
    """Which end of the link is theirs in whose journey the line is."""

    FROM = "from"
    TO = "to"


class JoinRecord(msgspec.Struct, frozen=True):
    """A join or split in the journey of ``person``. ``people``: whose the ends of the link are
    now, once each; ``cookie``: of the visitor, where it is about one."""

    type: JoinType
    record: LinkRecord
    person: str
    end: End
    people: tuple[str, ...]
    cookie: str | None

    @property
    def id(self) -> str:
        """Of this line. An operation, or an identify, may make several, so a message has none."""
        link = self.link.id.removeprefix(_LINK)
        return f"{JOIN}{link}~{self.type.lower()}~{self.end}"

    @property
    def link(self) -> Link:
        return self.record.link

    @property
    def evidence(self) -> str:
        """The id of what brought it about."""
        link = self.link
        if self.type is JoinType.MERGE:
            return link.evidence
        assert link.retracted_by is not None
        return link.retracted_by

    @property
    def message_id(self) -> str:
        return message_of(self.evidence)

    @property
    def occurred_at(self) -> Micros:
        link = self.link
        if self.type is JoinType.MERGE:
            return link.at
        assert link.retracted_at is not None
        return link.retracted_at

    @property
    def received_at(self) -> Micros:
        return self.link.recorded_at if self.type is JoinType.MERGE else self.occurred_at

    @property
    def position(self) -> Place:
        """Directly behind its evidence, in the one order of all lines. A judgement, which is about
        all time, is told where it was recorded."""
        evidence = self.evidence
        kind = Kind.OPERATION if evidence.endswith(OF_OPERATION) else Kind.STATEMENT
        return place(self.occurred_at, kind, evidence) + self.link.id

    @property
    def detail(self) -> dict[str, Any]:
        """What the link says, as JSON values."""
        link = self.link
        detail: dict[str, Any] = {
            "link": link.id,
            "kind": link.kind.value,
            "rule": link.rule,
            "people": list(self.people),
        }
        match link.kind:
            case LinkKind.IDENTIFIED_AS:
                detail |= {"visitor": link.source, "contacts": [link.target]}
            case LinkKind.HAS_IDENTIFIER:
                named = self.record.identifier
                detail["contacts"] = [link.source]
                if named is not None:
                    detail["identifier"] = {"type": named.type, "value": named.value}
            case _:
                detail["contacts"] = [link.source, link.target]
        return detail


class Joins:
    """Reads joins and splits by id; those of a person are read with the journey."""

    def __init__(self, database: Readable) -> None:
        self._database = database

    async def by_id(self, ids: Iterable[str]) -> dict[str, JoinRecord]:
        """The joins and splits of these ids, as many as there are."""
        asked = {id: parts for id in ids if (parts := _parts_of(id)) is not None}
        if not asked:
            return {}
        links = list({link for link, _, _ in asked.values()})
        rows = await self._database.read_rows(FIND_JOINS, ids=links)
        found = {row["row"]["link"]["id"]: row["row"] for row in rows}
        records: dict[str, JoinRecord] = {}
        for id, (link, type, end) in asked.items():
            row = found.get(link)
            person = None if row is None else _whose(row, end)
            if row is None or person is None:
                continue
            for line in _lines(row, person, end):
                if line.type == type:
                    records[id] = line
        return records


def joins_in(rows: Sequence[Mapping[str, Any]], person: str) -> list[JoinRecord]:
    """The lines that rows of the statements about a journey hold, in the journey of ``person``."""
    return [
        line
        for row in rows
        for line in _lines(
            row, person, End.FROM if person in (row["fromPerson"], row["from"]) else End.TO
        )
    ]


def _lines(row: Mapping[str, Any], person: str, end: End) -> Iterator[JoinRecord]:
    link = link_of(row["link"], row["kind"], row["from"], row["to"])
    named = None
    if link.kind is LinkKind.HAS_IDENTIFIER:
        named = NamedIdentifier(row["to"], row["type"], row["value"])
    record = LinkRecord(link, named)
    ends = (_whose(row, End.FROM), row["toPerson"])
    people = tuple(dict.fromkeys(one for one in ends if one is not None))
    for type, at in ((JoinType.MERGE, row["made"]), (row["undoneAs"], row["undone"])):
        if at is not None:
            yield JoinRecord(JoinType(type), record, person, end, people, row["cookie"])


def _whose(row: Mapping[str, Any], end: End) -> str | None:
    """Whose an end of the link is now; None where nobody's: what it was about was unmade."""
    if end is End.TO:
        found: str | None = row["toPerson"]
        return found
    anonymous = row["from"] if row["kind"] == LinkKind.IDENTIFIED_AS else None
    return row["fromPerson"] or anonymous


def _parts_of(id: str) -> tuple[str, str, End] | None:
    """The link, the type and the end that the id of a line names; None where it is none."""
    parts = id.removeprefix(JOIN).split("~")
    if not id.startswith(JOIN) or len(parts) != 3 or parts[2] not in list(End):
        return None
    return _LINK + parts[0], parts[1].upper(), End(parts[2])
