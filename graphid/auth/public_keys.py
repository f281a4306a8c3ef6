"""Keys that verify signatures, each with the algorithms that it may be used with.

The key says what it is for, and a token never does: a token that names another algorithm than
its key's finds no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.util import base64_to_int

RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVES: Mapping[str, frozenset[str]] = {
    "P-256": frozenset({"ES256"}),
    "P-384": frozenset({"ES384"}),
    "P-521": frozenset({"ES512"}),
    "Ed25519": frozenset({"EdDSA", "Ed25519"}),
}
"""Of keys on a curve: what each may be used with. RFC 9864 gives EdDSA the name of its curve."""
ALGORITHMS = RSA_ALGORITHMS.union(*CURVES.values())
"""Everything that a public key can verify. No ``none``, and nothing symmetric."""

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
"""Smaller is no longer safe; larger would take long to compute with."""
MAX_RSA_EXPONENT = 2**32

_MEMBERS: Mapping[str, tuple[type[RSAKey | ECKey | OKPKey], tuple[str, ...]]] = {
    "RSA": (RSAKey, ("n", "e")),
    "EC": (ECKey, ("crv", "x", "y")),
    "OKP": (OKPKey, ("crv", "x")),
}
"""By the kind of key: what of a JWK makes the key; what else stands there is not looked at."""


class UnusableKey(ValueError):
    """The key cannot be used to verify signatures; the message says why, without the key."""


@dataclass(frozen=True)
class VerifyingKey:
    """A key, the algorithms that it may be used with, and how its owner calls it."""

    algorithms: frozenset[str]
    kid: str | None
    key: Key = field(repr=False)


def key_of_jwk(jwk: Any) -> VerifyingKey:
    """The public key that a JWK is.

    Raises UnusableKey for a symmetric key, a private one, one for another use than signatures or
    with other algorithms, and one that is too small or too large.
    """
    if not isinstance(jwk, dict):
        raise UnusableKey("is not an object")
    kind, members = _MEMBERS.get(_text(jwk, "kty") or "", (None, ()))
    if kind is None:
        raise UnusableKey("is not an RSA, EC or OKP key")
    if "d" in jwk:
        raise UnusableKey("is a private key")
    _require_for_signatures(jwk)
    data: dict[str, Any] = {name: _text(jwk, name) for name in ("kty", *members)}
    algorithms = _algorithms(jwk, kind, data)
    try:
        if kind is RSAKey:
            _require_size(base64_to_int(data["n"]), base64_to_int(data["e"]))
        return VerifyingKey(algorithms, _text(jwk, "kid"), kind.import_key(data))
    except UnusableKey:
        raise
    except (JoseError, ValueError, TypeError, KeyError):
        raise UnusableKey("is not a key of its kind") from None


def _algorithms(jwk: Mapping[str, Any], kind: type[Any], data: Mapping[str, Any]) -> frozenset[str]:
    fitting = RSA_ALGORITHMS if kind is RSAKey else CURVES.get(data["crv"] or "", frozenset())
    named = _text(jwk, "alg")
    found = fitting if named is None else fitting & {named}
    if not found:
        raise UnusableKey("is for an algorithm that is not used here")
    return found


def _require_for_signatures(jwk: Mapping[str, Any]) -> None:
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list):
        raise UnusableKey("is not for signatures")
    if "verify" not in operations:
        raise UnusableKey("is not for signatures")


def _require_size(modulus: int, exponent: int) -> None:
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS or exponent > MAX_RSA_EXPONENT:
        raise UnusableKey(f"has fewer than {MIN_RSA_BITS} or more than {MAX_RSA_BITS} bits")


def _text(jwk: Mapping[str, Any], name: str) -> str | None:
    value = jwk.get(name)
    if value is not None and not isinstance(value, str):
        raise UnusableKey(f"has a {name} that is not text")
    return value
