"""Key sets: kept, renewed, and never asked for in a flood."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from graphid.auth.key_sets import CONFIGURATION, COOL_DOWN, FRESH, MAX_KEYS, RETRY, KeySets
from graphid.auth.outbound import Outbound
from graphid.auth.public_keys import UnusableKey, key_of_jwk
from graphid.auth.tokens import IdTokens, Vouched
from graphid.errors import Refused
from tests.auth.conftest import Clock
from tests.auth.lying_provider import (
    CLIENT,
    EC,
    ED,
    NOW,
    OTHER_RSA,
    RSA,
    Exchange,
    LyingProvider,
    Said,
    silent,
)

RSA_JWK: dict[str, Any] = dict(RSA.as_dict(private=False))
EC_JWK: dict[str, Any] = dict(EC.as_dict(private=False))
ED_JWK: dict[str, Any] = dict(ED.as_dict(private=False))
OTHER_JWK: dict[str, Any] = dict(OTHER_RSA.as_dict(private=False))
UNKNOWN = "with a key that the provider does not publish"


def at_once(coroutine: Coroutine[Any, Any, Vouched]) -> Vouched:
    """What it comes to without waiting for anything; whatever waits fails."""
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    found: Vouched = done.value.value
    return found


async def under_way(provider: LyingProvider) -> None:
    """Waits for the keys that are asked for."""
    name = f"keys of {provider.issuer}"
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == name))


async def test_keys_are_asked_for_once(provider: LyingProvider, id_tokens: IdTokens) -> None:
    set_up = provider.set_up()
    tokens = [provider.token(key=key) for key in (RSA, EC, ED)] * 20
    await asyncio.gather(*(id_tokens.validate(token, set_up) for token in tokens))
    assert (provider.asked(CONFIGURATION), provider.asked("/keys")) == (1, 1)


async def test_a_thousand_unknown_keys_are_one_question_a_minute(
    provider: LyingProvider, id_tokens: IdTokens, clock: Clock
) -> None:
    set_up = provider.set_up()
    await id_tokens.validate(provider.token(), set_up)
    assert provider.asked("/keys") == 1
    for minute in (1, 2):
        clock.now = minute * COOL_DOWN
        for number in range(1000):
            token = provider.token(key=ED, header={"kid": f"unknown-{number}"})
            with pytest.raises(Refused, match=UNKNOWN):
                await id_tokens.validate(token, set_up)
        assert provider.asked("/keys") == 1 + minute


async def test_a_new_key_is_found_by_its_name(
    provider: LyingProvider, id_tokens: IdTokens, clock: Clock
) -> None:
    set_up = provider.set_up()
    await id_tokens.validate(provider.token(), set_up)
    provider.keys = [OTHER_JWK]
    token = provider.token(key=OTHER_RSA)
    clock.now = COOL_DOWN - 1
    with pytest.raises(Refused, match=UNKNOWN):
        await id_tokens.validate(token, set_up)
    clock.now = COOL_DOWN
    found = await asyncio.gather(*(id_tokens.validate(token, set_up) for _ in range(10)))
    assert len(found) == 10
    assert provider.asked("/keys") == 2
    with pytest.raises(Refused, match=UNKNOWN):  # and the old one is no longer one of theirs
        await id_tokens.validate(provider.token(), set_up)


async def test_a_key_without_a_name_may_be_replaced(
    provider: LyingProvider, id_tokens: IdTokens, clock: Clock
) -> None:
    nameless = {"kid": None}
    provider.keys = [{k: v for k, v in RSA_JWK.items() if k != "kid"}]
    set_up = provider.set_up()
    await id_tokens.validate(provider.token(header=nameless), set_up)
    provider.keys = [{k: v for k, v in OTHER_JWK.items() if k != "kid"}]
    clock.now = COOL_DOWN
    assert await id_tokens.validate(provider.token(key=OTHER_RSA, header=nameless), set_up)
    with pytest.raises(Refused, match=UNKNOWN):  # a name that no key has
        await id_tokens.validate(provider.token(key=OTHER_RSA), set_up)


@pytest.mark.parametrize(
    "answer",
    [
        Said({"keys": []}),
        Said({"keys": [None, {"kty": "oct", "k": "c2VjcmV0"}]}),
        Said({"keys": [RSA_JWK] * (MAX_KEYS + 1)}),
        Said({"keys": "none"}),
        Said({}),
        Said({}, 500),
    ],
)
async def test_what_was_got_is_not_given_up_for_nothing(
    provider: LyingProvider, id_tokens: IdTokens, clock: Clock, answer: Said
) -> None:
    set_up, token = provider.set_up(), provider.token()
    await id_tokens.validate(token, set_up)
    provider.says["/keys"] = answer
    clock.now = COOL_DOWN
    with pytest.raises(Refused, match=UNKNOWN):
        await id_tokens.validate(provider.token(header={"kid": "unknown"}), set_up)
    assert provider.asked("/keys") == 2
    assert await id_tokens.validate(token, set_up)


async def test_old_keys_are_renewed_in_passing(
    provider: LyingProvider, id_tokens: IdTokens, clock: Clock
) -> None:
    set_up, token = provider.set_up(), provider.token()
    await id_tokens.validate(token, set_up)
    clock.now = FRESH - 1
    assert at_once(id_tokens.validate(token, set_up))
    provider.keys = [OTHER_JWK]
    clock.now = FRESH
    # Nobody waits for the new ones: they are there when they have come.
    assert at_once(id_tokens.validate(token, set_up))
    await under_way(provider)
    with pytest.raises(Refused, match=UNKNOWN):
        at_once(id_tokens.validate(token, set_up))
    assert provider.asked("/keys") == 2


async def test_a_slow_provider_holds_up_nobody_who_needs_nothing_of_it(
    provider: LyingProvider, id_tokens: IdTokens, clock: Clock
) -> None:
    set_up, token = provider.set_up(), provider.token()
    await id_tokens.validate(token, set_up)
    provider.says["/keys"] = silent
    clock.now = FRESH
    for _ in range(3):
        assert at_once(id_tokens.validate(token, set_up))
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/keys", (Said({"keys": []}), "key set is empty")),
        ("/keys", (Said({"keys": {}}), "key set is empty")),
        ("/keys", (Said({"keys": ["x"]}), "no key that can be used")),
        ("/keys", (Said({"keys": [RSA_JWK] * (MAX_KEYS + 1)}), "more than 100 keys")),
        ("/keys", (Said({"keys": ["x" * 300_000]}), "more than 262144 bytes")),
        ("/keys", (Said({}, 503), "with status 503")),
        ("/keys", (Said(b'{"keys": [], "keys": []}'), "ambiguous")),
        (CONFIGURATION, (Said({}, 404), "with status 404")),
        (CONFIGURATION, (Said({"issuer": "https://other.example"}), "that it is another issuer")),
        (CONFIGURATION, (Said({"issuer": ["x"]}), "that it is another issuer")),
    ],
)
async def test_without_keys_nobody_is_believed(
    provider: LyingProvider, id_tokens: IdTokens, clock: Clock, path: str, answer: tuple[Said, str]
) -> None:
    set_up, token = provider.set_up(), provider.token()
    provider.says[path], says = answer
    for _ in range(3):
        with pytest.raises(Refused, match=says):
            await id_tokens.validate(token, set_up)
    assert provider.asked(path) == 1
    provider.says.clear()  # as soon as it is itself again, people can log in
    clock.now = RETRY
    assert await id_tokens.validate(token, set_up)


async def test_the_pause_begins_when_a_question_has_failed(
    provider: LyingProvider, id_tokens: IdTokens, clock: Clock
) -> None:
    """However long that took: else whoever waited for it would ask, and wait, once more."""

    def slow(exchange: Exchange) -> None:
        clock.now += RETRY
        exchange.say(Said({}, 503))

    provider.says["/keys"] = slow
    set_up, token = provider.set_up(), provider.token()
    for _ in range(3):
        with pytest.raises(Refused, match="with status 503"):
            await id_tokens.validate(token, set_up)
    assert provider.asked("/keys") == 1
    provider.says.clear()
    clock.now += RETRY
    assert await id_tokens.validate(token, set_up)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"jwks_uri": None}, "does not say where its keys are"),
        ({"token_endpoint": 7}, "does not say where its keys are"),
        ({"jwks_uri": "https://evil.example/keys"}, "a host that is not set up"),
        ({"jwks_uri": "http://evil.example/keys"}, "an address that may not be called"),
        ({"jwks_uri": "file:///etc/passwd"}, "an address that may not be called"),
    ],
)
async def test_keys_come_from_where_they_may(
    provider: LyingProvider, id_tokens: IdTokens, said: dict[str, Any], says: str
) -> None:
    provider.says[CONFIGURATION] = Said({**provider.configuration, **said})
    with pytest.raises(Refused, match=says):
        await id_tokens.validate(provider.token(), provider.set_up())


async def test_keys_may_be_on_another_host_that_is_set_up(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    other = provider.issuer.replace("127.0.0.1", "localhost")
    provider.says[CONFIGURATION] = Said({**provider.configuration, "jwks_uri": f"{other}/keys"})
    with pytest.raises(Refused, match="a host that is not set up"):
        await id_tokens.validate(provider.token(), provider.set_up())
    set_up = provider.set_up(hosts=[other.removeprefix("http://")])
    assert await id_tokens.validate(provider.token(), set_up)


async def test_who_gives_up_waiting_leaves_the_answer_to_the_others(
    provider: LyingProvider, id_tokens: IdTokens
) -> None:
    set_up, token = provider.set_up(), provider.token()
    first, second = (asyncio.create_task(id_tokens.validate(token, set_up)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    assert provider.asked("/keys") == 1


async def test_what_is_under_way_ends_with_the_process(
    provider: LyingProvider, outbound: Outbound
) -> None:
    provider.says[CONFIGURATION] = silent
    key_sets = KeySets(outbound, Clock())
    waiting = asyncio.create_task(key_sets.published(provider.set_up()))
    await asyncio.sleep(0)
    await key_sets.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("path", [CONFIGURATION, "/keys"])
async def test_what_is_published_cannot_be_had(
    provider: LyingProvider, key_sets: KeySets, path: str
) -> None:
    provider.says[path] = Said({}, 500)
    with pytest.raises(Refused, match="with status 500"):
        await key_sets.published(provider.set_up())


# Which keys are used --------------------------------------------------------------------------


async def test_only_keys_that_fit_are_tried(provider: LyingProvider, id_tokens: IdTokens) -> None:
    provider.keys = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "rsa"},
        {**OTHER_JWK, "use": "enc"},
        {**EC_JWK, "kid": "rsa"},
        RSA_JWK,
    ]
    set_up = provider.set_up()
    assert await id_tokens.validate(provider.token(), set_up)
    assert await id_tokens.validate(provider.token(header={"kid": None}), set_up)
    with pytest.raises(Refused, match="signature of the token is wrong"):
        await id_tokens.validate(provider.token(key=OTHER_RSA, header={"kid": None}), set_up)


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        (RSA_JWK, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ({**RSA_JWK, "alg": "RS256", "use": "sig", "key_ops": ["verify"]}, {"RS256"}),
        ({**RSA_JWK, "x5u": 7, "oth": []}, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (EC_JWK, {"ES256"}),
        (ED_JWK, {"EdDSA", "Ed25519"}),
    ],
)
def test_a_key_says_what_it_is_for(jwk: dict[str, Any], algorithms: set[str]) -> None:
    found = key_of_jwk(jwk)
    assert found.algorithms == algorithms
    assert found.kid == jwk["kid"]


@pytest.mark.parametrize(
    ("jwk", "says"),
    [
        (None, "is not an object"),
        ({}, "is not an RSA, EC or OKP key"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "is not an RSA, EC or OKP key"),
        ({"kty": 7}, "has a kty that is not text"),
        (RSA.as_dict(private=True), "is a private key"),
        ({**RSA_JWK, "use": "enc"}, "is not for signatures"),
        ({**RSA_JWK, "key_ops": ["encrypt"]}, "is not for signatures"),
        ({**RSA_JWK, "key_ops": "verify"}, "is not for signatures"),
        ({**RSA_JWK, "alg": "HS256"}, "for an algorithm that is not used here"),
        ({**RSA_JWK, "alg": "none"}, "for an algorithm that is not used here"),
        ({**EC_JWK, "alg": "ES384"}, "for an algorithm that is not used here"),
        ({**EC_JWK, "crv": "secp256k1"}, "for an algorithm that is not used here"),
        ({**ED_JWK, "crv": "X25519"}, "for an algorithm that is not used here"),
        ({**EC_JWK, "crv": None}, "for an algorithm that is not used here"),
        ({**RSA_JWK, "kid": 7}, "has a kid that is not text"),
        ({**RSA_JWK, "n": None}, "is not a key of its kind"),
        ({**RSA_JWK, "n": "!"}, "is not a key of its kind"),
        ({**RSA_JWK, "e": "AA"}, "is not a key of its kind"),
        ({**EC_JWK, "y": EC_JWK["x"]}, "is not a key of its kind"),
        ({**RSA_JWK, "n": "_" * 300}, "fewer than 2048 or more than 8192 bits"),
        ({**RSA_JWK, "n": "_" * 1400}, "fewer than 2048 or more than 8192 bits"),
        ({**RSA_JWK, "e": "_" * 8}, "fewer than 2048 or more than 8192 bits"),
    ],
)
def test_what_is_no_key_for_signatures(jwk: Any, says: str) -> None:
    with pytest.raises(UnusableKey, match=says):
        key_of_jwk(jwk)


async def test_a_clock_of_its_own(provider: LyingProvider, outbound: Outbound) -> None:
    key_sets = KeySets(outbound)
    found = await IdTokens(key_sets, lambda: NOW).validate(provider.token(), provider.set_up())
    assert found.identifiers[0][1] == "jane"
    assert provider.claims()["aud"] == CLIENT
    await key_sets.aclose()
