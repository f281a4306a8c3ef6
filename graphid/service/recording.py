"""Messages as the values that are stored: events for the journey, evidence for the fold.

Pure: what a message means, at which time it counts, and what of it is read as an identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from graphid.identity.identifiers import InvalidIdentifier, normalise
from graphid.identity.ids import Ids
from graphid.identity.outcome import Warned
from graphid.identity.policy import PolicyVersion
from graphid.identity.values import (
    OF_RECORD,
    SAID_BESIDE,
    SAID_NOBODY,
    SAID_USER,
    Assurance,
    ContactUpsert,
    Evidence,
    IdentifierKey,
    Kind,
    Micros,
    Place,
    place,
)
from graphid.identity.values import Identify as IdentifyEvidence
from graphid.identity.values import Logout as LogoutEvidence
from graphid.service.contents import detail_of, digest_of
from graphid.service.messages import (
    ChatAuthentication,
    ChatLine,
    Contact,
    Context,
    Identify,
    Logout,
    Message,
    Page,
    Plain,
    Proof,
    Sender,
    StartChat,
    Track,
    Traits,
)
from graphid.service.recordings import Event, Recording

_json = msgspec.json.Encoder(order="sorted")


def micros(at: datetime) -> Micros:
    """Microseconds since 1970 UTC, exactly."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


Moment = tuple[str, Micros]
"""A cookie and a time."""


@dataclass(frozen=True)
class Claimed:
    """Who somebody is, as one sender has it: types and values as sent, traits, how sure it is."""

    claims: Iterable[tuple[str, str]]
    traits: dict[str, Any]
    assurance: Assurance


class _Origin(NamedTuple):
    """What evidence comes from: a message, when it counts, and where it was sent from."""

    message_id: str
    at: Micros
    cookie: str
    device: str | None


class _Said(NamedTuple):
    """What a message says of who is there; ``departure`` as in Recording."""

    evidence: tuple[Evidence, ...] = ()
    warnings: tuple[Warned, ...] = ()
    departure: LogoutEvidence | None = None

    def position(self, origin: _Origin) -> Place:
        """Of the message's event: that of the evidence that the message is, if it is any."""
        for piece in self.evidence:
            if piece.id == origin.message_id:
                return piece.place
        return place(origin.at, Kind.EVENT, origin.message_id)

    @property
    def identifiers(self) -> list[dict[str, str]]:
        """Those that identifies name, each once."""
        identifies = [piece for piece in self.evidence if isinstance(piece, IdentifyEvidence)]
        keys = dict.fromkeys(key for identify in identifies for key in identify.identifiers)
        return [dict(zip(("type", "value"), key.split(":", 1), strict=True)) for key in keys]


_NOTHING_SAID = _Said()


class Recorder:
    """Turns the messages of one request into recordings, in the order sent.

    ``received_at`` is when the request arrived. Equal times on one cookie are spread by a
    microsecond, so that what was sent first comes first; ``taken`` are the moments that earlier
    messages of the same request have. Evidence is stamped with the version ``in_force``.
    ``departed``: since when nobody was there, by the ids of the messages that show it.
    """

    def __init__(
        self,
        sender: Sender,
        in_force: PolicyVersion,
        received_at: Micros,
        ids: Ids,
        taken: Iterable[Moment] = (),
        *,
        departed: Mapping[str, Micros] | None = None,
    ) -> None:
        self._sender = sender
        self._policy, self._version = in_force.policy, in_force.version
        self._received_at = received_at
        self._ids = ids
        self._taken = set(taken)
        self._departed = departed or {}
        trusted = self._policy.browser if sender.is_browser else Assurance.CLAIMED
        self._assurance = max(sender.assurance, trusted)

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
        origin = _Origin(message_id, at, context.cookie_id, context.device_id)
        detail = detail_of(message) | _clock_of(context)
        said = self._said(message, origin)
        if isinstance(message, Identify | ChatAuthentication):
            detail["identifiers"] = said.identifiers
        event = Event(
            message_id=message_id,
            type=_TYPES[message.kind],
            cookie=context.cookie_id,
            at=at,
            received_at=self._received_at,
            position=said.position(origin),
            digest=digest_of(message),
            device=context.device_id,
            client_session=context.session_id,
            chat=chat,
            channel=message.channel if isinstance(message, StartChat) else None,
            actor=self._sender.name,
            of_browser=self._sender.is_browser,
            names_nobody=said.departure is not None,
            detail=detail,
        )
        return self._recorded(event, said, skewed)

    def _plain(self, message: Plain, message_id: str) -> Recording:
        at, skewed = self._time(message.at, message.cookie)
        origin = _Origin(message_id, at, message.cookie, message.device)
        said = self._said(message, origin)
        event = Event(
            message_id=message_id,
            type=_TYPES[message.kind],
            cookie=message.cookie,
            at=at,
            received_at=self._received_at,
            position=said.position(origin),
            digest=digest_of(message),
            device=message.device,
            client_session=message.session,
            actor=self._sender.name,
            of_browser=self._sender.is_browser,
            detail=detail_of(message),
        )
        return self._recorded(event, said, skewed)

    def _recorded(self, event: Event, said: _Said, skewed: tuple[Warned, ...]) -> Recording:
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

    def _time(self, occurred_at: datetime | None, cookie: str) -> tuple[Micros, tuple[Warned, ...]]:
        at = self._received_at if occurred_at is None else micros(occurred_at)
        warnings: tuple[Warned, ...] = ()
        if at > self._received_at:
            at = self._received_at
            warnings = (Warned("CLOCK_SKEW", "occurredAt was later than receipt; receipt counts"),)
        return self._free_moment(cookie, at), warnings

    def _free_moment(self, cookie: str, at: Micros) -> Micros:
        """The first moment from ``at`` on that no message of this request has taken there."""
        while (cookie, at) in self._taken:
            at += 1
        self._taken.add((cookie, at))
        return at

    def _said(self, message: Message, origin: _Origin) -> _Said:
        """What a message says of who is there."""
        match message:
            case Identify() | ChatAuthentication():
                return _Said(*self._identifies(message, origin))
            case Logout():
                return _Said((self._logout(origin),))
            case Page() | Track() | Plain():
                if self._is_logout(message):
                    return _Said((self._logout(origin),))
                if message.user_id:
                    user = Claimed([("user_id", message.user_id)], {}, self._assurance)
                    identify, warnings = self._identify(origin, user, SAID_USER)
                    return _Said((identify,), warnings)
                if not isinstance(message, Plain) and message.names_nobody:
                    departure = self._logout(origin, SAID_NOBODY)
                    left = self._departed.get(origin.message_id)
                    followed = () if left is None else (replace(departure, at=left),)
                    return _Said(followed, departure=departure)
        return _NOTHING_SAID

    def _is_logout(self, message: Page | Track | Plain) -> bool:
        match message:
            case Track():
                return message.name in self._policy.logout_events
            case Plain():
                # A page has no name of its own.
                return message.detail.get("name") in self._policy.logout_events
        return False

    def _logout(self, origin: _Origin, suffix: str = "") -> LogoutEvidence:
        return LogoutEvidence(
            id=origin.message_id + suffix,
            at=origin.at,
            recorded_at=self._received_at,
            cookie=origin.cookie,
            device=origin.device,
            actor=self._sender.name,
            policy=self._version,
        )

    def _identifies(
        self, message: Identify | ChatAuthentication, origin: _Origin
    ) -> tuple[tuple[IdentifyEvidence, ...], tuple[Warned, ...]]:
        """What the message says of who this is; and, where something vouches, first of all that:
        what is sent beside it is said right after it, and is as good as the key that sends it."""
        if isinstance(message, ChatAuthentication):
            proven, warnings = self._identify(origin, self._vouched(message.proof))
            return (proven,), warnings
        named, traits = self._split(message.traits)
        claims = [*((claim.type, claim.value) for claim in message.identifiers), *named]
        assurance = min(message.assurance or self._assurance, self._assurance)
        claimed = Claimed(claims, traits, assurance)
        if message.proof is None:
            identify, warnings = self._identify(origin, claimed)
            return (identify,), warnings
        proven, warnings = self._identify(origin, self._vouched(message.proof))
        if not claims and not traits:
            return (proven,), warnings
        after = origin._replace(at=self._free_moment(origin.cookie, origin.at))
        beside, more = self._identify(after, claimed, SAID_BESIDE)
        return (proven, beside), warnings + more

    def _vouched(self, proof: Proof) -> Claimed:
        """All that a proof vouches for, and nothing else."""
        _, traits = self._split(proof.traits)
        claims = [(claim.type, claim.value) for claim in proof.identifiers]
        return Claimed(claims, traits, Assurance.VERIFIED)

    def _identify(
        self, origin: _Origin, said: Claimed, suffix: str = ""
    ) -> tuple[IdentifyEvidence, tuple[Warned, ...]]:
        identifiers, warnings = self._normalise(said.claims)
        return (
            IdentifyEvidence(
                id=origin.message_id + suffix,
                at=origin.at,
                recorded_at=self._received_at,
                cookie=origin.cookie,
                device=origin.device,
                assurance=said.assurance,
                identifiers=identifiers,
                traits=said.traits,
                actor=self._sender.name,
                policy=self._version,
            ),
            warnings,
        )

    def _contact(self, message: Contact, message_id: str) -> Recording:
        named, traits = self._split(message.traits)
        claims = [(claim.type, claim.value) for claim in message.identifiers]
        identifiers, warnings = self._normalise([*claims, *named])
        at = self._received_at if message.occurred_at is None else micros(message.occurred_at)
        if at > self._received_at:
            at = self._received_at
            warnings += (Warned("CLOCK_SKEW", "occurredAt was later than receipt; receipt counts"),)
        return Recording(
            message_id=message_id,
            type="CONTACT",
            at=at,
            received_at=self._received_at,
            digest=digest_of(message),
            evidence=(
                ContactUpsert(
                    id=message_id + OF_RECORD,
                    at=at,
                    recorded_at=self._received_at,
                    source=message.source,
                    source_id=message.source_id,
                    identifiers=identifiers,
                    curated=message.curated,
                    deleted=message.deleted,
                    traits=traits,
                    assurance=max(self._sender.assurance, Assurance.ASSERTED),
                    actor=self._sender.name,
                    policy=self._version,
                ),
            ),
            warnings=warnings,
        )

    def _split(self, traits: Traits | None) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        """What of the traits is an identifier by the policy, and what is a trait."""
        if traits is None:
            return [], {}
        named = {
            "email": traits.email,
            "phone": traits.phone,
            "firstName": traits.first_name,
            "lastName": traits.last_name,
        }
        said = {**(traits.custom or {}), **{k: v for k, v in named.items() if v is not None}}
        names = self._policy.trait_identifiers
        identifiers = [(name, _as_text(said[name])) for name in names if said.get(name) is not None]
        rest = {k: v for k, v in said.items() if k not in names and v is not None}
        return identifiers, rest

    def _normalise(
        self, claims: Iterable[tuple[str, str]]
    ) -> tuple[tuple[IdentifierKey, ...], tuple[Warned, ...]]:
        keys: dict[IdentifierKey, None] = {}
        warnings: list[Warned] = []
        for type, value in claims:
            try:
                # "Email" is no custom id beside "email": that would be a unique one.
                type = type.lower() if type.lower() in LISTED else type  # noqa: PLW2901
                keys[normalise(type, value, region=self._policy.phone.region)] = None
            except InvalidIdentifier as error:
                warnings.append(Warned("INVALID_IDENTIFIER", f"{type}: the value {error}"))
        return tuple(keys), tuple(warnings)


LISTED = frozenset({"email", "phone"})
"""The types that are normalised in a way of their own."""

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


def _clock_of(context: Context) -> dict[str, Any]:
    """The times as the client said them, where they were not taken at their word."""
    clock = context.client_clock
    return {} if clock is None else {"clientClock": clock.model_dump(mode="json", by_alias=True)}


def _as_text(value: Any) -> str:
    """A trait as an identifier's value; what cannot be one is blank, and warned of as such."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
