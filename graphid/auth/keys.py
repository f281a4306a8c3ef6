"""The keys that callers show, from the settings: a secret one for servers, a publishable one
for browsers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from graphid.auth.limits import Limits
from graphid.auth.scopes import BROWSER, SERVER, Scope
from graphid.errors import Unauthorized


@dataclass(frozen=True)
class Key:
    """A key that is known, without the key itself.

    ``name``: a fingerprint, for provenance. ``is_browser``: publishable, so anybody may have it.
    ``limits`` is None for what may do any number of things, as the keys of the settings.
    ``is_person``: somebody of the organisation, who showed a provider's token.
    """

    name: str
    scopes: frozenset[Scope]
    is_browser: bool
    limits: Limits | None = None
    is_person: bool = False


class Keys:
    """Finds a key by what the caller shows. Keeps hashes only."""

    def __init__(self, keys: Iterable[tuple[str, Key]]) -> None:
        self._known = [(_hash(text), key) for text, key in keys]

    @classmethod
    def of(cls, *, secret: Iterable[str], publishable: Iterable[str]) -> Keys:
        """The keys of the settings, by their kind."""
        return cls(
            [
                *((text, Key(f"sk:{_fingerprint(text)}", SERVER, False)) for text in secret),
                *((text, Key(f"pk:{_fingerprint(text)}", BROWSER, True)) for text in publishable),
            ]
        )

    def find(self, text: str) -> Key:
        """The key. Raises Unauthorized where there is no such key.

        Every known key is compared, and by its hash: the time tells nothing about any of them.
        """
        shown = _hash(text)
        found: Key | None = None
        for known, key in self._known:
            if hmac.compare_digest(known, shown):
                found = key
        if found is None:
            raise Unauthorized("This key is not known.")
        return found

    def bearer(self, authorization: str | None) -> Key:
        """The key of an ``Authorization: Bearer KEY`` header. Raises Unauthorized."""
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise Unauthorized("Send a key: 'Authorization: Bearer KEY'.")
        return self.find(text.strip())


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _fingerprint(text: str) -> str:
    return _hash(text).hex()[:8]
