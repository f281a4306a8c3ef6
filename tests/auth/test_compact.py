"""Tokens of any shape: whatever comes is proven or refused, and never anything else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from graphid.auth.compact import Claims, take_apart
from graphid.auth.public_keys import key_of_jwk
from graphid.auth.signed import SignedIdentities, SigningKey
from graphid.errors import Refused
from tests.auth.lying_provider import EC, ED, NOW, RSA, encoded, signed, symmetric

SECRET = b"a secret that is known to the tests only"
KEYS = [key_of_jwk(dict(key.as_dict(private=False))) for key in (RSA, EC, ED)]

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([NOW, NOW + 60, NOW - 60, "u-1", "graphid", "site", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
CONTACTS = ("email", "phone_number")
NAMES = ("iss", "aud", "sub", "exp", "iat", "nbf", "jti", "events", "azp", "given_name")
MARKS = tuple(f"{name}_verified" for name in CONTACTS)
CLAIMS = st.dictionaries(st.sampled_from([*NAMES, *CONTACTS, *MARKS]), VALUES)
GOOD = {"sub": "u-1", "iat": NOW, "exp": NOW + 60, "email": "a@b.example"}
HEADERS = st.dictionaries(
    st.sampled_from(
        ["alg", "kid", "typ", "cty", "crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x"]
    ),
    VALUES | st.sampled_from(["RS256", "ES256", "EdDSA", "HS256", "none", "JWT", "rsa"]),
)


def proven(token: str) -> Claims | None:
    try:
        return take_apart(token).proven_by(KEYS)
    except Refused:
        return None


@given(st.text() | st.text("abAB01-_.=", max_size=60))
def test_text_proves_nothing(token: str) -> None:
    assert proven(token) is None


@given(HEADERS, CLAIMS, st.binary(max_size=300))
def test_no_signature_that_is_made_up_proves_anything(
    header: dict[str, Any], claims: dict[str, Any], signature: bytes
) -> None:
    texts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    assert proven(".".join(encoded(text) for text in texts)) is None


@given(HEADERS, st.sampled_from([RSA, EC, ED]))
def test_a_header_around_a_good_signature(header: dict[str, Any], key: Any) -> None:
    name = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[key.key_type]
    token = signed({**header, "alg": name}, {"sub": "u-1"}, key)
    found = proven(token)
    assert found is None or found.values == {"sub": "u-1"}


def test_a_key_proves_nothing_in_a_way_that_is_not_its_own() -> None:
    key = key_of_jwk({**RSA.as_dict(private=False), "alg": "RS256"})
    for name, is_proven in (("RS256", True), ("RS512", False), ("PS256", False)):
        token = take_apart(signed({"alg": name}, {"sub": "u-1"}, RSA))
        assert (token.proven_by([key]) is not None) == is_proven


@given(CLAIMS)
def test_claims_that_are_signed_are_read_or_refused(claims: dict[str, Any]) -> None:
    claims = {**GOOD, **claims}
    token = signed({"alg": "HS256"}, claims, symmetric(SECRET))
    identities = SignedIdentities(clock=lambda: NOW)
    try:
        found = identities.validate(token, SigningKey.of_secret(SECRET), issuer="site")
    except Refused:
        return
    assert found.identifiers[0] == ("user_id", claims["sub"])
    for type, mark in zip(("email", "phone"), MARKS, strict=True):
        if claims.get(mark) is not True:
            assert type not in dict(found.identifiers)


@given(
    st.dictionaries(st.sampled_from(["kty", "n", "e", "crv", "x", "y", "d", "use", "alg"]), VALUES)
)
def test_what_is_in_a_key_set_is_a_key_or_none(jwk: dict[str, Any]) -> None:
    try:
        found = key_of_jwk({**RSA.as_dict(private=False), **jwk})
    except ValueError:
        return
    assert found.algorithms
