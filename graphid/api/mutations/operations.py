"""Mutations: what operators do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry
from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode
from pydantic import ValidationError

from graphid import errors
from graphid.api.context import Info, RequestContext
from graphid.api.links import Link, links_by_id
from graphid.api.mutations.recorded import or_failed
from graphid.api.nodes import computed
from graphid.api.people import Person
from graphid.api.problems import (
    NotFound,
    Refused,
    StaleGraph,
    first_fault,
    not_found,
    refused,
    stale_graph,
)
from graphid.api.scalars import micros
from graphid.service.audit.entries import Outcome, given_out
from graphid.service.messages import Terms
from graphid.service.operations.block import BlockIdentifier
from graphid.service.operations.changes import Change as ChangeRecord
from graphid.service.operations.erase import ErasePerson
from graphid.service.operations.merge import MergePeople
from graphid.service.operations.operating import Act
from graphid.service.operations.promote import PromoteContact
from graphid.service.operations.restore import RestoreLink
from graphid.service.operations.review import DecideReview
from graphid.service.operations.sever import SeverLink
from graphid.service.operations.unmerge import Unmerge

COUNTED = "eventsReattributed"


@strawberry.type(description="What an operator's act does; with dryRun, what it would do.")
class Change:
    operation_id: strawberry.ID | None = strawberry.field(
        description="Of the act; null for what would be."
    )
    dry_run: bool = strawberry.field(description="True where nothing has changed.")
    pending: bool = strawberry.field(
        description="True where the re-fold was too large for one transaction and a job finishes "
        "it."
    )
    events_reattributed: int = strawberry.field(
        description="Counted only when selected; stops at 10,001. An act that is sent again "
        "answers what was counted the first time."
    )
    graph_version: str = strawberry.field(
        description="Give it back with the real act, to be refused if the graph has changed since "
        "the preview."
    )
    record: strawberry.Private[ChangeRecord]
    plain: strawberry.Private[RequestContext]
    """Reads the graph as it is, not as it would be."""

    @computed(
        "Whom it concerns, as they were. With dryRun all that is read of them is as it is now; "
        "else what is read beneath them, as links and journeys, is what is theirs since."
    )
    def before(self, info: Info) -> list[Person]:
        info.context.bind(info.path, self.plain)
        return [Person.of(person) for person in self.record.before]

    @computed("Whom it concerns, as they are then.")
    def after(self) -> list[Person]:
        return [Person.of(person) for person in self.record.after]

    @computed("The links that it makes, ends, withdraws or brings back, the first 200.")
    async def links(self, info: Info) -> list[Link]:
        return await links_by_id(info, self.record.links)

    @classmethod
    def of(cls, record: ChangeRecord, plain: RequestContext) -> Change:
        operation = record.operation_id
        return cls(
            operation_id=None if operation is None else strawberry.ID(operation),
            dry_run=record.is_dry,
            pending=record.is_pending,
            events_reattributed=record.events,
            graph_version=record.version,
            record=record,
            plain=plain,
        )


ChangeResult = Annotated[Change | NotFound | Refused | StaleGraph, strawberry.union("ChangeResult")]
OperationId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="The idempotency key of the act; the server mints one where it is absent."
    ),
]
Reason = Annotated[str, strawberry.argument(description="Why: up to 1,000 characters.")]
DryRun = Annotated[
    bool | None, strawberry.argument(description="Only tell what it would do; nothing changes.")
]
GraphVersion = Annotated[
    str | None,
    strawberry.argument(description="Of a preview: do it only if that is still how things are."),
]


@strawberry.type
class OperationMutations:
    @computed("Confirms a contact; a person's id means the contact that the person is named for.")
    async def promote_contact(
        self,
        info: Info,
        *,
        id: strawberry.ID,
        reason: Reason,
        operation_id: OperationId = strawberry.UNSET,
    ) -> ChangeResult:
        return await _do(info, PromoteContact(id), reason, operation_id)

    @computed("These are one human: ids of people, contacts or visitors, 2 to 20.")
    async def merge_people(
        self,
        info: Info,
        *,
        ids: list[strawberry.ID],
        reason: Reason,
        dry_run: DryRun = False,
        graph_version: GraphVersion = strawberry.UNSET,
        operation_id: OperationId = strawberry.UNSET,
    ) -> ChangeResult:
        act = MergePeople(tuple(ids))
        return await _do(
            info, act, reason, operation_id, dry_run=dry_run, graph_version=graph_version
        )

    @computed("Takes back one join: a SAME_AS link, or all that a merge operation made.")
    async def unmerge(
        self,
        info: Info,
        *,
        id: strawberry.ID,
        reason: Reason,
        dry_run: DryRun = False,
        graph_version: GraphVersion = strawberry.UNSET,
        operation_id: OperationId = strawberry.UNSET,
    ) -> ChangeResult:
        return await _do(
            info, Unmerge(id), reason, operation_id, dry_run=dry_run, graph_version=graph_version
        )

    @computed(
        "Withdraws a link; with `from`, only from that moment on (a visitor is cut in two there)."
    )
    async def sever_link(
        self,
        info: Info,
        *,
        id: strawberry.ID,
        reason: Reason,
        from_: Annotated[
            datetime | None,
            strawberry.argument(name="from", description="What came before stays as it is."),
        ] = strawberry.UNSET,
        dry_run: DryRun = False,
        graph_version: GraphVersion = strawberry.UNSET,
        operation_id: OperationId = strawberry.UNSET,
    ) -> ChangeResult:
        act = SeverLink(id, micros(from_) if from_ else None)
        return await _do(
            info, act, reason, operation_id, dry_run=dry_run, graph_version=graph_version
        )

    @computed("Takes a sever, an unmerge or a block back: id of the link, or of the operation.")
    async def restore_link(
        self,
        info: Info,
        *,
        id: strawberry.ID,
        reason: Reason,
        dry_run: DryRun = False,
        graph_version: GraphVersion = strawberry.UNSET,
        operation_id: OperationId = strawberry.UNSET,
    ) -> ChangeResult:
        return await _do(
            info,
            RestoreLink(id),
            reason,
            operation_id,
            dry_run=dry_run,
            graph_version=graph_version,
        )

    @computed("This value identifies nobody, for all time.")
    async def block_identifier(
        self,
        info: Info,
        *,
        type: str,
        value: str,
        reason: Reason,
        dry_run: DryRun = False,
        graph_version: GraphVersion = strawberry.UNSET,
        operation_id: OperationId = strawberry.UNSET,
    ) -> ChangeResult:
        act = BlockIdentifier(type, value)
        return await _do(
            info, act, reason, operation_id, dry_run=dry_run, graph_version=graph_version
        )

    @computed("Accepting merges the two; rejecting keeps them apart.")
    async def decide_review(
        self,
        info: Info,
        *,
        id: strawberry.ID,
        accept: bool,
        reason: Reason,
        operation_id: OperationId = strawberry.UNSET,
    ) -> ChangeResult:
        return await _do(info, DecideReview(id, accept), reason, operation_id)

    @computed(
        "Forgets a person: what was said of them, and their events. It cannot be taken back. What "
        "it answers is about others whom it concerns; a preview shows who it would be, too."
    )
    async def erase_person(
        self,
        info: Info,
        *,
        id: strawberry.ID,
        reason: Reason,
        dry_run: DryRun = False,
        operation_id: OperationId = strawberry.UNSET,
    ) -> ChangeResult:
        return await _do(info, ErasePerson(id), reason, operation_id, dry_run=dry_run)


async def _do(
    info: Info,
    act: Act,
    reason: str,
    operation_id: str | None,
    *,
    dry_run: bool | None = False,
    graph_version: str | None = None,
) -> ChangeResult:
    context, action = info.context, info.field_name
    asked = given_out(act.ids if isinstance(act, MergePeople) else [getattr(act, "id", "")])
    try:
        terms = _terms(reason, operation_id or None, dry_run, graph_version or None)
        with or_failed(context, action, asked):
            change = await _done(info, act, terms)
    except (errors.NotFound, errors.Refused, errors.StaleGraph) as error:
        await context.record(action, subjects=asked, outcome=Outcome.REFUSED)
        return _problem(error)
    people = [person.id for person in (*change.record.before, *change.record.after)]
    await context.record(
        action,
        subjects=[*asked, *people],
        outcome=Outcome.PREVIEWED if terms.dry_run else Outcome.DONE,
        operation=change.record.operation_id,
    )
    return change


def _problem(
    error: errors.NotFound | errors.Refused | errors.StaleGraph,
) -> NotFound | Refused | StaleGraph:
    if isinstance(error, errors.NotFound):
        return not_found(error)
    return refused(error) if isinstance(error, errors.Refused) else stale_graph(error)


def _terms(
    reason: str, operation_id: str | None, dry_run: bool | None, graph_version: str | None
) -> Terms:
    try:
        return Terms.model_validate(
            {
                "reason": reason,
                "operationId": operation_id,
                "dryRun": bool(dry_run),
                "graphVersion": graph_version,
            }
        )
    except ValidationError as error:
        raise errors.Refused(reasons=[first_fault(error).message]) from None


async def _done(info: Info, act: Act, terms: Terms) -> Change:
    context, operations = info.context, info.context.services.operations
    actor, count = context.caller.name, COUNTED in _selected(info)
    if not terms.dry_run:
        record = await operations.do(act, terms, actor=actor, count=count)
        context.forget()
        return Change.of(await context.shown(record), context)
    record, rehearsal = await operations.rehearse(act, terms, actor=actor, count=count)
    context.rehearsals.append(rehearsal)
    # Outside of the transaction nothing has happened, and so all is read there as it was.
    plain = context.reading(context.reads)
    context.bind(info.path, context.reading(operations.reads(rehearsal)))
    return Change.of(await context.shown(record), plain)


def _selected(info: Info) -> set[str]:
    """The fields selected of what this field answers."""
    raw = info._raw_info
    found: set[str] = set()
    pending: list[SelectionSetNode | None] = [
        node.selection_set for node in raw.field_nodes if isinstance(node, FieldNode)
    ]
    while pending:
        for selection in (pending.pop() or SelectionSetNode(selections=())).selections:
            if isinstance(selection, FieldNode):
                found.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                pending.append(raw.fragments[selection.name.value].selection_set)
    return found
