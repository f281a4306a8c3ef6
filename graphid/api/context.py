"""What resolvers of one request share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import strawberry

from graphid.api.loaders import Loaders
from graphid.auth.keys import Key
from graphid.service.messages import Message, Sender
from graphid.service.people import PersonRecord
from graphid.service.reads import Reads
from graphid.service.receipts import Receipt
from graphid.service.recording import Moment
from graphid.service.senders import sender_of


class Submits(Protocol):
    """``service.ingest.Ingest``, as far as the mutations need it."""

    async def submit(
        self, messages: Sequence[Message], sender: Sender, *, taken: set[Moment] | None = None
    ) -> list[Receipt]: ...


@dataclass
class RequestContext:
    """The caller, and where to read and write for them."""

    key: Key
    reads: Reads
    ingest: Submits
    load: Loaders
    people: dict[str, PersonRecord] = field(default_factory=dict)
    """Whom the request has met, by id."""
    taken: set[Moment] = field(default_factory=set)
    """When its messages so far happened, and where: equal times are spread, in the order sent."""

    def forget(self) -> None:
        """Read again from here on: something was written."""
        self.load.forget()
        self.people.clear()

    @classmethod
    def of(cls, key: Key, reads: Reads, ingest: Submits) -> RequestContext:
        return cls(key, reads, ingest, Loaders(reads))

    @property
    def sender(self) -> Sender:
        return sender_of(self.key)


# After the class: strawberry looks it up when it reads the annotation.
Info = strawberry.Info[RequestContext, Any]
