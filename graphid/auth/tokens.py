"""ID tokens: from what a provider says to what graphid believes.

joserfc verifies signatures and the registered claims; what it leaves to its users is here: who
else the token is for, which login it belongs to, and how long ago that was.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphid.auth import claims as read
from graphid.auth.claims import Identifiers
from graphid.auth.compact import Claims, refused, take_apart
from graphid.auth.key_sets import KeySets
from graphid.auth.providers import Provider

MAX_NONCE = 512
"""Characters of a nonce, at most."""
OLDEST = 24 * 3600
"""Seconds since a token was issued, at most: an older one tells of no login of today."""

_HASHES: Mapping[str, Callable[[bytes], Any]] = {
    "256": hashlib.sha256,
    "384": hashlib.sha384,
    "512": hashlib.sha512,
}
"""By the end of an algorithm's name. Ed25519 signs with SHA-512."""


@dataclass(frozen=True)
class Vouched:
    """What somebody whose word counts has said of a human, validated. Nothing else makes it."""

    issuer: str
    subject: str
    identifiers: Identifiers
    """Types and values, the subject's first; not normalised yet. Nothing beside them is vouched
    for."""
    traits: tuple[tuple[str, str], ...]
    """``firstName`` and ``lastName``, where the token says them."""
    expires_at: datetime
    digest: str
    """A hash of what was signed: one for one token, however often it is sent."""
    nonce: str | None = field(default=None, repr=False)
    auth_time: datetime | None = None
    """When the human last showed who they are, where the token says it."""


class IdTokens:
    """Validates ID tokens of providers."""

    def __init__(self, key_sets: KeySets, clock: Callable[[], float] = time.time) -> None:
        """``clock``: seconds since 1970."""
        self._key_sets = key_sets
        self._clock = clock

    async def validate(
        self,
        token: str,
        provider: Provider,
        *,
        nonce: str | None = None,
        max_age: int | None = None,
        access_token: str | None = None,
        code: str | None = None,
    ) -> Vouched:
        """What the provider vouches for. Raises Refused, with a reason for each thing wrong.

        ``nonce`` and ``max_age`` (seconds): what the login was asked for with. ``access_token``
        and ``code``: what came with the token; held against its hashes of them.
        """
        unproven = take_apart(token)
        if unproven.values.get("iss") != provider.issuer:
            # Before its keys are asked for; what is believed is looked at again below.
            raise refused("The token is from another issuer.")
        claims = await self._key_sets.proven(unproven, provider)
        now = self._clock()
        read.check_registered(
            claims,
            now=now,
            leeway=provider.leeway,
            essential=("iss", "sub", "aud", "exp", "iat"),
            issuer=provider.issuer,
            audience=provider.client_id,
        )
        self._check_age(claims, provider, now, max_age)
        _check_party(claims, provider.client_id)
        _check_hash(claims, "at_hash", access_token)
        _check_hash(claims, "c_hash", code)
        return Vouched(
            issuer=provider.issuer,
            subject=read.subject_of(claims),
            identifiers=_identifiers_of(claims, provider),
            traits=read.names_of(claims),
            expires_at=read.required_time(claims, "exp"),
            digest=claims.digest,
            nonce=_nonce_of(claims, nonce, provider.require_nonce),
            auth_time=read.time_of(claims, "auth_time"),
        )

    def _check_age(
        self, claims: Claims, provider: Provider, now: float, max_age: int | None
    ) -> None:
        issued = read.required_time(claims, "iat")
        if now - issued.timestamp() > OLDEST + provider.leeway:
            raise refused("The token was issued more than a day ago.")
        shown = read.time_of(claims, "auth_time")
        if shown is not None and shown.timestamp() > now + provider.leeway:
            raise refused("The login that the token tells of is in the future.")
        limits = [limit for limit in (max_age, provider.max_age) if limit is not None]
        if not limits:
            return
        if shown is None:
            raise refused("The token does not say when the login was.")
        if now - shown.timestamp() > min(limits) + provider.leeway:
            raise refused("The login that the token tells of is too long ago.")


def issuer_of(token: str) -> str | None:
    """Who a token says it is from, to choose the provider by. Nothing is proven by it.

    Raises Refused for what is no token.
    """
    issuer = take_apart(token).values.get("iss")
    return issuer if isinstance(issuer, str) else None


def _check_party(claims: Claims, client: str) -> None:
    """A token for several audiences is ours only where it was issued to us."""
    audience, party = claims.values["aud"], claims.text("azp")
    if isinstance(audience, list) and len(set(audience)) > 1 and party is None:
        raise refused("The token is for several audiences, and does not say whom it was issued to.")
    if party is not None and party != client:
        raise refused("The token was issued to another client.")


def _check_hash(claims: Claims, name: str, text: str | None) -> None:
    said = claims.text(name)
    if said is None or text is None:
        return
    digest = _HASHES.get(claims.algorithm[-3:], hashlib.sha512)(text.encode("utf-8")).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(half, said.encode("utf-8")):
        what = "access token" if name == "at_hash" else "code"
        raise refused(f"The token belongs to another {what}.")


def _nonce_of(claims: Claims, expected: str | None, is_required: bool) -> str | None:
    said = claims.text("nonce")
    if said is not None and len(said) > MAX_NONCE:
        raise refused(f"The token's nonce is longer than {MAX_NONCE} characters.")
    if expected is None:
        if is_required:
            raise refused("The nonce of the login is needed to take this provider's token.")
        return said
    if said is None:
        raise refused("The token holds no nonce, and the login had one.")
    if not hmac.compare_digest(said.encode("utf-8"), expected.encode("utf-8")):
        raise refused("The token belongs to another login: its nonce is another.")
    return said


def _identifiers_of(claims: Claims, provider: Provider) -> Identifiers:
    mapped = (
        (type, value)
        for name, type in provider.identifiers.items()
        if (value := read.identifier_of(claims, name)) is not None
    )
    contacts = read.verified_contacts(
        claims, email=provider.email_claim, phone=provider.phone_claim
    )
    return ((provider.subject_type, read.subject_of(claims)), *mapped, *contacts)
