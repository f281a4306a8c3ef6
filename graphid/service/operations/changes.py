"""What an operator's act changes, told in people, links and events."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from graphid.graph.database import Readable
from graphid.graph.projection import Difference, contacts_in, visitors_in
from graphid.graph.queries import query
from graphid.identity.state import Apart, Key, Person, Value, Visitor
from graphid.service.people import PersonRecord
from graphid.service.visitors import END, Slice

COUNT_EVENTS = query("operations/count_events")

MOST_EVENTS = 10_001
"""Where counting stops: what is more is told as this."""

MOST_TOLD = 200
"""How many people, and how many links, an answer tells of."""


class Change(msgspec.Struct, frozen=True):
    """What an act did, or would do.

    ``before`` and ``after``: those whom it concerns, as they were and as they are then.
    ``operation_id`` is None for what would be. ``events`` is 0 where nobody asked. ``version``: of
    the graph that it met.
    """

    operation_id: str | None
    is_dry: bool
    before: tuple[PersonRecord, ...]
    after: tuple[PersonRecord, ...]
    links: tuple[str, ...]
    is_pending: bool
    events: int
    version: str


def people_of(records: Mapping[str, PersonRecord], ids: Iterable[str]) -> tuple[PersonRecord, ...]:
    """Each person once, in the order of the ids that mean them."""
    people = {record.id: record for id in ids if (record := records.get(id)) is not None}
    return tuple(people.values())[:MOST_TOLD]


def concerned(difference: Difference) -> list[str]:
    """Ids of the contacts whose person, and of the visitors whose owner, is not what it was."""
    before, after = difference.before, difference.after
    were, are = _contacts(before), _contacts(after)
    owned, owns = visitors_in(before), visitors_in(after)
    contacts = [id for id in {**were, **are} if were.get(id) != are.get(id)]
    visitors = [id for id in {**owned, **owns} if _of(owned.get(id)) != _of(owns.get(id))]
    return [*contacts, *visitors]


def _contacts(values: Mapping[Key, Value | None]) -> dict[str, Any]:
    """What tells of each contact who its person is, and what people see of it."""
    people = [value for value in values.values() if isinstance(value, Person)]
    return {
        contact.id: (
            frozenset(one.id for one in person.contacts),
            frozenset(contact.holds),
            contact.curated,
        )
        for person in people
        for contact in person.contacts
    }


def _of(visitor: Visitor | None) -> Any:
    """What tells whose the visitor's events are; None where nobody ever owned them."""
    if visitor is None or visitor.link is None:
        return None
    return (visitor.owner, visitor.link.reach, visitor.start, visitor.end)


def overruled(difference: Difference) -> dict[str, Apart]:
    """The judgements that a merge overrules, by the ids of the operations."""
    cleared = _cleared(difference.after) - _cleared(difference.before)
    return {apart.by: apart for apart in cleared}


def _cleared(values: dict[Key, Value | None]) -> set[Apart]:
    return {apart for contact in contacts_in(values).values() for apart in contact.cleared}


# ---------------------------------------------------------------------- events


def moved(before: Iterable[Slice], after: Iterable[Slice]) -> list[dict[str, str]]:
    """The parts of cookies whose owner is another than before, as ranges of places."""
    were, are = _by_cookie(before), _by_cookie(after)
    ranges: list[dict[str, str]] = []
    for cookie in {**were, **are}:
        had, has = were.get(cookie, []), are.get(cookie, [])
        edges = sorted({edge for part in (*had, *has) for edge in (part.low, part.high)})
        for low, high in pairwise(edges):
            if _owner(had, low) != _owner(has, low):
                ranges.append({"cookie": cookie, "low": low, "high": high})
    return ranges


def _by_cookie(parts: Iterable[Slice]) -> dict[str, list[Slice]]:
    found: defaultdict[str, list[Slice]] = defaultdict(list)
    for part in parts:
        found[part.cookie].append(part)
    return {cookie: sorted(slices, key=lambda part: part.low) for cookie, slices in found.items()}


def _owner(slices: Sequence[Slice], place: str) -> str | None:
    index = bisect_right([part.low for part in slices], place) - 1
    if index < 0 or place >= (slices[index].high or END):
        return None
    return slices[index].person


async def count_events(rows: Readable, ranges: Sequence[Mapping[str, str]]) -> int:
    """How many events lie in the ranges, up to ``MOST_EVENTS``."""
    if not ranges:
        return 0
    (row,) = await rows.read_rows(COUNT_EVENTS, ranges=list(ranges), most=MOST_EVENTS)
    count: int = row["events"]
    return count
