"""Execution with a context for a part of an answer.

What a dry run answers is read inside its transaction, and what was before it outside: the fields
of one operation read from different graphs. A resolver binds what is below its field to a context
of its own (``RequestContext.bind``), and every root field of a mutation ends what was begun for it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo
from graphql.language import FieldNode
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation."""

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
