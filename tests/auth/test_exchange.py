"""Codes: exchanged at the provider, as it wants to be asked, and only where it may succeed."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from graphid.auth.exchange import CodeExchange
from graphid.auth.key_sets import CONFIGURATION, RETRY, KeySets
from graphid.auth.outbound import Outbound
from graphid.errors import InvalidInput, Refused
from tests.auth.conftest import Clock
from tests.auth.lying_provider import CLIENT, REDIRECT, LyingProvider, Said, silent

VERIFIER = "v" * 43
CODE = "the code"


@pytest.fixture
def exchange(outbound: Outbound, key_sets: KeySets) -> CodeExchange:
    return CodeExchange(outbound, key_sets)


async def test_a_secret_is_shown_as_basic(provider: LyingProvider, exchange: CodeExchange) -> None:
    set_up = provider.set_up(client_id="a client:1", client_secret="s:/%+ é")
    found = await exchange.exchange(
        set_up, code=CODE, redirect_uri=REDIRECT, code_verifier=VERIFIER
    )
    assert (found.id_token, found.access_token) == ("x", "y")
    assert "x" not in repr(found).removeprefix("TokenAnswer")
    seen = provider.seen[-1]
    assert seen.form == {
        "grant_type": ["authorization_code"],
        "code": [CODE],
        "redirect_uri": [REDIRECT],
        "code_verifier": [VERIFIER],
    }
    scheme, _, pair = (seen.authorization or "").partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(pair) == b"a+client%3A1:s%3A%2F%25%2B+%C3%A9"


async def test_a_secret_is_shown_in_the_form(
    provider: LyingProvider, exchange: CodeExchange
) -> None:
    set_up = provider.set_up(auth_method="client_secret_post")
    await exchange.exchange(set_up, code=CODE, redirect_uri=REDIRECT)
    seen = provider.seen[-1]
    assert seen.authorization is None
    assert seen.form["client_id"] == [CLIENT]
    assert seen.form["client_secret"] == ["of the client"]
    assert "code_verifier" not in seen.form


async def test_a_public_client_needs_the_verifier(
    provider: LyingProvider, exchange: CodeExchange
) -> None:
    set_up = provider.set_up(client_secret=None)
    with pytest.raises(Refused, match="only with its verifier"):
        await exchange.exchange(set_up, code=CODE, redirect_uri=REDIRECT)
    assert provider.seen == []
    await exchange.exchange(set_up, code=CODE, redirect_uri=REDIRECT, code_verifier=VERIFIER)
    seen = provider.seen[-1]
    assert seen.authorization is None
    assert seen.form["client_id"] == [CLIENT]
    assert "client_secret" not in seen.form


@pytest.mark.parametrize(
    "redirect",
    ["", f"{REDIRECT}/", f"{REDIRECT}?a", REDIRECT.upper(), "https://evil.example/logged-in"],
)
async def test_a_redirect_that_is_not_on_the_list_is_refused(
    provider: LyingProvider, exchange: CodeExchange, redirect: str
) -> None:
    with pytest.raises(Refused, match="not on the provider's list"):
        await exchange.exchange(provider.set_up(), code=CODE, redirect_uri=redirect)
    with pytest.raises(Refused, match="not on the provider's list"):
        await exchange.exchange(provider.set_up(redirect_uris=[]), code=CODE, redirect_uri=REDIRECT)
    assert provider.seen == []


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"code": ""}, "authCode"),
        ({"code": "c" * 4097}, "authCode"),
        ({"code": "a\nb"}, "authCode"),
        ({"code": "é"}, "authCode"),
        ({"code_verifier": "v" * 42}, "codeVerifier"),
        ({"code_verifier": "v" * 129}, "codeVerifier"),
        ({"code_verifier": "v" * 42 + "+"}, "codeVerifier"),
        ({"code_verifier": ""}, "codeVerifier"),
    ],
)
async def test_what_can_be_no_code_or_verifier_is_invalid(
    provider: LyingProvider, exchange: CodeExchange, sent: dict[str, str], field: str
) -> None:
    asked: dict[str, Any] = {"code": CODE, "redirect_uri": REDIRECT, **sent}
    with pytest.raises(InvalidInput) as caught:
        await exchange.exchange(provider.set_up(), **asked)
    assert caught.value.path == (field,)
    assert provider.seen == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Said({"error": "invalid_grant", "error_description": "SECRET"}, 400), "used before"),
        (Said({"error": "invalid_client"}, 401), "does not know graphid"),
        (Said({"error": "unauthorized_client"}, 400), "does not let graphid exchange codes"),
        (Said({"error": "SECRET"}, 400), "refused to exchange the code"),
        (Said({"error": ["SECRET"]}, 400), "refused to exchange the code"),
        (Said({}, 404), "refused to exchange the code"),
        (Said({"access_token": "SECRET"}), "gave no ID token"),
        (Said({"id_token": 7}), "gave no ID token"),
        (Said({"id_token": "x", "access_token": 7}), "an access token that is not text"),
        (Said({}, 502), "with status 502"),
        (Said({}, 302, headers={"Location": "https://evil.example"}), "with a redirect"),
        (Said(b"SECRET", kind="text/plain"), "other than JSON"),
    ],
)
async def test_what_the_provider_refuses_is_refused(
    provider: LyingProvider, exchange: CodeExchange, answer: Said, says: str
) -> None:
    provider.code_answer = answer
    with pytest.raises(Refused, match=says) as caught:
        await exchange.exchange(provider.set_up(), code=CODE, redirect_uri=REDIRECT)
    assert "SECRET" not in str(caught.value)
    assert caught.value.reasons == (caught.value.message,)
    assert provider.asked("/token") == 1


async def test_an_answer_without_an_access_token_will_do(
    provider: LyingProvider, exchange: CodeExchange
) -> None:
    provider.code_answer = Said({"id_token": "x"})
    found = await exchange.exchange(provider.set_up(), code=CODE, redirect_uri=REDIRECT)
    assert found.access_token is None


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        (None, "does not say where codes are exchanged"),
        ("https://evil.example/token", "a host that is not set up"),
    ],
)
async def test_a_code_goes_nowhere_else(
    provider: LyingProvider, exchange: CodeExchange, endpoint: str | None, says: str
) -> None:
    said = {**provider.configuration, "token_endpoint": endpoint}
    provider.says[CONFIGURATION] = Said({k: v for k, v in said.items() if v is not None})
    with pytest.raises(Refused, match=says):
        await exchange.exchange(provider.set_up(), code=CODE, redirect_uri=REDIRECT)


@pytest.mark.parametrize("keys", [Said({}, 503), Said({"keys": []})])
async def test_a_code_is_not_used_up_where_no_token_could_be_believed(
    provider: LyingProvider, exchange: CodeExchange, clock: Clock, keys: Said
) -> None:
    provider.says["/keys"] = keys
    for _ in range(2):
        with pytest.raises(Refused, match=r"status 503|key set is empty"):
            await exchange.exchange(provider.set_up(), code=CODE, redirect_uri=REDIRECT)
    assert provider.asked("/token") == 0
    provider.says.clear()
    clock.now = RETRY
    assert await exchange.exchange(provider.set_up(), code=CODE, redirect_uri=REDIRECT)


async def test_a_provider_that_is_slow_is_left(provider: LyingProvider, key_sets: KeySets) -> None:
    provider.says["/token"] = silent
    impatient = Outbound(timeout=0.2)
    with pytest.raises(Refused, match=r"did not answer within 0\.2 s"):
        await CodeExchange(impatient, key_sets).exchange(
            provider.set_up(), code=CODE, redirect_uri=REDIRECT
        )
    await impatient.aclose()
