"""What a raw value becomes, and what names nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphid.identity.identifiers import (
    MAX_VALUE,
    PLACEHOLDERS,
    InvalidIdentifier,
    is_one_digit_repeated,
    normalise,
)
from graphid.identity.policy import Policy


@pytest.mark.parametrize(
    ("type", "value", "key"),
    [
        ("email", "  Jane.Doe@Example.COM ", "email:jane.doe@example.com"),
        ("email", "josé@example.com", "email:josé@example.com"),
        ("email", "jose\u0301@example.com", "email:josé@example.com"),
        ("email", '"a@b"@example.com', 'email:"a@b"@example.com'),
        ("email", "Undefined", "email:undefined"),
        ("phone", "+44 20 7946 0958", "phone:+442079460958"),
        ("phone", "0000000", "phone:0000000"),
        ("phone", "N/A", "phone:n/a"),
        ("crm_account_id", " AbC-1 ", "crm_account_id:AbC-1"),
        ("user_id", "a:b", "user_id:a:b"),
    ],
)
def test_normalise(type: str, value: str, key: str) -> None:
    assert normalise(type, value) == key


def test_a_region_gives_the_country_code() -> None:
    assert normalise("phone", "020 7946 0958", region="GB") == "phone:+442079460958"
    assert normalise("phone", "+1 202 555 0100", region="GB") == "phone:+12025550100"


@pytest.mark.parametrize(
    ("type", "value", "says"),
    [
        ("user_id", "  ", "blank"),
        ("user_id", "x" * (MAX_VALUE + 1), "longer than 512"),
        ("user_id", "a\x00b", "control"),
        ("user_id", "a\ud800", "control"),
        ("email", "jane", "not an e-mail"),
        ("email", "@example.com", "not an e-mail"),
        ("email", "jane@", "not an e-mail"),
        ("email", "jane doe@example.com", "not an e-mail"),
        ("phone", "020 7946 0958", "needs its country code"),
        ("phone", "+", "not a phone number$"),
        ("phone", "call me", "needs its country code"),
        ("phone", "+44 20 7946 095 8123", "not a possible phone number"),
    ],
)
def test_invalid_values_say_why_and_are_not_repeated(type: str, value: str, says: str) -> None:
    with pytest.raises(InvalidIdentifier, match=says) as caught:
        normalise(type, value)
    assert value.strip() == "" or value not in str(caught.value)


@given(st.sampled_from(["email", "phone", "user_id"]), st.text(max_size=40))
def test_normalising_again_changes_nothing(type: str, value: str) -> None:
    try:
        key = normalise(type, value)
    except InvalidIdentifier:
        return
    assert normalise(type, key.removeprefix(f"{type}:")) == key


@pytest.mark.parametrize("value", ["00", "1111111", "+000000000", "0"])
def test_runs_of_one_digit_and_zero_name_nobody(value: str) -> None:
    assert Policy().is_blocked(f"user_id:{value}")


@pytest.mark.parametrize("value", ["7", "12", "1112", "a"])
def test_these_are_usable(value: str) -> None:
    assert not Policy().is_blocked(f"user_id:{value}")


def test_a_single_digit_is_no_run() -> None:
    assert not is_one_digit_repeated("5")


@pytest.mark.parametrize("value", sorted(PLACEHOLDERS - {""}))
def test_placeholders_are_blocked_for_every_type_in_any_case(value: str) -> None:
    for type in ("email", "phone", "user_id", "anything"):
        assert Policy().is_blocked(f"{type}:{value.upper()}")
