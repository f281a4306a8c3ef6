"""Public keys by which a site's own signatures are verified."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from graphid.auth.public_keys import MAX_RSA_BITS, MIN_RSA_BITS

MAX_PEM = 8_192
"""The longest text of a key, in characters."""

MIN_EXPONENT = 65_537
"""Of an RSA key: what everybody takes."""


def read_public_pem(pem: str) -> tuple[str, str]:
    """The algorithm that such a key verifies (RS256, ES256 or EdDSA), and the key as plain PEM.

    Raises ValueError, whose sentence says what is wrong: no public key, a weak one, another kind.
    """
    if len(pem) > MAX_PEM:
        raise ValueError(f"must not be longer than {MAX_PEM} characters")
    if "PRIVATE KEY" in pem:
        raise ValueError("is a private key, which only the site may have: send its public key")
    try:
        key = load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("must be a public key as PEM ('-----BEGIN PUBLIC KEY-----')") from None
    if isinstance(key, RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise ValueError(f"must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, as an RSA key")
        if key.public_numbers().e < MIN_EXPONENT:
            raise ValueError(f"must have an exponent of {MIN_EXPONENT} or more, as an RSA key")
        algorithm = "RS256"
    elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        algorithm = "ES256"
    elif isinstance(key, Ed25519PublicKey):
        algorithm = "EdDSA"
    else:
        raise ValueError("must be an RSA key, an EC key on the curve P-256, or an Ed25519 key")
    plain = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return algorithm, plain.decode("ascii")
