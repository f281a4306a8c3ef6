"""JSON objects as providers send them, read strictly: a name that stands twice in an object could
be read by one program as this and by another as that, so it is refused."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class NoObject(ValueError):
    """The text is not one JSON object."""


class HeldTwice(NoObject):
    """An object in the text holds the same name twice."""


def parse_object(text: bytes) -> dict[str, Any]:
    """The object that the text holds, of finite numbers and whole Unicode.

    Raises NoObject, or HeldTwice; neither repeats the text.
    """
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=_finite,
        )
        # Half a surrogate pair is text that no database takes.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except NoObject:
        raise
    except (ValueError, RecursionError):
        raise NoObject from None
    if not isinstance(value, dict):
        raise NoObject
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise HeldTwice
    return found


def _no_number(_name: str) -> NoReturn:
    raise NoObject


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NoObject
    return value
