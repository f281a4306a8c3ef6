"""Visitors as the graph holds them, and which of what happened on their cookies is whose.

This is the one place where nodes and relationships become the values of ``graphid.identity``
again (docs/graph.md tells how they are stored).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.policies import Policies
from graphid.graph.queries import query
from graphid.identity.attribution import Attribution, attribute
from graphid.identity.ids import UNCLAIMED
from graphid.identity.state import Link, LinkKind, LinkState, Opening, Visitor
from graphid.identity.values import Assurance, Micros, Place, UnattendedOwner, moment

READ_VISITORS = query("people/read_visitors")
READ_VISITORS_OF = query("people/read_visitors_of")
FIND_VISITORS = query("journey/find_visitors")

END = ":"
"""Sorts after every place: those begin with a digit."""

FOREVER: Micros = 10**16 - 1
"""The last moment that a place can stand for, in the year 2286."""


class Horizon(msgspec.Struct, frozen=True):
    """How far a reader looks: at what stands before ``place``, and was received by ``received``
    (None: whenever it was)."""

    place: Place = END
    received: Micros | None = None


NOW = Horizon()
"""All that there is."""


class VisitorRecord(msgspec.Struct, frozen=True):
    """A visitor with what a reader wants beside it.

    ``owner``: the person of its link's contact, where it has a link that stands.
    ``seen_from``: when its cookie was first seen, which is when a visitor born with it began.
    ``horizon``: how far whatever is read of it looks.
    """

    visitor: Visitor
    owner: str | None
    seen_from: Micros
    seen_to: Micros
    device: str | None
    horizon: Horizon = NOW

    @property
    def id(self) -> str:
        return self.visitor.id

    def covers(self, place: Place) -> bool:
        """Whether what happened at a place of its cookie is the visitor's."""
        return self.visitor.start <= place < (self.visitor.end or END)

    @property
    def end(self) -> Place:
        """The place where it ends, or where the reader's look does."""
        return min(self.visitor.end or END, self.horizon.place)

    @property
    def started_at(self) -> Micros:
        started = self.visitor.started_at
        return self.seen_from if started is None else started


class Owner(msgspec.Struct, frozen=True):
    """Whose something is, and why."""

    person: str
    """Id of a person, or of the anonymous person as whom it is read."""
    attribution: Attribution
    record: VisitorRecord


class Slice(msgspec.Struct, frozen=True):
    """A part of a visitor that one person owns: places from ``low`` up to but without ``high``."""

    record: VisitorRecord
    person: str
    low: Place
    high: Place

    @property
    def cookie(self) -> str:
        return self.record.visitor.cookie


def at_moment(at: Micros) -> Place:
    """The boundary before everything that happened at ``at``."""
    return f"{min(max(at, 0), FOREVER):016d}"


def owner_of(record: VisitorRecord, place: Place) -> Owner:
    """Whose an event at this place of the visitor is."""
    attribution = attribute(record.visitor, place)
    person = attribution.anonymous or record.owner or record.id
    return Owner(person, attribution, record)


def slices_of(record: VisitorRecord) -> list[Slice]:
    """The visitor cut where its owner changes, as ``attribute`` says; oldest first.

    Times are enough to say where: from ``reach`` on, and, where unattended events are nobody's,
    up to ``unattended.after`` behind each run of identifies.
    """
    visitor = record.visitor
    start, end = visitor.start or at_moment(0), record.end
    if not start < end:
        return []  # nothing can have happened in it
    cuts = {start}
    link = visitor.link
    if link is not None and link.state is not LinkState.SEVERED:
        if link.reach is not None:
            cuts.add(at_moment(link.reach))
        if visitor.opening is Opening.SWITCH and visitor.disowns_unattended:
            for first, last in visitor.attended:
                cuts.update((at_moment(first), at_moment(last + visitor.unattended_after + 1)))
    edges = sorted(cut for cut in cuts if start <= cut < end)
    slices: list[Slice] = []
    for low, high in zip(edges, [*edges[1:], end], strict=True):
        person = owner_of(record, low).person
        if slices and slices[-1].person == person:
            slices[-1] = Slice(record, person, slices[-1].low, high)
        else:
            slices.append(Slice(record, person, low, high))
    return slices


def visitor_id_of(person: str) -> str | None:
    """The visitor as whose anonymous person this id is read; None for other ids."""
    return person.removesuffix(UNCLAIMED) if person.startswith("visitor_") else None


def asked_of(person: str) -> dict[str, Any]:
    """A person, as the statements take it that list visitors of known and of anonymous ones."""
    visitor = visitor_id_of(person)
    return {"key": person, "person": person if visitor is None else None, "visitor": visitor}


def person_named_by(id: str, record: VisitorRecord) -> str:
    """The person whom a visitor's id means: its owner, else the anonymous one.

    With ``~unclaimed`` it means the part of the visitor that its owner does not own, while there
    is such a part.
    """
    if record.owner is None:
        return record.id
    unclaimed = record.id + UNCLAIMED
    if id.endswith(UNCLAIMED):
        began = at_moment(record.started_at)
        parts = slices_of(record)
        if any(part.person == unclaimed and part.high > began for part in parts):
            return unclaimed
    return record.owner


def link_of(properties: Mapping[str, Any], kind: str, source: str, target: str) -> Link:
    """A link from its relationship's properties and ends."""
    get = properties.get
    return Link(
        id=properties["id"],
        kind=LinkKind(kind),
        source=source,
        target=target,
        rule=properties["rule"],
        assurance=Assurance(properties["assurance"]),
        evidence=properties["evidence"],
        at=properties["at"],
        recorded_at=properties["recordedAt"],
        actor=get("actor"),
        reach=get("reach"),
        ended_at=get("endedAt"),
        ended_by=get("endedBy"),
        retracted_at=get("retractedAt"),
        retracted_by=get("retractedBy"),
        reason=get("reason"),
    )


def visitor_of(row: Mapping[str, Any]) -> VisitorRecord:
    """A visitor from a row of the queries of this module."""
    node, owners = row["visitor"], row["owners"]
    get = node.get
    link = owner = None
    if owners:
        first = owners[0]
        link = link_of(first["link"], LinkKind.IDENTIFIED_AS, node["id"], first["contact"])
        owner = first["person"]
    times = get("attended") or ()
    visitor = Visitor(
        id=node["id"],
        cookie=node["cookie"],
        opening=Opening(get("opening") or Opening.BIRTH),
        opened_by=get("openedBy"),
        start=get("start") or "",
        started_at=get("startedAt"),
        end=get("end"),
        ended_at=get("endedAt"),
        ended_by=get("endedBy"),
        link=link,
        identified=get("identified"),
        verified=get("verified"),
        attended=tuple(zip(times[::2], times[1::2], strict=True)),
        unattended_after=get("unattendedAfter") or 0,
        unattended_owner=UnattendedOwner(get("unattendedOwner") or UnattendedOwner.LAST_KNOWN),
    )
    started = visitor.started_at or (moment(visitor.start) if visitor.start else 0)
    return VisitorRecord(
        visitor=visitor,
        owner=owner,
        seen_from=row["seenFrom"] or started,
        seen_to=row["seenTo"] or started,
        device=row["device"],
    )


class Visitors:
    """Reads visitors."""

    def __init__(self, database: Readable, policies: Policies) -> None:
        self._database = database
        self.policies = policies

    async def by_id(self, ids: Iterable[str]) -> dict[str, VisitorRecord]:
        """The visitor whom each id means; ids that were never given out are missing.

        A visitor that late evidence made no more means the one who has its cookie where it began.
        """
        rows = await self._database.read_rows(READ_VISITORS, ids=list(ids))
        return {row["asked"]: visitor_of(row) for row in rows}

    async def of_people(self, people: Sequence[str]) -> dict[str, list[VisitorRecord]]:
        """Each person's visitors. An anonymous person has the one that it is named for."""
        found: dict[str, list[VisitorRecord]] = {person: [] for person in people}
        known = [person for person in people if visitor_id_of(person) is None]
        if known:
            for person, record in await self._of_known(known):
                found[person].append(record)
        anonymous = {p: v for p in people if (v := visitor_id_of(p)) is not None}
        if anonymous:
            records = await self.by_id(set(anonymous.values()))
            for person, visitor in anonymous.items():
                if visitor in records:
                    found[person].append(records[visitor])
        return found

    async def _of_known(self, people: list[str]) -> list[tuple[str, VisitorRecord]]:
        rows = await self._database.read_rows(READ_VISITORS_OF, ids=people)
        return [(row["person"], visitor_of(row)) for row in rows]

    async def slices_of_people(self, people: Sequence[str]) -> dict[str, list[Slice]]:
        """All that each of these people owns."""
        visitors = await self.of_people(people)
        return {
            person: [
                part for record in records for part in slices_of(record) if part.person == person
            ]
            for person, records in visitors.items()
        }

    async def covering(
        self, places: Iterable[tuple[str, Place]]
    ) -> dict[tuple[str, Place], VisitorRecord]:
        """The visitor of each (cookie, place), where the cookie is known."""
        wanted = [{"cookie": cookie, "position": place} for cookie, place in places]
        rows = await self._database.read_rows(FIND_VISITORS, places=wanted)
        return {(row["cookie"], row["position"]): visitor_of(row) for row in rows}

    async def owners(self, places: Iterable[tuple[str, Place]]) -> dict[tuple[str, Place], Owner]:
        """Whose each (cookie, place) is."""
        covering = await self.covering(places)
        return {key: owner_of(record, key[1]) for key, record in covering.items()}
