"""What is below a person, asked for along with the person.

A desktop opens on a person's own id, and asks for the journey, chats and devices below. Those are
found by the same id, so they need not wait until it is known whose it is; where the id turns out to
mean somebody else, what was asked for ahead is thrown away, and asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLObjectType
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments

from graphid.api.context import Info
from graphid.api.loaders import ChatPageLoader, LinesPageLoader, UsesByPersonLoader
from graphid.api.people import chats_wanted, journey_wanted
from graphid.api.selections import DEFINITION, selected_on
from graphid.errors import GraphidError

OWN = "person_"
"""What the own ids of people begin with."""

_Wanted = tuple[Callable[..., Any], Callable[..., Any]]

_AHEAD: dict[str, _Wanted] = {
    "journey": (LinesPageLoader, journey_wanted),
    "chats": (ChatPageLoader, chats_wanted),
    "devices": (UsesByPersonLoader, lambda person, **_: person),
}
"""By field of a person: the loader, and what it is asked for, by the person's id and the field's
arguments."""


def ask_ahead(info: Info, person: str) -> None:
    """Have loaded what the selection on this field will ask for of the person with that own id."""
    if not person.startswith(OWN):
        return
    for node in selected_on(info._raw_info, surely=True):
        if not isinstance(node, FieldNode) or node.name.value not in _AHEAD:
            continue
        loader, wanted = _AHEAD[node.name.value]
        try:
            arguments = _arguments(info, node)
            info.context.load(loader).begin(wanted(person, **arguments))
        except (GraphidError, GraphQLError):
            continue  # the field itself says so


def _arguments(info: Info, node: FieldNode) -> dict[str, Any]:
    """The arguments of a field of a person, as its resolver would get them."""
    type = info._raw_info.schema.get_type("Person")
    assert isinstance(type, GraphQLObjectType)
    field = type.fields[node.name.value]
    converter = info.schema.schema_converter
    return convert_arguments(
        get_argument_values(field, node, VariableValues({}, dict(info.variable_values))),
        field.extensions[DEFINITION].arguments,
        converter.scalar_registry,
        converter.config,
    )
