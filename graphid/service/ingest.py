"""Ingest: everything that clients send comes in here, by GraphQL, /v1 or a file.

A list of messages is one unit of work: claim the ids, append events to their cookies, and for
evidence lock, load, step and write. An answer is given after the commit.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from graphid.errors import InvalidInput, Refused
from graphid.graph.database import Database, Unit
from graphid.graph.evidence import EvidenceUnit, PolicyOf, Recorded
from graphid.graph.memory import Reached
from graphid.graph.policies import Policies
from graphid.graph.queries import query
from graphid.identity.admission import admit
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome, Warned
from graphid.identity.policy import PolicyVersion
from graphid.identity.values import ContactUpsert, Evidence, Micros
from graphid.identity.values import Identify as IdentifyEvidence
from graphid.service.answers import together
from graphid.service.chat_places import ChatPlace, ChatPlaces
from graphid.service.contents import digest_of
from graphid.service.messages import (
    ChatAuthentication,
    ChatLine,
    Contact,
    Identify,
    Message,
    Sender,
    StartChat,
)
from graphid.service.receipts import Receipt
from graphid.service.recording import Moment, Recorder
from graphid.service.recordings import Recording

APPEND_EVENTS = query("events/append_events")
USE_ONCE = query("proofs/use_once")

UNIT = 250
"""The most messages that one unit of work holds."""

WARMING = 60.0
"""Seconds that planning the statements may take; it took two on a busy machine."""

PENDING = Warned(
    "PENDING", "this is stored; what follows from it takes long and is worked out by a job"
)
ERASED = Warned("ERASED", "what came under this messageId was erased, and does not come back")
REUSED = Warned("MESSAGE_ID_REUSED", "this messageId came before with other content, which counts")


class Ingest:
    """Takes messages in.

    ``clock`` answers the time of receipt in microseconds since 1970 UTC. Each submission follows
    the policy that is in force when it comes. ``on_parked`` is called when evidence was parked,
    ``on_written`` when evidence was stored.
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
    ) -> None:
        self._database = database
        self._policies = policies
        self._ids = ids
        self._clock = clock
        self._on_parked = on_parked
        self._on_written = on_written

    async def submit(
        self, messages: Sequence[Message], sender: Sender, *, taken: set[Moment] | None = None
    ) -> list[Receipt]:
        """Store each message once; one receipt for each, in order, after the last commit.

        ``taken``, for a request that submits several times, holds the moments that its earlier
        messages took, and takes those of these.

        A list longer than ``UNIT`` is several units of work. Raises DatabaseUnavailable or Busy:
        whatever was stored by then, sending the list again stores the rest, and nothing twice.
        """
        # A large unit holds its locks long, and what it reads of its own writes slows it down.
        moments: set[Moment] = set() if taken is None else taken
        receipts: list[Receipt] = []
        in_force = await self._policies.current()
        for start in range(0, len(messages), UNIT):
            submission = _Submission(
                messages[start : start + UNIT],
                sender,
                clock=self._clock,
                in_force=in_force,
                ids=self._ids,
                taken=frozenset(moments),
                policy_of=self._policies.of,
            )
            if submission.is_plain:
                receipts += await submission.append(self._database)
            else:
                receipts += await self._database.write(submission.run)
                self._on_written()
            moments |= submission.moments
        if any(receipt.pending for receipt in receipts):
            self._on_parked()
        return receipts

    async def warm(self) -> None:
        """Have the server plan the statements before the first visitor waits for it."""
        await self._policies.current()

        async def work(unit: Unit) -> None:
            nothing = EvidenceUnit(unit, [], self._policies.of, self._ids)
            batch = {"events": [], "timeout": 0}
            await unit.rows(APPEND_EVENTS, batch=batch)
            await nothing.warm(batch)

        await self._database.write(work, timeout=WARMING)


class _Submission:
    """One list of messages on its way in. ``run`` may be run again, from the start."""

    def __init__(
        self,
        messages: Sequence[Message],
        sender: Sender,
        *,
        clock: Callable[[], Micros],
        in_force: PolicyVersion,
        ids: Ids,
        taken: frozenset[Moment],
        policy_of: PolicyOf,
    ) -> None:
        self._taken = taken
        self._policy_of = policy_of
        self._messages = [(message, _message_id(message)) for message in messages]
        self._sender = sender
        self._clock = clock
        self._received_at = clock()
        self._in_force = in_force
        self._policy = in_force.policy
        self._ids = ids
        self._places: dict[str, ChatPlace] = {}
        self._reached = Reached()
        self._recordings = self._record()

    @property
    def is_plain(self) -> bool:
        """Pages and tracked events only: they need one statement, and no lock of identity."""
        return all(
            message.kind in ("page", "track") and not self._recordings[id].evidence
            for message, id in self._messages
        )

    @property
    def moments(self) -> set[Moment]:
        """The moments that its events have."""
        events = (recording.event for recording in self._recordings.values())
        return {(event.cookie, event.at) for event in events if event is not None}

    async def append(self, database: Database) -> list[Receipt]:
        """Store plain events in one round trip."""
        (row,) = await database.write_rows(APPEND_EVENTS, batch=self._batch())
        return self._receipts(row["known"], {})

    async def run(self, unit: Unit) -> list[Receipt]:
        """Store anything, in one transaction."""
        chats = ChatPlaces(self._sender, self._ids)
        self._places = await chats.find(unit, self._messages)
        self._recordings = self._record()
        await self._use_up(unit)
        evidence = self._evidence()
        if not evidence:
            (row,) = await unit.last_rows(APPEND_EVENTS, batch=self._batch())
            return self._receipts(row["known"], {})
        recorder = EvidenceUnit(
            unit,
            evidence,
            self._policy_of,
            self._ids,
            most=self._policy.refold.max_evidence,
            reached=self._reached,
        )
        await recorder.load()
        if recorder.is_late and not self._tells_time:
            # It waited for locks while others, received later, went by: it happens now.
            self._received_at = max(self._clock(), recorder.newest + 1)
            self._recordings = self._record()
            recorder.restamp(self._evidence())
        recorded, known = await recorder.record(self._batch())
        return self._receipts(known, recorded)

    async def _use_up(self, unit: Unit) -> None:
        """Use up what proofs stand on. Raises Refused where somebody else used it before."""
        proofs = [
            (message.proof, id)
            for message, id in self._messages
            if isinstance(message, Identify | ChatAuthentication) and message.proof is not None
        ]
        rows = [
            {"key": use.key, "by": use.by, "message": id}
            for proof, id in proofs
            for use in proof.uses
        ]
        if not rows:
            return
        (row,) = await unit.rows(USE_ONCE, uses={"rows": rows, "at": self._received_at})
        used = dict(row["used"])
        if any(used[use["key"]] != use["by"] for use in rows):
            raise Refused(reasons=["This code or nonce was used before."])

    def _record(self) -> dict[str, Recording]:
        """The recordings by message id; of an id that comes twice, the first."""
        recorder = Recorder(self._sender, self._in_force, self._received_at, self._ids, self._taken)
        recordings: dict[str, Recording] = {}
        for message, id in self._messages:
            place = self._places.get(id)
            if id in recordings or (place is not None and place.problem is not None):
                continue
            if isinstance(message, StartChat | ChatLine):
                if place is None:
                    continue  # not looked up yet
                recordings[id] = recorder.record(
                    message, id, cookie=place.cookie, chat=place.chat, device=place.device
                )
            else:
                recordings[id] = recorder.record(message, id)
        return recordings

    @property
    def _tells_time(self) -> bool:
        """Whether any message says when it happened."""
        return any(
            (
                message.occurred_at
                if isinstance(message, ChatLine | Contact)
                else message.context.occurred_at
            )
            is not None
            for message, _ in self._messages
        )

    def _evidence(self) -> list[tuple[Evidence, str]]:
        """The evidence of the recordings, each with the digest of its content."""
        return [
            (piece, recording.digest)
            for recording in self._recordings.values()
            for piece in recording.evidence
        ]

    def _batch(self) -> dict[str, Any]:
        """The parameter of ``events/append_events``."""
        rows = [
            recording.event.as_row(self._ids)
            for id, recording in self._recordings.items()
            if recording.event is not None
            and not (id in self._places and self._places[id].was_begun)
        ]
        return {"events": rows, "timeout": self._policy.session_timeout}

    def _receipts(
        self, known: list[dict[str, Any]], recorded: dict[str, Recorded]
    ) -> list[Receipt]:
        stored = {row["messageId"]: row for row in known}
        answered: set[str] = set()
        receipts = []
        for message, id in self._messages:
            again = id in answered
            answered.add(id)
            evidence = self._recordings[id].evidence if id in self._recordings else ()
            answer = together([recorded.get(piece.id) for piece in evidence])
            receipts.append(self._receipt(message, id, stored.get(id), answer, again))
        return receipts

    def _receipt(
        self,
        message: Message,
        id: str,
        stored: dict[str, Any] | None,
        recorded: Recorded | None,
        again: bool,
    ) -> Receipt:
        place = self._places.get(id)
        if place is not None and place.problem is not None:
            at = self._received_at
            return Receipt(id, at, at, message.kind, problem=place.problem)
        recording = self._recordings[id]
        event = recording.event
        at, received_at, position = (
            recording.at,
            recording.received_at,
            None if event is None else event.position,
        )
        if self._sender.is_browser and event is not None:
            # What somebody else sent under this id is not for a browser to learn of.
            if stored is not None and stored["cookie"] != event.cookie:
                stored = None
            if recorded is not None and recorded.cookie != event.cookie:
                recorded = None
        said = recording.evidence[0] if recording.evidence else None
        first = recording.digest if again else None
        # Of an event or evidence that was erased nothing is known but its id.
        erased = (stored is not None and stored["position"] is None) or (
            recorded is not None and recorded.is_erased
        )
        if recorded is not None and not recorded.is_new and not recorded.is_erased:
            at, received_at, first = recorded.at, recorded.recorded_at, recorded.digest
        if stored is not None and stored["position"] is not None:
            at, received_at = stored["occurredAt"], stored["receivedAt"]
            position, first = stored["position"], stored["digest"]
        outcome = None if recorded is None or recorded.is_erased else recorded.outcome
        if self._sender.is_browser and isinstance(said, IdentifyEvidence):
            # What a browser is told of it depends on it and on the policy alone: not on what
            # operators judged, and not on whose message id it was before.
            named = [i for p in recording.evidence for i in getattr(p, "identifiers", ())]
            admitted, dropped = admit(named, self._policy)
            outcome = msgspec.structs.replace(
                outcome or Outcome(), admitted=admitted, warnings=dropped
            )
        warnings = recording.warnings + (() if outcome is None else outcome.warnings)
        pending = recorded is not None and recorded.is_pending
        if pending:
            # How much depends on it, a browser does not learn.
            warnings += () if self._sender.is_browser else (PENDING,)
            if isinstance(said, ContactUpsert):
                # Whatever follows, it is about this one.
                record = self._ids.record(said.source, said.source_id)
                outcome = Outcome(contact=record)
        if first is not None and first != digest_of(message):
            warnings += (REUSED,)
        if erased:
            warnings += (ERASED,)
        begun = place is not None and place.was_begun
        problem = _problem(message, stored, is_erased=erased)
        if problem is not None:
            return Receipt(id, at, received_at, message.kind, duplicate=erased, problem=problem)
        return Receipt(
            message_id=id,
            occurred_at=place.started_at if begun and place and place.started_at else at,
            received_at=received_at,
            type=recording.type,
            cookie_id=None if event is None else event.cookie,
            device_id=None if event is None else event.device,
            position=position,
            chat_id=None if event is None else event.chat,
            duplicate=again
            or begun
            or stored is not None
            or (recorded is not None and not recorded.is_new),
            warnings=warnings,
            outcome=outcome,
            pending=pending,
            next_cookie_id=None
            if event is None or message.kind != "logout"
            else self._ids.next_cookie(event.cookie, id),
        )


def _problem(
    message: Message, stored: dict[str, Any] | None, *, is_erased: bool
) -> InvalidInput | None:
    """What is wrong with a message whose id was used before, where nothing can be told instead."""
    if is_erased and isinstance(message, StartChat | ChatAuthentication | Contact):
        return InvalidInput(ERASED.message, path=["messageId"])
    wanted = _TYPES.get(type(message))
    if wanted and stored and stored["type"] != wanted:
        return InvalidInput("was used before, for something else", path=["messageId"])
    return None


_TYPES: dict[type[Message], str] = {
    StartChat: "CHAT_START",
    ChatAuthentication: "CHAT_AUTHENTICATED",
}
"""What is answered with a chat, and so must have been the same before."""


def _message_id(message: Message) -> str:
    """The message's own id, or one that is minted here."""
    given = (
        message.message_id
        if isinstance(message, ChatLine | Contact)
        else message.context.message_id
    )
    if given is not None:
        return given
    if isinstance(message, Contact):
        said = f"{digest_of(message)}{message.occurred_at}"
        return blake2b(said.encode(), digest_size=16).hexdigest()
    return uuid.uuid4().hex
