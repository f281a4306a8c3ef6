"""Opaque cursors, and the bounds of ``first`` and ``last``."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import ClassVar

from graphid.errors import InvalidInput
from graphid.service.pages import PageRequest

MOST = 200
"""The most items that one list of one answer holds."""


class BadCursor(InvalidInput):
    """This is not a cursor of this list: give back one that it answered, unchanged."""

    code: ClassVar[str] = "BAD_CURSOR"


LONGEST = 8192
"""The longest cursor, in characters: ids of the greatest length make half of that."""


_PLACE = r"\d{16}[1-5][^\x00-\x20]* "
FORMS = {
    "journey": re.compile(rf"{_PLACE}(?:link_\w+)?", re.ASCII),
    "sessions": re.compile(r"\d{1,16}:session_\w+", re.ASCII),
    "chats": re.compile(_PLACE, re.ASCII),
    "messages": re.compile(_PLACE, re.ASCII),
    "sharedDevices": re.compile(rf"(?:![01])?{_PLACE}", re.ASCII),
    "reviews": re.compile(r"\d{16}review_\w+", re.ASCII),
    "keys": re.compile(r"\d{16}[a-z0-9]+", re.ASCII),
    "audit": re.compile(r"\d{16}audit_\w+", re.ASCII),
}
"""What the keys of these lists look like: a cursor of another form was forged."""


def cursor(list: str, key: str) -> str:
    """The cursor of an item, by its key in a list of that name."""
    return urlsafe_b64encode(f"{list}:{key}".encode()).decode().rstrip("=")


def key_of(list: str, given: str | None, field: str) -> str | None:
    """The key in a cursor of that list; ``field`` is the argument that held it.

    Raises BadCursor.
    """
    if given is None:
        return None
    try:
        padded = given.encode("ascii") + b"=" * (-len(given) % 4)
        name, _, key = urlsafe_b64decode(padded).decode("utf-8").partition(":")
    except ValueError:
        name = key = ""
    form = FORMS.get(list)
    is_ours = name == list and key and (form is None or form.fullmatch(key))
    # What does not decode is left out in decoding: it must be what this service would answer.
    if not is_ours or len(given) > LONGEST or cursor(list, key) != given:
        raise BadCursor(path=[field])
    return key


def bounded(value: int | None, field: str, *, default: int) -> int:
    """How many items are wanted, where ``value`` is what the client asked for.

    Raises InvalidInput outside of 1 to MOST.
    """
    if value is None:
        return default
    if not 1 <= value <= MOST:
        raise InvalidInput(f"{field} must be from 1 to {MOST}.", path=[field])
    return value


def forwards(list: str, first: int | None, after: str | None, *, default: int = 20) -> PageRequest:
    """A page of a list that is read forwards only."""
    limit = bounded(first, "first", default=default)
    return PageRequest(limit, after=key_of(list, after, "after"))


def either_way(
    list: str,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    default: int,
) -> PageRequest:
    """A page of a list that is read from either end. Raises InvalidInput for both ends at once."""
    if first is not None and last is not None:
        raise InvalidInput("Ask for first or for last, not for both.", path=["last"])
    name, value = ("first", first) if last is None else ("last", last)
    return PageRequest(
        bounded(value, name, default=default),
        after=key_of(list, after, "after"),
        before=key_of(list, before, "before"),
        from_end=last is not None,
    )
