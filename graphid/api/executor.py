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

from collections.abc import Awaitable
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, Undefined
from graphql.language import FieldNode
from graphql.pyutils import Path, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphid.api.selections import Step, object_type_of, steps_of


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._steps: dict[int, tuple[Any, list[Step]]] = {}

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
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        """As graphql-core has it, without what attributes do not need."""
        results: dict[str, Any] = {}
        waiting: list[str] = []
        is_awaitable = self.is_awaitable
        try:
            for step in self._steps_of(parent_type, grouped_field_set):
                shape = step.shape
                if shape.is_attribute and shape.write is not None:
                    results[step.name] = self._scalar(step, source_value, path)
                    continue
                at = Path(path, step.name, parent_type.name)
                if shape.resolve is None:
                    result = self.execute_field(
                        parent_type, source_value, step.details, at, position_context
                    )
                else:
                    result = self._resolve(step, source_value, at, position_context)
                if result is not Undefined:
                    results[step.name] = result
                    if is_awaitable(result):
                        waiting.append(step.name)
        except Exception:
            if waiting:
                # Nothing is left behind that nobody awaits.
                self.settle_in_background([results[name] for name in waiting])
            raise
        return self._all(results, waiting) if waiting else results

    @staticmethod
    async def _all(results: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
        if len(waiting) == 1:
            results[waiting[0]] = await results[waiting[0]]
        else:
            done = await gather_with_cancel(*(results[name] for name in waiting))
            results.update(zip(waiting, done, strict=True))
        return results

    def _steps_of(self, parent_type: GraphQLObjectType, fields: Any) -> list[Step]:
        # Kept together with the fields, so that their id is not given to others meanwhile.
        kept = self._steps.get(id(fields))
        if kept is None:
            kept = self._steps[id(fields)] = fields, steps_of(self.schema, parent_type, fields)
        return kept[1]

    def _scalar(self, step: Step, source: Any, path: Path | None) -> Any:
        """The value of an attribute that is a scalar or an enum."""
        try:
            return _written(step, step.shape.resolve(source))  # type: ignore[misc]
        except Exception as error:
            at = Path(path, step.name, step.parent_type.name)
            self.handle_field_error(error, step.field.type, step.details, at)
            return None

    def _resolve(self, step: Step, source: Any, path: Path, position_context: Any) -> Any:
        """What an attribute is, or a resolver without arguments returns, with all below it."""
        resolve, type = step.shape.resolve, step.field.type
        assert resolve is not None
        info: Any = step
        try:
            if step.shape.info_of is not None or step.shape.is_abstract:
                nodes = [detail.node for detail in step.details]
                info = self.build_resolve_info(step.field, nodes, step.parent_type, path)
            info_of = step.shape.info_of
            value = resolve(source) if info_of is None else resolve(source, info_of(info))
            if self.is_awaitable(value):
                return self.complete_awaitable_value(
                    type, step.details, info, path, value, position_context
                )
            if step.shape.write is not None:
                return _written(step, value)
            completed = self.complete_value(type, step.details, info, path, value, position_context)
        except Exception as error:
            self.handle_field_error(error, type, step.details, path)
            return None
        return self._guarded(step, completed, path) if self.is_awaitable(completed) else completed

    async def _guarded(self, step: Step, completed: Awaitable[Any], path: Path) -> Any:
        try:
            return await completed
        except Exception as error:
            self.handle_field_error(error, step.field.type, step.details, path)
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
        fields = self.collect_subfields(type, field_details_list)[0]
        return self.execute_fields(type, result, path, fields, None)


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
