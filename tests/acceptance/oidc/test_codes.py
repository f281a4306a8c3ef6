"""The authorization code flow with a certified provider, from the browser to what is believed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from graphid.auth.exchange import CodeExchange
from graphid.auth.key_sets import KeySets
from graphid.auth.outbound import Outbound
from graphid.auth.providers import Provider
from graphid.auth.tokens import IdTokens, Vouched, issuer_of
from graphid.errors import Refused
from tests.acceptance.oidc.provider import CertifiedProvider, Login


class Believing:
    """What graphid does with what a browser hands over."""

    def __init__(self, outbound: Outbound) -> None:
        self.key_sets = KeySets(outbound)
        self.codes = CodeExchange(outbound, self.key_sets)
        self.tokens = IdTokens(self.key_sets)

    async def vouched(self, login: Login, provider: Provider, **others: Any) -> Vouched:
        given = await self.codes.exchange(
            provider,
            code=login.code,
            redirect_uri=login.redirect_uri,
            code_verifier=login.code_verifier,
        )
        assert issuer_of(given.id_token) == login.issuer
        return await self.tokens.validate(
            given.id_token,
            provider,
            nonce=login.nonce,
            access_token=given.access_token,
            code=login.code,
            **others,
        )


@pytest.fixture
async def believing() -> AsyncIterator[Believing]:
    outbound = Outbound()
    believing = Believing(outbound)
    yield believing
    await believing.key_sets.aclose()
    await outbound.aclose()


@pytest.mark.parametrize("client", ["basic", "post", "public"])
async def test_a_login_is_vouched_for(
    certified_provider: CertifiedProvider, believing: Believing, client: str
) -> None:
    provider = certified_provider.set_up(client, require_nonce=True)
    login = certified_provider.log_in("jane", client=client)
    assert login.issuer == provider.issuer
    found = await believing.vouched(login, provider)
    assert found.issuer == provider.issuer
    assert found.subject == "jane"
    assert found.identifiers == (
        (provider.subject_type, "jane"),
        ("email", "jane@example.com"),  # the phone number is there, and not verified
    )
    assert found.traits == (("firstName", "jane"), ("lastName", "Doe"))
    assert found.nonce == login.nonce


async def test_an_address_that_is_not_verified_is_not_vouched_for(
    certified_provider: CertifiedProvider, believing: Believing
) -> None:
    provider = certified_provider.set_up()
    found = await believing.vouched(certified_provider.log_in("unverified-joe"), provider)
    assert found.identifiers == ((provider.subject_type, "unverified-joe"),)


async def test_how_long_ago_the_login_was_is_told_where_it_is_asked_for(
    certified_provider: CertifiedProvider, believing: Believing
) -> None:
    provider = certified_provider.set_up()
    asked = certified_provider.log_in(max_age="60")
    found = await believing.vouched(asked, provider, max_age=60)
    assert found.auth_time is not None
    with pytest.raises(Refused, match="does not say when the login was"):
        await believing.vouched(certified_provider.log_in(), provider, max_age=60)


async def test_a_code_is_used_once(
    certified_provider: CertifiedProvider, believing: Believing
) -> None:
    login, provider = certified_provider.log_in(), certified_provider.set_up()
    assert await believing.vouched(login, provider)
    with pytest.raises(Refused, match="was used before"):
        await believing.vouched(login, provider)


async def test_a_code_is_of_its_verifier(
    certified_provider: CertifiedProvider, believing: Believing
) -> None:
    for client in ("basic", "public"):
        login = replace(certified_provider.log_in(client=client), code_verifier="v" * 43)
        with pytest.raises(Refused, match="the verifier or the redirect address is not that"):
            await believing.vouched(login, certified_provider.set_up(client))


async def test_a_code_is_of_its_client(
    certified_provider: CertifiedProvider, believing: Believing
) -> None:
    login = certified_provider.log_in(client="post")
    with pytest.raises(Refused, match="does not take the code"):
        await believing.vouched(login, certified_provider.set_up("public"))
    wrong = certified_provider.set_up("basic", client_secret="another")
    with pytest.raises(Refused, match="does not know graphid by this client id"):
        await believing.vouched(certified_provider.log_in(), wrong)


async def test_a_redirect_that_is_not_on_the_list_is_refused_before_the_provider_is_asked(
    certified_provider: CertifiedProvider, believing: Believing
) -> None:
    login, provider = certified_provider.log_in(), certified_provider.set_up()
    elsewhere = replace(login, redirect_uri="https://evil.example/")
    with pytest.raises(Refused, match="is not on the provider's list"):
        await believing.vouched(elsewhere, provider)
    assert await believing.vouched(login, provider)  # the code was not used up


async def test_a_token_is_of_its_login(
    certified_provider: CertifiedProvider, believing: Believing
) -> None:
    login = replace(certified_provider.log_in(), nonce="of another login")
    with pytest.raises(Refused, match="its nonce is another"):
        await believing.vouched(login, certified_provider.set_up())


async def test_a_token_signed_otherwise_than_is_set_up_is_refused(
    certified_provider: CertifiedProvider, believing: Believing
) -> None:
    login = certified_provider.log_in(client="public")
    provider = certified_provider.set_up("public", algorithms=["RS256"])
    with pytest.raises(Refused, match="an algorithm that is not allowed"):
        await believing.vouched(login, provider)
