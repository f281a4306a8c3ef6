"""Where messages come from that nobody waits for an answer to: a file, and whatever else keeps its
own place, such as a partition of Kafka.

A source yields messages in order, each with its position, and is told how far all of them are
stored. What it was told last is where it may go on after a crash; every message has an id, so that
going on from an earlier place stores nothing twice. In which lists messages are stored is nothing
to build on: a source whose times are not all different spreads them itself, each time in the same
way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from graphid.errors import GraphidError
from graphid.service.messages import Message, Sender

P = TypeVar("P")
"""How a source names a place in itself: a line, an offset."""


@dataclass(frozen=True, slots=True)
class Sent(Generic[P]):
    """What came at a position: a message, or why what is there is none."""

    position: P
    message: Message | None
    fault: GraphidError | None = None


class Source(Protocol[P]):
    """Messages in order."""

    @property
    def sender(self) -> Sender:
        """Whose messages they are."""
        ...

    def messages(self) -> AsyncIterator[Sent[P]]:
        """All of them, from where it goes on. Raises InvalidInput where it cannot be read."""
        ...

    async def stored(self, position: P) -> None:
        """All that it yielded up to this position is stored, or was refused for good."""
        ...
