"""Providers as operators set them up: what they mean, and every fault told at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graphid.auth.providers import MAX_TYPE, Provider, Providers, read_provider, type_of
from graphid.errors import InvalidInput, Refused
from graphid.identity.identifiers import MAX_TYPE as MAX_TYPE_OF_IDENTITY

ISSUER = "https://login.example"
LEAST: dict[str, Any] = {"issuer": ISSUER, "client_id": "graphid"}
TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*")


def test_what_is_not_said() -> None:
    found = read_provider(LEAST)
    assert found.auth_method == "none"
    assert found.algorithms == ("RS256", "ES256")
    assert found.leeway == 30
    assert found.redirect_uris == ()
    assert found.allowed_hosts == {"login.example"}
    assert not found.require_nonce
    assert found.max_age is None
    assert found.subject_type == "oidc.login.example"
    assert (found.email_claim, found.phone_claim) == ("email", "phone_number")
    assert found.identifiers == {}


def test_what_is_said() -> None:
    found = read_provider(
        {
            **LEAST,
            "client_secret": "hidden",
            "auth_method": "client_secret_post",
            "algorithms": ["EdDSA"],
            "leeway": 0,
            "redirect_uris": ["https://shop.example/a?b=c", "com.example.app:/callback"],
            "hosts": ["keys.example", "localhost:9000"],
            "require_nonce": True,
            "max_age": 3600,
            "subject_type": "crm_account_id",
            "email_claim": None,
            "identifiers": {"https://login.example/id": "user_id"},
        }
    )
    assert found.client_secret is not None
    assert found.client_secret.get_secret_value() == "hidden"
    assert found.allowed_hosts == {"login.example", "keys.example", "localhost:9000"}
    assert found.identifiers == {"https://login.example/id": "user_id"}
    assert found == read_provider(found.model_dump())


def test_a_secret_is_shown_as_basic_unless_another_way_is_set() -> None:
    assert read_provider({**LEAST, "client_secret": "x"}).auth_method == "client_secret_basic"


def test_no_secret_shows_and_nothing_changes() -> None:
    found = read_provider({**LEAST, "client_secret": "hidden"})
    assert "hidden" not in f"{found!r} {found} {found.model_dump_json()}"
    with pytest.raises(ValidationError, match="frozen"):
        found.leeway = 1


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"issuer": None}, "issuer", "valid string"),
        ({"issuer": ""}, "issuer", "at least 1 character"),
        ({"issuer": "http://login.example"}, "issuer", "this machine only"),
        ({"issuer": "https://a:b@login.example"}, "issuer", "name or a password"),
        ({"issuer": "https://login.example?a"}, "issuer", "must not have a query"),
        ({"issuer": "https://" + "a" * 512}, "issuer", "at most 512"),
        ({"client_id": ""}, "client_id", "at least 1"),
        ({"client_id": "a\n"}, "client_id", "printable ASCII"),
        ({"client_secret": ""}, "client_secret", "must not be empty"),
        ({"client_secret": "x", "auth_method": "none"}, "auth_method", "must be none, if"),
        ({"auth_method": "client_secret_basic"}, "auth_method", "must be none, if"),
        ({"auth_method": "private_key_jwt"}, "auth_method", "Input should be"),
        ({"algorithms": []}, "algorithms", "at least 1"),
        ({"algorithms": ["RS256", "none"]}, "algorithms.1", "must be one of ES256"),
        ({"algorithms": ["HS256"]}, "algorithms.0", "must be one of ES256"),
        ({"leeway": -1}, "leeway", "greater than or equal to 0"),
        ({"leeway": 301}, "leeway", "less than or equal to 300"),
        ({"redirect_uris": ["/logged-in"]}, "redirect_uris.0", "must be an absolute address"),
        ({"redirect_uris": ["https://a.example/#x"]}, "redirect_uris.0", "without a fragment"),
        ({"redirect_uris": ["https://a.example/é"]}, "redirect_uris.0", "printable ASCII"),
        ({"redirect_uris": ["https:" + "a" * 2048]}, "redirect_uris.0", "at most 2048"),
        ({"hosts": ["https://keys.example"]}, "hosts.0", "must be a host"),
        ({"hosts": ["*"]}, "hosts.0", "must be a host"),
        ({"max_age": 0}, "max_age", "greater than or equal to 1"),
        ({"subject_type": "1st"}, "subject_type", "match pattern"),
        ({"subject_type": "t" * 65}, "subject_type", "at most 64"),
        ({"subject_type": "email"}, "subject_type", "must not be email or phone"),
        ({"subject_type": "oidc.other.example"}, "subject_type", "must not begin with oidc."),
        ({"identifiers": {"id": "phone"}}, "identifiers.id", "must not be email or phone"),
        ({"identifiers": {"id": "oidc.other.example"}}, "identifiers", "must not begin with oidc."),
        ({"identifiers": {"a": "x", "b": "x"}}, "identifiers", "must not give one type twice"),
        ({"identifiers": {"a": "oidc.login.example"}}, "identifiers", "nor the subject's"),
        ({"verify_tls": False}, "verify_tls", "not permitted"),
    ],
)
def test_a_fault_is_told_with_its_field(given: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        read_provider({**LEAST, **given})
    assert ".".join(caught.value.path or ()).removesuffix(".[key]") == field


def test_every_fault_is_told_and_no_value() -> None:
    document = {
        "issuer": "http://SECRET.example",
        "client_secret": "SECRET",
        "auth_method": "none",
        "leeway": 1000,
        "algorithms": ["SECRET"],
    }
    with pytest.raises(InvalidInput) as caught:
        read_provider(document)
    text = str(caught.value)
    for field in ("issuer", "client_id", "auth_method", "leeway", "algorithms.0"):
        assert f"{field}: " in text
    assert "SECRET" not in text


@pytest.mark.parametrize(
    ("issuer", "type"),
    [
        ("https://accounts.example.com", "oidc.accounts.example.com"),
        ("https://accounts.example.com/", r"oidc.accounts.example.com__[0-9a-f]{16}"),
        ("https://login.example/realms/x", r"oidc.login.example_realms_x_[0-9a-f]{16}"),
        ("http://localhost:9000", r"oidc.localhost_9000_[0-9a-f]{16}"),
    ],
)
def test_the_type_of_an_issuer_can_be_read(issuer: str, type: str) -> None:
    assert re.fullmatch(type, type_of(issuer))


ISSUERS = st.text("ab./:_-", min_size=1, max_size=70).map(lambda rest: f"https://{rest}")


@given(ISSUERS, ISSUERS)
def test_no_two_issuers_give_one_type(one: str, other: str) -> None:
    assert TYPE.fullmatch(type_of(one))
    assert len(type_of(one)) <= MAX_TYPE == MAX_TYPE_OF_IDENTITY
    assert (type_of(one) == type_of(other)) == (one == other)


def test_a_long_issuer_is_not_one_that_looks_like_its_type() -> None:
    long = "https://" + "a" * 100
    assert type_of(f"https://{type_of(long).removeprefix('oidc.')}") != type_of(long)
    assert type_of(long) != type_of(long + "a")


def provider(name: str) -> Provider:
    return read_provider({**LEAST, "issuer": f"https://{name}.example"})


def test_a_provider_is_found_by_its_issuer() -> None:
    one, two = provider("one"), provider("two")
    providers = Providers([one, two])
    assert list(providers) == [one, two]
    assert len(providers) == 2
    assert providers.of("https://two.example") is two
    assert Providers([one]).of() is one
    assert Providers([one]).of(None) is one
    for issuer in ("https://two.example/", "https://Two.example", ""):
        with pytest.raises(Refused, match="No identity provider with this issuer"):
            providers.of(issuer)
    with pytest.raises(Refused, match="name the issuer"):
        providers.of()
    for issuer_or_none in (None, "https://one.example"):
        with pytest.raises(Refused, match="No identity provider is set up"):
            Providers().of(issuer_or_none)


def test_an_issuer_is_set_up_once() -> None:
    with pytest.raises(InvalidInput, match="the same issuer"):
        Providers([provider("one"), provider("one")])
