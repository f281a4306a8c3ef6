"""One list of messages on its way in: what is recorded of it, and what is answered to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from typing import Any, cast
from zlib import crc32

import msgspec

from graphid.errors import InvalidInput, Refused
from graphid.graph.database import Unit
from graphid.graph.evidence import Recorded
from graphid.graph.queries import query
from graphid.graph.repetitions import Ground
from graphid.identity.admission import admit
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome, Warned
from graphid.identity.policy import PolicyVersion
from graphid.identity.values import ContactUpsert, Evidence, Micros
from graphid.identity.values import Identify as IdentifyEvidence
from graphid.service.answers import together
from graphid.service.chat_places import ChatPlace, ChatPlaces
from graphid.service.contents import contact_id_of, digest_of
from graphid.service.messages import (
    ChatAuthentication,
    ChatLine,
    Contact,
    Identify,
    Message,
    Plain,
    Sender,
    StartChat,
)
from graphid.service.receipts import Receipt
from graphid.service.recording import Moment, Recorder
from graphid.service.recordings import Event, Recording
from graphid.service.repeating import Repeating

USE_ONCE = query("proofs/use_once")

PENDING = Warned(
    "PENDING", "this is stored; what follows from it takes long and is worked out by a job"
)
ERASED = Warned("ERASED", "what came under this messageId was erased, and does not come back")
REUSED = Warned("MESSAGE_ID_REUSED", "this messageId came before with other content, which counts")


SaidAgain = dict[str, tuple[IdentifyEvidence, Ground]]
"""By message id: what an event says again, and what that rests on."""


class Submission:
    """One list of messages, from one sender, under the policy in force when it came.

    ``taken`` are the moments that earlier messages of the same request have.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        sender: Sender,
        *,
        clock: Callable[[], Micros],
        in_force: PolicyVersion,
        ids: Ids,
        taken: Iterable[Moment] = (),
    ) -> None:
        self._taken = frozenset(taken)
        self._messages = [(message, _message_id(message)) for message in messages]
        self._sender = sender
        self._clock = clock
        self._received_at = clock()
        self._in_force = in_force
        self.policy = in_force.policy
        self._ids = ids
        self._places: dict[str, ChatPlace] = {}
        self._departed: Mapping[str, Micros] = {}
        self._recordings = self._record()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def recordings(self) -> Collection[Recording]:
        """What its messages say, as far as that is known without a look at the graph."""
        return self._recordings.values()

    def depart(self, departed: Mapping[str, Micros]) -> None:
        """These messages, which name nobody, say a logout, each at a time."""
        if departed:
            self._departed = departed
            self._recordings = self._record()

    @property
    def is_plain(self) -> bool:
        """Pages and tracked events only: they need one statement, and no lock of identity."""
        return all(
            message.kind in ("page", "track") and not self._recordings[id].evidence
            for message, id in self._messages
        )

    @property
    def is_simple(self) -> bool:
        """Nothing has to be looked up, or used up, before it is recorded."""
        return not any(
            isinstance(message, StartChat | ChatLine)
            or (isinstance(message, Identify) and message.proof is not None)
            for message, _ in self._messages
        )

    def said_again(self, repeating: Repeating) -> SaidAgain | None:
        """What its events say besides, by message id, with what that rests on, where all of it is
        known to be so; None where any says more."""
        said: SaidAgain = {}
        for id, recording in self._recordings.items():
            if recording.evidence:
                ground = repeating.ground(recording.evidence)
                if ground is None:
                    return None
                said[id] = cast(IdentifyEvidence, recording.evidence[0]), ground
        return said

    def parts(self, repeating: Repeating) -> tuple[list[Submission], list[int]]:
        """Itself as what is plain, what only says again who is there (by part), and the rest,
        with the part that each message is in.

        A cookie that says anything stays whole, so that its events keep their order.
        """
        if self.is_plain or not self.is_simple:
            return [self], [0] * len(self)
        says: dict[str, int] = {}
        for recording in self._recordings.values():
            if recording.event is not None and recording.evidence:
                cookie = recording.event.cookie
                if repeating.ground(recording.evidence) is None:
                    says[cookie] = _NEW
                else:
                    says.setdefault(cookie, _AGAIN + part_of(cookie))

        def kind_of(id: str) -> int:
            event = self._recordings[id].event
            return _NEW if event is None else says.get(event.cookie, _PLAIN)

        kinds = [kind_of(id) for _, id in self._messages]
        met = sorted(set(kinds))
        if len(met) == 1:
            return [self], [0] * len(self)
        return [self._part(kind, kinds) for kind in met], [met.index(kind) for kind in kinds]

    def _part(self, part: int, of: Sequence[int]) -> Submission:
        one = copy(self)
        one._messages = [pair for pair, own in zip(self._messages, of, strict=True) if own == part]
        names = {id for _, id in one._messages}
        one._recordings = {id: said for id, said in self._recordings.items() if id in names}
        return one

    @property
    def moments(self) -> set[Moment]:
        """The moments that its events have."""
        events = (recording.event for recording in self._recordings.values())
        return {(event.cookie, event.at) for event in events if event is not None}

    async def find_places(self, unit: Unit) -> None:
        """Find the chats that it names; what lies in them can be recorded then."""
        if not self.is_simple:
            chats = ChatPlaces(self._sender, self._ids)
            self._places = await chats.find(unit, self._messages)
            self._recordings = self._record()

    async def use_up(self, unit: Unit) -> None:
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

    def happen_behind(self, newest: Micros) -> None:
        """It waited for locks while others, received later, went by: where it does not say when
        it happened, it happens now, and behind them."""
        if not self._tells_time:
            self._received_at = max(self._clock(), newest + 1)
            self._recordings = self._record()

    def _record(self) -> dict[str, Recording]:
        """The recordings by message id; of an id that comes twice, the first."""
        recorder = Recorder(
            self._sender,
            self._in_force,
            self._received_at,
            self._taken,
            departed=self._departed,
        )
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
            isinstance(message, Plain)
            or (
                message.occurred_at
                if isinstance(message, ChatLine | Contact)
                else message.context.occurred_at
            )
            is not None
            for message, _ in self._messages
        )

    @property
    def evidence(self) -> list[tuple[Evidence, str]]:
        """The evidence of the recordings, each with the digest of its content."""
        return [
            (piece, recording.digest)
            for recording in self._recordings.values()
            for piece in recording.evidence
        ]

    @property
    def events(self) -> list[Event]:
        """The events of the recordings; a chat that was begun before is not begun again."""
        return [
            recording.event
            for id, recording in self._recordings.items()
            if recording.event is not None
            and not (id in self._places and self._places[id].was_begun)
        ]

    def receipts(
        self, stored: Mapping[str, Mapping[str, Any]], recorded: Mapping[str, Recorded]
    ) -> list[Receipt]:
        """One for each message, in order. ``stored``: events that were there before, by message
        id, as columns of ``events/append_events``; ``recorded``: evidence by its id."""
        answered: set[str] = set()
        receipts = []
        for message, id in self._messages:
            again = id in answered
            answered.add(id)
            recording = self._recordings.get(id)
            evidence = () if recording is None else recording.evidence
            if recording is not None and not (again or evidence or id in stored or self._places):
                receipts.append(_of_new(recording))
                continue
            answer = together([recorded.get(piece.id) for piece in evidence])
            receipts.append(self._receipt(message, id, stored.get(id), answer, again))
        return receipts

    def _receipt(
        self,
        message: Message,
        id: str,
        stored: Mapping[str, Any] | None,
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
            admitted, dropped = admit(named, self.policy)
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


def _of_new(recording: Recording) -> Receipt:
    """The receipt for an event that was not there, and is no more than an event."""
    event = recording.event
    assert event is not None, "what is no event is evidence"
    return Receipt(
        message_id=event.message_id,
        occurred_at=event.at,
        received_at=event.received_at,
        type=event.type,
        cookie_id=event.cookie,
        device_id=event.device,
        position=event.position,
        warnings=recording.warnings,
    )


def _problem(
    message: Message, stored: Mapping[str, Any] | None, *, is_erased: bool
) -> InvalidInput | None:
    """What is wrong with a message whose id was used before, where nothing can be told instead."""
    if is_erased and isinstance(message, StartChat | ChatAuthentication | Contact):
        return InvalidInput(ERASED.message, path=["messageId"])
    wanted = _TYPES.get(type(message))
    if wanted and stored and stored["type"] != wanted:
        return InvalidInput("was used before, for something else", path=["messageId"])
    return None


_PLAIN, _NEW, _AGAIN = range(3)
"""What a cookie's messages say of who is there: nothing, something, or (with the part) nothing new.
"""

PARTS = 2
"""Of a lane of events: a cookie's are all in one, so that no two transactions of ours want one
cookie."""


def part_of(cookie: str) -> int:
    """In which a cookie's events are."""
    return crc32(cookie.encode()) % PARTS


_TYPES: dict[type[Message], str] = {
    StartChat: "CHAT_START",
    ChatAuthentication: "CHAT_AUTHENTICATED",
}
"""What is answered with a chat, and so must have been the same before."""


def _message_id(message: Message) -> str:
    """The message's own id, or one that is minted here."""
    if isinstance(message, Plain):
        return message.message_id
    given = (
        message.message_id
        if isinstance(message, ChatLine | Contact)
        else message.context.message_id
    )
    if given is not None:
        return given
    if isinstance(message, Contact):
        return contact_id_of(message)
    return uuid.uuid4().hex
