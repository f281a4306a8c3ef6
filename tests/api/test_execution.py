"""What went wrong while an operation was executed, as the caller learns it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from graphid.api.context import RequestContext
from graphid.api.execution import Answer, MutationByGet, Request, answer, prepare
from graphid.auth.keys import Keys
from graphid.errors import DatabaseUnavailable, InternalError, NotFound, Refused
from graphid.service.messages import Message, Sender
from graphid.service.receipts import Receipt
from tests.api.witness import Seen
from tests.services import services

KEY = Keys.of(secret=["a secret key"], publishable=()).find("a secret key")
PAGE = 'mutation { page(input: {context: {cookieId: "c"}, url: "u"}) { __typename } }'


class Broken:
    """Fails as it is told to."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def submit(
        self, messages: Sequence[Message], sender: Sender, *, taken: object = None
    ) -> list[Receipt]:
        raise self.error


async def answered(error: BaseException, document: str = PAGE, **options: Any) -> Answer:
    context = RequestContext.of(KEY, services(ingest=Broken(error)))
    return await answer(Request(document), context, **{"may_change": True, **options})


async def test_a_database_that_is_away_is_a_retryable_failure() -> None:
    found = await answered(DatabaseUnavailable(retry_after=2))
    assert isinstance(found.failure, DatabaseUnavailable)
    assert found.body["data"] is None
    assert found.body["errors"][0]["extensions"]["code"] == "DATABASE_UNAVAILABLE"


async def test_what_nobody_expected_is_masked_and_logged_once() -> None:
    with structlog.testing.capture_logs() as logs:
        found = await answered(RuntimeError("MATCH (n) jane@example.com"))
    (error,) = found.body["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "jane" not in str(found.body)
    assert "MATCH" not in str(found.body)
    assert [line["event"] for line in logs] == ["resolver_failed"]


async def test_what_was_cancelled_below_a_request_is_no_end_of_it() -> None:
    with structlog.testing.capture_logs() as logs:
        found = await answered(asyncio.CancelledError())
    assert isinstance(found.failure, InternalError)
    assert found.body["data"] is None
    assert found.body["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert [line["event"] for line in logs] == ["execution_failed"]


HOLDING = '{ personByIdentifier(type: "email", value: "a@example.com") { id } }'


def holding(read: Callable[[], Awaitable[None]]) -> RequestContext:
    """A context in which somebody is looked for so."""

    async def look(_type: str, _value: str) -> None:
        await read()

    reads = SimpleNamespace(people=SimpleNamespace(holding=look))
    return RequestContext.of(KEY, services(reads=reads))


async def test_what_was_cancelled_below_a_query_is_told_to_the_audit() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    context, seen = holding(cancelled), Seen()
    context.audit = seen.witness
    found = await answer(Request(HOLDING), context, may_change=False)
    assert isinstance(found.failure, InternalError)
    assert seen.entries == [("personByIdentifier", "FAILED", ())]


async def test_a_request_that_is_cancelled_ends_with_what_it_waits_for() -> None:
    begun, is_cancelled = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            is_cancelled.set()
            raise

    asked = answer(Request(HOLDING), holding(read), may_change=False)
    task = asyncio.create_task(asked)
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert is_cancelled.is_set()


async def test_a_problem_outside_of_the_union_is_an_error() -> None:
    found = await answered(NotFound())
    assert found.body["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_refusal_is_a_member_of_the_union() -> None:
    document = """mutation { identify(input: {context: {cookieId: "c"}}) {
      __typename ... on Refused { code message reasons } } }"""
    found = await answered(Refused(reasons=["because"]), document)
    assert found.body["data"]["identify"] == {
        "__typename": "Refused",
        "code": "REFUSED",
        "message": Refused().message,
        "reasons": ["because"],
    }


async def test_a_mutation_needs_post() -> None:
    with pytest.raises(MutationByGet):
        await answered(NotFound(), may_change=False)


async def test_the_operation_must_be_named_where_there_are_several() -> None:
    found = await answered(NotFound(), "query A { __typename } query B { __typename }")
    assert found.refusal is not None
    assert "operationName" in found.body["errors"][0]["message"]


def test_a_document_is_read_once() -> None:
    assert prepare("{ __typename }") is prepare("{ __typename }")


@pytest.mark.parametrize("directive", ["include", "skip"])
async def test_what_a_variable_selects_is_worked_out_for_each_request(directive: str) -> None:
    document = f"""query ($said: Boolean!) {{
      __schema {{ queryType {{ name kind @{directive}(if: $said) }} }}
    }}"""
    shown = []
    for said in (True, False, True):
        context = RequestContext.of(KEY, services())
        found = await answer(Request(document, {"said": said}), context, may_change=False)
        shown.append("kind" in found.body["data"]["__schema"]["queryType"])
    assert shown == [directive == "include", directive == "skip", directive == "include"]
