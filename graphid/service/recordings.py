"""What becomes of a message: an event for the journey, and evidence for the fold."""

from __future__ import annotations

from typing import Any

import msgspec

from graphid.identity.outcome import Warned
from graphid.identity.values import Evidence, Logout, Micros

COMMON = frozenset({"PAGE", "TRACK"})
"""Types of nearly all events. The others have a ``kind``, by which they are found among them."""

_json = msgspec.json.Encoder(order="sorted")


class Event(msgspec.Struct, frozen=True, gc=False):
    """A line of a journey, as it is stored. ``of_browser``: a publishable key sent it, to which a
    chat that it begins belongs."""

    message_id: str
    type: str
    cookie: str
    at: Micros
    received_at: Micros
    position: str
    digest: str
    device: str | None = None
    client_session: str | None = None
    chat: str | None = None
    channel: str | None = None
    actor: str | None = None
    of_browser: bool = False
    names_nobody: bool = False
    detail: dict[str, Any] = {}

    def properties(self) -> dict[str, Any]:
        """The event as its node has it."""
        return {
            "messageId": self.message_id,
            "type": self.type,
            "kind": None if self.type in COMMON else self.type,
            "cookie": self.cookie,
            "occurredAt": self.at,
            "receivedAt": self.received_at,
            "position": self.position,
            "digest": self.digest,
            "device": self.device,
            "clientSession": self.client_session,
            "chat": self.chat,
            "actor": self.actor,
            "nobody": True if self.names_nobody else None,
            "detail": _json.encode(self.detail).decode(),
        }

    def as_stored(self) -> dict[str, Any]:
        """What is told of it when it comes again: columns of ``events/append_events``."""
        return {
            "messageId": self.message_id,
            "cookie": self.cookie,
            "device": self.device,
            "position": self.position,
            "occurredAt": self.at,
            "receivedAt": self.received_at,
            "digest": self.digest,
            "chat": self.chat,
            "type": self.type,
        }

    def chat_starts(self) -> list[dict[str, Any]]:
        """The chat that it begins."""
        if self.type != "CHAT_START":
            return []
        started = {
            "id": self.chat,
            "channel": self.channel,
            "cookie": self.cookie,
            "position": self.position,
            "startedAt": self.at,
            "device": self.device,
            "startedBy": self.actor if self.of_browser else None,
        }
        return [started]

    def chat_changes(self) -> list[dict[str, Any]]:
        """What it changes of its chat."""
        if self.type == "CHAT_END":
            return [{"id": self.chat, "endedAt": self.at, "badges": []}]
        if self.type == "CHAT_AUTHENTICATED":
            badge = {
                "vouchedFor": self.position,
                "authenticatedAt": self.at,
                "issuer": self.detail["issuer"],
                "subject": self.detail["subject"],
            }
            return [{"id": self.chat, "endedAt": None, "badges": [badge]}]
        return []


class Recording(msgspec.Struct, frozen=True):
    """One message, ready to be stored: its event, its evidence, and what to warn of.

    What a message says besides is evidence of its own; the first is what it is answered by.
    ``departure`` is evidence if somebody was there to depart (see ``service.departures``).
    """

    message_id: str
    type: str
    at: Micros
    received_at: Micros
    digest: str
    event: Event | None = None
    evidence: tuple[Evidence, ...] = ()
    warnings: tuple[Warned, ...] = ()
    departure: Logout | None = None
