"""Bodies read strictly."""

from __future__ import annotations

import pytest

from graphid.errors import InvalidInput
from graphid.http.json_text import MAX_NESTING, parse_json


def test_reads_json() -> None:
    assert parse_json(b'{"a": [1, -2.5, "x\\u00e9", null, true]}') == {
        "a": [1, -2.5, "xé", None, True]
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": 1} x', "not JSON"),
        (b"\xff\xfe{}", "not UTF-8: byte 1"),
        (b'{"a": "\xc3"}', "not UTF-8"),
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'{"x": {"a": 1, "\\u0061": 2}}', "same key twice"),
        (b"[NaN]", "no numbers"),
        (b"[-Infinity]", "no numbers"),
        (b"[1e999]", "larger than a double"),
        (b"[" + b"9" * 400 + b"]", "larger than a double"),
        (b"[" * 100_000, "nested deeper"),
        (b"[" * 100 + b"]" * 100, "nested deeper"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested deeper"),
    ],
)
def test_refuses(body: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse_json(body)


def test_nesting_up_to_the_limit_is_fine_and_breadth_has_none() -> None:
    parse_json(b"[" * MAX_NESTING + b"]" * MAX_NESTING)
    parse_json(b"[" + b",".join([b"[1]"] * 500) + b"]")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"9223372036854775808", float(2**63)),
        (b"1" + b"0" * 100, 1e100),
    ],
)
def test_numbers_past_64_bits_are_doubles(text: bytes, value: float) -> None:
    found = parse_json(text)
    assert found == value
    assert type(found) is type(value)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidInput, match="surrogate"):
        parse_json(b'{"a": "\\ud800"}')
    assert parse_json(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}
