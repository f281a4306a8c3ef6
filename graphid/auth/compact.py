"""Signed tokens: taken apart, and proven by a key.

A token that is taken apart proves nothing. Only ``Unproven.proven_by`` makes ``Claims``, and only
those are believed; whatever reads a token goes this way, whoever signed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from graphid.auth.json_object import HeldTwice, NoObject, parse_object
from graphid.auth.public_keys import VerifyingKey
from graphid.errors import Refused

MAX_TOKEN = 16_384
"""Characters of a token, at most. Longer ones are refused unread."""
MAX_KID = 1024


def refused(reason: str) -> Refused:
    """A refusal with this one reason: a sentence that holds nothing of the token."""
    return Refused(reason, reasons=(reason,))


@dataclass(frozen=True)
class Claims:
    """What a token says, and a key has proven that its owner says it."""

    values: Mapping[str, Any] = field(repr=False)
    algorithm: str
    digest: str
    """A hash of what was signed: another signature of the same makes no other token."""

    def text(self, name: str) -> str | None:
        """A claim that is text, or absent. Raises Refused for anything else."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise refused(f"The token's {name} is not text.")
        return value


@dataclass(frozen=True)
class Unproven:
    """A token as it came. What it says is good for choosing who is asked, and for nothing else."""

    text: str = field(repr=False)
    algorithm: str
    kid: str | None
    values: Mapping[str, Any] = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is signed, in hex."""
        return hashlib.sha256(self.text.rpartition(".")[0].encode("ascii")).hexdigest()

    def require_algorithm(self, allowed: Iterable[str]) -> None:
        """Raises Refused where the token is signed in no way that is allowed, or not at all."""
        if self.algorithm.lower() == "none":
            raise refused("The token is not signed.")
        if self.algorithm not in allowed:
            raise refused("The token is signed with an algorithm that is not allowed.")

    def fitting(self, keys: Iterable[VerifyingKey]) -> tuple[VerifyingKey, ...]:
        """Of these keys, those that may have signed the token."""
        return tuple(
            key for key in keys if self.algorithm in key.algorithms and self.kid in (None, key.kid)
        )

    def proven_by(self, keys: Iterable[VerifyingKey]) -> Claims | None:
        """What the token says, where one of these keys has signed it."""
        for key in keys:
            if self.algorithm in key.algorithms and self._is_signed_with(key):
                return Claims(self.values, self.algorithm, self.digest)
        return None

    def _is_signed_with(self, key: VerifyingKey) -> bool:
        registry = _Registry(algorithms=key.algorithms, strict_check_header=False)
        try:
            jws.deserialize_compact(self.text, key.key, registry=registry)
        except JoseError:
            return False
        return True


class _Registry(JWSRegistry):
    """joserfc's, within our limits, and for the algorithms of one key."""

    max_header_length = MAX_TOKEN
    max_payload_length = MAX_TOKEN
    max_signature_length = MAX_TOKEN

    def get_alg(self, name: str) -> JWSAlgModel:
        # The list is the key's, and was held against the token's algorithm before. joserfc's own
        # way warns at each use of EdDSA, because RFC 9864 has renamed it; many still say it.
        return self.algorithms[name]


def take_apart(text: str, *, types: Iterable[str] = ("jwt",)) -> Unproven:
    """The token, unproven.

    ``types``: what its header may give as its type, in lower case; a header without is taken.
    Raises Refused for what is too long, is no signed token, is one of another type, or could be
    read in two ways.
    """
    if len(text) > MAX_TOKEN:
        raise refused(f"The token is longer than {MAX_TOKEN} characters.")
    parts = text.split(".")
    if len(parts) != 3 or not text.isascii():
        raise refused("The token is not a signed JSON Web Token.")
    header, values = (_object(part) for part in parts[:2])
    _require_plain(header)
    _require_type(header.get("typ"), types)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str):
        raise refused("The token does not say how it is signed.")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= MAX_KID):
        raise refused("The token names its key by something that is not a short text.")
    return Unproven(text, algorithm, kid, values)


def _object(part: str) -> dict[str, Any]:
    try:
        return parse_object(urlsafe_b64decode(part.encode("ascii")))
    except HeldTwice:
        raise refused("The token is ambiguous: it holds the same name twice.") from None
    except (NoObject, ValueError):
        raise refused("The token is not a signed JSON Web Token.") from None


def _require_plain(header: Mapping[str, Any]) -> None:
    # ``crit`` names extensions that must be understood, and none is. ``b64`` is one of them.
    if "crit" in header or "b64" in header:
        raise refused("The token asks for an extension that is not known here.")


def _require_type(said: Any, types: Iterable[str]) -> None:
    name = said.lower().removeprefix("application/") if isinstance(said, str) else said
    if name is not None and name not in types:
        raise refused("The token is of another type.")
