"""Ingest: everything that clients send comes in here, by GraphQL, /v1 or a file.

Pages and tracked events are appended to their cookies by a lane of their own, and never wait for a
lock of identity; what says who somebody is goes by another. In each, what waits is written in one
transaction, whoever sent it. An answer is given after the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphid.graph.database import Database, Unit
from graphid.graph.evidence import NO_EVENTS, EvidenceUnit, PolicyOf, Recorded
from graphid.graph.following import TooMany
from graphid.graph.memory import Reached
from graphid.graph.policies import Policies
from graphid.graph.queries import query
from graphid.graph.repetitions import NO_REPETITIONS, Ground
from graphid.graph.rows import cookie_of
from graphid.identity.ids import Ids
from graphid.identity.values import Evidence, Identify, Micros, message_of
from graphid.service.batches import NO_MARKS, batch_of
from graphid.service.departures import find_departed, warm_departures
from graphid.service.lanes import Lane, Room
from graphid.service.messages import Message, Sender
from graphid.service.moments import Moment
from graphid.service.receipts import Receipt
from graphid.service.recordings import Event
from graphid.service.repeating import Repeating, marks_of, rows_of
from graphid.service.submission import PARTS, SaidAgain, Submission, part_of

APPEND_EVENTS = query("events/append_events")
APPEND_AGAIN = query("events/append_again")

UNIT = 250
"""The most messages with evidence that one transaction holds: what they lock waits for them."""
EVENTS = 500
"""The most events that one transaction appends where it has no evidence."""
WORKERS = 2
"""Transactions of evidence at once: one that has much to follow leaves a way past it."""
RELIEF = 0.1
"""Seconds after which one is taken to have much to follow; what is usual takes a fifth of that."""
OTHERS = 8
"""Transactions at once of what has to be looked up first, chats and proofs: each by itself."""
ROOM = 20_000
"""Messages under way at once; some 3 kB each."""
PATIENCE = 10.0
"""Seconds that a message waits for room, and again for its turn."""

WARMING = 60.0
"""Seconds that planning the statements may take; it took two on a busy machine."""

Stored = dict[str, dict[str, Any]]
"""Events that were there before, by message id."""
Answer = tuple[Stored, dict[str, Recorded]]
"""Of a submission: which of its events were there before, and its evidence as recorded."""
Appended = tuple[Sequence[Event], Micros]
"""Events, with the session timeout that they came under."""


class Ingest:
    """Takes messages in.

    ``clock`` answers the time of receipt in microseconds since 1970 UTC. Each submission follows
    the policy that is in force when it comes. ``on_parked`` is called when evidence was parked,
    ``on_written`` when evidence was stored. ``patience``: seconds that a message waits for room,
    and again for its turn.
    """

    def __init__(
        self,
        database: Database,
        policies: Policies,
        ids: Ids,
        clock: Callable[[], Micros],
        *,
        on_parked: Callable[[], None] = lambda: None,
        on_written: Callable[[], None] = lambda: None,
        patience: float = PATIENCE,
    ) -> None:
        self._database = database
        self._policies = policies
        self._ids = ids
        self._clock = clock
        self._on_parked = on_parked
        self._on_written = on_written
        self._patience = patience
        self._room = Room(ROOM)
        self._plain = Lane(self._append, most=EVENTS, parts=PARTS)
        self._repeating = Repeating()
        self._again = Lane(self._append_again, most=EVENTS, parts=PARTS)
        self._evidence = Lane(self._record, most=UNIT, workers=WORKERS, relief=RELIEF)
        self._others = Lane(self._record, most=1, workers=OTHERS)

    async def submit(
        self, messages: Sequence[Message], sender: Sender, *, taken: set[Moment] | None = None
    ) -> list[Receipt]:
        """Store each message once; one receipt for each, in order, after the last commit.

        ``taken``, for a request that submits several times, holds the moments that its earlier
        messages took, and takes those of these.

        A list longer than ``UNIT`` is several units of work. Raises DatabaseUnavailable or Busy:
        whatever was stored by then, sending the list again stores the rest, and nothing twice.
        """
        moments: set[Moment] = set() if taken is None else taken
        receipts: list[Receipt] = []
        async with self._room.place(len(messages), within=self._patience):
            in_force = await self._policies.current()
            for start in range(0, len(messages), UNIT):
                submission = Submission(
                    messages[start : start + UNIT],
                    sender,
                    clock=self._clock,
                    in_force=in_force,
                    ids=self._ids,
                    taken=moments,
                )
                submission.depart(await find_departed(self._database, submission.recordings))
                receipts += await self._taken_in(submission)
                moments |= submission.moments
        if any(receipt.pending for receipt in receipts):
            self._on_parked()
        return receipts

    async def _taken_in(self, submission: Submission) -> list[Receipt]:
        parts, of = submission.parts(self._repeating)
        if len(parts) == 1:
            return await self._stored(submission)
        answers = await asyncio.gather(*map(self._stored, parts), return_exceptions=True)
        told = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer  # the other part is stored, and will be known
            told.append(iter(answer))
        return [next(told[part]) for part in of]

    async def _stored(self, part: Submission) -> list[Receipt]:
        if part.is_plain:
            return part.receipts(await self._appended(part), {})
        said = part.said_again(self._repeating) if part.is_simple else None
        if said:
            again = _Again(part, said)
            own = part_of(part.events[0].cookie)
            stored = await self._again.put(again, size=len(part), within=self._patience, part=own)
            if stored is not None:
                return part.receipts(stored, {})
            # Those of whom something is another are not known any more; the others still are.
            return await self._taken_in(part)
        others, size = (self._evidence, len(part)) if part.is_simple else (self._others, 1)
        answer = await others.put(part, size=size, within=self._patience)
        self._on_written()
        return part.receipts(*answer)

    async def _appended(self, plain: Submission) -> Stored:
        events: list[list[Event]] = [[] for _ in range(PARTS)]
        for event in plain.events:
            events[part_of(event.cookie)].append(event)
        timeout = plain.policy.session_timeout
        putting = [
            self._plain.put((own, timeout), size=len(own), within=self._patience, part=part)
            for part, own in enumerate(events)
            if own
        ]
        if len(putting) == 1:
            return await putting[0]
        stored: Stored = {}
        for answer in await asyncio.gather(*putting, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer  # what the others stored will be known
            stored |= answer
        return stored

    async def _append(self, waiting: Sequence[Appended]) -> list[Stored]:
        """Store events in one round trip; in two where some are there already."""
        stored: Stored = {}
        fresh: dict[str, Event] = {}
        for events, _ in waiting:
            for event in events:
                fresh.setdefault(event.message_id, event)
        while fresh:
            (row,) = await self._database.write_rows(
                APPEND_EVENTS,
                ids=[*fresh],
                batch=batch_of(fresh.values(), max(timeout for _, timeout in waiting), self._ids),
            )
            if not row["known"]:
                break
            for event in row["known"]:
                stored[event["messageId"]] = event
                fresh.pop(event["messageId"])
        return [_known_of(events, stored) for events, _ in waiting]

    async def _append_again(self, waiting: Sequence[_Again]) -> list[Stored | None]:
        """Store events that say again who is there, as plain ones are; None to those of whom
        something is another than when it was looked at: they may say more."""
        stored: Stored = {}
        left = list(waiting)
        while left:
            fresh: dict[str, Event] = {}
            said: SaidAgain = {}
            for again in left:
                for event in again.part.events:
                    id = event.message_id
                    if id not in stored and id not in fresh:
                        fresh[id] = event
                        said |= {id: again.said[id]} if id in again.said else {}
            if not fresh:
                break
            repetitions, grounds = rows_of((p.place, ground) for p, ground in said.values())
            timeout = max(again.part.policy.session_timeout for again in left)
            (row,) = await self._database.write_rows(
                APPEND_AGAIN,
                ids=[*fresh],
                batch=batch_of(fresh.values(), timeout, self._ids, marks_of(said)),
                repetitions=repetitions,
                grounds=grounds,
            )
            if not row["known"] and not row["changed"]:
                break
            stored |= {event["messageId"]: event for event in row["known"]}
            left = [again for again in left if again.stands(set(row["changed"]), self._repeating)]
        return [_known_of(a.part.events, stored) if a in left else None for a in waiting]

    async def _record(self, submissions: Sequence[Submission]) -> list[Answer]:
        """Store anything, in one transaction; in two where some events are there already."""
        work = _Work(submissions, self._policies.of, self._ids)
        while not await self._database.write(work.run):
            pass
        self._repeating.learn(work.grounds)
        return work.answers

    @property
    def under_way(self) -> int:
        """Messages that were taken in and are not answered yet."""
        return self._room.taken

    async def warm(self) -> None:
        """Have the server plan the statements before the first visitor waits for it."""
        await self._policies.current()
        await warm_departures(self._database, within=WARMING)

        async def work(unit: Unit) -> None:
            await unit.rows(APPEND_EVENTS, ids=[], batch=NO_EVENTS)
            nothing = {"repetitions": NO_REPETITIONS, "grounds": []}
            await unit.rows(APPEND_AGAIN, ids=[], batch=NO_EVENTS, **nothing)
            await EvidenceUnit(unit, [], self._policies.of, self._ids).warm()

        await self._database.write(work, timeout=WARMING)


def _known_of(events: Sequence[Event], stored: Stored) -> Stored:
    """Which of one's events were there before; who sends the same after them is told that it is."""
    known = {e.message_id: stored[e.message_id] for e in events if e.message_id in stored}
    stored |= {e.message_id: e.as_stored() for e in events if e.message_id not in stored}
    return known


@dataclass(frozen=True, eq=False)
class _Again:
    """A submission that says nothing new, as far as is known: what it says, and on what ground."""

    part: Submission
    said: SaidAgain

    def stands(self, changed: set[str], repeating: Repeating) -> bool:
        """Whether what it rests on is as it was; else that is forgotten."""
        fallen = [p for p, ground in self.said.values() if not changed.isdisjoint(ground.writes)]
        for piece in fallen:
            repeating.forget(piece)
        return not fallen


class _Work:
    """Submissions of one unit of work, which may be run again, from the start."""

    def __init__(self, submissions: Sequence[Submission], policy_of: PolicyOf, ids: Ids) -> None:
        self._submissions = submissions
        self._policy_of = policy_of
        self._ids = ids
        self._stored: Stored = {}
        self._recorded: dict[str, Recorded] = {}
        self._reached = Reached()
        self.grounds: list[tuple[Identify, Ground]] = []
        """What was said again, and on what ground; known once it is stored."""

    @property
    def answers(self) -> list[Answer]:
        """For each submission. Who sent again what another of them has sent is told that it is
        there."""
        answers: list[Answer] = []
        told: dict[str, Event] = {}
        recorded: set[str] = set()
        for submission in self._submissions:
            stored = {
                event.message_id: told[event.message_id].as_stored()
                for event in submission.events
                if event.message_id in told
            }
            pieces = {
                piece.id: replace(found, is_new=found.is_new and piece.id not in recorded)
                for piece, _ in submission.evidence
                if (found := self._recorded.get(piece.id)) is not None
            }
            answers.append((stored | self._stored, pieces))
            told = {event.message_id: event for event in submission.events} | told
            recorded |= pieces.keys()
        return answers

    async def run(self, unit: Unit) -> bool:
        """Store it all, and commit. Whether that was so: False where nothing was stored because
        some of it is there already, which is left out next time."""
        for submission in self._submissions:
            await submission.find_places(unit)
            await submission.use_up(unit)
        evidence = self._evidence
        if not evidence:
            return await self._append(unit)
        recorder = EvidenceUnit(
            unit,
            evidence,
            self._policy_of,
            self._ids,
            most=self._submissions[-1].policy.refold.max_evidence,
            reached=self._reached,
        )
        events = {event.message_id for event in self._events}
        await recorder.load(events)
        if recorder.is_late:
            newest = recorder.newest
            for submission in self._submissions:
                submission.happen_behind(newest)
                newest += len(submission)
            recorder.restamp(self._evidence)
        # A record has message ids of its own.
        self._stored = {id: event for id, event in recorder.stored.items() if id in events}
        if await recorder.follow() is None and len(self._submissions) > 1:
            raise TooMany
        self._recorded = await recorder.record(self._batch(recorder.marks))
        self.grounds = [*recorder.grounds()]
        return True

    async def _append(self, unit: Unit) -> bool:
        events = [event for event in self._events if event.message_id not in self._stored]
        (row,) = await unit.last_rows(
            APPEND_EVENTS, ids=[event.message_id for event in events], batch=self._batch()
        )
        self._stored |= {event["messageId"]: event for event in row["known"]}
        return not row["known"]

    @property
    def _events(self) -> list[Event]:
        """Of a message that several sent, the first one's."""
        events: dict[str, Event] = {}
        for submission in self._submissions:
            events = {event.message_id: event for event in submission.events} | events
        return [*events.values()]

    @property
    def _evidence(self) -> list[tuple[Evidence, str]]:
        """Of a message that several sent, what the first one's says."""
        evidence: dict[str, tuple[Evidence, str]] = {}
        sent: set[str] = set()
        for submission in self._submissions:
            own = {
                pair[0].id: pair
                for pair in submission.evidence
                if cookie_of(pair[0]) is None or message_of(pair[0].id) not in sent
            }
            evidence = own | evidence
            sent.update(event.message_id for event in submission.events)
        return [*evidence.values()]

    def _batch(self, marks: Mapping[str, Mapping[str, str]] = NO_MARKS) -> dict[str, Any]:
        fresh = [event for event in self._events if event.message_id not in self._stored]
        timeout = self._submissions[-1].policy.session_timeout
        return batch_of(fresh, timeout, self._ids, marks)
