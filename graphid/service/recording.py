"""Messages as the values that are stored: events for the journey, evidence for the fold.

Pure: what a message means, and at which time it counts; who is there, says ``service.saying``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from graphid.identity.outcome import Warned
from graphid.identity.policy import PolicyVersion
from graphid.identity.values import Micros
from graphid.service.contents import detail_of, digest_of
from graphid.service.messages import (
    ChatAuthentication,
    ChatLine,
    Contact,
    Context,
    Identify,
    Message,
    Plain,
    Sender,
    StartChat,
)
from graphid.service.moments import Moment, Moments
from graphid.service.recordings import Event, Recording
from graphid.service.saying import Origin, Said, Saying


def micros(at: datetime) -> Micros:
    """Microseconds since 1970 UTC, exactly."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Recorder:
    """Turns the messages of one request into recordings, in the order sent.

    ``received_at`` is when the request arrived; ``taken`` are the moments that earlier messages
    of the same request have. Evidence is stamped with the version ``in_force``.
    ``departed``: since when nobody was there, by the ids of the messages that show it.
    """

    def __init__(
        self,
        sender: Sender,
        in_force: PolicyVersion,
        received_at: Micros,
        taken: Iterable[Moment] = (),
        *,
        departed: Mapping[str, Micros] | None = None,
    ) -> None:
        self._sender = sender
        self._received_at = received_at
        self._moments = Moments(taken)
        self._saying = Saying(sender, in_force, received_at, self._moments, departed or {})

    def record(
        self,
        message: Message,
        message_id: str,
        *,
        cookie: str | None = None,
        chat: str | None = None,
        device: str | None = None,
    ) -> Recording:
        """The recording of a message; ``cookie``, ``chat`` and ``device`` are those of its chat,
        if any."""
        if isinstance(message, Plain):
            return self._plain(message, message_id)
        if isinstance(message, Contact):
            return self._contact(message, message_id)
        if isinstance(message, ChatLine):
            assert cookie is not None
            context = Context(cookie_id=cookie, occurred_at=message.occurred_at)
        else:
            context = message.context
        if isinstance(message, ChatAuthentication):
            context = context.model_copy(update={"device_id": device})
        at, skewed = self._time(context.occurred_at, context.cookie_id)
        origin = Origin(message_id, at, context.cookie_id, context.device_id)
        said = self._saying.of(message, origin)
        detail = detail_of(message) | _clock_of(context)
        if isinstance(message, Identify | ChatAuthentication):
            detail["identifiers"] = said.identifiers
        session = context.session_id
        event = self._event(message, origin, said, session=session, detail=detail, chat=chat)
        return _recorded(event, said, skewed)

    def _plain(self, message: Plain, message_id: str) -> Recording:
        at, skewed = self._time(message.at, message.cookie)
        origin = Origin(message_id, at, message.cookie, message.device)
        said = self._saying.of(message, origin)
        detail = detail_of(message)
        event = self._event(message, origin, said, session=message.session, detail=detail)
        return _recorded(event, said, skewed)

    def _event(
        self,
        message: Message,
        origin: Origin,
        said: Said,
        *,
        session: str | None,
        detail: dict[str, Any],
        chat: str | None = None,
    ) -> Event:
        return Event(
            message_id=origin.message_id,
            type=_TYPES[message.kind],
            cookie=origin.cookie,
            at=origin.at,
            received_at=self._received_at,
            position=said.position(origin),
            digest=digest_of(message),
            device=origin.device,
            client_session=session,
            chat=chat,
            channel=message.channel if isinstance(message, StartChat) else None,
            actor=self._sender.name,
            of_browser=self._sender.is_browser,
            names_nobody=said.departure is not None,
            detail=detail,
        )

    def _contact(self, message: Contact, message_id: str) -> Recording:
        at, skewed = self._not_later(message.occurred_at)
        said = self._saying.of_contact(message, message_id, at)
        return Recording(
            message_id=message_id,
            type="CONTACT",
            at=at,
            received_at=self._received_at,
            digest=digest_of(message),
            evidence=said.evidence,
            warnings=said.warnings + skewed,
        )

    def _time(self, occurred_at: datetime | None, cookie: str) -> tuple[Micros, tuple[Warned, ...]]:
        at, skewed = self._not_later(occurred_at)
        return self._moments.free(cookie, at), skewed

    def _not_later(self, occurred_at: datetime | None) -> tuple[Micros, tuple[Warned, ...]]:
        """When something counts as having happened: not after its receipt."""
        at = self._received_at if occurred_at is None else micros(occurred_at)
        return (at, ()) if at <= self._received_at else (self._received_at, SKEWED)


SKEWED = (Warned("CLOCK_SKEW", "occurredAt was later than receipt; receipt counts"),)

_TYPES = {
    "page": "PAGE",
    "track": "TRACK",
    "identify": "IDENTIFY",
    "logout": "LOGOUT",
    "startChat": "CHAT_START",
    "chatMessage": "CHAT_MESSAGE",
    "endChat": "CHAT_END",
    "chatAuthentication": "CHAT_AUTHENTICATED",
}


def _recorded(event: Event, said: Said, skewed: tuple[Warned, ...]) -> Recording:
    return Recording(
        message_id=event.message_id,
        type=event.type,
        at=event.at,
        received_at=event.received_at,
        digest=event.digest,
        event=event,
        evidence=said.evidence,
        warnings=skewed + said.warnings,
        departure=said.departure,
    )


def _clock_of(context: Context) -> dict[str, Any]:
    """The times as the client said them, where they were not taken at their word."""
    clock = context.client_clock
    return {} if clock is None else {"clientClock": clock.model_dump(mode="json", by_alias=True)}
