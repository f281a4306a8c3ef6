"""What the audit is told of an act of which nobody knows whether it was done."""

from __future__ import annotations

import asyncio

import pytest

from graphid.api.context import RequestContext
from graphid.api.execution import Request, answer
from graphid.api.mutations.recorded import or_failed
from graphid.auth.keys import Keys
from graphid.errors import Busy, DatabaseUnavailable, InvalidInput, NotFound, Refused, StaleGraph
from tests.api.witness import Seen
from tests.services import services

KEY = Keys.of(secret=["a secret key"], publishable=()).find("a secret key")


@pytest.mark.parametrize(
    "error",
    [Busy(), DatabaseUnavailable(), RuntimeError(), asyncio.CancelledError()],
    ids=lambda error: type(error).__name__,
)
def test_it_may_be_done_nevertheless(error: BaseException) -> None:
    context, seen = RequestContext.of(KEY, services()), Seen()
    context.audit = seen.witness
    with pytest.raises(type(error)), or_failed(context, "act", ["person_1"]):
        raise error
    assert seen.entries == [("act", "FAILED", ("person_1",))]


@pytest.mark.parametrize(
    "error",
    [InvalidInput(), NotFound(), Refused(reasons=["no"]), StaleGraph()],
    ids=lambda error: type(error).__name__,
)
def test_what_is_refused_is_surely_not_done(error: BaseException) -> None:
    context, seen = RequestContext.of(KEY, services()), Seen()
    context.audit = seen.witness
    with pytest.raises(type(error)), or_failed(context, "act"):
        raise error
    assert not seen.entries


SET = "mutation { setPolicy(document: {}) { __typename } }"


async def test_a_policy_may_be_set_by_a_database_that_does_not_answer() -> None:
    context, seen = RequestContext.of(KEY, services(reads=Reads())), Seen()
    context.audit = seen.witness
    found = await answer(Request(SET), context, may_change=True)
    assert isinstance(found.failure, DatabaseUnavailable)
    assert seen.entries == [("setPolicy", "FAILED", ())]


class Reads:
    """With policies that cannot be set."""

    @property
    def policies(self) -> Reads:
        return self

    async def set(self, document: object, by: str) -> None:
        raise DatabaseUnavailable
