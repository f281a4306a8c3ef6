"""Who is shown what the policy blocks; and that nobody pays for masks who needs none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from graphid.api.context import RequestContext
from graphid.api.execution import Request, answer
from graphid.auth.keys import Caller
from graphid.auth.scopes import Scope
from graphid.identity.policy import Policy, PolicyVersion
from tests.services import services

BLOCKED = ("email:info@shop.example", "*:/^test-/")
VERSION = PolicyVersion(2, Policy(blocked=BLOCKED), set_at=0, set_by="sk:1")


class _Policies:
    async def current(self) -> PolicyVersion:
        return VERSION

    async def find(self, version: int) -> PolicyVersion | None:
        return VERSION if version == VERSION.version else None


def caller(*scopes: Scope) -> RequestContext:
    reads: Any = SimpleNamespace(policies=_Policies())
    key = Caller("sk:1", frozenset(scopes), is_browser=False)
    return RequestContext.of(key, services(reads=reads))


@pytest.mark.parametrize(
    ("scopes", "shown"),
    [
        ([Scope.JOURNEY_VIEW], ["email:i***@shop.example", "*:/***/"]),
        ([Scope.JOURNEY_VIEW, Scope.IDENTIFIER_VIEW], list(BLOCKED)),
        ([Scope.POLICY_EDIT], list(BLOCKED)),
    ],
)
@pytest.mark.parametrize("version", ["", "(version: 2)"])
async def test_what_the_policy_blocks(scopes: list[Scope], shown: list[str], version: str) -> None:
    document = Request(f"{{ policy{version} {{ document }} }}")
    found = await answer(document, caller(*scopes), may_change=False)
    assert list(found.body["data"]["policy"]["document"]["blocked"]) == shown


def test_who_may_see_identifiers_reads_with_nothing_in_between() -> None:
    assert caller(Scope.JOURNEY_VIEW, Scope.IDENTIFIER_VIEW).load.masked is None
    assert caller(Scope.JOURNEY_VIEW).load.masked is not None
    reading = caller(Scope.JOURNEY_VIEW)
    assert reading.reading(reading.reads).load.masked is not None
