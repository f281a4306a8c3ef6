"""A state of the fold, as one step sees it and as a whole.

``step`` sees a state through a :class:`View`, which records what was read and holds what is
written. Whoever keeps the state, a dictionary or a graph, loads what a step reads and stores what
it wrote; nobody else decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, overload

from graphid.identity.state import (
    Bar,
    Cookie,
    Decided,
    Device,
    Identifier,
    Judgements,
    Key,
    KeyKind,
    Link,
    Person,
    Review,
    Value,
    Visitor,
    Withdrawn,
)


class State(Protocol):
    """Where values are kept. ``get`` answers None for what never was."""

    def get(self, key: Key, /) -> Value | None: ...

    def peek(self, key: Key, /) -> Value | None:
        """The value where it is at hand, without looking for it."""
        ...


class Memory(dict[Key, Value]):
    """A state in memory, whole."""

    peek = dict.get  # everything is at hand

    def take_in(self, changes: Mapping[Key, Value | None]) -> None:
        """Store what a step changed."""
        for key, value in changes.items():
            if value is None:
                self.pop(key, None)
            else:
                self[key] = value


class View:
    """A state as one step sees it: what it read, and what it wrote over it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.reads: dict[Key, None] = {}
        self.writes: dict[Key, Value | None] = {}

    @overload
    def find(self, kind: Literal["cookie"], id: str) -> Cookie | None: ...
    @overload
    def find(self, kind: Literal["visitor"], id: str) -> Visitor | None: ...
    @overload
    def find(self, kind: Literal["device"], id: str) -> Device | None: ...
    @overload
    def find(self, kind: Literal["identifier"], id: str) -> Identifier | None: ...
    @overload
    def find(self, kind: Literal["person"], id: str) -> Person | None: ...
    @overload
    def find(self, kind: Literal["review"], id: str) -> Review | None: ...
    @overload
    def find(self, kind: Literal["judged"], id: str) -> Judgements | None: ...
    @overload
    def find(self, kind: Literal["bar"], id: str) -> Bar | None: ...
    @overload
    def find(self, kind: Literal["withdrawn"], id: str) -> Withdrawn | None: ...
    @overload
    def find(self, kind: Literal["decided"], id: str) -> Decided | None: ...
    def find(self, kind: KeyKind, id: str) -> Value | None:
        """The value, or None where there never was one."""
        key = (kind, id)
        if key in self.writes:
            return self.writes[key]
        self.reads[key] = None
        return self._state.get(key)

    def put(self, kind: KeyKind, id: str, value: Value) -> None:
        self.writes[kind, id] = value

    def remove(self, kind: KeyKind, id: str) -> None:
        """Write that there is no such thing any more."""
        self.writes[kind, id] = None

    def put_link(self, link: Link) -> Link:
        """Write a link as it now is."""
        self.put("link", link.id, link)
        return link

    def changes(self) -> dict[Key, Value | None]:
        """What the step wrote that differs from what it had read; None: what is no more."""
        return {key: value for key, value in self.writes.items() if self._state.peek(key) != value}
