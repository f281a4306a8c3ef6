"""What resolvers of one request share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import strawberry
from graphql.pyutils import Path

from graphid.api.loaders import Loaders
from graphid.auth.keys import Key
from graphid.auth.scopes import may_see_identifiers
from graphid.graph.policies import Policies
from graphid.graph.rehearsal import Rehearsal
from graphid.service.masked_reads import MaskedReads
from graphid.service.messages import Message, Sender, Terms
from graphid.service.operations.changes import Change
from graphid.service.operations.operating import Act
from graphid.service.people import PersonRecord
from graphid.service.reads import Reads
from graphid.service.receipts import Receipt
from graphid.service.recording import Moment
from graphid.service.senders import sender_of

T = TypeVar("T")


class Submits(Protocol):
    """``service.ingest.Ingest``, as far as the mutations need it."""

    async def submit(
        self, messages: Sequence[Message], sender: Sender, *, taken: set[Moment] | None = None
    ) -> list[Receipt]: ...


class Operates(Protocol):
    """``service.operations``, as far as the mutations need it."""

    async def do(self, act: Act, terms: Terms, *, actor: str, count: bool = False) -> Change: ...
    async def rehearse(
        self, act: Act, terms: Terms, *, actor: str, count: bool = False
    ) -> tuple[Change, Rehearsal[Change]]: ...
    def reads(self, rehearsal: Rehearsal[Change]) -> Reads: ...


@dataclass
class RequestContext:
    """The caller, and where to read and write for them."""

    key: Key
    reads: Reads
    ingest: Submits
    operations: Operates
    load: Loaders
    people: dict[str, PersonRecord] = field(default_factory=dict)
    """Whom the request has met, by id."""
    taken: set[Moment] = field(default_factory=set)
    """When its messages so far happened, and where: equal times are spread, in the order sent."""

    bound: dict[tuple[str | int, ...], RequestContext] = field(default_factory=dict)
    """Contexts of parts of the answer, by the path of the field that they are below of."""
    rehearsals: list[Rehearsal[Change]] = field(default_factory=list)
    """What waits to be taken back once the answer is read."""

    async def shown(self, found: T) -> T:
        """What was read beside the loaders, as the caller may see it."""
        return found if self.load.masked is None else await self.load.masked.shown(found)

    @property
    def policies(self) -> Policies:
        """The policy, to read and to set."""
        return self.reads.policies

    def forget(self) -> None:
        """Read again from here on: something was written."""
        self.load.forget()
        self.people.clear()

    @classmethod
    def of(cls, key: Key, reads: Reads, ingest: Submits, operations: Operates) -> RequestContext:
        return cls(key, reads, ingest, operations, _loaders(key, reads))

    def reading(self, reads: Reads) -> RequestContext:
        """The same caller, reading elsewhere, or anew."""
        return replace(self, reads=reads, load=_loaders(self.key, reads), people={})

    def bind(self, path: Path, context: RequestContext) -> None:
        """Answer all that is below a field in another context."""
        self.bound[tuple(path.as_list())] = context

    def bound_at(self, path: Path) -> RequestContext:
        """The context in which a field is answered."""
        if not self.bound:
            return self
        keys = tuple(path.as_list())
        lengths = range(len(keys) - 1, 0, -1)
        return next((found for n in lengths if (found := self.bound.get(keys[:n]))), self)

    async def settle(self) -> None:
        """Take back what was only rehearsed: its answer has been read."""
        self.bound.clear()
        while self.rehearsals:
            await self.rehearsals.pop().end()

    @property
    def sender(self) -> Sender:
        return sender_of(self.key)


def _loaders(key: Key, reads: Reads) -> Loaders:
    return Loaders(reads, None if may_see_identifiers(key.scopes) else MaskedReads(reads))


# After the class: strawberry looks it up when it reads the annotation.
Info = strawberry.Info[RequestContext, Any]
