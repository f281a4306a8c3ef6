"""What all mutations that send a message do: validate, submit, answer or say what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

import strawberry

from graphid import errors
from graphid.api.context import Info
from graphid.api.inputs import message_of
from graphid.api.journey import JourneyEvent
from graphid.api.problems import (
    InvalidInput,
    NotFound,
    Refused,
    invalid_input,
    not_found,
    refused,
)
from graphid.service.messages import Message
from graphid.service.receipts import Receipt

A = TypeVar("A")


@strawberry.type(description="Something that was accepted nevertheless.")
class Warning:
    code: str = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="For people.")


@strawberry.type(description="The event is kept.")
class EventAccepted:
    event: JourneyEvent = strawberry.field(description="As a line of a journey.")
    duplicate: bool = strawberry.field(description="Whether it was known already.")
    warnings: list[Warning] = strawberry.field(description="What to mend.")

    @classmethod
    def of(cls, receipt: Receipt) -> EventAccepted:
        return cls(
            event=JourneyEvent.of_receipt(receipt),
            duplicate=receipt.duplicate,
            warnings=warnings_of(receipt),
        )


def warnings_of(receipt: Receipt) -> list[Warning]:
    return [Warning(code=w.code, message=w.message) for w in receipt.warnings]


async def submit(info: Info, kind: Any, sent: Any) -> Receipt:
    """The receipt of a message made from an input. Raises what is wrong with it."""
    return await submit_message(info, message_of(kind, sent))


async def submit_message(info: Info, message: Message) -> Receipt:
    """The receipt of a message. Raises what is wrong with it."""
    context = info.context
    receipts = await context.services.ingest.submit([message], context.sender, taken=context.taken)
    context.forget()
    if receipts[0].problem is not None:
        raise receipts[0].problem
    return receipts[0]


async def or_invalid(answer: Awaitable[A]) -> A | InvalidInput:
    """The answer, or what is wrong with the input."""
    try:
        return await answer
    except errors.InvalidInput as error:
        return invalid_input(error)


async def or_not_found(answer: Awaitable[A]) -> A | InvalidInput | NotFound:
    """The answer, or what is wrong with the input, or that what it names does not exist."""
    try:
        return await or_invalid(answer)
    except errors.NotFound as error:
        return not_found(error)


async def or_refused(answer: Awaitable[A]) -> A | InvalidInput | Refused:
    """The answer, or what is wrong with the input, or the rules that forbid it."""
    try:
        return await or_invalid(answer)
    except errors.Refused as error:
        return refused(error)


async def or_refused_or_not_found(answer: Awaitable[A]) -> A | InvalidInput | NotFound | Refused:
    """The answer, or what is wrong with the input, does not exist, or is forbidden."""
    try:
        return await or_not_found(answer)
    except errors.Refused as error:
        return refused(error)


async def accepted(info: Info, kind: Any, sent: Any) -> EventAccepted:
    """Submit what nothing but acceptance follows from."""
    return EventAccepted.of(await submit(info, kind, sent))
