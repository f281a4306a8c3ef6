"""What is answered to the messages of one list, once it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from graphid.errors import InvalidInput
from graphid.graph.evidence import Recorded
from graphid.identity.admission import admit
from graphid.identity.ids import Ids
from graphid.identity.outcome import Outcome, Warned
from graphid.identity.policy import Policy
from graphid.identity.values import ContactUpsert, Micros
from graphid.identity.values import Identify as IdentifyEvidence
from graphid.service.chat_places import ChatPlace
from graphid.service.contents import digest_of
from graphid.service.messages import (
    ChatAuthentication,
    Contact,
    Logout,
    Message,
    Sender,
    StartChat,
)
from graphid.service.receipts import Receipt
from graphid.service.recordings import Recording

T = TypeVar("T")

PENDING = Warned(
    "PENDING", "this is stored; what follows from it takes long and is worked out by a job"
)
ERASED = Warned("ERASED", "what came under this messageId was erased, and does not come back")
REUSED = Warned("MESSAGE_ID_REUSED", "this messageId came before with other content, which counts")


@dataclass(frozen=True)
class Answers:
    """Answers the messages of one list, of one sender, received at one time under one policy.

    ``recordings``: what is recorded of each, by message id; ``places``: the chats that they name.
    """

    sender: Sender
    policy: Policy
    ids: Ids
    received_at: Micros
    recordings: Mapping[str, Recording]
    places: Mapping[str, ChatPlace]

    def receipts(
        self,
        messages: Sequence[tuple[Message, str]],
        stored: Mapping[str, Mapping[str, Any]],
        recorded: Mapping[str, Recorded],
    ) -> list[Receipt]:
        """One for each message, in order. ``messages``: each with its id; ``stored``: events that
        were there before, by message id, as columns of ``events/append_events``; ``recorded``:
        evidence by its id."""
        answered: set[str] = set()
        receipts = []
        for message, id in messages:
            again = id in answered
            answered.add(id)
            recording = self.recordings.get(id)
            evidence = () if recording is None else recording.evidence
            if recording is not None and not (again or evidence or id in stored or self.places):
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
        place = self.places.get(id)
        if place is not None and place.problem is not None:
            at = self.received_at
            return Receipt(id, at, at, message.kind, problem=place.problem)
        recording = self.recordings[id]
        event = recording.event
        at, received_at = recording.at, recording.received_at
        line: Mapping[str, Any] = {} if event is None else event.as_stored()
        if self.sender.is_browser and event is not None:
            # What somebody else sent under this id is not for a browser to learn of.
            if stored is not None and stored["cookie"] != event.cookie:
                stored = None
            if recorded is not None and recorded.cookie != event.cookie:
                recorded = None
        said = recording.evidence[0] if recording.evidence else None
        first = recording.digest if again else None
        # Of an event that was erased nothing is known but its id and cookie, of evidence its id.
        erased = (stored is not None and stored["position"] is None) or (
            recorded is not None and recorded.is_erased
        )
        if recorded is not None and not recorded.is_new and not recorded.is_erased:
            at, received_at, first = recorded.at, recorded.recorded_at, recorded.digest
        if stored is not None and stored["position"] is not None:
            at, received_at = stored["occurredAt"], stored["receivedAt"]
            line, first = stored, stored["digest"]
        outcome = None if recorded is None or recorded.is_erased else recorded.outcome
        if self.sender.is_browser and isinstance(said, IdentifyEvidence):
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
            warnings += () if self.sender.is_browser else (PENDING,)
            if isinstance(said, ContactUpsert):
                # Whatever follows, it is about this one.
                record = self.ids.record(said.source, said.source_id)
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
            type=line.get("type") or recording.type,
            cookie_id=line.get("cookie"),
            device_id=line.get("device"),
            position=line.get("position"),
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
            else self.ids.next_cookie(event.cookie, id),
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
    if wanted and stored and not is_erased and stored["type"] != wanted:
        return InvalidInput("was used before, for something else", path=["messageId"])
    return None


_TYPES: dict[type[Message], str] = {
    StartChat: "CHAT_START",
    ChatAuthentication: "CHAT_AUTHENTICATED",
    Logout: "LOGOUT",
}
"""What is answered with what it did, and so must have been the same before."""


def together(recorded: Sequence[Recorded | None]) -> Recorded | None:
    """The answer to a message that said several things: the first, with what the others did."""
    answers = [answer for answer in recorded if answer is not None]
    if len(answers) < 2:
        return answers[0] if answers else None
    first, *others = answers
    outcomes = [answer.outcome for answer in answers]
    outcome = msgspec.structs.replace(
        outcomes[-1],
        created=any(outcome.created for outcome in outcomes),
        switched=any(outcome.switched for outcome in outcomes),
        admitted=_once(outcome.admitted for outcome in outcomes),
        links=_once(outcome.links for outcome in outcomes),
        reviews=_once(outcome.reviews for outcome in outcomes),
        warnings=_once(outcome.warnings for outcome in outcomes),
    )
    is_pending = any(answer.is_pending for answer in others) or first.is_pending
    return replace(first, outcome=outcome, is_pending=is_pending)


def _once(told: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    """All of it, each thing once, in the order told."""
    return tuple(dict.fromkeys(thing for things in told for thing in things))
