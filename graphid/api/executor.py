"""Execution: graphql-core's, quick where an answer is made of what is there already.

A page of a journey is some five hundred fields, nearly all of them attributes of what the service
has read. graphql-core and strawberry prepare for each what only a resolver with arguments needs;
here a selection is worked out once (``graphid.api.selections``), and an attribute is read. What is
done with values, nulls and errors stays graphql-core's.

What a dry run answers is read inside its transaction, and what was before it outside: the fields
of one operation read from different graphs. A resolver binds what is below its field to a context
of its own (``RequestContext.bind``), and every root field of a mutation ends what was begun for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any
from weakref import proxy

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, Undefined
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.language import FieldNode
from graphql.pyutils import Path, gather_with_cancel
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphid.api.selections import LateInfo, Selections, Step, object_type_of, steps_of

_DONE = (dict, list, str, int, float, bool, type(None))
"""What is no awaitable, so that it need not be asked; nearly all there is."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation."""

    def __init__(self, *arguments: Any, selections: Selections | None = None, **named: Any) -> None:
        """``selections``: of the document, where they are known from others who asked with it."""
        super().__init__(*arguments, **named)
        # Its own methods in graphql-core, and so a circle that keeps all that a request has read
        # until the garbage collector comes; which is then what slow requests wait for.
        itself = proxy(self)
        self.async_helpers = GraphQLResolveInfoHelpers(
            gather=partial(type(self).gather_async_work, itself),
            track=partial(type(self).track_async_work, itself),
        )
        self._selections = Selections() if selections is None else selections

    def build_resolve_info(
        self,
        field_def: GraphQLField,
        field_nodes: list[FieldNode],
        parent_type: GraphQLObjectType,
        path: Path,
    ) -> GraphQLResolveInfo[Any]:
        """As graphql-core has it, with the context that the field is bound to."""
        info = super().build_resolve_info(field_def, field_nodes, parent_type, path)
        context = self.context_value.bound_at(path)
        return info if context is self.context_value else info._replace(context=context)

    def execute_field(self, *arguments: Any) -> Any:
        """As graphql-core has it; a root field of a mutation is done with all that is below it."""
        result = super().execute_field(*arguments)
        parent_type, path = arguments[0], arguments[3]
        is_root = path.prev is None and parent_type is self.schema.mutation_type
        return self._then_settled(result) if is_root and self.is_awaitable(result) else result

    async def _then_settled(self, result: Awaitable[Any]) -> Any:
        try:
            return await result
        finally:
            await self.context_value.settle()

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Any:
        """As graphql-core has it, without what attributes do not need."""
        steps = steps_of(self.schema, parent_type, grouped_field_set)
        return self._take(steps, source_value, path, position_context)

    def collect_and_execute_subfields(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """As graphql-core has it, of what is known to be selected."""
        steps = self._selections.below(self, return_type, field_details_list)
        return self._take(steps, result, path, position_context)

    def _take(
        self, steps: Sequence[Step], source: Any, path: Path | None, position_context: Any = None
    ) -> Any:
        """The fields of an object."""
        results: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for step in steps:
                if step.read is not None:
                    try:
                        value = step.read(source)
                        if value.__class__ is not str or not step.is_text:
                            value = _written(step, value)
                    except Exception as error:
                        at = Path(path, step.name, step.parent_type.name)
                        self.handle_field_error(error, step.field.type, step.details, at)
                        value = None
                    results[step.name] = value
                    continue
                at = Path(path, step.name, step.parent_type.name)
                if step.shape.resolve is None:
                    result = self.execute_field(
                        step.parent_type, source, step.details, at, position_context
                    )
                else:
                    result = self._resolve(step, source, at, position_context)
                if result is not Undefined:
                    results[step.name] = result
                    if result.__class__ not in _DONE and self.is_awaitable(result):
                        waiting.append(step.name)
        except Exception:
            if waiting:
                # Nothing is left behind that nobody awaits.
                self.settle_in_background([results[name] for name in waiting])
            raise
        return self._all(results, waiting) if waiting else results

    @staticmethod
    async def _all(results: Any, waiting: list[Any]) -> Any:
        """The results, by name or by number, when those have come that wait."""
        if len(waiting) == 1:
            results[waiting[0]] = await results[waiting[0]]
        else:
            done = await gather_with_cancel(*(results[key] for key in waiting))
            for key, result in zip(waiting, done, strict=True):
                results[key] = result
        return results

    def _below(self, step: Step, kind: Any) -> Sequence[Step] | None:
        """What is selected on an object of that class in a field; None where that is not plain."""
        if kind not in step.below:
            type = object_type_of(self.schema, step.field.type, kind)
            step.below[kind] = (
                None if type is None else self._selections.below(self, type, step.details)
            )
        return step.below[kind]

    def _resolve(self, step: Step, source: Any, path: Path, position_context: Any) -> Any:
        """What an attribute is, or a resolver without arguments returns, with all below it."""
        shape, type = step.shape, step.field.type
        resolve, informed = shape.resolve, shape.informed
        assert resolve is not None

        def make_info() -> GraphQLResolveInfo[Any]:
            nodes = [detail.node for detail in step.details]
            return self.build_resolve_info(step.field, nodes, step.parent_type, path)

        try:
            if informed is None:
                value = resolve(source)
            else:
                value = resolve(source, LateInfo(make_info, informed))
            kind = value.__class__
            below = None if kind in _DONE else self._below(step, kind)
            if below is not None:
                completed = self._take(below, value, path)
            elif shape.write is not None and (kind in _DONE or not self.is_awaitable(value)):
                return _written(step, value)
            else:
                info: Any = make_info() if shape.is_abstract else step
                if kind not in _DONE and self.is_awaitable(value):
                    return self.complete_awaitable_value(
                        type, step.details, info, path, value, position_context
                    )
                completed = self.complete_value(
                    type, step.details, info, path, value, position_context
                )
        except Exception as error:
            self.handle_field_error(error, type, step.details, path)
            return None
        if completed.__class__ in _DONE or not self.is_awaitable(completed):
            return completed
        return self._guarded(completed, type, step.details, path)

    async def _guarded(self, completed: Awaitable[Any], type: Any, details: Any, path: Path) -> Any:
        try:
            return await completed
        except Exception as error:
            self.handle_field_error(error, type, details, path)
            return None

    def complete_value(  # noqa: PLR0917 - graphql-core calls it so
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """As graphql-core has it; an object of one of the schema's classes shows its own type."""
        type = object_type_of(self.schema, return_type, result.__class__)
        if type is None:
            return super().complete_value(
                return_type, field_details_list, info, path, result, position_context
            )
        return self.collect_and_execute_subfields(
            type, field_details_list, path, result, position_context
        )

    def complete_iterable_value(  # noqa: PLR0917 - graphql-core calls it so
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Path,
        items: Any,
        position_context: Any,
    ) -> Any:
        """As graphql-core has it; a list of objects of one of the schema's classes is gone through
        with what is selected on each class worked out once."""
        kinds = {item.__class__ for item in items} if items.__class__ is list else set()
        steps: dict[type[Any], Sequence[Step]] = {}
        for kind in kinds:
            type = object_type_of(self.schema, item_type, kind)
            if type is None:
                break
            steps[kind] = self._selections.below(self, type, field_details_list)
        if not kinds or len(steps) < len(kinds):
            return super().complete_iterable_value(
                item_type, field_details_list, info, path, items, position_context
            )
        results: list[Any] = []
        waiting: list[int] = []
        try:
            for index, item in enumerate(items):
                at = Path(path, index, None)
                try:
                    completed = self._take(steps[item.__class__], item, at)
                except Exception as error:
                    self.handle_field_error(error, item_type, field_details_list, at)
                    completed = None
                if completed.__class__ not in _DONE and self.is_awaitable(completed):
                    completed = self._guarded(completed, item_type, field_details_list, at)
                    waiting.append(index)
                results.append(completed)
        except Exception:
            if waiting:
                # Nothing is left behind that nobody awaits.
                self.settle_in_background([results[index] for index in waiting])
            raise
        return self._all(results, waiting) if waiting else results


def _written(step: Step, value: Any) -> Any:
    """A scalar or an enum as it is answered. Raises TypeError, as graphql-core does."""
    if isinstance(value, Exception):
        raise value
    shape = step.shape
    if value is None and not shape.is_required:
        return None
    written = None if value is None else shape.write(value)  # type: ignore[misc]
    if written is None or written is Undefined:
        raise TypeError(
            f"Cannot return null for non-nullable field {step.parent_type}.{step.field_name}."
        )
    return written
