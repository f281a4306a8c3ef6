"""Links, identifiers and reviews in the schema."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphid.api.context import Info
from graphid.api.loaders import (
    ContactByFormerIdLoader,
    IdentifierByIdLoader,
    LinkByIdLoader,
    OperationByEvidenceLoader,
    PersonByIdLoader,
    ReviewByIdLoader,
    StatedLoader,
    VisitorByIdLoader,
)
from graphid.api.nodes import Node, PageInfo, ReviewState, computed, cursors_of, found, page_info
from graphid.api.scalars import Timestamp
from graphid.identity.state import Link as LinkValue
from graphid.identity.state import LinkKind, LinkState, ReviewKind
from graphid.identity.values import Assurance, Operation, message_of
from graphid.service.explanations import explain_link, explain_review
from graphid.service.ledger import is_operation
from graphid.service.links import LinkRecord, NamedIdentifier, ReviewRecord
from graphid.service.pages import Page
from graphid.service.statements import made_by

if TYPE_CHECKING:
    from graphid.api.people import Contact, Person

LazyContact = Annotated["Contact", strawberry.lazy("graphid.api.people")]
LazyPerson = Annotated["Person", strawberry.lazy("graphid.api.people")]

REVIEWS = "reviews"
"""The name of the list, in its cursors."""


@strawberry.type(description="A normalised identifier.")
class Identifier:
    type: str = strawberry.field(description="As `email`, `phone` or a type of your own.")
    value: str = strawberry.field(
        description="Normalised; masked for whoever may not see identifiers."
    )


@strawberry.type(description="An identifier as a node of the graph.")
class IdentifierNode(Node):
    type: str = strawberry.field(description="As `email`, `phone` or a type of your own.")
    value: str = strawberry.field(
        description="Normalised; masked for whoever may not see identifiers."
    )

    @classmethod
    def of(cls, named: NamedIdentifier) -> IdentifierNode:
        return cls(id=strawberry.ID(named.id), type=named.type, value=named.value)


@strawberry.type(description="A join, and why it stands or fell.")
class Link(Node):
    kind: LinkKind = strawberry.field(description="What it joins.")
    state: LinkState = strawberry.field(description="Whether it stands.")
    rule: str = strawberry.field(description="The rule that made it.")
    assurance: Assurance = strawberry.field(description="The highest that vouched for it.")
    evidence_id: strawberry.ID = strawberry.field(description="Message or operation behind it.")
    actor: str | None = strawberry.field(description="Which key or operator sent that.")
    occurred_at: Timestamp = strawberry.field(description="When, in the world.")
    recorded_at: Timestamp = strawberry.field(description="When this service learned it.")
    ended_at: Timestamp | None = strawberry.field(description="When it was over, in the world.")
    reach: Timestamp | None = strawberry.field(
        description="IDENTIFIED_AS only: lines of the visitor before this moment are not the "
        "owner's."
    )
    retracted_at: Timestamp | None = strawberry.field(description="When it was withdrawn.")
    retracted_by: str | None = strawberry.field(description="What withdrew it.")
    reason: str | None = strawberry.field(description="Why it ended or was withdrawn.")
    record: strawberry.Private[LinkRecord]

    @computed("A visitor, or a contact.", name="from")
    async def from_(self, info: Info) -> Node:
        link = self.record.link
        if link.kind is LinkKind.IDENTIFIED_AS:
            from graphid.api.visits import Visitor  # noqa: PLC0415 - each names the other

            return Visitor.of(found(await info.context.load(VisitorByIdLoader).load(link.source)))
        return await contact_by_id(info, link.source)

    @computed("A contact, or an identifier.")
    async def to(
        self, info: Info
    ) -> Annotated[
        Annotated[Contact, strawberry.lazy("graphid.api.people")] | IdentifierNode,
        strawberry.union("LinkTarget"),
    ]:
        if self.record.identifier is not None:
            return IdentifierNode.of(self.record.identifier)
        return await contact_by_id(info, self.record.link.target)

    @computed("One sentence a contact-centre agent understands.")
    async def explanation(self, info: Info) -> str:
        link, identifier = self.record.link, self.record.identifier
        stated, operation, withdrawn_by = await asyncio.gather(
            info.context.load(StatedLoader).load(made_by(link)),
            operation_of(info, link.evidence),
            operation_of(info, link.retracted_by),
        )
        return explain_link(
            link,
            stated=stated,
            identifier=identifier.type if identifier else None,
            made_by=operation,
            withdrawn_by=withdrawn_by,
        )

    @classmethod
    def of(cls, record: LinkRecord) -> Link:
        link = record.link
        return cls(
            id=strawberry.ID(link.id),
            kind=link.kind,
            state=link.state,
            rule=link.rule,
            assurance=link.assurance,
            evidence_id=strawberry.ID(message_of(link.evidence)),
            actor=link.actor,
            occurred_at=Timestamp(link.at),
            recorded_at=Timestamp(link.recorded_at),
            ended_at=_time(link.ended_at),
            reach=_time(link.reach) if link.kind is LinkKind.IDENTIFIED_AS else None,
            retracted_at=_time(link.retracted_at),
            retracted_by=None if link.retracted_by is None else message_of(link.retracted_by),
            reason=link.reason,
            record=record,
        )

    @classmethod
    def of_value(cls, link: LinkValue) -> Link:
        """Of a link that leads to no identifier."""
        return cls.of(LinkRecord(link))


@strawberry.type(description="Something for a human to decide.")
class ReviewItem(Node):
    kind: ReviewKind = strawberry.field(description="What kind of doubt it is.")
    state: ReviewState = strawberry.field(description="What was decided.")
    identifier: Identifier | None = strawberry.field(description="What it is about.")
    evidence_id: strawberry.ID = strawberry.field(description="The message that filed it.")
    explanation: str = strawberry.field(description="One sentence for whoever decides.")
    recorded_at: Timestamp = strawberry.field(description="When it was filed.")
    record: strawberry.Private[ReviewRecord]

    @computed("Whom it concerns, as they are now.")
    async def people(self, info: Info) -> list[LazyPerson]:
        from graphid.api.people import Person  # noqa: PLC0415 - each names the other

        records = await info.context.load(PersonByIdLoader).load_many(self.record.contacts)
        people = {record.id: record for record in map(found, records)}
        info.context.people |= people
        return [Person.of(people[id]) for id in sorted(people)]

    @classmethod
    def of(cls, record: ReviewRecord) -> ReviewItem:
        type, _, value = (record.identifier or "").partition(":")
        return cls(
            id=strawberry.ID(record.id),
            kind=ReviewKind(record.kind),
            state=ReviewState(record.state),
            identifier=Identifier(type=type, value=value) if value else None,
            evidence_id=strawberry.ID(message_of(record.evidence)),
            explanation=explain_review(
                record.kind,
                record.reason,
                record.identifier,
                obsolete=record.state == ReviewState.OBSOLETE,
            ),
            recorded_at=Timestamp(record.recorded_at),
            record=record,
        )


@strawberry.type(description="A review in a list.")
class ReviewEdge:
    cursor: str = strawberry.field(description="For `after`.")
    node: ReviewItem = strawberry.field(description="The review.")


@strawberry.type(description="A page of reviews.")
class ReviewConnection:
    edges: list[ReviewEdge] = strawberry.field(description="The reviews, the latest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[ReviewRecord]) -> ReviewConnection:
        cursors = cursors_of(REVIEWS, page)
        return cls(
            edges=[
                ReviewEdge(cursor=cursor, node=ReviewItem.of(review))
                for cursor, review in zip(cursors, page.items, strict=True)
            ],
            page_info=page_info(page, cursors),
        )


async def contact_by_id(info: Info, id: str) -> Contact:
    """A contact that something points at, or what its id means where it is made no more."""
    from graphid.api.people import Contact  # noqa: PLC0415 - each names the other

    person = found(await info.context.load(PersonByIdLoader).load(id))
    info.context.people[person.id] = person
    former = info.context.load(ContactByFormerIdLoader)
    return Contact.of(person.contact(id) or found(await former.load(id)))


async def links_by_id(info: Info, ids: tuple[str, ...]) -> list[Link]:
    """Links in the order of the ids."""
    records = await info.context.load(LinkByIdLoader).load_many(ids)
    return [Link.of(record) for record in records if record is not None]


async def reviews_by_id(info: Info, ids: tuple[str, ...]) -> list[ReviewItem]:
    """Reviews in the order of the ids."""
    records = await info.context.load(ReviewByIdLoader).load_many(ids)
    return [ReviewItem.of(record) for record in records if record is not None]


async def operation_of(info: Info, evidence: str | None) -> Operation | None:
    """The operation that a piece of evidence is; None for other evidence."""
    if evidence is None or not is_operation(evidence):
        return None
    recorded = await info.context.load(OperationByEvidenceLoader).load(evidence)
    return None if recorded is None else recorded.piece


async def identifier_by_id(info: Info, id: str) -> IdentifierNode | None:
    named = await info.context.load(IdentifierByIdLoader).load(id)
    return None if named is None else IdentifierNode.of(named)


def _time(at: int | None) -> Timestamp | None:
    return None if at is None else Timestamp(at)
