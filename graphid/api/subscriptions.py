"""What can be followed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any, TypeVar, cast

import strawberry

from graphid.api.context import Info, RequestContext
from graphid.api.journey import JourneyEvent, whose
from graphid.api.links import Link
from graphid.api.loaders import LinkByIdLoader
from graphid.api.nodes import computed
from graphid.api.scalars import Timestamp
from graphid.api.telling import Event
from graphid.errors import InvalidInput
from graphid.graph.log import ChangeRecord
from graphid.service.feed import Batch, Told
from graphid.service.joins import JoinRecord
from graphid.service.lines import Line
from graphid.service.streams import Stream

KINDS = (
    "CREATED: somebody is known who was not. IDENTIFIED: a visitor is theirs now. ENDED: a "
    "visitor's time as theirs is over (a logout, a switch). MERGED: the previous people are this "
    "one. UNMERGED: this one is no longer one with the previous. SEVERED: a visitor is nobody's "
    "now; personId is the anonymous person. RESTORED: an operator gave a visitor back. ATTRIBUTED: "
    "other lines of a visitor are theirs than before. PROMOTED: a contact was confirmed. UPDATED: "
    "what identifies them is another, or how sure it is. UNMADE: by late evidence there is no such "
    "person; personId is whom their id means now. ERASED: they were forgotten. REPAIRED: graphid "
    "verify made the graph what the evidence says. There may be more kinds one day."
)


@strawberry.type(
    description="A change of who is who. Of a list that came at once, it is what that comes to."
)
class IdentityChange:
    sequence: int = strawberry.field(
        description="Counts all changes, from 1 on, without gaps; for `afterSequence`."
    )
    kind: str = strawberry.field(description=KINDS)
    person_id: strawberry.ID = strawberry.field(description="Whoever it is now.")
    previous_person_ids: list[strawberry.ID] = strawberry.field(
        description="Whoever it was before, where that is somebody else; a visitor's id for the "
        "anonymous person whom it was read as."
    )
    evidence_id: strawberry.ID = strawberry.field(
        description="Message, operation, or version of the policy behind it."
    )
    recorded_at: Timestamp = strawberry.field(description="When it came to be so in the graph.")
    link_ids: strawberry.Private[tuple[str, ...]]

    @computed("The links that it made, ended, raised or withdrew, as they are now; 200 at most.")
    async def links(self, info: Info) -> list[Link]:
        records = await info.context.load(LinkByIdLoader).load_many(self.link_ids)
        return [Link.of(record) for record in records if record is not None]

    @classmethod
    def of(cls, change: ChangeRecord) -> IdentityChange:
        return cls(
            sequence=change.sequence,
            kind=change.kind,
            person_id=strawberry.ID(change.person),
            previous_person_ids=[strawberry.ID(id) for id in change.previous],
            evidence_id=strawberry.ID(change.evidence),
            recorded_at=Timestamp(change.recorded_at),
            link_ids=change.links,
        )


F = TypeVar("F", bound=Callable[..., Any])


def followed(description: str) -> Callable[[F], F]:
    """Declares a field that tells of one thing after another: of an ``Event`` for each."""

    def declare(method: F) -> F:
        return cast(F, strawberry.subscription(method, description=description))

    return declare


@strawberry.type(
    description="Everything that can be followed, over graphql-transport-ws or as server-sent "
    "events."
)
class Subscription:
    @followed(
        "Every change of who is who, in order: all, or those of one person, who is followed "
        "through merges and splits. From now on; `afterSequence` resumes behind the last change "
        "that was received, without a gap."
    )
    async def identity_changes(
        self,
        info: Info,
        person_id: strawberry.ID | None = strawberry.UNSET,
        after_sequence: int | None = strawberry.UNSET,
    ) -> AsyncGenerator[IdentityChange, None]:
        after = after_sequence if isinstance(after_sequence, int) else None
        if person_id == "":
            raise InvalidInput("personId must not be empty.", path=["personId"])
        source = await info.context.services.feed.subscribe(person_id or None, after=after)
        return cast(AsyncGenerator[IdentityChange, None], _events(source))

    @followed(
        "New lines of a person's journey as this service gets them, also late ones, through merges "
        "and splits, which are lines too. What became theirs by an identify or a merge is in the "
        "journey itself: identityChanges tells when to read it again."
    )
    async def journey(
        self, info: Info, person_id: strawberry.ID
    ) -> AsyncGenerator[JourneyEvent, None]:
        source = await info.context.services.news.subscribe(person_id)
        # It is followed from now on, though nobody may come to read it.
        return cast(AsyncGenerator[JourneyEvent, None], Stream(_lines(source), source.aclose))


async def _events(source: AsyncGenerator[Told, None]) -> AsyncGenerator[Event, None]:
    try:
        async for change, batch in source:
            yield Event(
                partial(_change, change),
                ("change", change.sequence),
                batch,
                (change.person, *change.previous),
            )
    finally:
        await source.aclose()


async def _change(change: ChangeRecord, _context: RequestContext) -> IdentityChange:
    return IdentityChange.of(change)


async def _lines(
    source: AsyncGenerator[tuple[Line, Batch], None],
) -> AsyncGenerator[Event, None]:
    try:
        async for line, batch in source:
            id = line.id if isinstance(line, JoinRecord) else line.message_id
            yield Event(partial(_line, line), ("line", id), batch, (whose(line),))
    finally:
        await source.aclose()


async def _line(line: Line, context: RequestContext) -> JourneyEvent:
    return JourneyEvent.of(await context.shown(line))
