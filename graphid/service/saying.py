"""What messages say of who is there: the evidence that each comes with.

Pure. A message is read under a policy, and means no more than its sender's key allows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec.structs import replace

from graphid.identity.identifiers import InvalidIdentifier, normalise
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
from graphid.service.messages import (
    ChatAuthentication,
    Contact,
    Identify,
    Logout,
    Message,
    Page,
    Plain,
    Proof,
    Sender,
    Track,
    Traits,
)
from graphid.service.moments import Moments


@dataclass(frozen=True)
class Claimed:
    """Who somebody is, as one sender has it: types and values as sent, traits, how sure it is."""

    claims: Iterable[tuple[str, str]]
    traits: dict[str, Any]
    assurance: Assurance


class Origin(NamedTuple):
    """What evidence comes from: a message, when it counts, and where it was sent from."""

    message_id: str
    at: Micros
    cookie: str
    device: str | None


class Said(NamedTuple):
    """What a message says of who is there; ``departure`` as in Recording."""

    evidence: tuple[Evidence, ...] = ()
    warnings: tuple[Warned, ...] = ()
    departure: LogoutEvidence | None = None

    def position(self, origin: Origin) -> Place:
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


_NOTHING = Said()


class Saying:
    """Reads what the messages of one request say.

    ``received_at`` is when the request arrived; evidence is stamped with the version ``in_force``.
    ``moments``: those that its messages have.
    ``departed``: since when nobody was there, by the ids of the messages that show it.
    """

    def __init__(
        self,
        sender: Sender,
        in_force: PolicyVersion,
        received_at: Micros,
        moments: Moments,
        departed: Mapping[str, Micros],
    ) -> None:
        self._sender = sender
        self._policy, self._version = in_force.policy, in_force.version
        self._received_at = received_at
        self._moments = moments
        self._departed = departed
        trusted = self._policy.browser if sender.is_browser else Assurance.CLAIMED
        self._assurance = max(sender.assurance, trusted)

    def of(self, message: Message, origin: Origin) -> Said:
        """What a message says of who is there."""
        match message:
            case Identify() | ChatAuthentication():
                identifies, warnings = self._identifies(message, origin)
                if not isinstance(message, Identify) or not message.names_nobody:
                    return Said(identifies, warnings)
                left, departure = self._departure(origin)
                return Said((*identifies, *left), warnings, departure)
            case Logout():
                return Said((self._logout(origin),))
            case Page() | Track() | Plain():
                if is_logout(message, self._policy.logout_events):
                    return Said((self._logout(origin),))
                if message.user_id:
                    user = Claimed([("user_id", message.user_id)], {}, self._assurance)
                    identify, warnings = self._identify(origin, user, SAID_USER)
                    return Said((identify,), warnings)
                if not isinstance(message, Plain) and message.names_nobody:
                    left, departure = self._departure(origin)
                    return Said(left, departure=departure)
        return _NOTHING

    def of_contact(self, message: Contact, message_id: str, at: Micros) -> Said:
        """What a record says, from ``at`` on."""
        named, traits = self._split(message.traits)
        claims = [(claim.type, claim.value) for claim in message.identifiers]
        identifiers, warnings = self._normalise([*claims, *named])
        upsert = ContactUpsert(
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
        )
        return Said((upsert,), warnings)

    def _departure(self, origin: Origin) -> tuple[tuple[LogoutEvidence, ...], LogoutEvidence]:
        """The logout that naming nobody is, where somebody was there; and where one may have
        been."""
        departure = self._logout(origin, SAID_NOBODY)
        left = self._departed.get(origin.message_id)
        return () if left is None else (replace(departure, at=left),), departure

    def _logout(self, origin: Origin, suffix: str = "") -> LogoutEvidence:
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
        self, message: Identify | ChatAuthentication, origin: Origin
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
        after = origin._replace(at=self._moments.free(origin.cookie, origin.at))
        beside, more = self._identify(after, claimed, SAID_BESIDE)
        return (proven, beside), warnings + more

    def _vouched(self, proof: Proof) -> Claimed:
        """All that a proof vouches for, and nothing else."""
        _, traits = self._split(proof.traits)
        claims = [(claim.type, claim.value) for claim in proof.identifiers]
        return Claimed(claims, traits, Assurance.VERIFIED)

    def _identify(
        self, origin: Origin, said: Claimed, suffix: str = ""
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
            # "Email" is no custom id beside "email": that would be a unique one.
            known = type.lower() if type.lower() in LISTED else type
            try:
                keys[normalise(known, value, region=self._policy.phone.region)] = None
            except InvalidIdentifier as error:
                warnings.append(Warned("INVALID_IDENTIFIER", f"{known}: the value {error}"))
        return tuple(keys), tuple(warnings)


def is_logout(message: Page | Track | Plain, events: Collection[str]) -> bool:
    """Whether an event is one of those that say a logout, by their names."""
    match message:
        case Track():
            return message.name in events
        case Plain():
            return message.detail.get("name") in events  # a page has none
    return False


LISTED = frozenset({"email", "phone"})
"""The types that are normalised in a way of their own."""


def _as_text(value: Any) -> str:
    """A trait as an identifier's value; what cannot be one is blank, and warned of as such."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
