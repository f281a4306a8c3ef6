"""Subscriptions: judged as every operation is, then told of one thing after another.

What many subscribers are told of the same thing with the same selection is worked out once: the
fields of a thing depend on it, on the text of the operation, on the variables that are used below
its root, and on what the caller may see. Things of one batch share their loaders.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from inspect import isawaitable
from time import monotonic
from typing import Any, cast

import msgspec
import structlog
from graphql import (
    ExecutionResult,
    FieldNode,
    Node,
    OperationType,
    VariableNode,
    Visitor,
    create_source_event_stream,
    visit,
)
from strawberry.execution import optimized_is_awaitable

from graphid.api.context import RequestContext
from graphid.api.execution import (
    Answer,
    Judged,
    Request,
    carry_out,
    executed,
    judge,
    note,
    told,
)
from graphid.api.schema import executable, schema
from graphid.api.telling import Event
from graphid.errors import InvalidInput
from graphid.service.audit.entries import Outcome

NOTED_AT_ONCE = 100
"""Subjects of one entry in the audit."""

NOTED_EVERY = 60.0
"""Seconds after which the audit is told of whom a subscription told."""

_encode = msgspec.json.Encoder().encode


async def begin(
    request: Request,
    context: RequestContext,
    *,
    may_change: bool,
    changing: AbstractContextManager[None] | None = None,
) -> Answer | Subscribed:
    """What a request comes to: an answer, or a subscription that goes on, which is the caller's
    to close. ``changing``: entered for as long as a mutation is carried out. Raises
    MutationByGet."""
    judged = await judge(request, context, may_change=may_change, may_stream=True)
    if isinstance(judged, Answer):
        return judged
    if judged.kind is OperationType.MUTATION:
        with changing or nullcontext():
            return await carry_out(judged, context)
    if judged.kind is not OperationType.SUBSCRIPTION:
        return await carry_out(judged, context)
    source = await _source(judged, context)
    if isinstance(source, ExecutionResult):
        found = told(source)
        note(judged, context, Outcome.FAILED)
        return Answer(found.body, refusal=found.refusal or found.failure or InvalidInput())
    note(judged, context, Outcome.DONE)
    return Subscribed(judged, context, source)


async def _source(
    judged: Judged, context: RequestContext
) -> AsyncGenerator[Event, None] | ExecutionResult:
    executor = schema.execution_context_class.build(
        executable,
        judged.document,
        None,
        context,
        dict(judged.request.variables),
        judged.request.operation,
        is_awaitable=cast(Any, optimized_is_awaitable),
    )
    if isinstance(executor, list):
        return ExecutionResult(None, executor)
    found: Any = create_source_event_stream(executor)
    source: AsyncGenerator[Event, None] | ExecutionResult = (
        await found if isawaitable(found) else found
    )
    return source


class Subscribed:
    """A subscription under way."""

    def __init__(
        self, judged: Judged, context: RequestContext, source: AsyncGenerator[Event, None]
    ) -> None:
        self._judged = judged
        self._context = context
        self._source = source
        self._field = root_field(judged)
        self._selection = selection(judged)
        self._met: dict[str, None] = {}
        self._noted_at = monotonic()

    async def payloads(self) -> AsyncGenerator[bytes, None]:
        """The results, as JSON. Raises what ends it: Overrun, where it is read too slowly."""
        try:
            async for event in self._source:
                yield await self._payload(event)
        finally:
            await self._source.aclose()
            self._note()

    async def aclose(self) -> None:
        """Follow no more; also where nothing was read."""
        await self._source.aclose()

    async def _payload(self, event: Event) -> bytes:
        shared = event.batch.shared
        key = (event.key, self._selection, self._context.caller.scopes)
        task = shared.get(key)
        if task is None:
            task = shared[key] = asyncio.create_task(self._execute(event))
        # Shielded: the others wait on where one of them is gone. What others have worked out
        # already is told without a turn of the loop for each.
        body, encoded, met = task.result() if task.done() else await asyncio.shield(task)
        self._meet(event.subjects, met)
        return encoded if encoded is not None else _encode(_own(body))

    async def _execute(self, event: Event) -> tuple[dict[str, Any], bytes | None, tuple[str, ...]]:
        shared = event.batch.shared
        scopes = self._context.caller.scopes
        together = shared.get(scopes)
        if together is None:
            together = shared[scopes] = self._context.reading(self._context.services.reads)
        context = replace(together, people={}, bound={}, rehearsals=[])
        found = await executed(context, self._judged, await event.value(context))
        is_whole = "errors" not in found.body
        met = tuple(record.id for record in context.people.values())
        return found.body, _encode(found.body) if is_whole else None, met

    def _meet(self, subjects: tuple[str, ...], met: tuple[str, ...]) -> None:
        if self._context.audit is None:
            return
        self._met |= dict.fromkeys((*subjects, *met))
        is_due = monotonic() - self._noted_at >= NOTED_EVERY
        if is_due or len(self._met) >= NOTED_AT_ONCE:
            self._note()

    def _note(self) -> None:
        if self._context.audit is not None and self._met:
            self._context.audit.note(self._field, subjects=list(self._met))
        self._met = {}
        self._noted_at = monotonic()


def _own(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with errors, which was worked out for others too, with this request's id."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    errors = [
        {**error, "extensions": {**error["extensions"], "requestId": request_id}}
        for error in body["errors"]
    ]
    return {**body, "errors": errors}


def root_field(judged: Judged) -> str:
    """The one field of a subscription that is below none."""
    names = [
        node.name.value
        for node in judged.operation.selection_set.selections
        if isinstance(node, FieldNode)
    ]
    return names[0] if names else "subscription"


def selection(judged: Judged) -> tuple[str, str | None, bytes]:
    """What the fields of a thing depend on beside it: the operation, and the variables that are
    used elsewhere than in the arguments of its root field."""
    used = _Used()
    for node in judged.operation.selection_set.selections:
        parts: tuple[Node | None, ...] = (node,)
        if isinstance(node, FieldNode):
            parts = (*(node.directives or ()), node.selection_set)
        for part in parts:
            if part is not None:
                visit(part, used)
    for definition in judged.document.definitions:
        if definition is not judged.operation:
            visit(definition, used)
    request = judged.request
    variables = {name: request.variables.get(name) for name in sorted(used.names)}
    return request.query, request.operation, _encode(variables)


class _Used(Visitor):
    """Collects the names of variables."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)
