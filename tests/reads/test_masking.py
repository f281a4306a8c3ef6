"""What is shown instead of identifiers."""

from __future__ import annotations

from typing import Any

import pytest

from graphid.identity.policy import Policy, parse_policy
from graphid.service.masking import Held, Mask, masked_identifier, masked_phone

MASK = Mask(Policy())


@pytest.mark.parametrize(
    ("type", "value", "shown"),
    [
        ("email", "jane@example.com", "j***@example.com"),
        ("email", "j@example.com", "j***@example.com"),
        ("email", "jane@home@example.com", "j***@example.com"),
        ("email", "undefined", "u***d"),
        ("phone", "+442079460958", "+44***58"),
        ("phone", "+12025550143", "+1***43"),
        ("phone", "+3530000", "+353***00"),
        ("phone", "+9990001112", "***12"),
        ("phone", "0", "***"),
        ("crm_account_id", "999888", "9***8"),
        ("crm_account_id", "12345", "1***5"),
        ("crm_account_id", "1234", "***"),
        ("user_id", "jane@example.com", "j***@example.com"),
        ("user_id", "@jane_doe", "@***e"),
    ],
)
def test_an_identifier(type: str, value: str, shown: str) -> None:
    assert masked_identifier(type, value) == shown


def test_a_phone_number_in_any_form() -> None:
    assert {
        masked_phone(n) for n in ("+44 20 7946 0958", "0044-20-79460958", "%2B442079460958")
    } == {"+44***58"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I am jane.doe+shop@example.com, hello.", "I am j***@example.com, hello."),
        ("mailto:jane@example.com?subject=x@y", "mailto:j***@example.com?subject=x***@y"),
        ("<jane@example.com>", "<j***@example.com>"),
        ("it's 'jane@example.com'!", "it's 'j***@example.com'!"),
        (
            "https://shop.example/a?email=jane%40example.com&b=1",
            "https://shop.example/a?email=j***%40example.com&b=1",
        ),
        ("https://shop.example/jane@example.com/x", "https://shop.example/j***@example.com/x"),
        ("Jané.Müller@münchen.example", "J***@münchen.example"),
        ("jane@", "j***@"),
        ("@jane @ 5 o'clock", "@jane @ 5 o'clock"),
        ("call +44 20 7946 0958 now", "call +44***58 now"),
        ("call 0044 (20) 7946-0958", "call +44***58"),
        ("?tel=%2B442079460958&x=1", "?tel=+44***58&x=1"),
        ("at 2026-03-01T09:30:00.000001+00:00, order 12345678901", None),
        ("+1 to that, +100 points", None),
        ("nothing of anybody", None),
    ],
)
def test_a_text(text: str, shown: str | None) -> None:
    assert MASK.text(text) == (text if shown is None else shown)


HELD = Held(
    [
        ("crm_account_id", "A-77/88"),
        ("user_id", "999888"),
        ("member", "abc"),
        ("phone", "+442079460958"),
        ("email", "jane@example.com"),
    ]
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("my account 999888, and 1999888", "my account 9***8, and 1999888"),
        ("/accounts/A-77%2F88/orders", "/accounts/A***8/orders"),
        ("a-77/88", "a***8"),
        ("abc", "***"),
        ("abc of it", "abc of it"),
        ("it is 020 7946 0958", "it is +44***58"),
        ("(020) 7946-0958", "+44***58"),
        ("442079460958", "+44***58"),
        ("120 7946 09581", None),
        ("JANE@EXAMPLE.COM", "J***@EXAMPLE.COM"),
    ],
)
def test_a_text_with_what_its_person_holds(text: str, shown: str | None) -> None:
    assert MASK.text(text, HELD) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"email": "jane@example.com"}, {"email": "j***@example.com"}),
        ({"userId": "4711x"}, {"userId": "4***x"}),
        ({"User-ID": 471100}, {"User-ID": "4***0"}),
        ({"a": {"crm_account_id": ["A-12345", 7]}}, {"a": {"crm_account_id": ["A***5", "***"]}}),
        ({"user_id": {"note": "kept"}}, {"user_id": {"note": "kept"}}),
        ({"user_id": None, "phone": False}, {"user_id": None, "phone": False}),
        ({"jane@example.com": [1, 2.5, True]}, {"j***@example.com": [1, 2.5, True]}),
        ({"note": "999888", "number": 999888}, {"note": "9***8", "number": "9***8"}),
    ],
)
def test_a_json_value(value: Any, shown: Any) -> None:
    assert MASK.json(value, HELD) == shown


def test_what_the_policy_names_is_an_identifier() -> None:
    policy = parse_policy(
        {
            "trait_identifiers": ["loyalty_card"],
            "identifiers": [{"type": "passport", "unique": True}],
            "phone": {"region": "GB"},
        }
    )
    said = {"loyaltyCard": "L-12345", "passport": "P-54321", "phone": "020 7946 0958", "size": "XL"}
    assert Mask(policy).json(said) == {
        "loyaltyCard": "L***5",
        "passport": "P***1",
        "phone": "+44***58",
        "size": "XL",
    }
    assert MASK.json({"loyaltyCard": "L-12345"}) == {"loyaltyCard": "L-12345"}


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("email:info@shop.example", "email:i***@shop.example"),
        ("*:12345678", "*:1***8"),
        ("*:/^jane@example[.]com$/", "*:/***/"),
        ("user_id:/", "user_id:***"),
    ],
)
def test_what_the_policy_blocks(entry: str, shown: str) -> None:
    assert MASK.blocked(entry) == shown
