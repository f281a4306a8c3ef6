"""Why two things are one person's, and why they are not: what the graph and the rules say.

Which rules there are, and whether they are met, is asked of ``graphid.identity``; nothing is
decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from graphid.identity.apart import Separations
from graphid.identity.chains import Join, shortest_chain
from graphid.identity.ids import contact_named_by
from graphid.identity.obstacles import Rule, obstacles
from graphid.identity.people import People, Someone, contradictions
from graphid.identity.policy import Policy
from graphid.identity.state import Apart, Judgements, Key, Person, Value
from graphid.identity.values import IdentifierKey, Micros
from graphid.identity.view import Memory, View
from graphid.service.ends import End, Ends
from graphid.service.grounds import Boundary, Spot, Visits, Withdrawn
from graphid.service.ledger import RecordedOperation
from graphid.service.links import LinkRecord, NamedIdentifier, ReviewRecord
from graphid.service.operations.seeing import Seen
from graphid.service.people import PersonRecord
from graphid.service.reads import Reads
from graphid.service.statements import Stated, made_by

MOST_SHARED = 20
"""Of so many people who were in two places, the one to whom the shortest chain leads is found."""

Show = Callable[[Any], Awaitable[Any]]


class Chain(NamedTuple):
    """``links``: ids of the links of the shortest chain; empty where both are one thing; None where
    nothing joins them. ``all_looked_at``: False where two places both have more visits than are
    looked at, so that others may join them.
    """

    links: list[str] | None
    all_looked_at: bool = True


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Values of one type that cannot be one human's, one of each side."""

    ours: NamedIdentifier
    theirs: NamedIdentifier
    is_unique: bool
    """A person has one of the type at most; else: they have nothing in common."""


@dataclass(frozen=True, slots=True)
class Parted:
    """All that keeps two ends from being one person's.

    ``blocks``: operations that block the identifier that an end is; ``is_blocked``: the policy
    does. ``withdrawn``: links between the two that fell; ``stated``: what their evidence said, by
    the link's id; ``operations``: those that made or withdrew them.
    """

    a: End
    b: End
    judgements: tuple[RecordedOperation, ...] = ()
    blocks: tuple[RecordedOperation, ...] = ()
    is_blocked: bool = False
    withdrawn: tuple[LinkRecord, ...] = ()
    stated: tuple[tuple[str, Stated], ...] = ()
    operations: tuple[RecordedOperation, ...] = ()
    taken: tuple[LinkRecord, ...] = ()
    """What was last withdrawn of an end's own visit that has no owner, whosever it was."""
    reviews: tuple[ReviewRecord, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    rules: tuple[Rule, ...] = ()
    boundaries: tuple[Boundary, ...] = ()
    shares_device: bool = False
    all_looked_at: bool = True
    """As of :class:`Chain`."""
    policy: Policy | None = None
    """The one in force."""

    async def shown(self, show: Show) -> Parted:
        """The same, as a caller may see it."""
        contradictions = [
            Contradiction(await show(one.ours), await show(one.theirs), one.is_unique)
            for one in self.contradictions
        ]
        return replace(
            self,
            judgements=await show(self.judgements),
            blocks=await show(self.blocks),
            withdrawn=await show(self.withdrawn),
            taken=await show(self.taken),
            operations=await show(self.operations),
            reviews=await show(self.reviews),
            contradictions=tuple(contradictions),
        )


class Reasons:
    """Answers why. ``a`` and ``b`` are the names of the arguments in what is raised."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._ends = Ends(reads)

    async def ends(self, a: str, b: str) -> tuple[End, End]:
        """What the two ids mean. Raises NotFound and InvalidInput."""
        return await asyncio.gather(self._ends.find(a, "a"), self._ends.find(b, "b"))

    # ------------------------------------------------------------------ why they are one

    async def chain(self, a: End, b: End) -> Chain:
        """The shortest chain of links."""
        are_all = True
        if a.spot is not None and a.spot == b.spot:
            return Chain([])
        if a.spot is not None and b.spot is not None:
            visits_a, visits_b, are_all = await self._visits_of_spots(a.spot, b.spot)
        else:
            visits_a, visits_b = await asyncio.gather(self._visits(a, b), self._visits(b, a))
        people = sorted(visits_a.keys() & visits_b.keys())
        # Who has a contact with visits in both places comes first: nobody is nearer.
        people.sort(key=lambda p: not _touch(visits_a[p], visits_b[p]))
        people = people[:MOST_SHARED]
        if not people:
            return Chain(None, are_all)
        asked = [end.identifier.id for end in (a, b) if end.identifier is not None]
        joins = await self._reads.grounds.of_people(people, asked)
        chains = [
            chain
            for person in people
            if (
                chain := shortest_chain(
                    {*joins.get(person, ()), *visits_a[person], *visits_b[person]},
                    _things(a, visits_a[person]),
                    _things(b, visits_b[person]),
                )
            )
            is not None
        ]
        best = min(chains, key=lambda chain: (len(chain), [j.weight for j in chain]), default=None)
        return Chain(None if best is None else [join.link for join in best], are_all)

    async def _visits_of_spots(
        self, a: Spot, b: Spot
    ) -> tuple[dict[str, list[Join]], dict[str, list[Join]], bool]:
        """The visits in two places, by whose they are; and whether all visits in one of them were
        looked at, so that who was in both is among these."""
        latest = self._reads.grounds.latest_visits
        at_a, at_b = await asyncio.gather(latest(a), latest(b))
        visits_a, visits_b = await asyncio.gather(
            self._with_those_of(at_b, at_a, a), self._with_those_of(at_a, at_b, b)
        )
        return visits_a, visits_b, at_a.are_all or at_b.are_all

    async def _with_those_of(
        self, others: Visits, visits: Visits, spot: Spot
    ) -> dict[str, list[Join]]:
        """The visits in a place, and where those are not all, what others did there besides."""
        if visits.are_all:
            return visits.joins
        return visits.joins | await self._reads.grounds.visits(others.joins.keys(), spot)

    async def _visits(self, end: End, other: End) -> dict[str, list[Join]]:
        """The links of an end's own visits, by whose they are: of a spot, the other's."""
        if end.spot is not None:
            if other.person is None or other.is_part:
                return {}
            return await self._reads.grounds.visits([other.person.id], end.spot)
        if end.person is None or end.is_part:
            return {}
        link = None if end.visitor is None else end.visitor.visitor.link
        if end.visitor is None or link is None:
            return {end.person.id: []}
        return {end.person.id: [Join(link.id, link.source, link.target, link.assurance, link.at)]}

    # ------------------------------------------------------------------ why they are not

    async def parted(self, a: End, b: End) -> Parted | None:
        """What keeps two apart; None where they are one."""
        found = Parted(a, b)
        if a.spot is not None or b.spot is not None:
            chain = await self.chain(a, b)
            if chain.links is not None:
                return None
            found = replace(found, all_looked_at=chain.all_looked_at)
        elif _are_one(a, b):
            return None
        found, withdrawn = await asyncio.gather(self._by_the_rules(found), self._withdrawn(a, b))
        if a.known is not None and b.known is not None:
            boundaries, shares = await self._reads.grounds.boundaries(a.known.id, b.known.id)
            found = replace(found, boundaries=tuple(boundaries), shares_device=shares)
        return await self._with_evidence(found, withdrawn)

    async def _by_the_rules(self, found: Parted) -> Parted:
        """With what judgements, blocks, contradictions and merge rules say, and open reviews."""
        a, b = found.a, found.b
        policy = (await self._reads.policies.current()).policy
        rules = _Rules(Seen(self._reads.grounds.rows, self._reads, policy), self._reads.chats.now())
        identifier = next((e.identifier for e in (a, b) if e.identifier is not None), None)
        key = None if identifier is None else f"{identifier.type}:{identifier.value}"
        people = [end.known for end in (a, b) if end.known is not None]
        apart, blocks = await rules.load(people, key)
        reviews: list[str] = []
        if people:
            other = people[1].id if len(people) > 1 else None
            reviews = await self._reads.grounds.reviews(people[0].id, other, key)
        operations, records = await asyncio.gather(
            self._reads.ledger.by_id([*apart, *blocks]), self._reads.links.reviews(reviews)
        )
        return replace(
            found,
            judgements=_newest(operations[id] for id in apart if id in operations),
            blocks=_newest(operations[id] for id in blocks if id in operations),
            is_blocked=key is not None and policy.is_blocked(key),
            reviews=tuple(records[id] for id in reviews if id in records),
            contradictions=tuple(rules.contradictions()),
            rules=tuple(rules.rules()),
            policy=policy,
        )

    async def _withdrawn(self, a: End, b: End) -> list[str]:
        asked = [_between(one, other) for one, other in ((a, b), (b, a))]
        found = await asyncio.gather(*(self._reads.grounds.withdrawn(one) for one in asked if one))
        return list(dict.fromkeys(id for links in found for id in links))

    async def _with_evidence(self, found: Parted, withdrawn: list[str]) -> Parted:
        """With the links that were withdrawn, beside those that a judgement explains already, and
        what is to be told of them; and what took an end's own visit from its owner."""
        taken = await self._reads.links.severed(
            [e.visitor.id for e in (found.a, found.b) if e.visitor and e.visitor.owner is None]
        )
        judged = {operation.id for operation in found.judgements}
        links = await self._reads.links.by_id(withdrawn) if withdrawn else {}
        records = [links[id] for id in withdrawn if id in links]
        records = [r for r in records if r.link.retracted_by not in judged]
        makers = {record.link.id: made_by(record.link) for record in records}
        acts = [r.link.evidence for r in records]
        acts += [r.link.retracted_by for r in (*records, *taken.values()) if r.link.retracted_by]
        stated, operations = await asyncio.gather(
            self._reads.statements.of(makers.values()), self._reads.ledger.by_id(acts)
        )
        return replace(
            found,
            withdrawn=tuple(records),
            taken=tuple(taken.values()),
            stated=tuple((id, stated[about]) for id, about in makers.items() if about in stated),
            operations=tuple(operations.values()),
        )


class _Rules:
    """The fold's own values of the two, and what its rules say of them now."""

    def __init__(self, seen: Seen, now: Micros) -> None:
        self._seen = seen
        self._now = now
        self._policy: Policy = seen.policy
        self._two: list[Someone] = []

    async def load(
        self, people: Collection[PersonRecord], identifier: IdentifierKey | None
    ) -> tuple[list[str], list[str]]:
        """Ids of the judgements that keep the two apart, and of those that block the identifier."""
        names = [name for p in people if (name := contact_named_by(p.id)) is not None]
        values = await self._closure([("person", name) for name in names])
        if identifier is not None:
            values |= await self._seen.values([("judged", identifier)])
        parties: set[Key] = {
            ("person", party.contact)
            for value in values.values()
            for apart in _judged(value)
            for party in (apart.own, apart.other)
            if party.contact is not None
        }
        values |= await self._closure(parties - values.keys())
        view = View(Memory(values))
        met = People(view)
        self._two = [met.of(name) for name in names if ("person", name) in values]
        separations = Separations(view, met, self._now)
        apart: list[Apart] = []
        blocks: tuple[str, ...] = ()
        if len(self._two) == 2:
            one, other = self._two
            apart += [*separations.between(one, other), *separations.between(other, one)]
        if identifier is not None:
            for someone in self._two:
                apart += separations.from_identifier(someone, identifier)
            found = view.find("judged", identifier)
            blocks = () if found is None else found.blocked_by
        return list(dict.fromkeys(a.by for a in apart)), list(blocks)

    def rules(self) -> Iterable[Rule]:
        """The merge rules that stand between the two whatever names both."""
        if len(self._two) != 2:
            return ()
        one, other = self._two
        return obstacles(one, other, self._policy)

    def contradictions(self) -> Iterable[Contradiction]:
        """Values of the two that cannot be one human's, one pair a type."""
        if len(self._two) != 2:
            return
        one, other = (someone.identifiers for someone in self._two)
        for ours, theirs in contradictions(one, other, self._policy, in_common=False):
            first, second = _named(min(ours - theirs or ours)), _named(min(theirs - ours or theirs))
            yield Contradiction(first, second, self._policy.rule(first.type).unique)

    async def _closure(self, keys: Iterable[Key]) -> dict[Key, Value]:
        """Values of keys, and of the people into whom those were merged."""
        found: dict[Key, Value] = {}
        wanted = set(keys)
        while wanted:
            values = await self._seen.values(sorted(wanted))
            found |= values
            wanted = {
                ("person", value.merged_into)
                for value in values.values()
                if isinstance(value, Person) and value.merged_into is not None
            } - found.keys()
        return found


def _are_one(a: End, b: End) -> bool:
    """Whether both are, or are parts of, one person, or one identifier that nobody holds."""
    if a.person is not None and b.person is not None:
        return a.person.id == b.person.id
    return a.identifier is not None and a.identifier == b.identifier


def _touch(ours: Iterable[Join], theirs: Iterable[Join]) -> bool:
    contacts = {join.other for join in ours}
    return any(join.other in contacts for join in theirs)


def _things(end: End, visits: Iterable[Join]) -> set[str]:
    """The ids of what an end is, in a chain."""
    if end.identifier is not None:
        return {end.identifier.id}
    if end.contact is not None:
        return {end.contact}
    if end.visitor is not None:
        return {end.visitor.id}
    return {join.one for join in visits}


def _between(end: End, other: End) -> Withdrawn | None:
    """Where to look for links of an end that were withdrawn from the other's person."""
    if other.known is None:
        return None
    return Withdrawn(
        one=None if end.person is None else end.person.id,
        other=other.known.id,
        visitors=[] if end.visitor is None else [end.visitor.id],
        identifier=None if end.identifier is None else end.identifier.id,
        cookie=None if end.spot is None else end.spot.cookie,
        device=None if end.spot is None else end.spot.device,
    )


def _judged(value: Value) -> Iterable[Apart]:
    if isinstance(value, Judgements):
        yield from value.apart
    elif isinstance(value, Person):
        for contact in value.contacts:
            yield from contact.apart
            for hold in contact.holds.values():
                yield from hold.apart


def _named(key: IdentifierKey) -> NamedIdentifier:
    type, _, value = key.partition(":")
    return NamedIdentifier("", type, value)


def _newest(operations: Iterable[RecordedOperation]) -> tuple[RecordedOperation, ...]:
    return tuple(sorted(operations, key=lambda o: (-o.piece.recorded_at, o.id)))
