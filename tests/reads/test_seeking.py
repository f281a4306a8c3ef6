"""What is held is found however it is written, and nothing else is taken for it."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from itertools import pairwise
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphid.identity.policy import Policy
from graphid.service.masking import Held, Mask

MASK = Mask(Policy())

ACCOUNT = "992553364083"
HELD = Held(
    [
        ("crm_account_id", ACCOUNT),
        ("phone", "+442079460958"),
        ("email", "jane98313e73@corp.example"),
        ("member", "M-123456-Q"),
        ("user_id", "2026"),
        ("nick", "together"),
        ("code", "Zoé 7"),
    ]
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "/login?next=%2Faccounts%2F992553364083%2Forders",
            "/login?next=%2Faccounts%2F9***3%2Forders",
        ),
        ("?next=%2Fa%3Fid%3D992553364083", "?next=%2Fa%3Fid%3D9***3"),
        (
            "?q=jane98313e73%40corp.example%20and%20992553364083",
            "?q=j***%40corp.example%20and%209***3",
        ),
        ("?t=tel%3A02079460958", "?t=tel%3A+44***58"),
        ("?next=%2Fa%3Fphone%3D%2B442079460958", "?next=%2Fa%3Fphone%3D+44***58"),
        ("?p=%252B442079460958&b", "?p=+44***58&b"),
        (
            "?next=%252Fa%253Femail%253Djane98313e73%2540corp.example%2526b%253D1",
            "?next=%252Fa%253Femail%253Dj***%2540corp.example%2526b%253D1",
        ),
        ("account 9925 53364083", "account 9***3"),
        ("99255-3364083", "9***3"),
        ("992,553,364,083", "9***3"),
        ("/acct_992553364083", "/acct_9***3"),
        ("m 123456 q, M123456Q", "m***q, M***Q"),
        ("call+%2B44+%280%2920+7946+0958", "call+44***58"),
        ("(020 7946 0958)", "+44***58)"),
        ("n=Zo%C3%A9+7 or Zo%E9%207", "n=Z***7 or Z***7"),
    ],
)
def test_what_is_held(text: str, shown: str) -> None:
    assert MASK.text(text, HELD) == shown


@pytest.mark.parametrize(
    "text",
    [
        "to get her, 20.26 or 20-26, 20 26",
        "99.25 and 1,999.00 for 53364083",
        "1992553364083, 9925533640831, x992553364083",
        "at 09:30:00.123456+00:00",
        "scores +10 +20 +30 +40",
        "100% of 50%, %zz%2",
        "?next=%2Fa%3Fq%3Dnothing%20of%20anybody%FF",
    ],
)
def test_what_is_not(text: str) -> None:
    assert MASK.text(text, HELD) == text


ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "of a path": lambda text: quote(text, safe=""),
    "of a form": quote_plus,
    "of each character": lambda text: "".join(f"%{octet:02x}" for octet in text.encode()),
}
WORDS = st.text(string.ascii_letters + "é", max_size=6)
MARKS = st.sampled_from([" ", "/", "?q=", "&", ": ", "_", "#", '"', "=", "\n"])
NUMBERS = st.text(string.digits, min_size=9, max_size=14).filter(lambda n: len(set(n)) > 2)


@st.composite
def grouped(draw: st.DrawFn, value: str) -> str:
    """The value with gaps beside its digits."""
    gaps = st.sampled_from(["", "", "", " ", "-", ".", "\u00a0", " - "])
    return value[:1] + "".join(
        f"{draw(gaps) if before.isdigit() and after.isdigit() else ''}{after}"
        for before, after in pairwise(value)
    )


@st.composite
def telephoned(draw: st.DrawFn, national: str) -> str:
    prefix = draw(st.sampled_from(["+44 ", "+44 (0)", "0044", "0", "(0)", "44"]))
    return prefix + draw(grouped(national))


@st.composite
def told(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """A text in which a person's values are hidden, and those."""
    account, national = draw(NUMBERS), f"20{draw(st.integers(70000000, 79999999))}"
    member = f"M-{draw(NUMBERS)}-q"
    email = f"jane{draw(WORDS)}{draw(st.integers(1000, 9999))}@corp.example".lower()
    parts = [draw(WORDS)]
    for written in draw(
        st.permutations(
            [
                draw(grouped(account)),
                draw(telephoned(national)),
                draw(grouped(member)),
                draw(st.sampled_from([email, email.upper()])),
            ]
        )
    ):
        parts += [draw(MARKS), written, draw(MARKS), draw(WORDS)]
    text = "".join(parts)
    for encoding in draw(st.lists(st.sampled_from(sorted(ENCODINGS)), max_size=4)):
        text = ENCODINGS[encoding](text)
    held = [("account", account), ("phone", f"+44{national}"), ("member", member), ("email", email)]
    return text, held


@given(told())
def test_no_value_is_left_in_any_encoding_or_grouping(
    told: tuple[str, list[tuple[str, str]]],
) -> None:
    text, held = told
    left = MASK.text(text, Held(held))
    for _ in range(6):
        left = unquote_plus(left)
    bare = "".join(filter(str.isalnum, left)).lower()
    for type, value in held:
        hidden = value[3:] if type == "phone" else value.partition("@")[0]
        assert "".join(filter(str.isalnum, hidden)).lower() not in bare, (text, left)


@given(st.text(string.ascii_letters + "%0123456789aAfF +-./é\u0130", max_size=60))
def test_a_text_that_holds_nothing_is_left_as_it_is(text: str) -> None:
    assert Held([("account", "#551234987651#")]).taken_out_of(text) == text


HOSTILE = {
    "encoded percents": "%25" * 10_000,
    "percents of percents": f"%{'25' * 16_000}",
    "one digit": "9 " * 16_000,
    "a long gap": "9" + "-" * 32_000,
    "many numbers": "+9" * 16_000,
    "zeros": "00 " * 10_000,
    "marks": "'" * 32_000,
    "addresses": "a@" * 16_000,
    "masked again": "+442079460958 " * 2_300,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_hides_a_value_by_its_length(text: str) -> None:
    """Each is looked through in a moment: a quadratic step would take minutes."""
    accounts = [f"{'9' * 40}{end}" for end in range(100, 299)]
    phone = "+442079460958"
    held = Held([*(("account", account) for account in accounts), ("phone", phone)])
    left = MASK.text(f"{text} {accounts[0]} {phone} {text}", held)
    assert not any(value in left for value in (*accounts, phone, phone[3:]))
