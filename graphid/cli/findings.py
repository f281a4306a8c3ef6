"""What of the settings is insecure or broken, and what to do about it. Pure; tells no secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from graphid.auth.scopes import Scope
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


class Kind(StrEnum):
    """How bad it is, the worst first."""

    INSECURE = "insecure"
    BROKEN = "broken"
    """Something that was set up does not work."""
    NOTE = "note"
    """Worth to know, and maybe as it should be."""

    @property
    def is_unsound(self) -> bool:
        """Whether something has to be done."""
        return self is not Kind.NOTE


@dataclass(frozen=True)
class Finding:
    """One thing."""

    about: str
    says: str
    advice: str
    kind: Kind = Kind.INSECURE

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}: {self.says}; {self.advice}"


def findings(settings: Settings, unheard: Mapping[str, str]) -> list[Finding]:
    """All that is to be said, what is insecure first.

    ``unheard``: the issuers that do not say what their keys are, and why.
    """
    found = [
        *_of_keys(settings),
        *_of_network(settings),
        *_of_database(settings),
        *_of_limits(settings),
        *_of_providers(settings, unheard),
        *_of_staff(settings, unheard),
        *_of_the_rest(settings),
    ]
    return sorted(found, key=lambda finding: list(Kind).index(finding.kind))


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
            kind=Kind.NOTE,
        )
    elif storage.scheme in ("redis", "valkey") and not is_loopback(storage.hostname or ""):
        yield Finding(name, f"{storage.scheme}:// is not encrypted", f"use {storage.scheme}s://")


def _of_providers(settings: Settings, unheard: Mapping[str, str]) -> Iterator[Finding]:
    name = variable("oidc_providers")
    for provider in settings.oidc_providers:
        issuer = provider.issuer
        if issuer in unheard:
            yield _unheard(name, issuer, unheard[issuer])
        if not provider.redirect_uris:
            yield Finding(
                name,
                f"{issuer} has no redirect_uris, so that no chat is authenticated by its codes",
                "name the addresses that codes are sent to, if any are",
                kind=Kind.NOTE,
            )
        if not provider.require_nonce and provider.client_secret is not None:
            yield Finding(
                name,
                f"{issuer} needs neither a nonce nor a verifier (PKCE), which tie a code to the "
                "browser that logged in",
                "send code challenges, or set require_nonce",
                kind=Kind.NOTE,
            )


def _of_staff(settings: Settings, unheard: Mapping[str, str]) -> Iterator[Finding]:
    issuer = settings.staff_issuer
    if issuer is None:
        return
    if issuer in unheard:
        yield _unheard(variable("staff_issuer"), issuer, unheard[issuer])
    for role, scopes in settings.staff_roles.items():
        if Scope.INTEGRATION_EDIT in scopes:
            yield Finding(
                variable("staff_roles"),
                f"whoever has the role {role} can {_powers(scopes)}, and so vouch for anybody at "
                "VERIFIED",
                "give integration:edit only to people who may do that",
                kind=Kind.NOTE,
            )


def _powers(scopes: frozenset[Scope]) -> str:
    """What ``integration:edit`` can do that ends in VERIFIED."""
    may_sign = Scope.EVENT_WRITE in scopes  # nobody hands on a scope that they do not hold
    return "set identity providers" + (" and make keys that sign" if may_sign else "")


def _unheard(name: str, issuer: str, reason: str) -> Finding:
    return Finding(
        name,
        f"{issuer} does not say what its keys are, so that nobody can log in with it: {reason}",
        "mend the way to it, or the issuer; it is to be written as in its discovery document",
        kind=Kind.BROKEN,
    )


def _of_the_rest(settings: Settings) -> Iterator[Finding]:
    if settings.log_level == "debug":
        yield Finding(
            variable("log_level"),
            "debug slows every statement down, and libraries tell more than we can answer for",
            "use info",
        )
    if settings.graphiql:
        yield Finding(
            variable("graphiql"),
            "whoever reaches the service is given the page /graphiql",
            "turn it off where it is no development",
            kind=Kind.NOTE,
        )
    if settings.installation_secret is None:
        yield Finding(
            variable("installation_secret"),
            "the secret that ids are keyed by is kept in the graph, and in its backups",
            "begin a new graph with a secret of your own, if that matters",
            kind=Kind.NOTE,
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
