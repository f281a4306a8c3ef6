"""What of the settings is insecure, and what to do about it. Pure; no secret is in what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from graphid.settings import GUESSABLE_CHARACTERS, Settings, variable

MAKE_ONE = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"

DEFAULT_LOOKING = (
    *("change", "example", "secret_key", "secretkey", "password", "default", "sample", "dummy"),
    *("test", "demo", "12345", "qwerty", "neo4j", "graphid", "your_", "xxx"),
)
"""What somebody typed and nobody drew by lot holds one of these."""

MIN_DIFFERENT = 8
"""Characters that a secret drawn by lot has at least."""

MIN_PASSWORD = 8

PLAIN = ("bolt", "neo4j")
"""Schemes by which passwords and people's data pass unencrypted."""
UNCHECKED = ("bolt+ssc", "neo4j+ssc")
"""Schemes by which whoever answers is taken for the database."""


@dataclass(frozen=True)
class Finding:
    """One thing. ``is_note``: worth to know, and maybe as it should be."""

    about: str
    says: str
    advice: str
    is_note: bool = False

    def __str__(self) -> str:
        kind = "note" if self.is_note else "insecure"
        return f"{kind}: {self.about}: {self.says}; {self.advice}"


def findings(settings: Settings) -> list[Finding]:
    """All that is to be said, what is insecure first."""
    found = [
        *_of_keys(settings),
        *_of_network(settings),
        *_of_database(settings),
        *_of_limits(settings),
        *_of_the_rest(settings),
    ]
    return sorted(found, key=lambda finding: finding.is_note)


def _of_keys(settings: Settings) -> Iterator[Finding]:
    name = variable("secret_keys")
    for number, key in enumerate(settings.secret_keys, start=1):
        if weakness := weakness_of(key.get_secret_value(), GUESSABLE_CHARACTERS):
            yield Finding(name, f"key {number} {weakness}", MAKE_ONE)
    if settings.publishable_keys:
        yield Finding(
            variable("publishable_keys"),
            "pages of any origin may send with these keys",
            "make publishable keys with a list of origins in the graph instead",
        )


def weakness_of(secret: str, least: int) -> str | None:
    """Why a secret can be guessed; None where it looks as if drawn by lot."""
    if len(secret) < least:
        return f"has fewer than {least} characters"
    # What comes before the first "_" says what it is for, as sk_.
    bare = secret.partition("_")[2] if secret[:3].lower() in ("sk_", "pk_") else secret
    if any(word in bare.lower() for word in DEFAULT_LOOKING):
        return "looks like a default"
    if len(set(bare)) < MIN_DIFFERENT:
        return f"has fewer than {MIN_DIFFERENT} different characters"
    return None


def _of_network(settings: Settings) -> Iterator[Finding]:
    proxies = variable("trusted_proxies")
    if not is_loopback(settings.host) and not settings.trusted_proxies:
        yield Finding(
            variable("host"),
            f"listens at {settings.host} without TLS, so that keys and people's data can be read "
            "on the way",
            f"listen at 127.0.0.1, or behind a proxy that ends TLS, named in {proxies}",
        )
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield Finding(
            proxies,
            "trusts every address, so that anybody may say where they come from",
            "name the proxies' own networks",
        )


def _of_database(settings: Settings) -> Iterator[Finding]:
    if settings.neo4j_uri is None:
        return  # an engine of our own: on loopback, with a password drawn by lot
    uri, name = urlsplit(settings.neo4j_uri), variable("neo4j_uri")
    is_here = is_loopback(uri.hostname or "")
    if uri.scheme in PLAIN and not is_here:
        yield Finding(
            name,
            f"{uri.scheme}:// is not encrypted, and the database is on another machine",
            f"use {uri.scheme}+s://",
        )
    if uri.scheme in UNCHECKED and not is_here:
        yield Finding(
            name,
            f"{uri.scheme}:// takes whoever answers for the database",
            f"use {uri.scheme.removesuffix('sc')}:// with a certificate that can be checked",
        )
    password = settings.neo4j_password.get_secret_value()
    weakness = "is empty" if not password else weakness_of(password, MIN_PASSWORD)
    if weakness:
        yield Finding(variable("neo4j_password"), f"the password {weakness}", MAKE_ONE)


def _of_limits(settings: Settings) -> Iterator[Finding]:
    if settings.limit_address_failures == 0:
        yield Finding(
            variable("limit_address_failures"),
            "0 lets anybody try any number of keys",
            "leave it out, which means 20 a minute",
        )
    storage, name = urlsplit(settings.limit_storage.get_secret_value()), variable("limit_storage")
    if storage.scheme == "memory":
        yield Finding(
            name,
            "each process counts for itself, so several together allow a multiple",
            "with more than one process name a storage that they share, as rediss://",
            is_note=True,
        )
    elif storage.scheme in ("redis", "valkey") and not is_loopback(storage.hostname or ""):
        yield Finding(name, f"{storage.scheme}:// is not encrypted", f"use {storage.scheme}s://")


def _of_the_rest(settings: Settings) -> Iterator[Finding]:
    if settings.log_level == "debug":
        yield Finding(
            variable("log_level"),
            "debug slows every statement down, and libraries tell more than we can answer for",
            "use info",
        )
    if settings.installation_secret is None:
        yield Finding(
            variable("installation_secret"),
            "the secret that ids are keyed by is kept in the graph, and in its backups",
            "begin a new graph with a secret of your own, if that matters",
            is_note=True,
        )
    elif weakness := weakness_of(
        settings.installation_secret.get_secret_value(), GUESSABLE_CHARACTERS
    ):
        yield Finding(
            variable("installation_secret"),
            f"the secret {weakness}, so that ids can be traced back to e-mail addresses",
            f"begin a new graph with another: {MAKE_ONE}",
        )


def is_loopback(host: str) -> bool:
    """Whether a host can be reached from its own machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
