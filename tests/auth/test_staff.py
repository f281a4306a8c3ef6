"""People of the organisation: who they are, and what their roles may do."""

from __future__ import annotations

from typing import Any

import pytest

from graphid.auth.key_sets import KeySets
from graphid.auth.scopes import Scope
from graphid.auth.staff import Staff, StaffRules, StaffTokens
from graphid.errors import Unauthorized
from tests.auth.lying_provider import NOW, OTHER_RSA, LyingProvider, Said

AUDIENCE = "graphid-of-the-staff"
ROLES = {
    "agent": frozenset({Scope.JOURNEY_VIEW, Scope.CHAT_WRITE}),
    "operator": frozenset({Scope.JOURNEY_VIEW, Scope.IDENTITY_EDIT}),
}


@pytest.fixture
def tokens(provider: LyingProvider, key_sets: KeySets) -> StaffTokens:
    return of(provider, key_sets)


def of(provider: LyingProvider, key_sets: KeySets, **rules: Any) -> StaffTokens:
    set_up = provider.set_up(client_id=AUDIENCE)
    return StaffTokens(StaffRules(set_up, ROLES, **rules), key_sets, lambda: NOW)


def token(provider: LyingProvider, typ: str | None = "at+jwt", **claims: Any) -> str:
    said: dict[str, Any] = {"aud": AUDIENCE, "roles": ["agent"], **claims}
    return provider.token(header={"typ": typ}, **said)


@pytest.mark.parametrize("typ", ["at+jwt", "JWT", None, "application/at+jwt"])
async def test_a_token_says_who_it_is(
    provider: LyingProvider, tokens: StaffTokens, typ: str | None
) -> None:
    assert await tokens.validate(token(provider, typ)) == Staff("jane", "jane", ROLES["agent"])


@pytest.mark.parametrize(
    ("roles", "scopes"),
    [
        (["agent", "operator"], ROLES["agent"] | ROLES["operator"]),
        ("operator", ROLES["operator"]),
        ("openid agent", ROLES["agent"]),
        (["unknown", 7, None, ["agent"]], frozenset()),
        (["Agent", "agent "], frozenset()),
        ([], frozenset()),
        ("", frozenset()),
        (None, frozenset()),
        ({"agent": True}, frozenset()),
        (7, frozenset()),
    ],
)
async def test_scopes_are_those_of_the_roles(
    provider: LyingProvider, tokens: StaffTokens, roles: Any, scopes: frozenset[Scope]
) -> None:
    assert (await tokens.validate(token(provider, roles=roles))).scopes == scopes


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["agent"]}}),
        ("a.b.c", {"a": {"b": {"c": "agent"}}}),
        ("https://x.example/roles", {"https://x.example/roles": ["agent"]}),
    ],
)
async def test_roles_are_where_the_setting_says(
    provider: LyingProvider, key_sets: KeySets, path: str, claims: dict[str, Any]
) -> None:
    tokens = of(provider, key_sets, roles_claim=path)
    assert (await tokens.validate(token(provider, roles=None, **claims))).scopes == ROLES["agent"]
    for said in ({}, {path.partition(".")[0]: "agent"}, {path.partition(".")[0]: {"x": 1}}):
        assert (await tokens.validate(token(provider, **said))).scopes == frozenset()


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "j.doe", "email": "jane@example.com"}, "j.doe"),
        ({"email": "jane@example.com"}, "jane@example.com"),
        ({"preferred_username": "", "email": "jane@example.com"}, "jane@example.com"),
        ({"preferred_username": "a\nb", "email": 7}, "jane"),
        ({"preferred_username": "x" * 513}, "jane"),
    ],
)
async def test_the_actor_is_whom_people_know(
    provider: LyingProvider, tokens: StaffTokens, claims: dict[str, Any], name: str
) -> None:
    assert (await tokens.validate(token(provider, **claims))).name == name


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"typ": "logout+jwt"}, "of another type"),
        ({"aud": "another"}, "for another audience"),
        ({"aud": None}, "lacks aud"),
        ({"iss": "https://other.example"}, "from another issuer"),
        ({"exp": NOW - 31}, "has expired"),
        ({"exp": None}, "lacks exp"),
        ({"iat": NOW + 31}, "issued in the future"),
        ({"sub": None}, "lacks sub"),
        ({"sub": "a" * 256}, "longer than 255"),
        ({"key": OTHER_RSA}, "a key that the provider does not publish"),
    ],
)
async def test_a_token_that_is_wrong_shows_nobody(
    provider: LyingProvider, tokens: StaffTokens, claims: dict[str, Any], says: str
) -> None:
    with pytest.raises(Unauthorized, match=says):
        await tokens.validate(token(provider, **claims))


async def test_an_access_token_may_be_for_others_too(
    provider: LyingProvider, tokens: StaffTokens
) -> None:
    said = token(provider, aud=["account", AUDIENCE], azp="the-desktop", iat=None)
    assert (await tokens.validate(said)).scopes == ROLES["agent"]


async def test_without_keys_nobody_is_let_in(provider: LyingProvider, tokens: StaffTokens) -> None:
    provider.says["/keys"] = Said({}, 503)
    with pytest.raises(Unauthorized, match="with status 503"):
        await tokens.validate(token(provider))
