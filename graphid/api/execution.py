"""From a request to an answer: parse, validate, judge size and rights, execute, tell errors.

What depends on the text alone (parsing, validation, what is selected) is kept for the next
request with the same text. Nothing is executed before the whole operation has been judged.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import isawaitable
from typing import Any, cast

import structlog
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    validate,
)
from strawberry.execution import optimized_is_awaitable

from graphid.api.audit import note_read
from graphid.api.context import RequestContext
from graphid.api.limits import MAX_CHARACTERS, MAX_TOKENS, require_small
from graphid.api.rights import Need, needs_of, require
from graphid.api.schema import executable, schema
from graphid.api.selections import Selections
from graphid.errors import (
    Forbidden,
    GraphidError,
    InternalError,
    InvalidInput,
    TooLarge,
    Unauthorized,
)
from graphid.service.audit.entries import Outcome

log = structlog.get_logger()

MAX_ERRORS = 10
"""How many faults of a document are told."""
KEPT_DOCUMENTS = 256
MAX_KEPT_CHARACTERS = 10_000
"""A longer document is read anew each time, so that strangers cannot fill the memory."""

PARSE = "GRAPHQL_PARSE_FAILED"
VALIDATION = "GRAPHQL_VALIDATION_FAILED"
BAD_INPUT = "BAD_USER_INPUT"
NO_KEY = "UNAUTHENTICATED"
"""What GraphQL's clients know ``Unauthorized`` as."""

ONE_ANSWER = (
    "A subscription has many answers: send it with 'Accept: text/event-stream', or over a "
    "WebSocket (graphql-transport-ws)."
)

_VALUES = (
    (re.compile(r", found: .*", re.DOTALL), "."),
    (re.compile(r"(cannot represent [\w -]+): .*", re.DOTALL), r"\1."),
    (re.compile(r"Value .* does not exist", re.DOTALL), "This value does not exist"),
)
"""Where graphql-core repeats a value that was sent: it may be somebody's e-mail address."""


@dataclass(frozen=True)
class Request:
    """What GraphQL over HTTP sends."""

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None


@dataclass(frozen=True)
class Answer:
    """The body of the answer, and what was wrong, for the status line.

    ``refusal``: the request was not executed. ``failure``: it was, and that is why it has no data.
    """

    body: dict[str, Any]
    refusal: GraphidError | None = None
    failure: GraphidError | None = None


@dataclass(frozen=True)
class Prepared:
    """A document that was read: ``errors`` where it is none."""

    document: DocumentNode | None
    needs: Mapping[str | None, tuple[Need, ...]]
    errors: tuple[GraphQLError, ...] = ()
    code: str = VALIDATION
    selections: Selections | None = None
    """None where variables decide what is selected."""


@dataclass(frozen=True)
class Judged:
    """An operation that may be executed."""

    request: Request
    document: DocumentNode
    operation: OperationDefinitionNode
    selections: Selections | None

    @property
    def kind(self) -> OperationType:
        return self.operation.operation


async def answer(request: Request, context: RequestContext, *, may_change: bool) -> Answer:
    """The answer to a request; ``may_change`` False: only queries are executed.

    Raises MutationByGet.
    """
    judged = await judge(request, context, may_change=may_change)
    return judged if isinstance(judged, Answer) else await carry_out(judged, context)


async def judge(
    request: Request, context: RequestContext, *, may_change: bool, may_stream: bool = False
) -> Judged | Answer:
    """The operation of a request, its cost taken from the caller's limits; or why it is refused.

    ``may_change``: mutations are taken; ``may_stream``: subscriptions are. Raises MutationByGet.
    """
    if len(request.query) > MAX_CHARACTERS:
        return _refused(TooLarge(f"The query is longer than {MAX_CHARACTERS} characters."))
    kept = len(request.query) <= MAX_KEPT_CHARACTERS
    prepared = (prepare if kept else prepare.__wrapped__)(request.query)
    if prepared.document is None or prepared.errors:
        return _faulty(prepared)
    operation = get_operation_ast(prepared.document, request.operation)
    if operation is None:
        return _refused(InvalidInput("operationName must name one operation of the query."))
    is_mutation = operation.operation is OperationType.MUTATION
    if is_mutation and not may_change:
        raise MutationByGet
    if operation.operation is OperationType.SUBSCRIPTION and not may_stream:
        return _refused(InvalidInput(ONE_ANSWER))
    try:
        size = require_small(executable, prepared.document, request.operation, request.variables)
        require(prepared.needs[_name_of(operation)], context.caller.scopes)
        if context.allowance is not None:
            await context.allowance.spend(events=size.roots if is_mutation else 0, cost=size.cost)
    except GraphidError as error:
        # Anybody may try with a key that everybody may have.
        if isinstance(error, Forbidden) and not context.caller.is_browser:
            note_read(context, prepared.document, operation, request.variables, Outcome.REFUSED)
        return _refused(error)
    return Judged(request, prepared.document, operation, prepared.selections)


async def carry_out(judged: Judged, context: RequestContext) -> Answer:
    """The answer to a query or a mutation."""
    try:
        found = await executed(context, judged)
        if judged.kind is not OperationType.MUTATION and not context.caller.is_browser:
            outcome = Outcome.DONE if found.failure is None else Outcome.FAILED
            note(judged, context, outcome)
        return found
    finally:
        await context.settle()


def note(judged: Judged, context: RequestContext, outcome: Outcome) -> None:
    """Tell the audit of what is read."""
    variables = judged.request.variables
    note_read(context, judged.document, judged.operation, variables, outcome)


class MutationByGet(Exception):
    """Only a query may come by GET: what changes something is sent by POST."""


@lru_cache(maxsize=KEPT_DOCUMENTS)
def prepare(query: str) -> Prepared:
    """Read and judge a document, as far as its text alone decides."""
    try:
        document = parse(query, max_tokens=MAX_TOKENS, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as error:
        return Prepared(None, {}, (error,), PARSE)
    except RecursionError:
        too_deep = GraphQLError("The query is nested too deep to be read.")
        return Prepared(None, {}, (too_deep,), PARSE)
    try:
        errors = validate(executable, document, max_errors=MAX_ERRORS)
    except RecursionError:
        errors = [GraphQLError("The query is nested too deep to be judged.")]
    if errors:
        return Prepared(document, {}, tuple(errors))
    # Directives decide by variables; the sign of one may also be in a text, which is as well.
    selections = None if "@" in query else Selections()
    return Prepared(document, needs_of(executable, document), selections=selections)


async def execute_in(
    context: RequestContext, judged: Judged, event: object = None
) -> ExecutionResult:
    """What comes of an operation; of a subscription, for one event."""
    # What strawberry's own schema.execute does in the end, without reading the text again.
    result = execute(
        executable,
        judged.document,
        root_value=event,
        context_value=context,
        variable_values=dict(judged.request.variables),
        operation_name=judged.request.operation,
        executor_class=schema.execution_context_class,
        is_awaitable=cast(Any, optimized_is_awaitable),
        selections=judged.selections,
    )
    return await result if isawaitable(result) else result


async def executed(context: RequestContext, judged: Judged, event: object = None) -> Answer:
    """What comes of an operation, as it is told."""
    try:
        return told(await execute_in(context, judged, event))
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Not this was cancelled, but what a field waited for: a mistake, and no end of the request.
        log.error("execution_failed", exc_info=error)
        failure = InternalError()
        return Answer({"data": None, **error_body(failure)}, failure=failure)


def _name_of(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


def _faulty(prepared: Prepared) -> Answer:
    body = {"errors": [_error(error, prepared.code) for error in prepared.errors]}
    return Answer(body, refusal=InvalidInput())


def _refused(error: GraphidError) -> Answer:
    return Answer(error_body(error), refusal=error)


def error_body(error: GraphidError) -> dict[str, Any]:
    """The body of an answer that nothing but this error is in."""
    extensions = _extensions(error.code, error)
    return {"errors": [{"message": error.message, "extensions": extensions}]}


def told(result: ExecutionResult) -> Answer:
    """The answer that an execution comes to."""
    if not result.errors:
        return Answer({"data": result.data})
    causes = [(error, _cause(error)) for error in result.errors]
    errors = [_error(error, BAD_INPUT, cause) for error, cause in causes]
    body: dict[str, Any] = {"errors": errors}
    if result.data is None and all(not error.path for error in result.errors):
        # A variable that does not fit: nothing was executed, so there is no data to speak of.
        return Answer(body, refusal=InvalidInput())
    body["data"] = result.data
    has_data = any(value is not None for value in (result.data or {}).values())
    failure = None if has_data else next((cause for _, cause in causes if cause), None)
    return Answer(body, failure=failure)


def _cause(error: GraphQLError) -> GraphidError | None:
    """Our own error behind one of execution's; None for what GraphQL itself found."""
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    if original is None or isinstance(original, GraphidError):
        if isinstance(original, InternalError):
            log.error("resolver_failed", path=_field(error), exc_info=original)
        return original
    # The one line about what nobody expected; the caller gets the request's id only.
    log.error("resolver_failed", path=_field(error), exc_info=original)
    return InternalError()


def _field(error: GraphQLError) -> str:
    return ".".join(str(part) for part in error.path or () if isinstance(part, str))


def _error(error: GraphQLError, code: str, cause: GraphidError | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"message": _valueless(error) if cause is None else cause.message}
    if error.locations:
        told["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        told["path"] = list(error.path)
    told["extensions"] = _extensions(code if cause is None else cause.code, cause)
    return told


def _valueless(error: GraphQLError) -> str:
    message = error.message
    for pattern, instead in _VALUES:
        message = pattern.sub(instead, message)
    return message


def _extensions(code: str, cause: GraphidError | None = None) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": NO_KEY if code == Unauthorized.code else code}
    if cause is not None and cause.path:
        extensions["path"] = list(cause.path)
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        extensions["requestId"] = request_id
    return extensions
