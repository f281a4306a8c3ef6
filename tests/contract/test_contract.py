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
NOT_BUILT = (HERE / "not_built.txt").read_text().splitlines()


def test_what_is_built_has_the_types_of_the_contract() -> None:
    assert {coordinate: BUILT[coordinate] for coordinate in CONTRACT if coordinate in BUILT} == {
        coordinate: CONTRACT[coordinate] for coordinate in CONTRACT if coordinate in BUILT
    }


def test_what_is_not_built_is_listed_and_what_is_listed_is_not_built() -> None:
    assert sorted(CONTRACT.keys() - BUILT.keys()) == NOT_BUILT


def test_nothing_of_the_contract_that_is_built_was_renamed() -> None:
    assert [name for name in NOT_BUILT if name not in CONTRACT] == []


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
