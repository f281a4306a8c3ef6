"""Journeys as they were: the lines that had happened, and the joins and splits of then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphid.graph.database import Readable
from graphid.graph.past.past import Past
from graphid.graph.queries import query
from graphid.graph.rows import properties_of
from graphid.identity.ids import Ids, contact_named_by
from graphid.identity.state import Link, LinkKind
from graphid.identity.values import (
    OF_OPERATION,
    Block,
    IdentifierAnchor,
    KeepApart,
    Micros,
    Operation,
    Restore,
    Sever,
)
from graphid.service.joins import JoinRecord, JoinType, joins_in
from graphid.service.journey import Journeys
from graphid.service.ledger import Ledger
from graphid.service.lines import Line, Lines, LinesWanted
from graphid.service.pages import Page
from graphid.service.past.moment import Moment
from graphid.service.past.people import PastPeople
from graphid.service.past.projecting import link_record
from graphid.service.past.visitors import PastVisitors
from graphid.service.visitors import visitor_id_of

LIST_UNDONE = query("past/list_undone")

MERGED = "MERGED"
"""The rule of what an operator's merge joined."""

Row = dict[str, Any]


class PastLines(Lines):
    """Reads journeys as they were. What a page holds does not change under it, so it is read from
    the parts of visitors that the person owned."""

    def __init__(
        self,
        database: Readable,
        visitors: PastVisitors,
        people: PastPeople,
        journeys: Journeys,
        *,
        past: Past,
        ids: Ids,
        moment: Moment,
    ) -> None:
        super().__init__(database, visitors, people, journeys)
        self._past = past
        self._ids = ids
        self._moment = moment
        self._ledger = Ledger(database)

    async def pages(self, wanted: Sequence[LinesWanted]) -> list[Page[Line]]:
        """For each of these, a page of the journey, newest first. A key is a position."""
        found = await self._worked_out(dict(enumerate(wanted)))
        return [found[key] for key in range(len(wanted))]

    async def _joins(self, wanted: Mapping[int, LinesWanted]) -> dict[int, list[JoinRecord]]:
        asked = {key: one for key, one in wanted.items() if one.joins}
        if not asked:
            return {key: [] for key in wanted}
        contacts = await self._contacts_of({one.person for one in asked.values()})
        visitors = {
            visitor
            for one in asked.values()
            if (visitor := visitor_id_of(one.person)) is not None and visitor == one.person
        }
        rows = await self._rows({c for some in contacts.values() for c in some}, visitors)
        return {
            key: self._joins_of(one, contacts.get(one.person, set()), rows)
            for key, one in wanted.items()
        }

    def _joins_of(
        self, one: LinesWanted, contacts: set[str], rows: Iterable[Row]
    ) -> list[JoinRecord]:
        told = (_as_wanted(row, one) for row in rows)
        theirs = [row for row in told if _is_of(row, contacts, one.person)]
        joins = joins_in(theirs, one.person)
        return [join for join in joins if join.position < self._moment.place]

    async def _contacts_of(self, people: Iterable[str]) -> dict[str, set[str]]:
        named = {person: c for person in people if (c := contact_named_by(person)) is not None}
        found = await self._past.people(set(named.values())) if named else {}
        return {
            person: {one.id for one in found[contact].person.contacts}
            for person, contact in named.items()
            if contact in found
        }

    async def _rows(self, contacts: set[str], visitors: set[str]) -> list[Row]:
        """Links as the statements of journeys tell of them, with whose their ends were."""
        links = [
            *(await self._past.links_at(contacts) if contacts else ()),
            *(await self._past.links_from(visitors) if visitors else ()),
        ]
        rows = [self._row(link) for link in links if link.kind is not LinkKind.NOT_SAME_AS]
        known = {row["link"]["id"] for row in rows}
        undone = await self._database.read_rows(
            LIST_UNDONE,
            named={"contacts": sorted(contacts), "visitors": sorted(visitors)},
            operation=OF_OPERATION,
            known=self._moment.known,
        )
        rows += [row["row"] for row in undone if row["row"]["link"]["id"] not in known]
        acts = await self._ledger.by_id({row["link"].get("retractedBy") or "" for row in rows})
        for row in rows:
            recorded = acts.get(row["link"].get("retractedBy") or "")
            _tell(row, None if recorded is None else recorded.piece)
        return await self._with_people([row for row in rows if row["made"] or row["undone"]])

    def _row(self, link: Link) -> Row:
        record = link_record(link, self._ids)
        named = record.identifier
        return {
            "link": properties_of(link),
            "kind": link.kind.value,
            "from": link.source,
            "to": record.link.target,
            "type": None if named is None else named.type,
            "value": None if named is None else named.value,
            "cookie": None,
        }

    async def _with_people(self, rows: list[Row]) -> list[Row]:
        """These, with whose their ends were, and where."""
        visitors = await self._visitors.by_id(
            {row["from"] for row in rows if row["kind"] == LinkKind.IDENTIFIED_AS}
        )
        ends = {end for row in rows for end in (row["from"], row["to"])}
        found = await self._past.people({end for end in ends if end.startswith("contact_")})
        people = {end: self._ids.person(named.name) for end, named in found.items()}
        for row in rows:
            visitor = visitors.get(row["from"])
            row["fromPerson"] = people.get(row["from"]) if visitor is None else visitor.owner
            row["toPerson"] = people.get(row["to"])
            row["cookie"] = None if visitor is None else visitor.visitor.cookie
        return rows


def _tell(row: Row, act: Operation | None) -> None:
    """What a link tells of: when it joined somebody, and what an operator took back by which act
    (``cypher/parts/join_kinds``)."""
    link, kind = row["link"], row["kind"]
    is_join = kind == LinkKind.SAME_AS or (
        kind == LinkKind.IDENTIFIED_AS and link["rule"] == MERGED
    )
    row["undoneAs"] = _undone_as(kind, act, is_join=is_join)
    is_told = link.get("retractedBy") is None or row["undoneAs"] is not None
    row["made"] = link["at"] if is_join and is_told else None
    row["undone"] = None if row["undoneAs"] is None else link["retractedAt"]


def _undone_as(kind: str, act: Operation | None, *, is_join: bool) -> JoinType | None:
    if kind == LinkKind.HAS_IDENTIFIER:
        parts = isinstance(act, KeepApart) and any(
            isinstance(party, IdentifierAnchor) for side in act.sides for party in side
        )
        return JoinType.SEVER if parts or isinstance(act, Block) else None
    if kind == LinkKind.IDENTIFIED_AS and isinstance(act, Sever):
        return JoinType.SEVER
    took_back = isinstance(act, KeepApart | Restore | Block | Sever)
    return JoinType.UNMERGE if is_join and took_back else None


def _is_of(row: Row, contacts: set[str], person: str) -> bool:
    """Whether a link is one of a person's with these contacts, or of the anonymous person."""
    if row["made"] is None and row["undone"] is None:
        return False
    if row["kind"] == LinkKind.IDENTIFIED_AS:
        return row["to"] in contacts or (row["from"] == person and row["undone"] is not None)
    return row["from"] in contacts or (row["kind"] == LinkKind.SAME_AS and row["to"] in contacts)


def _as_wanted(row: Row, one: LinesWanted) -> Row:
    """The row with only what a page wants of it."""
    made: Micros | None = row["made"] if JoinType.MERGE in one.joins else None
    undone: Micros | None = row["undone"] if row["undoneAs"] in one.joins else None
    return row | {"made": made, "undone": undone}
