"""The members of a schema, each as one line that says all that a client relies on."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    DefinitionNode,
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)


def members(text: str) -> dict[str, str]:
    """Coordinate of each member, and its type; defaults and nullability are part of it."""
    return dict(
        member for definition in parse(text).definitions for member in _members_of(definition)
    )


def _members_of(definition: DefinitionNode) -> Iterator[tuple[str, str]]:
    match definition:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            name = definition.name.value
            yield name, definition.kind
            for interface in definition.interfaces or ():
                yield f"{name} implements {interface.name.value}", ""
            for field in definition.fields or ():
                yield f"{name}.{field.name.value}", print_ast(field.type)
                for argument in field.arguments or ():
                    yield f"{name}.{field.name.value}({argument.name.value}:)", _input(argument)
        case InputObjectTypeDefinitionNode():
            name = definition.name.value
            yield name, definition.kind
            for value in definition.fields or ():
                yield f"{name}.{value.name.value}", _input(value)
        case EnumTypeDefinitionNode():
            name = definition.name.value
            yield name, definition.kind
            for one in definition.values or ():
                yield f"{name}.{one.name.value}", ""
        case UnionTypeDefinitionNode():
            name = definition.name.value
            yield name, definition.kind
            for member in definition.types or ():
                yield f"{name} = {member.name.value}", ""
        case ScalarTypeDefinitionNode():
            yield definition.name.value, definition.kind


def _input(value: InputValueDefinitionNode) -> str:
    default = "" if value.default_value is None else print_ast(value.default_value)
    # A default of null is what absence means anyway.
    return print_ast(value.type) + (f" = {default}" if default not in ("", "null") else "")
