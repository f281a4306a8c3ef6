"""Evidence as a unit of work: load the neighbourhoods, step in memory, write the difference.

Evidence in time order is one step on. Evidence that is late, earlier in the fold than something
that already touched one of its keys, re-folds what is stored, and writes what that changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.database import Unit
from graphid.graph.memory import (
    Missing,
    Neighbourhood,
    as_text,
    from_text,
    reads_of,
    roots_of,
)
from graphid.graph.projection import changes_as_rows, evidence_as_row
from graphid.graph.queries import query
from graphid.graph.refold import refold
from graphid.identity.fold import step
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.state import Key, Value, View
from graphid.identity.values import (
    ContactUpsert,
    Evidence,
    Micros,
    Place,
    message_of,
    moment,
)

LOAD_NEIGHBOURHOOD = query("evidence/load_neighbourhood")
LOAD_STATES = query("evidence/load_states")
WRITE_CHANGES = query("evidence/write_changes")

_outcomes = msgspec.json.Decoder(Outcome)


@dataclass(frozen=True)
class Recorded:
    """One piece of evidence, as the graph has it now. ``is_new``: this unit recorded it.

    ``cookie``: where the evidence of that id came from, None for a record.
    """

    outcome: Outcome
    digest: str
    at: int
    recorded_at: int
    place: Place
    cookie: str | None
    is_new: bool


class EvidenceUnit:
    """One list of evidence on its way into the graph, inside one transaction."""

    def __init__(
        self,
        unit: Unit,
        evidence: Sequence[tuple[Evidence, str]],
        policy: Policy,
        ids: Ids,
    ) -> None:
        """``evidence``: each piece with the digest of its content."""
        self._unit = unit
        self._evidence = evidence
        self._policy = policy
        self._ids = ids
        self._state = Neighbourhood()
        self._touched: set[str] = set()
        self._ignored: set[str] = set()
        self._stepped: dict[Key, Place] = {}
        self._recorded: dict[str, Recorded] = {}

    async def record(self, batch: dict[str, Any]) -> tuple[dict[str, Recorded], list[Any]]:
        """Step what :meth:`load` found new, and write it with the unit's events.

        ``batch``: the parameter of ``events/append_events``. Returns the answers to the evidence,
        by message id, and what was known of the events. What was known already is answered as it
        was recorded, and changes nothing.
        """
        new = self._new()
        pieces = [piece for piece, _ in new]
        changes: dict[Key, Value] = {}
        outcomes: dict[str, Outcome] = {}
        if self.is_late:
            refolded = await refold(self._unit, pieces, self._policy, self._ids)
            changes, outcomes = refolded.changes, refolded.outcomes
            keys = {*changes, *(from_text(text) for text in self._touched)}
            self._stepped = dict.fromkeys(keys, pieces[-1].place)
        else:
            for piece in pieces:
                outcomes[piece.id], changed = await self._step(piece)
                changes |= changed
        known = await self.write(new, changes, outcomes, batch)
        for piece, digest in new:
            self._recorded[piece.id] = Recorded(
                outcome=outcomes[piece.id],
                digest=digest,
                at=piece.at,
                recorded_at=piece.recorded_at,
                place=piece.place,
                cookie=cookie_of(piece),
                is_new=True,
            )
        return self._recorded, known

    async def load(self) -> None:
        """Lock and read the union of the neighbourhoods; comes before :meth:`record`."""
        pieces = [piece for piece, _ in self._evidence]
        roots = {root for piece in pieces for root in roots_of(piece, self._ids)}
        reads = {key for piece in pieces for key in reads_of(piece, self._ids)} - roots
        (row,) = await self._unit.rows(
            LOAD_NEIGHBOURHOOD,
            named={
                "evidence": [piece.id for piece in pieces],
                "messages": [message_of(piece.id) for piece in pieces],
                "roots": sorted(roots),
                "reads": sorted(reads),
            },
        )
        self._take_in(row["values"], roots, reads)
        for id, outcome, digest, at, recorded_at, place, cookie in row["known"]:
            self._recorded[id] = Recorded(
                _outcomes.decode(outcome), digest, at, recorded_at, place, cookie, False
            )
        used = set(row["used"])
        for piece, _ in self._evidence:
            in_journey = not isinstance(piece, ContactUpsert)
            if in_journey and message_of(piece.id) in used and piece.id not in self._recorded:
                # The message was there before, and was no such evidence: the first counts.
                self._ignored.add(piece.id)

    def _take_in(self, values: list[Any], roots: set[str], reads: set[str]) -> None:
        self._state.load(values)
        self._state.absent(roots | reads)
        self._state.check()
        self._touched |= roots
        self._touched.update(key for key, *_ in values if key.startswith("person:"))

    @property
    def is_late(self) -> bool:
        """Whether something later in the fold has touched what this evidence is about."""
        new = self._new()
        places = self._state.places
        return bool(new) and any(places.get(key, "") > new[0][0].place for key in self._touched)

    @property
    def newest(self) -> Micros:
        """The time of what last touched anything that this evidence is about."""
        places = [self._state.places.get(key, "") for key in self._touched]
        return max((moment(place) for place in places if place), default=0)

    def restamp(self, evidence: Sequence[tuple[Evidence, str]]) -> None:
        """The same evidence, which says nothing of its own time, at a time behind the locks."""
        self._evidence = evidence

    def _new(self) -> list[tuple[Evidence, str]]:
        """What is not recorded yet, in the order of the fold."""
        done = self._recorded.keys() | self._ignored
        new = [pair for pair in self._evidence if pair[0].id not in done]
        return sorted(new, key=lambda pair: pair[0].place)

    async def _step(self, evidence: Evidence) -> tuple[Outcome, dict[Key, Value]]:
        """Step, loading what is asked for beyond the neighbourhood and stepping again."""
        while True:
            view = View(self._state)
            try:
                outcome = step(view, evidence, self._policy, self._ids)
            except Missing as missing:
                await self._load_missing(missing.key)
                continue
            changes = view.changes()
            self._state.update(changes)
            self._stepped.update(dict.fromkeys((*view.reads, *view.writes), evidence.place))
            return outcome, changes

    async def _load_missing(self, key: Key) -> None:
        text = as_text(key)
        if key[0] in ("identifier", "person"):
            # Others change these under their locks; so must we, and out of order: a deadlock
            # is possible, seen by the database, and tried again.
            (row,) = await self._unit.rows(
                LOAD_NEIGHBOURHOOD,
                named={"evidence": [], "messages": [], "roots": [text], "reads": []},
            )
            self._take_in(row["values"], {text}, set())
            return
        (row,) = await self._unit.rows(LOAD_STATES, keys=[text])
        self._state.load(row["values"])

    async def write(
        self,
        new: list[tuple[Evidence, str]],
        changes: dict[Key, Value],
        outcomes: dict[str, Outcome],
        batch: dict[str, Any],
    ) -> list[Any]:
        """Write new evidence, in the order of the fold, with what it changed, and events.

        Returns what was known of the events.
        """
        (row,) = await self._unit.rows(
            WRITE_CHANGES,
            batch=batch,
            changes={
                "evidence": [
                    evidence_as_row(piece, outcomes[piece.id], digest) for piece, digest in new
                ],
                "touched": [
                    {"key": as_text(key), "place": place}
                    for key, place in self._stepped.items()
                    if as_text(key) in self._touched
                ],
                **changes_as_rows(changes, self._stepped, self._ids),
            },
        )
        known: list[Any] = row["known"]
        return known


def cookie_of(evidence: Evidence) -> str | None:
    """Where evidence came from; None for a record."""
    return None if isinstance(evidence, ContactUpsert) else evidence.cookie
