"""The schema against the contract that clients are written to, and against its committed text."""

from __future__ import annotations

from pathlib import Path

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


def test_every_type_field_and_argument_family_is_described() -> None:
    missing = [
        f"{name}.{field_name}"
        for name, type in executable.type_map.items()
        if not name.startswith("__") and hasattr(type, "fields") and type.name not in INPUTS
        for field_name, field in type.fields.items()
        if not field.description
    ]
    assert missing == []


INPUTS = {name for name in executable.type_map if name.endswith("Input")}
"""Their fields say by their names what they are, as in the contract."""
