"""Messages as the values that are stored: events for the journey, evidence for the fold.

Pure: what a message means, at which time it counts, and what of it is read as an identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

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
class Said:
    """Who somebody is, as one sender has it: types and values as sent, traits, how sure it is."""

    claims: Iterable[tuple[str, str]]
    traits: dict[str, Any]
    assurance: Assurance


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
        if isinstance(message, Contact):
            return self._contact(message, message_id)
        if isinstance(message, ChatLine):
            assert cookie is not None
            context = Context(cookie_id=cookie, occurred_at=message.occurred_at)
        else:
            context = message.context
        at, warnings = self._time(context.occurred_at, context.cookie_id)
        recording = Recording(
            message_id=message_id,
            type=_TYPES[message.kind],
            at=at,
            received_at=self._received_at,
            digest=digest_of(message),
            warnings=warnings,
        )
        if isinstance(message, ChatAuthentication):
            context = context.model_copy(update={"device_id": device})
        return self._with_evidence(recording, message, context, chat)

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

    def _with_evidence(
        self, recording: Recording, message: Message, context: Context, chat: str | None
    ) -> Recording:
        evidence: tuple[Evidence, ...] = ()
        warnings: tuple[Warned, ...] = ()
        departure: LogoutEvidence | None = None
        detail = detail_of(message) | _clock_of(context)
        if isinstance(message, Identify | ChatAuthentication):
            evidence, warnings = self._identifies(recording, message, context)
            named = dict.fromkeys(key for said in evidence for key in said.identifiers)
            detail["identifiers"] = [
                dict(zip(("type", "value"), key.split(":", 1), strict=True)) for key in named
            ]
        elif isinstance(message, Track) and self._is_logout(message):
            evidence = (self._logout(recording, context),)
        elif isinstance(message, Page | Track) and message.user_id:
            said = Said([("user_id", message.user_id)], {}, self._assurance)
            identify, warnings = self._identify(recording, context, said, SAID_USER)
            evidence = (identify,)
        elif isinstance(message, Page | Track) and message.names_nobody:
            departure = self._logout(recording, context, SAID_NOBODY)
            if (left := self._departed.get(recording.message_id)) is not None:
                evidence = (msgspec.structs.replace(departure, at=left),)
        elif isinstance(message, Logout):
            evidence = (self._logout(recording, context),)
        own = next((piece for piece in evidence if piece.id == recording.message_id), None)
        event = Event(
            message_id=recording.message_id,
            type=recording.type,
            cookie=context.cookie_id,
            at=recording.at,
            received_at=recording.received_at,
            position=place(recording.at, Kind.EVENT, recording.message_id)
            if own is None
            else own.place,
            digest=recording.digest,
            device=context.device_id,
            client_session=context.session_id,
            chat=chat,
            channel=message.channel if isinstance(message, StartChat) else None,
            actor=self._sender.name,
            of_browser=self._sender.is_browser,
            names_nobody=departure is not None,
            detail=detail,
        )
        return msgspec.structs.replace(
            recording,
            event=event,
            evidence=evidence,
            warnings=recording.warnings + warnings,
            departure=departure,
        )

    def _is_logout(self, message: Track) -> bool:
        return message.name in self._policy.logout_events

    def _logout(self, recording: Recording, context: Context, suffix: str = "") -> LogoutEvidence:
        return LogoutEvidence(
            id=recording.message_id + suffix,
            at=recording.at,
            recorded_at=recording.received_at,
            cookie=context.cookie_id,
            device=context.device_id,
            actor=self._sender.name,
            policy=self._version,
        )

    def _identifies(
        self, recording: Recording, message: Identify | ChatAuthentication, context: Context
    ) -> tuple[tuple[IdentifyEvidence, ...], tuple[Warned, ...]]:
        """What the message says of who this is; and, where something vouches, first of all that:
        what is sent beside it is said right after it, and is as good as the key that sends it."""
        if isinstance(message, ChatAuthentication):
            proven, warnings = self._identify(recording, context, self._vouched(message.proof))
            return (proven,), warnings
        named, traits = self._split(message.traits)
        claims = [*((claim.type, claim.value) for claim in message.identifiers), *named]
        assurance = min(message.assurance or self._assurance, self._assurance)
        said = Said(claims, traits, assurance)
        if message.proof is None:
            identify, warnings = self._identify(recording, context, said)
            return (identify,), warnings
        proven, warnings = self._identify(recording, context, self._vouched(message.proof))
        if not claims and not traits:
            return (proven,), warnings
        after = msgspec.structs.replace(
            recording, at=self._free_moment(context.cookie_id, recording.at)
        )
        beside, more = self._identify(after, context, said, SAID_BESIDE)
        return (proven, beside), warnings + more

    def _vouched(self, proof: Proof) -> Said:
        """All that a proof vouches for, and nothing else."""
        _, traits = self._split(proof.traits)
        claims = [(claim.type, claim.value) for claim in proof.identifiers]
        return Said(claims, traits, Assurance.VERIFIED)

    def _identify(
        self, recording: Recording, context: Context, said: Said, suffix: str = ""
    ) -> tuple[IdentifyEvidence, tuple[Warned, ...]]:
        identifiers, warnings = self._normalise(said.claims)
        return (
            IdentifyEvidence(
                id=recording.message_id + suffix,
                at=recording.at,
                recorded_at=recording.received_at,
                cookie=context.cookie_id,
                device=context.device_id,
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
