"""Signed identities: a site's own server proves, with a key of the site, who its user is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from graphid.auth import claims as read
from graphid.auth.compact import refused, take_apart
from graphid.auth.pem import read_public_pem
from graphid.auth.public_keys import VerifyingKey
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

_KINDS: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {
    "RS256": RSAKey,
    "ES256": ECKey,
    "EdDSA": OKPKey,
}
"""Of public keys, by what they verify."""
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
    def of_public(cls, pem: str) -> SigningKey:
        """For RS256, ES256 or EdDSA, as the key is.

        Raises InvalidInput for anything else, and for a private key: that stays with the site.
        """
        try:
            algorithm, plain = read_public_pem(pem)
        except ValueError as fault:
            raise InvalidInput(f"The key {fault}.") from None
        key = _KINDS[algorithm].import_key(plain)
        return cls(VerifyingKey(frozenset({algorithm}), None, key))


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
