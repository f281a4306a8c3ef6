"""What ingest answers, one receipt a message."""

from __future__ import annotations

import msgspec

from graphid.errors import GraphidError
from graphid.identity.outcome import Outcome, Warned
from graphid.identity.values import Micros


class Receipt(msgspec.Struct, frozen=True):
    """What became of a message.

    ``problem`` is set, and nothing stored, where it was refused (``NotFound`` of a chat,
    ``InvalidInput``). ``position`` is the event's on its cookie (None: a contact). ``outcome``
    is the fold's answer to evidence, as first given; while evidence is ``pending``, what is known
    of it already.
    """

    message_id: str
    occurred_at: Micros
    received_at: Micros
    type: str
    cookie_id: str | None = None
    device_id: str | None = None
    position: str | None = None
    chat_id: str | None = None
    duplicate: bool = False
    warnings: tuple[Warned, ...] = ()
    outcome: Outcome | None = None
    pending: bool = False
    next_cookie_id: str | None = None
    problem: GraphidError | None = None
