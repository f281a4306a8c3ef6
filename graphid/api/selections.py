"""What a selection asks of an object, worked out once for all objects of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from operator import attrgetter
from typing import Any

import msgspec
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLID,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    InlineFragmentNode,
    SelectionNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_enum_type,
    is_leaf_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry import Info
from strawberry.types.field import StrawberryField

DEFINITION = "strawberry-definition"
"""Where graphql-core's types and fields keep what strawberry made them from."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a field is read, whatever is selected below it.

    ``resolve``: reads it of an object; None where only graphql-core and strawberry together can,
    as it has arguments. ``informed``: strawberry's field, where ``resolve`` takes an info of it
    besides. ``is_attribute``: nothing is computed. ``write``: makes a scalar or an enum what is
    answered; None for other types. ``is_text``: text is answered as it is. ``is_abstract``: of
    which type a value is, is for graphql-core to find out, with an info of its own.
    """

    resolve: Callable[..., Any] | None = None
    informed: StrawberryField | None = None
    is_attribute: bool = False
    write: Callable[[Any], Any] | None = None
    is_text: bool = False
    is_required: bool = False
    is_abstract: bool = False


class Step(msgspec.Struct, eq=False):
    """A field of a selection. It stands in for graphql-core's info where only errors ask for it."""

    name: str
    """What it is called in the answer."""
    details: Any
    field: GraphQLField
    parent_type: GraphQLObjectType
    field_name: str
    shape: Shape
    read: Callable[[Any], Any] | None
    """Of a scalar or an enum that is an attribute: reads it."""
    is_text: bool
    """As of its shape, which is looked at for each value."""
    below: dict[type[Any], Sequence[Step] | None] = {}
    """What is selected on an object of a class, as far as it was met; None where that is not plain,
    as ``object_type_of`` has it."""


class Selections:
    """What is selected below the fields of a document.

    Kept with a document that has no directives, so that no variable decides what is selected, it is
    worked out once for all who ask with the same text.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Sequence[Step]] = {}

    def below(
        self, executor: Executor[Any], type: GraphQLObjectType, details: FieldDetailsList
    ) -> Sequence[Step]:
        """What is selected on an object of that type in these fields, which answer as one."""
        # The nodes live as long as their document does.
        key = type, *[id(detail.node) for detail in details]
        found = self._found.get(key)
        if found is None:
            fields = executor.collect_subfields(type, details).grouped_field_set
            found = self._found[key] = steps_of(executor.schema, type, fields)
        return found


class LateInfo(Info[Any, Any]):
    """Strawberry's info of a field, made of graphql-core's when somebody looks at it; most
    resolvers do only where something is still to be read."""

    def __init__(self, make: Callable[[], GraphQLResolveInfo[Any]], field: StrawberryField) -> None:
        self._make = make
        self._field = field

    @cached_property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]
        return self._make()


def steps_of(
    schema: GraphQLSchema, parent: GraphQLObjectType, fields: GroupedFieldSet
) -> Sequence[Step]:
    """The fields of a selection, in their order; without those that the type does not have."""
    steps = []
    for name, details in fields.items():
        field_name = details[0].node.name.value
        field = schema.get_field(parent, field_name)
        if field is not None:
            shape = _typename(parent) if field_name == "__typename" else _shape_of(field)
            read = shape.resolve if shape.is_attribute and shape.write is not None else None
            is_text = shape.is_text
            steps.append(Step(name, details, field, parent, field_name, shape, read, is_text))
    return steps


def _shape_of(field: GraphQLField) -> Shape:
    # A resolver is of one field only; fields themselves cannot be the keys of a dictionary.
    shape = _shapes.get(field.resolve)
    if shape is None:
        shape = _shapes[field.resolve] = _work_out(field)
    return shape


_shapes: dict[Any, Shape] = {}


def _work_out(field: GraphQLField) -> Shape:
    made_from = (field.extensions or {}).get(DEFINITION)
    if not isinstance(made_from, StrawberryField) or made_from.extensions or field.args:
        return Shape()
    type = get_nullable_type(field.type)
    as_written = partial(
        Shape,
        write=_writer_of(type) if is_leaf_type(type) else None,
        is_text=type in (GraphQLString, GraphQLID),
        is_required=is_non_null_type(field.type),
        is_abstract=is_abstract_type(get_named_type(field.type)),
    )
    resolver = made_from.base_resolver
    if resolver is None:
        return as_written(attrgetter(made_from.python_name), is_attribute=True)
    method: Any = resolver.wrapped_func
    parameters = list(resolver.signature.parameters)
    if parameters == ["self"]:
        return as_written(method)
    if parameters == ["self", "info"]:
        return as_written(method, informed=made_from)
    return Shape()


def _writer_of(type: GraphQLLeafType) -> Callable[[Any], Any]:
    if not is_enum_type(type):
        return type.coerce_output_value
    # Strawberry looks through all members for the name of each.
    names = {value.value: name for name, value in type.values.items()}

    def write(value: Any) -> Any:
        name = names.get(getattr(value, "_value_", None))  # an enum's value is a call
        return type.coerce_output_value(value) if name is None else name

    return write


@cache
def _typename(type: GraphQLObjectType) -> Shape:
    return Shape(lambda _: type.name, is_attribute=True, write=str, is_required=True)


@cache
def object_type_of(
    schema: GraphQLSchema, declared: Any, kind: type[Any]
) -> GraphQLObjectType | None:
    """The type that an object of this class has in a field that is declared as of that type.

    None where that is not plain: for lists, scalars, nothing, and what does not belong there.
    """
    type = get_nullable_type(declared)
    if is_object_type(type):
        possible = [type]
    elif is_abstract_type(type):
        possible = list(schema.get_possible_types(type))
    else:
        return None
    for object_type in possible:
        made_from = object_type.extensions.get(DEFINITION)
        if made_from is not None and made_from.origin is kind:
            return object_type
    return None


def selected_on(
    info: GraphQLResolveInfo[Any], *, surely: bool = False
) -> Iterator[FieldNode | InlineFragmentNode | FragmentDefinitionNode]:
    """What is selected on the field itself: its fields, and the fragments that they are in.

    ``surely``: without what a directive may leave out.
    """
    pending: list[SelectionNode] = []
    for node in info.field_nodes:
        pending += node.selection_set.selections if node.selection_set else ()
    while pending:
        found = pending.pop()
        if surely and found.directives:
            continue
        if isinstance(found, FieldNode):
            yield found
            continue
        fragment = (
            info.fragments[found.name.value] if isinstance(found, FragmentSpreadNode) else found
        )
        assert isinstance(fragment, InlineFragmentNode | FragmentDefinitionNode)
        yield fragment
        pending += fragment.selection_set.selections
