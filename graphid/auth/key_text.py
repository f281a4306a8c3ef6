"""The text of a key that the graph keeps, ``sk_<id>_<secret>``, and the hash that is kept of it.

The id finds the key and may be told to anybody; the secret opens it and is told once, to whoever
had it made. Both are letters and digits, so that ``_`` parts them and nothing needs quoting in a
URL, a header or a shell.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, field
from enum import StrEnum


class KeyKind(StrEnum):
    """Who a key is for: anybody, in the pages of a site; or a server that keeps it to itself."""

    PUBLISHABLE = "PUBLISHABLE"
    SECRET = "SECRET"

    @property
    def prefix(self) -> str:
        """What the texts and names of such keys begin with."""
        return _PREFIXES[self]


_PREFIXES = {KeyKind.PUBLISHABLE: "pk", KeyKind.SECRET: "sk"}
_KINDS = {prefix: kind for kind, prefix in _PREFIXES.items()}

_ID_LETTERS = string.ascii_lowercase + string.digits
_SECRET_LETTERS = string.ascii_letters + string.digits
ID_LENGTH = 12
SECRET_LENGTH = 32
"""190 bits, as each character is one of 62."""

_TEXT = re.compile(rf"(pk|sk)_([a-z0-9]{{{ID_LENGTH}}})_([A-Za-z0-9]{{{SECRET_LENGTH}}})")

_ID = re.compile(rf"[a-z0-9]{{{ID_LENGTH}}}")


def is_key_id(text: str) -> bool:
    """Whether it has the form of a key's id."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class KeyText:
    """A key as its holder shows it."""

    kind: KeyKind
    id: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.kind.prefix}_{self.id}_{self.secret}"

    @classmethod
    def new(cls, kind: KeyKind, id: str | None = None) -> KeyText:
        """A key that nobody has had before; with ``id``, another secret for that key."""
        return cls(kind, id or _random(_ID_LETTERS, ID_LENGTH), _random(_SECRET_LETTERS))

    @classmethod
    def read(cls, text: str) -> KeyText | None:
        """The parts of a text; None where it has not the form of such a key."""
        found = _TEXT.fullmatch(text)
        return None if found is None else cls(_KINDS[found[1]], found[2], found[3])


def _random(letters: str, length: int = SECRET_LENGTH) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


@dataclass(frozen=True)
class SecretHash:
    """What is kept of a secret: hexadecimal digits.

    One pass of BLAKE2b is enough. A slow hash is there to make guessing passwords dear, of which
    people choose few; of 190 random bits nobody guesses any, however fast. It would be run for
    each request, too, and so be a lever for whoever wants to keep the service busy. The salt keeps
    anybody from comparing hashes of several keys, or of several installations, at once.
    """

    salt: str
    digest: str

    @classmethod
    def of(cls, secret: str) -> SecretHash:
        """The hash to keep of a new secret, under a salt of its own."""
        salt = secrets.token_hex(16)
        return cls(salt, _digest(secret, salt))

    def opens(self, secret: str) -> bool:
        """Whether it is the hash of that secret; the time does not tell how much of it fits."""
        return hmac.compare_digest(self.digest, _digest(secret, self.salt))


def _digest(secret: str, salt: str) -> str:
    return hashlib.blake2b(secret.encode(), salt=bytes.fromhex(salt), digest_size=32).hexdigest()
