"""What a line of a history comes to, ready to be written: between reading it and its cookie's turn.

What only its cookie's other lines tell (equal times, sessions) is still open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from graphid.graph.loading.tables import cell, cells
from graphid.identity.policy import PolicyVersion
from graphid.identity.values import Evidence, Kind, Micros
from graphid.service.contents import detail_of, digest_of
from graphid.service.messages import Contact, Message, Plain, Sender
from graphid.service.recording import Recorder, micros
from graphid.service.recordings import COMMON
from graphid.service.saying import is_logout

_json = msgspec.json.Encoder(order="sorted")
_encode = msgspec.json.Encoder().encode


class Piece(msgspec.Struct, array_like=True, gc=False):
    """Evidence, with the digest of the content that it came with."""

    evidence: Evidence
    digest: str


class Told(msgspec.Struct, array_like=True, gc=False):
    """An event. ``rank``: of its place, as ``Kind`` has it; ``rest``: the cells of its row behind
    those that are still open; ``departure``: evidence, if somebody was there to depart."""

    id: str
    cookie: str
    at: Micros
    device: str | None
    rank: str
    rest: str
    evidence: list[Piece] = []
    departure: Piece | None = None


@dataclass
class Telling:
    """Makes lines of messages. ``received_at``: when all of them are received."""

    sender: Sender
    in_force: PolicyVersion
    received_at: Micros

    def __post_init__(self) -> None:
        self._logouts = frozenset(self.in_force.policy.logout_events)
        self._actor = cell(self.sender.name)

    def event(self, message: Message, id: str) -> Told:
        """The line of a message that is an event, under its id."""
        if isinstance(message, Plain) and not self._is_evidence(message):
            return self._plain(message)
        recording = self._recorder().record(message, id)
        event = recording.event
        assert event is not None
        own = next((piece for piece in recording.evidence if piece.id == id), None)
        rest = (
            event.type,
            None if event.type in COMMON else event.type,
            event.names_nobody or None,
            event.received_at,
            event.digest,
            event.device,
            event.client_session,
            event.actor,
            _json.encode(event.detail).decode(),
        )
        left, digest = recording.departure, recording.digest
        return Told(
            id,
            event.cookie,
            event.at,
            event.device,
            Kind.EVENT.value if own is None else own.place[16],
            cells(rest),
            [Piece(piece, digest) for piece in recording.evidence],
            None if left is None else Piece(left, digest),
        )

    def _is_evidence(self, said: Plain) -> bool:
        return said.user_id is not None or is_logout(said, self._logouts)

    def _plain(self, said: Plain) -> Told:
        """As the recorder has it, without one."""
        rest = (
            f'"{said.kind.upper()}",,,{self.received_at},'
            f'"{digest_of(said)}",{cell(said.device)},{cell(said.session)},'
            f"{self._actor},{cell(_json.encode(detail_of(said)).decode())}"
        )
        at = min(micros(said.at), self.received_at)
        return Told(said.message_id, said.cookie, at, said.device, Kind.EVENT.value, rest)

    def contact(self, message: Contact, id: str) -> Piece:
        """The evidence of a contact, under its id."""
        recording = self._recorder().record(message, id)
        (piece,) = recording.evidence
        return Piece(piece, recording.digest)

    def _recorder(self) -> Recorder:
        # Equal times are told apart where the lines of a cookie are together: not here.
        return Recorder(self.sender, self.in_force, self.received_at)


encode: Callable[[Any], bytes] = _encode
decode_told: Callable[[bytes], Told] = msgspec.json.Decoder(Told).decode
decode_piece: Callable[[bytes], Piece] = msgspec.json.Decoder(Piece).decode
