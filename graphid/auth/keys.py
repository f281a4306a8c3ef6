"""Who calls, as far as the key that they show says; and the keys that the settings name."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from graphid.auth.limits import Limits
from graphid.auth.scopes import BROWSER, SERVER, Scope
from graphid.errors import Forbidden, Unauthorized


@dataclass(frozen=True)
class Signing:
    """What the identities that a site signs itself are verified with.

    ``algorithm``: HS256, RS256, ES256 or EdDSA, and no other. ``keys``, the newest first, each as
    good as the others: for HS256 the secret, whose ASCII characters are the key; else a public
    key as PEM.
    """

    algorithm: str
    keys: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Caller:
    """Somebody who may do something.

    ``name`` goes into provenance and holds nothing secret. ``is_browser``: the key is publishable,
    so anybody may have it. ``key_id``: of a key that the graph keeps; None for the settings' keys
    and for people. ``origins``: of the pages that may send with it; None: any. ``limits`` is None
    for what may do any number of things, as the keys of the settings; ``signing`` for what signs
    nothing. ``is_person``: somebody of the organisation, who showed a provider's token.
    """

    name: str
    scopes: frozenset[Scope]
    is_browser: bool
    key_id: str | None = None
    origins: frozenset[str] | None = None
    limits: Limits | None = None
    signing: Signing | None = None
    is_person: bool = False

    def require_origin(self, origin: str | None) -> None:
        """Raises Forbidden for a page of a foreign origin.

        ``origin`` is what a browser says of the page that sends; servers and apps say nothing.
        """
        if origin is not None and self.origins is not None and origin not in self.origins:
            raise Forbidden("This key may not be used by pages of this origin.")


class Keys:
    """The settings' keys: finds one by what the caller shows. Keeps hashes only."""

    def __init__(self, keys: Iterable[tuple[str, Caller]]) -> None:
        self._known = [(_hash(text), caller) for text, caller in keys]

    @classmethod
    def of(cls, *, secret: Iterable[str], publishable: Iterable[str]) -> Keys:
        """The keys of the settings, by their kind."""
        return cls(
            [
                *((text, Caller(f"sk:{_fingerprint(text)}", SERVER, False)) for text in secret),
                *(
                    (text, Caller(f"pk:{_fingerprint(text)}", BROWSER, True))
                    for text in publishable
                ),
            ]
        )

    def get(self, text: str) -> Caller | None:
        """The caller who shows this key; None where there is no such key.

        Every known key is compared, and by its hash: the time tells nothing about any of them.
        """
        shown = _hash(text)
        found: Caller | None = None
        for known, caller in self._known:
            if hmac.compare_digest(known, shown):
                found = caller
        return found

    def find(self, text: str) -> Caller:
        """The caller who shows this key. Raises Unauthorized where there is no such key."""
        found = self.get(text)
        if found is None:
            raise Unauthorized("This key is not known.")
        return found


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _fingerprint(text: str) -> str:
    return _hash(text).hex()[:8]
