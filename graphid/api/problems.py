"""Expected failures as members of a mutation's union; the rest are GraphQL errors."""

from __future__ import annotations

import strawberry
from pydantic import ValidationError

from graphid import errors


@strawberry.interface(
    description="Expected failures are union members; malformed requests, missing rights and "
    "limits are GraphQL errors with extensions.code."
)
class Problem:
    code: str = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="For people.")


@strawberry.type(description="Change the input: `path` names the field, `message` the limit.")
class InvalidInput(Problem):
    path: list[str] = strawberry.field(description="Outermost name first.")


@strawberry.type(description="What the input names does not exist.")
class NotFound(Problem):
    pass


@strawberry.type(description="The rules of identity forbid it.")
class Refused(Problem):
    reasons: list[str] = strawberry.field(description="One sentence a rule.")


@strawberry.type(description="The graph has changed since the preview: look at a new one.")
class StaleGraph(Problem):
    pass


def invalid_input(error: errors.InvalidInput) -> InvalidInput:
    return InvalidInput(code=error.code, message=error.message, path=list(error.path or ()))


def not_found(error: errors.NotFound) -> NotFound:
    return NotFound(code=error.code, message=error.message)


def refused(error: errors.Refused) -> Refused:
    return Refused(code=error.code, message=error.message, reasons=list(error.reasons))


def stale_graph(error: errors.StaleGraph) -> StaleGraph:
    return StaleGraph(code=error.code, message=error.message)


def first_fault(error: ValidationError) -> errors.InvalidInput:
    """The first thing that is wrong with a message; its value is not repeated."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # pydantic says "Value error, must not …" of what our own validators raise.
    reason = fault["msg"].removeprefix("Value error, ")
    path = [str(part) for part in fault["loc"]]
    return errors.InvalidInput(f"{path[-1] if path else 'input'}: {reason}.", path=path)
