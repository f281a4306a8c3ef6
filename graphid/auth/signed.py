"""Signed identities: a site's own server proves, with a key of the site, who its user is."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from graphid.auth import claims as read
from graphid.auth.compact import refused, take_apart
from graphid.auth.public_keys import UnusableKey, VerifyingKey, key_of_jwk
from graphid.auth.tokens import Vouched
from graphid.errors import InvalidInput

MIN_SECRET = 32
"""Bytes of a shared secret, at least: as many as its hash has (RFC 7518, section 3.2)."""
MAX_SECRET = 1024
LIFETIME = 3600
"""Seconds that a signed identity may be valid for, at most."""
LEEWAY = 30
"""Seconds by which the clock of a site may differ from ours."""
USER_ID = "user_id"
"""The identifier type of a signed identity's subject."""
AUDIENCE = "graphid"
"""What a token for somebody else does not name: a site may use its key for more than this."""

_PUBLIC = ("RS256", "ES256", "EdDSA")
_PUBLISHED = re.compile(rb"---- ?BEGIN |ssh-|ecdsa-sha2-")
"""Marks a key that others know: whoever has it could sign with it, were it taken for a secret."""


@dataclass(frozen=True)
class SigningKey:
    """A site's key, with the one algorithm that it is used with."""

    key: VerifyingKey

    @property
    def algorithm(self) -> str:
        """How tokens must be signed to be taken."""
        (algorithm,) = self.key.algorithms
        return algorithm

    @classmethod
    def of_secret(cls, secret: str | bytes) -> SigningKey:
        """For HS256. Raises InvalidInput for a secret that is too short, or is a public key."""
        data = secret.encode("utf-8") if isinstance(secret, str) else secret
        if not MIN_SECRET <= len(data) <= MAX_SECRET:
            raise InvalidInput(f"A secret for signing has {MIN_SECRET} to {MAX_SECRET} bytes.")
        try:
            if _PUBLISHED.search(data):
                raise ValueError
            return cls(VerifyingKey(frozenset({"HS256"}), None, OctKey.import_key(data)))
        except ValueError:
            raise InvalidInput("This is the key of a pair, and no secret.") from None

    @classmethod
    def of_public(cls, text: str) -> SigningKey:
        """For RS256, ES256 or EdDSA, as the key is: a PEM, or a JWK.

        Raises InvalidInput for anything else, and for a private key: that stays with the site.
        """
        if "PRIVATE" in text:
            raise InvalidInput("This is a private key: give the public one, and replace this.")
        try:
            found = key_of_jwk(_jwk_of(text))
        except UnusableKey as fault:
            raise InvalidInput(f"The key {fault}.") from None
        algorithm = next((name for name in _PUBLIC if name in found.algorithms), None)
        if algorithm is None:
            raise InvalidInput(f"A key for signing is for one of {', '.join(_PUBLIC)}.")
        return cls(VerifyingKey(frozenset({algorithm}), None, found.key))


class SignedIdentities:
    """Validates signed identities."""

    def __init__(self, *, lifetime: int = LIFETIME, clock: Callable[[], float] = time.time) -> None:
        """``lifetime``: seconds, at most. ``clock``: seconds since 1970."""
        self._lifetime = lifetime
        self._clock = clock

    def validate(self, token: str, key: SigningKey, *, issuer: str) -> Vouched:
        """What the site vouches for: the user id, and what it says is verified.

        ``issuer``: what the site is called, and what the token's ``iss`` is, if it has one.
        Raises Refused, with a reason for each thing wrong.
        """
        unproven = take_apart(token)
        unproven.require_algorithm(key.key.algorithms)
        claims = unproven.proven_by([key.key])
        if claims is None:
            raise refused("The signature of the token is wrong.")
        read.check_registered(
            claims,
            now=self._clock(),
            leeway=LEEWAY,
            essential=("sub", "exp", "iat"),
            issuer=issuer,
            audience=AUDIENCE,
        )
        subject, expires = read.subject_of(claims), read.required_time(claims, "exp")
        issued = read.required_time(claims, "iat")
        if (expires - issued).total_seconds() > self._lifetime:
            raise refused(f"The token is valid for more than {self._lifetime} s.")
        contacts = read.verified_contacts(claims, email="email", phone="phone_number")
        return Vouched(
            issuer=issuer,
            subject=subject,
            identifiers=((USER_ID, subject), *contacts),
            traits=read.names_of(claims),
            expires_at=expires,
            digest=claims.digest,
        )


def _jwk_of(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise UnusableKey("is not JSON") from None
    for kind in (RSAKey, ECKey, OKPKey) if "-----BEGIN " in text else ():
        try:
            key = kind.binding.import_from_bytes(text.encode("utf-8"))
            return kind.binding.convert_raw_key_to_dict(key, False) | {"kty": kind.key_type}
        except (JoseError, UnsupportedAlgorithm, ValueError, KeyError):
            continue
    raise UnusableKey("is neither a JWK nor the PEM of an RSA, EC or Ed25519 key")
