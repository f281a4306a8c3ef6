"""Evidence is stamped with a later version of the policy, and followed to the end from there.

None is taken back to an earlier one: of two that are applied at once, the later wins.

At each commit the graph is the fold of all evidence, each piece under its own stamp.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from graphid.graph.database import Database, Unit
from graphid.graph.evidence import NO_EVENTS, WRITE_CHANGES, WRITE_REFOLD, PolicyOf
from graphid.graph.following import Following, rests_on
from graphid.graph.memory import Memory, encode, evidence_decoder, mark_of
from graphid.graph.projection import Difference
from graphid.graph.queries import query
from graphid.graph.repetitions import NO_REPETITIONS, repetition_rows
from graphid.identity.ids import Ids
from graphid.identity.people import replace
from graphid.identity.values import Place, message_of

LIST_STAMPED = query("rebuild/list_stamped")
STAMP_PARKED = query("rebuild/stamp_parked")
NOTE_RESTAMPED = query("rebuild/note_restamped")
LIST_MARKS = query("rebuild/list_marks")
WRITE_MARKS = query("rebuild/write_marks")
TAKE_PARKED = query("evidence/take_parked")

PAGE = 2000
"""Rows of a page of evidence, of which the keys that it touched are told, and no more."""

PATIENCE = 600.0
"""Seconds that a page may take."""


class Stale(NamedTuple):
    """Evidence that is stamped with a lower version than it should be."""

    components: list[list[Place]]
    """What touches a key in common, directly or by others, is in one; each in the fold's order."""
    parked: list[str]
    """Ids of what waits for its job."""

    @property
    def pieces(self) -> int:
        return sum(map(len, self.components)) + len(self.parked)


async def find_stale(database: Database, version: int) -> Stale:
    """All evidence that is stamped with a lower version than this."""
    components, parked, after = Components(), [], ""
    while True:
        (found,) = await database.read_rows(
            LIST_STAMPED,
            within=PATIENCE,
            named={"version": version, "after": after, "size": PAGE},
        )
        for place, id, pending, touched in found["rows"]:
            if pending is None:
                components.add(place, touched or ())
            else:
                parked.append(id)
        if len(found["rows"]) < PAGE:
            return Stale(list(components.found()), parked)
        after = found["rows"][-1][0]


class Components:
    """What has anything in common, found as it comes."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._parents: list[int] = []
        self._first: dict[str, int] = {}

    def add(self, place: Place, keys: Iterable[str]) -> None:
        """Evidence and the keys that it touched."""
        own = len(self._places)
        self._places.append(place)
        self._parents.append(own)
        for key in keys:
            first = self._first.setdefault(key, own)
            self._parents[self._root(own)] = self._root(first)

    def _root(self, of: int) -> int:
        while (parent := self._parents[of]) != of:
            self._parents[of] = of = self._parents[parent]
        return of

    def found(self) -> Iterator[list[Place]]:
        """The components, each in the order in which it came."""
        members: dict[int, list[Place]] = {}
        for number, place in enumerate(self._places):
            members.setdefault(self._root(number), []).append(place)
        return iter(members.values())


async def restamp(
    unit: Unit, places: Iterable[Place], version: int, policy_of: PolicyOf, ids: Ids
) -> int:
    """Stamp evidence with a version, step it again, and whatever reads what that changes.

    How many pieces that was: those that are gone, or stamped so or later by now, are left alone.
    """
    store = Memory(unit)
    # All that is there to be locked is locked now, in order.
    stored, _ = await store.stored(list(places))
    restated = {
        place: replace(found.piece, policy=version)
        for place, found in stored.items()
        if found.piece.policy < version
    }
    following = Following(store, policy_of, ids)
    await following.run([], restated=restated)
    difference = Difference(following, ids, None, by=f"policy_{version}")
    refold = difference.refold()
    for row in refold["evidence"]:
        piece = restated.get(row["place"])
        if piece is not None:
            row["properties"] |= {"body": encode(piece), "policy": version}
    await unit.run(WRITE_REFOLD, refold=refold)
    await unit.run(
        WRITE_CHANGES,
        batch=NO_EVENTS,
        repetitions=NO_REPETITIONS,
        changes=difference.rows(),
    )
    await unit.run(NOTE_RESTAMPED)
    return len(restated)


async def restamp_marks(
    unit: Unit, version: int, policy_of: PolicyOf, ids: Ids, *, most: int
) -> int:
    """Stamp some of what only says again what is so: what no longer does is evidence from now on.

    How many that was; 0 where all are stamped with this version or a later one.
    """
    named = {"version": version, "most": most}
    (row,) = await unit.rows(LIST_MARKS, named=named)
    store = Memory(unit)
    # Others make marks evidence under the locks of what they rest on.
    await store.present({key for pair in row["marks"] for key in rests_on(mark_of(*pair))})
    (row,) = await unit.rows(LIST_MARKS, named=named)
    marks = [mark_of(*pair) for pair in row["marks"]]
    if not marks:
        return 0
    said = {mark.piece.place: replace(mark.piece, policy=version) for mark in marks}
    following = Following(store, policy_of, ids, spares=True)
    await following.run(said.values())
    difference = Difference(following, ids, None, by=f"policy_{version}")
    refold, changes = difference.refold(), difference.rows()
    repetitions, of = repetition_rows(following.repetitions.values(), ids)
    changes["evidence"] += [
        difference.evidence(said[mark.piece.place], mark.digest)
        for mark in marks
        if mark.piece.place in following.steps
    ]
    await unit.run(WRITE_REFOLD, refold=refold)
    await unit.run(WRITE_CHANGES, batch=NO_EVENTS, repetitions=repetitions, changes=changes)
    await unit.run(
        WRITE_MARKS,
        marks=[
            {
                "id": message_of(mark.piece.id),
                "repetition": of.get(mark.piece.id),
                "said": mark.piece.place if mark.piece.id in of else None,
            }
            for mark in marks
        ],
        former=sorted({mark.repetition for mark in marks}),
    )
    await unit.run(NOTE_RESTAMPED)
    return len(marks)


async def restamp_parked(unit: Unit, id: str, version: int) -> int:
    """Stamp evidence that waits for its job.

    0 where it waits no more, or is stamped so or later by now.
    """
    for row in await unit.rows(TAKE_PARKED, id=id):
        piece = evidence_decoder.decode(row["body"])
        if piece.policy < version:
            body = encode(replace(piece, policy=version))
            await unit.run(STAMP_PARKED, id=id, body=body, version=version)
            return 1
    return 0
