"""What is remembered of the fold, so that changes can be followed forward: of each key its versions
by place, for each place the keys that it touched, and the marks of what only said again what was
so. Where it is kept is :class:`Store`'s business."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from graphid.identity.outcome import Outcome
from graphid.identity.state import Key, Link, Value
from graphid.identity.values import Evidence, Identify, Place

NEVER: Place = ""
"""Sorts before every place: of what was never written, or never touched."""


class Present(NamedTuple):
    """A key's latest value, where it was written, and where a step last read or wrote it."""

    value: Value | None
    wrote: Place
    touched: Place


ABSENT = Present(None, NEVER, NEVER)


class Version(NamedTuple):
    """A key's value as of some place, and the place that wrote it."""

    wrote: Place
    value: Value | None


@dataclass(frozen=True)
class Stored:
    """Evidence as it was stepped before: the keys that it touched, and what it wrote."""

    piece: Evidence
    touched: frozenset[Key]
    writes: Mapping[Key, Value | None]
    links: Mapping[str, Link]


@dataclass(frozen=True)
class Stepped:
    """Evidence as it is stepped now. ``before`` is None for what is new, ``outcome`` for what is
    withdrawn: then it touches nothing any more."""

    piece: Evidence
    outcome: Outcome | None
    touched: frozenset[Key]
    writes: Mapping[Key, Value | None]
    links: Mapping[str, Link]
    before: Stored | None


class Repetition(NamedTuple):
    """An identify that said again what is so: that ``contact`` is who is there.

    ``touched``: the keys that this rests on.
    """

    piece: Identify
    contact: str
    touched: frozenset[Key]


class Mark(NamedTuple):
    """What is stored of such an identify. ``repetition``: the id of all that say the same on its
    cookie, the last of which stands at ``last``."""

    piece: Identify
    digest: str | None
    contact: str
    repetition: str
    last: Place


RestingOn = Literal["cookie", "device", "identifier", "contact", "repetition"]


class Behind(NamedTuple):
    """Which marks are asked for: the first behind ``place`` of each repetition that rests on a
    key, on one of the contacts of a person, or is the one named."""

    kind: RestingOn
    id: str
    place: Place


class Store(Protocol):
    """Where versions and touches are kept. What is asked for is locked until the end."""

    async def present(self, keys: Collection[Key]) -> Mapping[Key, Present]:
        """The latest of each key."""
        ...

    async def versions(
        self, asked: Collection[tuple[Key, Place]]
    ) -> Mapping[tuple[Key, Place], Version]:
        """Of each key the last version that was written before the place."""
        ...

    async def stored(
        self, places: Collection[Place]
    ) -> tuple[Mapping[Place, Stored], Mapping[Key, Present]]:
        """The evidence at these places, and the latest of every key that it touched."""
        ...

    async def readers(self, changed: Collection[tuple[Key, Place]]) -> Collection[Place]:
        """Who touched a key after a place, up to and including the next that wrote it."""
        ...

    async def touching(self, keys: Collection[Key]) -> Collection[Place]:
        """Whoever touched one of these keys, ever."""
        ...

    async def marks(self, asked: Collection[Behind]) -> Collection[Mark]:
        """The first mark behind the place of each repetition that is asked for."""
        ...


def is_proxied(key: Key) -> bool:
    """Whether a key is also read by those who touched another: what is judged of an identifier is
    read by evidence that names it, and is not worth a touch of its own each time."""
    return key[0] == "judged" and ":" in key[1]
