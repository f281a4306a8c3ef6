"""One list of messages on its way in: what is recorded of it, and by which lane it goes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from typing import Any, cast
from zlib import crc32

from graphid.errors import Refused
from graphid.graph.database import Unit
from graphid.graph.evidence import Recorded
from graphid.graph.queries import query
from graphid.graph.repetitions import Ground
from graphid.identity.ids import Ids
from graphid.identity.policy import PolicyVersion
from graphid.identity.values import Evidence, Micros
from graphid.identity.values import Identify as IdentifyEvidence
from graphid.service.answers import Answers
from graphid.service.chat_places import ChatPlace, ChatPlaces
from graphid.service.contents import contact_id_of
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
from graphid.service.moments import Moment
from graphid.service.receipts import Receipt
from graphid.service.recording import Recorder
from graphid.service.recordings import Event, Recording
from graphid.service.repeating import Repeating

USE_ONCE = query("proofs/use_once")

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
        """Find and lock the chats that it names; what lies in them can be recorded then."""
        if not self.is_simple:
            chats = ChatPlaces(self._sender, self._ids)
            self._places = await chats.find(unit, self._messages, lock=True)
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
        answers = Answers(
            self._sender,
            self.policy,
            self._ids,
            self._received_at,
            self._recordings,
            self._places,
        )
        return answers.receipts(self._messages, stored, recorded)


_PLAIN, _NEW, _AGAIN = range(3)
"""What a cookie's messages say of who is there: nothing, something, or (with the part) nothing new.
"""

PARTS = 2
"""Of a lane of events: a cookie's are all in one, so that no two transactions of ours want one
cookie."""


def part_of(cookie: str) -> int:
    """In which a cookie's events are."""
    return crc32(cookie.encode()) % PARTS


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
