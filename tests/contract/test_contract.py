"""The schema against the contract that clients are written to, and against its committed text."""

from __future__ import annotations

from pathlib import Path

from graphid.api.descriptions import BY_COORDINATE, parts_of
from graphid.api.schema import executable, schema_text
from tests.contract.members import members

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONTRACT = members((HERE / "contract.graphql").read_text())
BUILT = members(schema_text())


def test_all_of_the_contract_is_there_with_its_types() -> None:
    assert {coordinate: BUILT.get(coordinate) for coordinate in CONTRACT} == CONTRACT


def test_the_committed_schema_is_the_one_that_the_code_makes() -> None:
    committed = (ROOT / "schema.graphql").read_text()
    assert committed == schema_text(), "run: graphid schema > schema.graphql"


def test_every_part_of_the_schema_is_described() -> None:
    parts = {coordinate: part.description for coordinate, _, part in parts_of(executable)}
    assert CONTRACT.keys() & parts.keys(), "the parts are named otherwise than in the contract"
    assert [coordinate for coordinate, said in parts.items() if not (said or "").strip()] == []


def test_every_description_apart_is_of_something_that_has_none_where_it_is_defined() -> None:
    said = {coordinate: part.description for coordinate, _, part in parts_of(executable)}
    assert {coordinate: said.get(coordinate) for coordinate in BY_COORDINATE} == BY_COORDINATE


def test_what_is_deprecated_says_what_to_use_instead() -> None:
    for coordinate, _, part in parts_of(executable):
        reason = getattr(part, "deprecation_reason", None)
        assert reason is None or "Use " in reason, coordinate
