"""Signed identities: what a site proves with its own key, and what it does not."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa
from joserfc.jwk import ECKey, Key

from graphid.auth.compact import MAX_TOKEN
from graphid.auth.signed import SignedIdentities, SigningKey
from graphid.errors import InvalidInput, Refused
from tests.auth.lying_provider import EC, ED, NOW, OTHER_RSA, RSA, encoded, signed, symmetric

SECRET = b"a secret of the site, of 32 bytes or more"
SITE = "site-1"
IDENTITIES = SignedIdentities(clock=lambda: NOW)


def claims(**others: Any) -> dict[str, Any]:
    said = {"sub": "u-1", "iat": NOW - 10, "exp": NOW + 600, **others}
    return {name: value for name, value in said.items() if value is not None}


def proof(key: Key | None = None, alg: str = "HS256", **others: Any) -> str:
    return signed({"alg": alg}, claims(**others), key or symmetric(SECRET))


def unsigned() -> str:
    return f"{encoded(json.dumps({'alg': 'none'}))}.{encoded(json.dumps(claims()))}."


def pem(key: Any) -> str:
    return str(key.as_pem(private=False).decode())


def ssh(key: Any) -> str:
    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return str(key.public_key.public_bytes(*form).decode())


def public_pem(key: Any) -> str:
    return str(
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def test_a_site_proves_who_its_user_is() -> None:
    token = proof(
        iss=SITE,
        aud="graphid",
        email="jane@example.com",
        email_verified=True,
        phone_number="+442079460958",
        phone_number_verified=False,
        given_name="Jane",
    )
    found = IDENTITIES.validate(token, SigningKey.of_secret(SECRET), issuer=SITE)
    assert (found.issuer, found.subject) == (SITE, "u-1")
    assert found.identifiers == (("user_id", "u-1"), ("email", "jane@example.com"))
    assert found.traits == (("firstName", "Jane"),)
    assert found.expires_at.timestamp() == NOW + 600
    assert found.nonce is None


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA")])
def test_a_public_key_is_a_pem(key: Any, alg: str) -> None:
    known = SigningKey.of_public(pem(key))
    assert known.algorithm == alg
    assert IDENTITIES.validate(proof(key, alg), known, issuer=SITE).subject == "u-1"


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (proof(symmetric(b"x" * 32)), "signature of the token is wrong"),
        (proof(RSA, "RS256"), "an algorithm that is not allowed"),
        (proof(alg="HS512"), "an algorithm that is not allowed"),
        (unsigned(), "is not signed"),
        (proof(sub=None), "lacks sub"),
        (proof(sub=7), "sub is not valid"),
        (proof(sub="u" * 10_000), "longer than 255 characters"),
        (proof(sub="u-1 "), "sub is not plain text"),
        (proof(exp=None), "lacks exp"),
        (proof(iat=None), "lacks iat"),
        (proof(exp=NOW - 30), "has expired"),
        (proof(iat=NOW + 31), "issued in the future"),
        (proof(nbf=NOW + 31), "not valid yet"),
        (proof(iat=NOW - 10, exp=NOW + 3591), "valid for more than 3600 s"),
        (proof(exp=NOW + 10**9), "valid for more than 3600 s"),
        (proof(iss="another"), "from another issuer"),
        (proof(aud="another service"), "for another audience"),
        (proof(email=["a@b.example"], email_verified=True), "email is not an identifier"),
        (signed({"alg": "HS256", "crit": []}, claims(), symmetric(SECRET)), "an extension"),
        (signed({"alg": "HS256", "typ": "at+jwt"}, claims(), symmetric(SECRET)), "another type"),
        (
            signed({"alg": "HS256"}, '{"sub": "a", "sub": "b"}', symmetric(SECRET)),
            "the same name twice",
        ),
        ("x" * 1_000_000, f"longer than {MAX_TOKEN}"),
        ("x", "not a signed JSON Web Token"),
    ],
)
def test_any_other_token_is_refused(token: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as caught:
        IDENTITIES.validate(token, SigningKey.of_secret(SECRET), issuer=SITE)
    assert caught.value.reasons == (caught.value.message,)


def test_the_key_says_the_algorithm_and_never_the_token() -> None:
    known = SigningKey.of_public(pem(RSA))
    for secret in (RSA.as_pem(private=False), RSA.as_der(private=False)):
        with pytest.raises(Refused, match="an algorithm that is not allowed"):
            IDENTITIES.validate(proof(symmetric(secret)), known, issuer=SITE)
    with pytest.raises(Refused, match="an algorithm that is not allowed"):
        IDENTITIES.validate(proof(RSA, "PS256"), known, issuer=SITE)
    with pytest.raises(Refused, match="signature of the token is wrong"):
        IDENTITIES.validate(proof(OTHER_RSA, "RS256"), known, issuer=SITE)


def test_how_long_an_identity_may_last_is_a_setting() -> None:
    strict = SignedIdentities(lifetime=60, clock=lambda: NOW)
    known = SigningKey.of_secret(SECRET.decode())
    assert strict.validate(proof(iat=NOW, exp=NOW + 60), known, issuer=SITE)
    with pytest.raises(Refused, match="valid for more than 60 s"):
        strict.validate(proof(iat=NOW, exp=NOW + 61), known, issuer=SITE)


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("x" * 31, "has 32 to 1024 bytes"),
        ("", "has 32 to 1024 bytes"),
        ("x" * 1025, "has 32 to 1024 bytes"),
        (pem(RSA), "is the key of a pair"),
        (pem(RSA).replace("-----BEGIN", "---- BEGIN"), "is the key of a pair"),
        (RSA.as_der(private=False), "is the key of a pair"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", "is the key of a pair"),
    ],
    ids=itertools.count(),  # the keys are others each time
)
def test_what_is_no_secret(secret: str | bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        SigningKey.of_secret(secret)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "as PEM"),
        ('{"kty": "oct", "k": "c2VjcmV0"}', "as PEM"),
        (RSA.as_pem(private=True).decode(), "is a private key"),
        (pem(ECKey.generate_key("P-384")), "P-256"),
        (public_pem(dsa.generate_private_key(1024)), "an RSA key, an EC key"),
    ],
)
def test_what_is_no_public_key(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        SigningKey.of_public(text)
    assert caught.value.__cause__ is None


def test_no_key_shows() -> None:
    assert "secret" not in repr(SigningKey.of_secret(SECRET))
    assert SigningKey.of_secret(SECRET).algorithm == "HS256"
