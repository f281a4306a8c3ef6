"""Documents that select all of the schema that can be reached from a field.

Every field of every type is selected once, on a shortest way to it, so what is added to the
schema later is selected as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from graphid.api.schema import executable

Opens = Callable[[str, str], bool]
"""Whether a field, by its type and name, may be selected."""

ARGUMENTS: Mapping[str, str] = {"personAt": 'at: "2026-09-10T00:30:00Z"', "journey": "first: 12"}
"""What the fields below the first one are asked with; lists else with ``first``, if they can."""

FEW = "first: 2"


@dataclass
class _Selection:
    """What is selected of a value: leaves, and below them what they lead to, by type."""

    type: GraphQLNamedType
    leaves: dict[str, list[str]] = field(default_factory=dict)
    below: dict[str, list[tuple[str, _Selection]]] = field(default_factory=dict)

    def text(self) -> str:
        parts = ["__typename"]
        for of in objects_of(self.type):
            fields = list(self.leaves.get(of.name, ()))
            fields += [f"{name} {{ {b.text()} }}" for name, b in self.below.get(of.name, ())]
            if fields:
                parts.append(f"... on {of.name} {{ {' '.join(fields)} }}")
        return " ".join(parts)


def objects_of(type: GraphQLNamedType) -> list[GraphQLObjectType]:
    """The object types that a value of a type may have."""
    if isinstance(type, GraphQLInterfaceType | GraphQLUnionType):
        return [executable.type_map[t.name] for t in executable.get_possible_types(type)]  # type: ignore[misc]
    return [type] if isinstance(type, GraphQLObjectType) else []


def everything_below(
    root: GraphQLField, opens: Opens = lambda type, name: True, *, only: str | None = None
) -> str:
    """A selection set of all that can be reached from a field; of a leaf an empty one.

    ``only``: of the types that its value may have, the one that it has.
    """
    type = get_named_type(root.type)
    if is_leaf_type(type):
        return ""
    top = _Selection(type)
    of_root = objects_of(type)
    for of in of_root:
        if only in (None, of.name):
            _expand(top, of, of_root, opens)
    return f"{{ {top.text()} }}"


def _expand(
    top: _Selection, root: GraphQLObjectType, of_root: list[GraphQLObjectType], opens: Opens
) -> None:
    """Select all that can be reached from one type that the first value may have.

    Below it, of a value that may have several types only leaves are selected: which of them it has
    is known when it is answered, and a way that nothing lies on is none.
    """
    pending: deque[tuple[_Selection, GraphQLObjectType, list[GraphQLObjectType]]]
    pending, seen = deque([(top, root, of_root)]), set[str]()
    while pending:
        selection, of, several = pending.popleft()
        is_certain = len(several) == 1 or selection is top
        for name, each in of.fields.items():
            target = get_named_type(each.type)
            if not opens(of.name, name):
                continue
            called = _called(of, name, each, several)
            if is_leaf_type(target):
                selection.leaves.setdefault(of.name, []).append(called)
            elif is_certain and f"{of.name}.{name}" not in seen:
                seen.add(f"{of.name}.{name}")
                below = _Selection(target)
                selection.below.setdefault(of.name, []).append((called, below))
                types = objects_of(target)
                pending.extend((below, type, types) for type in types)


def _called(
    of: GraphQLObjectType, name: str, each: GraphQLField, several: list[GraphQLObjectType]
) -> str:
    """A field with its arguments; by another name where types that it stands beside differ."""
    arguments = ARGUMENTS.get(name) or (FEW if "first" in each.args else "")
    unknown = [a for a, one in each.args.items() if is_required_argument(one)]
    assert all(argument in arguments for argument in unknown), f"{of.name}.{name} needs {unknown}"
    others = [other.fields[name] for other in several if name in other.fields]
    differs = any((str(o.type), set(o.args)) != (str(each.type), set(each.args)) for o in others)
    alias = f"{of.name}_{name}: " if differs else ""
    return f"{alias}{name}" + (f"({arguments})" if arguments and each.args else "")


def reached(answer: Any) -> Iterator[str]:
    """``Type.field`` of what an answer holds a value for; lists that are empty hold none."""
    if isinstance(answer, list):
        for one in answer:
            yield from reached(one)
    elif isinstance(answer, dict):
        type = answer.get("__typename")
        for name, value in answer.items():
            if value not in (None, []):
                if type is not None:
                    yield f"{type}.{name.removeprefix(f'{type}_')}"
                yield from reached(value)
