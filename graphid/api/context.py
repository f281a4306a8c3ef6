"""What resolvers of one request share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import strawberry
from graphql.pyutils import Path

from graphid.api.loaders import Loaders
from graphid.auth.keys import Caller
from graphid.auth.providers import Path as AtPath
from graphid.auth.scopes import may_see_identifiers
from graphid.graph.access_keys import AccessKey
from graphid.graph.policies import Policies
from graphid.graph.rehearsal import Rehearsal
from graphid.identity.values import Micros
from graphid.service.audit.audit import Witness
from graphid.service.audit.entries import Outcome
from graphid.service.feed import Batch, Told
from graphid.service.keymaking import CreateKey, IssuedKey, RevokeKey, RotateKey
from graphid.service.lines import Line
from graphid.service.masked_reads import MaskedReads
from graphid.service.messages import AuthenticateChat, Identify, Message, Sender, Terms
from graphid.service.moments import Moment
from graphid.service.operations.changes import Change
from graphid.service.operations.operating import Act
from graphid.service.pages import Page, PageRequest
from graphid.service.people import PersonRecord
from graphid.service.provider_setup import ProviderRecord
from graphid.service.reads import Reads
from graphid.service.receipts import Receipt
from graphid.service.senders import sender_of
from graphid.service.vouching import Authenticated

T = TypeVar("T")


class Submits(Protocol):
    """``service.ingest.Ingest``, as far as the mutations need it."""

    async def submit(
        self, messages: Sequence[Message], sender: Sender, *, taken: set[Moment] | None = None
    ) -> list[Receipt]: ...


class Vouches(Protocol):
    """``service.vouching.Vouching``, as far as the mutations need it."""

    async def identify(self, message: Identify, caller: Caller) -> Identify: ...
    async def authenticate_chat(self, asked: AuthenticateChat, caller: Caller) -> Authenticated: ...


class Operates(Protocol):
    """``service.operations``, as far as the mutations need it."""

    async def do(self, act: Act, terms: Terms, *, actor: str, count: bool = False) -> Change: ...
    async def rehearse(
        self, act: Act, terms: Terms, *, actor: str, count: bool = False
    ) -> tuple[Change, Rehearsal[Change]]: ...
    def reads(self, rehearsal: Rehearsal[Change]) -> Reads: ...


class MakesKeys(Protocol):
    """``service.keymaking.Keymaker``, as far as the schema needs it."""

    async def newest(self, request: PageRequest) -> Page[AccessKey]: ...
    async def create(self, wanted: CreateKey, by: Caller) -> IssuedKey: ...
    async def rotate(self, id: str, wanted: RotateKey, by: Caller) -> IssuedKey: ...
    async def revoke(self, id: str, wanted: RevokeKey, by: Caller) -> AccessKey: ...


class SetsProviders(Protocol):
    """``service.provider_setup.ProviderSetup``, as far as the schema needs it."""

    async def all(self) -> list[ProviderRecord]: ...
    async def set(
        self, document: Mapping[str, Any], by: Caller, *, spelled: Callable[[AtPath], AtPath]
    ) -> ProviderRecord: ...
    async def remove(self, issuer: str) -> None: ...


class Follows(Protocol):
    """``service.feed.Feed``, as far as the schema needs it."""

    async def subscribe(
        self, id: str | None = None, *, after: int | None = None
    ) -> AsyncGenerator[Told, None]: ...


class FollowsNews(Protocol):
    """``service.news.News``, as far as the schema needs it."""

    async def subscribe(self, id: str) -> AsyncGenerator[tuple[Line, Batch], None]: ...


class ReadsThePast(Protocol):
    """``service.past.as_of.AsOf``, as far as the schema needs it."""

    async def reads(self, *, at: Micros | None, known: Micros | None) -> Reads: ...


class Spends(Protocol):
    """What a request may still take of its caller's limits."""

    async def spend(self, *, events: int = 0, cost: int = 0) -> None: ...


@dataclass(frozen=True)
class Services:
    """What resolvers call."""

    reads: Reads
    ingest: Submits
    operations: Operates
    vouching: Vouches
    keys: MakesKeys
    providers: SetsProviders
    feed: Follows
    news: FollowsNews
    past: ReadsThePast


@dataclass
class RequestContext:
    """The caller, and what to do for them."""

    caller: Caller
    services: Services
    reads: Reads
    load: Loaders
    allowance: Spends | None = None
    """None where nothing limits the caller."""
    audit: Witness | None = None
    """Is told who does what; None where nobody keeps that."""
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

    async def record(
        self,
        action: str,
        *,
        subjects: Iterable[str] = (),
        outcome: Outcome = Outcome.DONE,
        operation: str | None = None,
    ) -> None:
        """Tell the audit of an act, before it is answered. Raises DatabaseUnavailable or Busy."""
        if self.audit is not None:
            await self.audit.record(action, subjects=subjects, outcome=outcome, operation=operation)

    def forget(self) -> None:
        """Read again from here on: something was written."""
        self.load.forget()
        self.people.clear()

    @classmethod
    def of(cls, caller: Caller, services: Services) -> RequestContext:
        return cls(caller, services, services.reads, _loaders(caller, services.reads))

    def reading(self, reads: Reads) -> RequestContext:
        """The same caller, reading elsewhere, or anew."""
        return replace(self, reads=reads, load=_loaders(self.caller, reads), people={})

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
        return sender_of(self.caller)


def _loaders(caller: Caller, reads: Reads) -> Loaders:
    return Loaders(reads, None if may_see_identifiers(caller.scopes) else MaskedReads(reads))


# After the class: strawberry looks it up when it reads the annotation.
Info = strawberry.Info[RequestContext, Any]
