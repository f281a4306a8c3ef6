"""Secrets that are kept where others may read: encrypted, and so that no change stays unseen."""

from __future__ import annotations

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

KEY_BYTES = 32
"""Of a key to seal with."""

_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = list(_HEADER.values())


class CannotOpen(ValueError):
    """What is sealed was changed, or was sealed with another key."""


def seal(secret: str, key: bytes) -> str:
    """The secret as a compact JWE (RFC 7516), which only the key of 32 bytes opens."""
    return jwe.encrypt_compact(
        _HEADER, secret.encode("utf-8"), OctKey.import_key(key), algorithms=_ALGORITHMS
    )


def unseal(sealed: str, key: bytes) -> str:
    """The secret. Raises CannotOpen."""
    try:
        found = jwe.decrypt_compact(sealed, OctKey.import_key(key), algorithms=_ALGORITHMS)
        return (found.plaintext or b"").decode("utf-8")
    except (JoseError, ValueError):
        raise CannotOpen from None
