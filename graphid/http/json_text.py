"""JSON as strangers send it, read strictly: what two parsers could read in two ways is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from graphid.errors import InvalidInput
from graphid.identity.patterns import is_unicode

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


def parse_batch(body: bytes, name: str) -> Any:
    """As ``parse_json``, of an object with a list of that name, which others have filled: in the
    place of an item that is not sound there is the InvalidInput that it is refused with.

    What is not JSON in a way that leaves open where an item ends is refused whole.
    """
    value = _at_once(body)
    if value is not _UNSURE:
        return value
    value, may_be_faulty = _read(body)
    items = value.get(name) if type(value) is dict else None
    if not may_be_faulty or type(items) is not list:
        return _sound(value) if may_be_faulty else value
    return {
        **_sound({**value, name: []}),
        name: [item if (fault := _fault_in(item, 2)) is None else fault for item in items],
    }


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
    value, may_be_faulty = _read(body)
    return _sound(value) if may_be_faulty else value


class _Fault:
    """Stands in a value where it cannot be read, and says what is wrong with whatever holds it."""

    __slots__ = ("is_wrong",)

    def __init__(self, is_wrong: str) -> None:
        self.is_wrong = is_wrong


_AMBIGUOUS = _Fault("is ambiguous: an object holds the same key twice")
_NO_NUMBER = _Fault("is not JSON: NaN and Infinity are no numbers")
_TOO_LARGE = _Fault("holds a number larger than a double can be")
_NO_UNICODE = _Fault("is not Unicode: it holds half a surrogate pair")
_TOO_DEEP = _Fault(f"is nested deeper than {MAX_NESTING}")


def _read(body: bytes) -> tuple[Any, bool]:
    """The value, and whether there may be faults in it. Raises InvalidInput where there is none."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The body is not UTF-8: byte {error.start + 1}.") from None
    met: list[_Fault] = []

    def noted(fault: _Fault) -> _Fault:
        met.append(fault)
        return fault

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Fault:
        found = dict(pairs)
        return found if len(found) == len(pairs) else noted(_AMBIGUOUS)

    def finite(text: str) -> float | _Fault:
        value = float(text)
        return value if math.isfinite(value) else noted(_TOO_LARGE)

    def whole(text: str) -> int | float | _Fault:
        # Past 64 bits a number means what JavaScript makes of it; and int() of many digits is slow.
        if len(text) <= 18 or (len(text) <= 20 and _LEAST <= int(text) <= _MOST):
            return int(text)
        return finite(text)

    try:
        value = json.loads(
            text,
            object_pairs_hook=made,
            parse_constant=lambda _: noted(_NO_NUMBER),
            parse_float=finite,
            parse_int=whole,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"The body is not JSON: {where}.") from None
    except RecursionError:
        raise _refusal("body", _TOO_DEEP) from None
    may_be_deep = text.count("[") + text.count("{") > MAX_NESTING
    return value, bool(met) or may_be_deep or "\\ud" in text.lower()


def _sound(value: Any) -> Any:
    """The value. Raises InvalidInput where there are faults in it."""
    fault = _met_in(value, MAX_NESTING)
    if fault is not None:
        raise _refusal("body", fault)
    return value


def _fault_in(item: Any, above: int) -> InvalidInput | None:
    """What an item is refused with that lies so deep in the body; None where it is sound."""
    fault = _met_in(item, MAX_NESTING - above)
    return None if fault is None else _refusal("call", fault)


def _met_in(value: Any, depth: int) -> _Fault | None:
    """The first fault in a value, which may be nested so deep."""
    level = [value]
    while level:
        inner: list[Any] = []
        for each in level:
            kind = type(each)
            if kind in _NESTING:
                if not depth:
                    return _TOO_DEEP
                inner += each
                if kind is dict:
                    inner += each.values()
            elif isinstance(each, _Fault):
                return each
            elif kind is str and not is_unicode(each):
                return _NO_UNICODE
        depth -= 1
        level = inner
    return None


def _refusal(what: str, fault: _Fault) -> InvalidInput:
    return InvalidInput(f"The {what} {fault.is_wrong}.")
