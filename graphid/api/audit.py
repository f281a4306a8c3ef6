"""The audit, as it is told; and what of a request is told to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
)

from graphid.api.context import RequestContext
from graphid.api.nodes import PageInfo, cursors_of, page_info
from graphid.api.scalars import Timestamp
from graphid.service.audit.entries import Entry, Outcome, given_out
from graphid.service.pages import Page

AUDIT = "audit"
"""The name of the list, in its cursors."""

ABOUT_NOBODY = frozenset({"policy", "__schema", "__type", "__typename"})
"""Fields of a query that tell nothing about people."""

strawberry.enum(
    Outcome,
    name="AuditOutcome",
    description="PREVIEWED: it was a dry run. REFUSED: rules or rights forbid it. FAILED: it was "
    "not answered; an act may be done nevertheless.",
)


@strawberry.type(description="Something that was done, or read of people.")
class AuditEntry:
    id: strawberry.ID = strawberry.field(description="Of this entry.")
    at: Timestamp = strawberry.field(description="When.")
    actor: str = strawberry.field(description="Which key or person it was.")
    action: str = strawberry.field(
        description="The mutation, or the fields of the query. `readsNotRecorded`: so many reads, "
        "as `subjectsOmitted` says, are missing here."
    )
    outcome: Outcome = strawberry.field(description="What became of it.")
    subjects: list[strawberry.ID] = strawberry.field(
        description="Ids of what it was about, the first 100; of a read, the people in the answer."
    )
    subjects_omitted: int = strawberry.field(description="How many more there were.")
    operation_id: strawberry.ID | None = strawberry.field(
        description="Of an act that was done: what the graph has it under, with its reason."
    )
    address: str = strawberry.field(description="Where the request came from.")
    user_agent: str = strawberry.field(description="What the client said that it is, shortened.")
    request_id: str = strawberry.field(description="Of the request, as in the log.")

    @classmethod
    def of(cls, entry: Entry) -> AuditEntry:
        return cls(
            id=strawberry.ID(entry.id),
            at=Timestamp(entry.at),
            actor=entry.actor,
            action=entry.action,
            outcome=entry.outcome,
            subjects=[strawberry.ID(subject) for subject in entry.subjects],
            subjects_omitted=entry.omitted,
            operation_id=None if entry.operation is None else strawberry.ID(entry.operation),
            address=entry.address,
            user_agent=entry.agent,
            request_id=entry.request_id,
        )


@strawberry.type(description="An entry of the audit in a list.")
class AuditEdge:
    cursor: str = strawberry.field(description="For `after`.")
    node: AuditEntry = strawberry.field(description="The entry.")


@strawberry.type(description="A page of the audit.")
class AuditConnection:
    edges: list[AuditEdge] = strawberry.field(description="The entries, the latest first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[Entry]) -> AuditConnection:
        cursors = cursors_of(AUDIT, page)
        return cls(
            edges=[
                AuditEdge(cursor=cursor, node=AuditEntry.of(entry))
                for cursor, entry in zip(cursors, page.items, strict=True)
            ],
            page_info=page_info(page, cursors),
        )


def note_read(
    context: RequestContext,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    outcome: Outcome,
) -> None:
    """Tell the audit of a query: which fields, which ids were asked for, and whom it met."""
    if context.audit is None:
        return
    fields, asked = _asked(document, operation, variables)
    if fields - ABOUT_NOBODY:
        contexts = (context, *context.bound.values())
        met = [record.id for part in contexts for record in part.people.values()]
        subjects = [*given_out(asked), *met]
        context.audit.note(" ".join(sorted(fields)), subjects=subjects, outcome=outcome)


def _asked(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> tuple[set[str], list[str]]:
    """The fields of an operation that are below none, and the texts that they are given."""
    fragments = {
        definition.name.value: definition.selection_set
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    fields: set[str] = set()
    given: list[str] = []
    pending: list[SelectionSetNode] = [operation.selection_set]
    while pending:
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode):
                fields.add(selection.name.value)
                for argument in selection.arguments or ():
                    value: Any = argument.value
                    if isinstance(value, VariableNode):
                        value = variables.get(value.name.value)
                    elif isinstance(value, StringValueNode):
                        value = value.value
                    if isinstance(value, str):
                        given.append(value)
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                # Once is enough, and the more there are the longer it would take.
                below = fragments.pop(selection.name.value, None)
                if below is not None:
                    pending.append(below)
    return fields, given
