"""How large an operation may be, judged before anything of it is executed.

Cost counts the fields that an answer may hold: a field costs one, and what is selected below a
list costs as often as the list may be long (``first`` or ``last``, else what its kind holds). Of
what is selected on several types of object, each of which excludes the others, the most counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_object_type,
)

from graphid.api.cursors import MOST
from graphid.errors import TooLarge
from graphid.service.clusters.clusters import MOST_NODES

MAX_CHARACTERS = 100_000
"""Of a document."""
MAX_TOKENS = 4_000
MAX_DEPTH = 20
"""Fields below fields."""
MAX_ALIASES = 50
MAX_COST = 25_000
"""Fields in an answer."""

PAGES = {
    **dict.fromkeys(("journey", "events"), 50),
    **dict.fromkeys(("sessions", "chats", "keys", "audit", "sharedDevices", "search"), 20),
    "cluster": 300,
}
"""How long a list is where the client does not say; of a cluster, how many nodes it has."""
LONGER = {"cluster": MOST_NODES}
"""Lists that may be longer than others."""
LISTS = {
    **dict.fromkeys(("links", "devices", "messages", "people", "uses", "visitors"), 100),
    "providers": 50,
}
WORKED_OUT = {"asKnownAt": 1_000}
"""What arguments cost that have much worked out anew: as much as so many fields."""
SHORT = {
    "contacts": 5,
    "traits": 5,
    "identifiers": 5,
    "reviews": 5,
    "warnings": 2,
    "ended": 2,
    "before": 5,
    "after": 5,
    "whyLinked": 10,
}


@dataclass
class Size:
    """What an operation takes. ``roots``: the fields that are below none; of a mutation, each may
    send a message."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0
    roots: int = 0


def require_small(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: str | None,
    variables: Mapping[str, Any],
) -> Size:
    """The size of the operation. Raises TooLarge, naming the limit.

    The document is valid by the schema: its fragments form no circle.
    """
    size = Size()
    measure = _Measure(schema, document, variables)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode) and (
            operation is None or (definition.name and definition.name.value == operation)
        ):
            is_followed = definition.operation is OperationType.SUBSCRIPTION
            size = measure.of(definition.selection_set, one_by_one=is_followed)
    for name, value, most in (
        ("nested", size.depth, MAX_DEPTH),
        ("aliases", size.aliases, MAX_ALIASES),
        ("cost", size.cost, MAX_COST),
    ):
        if value > most:
            raise TooLarge(_WORDS[name].format(value=value, most=most))
    return size


_WORDS = {
    "nested": "The operation is nested {value} fields deep; the limit is {most}.",
    "aliases": "The operation has {value} aliases; the limit is {most}.",
    "cost": "The answer could hold {value} fields; the limit is {most}. Ask for less with first, "
    "or maxNodes.",
}


class _Measure:
    """Each fragment is measured once, however often it is spread."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        defaults = {
            variable.variable.name.value: int(variable.default_value.value[:9])
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
            for variable in definition.variable_definitions or ()
            if isinstance(variable.default_value, IntValueNode)
        }
        self._variables = {**defaults, **variables}
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[str, Size] = {}

    def of(self, selections: SelectionSetNode | None, *, one_by_one: bool = False) -> Size:
        """``one_by_one``: of what these fields hold, one comes at a time."""
        total = Size()
        of_types: Counter[str] = Counter()  # what is there on one type of object alone
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                size = self._field(selection, 1 if one_by_one else self._length(selection))
            elif isinstance(selection, InlineFragmentNode):
                size = self.of(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                size = self._fragment(selection.name.value)
            total.depth = max(total.depth, size.depth)
            total.aliases += size.aliases
            total.roots += size.roots
            if type := self._object_of(selection):
                of_types[type] += size.cost
            else:
                total.cost += size.cost
        total.cost += max(of_types.values(), default=0)
        return total

    def _object_of(self, selection: SelectionNode) -> str | None:
        """The type of object that a fragment is about."""
        fragment: Node = selection
        if isinstance(selection, FragmentSpreadNode):
            fragment = self._fragments[selection.name.value]
        condition = getattr(fragment, "type_condition", None)
        name = None if condition is None else condition.name.value
        return name if name and is_object_type(self._schema.get_type(name)) else None

    def _fragment(self, name: str) -> Size:
        if name not in self._measured:
            self._measured[name] = self.of(self._fragments[name].selection_set)
        return self._measured[name]

    def _field(self, field: FieldNode, length: int) -> Size:
        below = self.of(field.selection_set)
        return Size(
            depth=below.depth + 1,
            aliases=below.aliases + (field.alias is not None),
            cost=1 + _work(field) + length * below.cost,
            roots=1,
        )

    def _length(self, field: FieldNode) -> int:
        """How often what is below the field may be there. ``edges`` is as long as its list."""
        name = field.name.value
        for argument in field.arguments or ():
            if argument.name.value in ("first", "last", "maxNodes"):
                value: Any = None
                if isinstance(argument.value, VariableNode):
                    value = self._variables.get(argument.value.name.value)
                elif isinstance(argument.value, IntValueNode):
                    value = int(argument.value.value[:9])
                # What is no number, or out of bounds, is refused later for what it is.
                if argument.name.value == "maxNodes" and value not in range(1, MOST_NODES + 1):
                    return 1
                if isinstance(value, int):
                    return min(max(value, 1), LONGER.get(name, MOST))
        return PAGES.get(name) or LISTS.get(name) or SHORT.get(name, 1)


def _work(field: FieldNode) -> int:
    """What the arguments of a field cost, whatever is below it."""
    given = (argument.name.value for argument in field.arguments or ())
    return sum(WORKED_OUT.get(name, 0) for name in given)
