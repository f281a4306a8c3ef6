"""Bodies read strictly."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphid.errors import InvalidInput
from graphid.http import json_text
from graphid.http.json_text import MAX_NESTING, parse_batch, parse_json


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
        (b"[" * 65 + b"]" * 65, "nested deeper"),
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


@pytest.mark.parametrize(
    ("item", "says"),
    [
        (b'{"a": "\\ud83d"}', "half a surrogate pair"),
        (b'{"\\ud83d": 1}', "half a surrogate pair"),
        (b'{"rate": NaN}', "no numbers"),
        (b'{"rate": -1e999}', "larger than a double"),
        (b'{"a": {"1": 1, "1": 2}}', "same key twice"),
        (b"[" * 63 + b"]" * 63, "nested deeper"),
    ],
)
def test_a_bad_item_of_a_batch_leaves_the_others(item: bytes, says: str) -> None:
    body = b'{"writeKey": "k", "batch": [{"n": 1}, ' + item + b', {"n": 2}]}'
    found = parse_batch(body, "batch")
    fault = found["batch"].pop(1)
    assert isinstance(fault, InvalidInput)
    assert says in fault.message
    assert "call" in fault.message
    assert found == {"writeKey": "k", "batch": [{"n": 1}, {"n": 2}]}
    with pytest.raises(InvalidInput, match=says):
        parse_json(body)


def test_what_is_beside_the_batch_is_read_strictly() -> None:
    assert parse_batch(b'{"batch": [ {"n": [1]} ]}', "batch") == {"batch": [{"n": [1]}]}
    deep = b"[" * 62 + b"]" * 62
    assert parse_batch(b'{"batch": [ ' + deep + b"]}", "batch")["batch"] == [json.loads(deep)]
    for body in (
        b'{"batch": [1], "sentAt": NaN}',
        b'{"batch": [1], "batch": [2]}',
        b'{"batch": {"a": NaN}}',
        b'{"batch": [NaN',
        b"[NaN]",
    ):
        with pytest.raises(InvalidInput):
            parse_batch(body, "batch")


NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(2**64), 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)
STRAY = [b"", *(bytes([byte]) for byte in b'":,.-0{}[]\\ \n\x00\xff')]
STRAY += [b"e9", b'"a":1,', b"\\ud800"]
COMPACT, PYTHONS, STRANGE = (",", ":"), (", ", ": "), (" ,", " : ")


@given(VALUES, st.sampled_from([COMPACT, PYTHONS, STRANGE]), st.booleans(), st.data())
@example('\\":', COMPACT, True, None)
def test_at_first_sight_and_closely_is_the_same(
    value: Any, separators: tuple[str, str], ascii: bool, data: st.DataObject | None
) -> None:
    """Also of what is no JSON any more, as a few bytes of it were changed."""
    text = json.dumps(value, separators=separators, ensure_ascii=ascii)
    body = bytearray(text.encode(errors="surrogatepass"))
    if data is not None:
        for _ in range(data.draw(st.integers(0, 2))):
            at = data.draw(st.integers(0, len(body)))
            body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(STRAY))
    assert read(parse_json, bytes(body)) == read(json_text._closely, bytes(body))


def read(by: Callable[[bytes], Any], body: bytes) -> tuple[str, str]:
    """The value, or the fault that is told of the body."""
    try:
        return "value", repr(by(body))
    except InvalidInput as error:
        return "fault", error.message


def test_what_is_sound_is_seen_at_first_sight() -> None:
    body = b'{"batch": [{"type": "page", "context": {"page": {"path": "/"}}, "n": [1, {}, -2.5]}]}'
    assert json_text._at_once(body) == json.loads(body)
    assert json_text._at_once(b'{"a": 1, "a": 2}') is json_text._UNSURE
