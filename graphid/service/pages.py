"""Pages of a list: how much of it is wanted, from where, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A part of a list: ``limit`` items behind ``after`` and before ``before`` (keys, exclusive).

    ``from_end``: the last ones of that part instead of the first; they come in list order too.
    """

    limit: int
    after: str | None = None
    before: str | None = None
    from_end: bool = False


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Items in list order, each with the key that its cursor is made of."""

    items: tuple[T, ...]
    keys: tuple[str, ...]
    has_next: bool
    has_previous: bool


def page_of(found: Sequence[T], request: PageRequest, key: Callable[[T], str]) -> Page[T]:
    """The page, of items read in the order of reading and one more than wanted where there is one.

    Reading goes from the end of the list where the request does.
    """
    more = len(found) > request.limit
    items = tuple(found[: request.limit])
    if request.from_end:
        items = items[::-1]
        has_next, has_previous = request.before is not None, more
    else:
        has_next, has_previous = more, request.after is not None
    return Page(items, tuple(map(key, items)), has_next, has_previous)
