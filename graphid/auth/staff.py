"""People of the organisation: bearer tokens of its own provider, and what their roles may do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphid.auth import claims as read
from graphid.auth.compact import Claims, refused, take_apart
from graphid.auth.key_sets import KeySets
from graphid.auth.providers import Provider
from graphid.auth.scopes import Scope
from graphid.errors import Refused, Unauthorized

TYPES = ("jwt", "at+jwt")
"""What a bearer token may be: an ID token, or an access token (RFC 9068)."""


@dataclass(frozen=True)
class StaffRules:
    """How tokens of people are read.

    ``provider``: the organisation's, with the audience of its tokens as its client id.
    ``roles_claim``: a claim, or a path of names with dots between them.
    """

    provider: Provider
    roles: Mapping[str, frozenset[Scope]]
    roles_claim: str = "roles"


@dataclass(frozen=True)
class Staff:
    """Somebody of the organisation. ``name`` is the actor of what they do."""

    subject: str
    name: str
    scopes: frozenset[Scope] = field(default=frozenset())


class StaffTokens:
    """Validates bearer tokens of people."""

    def __init__(
        self, rules: StaffRules, key_sets: KeySets, clock: Callable[[], float] = time.time
    ) -> None:
        """``clock``: seconds since 1970."""
        self._rules = rules
        self._key_sets = key_sets
        self._clock = clock

    async def validate(self, token: str) -> Staff:
        """Who shows this token, with the scopes of their roles; none where no role is mapped.

        Raises Unauthorized, with the reason.
        """
        try:
            claims = await self._proven(token)
            subject = read.subject_of(claims)
        except Refused as refusal:
            raise Unauthorized(refusal.message) from None
        roles = _roles_of(claims, self._rules.roles_claim)
        scopes = (self._rules.roles.get(role, frozenset()) for role in roles)
        return Staff(subject, _name_of(claims, subject), frozenset().union(*scopes))

    async def _proven(self, token: str) -> Claims:
        provider = self._rules.provider
        unproven = take_apart(token, types=TYPES)
        if unproven.values.get("iss") != provider.issuer:
            raise refused("The token is from another issuer.")
        claims = await self._key_sets.proven(unproven, provider)
        read.check_registered(
            claims,
            now=self._clock(),
            leeway=provider.leeway,
            essential=("iss", "sub", "aud", "exp"),
            issuer=provider.issuer,
            audience=provider.client_id,
        )
        return claims


def _name_of(claims: Claims, subject: str) -> str:
    named = (claims.values.get(name) for name in ("preferred_username", "email"))
    return next((name for name in named if read.is_name(name)), subject)


def _roles_of(claims: Claims, path: str) -> frozenset[str]:
    """The roles: a list of texts, or one text with spaces between them, as ``scope`` is written."""
    found = _at(claims.values, path)
    listed = found.split() if isinstance(found, str) else found
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(role for role in listed if isinstance(role, str))


def _at(values: Mapping[str, Any], path: str) -> Any:
    # The whole path first: names of claims may be addresses, which have dots in them.
    if path in values:
        return values[path]
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
