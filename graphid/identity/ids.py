"""The one place where ids are minted.

An id carries its kind. What derives from an identifier or a client's id is a hash keyed by
the installation's secret, so that an id tells nobody an e-mail, and the same evidence makes
the same ids on every replay.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache

UNCLAIMED = "~unclaimed"
"""Suffix of the anonymous person who is the unowned part of a visitor that has an owner."""


def contact_named_by(id: str) -> str | None:
    """The contact that a contact's or a person's id is made of; None for other ids."""
    kind, _, hashed = id.partition("_")
    return f"contact_{hashed}" if kind in ("contact", "person") else None


class Ids:
    """Mints the ids of one installation.

    ``secret`` is the installation's; two installations give one human different ids.
    """

    def __init__(self, secret: bytes) -> None:
        self._keyed = hashlib.blake2b(key=secret[:64], digest_size=12)
        self._signing = hmac.new(secret, b"signing:", hashlib.sha256)
        self._sealing = hmac.new(secret, b"sealing:", hashlib.sha256)
        # Asked of every identifier that evidence names, mostly of the same ones again.
        self.bar = lru_cache(maxsize=10_000)(self._bar)

    def _hash(self, *parts: str) -> str:
        hashed = self._keyed.copy()
        hashed.update("\x1f".join(parts).encode("utf-8", "surrogatepass"))
        return hashed.hexdigest()

    def birth(self, cookie: str) -> str:
        """The visitor that a cookie is born with."""
        return "visitor_" + self._hash("visitor", cookie)

    def cookie_of_server(self, user_id: str) -> str:
        """The cookie of a server's calls that name a user and no cookie."""
        return "user_" + self._hash("cookie", "server", user_id)

    def cookie_of_browser(self, user_id: str, alone: str | None) -> str:
        """The cookie of such calls with a publishable key; ``alone``: of one call only.

        It is none of a server's: what anybody can send never ends, or lengthens, a visit that a
        server vouches for.
        """
        parts = () if alone is None else (alone,)
        return "user_" + self._hash("cookie", "browser", user_id, *parts)

    def visitor(self, cookie: str, opener: str) -> str:
        """The visitor that the evidence ``opener`` opened on a cookie."""
        return "visitor_" + self._hash("visitor", cookie, opener)

    def contact(self, named_for: str, distinction: str = "") -> str:
        """The contact named for an identifier.

        ``distinction`` sets it apart where that contact exists already and lost the identifier.
        """
        parts = (named_for, distinction) if distinction else (named_for,)
        return "contact_" + self._hash("contact", *parts)

    def record(self, source: str, source_id: str) -> str:
        """The contact of a source's record."""
        return "contact_" + self._hash("record", source, source_id)

    def person(self, contact: str) -> str:
        """The person who is named for a contact."""
        return "person_" + contact.removeprefix("contact_")

    def identifier(self, key: str) -> str:
        """The node of an identifier."""
        return "identifier_" + self._hash("identifier", key)

    def _bar(self, key: str) -> str:
        """What is kept of an identifier that was erased."""
        return self._hash("bar", key)

    def link(self, kind: str, evidence: str, source: str, target: str) -> str:
        """A link: what comes back after it went comes back under the same id."""
        return "link_" + self._hash("link", kind, evidence, source, target)

    def review(self, kind: str, *parties: str) -> str:
        """The review of a pair, or of a person and an identifier."""
        return "review_" + self._hash("review", kind, *sorted(parties))

    def repetition(self, *said: str) -> str:
        """All that says the same again, of the same contact, on the same cookie."""
        return "repetition_" + self._hash("repetition", *said)

    def version(self, parts: Iterable[tuple[str, str]]) -> str:
        """What a neighbourhood is like, for a later comparison."""
        return self._hash("version", *(text for part in parts for text in part))

    def session(self, cookie: str, first_message: str) -> str:
        """The session that an event began."""
        return "session_" + self._hash("session", cookie, first_message)

    def chat(self, cookie: str, named: str, key: str | None = None) -> str:
        """A chat that came without an id, or with one that another's chat has.

        ``key``: the publishable key that it belongs to beside its cookie, where one began it.
        """
        parts = (cookie, named) if key is None else (cookie, named, key)
        return "chat_" + self._hash("chat", *parts)

    def use(self, kind: str, *parts: str) -> str:
        """What is kept of a code or a nonce that was used, or of who used it."""
        return "use_" + self._hash("use", kind, *parts)

    def next_cookie(self, cookie: str, logout: str) -> str:
        """The cookie id that a client should go on with after a logout."""
        return self._hash("cookie", cookie, logout)

    def signing_secret(self, key: str, version: int) -> str:
        """What a site signs identities with by HS256: 64 characters, which are the key.

        Derived, so that it is kept nowhere; ``version`` counts the rotations of the access key.
        """
        derived = self._signing.copy()
        derived.update(f"{key}:{version}".encode())
        return derived.hexdigest()

    def sealing_key(self, what: str) -> bytes:
        """The 32 bytes that a secret of another's is encrypted with, where the graph keeps it.

        ``what`` it is: what is sealed for one thing does not open as another's.
        """
        derived = self._sealing.copy()
        derived.update(what.encode())
        return derived.digest()
