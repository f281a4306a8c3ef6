"""The quick way through an answer, beside graphql-core's own: the same data, the same errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, ExecutionResult, execute, parse, validate
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import Info

from graphid.api.executor import Executor
from graphid.api.loaders import SeenByPersonLoader
from graphid.api.selections import Selections


class Context:
    """Nothing is bound elsewhere. A read is over when somebody who waited for it was cancelled."""

    def __init__(self) -> None:
        self.is_left = asyncio.Event()
        reads: Any = SimpleNamespace(lines=SimpleNamespace(seen=self._read))
        self.seen = SeenByPersonLoader(reads)

    async def _read(self, people: list[str]) -> dict[str, tuple[int, int]]:
        await self.is_left.wait()
        return dict.fromkeys(people, (1, 2))

    def bound_at(self, _path: Any) -> Context:
        return self

    async def settle(self) -> None:
        """Nothing was begun."""


@strawberry.enum
class Colour(StrEnum):
    RED = "RED"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Stone(Named):
    colour: Colour | None = None
    weight: int | None = None
    required: int = 0
    tags: list[str] = strawberry.field(default_factory=list)

    @strawberry.field
    def twice(self) -> int:
        return 2 * (self.weight or 0)

    @strawberry.field
    def path(self, info: Info) -> list[str]:
        return [str(part) for part in info.path.as_list()]

    @strawberry.field
    def fails(self) -> int:
        raise ValueError("it cannot be told")

    @strawberry.field
    async def later(self) -> Stone:
        return Stone(name="later")

    @strawberry.field
    async def fails_later(self) -> Stone | None:
        raise ValueError("it cannot be told yet")

    @strawberry.field
    def scaled(self, by: int = 3) -> int:
        return by * (self.weight or 0)


@strawberry.type
class Pebble:
    @strawberry.field
    async def seen(self, info: Info) -> int | None:
        try:
            seen = await info.context.seen.load("somebody")
        except asyncio.CancelledError:
            info.context.is_left.set()
            raise
        return None if seen is None else int(seen[0])

    @strawberry.field
    async def required(self) -> int:
        raise ValueError("it cannot be told")


@strawberry.type
class River(Named):
    length: int


@strawberry.type
class Query:
    @strawberry.field
    def stone(self) -> Stone:
        return Stone(name="s", colour=Colour.RED, weight=2, tags=["a", "b"])

    @strawberry.field
    def pebble(self) -> Pebble | None:
        return Pebble()

    @strawberry.field
    async def pebbles(self) -> list[Pebble | None]:
        return [Pebble(), None, Pebble()]

    @strawberry.field
    def none(self) -> Stone | None:
        return None

    @strawberry.field
    def hole(self) -> Stone | None:
        """It breaks its word: what is required is not there."""
        return Stone(name="h", required=None)  # type: ignore[arg-type]

    @strawberry.field
    def unwritable(self) -> Stone | None:
        return Stone(name="u", weight="much")  # type: ignore[arg-type]

    @strawberry.field
    def stones(self) -> list[Stone | None]:
        return [Stone(name="1"), None, Stone(name="3", required=None)]  # type: ignore[arg-type]

    @strawberry.field
    def all(self) -> list[Stone]:
        return [Stone(name=str(n), weight=n) for n in range(5)]

    @strawberry.field
    def strict(self) -> list[Stone] | None:
        return [Stone(name="1", required=None)]  # type: ignore[arg-type]

    @strawberry.field
    def found(self) -> list[Stone | River]:
        return [Stone(name="s"), River(name="r", length=7)]

    @strawberry.field
    def named(self) -> Named:
        return River(name="r", length=7)

    @strawberry.field
    def lost(self) -> Named | None:
        return Context()  # type: ignore[return-value]

    @strawberry.field
    def wrong(self) -> Stone | None:
        return River(name="r", length=7)  # type: ignore[return-value]


schema = strawberry.Schema(query=Query, types=[Stone, River])._schema

QUERIES = [
    "{ stone { name colour weight required tags twice path scaled } }",
    "{ a: stone { b: name c: name __typename } d: __typename }",
    "{ stone { scaled(by: 5) ...more } } fragment more on Named { name ... on Stone { weight } }",
    "query ($no: Boolean = false) { stone { name @include(if: $no) weight @skip(if: $no) } }",
    "{ none { name } stone { later { name later { name path } } } }",
    "{ stone { fails name } none { name } }",
    "{ stone { failsLater { name } name } }",
    "{ hole { name required } stone { name } }",
    "{ unwritable { name weight } }",
    "{ stones { name required } }",
    "{ all { name twice later { name } path } }",
    "{ all { failsLater { name } later { fails } } }",
    "{ strict { name required } }",
    "{ found { __typename ... on Stone { weight } ... on River { length } } }",
    "{ named { __typename name } lost { name } wrong { name } }",
    '{ __type(name: "River") { name fields { name type { kind ofType { name } } } } }',
    "{ __schema { queryType { name } } }",
]


def kinds() -> Iterator[type[Any]]:
    yield StrawberryGraphQLCoreExecutionContext
    yield Executor


async def executed(
    query: str, kind: type[Any], document: DocumentNode | None = None, **more: Any
) -> tuple[Any, list[Any]]:
    document = document or parse(query)
    assert validate(schema, document) == []
    found = execute(schema, document, context_value=Context(), executor_class=kind, **more)
    result = found if isinstance(found, ExecutionResult) else await found
    errors = [(e.message, e.path, e.locations) for e in result.errors or ()]
    return result.data, sorted(errors, key=repr)


@pytest.mark.parametrize("query", QUERIES)
async def test_it_answers_as_graphql_core_does(query: str) -> None:
    expected, found = [await executed(query, kind) for kind in kinds()]
    assert found == expected
    data, errors = found
    assert data is not None or errors


@pytest.mark.parametrize("query", QUERIES)
async def test_what_a_document_selects_is_worked_out_once(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, selections = parse(query), Selections()
    first = await executed(query, Executor, document, selections=selections)
    collected: list[object] = []
    monkeypatch.setattr(
        Executor, "collect_subfields", lambda _self, type, _details: collected.append(type)
    )
    again = await executed(query, Executor, document, selections=selections)
    assert again == first
    assert not collected


async def test_these_queries_meet_errors_of_every_kind() -> None:
    """What is compared above is not only what goes well."""
    told = {message for query in QUERIES for message, *_ in (await executed(query, Executor))[1]}
    assert len(told) >= 5


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ a: pebble { seen required } b: pebble { seen } }", {"a": None, "b": {"seen": 1}}),
        (
            "{ a: pebble { seen required } pebbles { seen } }",
            {"a": None, "pebbles": [{"seen": 1}, None, {"seen": 1}]},
        ),
    ],
)
@pytest.mark.parametrize("kind", list(kinds()))
async def test_a_field_that_fails_leaves_to_others_what_its_siblings_waited_for(
    kind: type[Any], query: str, expected: Any
) -> None:
    data, ((message, path, _),) = await executed(query, kind)
    assert data == expected
    assert (message, path) == ("it cannot be told", ["a", "required"])
