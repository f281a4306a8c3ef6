"""JSON as strangers send it, read strictly: what two parsers could read in two ways is refused."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import msgspec

from graphid.errors import InvalidInput

MAX_NESTING = 64
"""The deepest nesting of arrays and objects in a body; what a field may hold is less."""

_NESTING = (dict, list)


def parse_json(body: bytes) -> Any:
    """The value that a body holds, whatever its content type says.

    Raises InvalidInput for what is not UTF-8 or not JSON, for a key that an object holds twice,
    for a number too large to be one, and for nesting past ``MAX_NESTING``. The message never
    repeats the input.
    """
    # Nearly every body is plainly sound, which is seen sooner than its faults would be.
    value = _at_once(body)
    return _closely(body) if value is _UNSURE else value


def _at_once(body: bytes) -> Any:
    """The value of a body that is sound at first sight; ``_UNSURE`` of others, sound or not."""
    if any(space in body for space in _SPACED):
        return _UNSURE
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return _UNSURE
    # Each key ends in a quote and a colon. So do some other texts, but then it is not sure; and
    # where an object holds a key twice, one of the two is not in the value.
    return value if _keys_of(value) == body.count(b'":') else _UNSURE


_UNSURE = object()
_SPACED = (b" :", b"\n", b"\r", b"\t")
"""What a body has no white space before a colon without; the three are looked for in no time."""
_LEAST, _MOST = -(2**63), 2**63 - 1


def _keys_of(value: Any) -> int:
    """How many keys the objects of a value hold in all; -1 where it is nested too deep, or holds a
    whole number of more than 64 bits."""
    keys, depth = 0, 0
    holders: list[Any] = [[value]]
    while holders:
        if depth > MAX_NESTING:
            return -1
        depth += 1
        inner: list[Any] = []
        for holder in holders:
            if type(holder) is dict:
                keys += len(holder)
            for child in holder.values() if type(holder) is dict else holder:
                kind = type(child)
                if kind in _NESTING:
                    inner.append(child)
                elif kind is int and not _LEAST <= child <= _MOST:
                    return -1
        holders = inner
    return keys


def _closely(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The body is not UTF-8: byte {error.start + 1}.") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"The body is not JSON: {where}.") from None
    except RecursionError:
        raise _too_deep() from None
    if "\\ud" in text.lower():
        _require_unicode(value)
    if text.count("[") + text.count("{") > MAX_NESTING:
        _require_shallow(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidInput("The body is ambiguous: an object holds the same key twice.")
    return found


def _no_number(_name: str) -> NoReturn:
    raise InvalidInput("The body is not JSON: NaN and Infinity are no numbers.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidInput("The body holds a number larger than a double can be.")
    return value


def _whole(text: str) -> int | float:
    # Past 64 bits a number means what JavaScript makes of it; and int() of many digits is slow.
    return int(text) if len(text) <= 18 else _long(text)


def _long(text: str) -> int | float:
    if len(text) <= 20 and -(2**63) <= int(text) < 2**63:
        return int(text)
    return _finite(text)


def _require_shallow(value: Any, left: int = MAX_NESTING) -> None:
    if type(value) not in _NESTING:
        return
    if not left:
        raise _too_deep()
    for child in value.values() if type(value) is dict else value:
        if type(child) in _NESTING:
            _require_shallow(child, left - 1)


def _require_unicode(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidInput("The body is not Unicode: it holds half a surrogate pair.") from None
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> InvalidInput:
    return InvalidInput(f"The body is nested deeper than {MAX_NESTING}.")
