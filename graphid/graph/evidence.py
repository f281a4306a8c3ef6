"""Evidence as a unit of work: load the neighbourhoods, follow the changes, write the difference."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.database import Unit
from graphid.graph.following import Following, TooMany
from graphid.graph.memory import (
    Memory,
    Reached,
    as_text,
    from_text,
    present_of,
    reads_of,
    roots_of,
)
from graphid.graph.projection import Difference
from graphid.graph.queries import query
from graphid.graph.remembered import ABSENT
from graphid.graph.repetitions import NO_REPETITIONS, Ground, repetition_row, repetition_rows
from graphid.graph.rows import cookie_of, evidence_as_row
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome
from graphid.identity.policy import Policy
from graphid.identity.repetition import may_repeat
from graphid.identity.state import Key
from graphid.identity.values import (
    SAID_USER,
    Evidence,
    Identify,
    Micros,
    Place,
    message_of,
    moment,
)

NO_EVENTS: Mapping[str, Any] = {"cookies": [], "devices": [], "chatChanges": []}
"""The ``batch`` of a unit of work that appends no events."""

LOAD_NEIGHBOURHOOD = query("evidence/load_neighbourhood")
WRITE_REFOLD = query("evidence/write_refold")
WRITE_CHANGES = query("evidence/write_changes")
APPEND_REPEATING = query("evidence/append_repeating")
DROP_LOCKS = query("erasures/drop_locks")

_outcomes = msgspec.json.Decoder(Outcome)

PolicyOf = Callable[[int], Awaitable[Policy]]
"""The policy of a version that evidence is stamped with."""


@dataclass(frozen=True)
class Recorded:
    """One piece of evidence, as the graph has it now. ``is_new``: this unit recorded it.

    ``cookie``: where the evidence of that id came from, None for a record and for an operation.
    ``is_pending``: it is stored, and its effect on others is left to a job. ``digest`` is None
    where it was erased, with or without the rest.
    """

    outcome: Outcome
    digest: str | None
    at: int
    recorded_at: int
    place: Place
    cookie: str | None
    is_new: bool
    is_pending: bool = False
    is_erased: bool = False


ERASED = Recorded(Outcome(), None, 0, 0, "", None, is_new=False, is_erased=True)
"""Of evidence nothing is known any more but that it was recorded once."""


class EvidenceUnit:
    """One list of evidence on its way into the graph, inside one transaction."""

    spares = True
    """What is new and only says again what is so is noted, and not stored as evidence."""

    def __init__(
        self,
        unit: Unit,
        evidence: Sequence[tuple[Evidence, str]],
        policy_of: PolicyOf,
        ids: Ids,
        *,
        most: int | None = None,
        reached: Reached | None = None,
    ) -> None:
        """``evidence``: each piece with the digest of its content. ``most``: how many stored
        pieces may be stepped again before the evidence is parked. ``reached``: what earlier
        attempts met; it takes in what this one meets."""
        self._unit = unit
        self._reached = reached or Reached()
        self._evidence = evidence
        self._ids = ids
        self._policy_of = policy_of
        self._most = most
        self._following = self._begin()
        self._neighbourhood: set[Key] = set()
        self._ignored: set[str] = set()
        self._new: list[tuple[Evidence, str]] | None = None
        self._difference: Difference | None = None
        self._repetitions: Mapping[str, Any] = NO_REPETITIONS
        self._recorded: dict[str, Recorded] = {}
        self.marks: dict[str, dict[str, str]] = {}
        """What :meth:`follow` found to be said again: how its events are marked, by message id."""
        self._writes: dict[str, int] = {}
        self.stored: dict[str, dict[str, Any]] = {}
        """What :meth:`load` found of the messages, by id, as their events are stored."""

    def _begin(self) -> Following:
        memory = Memory(self._unit, self._reached)
        return Following(memory, self._policy_of, self._ids, self._most, spares=self.spares)

    async def load(self, messages: Iterable[str] = ()) -> None:
        """Lock and read the union of the neighbourhoods, and which of the messages are known;
        comes before everything else. ``messages``: more than those that the evidence came with."""
        pieces = [piece for piece, _ in self._evidence]
        roots = {root for piece in pieces for root in roots_of(piece, self._ids)}
        reads = {key for piece in pieces for key in reads_of(piece, self._ids)} - roots
        await self._reached.lock(self._unit)
        self._reached.keys |= roots
        (row,) = await self._unit.rows(
            LOAD_NEIGHBOURHOOD,
            named={
                "evidence": [piece.id for piece in pieces if not may_repeat(piece)],
                "besides": [SAID_USER],
                "messages": list({*messages, *(message_of(piece.id) for piece in pieces)}),
                "roots": sorted(roots),
                "reads": sorted(reads),
            },
        )
        found = present_of(row["values"])
        self._writes = dict.fromkeys(roots | reads, 0)
        self._writes |= {text: writes for text, *_, writes in row["values"]}
        self._following.present |= dict.fromkeys(map(from_text, roots | reads), ABSENT) | found
        self._neighbourhood = {key for key in found if as_text(key) not in reads}
        self._reached.keys.update(map(as_text, self._neighbourhood))
        asked = {piece.id for piece in pieces}
        for id, outcome, digest, at, recorded_at, place, cookie, pending in row["known"]:
            if id not in asked:
                continue
            if place is None:
                self._recorded[id] = ERASED
                continue
            self._recorded[id] = Recorded(
                _outcomes.decode(outcome),
                digest,
                at,
                recorded_at,
                place,
                cookie,
                is_new=False,
                is_pending=pending is not None,
            )
        self.stored = {event["messageId"]: event for event in row["stored"]}
        self._new = None
        for piece, _ in self._evidence:
            if (
                cookie_of(piece) is not None
                and message_of(piece.id) in self.stored
                and piece.id not in self._recorded
            ):
                # The message was there before, and was no such evidence: the first counts.
                self._ignored.add(piece.id)

    @property
    def known(self) -> dict[str, Recorded]:
        """What of the evidence is recorded already, by id; complete once all is recorded."""
        return self._recorded

    @property
    def is_late(self) -> bool:
        """Whether something later in the fold has touched what this evidence is about."""
        new = self.new
        return bool(new) and self._newest_place > new[0][0].place

    @property
    def newest(self) -> Micros:
        """The time of what last touched anything that this evidence is about."""
        return moment(self._newest_place) if self._newest_place else 0

    @property
    def _newest_place(self) -> Place:
        present = self._following.present
        return max((present[key].touched for key in self._neighbourhood), default="")

    def grounds(self) -> Iterator[tuple[Identify, Ground]]:
        """What the repetitions that were met rest on, as it is once this is committed: of those
        behind all that was written of it."""
        if self._difference is None:
            return
        after = self._following.after()
        for said in self._following.repetitions.values():
            wrote = max(
                after[key].wrote if key in after else self._following.present[key].wrote
                for key in said.touched
            )
            keys = {as_text(key): key in after for key in said.touched}
            if wrote < said.piece.place and self._writes.keys() >= keys.keys():
                row = repetition_row(said, self._ids)
                # Writing a key once counts once.
                writes = {key: self._writes[key] + is_written for key, is_written in keys.items()}
                yield said.piece, Ground(row["id"], row["properties"], writes, wrote)

    def version(self, difference: Difference | None = None) -> str:
        """What the evidence is about, as text that is another when any of it has changed.

        That is its neighbourhood; and, where what follows from it is known, all that changes.
        """
        keys = self._neighbourhood | (set() if difference is None else difference.before.keys())
        present = self._following.present
        values = sorted((as_text(k), v) for k in keys if (v := present[k].value) is not None)
        return self._ids.version([(key, encode_stably(value)) for key, value in values])

    def outcome(self, piece: Evidence) -> Outcome:
        """What was decided of a piece that was followed; of what is stored, what is so now."""
        outcome = self._following.steps[piece.place].outcome
        assert outcome is not None
        return outcome

    def restamp(self, evidence: Sequence[tuple[Evidence, str]]) -> None:
        """The same evidence, which says nothing of its own time, at a time behind the locks."""
        self._evidence = evidence
        self._new = None

    @property
    def new(self) -> list[tuple[Evidence, str]]:
        """What was not recorded when it was loaded, in the order of the fold."""
        if self._new is None:
            done = self._recorded.keys() | self._ignored
            new = [pair for pair in self._evidence if pair[0].id not in done]
            self._new = sorted(new, key=lambda pair: pair[0].place)
        return self._new

    # ------------------------------------------------------------------ record

    async def record(self, batch: Mapping[str, Any] = NO_EVENTS) -> dict[str, Recorded]:
        """Write what :meth:`follow` found, with the unit's events, and commit: nothing else can
        be done in this transaction.

        ``batch``: the events that are new, for ``parts/append_events``, those among :attr:`marks`
        marked. Returns the answers to the evidence, by its id; none to what only says again what
        is so. What was known already is answered as it was recorded, and changes nothing. What
        takes too many steps is stored as pending.
        """
        await self._drop_locks()
        if self._difference is None:
            await self.park(self.new, batch, is_last=True)
        elif self._following.steps or self._following.kept:
            await self.write(self.new, self._difference, batch, is_last=True)
        else:
            await self._unit.last_rows(APPEND_REPEATING, batch=batch, repetitions=self._repetitions)
        return self._recorded

    async def _drop_locks(self) -> None:
        """What comes again after it was erased leaves nothing, not even what it was locked by."""
        named = {
            root
            for piece, _ in self._evidence
            if self._is_erased(piece)
            for root in roots_of(piece, self._ids)
            if root.startswith("identifier:")
        }
        if named:
            await self._unit.run(DROP_LOCKS, named={"keys": sorted(named)})

    def _is_erased(self, piece: Evidence) -> bool:
        if piece.id in self._ignored:  # it may have said again what was so
            return self.stored[message_of(piece.id)]["position"] is None
        return piece.id in self._recorded and self._recorded[piece.id].digest is None

    async def follow(
        self,
        *,
        again: Collection[Place] = (),
        withdrawn: Collection[Place] = (),
        restated: Mapping[Place, Evidence] | None = None,
        forgotten: Iterable[str] = (),
    ) -> Difference | None:
        """Step what is new, and whatever reads what that changes; None: it takes too many steps.

        ``again``, ``withdrawn``, ``restated``: as
        :meth:`graphid.graph.following.Following.run` has them. ``forgotten``: contacts that are
        erased, with all that said them again.
        """
        new = [piece for piece, _ in self.new]
        self._following.forgotten = frozenset(forgotten)
        try:
            await self._following.run(new, again=again, withdrawn=withdrawn, restated=restated)
        except TooMany:
            return None
        repetitions = self._following.repetitions
        self._repetitions, of = repetition_rows(repetitions.values(), self._ids)
        self.marks = {
            message_of(said.piece.id): {"repetition": of[said.piece.id], "said": place}
            for place, said in repetitions.items()
        }
        cause = next((piece for piece in new if piece.place not in repetitions), None)
        self._difference = Difference(self._following, self._ids, cause)
        return self._difference

    @property
    def steps_again(self) -> int:
        """How many stored pieces of evidence were stepped again."""
        return self._following.stepped_again

    async def write(
        self,
        new: list[tuple[Evidence, str]],
        difference: Difference,
        batch: Mapping[str, Any] = NO_EVENTS,
        *,
        is_last: bool = False,
    ) -> None:
        """Write new evidence with what it changed, and events; ``is_last``: and commit."""
        refold = difference.refold()
        if any(refold.values()):
            # Not late evidence alone: a sever in time order makes two parts of a visitor one.
            await self._unit.rows(WRITE_REFOLD, refold=refold)
        rows = difference.rows()
        for piece, digest in new:
            if piece.place not in self._following.repetitions:
                rows["evidence"].append(difference.evidence(piece, digest))
                self._take(piece, digest, self.outcome(piece))
        await self._write(batch, rows, is_last=is_last)

    async def _write(
        self, batch: Mapping[str, Any], changes: dict[str, Any], *, is_last: bool
    ) -> None:
        run = self._unit.last_rows if is_last else self._unit.rows
        await run(WRITE_CHANGES, batch=batch, repetitions=self._repetitions, changes=changes)

    async def park(
        self,
        new: list[tuple[Evidence, str]],
        batch: Mapping[str, Any] = NO_EVENTS,
        *,
        is_last: bool = False,
    ) -> None:
        """Store new evidence that waits for a job, and events; nothing else changes.
        ``is_last``: and commit."""
        nothing = Difference(self._begin(), self._ids, None)
        evidence = []
        for piece, digest in new:
            evidence.append(
                evidence_as_row(piece, Outcome(), digest)
                | {"touched": [], "links": "[]", "pendingSince": piece.recorded_at}
            )
            self._take(piece, digest, Outcome(), is_pending=True)
        await self._write(batch, nothing.rows() | {"evidence": evidence}, is_last=is_last)

    def _take(
        self, piece: Evidence, digest: str, outcome: Outcome, *, is_pending: bool = False
    ) -> None:
        self._recorded[piece.id] = Recorded(
            outcome=outcome,
            digest=digest,
            at=piece.at,
            recorded_at=piece.recorded_at,
            place=piece.place,
            cookie=cookie_of(piece),
            is_new=True,
            is_pending=is_pending,
        )

    async def warm(self) -> None:
        """Have the server plan the statements."""
        await self.load()
        await self.write([], Difference(self._following, self._ids, None))
        await self._unit.rows(APPEND_REPEATING, batch=NO_EVENTS, repetitions=NO_REPETITIONS)


def encode_stably(value: Any) -> str:
    """A value as text that does not depend on the order of its sets."""
    return msgspec.json.encode(value, order="deterministic").decode()
