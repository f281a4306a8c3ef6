"""ID tokens: what a good one vouches for, and every bad one refused for a reason of its own."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphid.auth.compact import MAX_TOKEN
from graphid.auth.providers import type_of
from graphid.auth.tokens import IdTokens, issuer_of
from graphid.errors import Refused
from tests.auth.lying_provider import (
    CLIENT,
    EC,
    ED,
    NOW,
    OTHER_RSA,
    RSA,
    LyingProvider,
    encoded,
    signed,
    symmetric,
)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds)


def half_hash(text: str, name: str = "sha256") -> str:
    digest = hashlib.new(name, text.encode()).digest()
    return encoded(digest[: len(digest) // 2])


async def test_a_good_token_vouches_for_what_it_names(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    token = provider.token(
        email="Jane@Example.com",
        email_verified=True,
        phone_number="+442079460958",
        phone_number_verified=True,
        given_name="Jane",
        family_name="Doe",
        account_id=4711,
        nonce="n-1",
        auth_time=NOW - 60,
    )
    found = await id_tokens.validate(
        token, provider.set_up(identifiers={"account_id": "crm_account_id", "not_there": "x"})
    )
    assert found.issuer == provider.issuer
    assert found.subject == "jane"
    assert found.identifiers == (
        (type_of(provider.issuer), "jane"),
        ("crm_account_id", "4711"),
        ("email", "Jane@Example.com"),
        ("phone", "+442079460958"),
    )
    assert found.traits == (("firstName", "Jane"), ("lastName", "Doe"))
    assert found.expires_at == at(300)
    assert found.nonce == "n-1"
    assert found.auth_time == at(-60)


@pytest.mark.parametrize("said", [None, False, "true", 1, "yes", ["true"]])
async def test_an_address_that_is_not_verified_is_not_vouched_for(
    provider: LyingProvider, id_tokens: IdTokens, said: Any
) -> None:
    token = provider.token(
        email="victim@example.com",
        email_verified=said,
        phone_number="+442079460958",
        phone_number_verified=said,
    )
    found = await id_tokens.validate(token, provider.set_up())
    assert found.identifiers == ((type_of(provider.issuer), "jane"),)


async def test_which_claims_hold_contacts_is_a_setting(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    token = provider.token(
        email="jane@example.com", email_verified=True, work="j@w.example", work_verified=True
    )
    set_up = provider.set_up(email_claim="work", subject_type="user_id")
    found = await id_tokens.validate(token, set_up)
    assert found.identifiers == (("user_id", "jane"), ("email", "j@w.example"))
    without = set_up.model_copy(update={"email_claim": None})
    assert (await id_tokens.validate(token, without)).identifiers == (("user_id", "jane"),)


@pytest.mark.parametrize("name", ["", "  ", 7, "x" * 513, "a\nb", ["Jane"]])
async def test_what_is_no_name_is_left_out(
    provider: LyingProvider, id_tokens: IdTokens, name: Any
) -> None:
    token = provider.token(given_name=name, family_name="x" * 512)
    found = await id_tokens.validate(token, provider.set_up())
    assert found.traits == (("lastName", "x" * 512),)


@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["RS256", "ES256", "EdDSA"])
async def test_the_hash_of_an_access_token_is_that_of_the_algorithm(
    provider: LyingProvider, id_tokens: IdTokens, key: Any
) -> None:
    name = "sha512" if key is ED else "sha256"
    token = provider.token(key=key, at_hash=half_hash("access", name), c_hash=half_hash("c", name))
    set_up = provider.set_up()
    await id_tokens.validate(token, set_up, access_token="access", code="c")
    await id_tokens.validate(token, set_up)  # nothing to hold it against
    await id_tokens.validate(provider.token(key=key), set_up, access_token="access", code="c")
    with pytest.raises(Refused, match="belongs to another access token"):
        await id_tokens.validate(token, set_up, access_token="another", code="c")
    with pytest.raises(Refused, match="belongs to another code"):
        await id_tokens.validate(token, set_up, access_token="access", code="d")


async def test_a_token_has_one_digest_however_it_is_signed(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    one, two = (provider.token(key=EC) for _ in range(2))
    assert one != two  # the signatures are made with a new random number each time
    set_up = provider.set_up()
    digests = {(await id_tokens.validate(token, set_up)).digest for token in (one, two)}
    assert len(digests) == 1
    other = await id_tokens.validate(provider.token(key=EC, sub="joe"), set_up)
    assert other.digest not in digests


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"iss": "https://other.example"}, "is from another issuer"),
        ({"iss": None}, "is from another issuer"),
        ({"iss": ["x"]}, "is from another issuer"),
        ({"aud": "somebody else"}, "is for another audience"),
        ({"aud": []}, "is for another audience"),
        ({"aud": [CLIENT, 7]}, "is for another audience"),
        ({"aud": {CLIENT: 1}}, "is for another audience"),
        ({"aud": None}, "lacks aud"),
        ({"aud": [CLIENT, "other"]}, "does not say whom it was issued to"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "was issued to another client"),
        ({"azp": "other"}, "was issued to another client"),
        ({"azp": [CLIENT]}, "azp is not text"),
        ({"exp": NOW - 31}, "has expired"),
        ({"exp": 0}, "has expired"),
        ({"exp": None}, "lacks exp"),
        ({"exp": None, "sub": None}, "lacks exp, sub"),
        ({"exp": "never"}, "exp is not a time"),
        ({"exp": True}, "exp is not a time"),
        ({"exp": 10**300}, "exp is not a time"),
        ({"exp": -1}, "exp is not a time"),
        ({"iat": NOW + 31}, "was issued in the future"),
        ({"iat": None}, "lacks iat"),
        ({"iat": "now"}, "iat is not a time"),
        ({"iat": NOW - 86_431}, "was issued more than a day ago"),
        ({"nbf": NOW + 31}, "is not valid yet"),
        ({"nbf": [1]}, "nbf is not a time"),
        ({"auth_time": "now"}, "auth_time is not a time"),
        ({"auth_time": NOW + 31}, "login that the token tells of is in the future"),
        ({"sub": None}, "lacks sub"),
        ({"sub": ""}, "sub is not valid"),
        ({"sub": 7}, "sub is not valid"),
        ({"sub": "j" * 256}, "longer than 255 characters"),
        ({"sub": "j" * 10_000}, "longer than 255 characters"),
        ({"sub": "jane "}, "sub is not plain text"),
        ({"sub": "ja\u0000ne"}, "sub is not plain text"),
        ({"sub": "jané"}, "sub is not plain text"),
        ({"jti": 7}, "jti is not valid"),
        ({"nonce": 7}, "nonce is not text"),
        ({"nonce": "n" * 513}, "nonce is longer than 512"),
        ({"at_hash": 7}, "at_hash is not text"),
        ({"email": 7.5, "email_verified": True}, "email is not an identifier"),
        ({"email": True, "email_verified": True}, "email is not an identifier"),
        ({"email": "", "email_verified": True}, "email is not an identifier"),
        ({"email": " a@b.example", "email_verified": True}, "email is not an identifier"),
        ({"account_id": "x" * 513}, "account_id is not an identifier"),
        ({"account_id": {"id": 1}}, "account_id is not an identifier"),
        ({"account_id": "a\nb"}, "account_id is not an identifier"),
        (
            {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
            "is a logout token",
        ),
    ],
)
async def test_a_claim_that_is_wrong_is_refused(
    provider: LyingProvider, id_tokens: IdTokens, claims: dict[str, Any], says: str
) -> None:
    set_up = provider.set_up(identifiers={"account_id": "crm_account_id"})
    with pytest.raises(Refused, match=says) as caught:
        await id_tokens.validate(provider.token(**claims), set_up)
    assert caught.value.reasons == (caught.value.message,)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 29},
        {"iat": NOW + 30, "nbf": NOW + 30, "auth_time": NOW + 30},
        {"iat": NOW - 86_430},
        {"nonce": "n" * 512},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"sub": "j" * 255},
        {"events": 7},
        {"events": {"https://example.com/another": {}}},
    ],
)
async def test_what_is_just_right_is_taken(
    provider: LyingProvider, id_tokens: IdTokens, claims: dict[str, Any]
) -> None:
    assert await id_tokens.validate(provider.token(**claims), provider.set_up())


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"crit": ["b64"], "b64": False}, "asks for an extension"),
        ({"crit": []}, "asks for an extension"),
        ({"b64": False}, "asks for an extension"),
        ({"typ": "at+jwt"}, "is of another type"),
        ({"typ": "logout+jwt"}, "is of another type"),
        ({"typ": 7}, "is of another type"),
        ({"kid": 7}, "names its key by something"),
        ({"kid": "k" * 1025}, "names its key by something"),
        ({"kid": "k" * 1024}, "with a key that the provider does not publish"),
        ({"kid": "unknown"}, "with a key that the provider does not publish"),
        ({"kid": "ec"}, "with a key that the provider does not publish"),
        ({"kid": "other"}, "with a key that the provider does not publish"),
        ({"alg": "RS512"}, "an algorithm that is not allowed"),
        ({"x5c": "no list"}, "signature of the token is wrong"),
    ],
)
async def test_a_header_that_is_wrong_is_refused(
    provider: LyingProvider, id_tokens: IdTokens, header: dict[str, Any], says: str
) -> None:
    with pytest.raises(Refused, match=says):
        await id_tokens.validate(provider.token(header=header), provider.set_up())


@pytest.mark.parametrize(
    "header", [{"typ": "JWT"}, {"typ": "application/jwt"}, {"x": 1}, {"kid": None}]
)
async def test_a_header_that_is_not_wrong_is_taken(
    provider: LyingProvider, id_tokens: IdTokens, header: dict[str, Any]
) -> None:
    assert await id_tokens.validate(provider.token(header=header), provider.set_up())


async def test_no_token_brings_its_own_key(provider: LyingProvider, id_tokens: IdTokens) -> None:
    own = OTHER_RSA.as_dict(private=False)
    header = {"jwk": own, "jku": f"{provider.issuer}/mine", "x5u": f"{provider.issuer}/mine"}
    for kid in ("rsa", None):
        token = provider.token(key=OTHER_RSA, header={**header, "kid": kid})
        with pytest.raises(Refused, match="signature of the token is wrong"):
            await id_tokens.validate(token, provider.set_up())
    assert provider.asked("/mine") == 0


@pytest.mark.parametrize("name", ["none", "None", "NONE"])
async def test_an_unsigned_token_is_refused(
    provider: LyingProvider, id_tokens: IdTokens, name: str
) -> None:
    head, body = encoded(f'{{"alg": "{name}"}}'), provider.token().split(".")[1]
    for signature in ("", provider.token().split(".")[2]):
        with pytest.raises(Refused, match="is not signed"):
            await id_tokens.validate(f"{head}.{body}.{signature}", provider.set_up())


async def test_no_public_key_is_taken_for_a_secret(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    for secret in (RSA.as_pem(private=False), RSA.as_der(private=False), b"of the client"):
        for kid in ("rsa", None):
            head = {"alg": "HS256", **({"kid": kid} if kid else {})}
            token = signed(head, provider.claims(), symmetric(secret))
            with pytest.raises(Refused, match="an algorithm that is not allowed"):
                await id_tokens.validate(token, provider.set_up())


async def test_an_algorithm_is_used_with_the_key_that_is_for_it(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    provider.keys = [{**RSA.as_dict(private=False), "alg": "PS256"}]
    with pytest.raises(Refused, match="with a key that the provider does not publish"):
        await id_tokens.validate(provider.token(), provider.set_up())
    assert await id_tokens.validate(provider.token(header={"alg": "PS256"}), provider.set_up())


async def test_a_changed_token_is_refused(provider: LyingProvider, id_tokens: IdTokens) -> None:
    head, _, signature = provider.token().split(".")
    body = provider.token(sub="victim").split(".")[1]
    set_up = provider.set_up()
    for token in (f"{head}.{body}.{signature}", f"{head}.{body}.", f"{head}.{body}.{signature}A"):
        with pytest.raises(Refused, match="signature of the token is wrong"):
            await id_tokens.validate(token, set_up)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "not a signed JSON Web Token"),
        ("..", "not a signed JSON Web Token"),
        ("a.b", "not a signed JSON Web Token"),
        ("a.b.c.d.e", "not a signed JSON Web Token"),
        ("é.é.é", "not a signed JSON Web Token"),
        ("e30=.e30.x", "not a signed JSON Web Token"),
        (f"{encoded('[]')}.{encoded('{}')}.x", "not a signed JSON Web Token"),
        (f"{encoded('{}')}.{encoded('{}')}.x", "does not say how it is signed"),
        (f"{encoded('[' * 5000)}.{encoded('{}')}.x", "not a signed JSON Web Token"),
        (f"{encoded(b'{xff}')}.{encoded('{}')}.x", "not a signed JSON Web Token"),
        (f"{encoded('{}')}.{encoded('{')}.x", "not a signed JSON Web Token"),
        (f"{encoded('{}')}.{encoded('{}')}.x.y", "not a signed JSON Web Token"),
        (f"{encoded('{}')}.{encoded('{}')}.é", "not a signed JSON Web Token"),
        ("a" * MAX_TOKEN, "not a signed JSON Web Token"),
        ("a" * 1_000_000, f"longer than {MAX_TOKEN} characters"),
        ("a" * (MAX_TOKEN + 1), f"longer than {MAX_TOKEN} characters"),
    ],
)
async def test_what_is_no_token_is_refused(
    provider: LyingProvider, id_tokens: IdTokens, token: str, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        await id_tokens.validate(token, provider.set_up())
    assert provider.seen == []


async def test_what_could_be_read_in_two_ways_is_refused(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    good = provider.token()
    twice = f'{{"sub": "victim", {str(provider.claims()).replace(chr(39), chr(34))[1:]}'
    for token in (
        signed({"alg": "RS256", "kid": "rsa"}, twice, RSA),
        signed('{"alg": "RS256", "kid": "rsa", "kid": "rsa"}', provider.claims(), RSA),
        signed({"alg": "RS256"}, '{"x": {"a": 1, "\\u0061": 2}}', RSA),
    ):
        with pytest.raises(Refused, match="holds the same name twice"):
            await id_tokens.validate(token, provider.set_up())
    assert await id_tokens.validate(good, provider.set_up())


async def test_the_nonce_is_that_of_the_login(provider: LyingProvider, id_tokens: IdTokens) -> None:
    set_up = provider.set_up()
    with_one, without = provider.token(nonce="n-1"), provider.token()
    assert (await id_tokens.validate(with_one, set_up, nonce="n-1")).nonce == "n-1"
    assert (await id_tokens.validate(without, set_up)).nonce is None
    with pytest.raises(Refused, match="its nonce is another"):
        await id_tokens.validate(with_one, set_up, nonce="n-2é")
    with pytest.raises(Refused, match="holds no nonce, and the login had one"):
        await id_tokens.validate(without, set_up, nonce="n-1")
    with pytest.raises(Refused, match="nonce of the login is needed"):
        await id_tokens.validate(with_one, provider.set_up(require_nonce=True))


async def test_the_login_is_no_longer_ago_than_allowed(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    token, silent = provider.token(auth_time=NOW - 600), provider.token()
    strict = provider.set_up(max_age=500)
    assert await id_tokens.validate(token, provider.set_up(), max_age=600)
    assert await id_tokens.validate(token, provider.set_up(), max_age=570)
    with pytest.raises(Refused, match="is too long ago"):
        await id_tokens.validate(token, provider.set_up(), max_age=569)
    for asked in (None, 5000):
        with pytest.raises(Refused, match="is too long ago"):
            await id_tokens.validate(token, strict, max_age=asked)
    with pytest.raises(Refused, match="does not say when the login was"):
        await id_tokens.validate(silent, provider.set_up(), max_age=600)


def test_a_token_says_whom_to_ask(provider: LyingProvider) -> None:
    assert issuer_of(provider.token()) == provider.issuer
    assert issuer_of(provider.token(iss=["x"])) is None
    with pytest.raises(Refused, match="not a signed JSON Web Token"):
        issuer_of("x")
