"""The schema, made from its parts, and its text."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.utils.str_converters import to_camel_case

from graphid.api.descriptions import describe
from graphid.api.executor import Executor
from graphid.api.mutations.chats import ChatMutations
from graphid.api.mutations.contacts import ContactMutations
from graphid.api.mutations.events import EventMutations
from graphid.api.mutations.identities import IdentityMutations
from graphid.api.mutations.keys import KeyMutations
from graphid.api.mutations.operations import OperationMutations
from graphid.api.mutations.policies import PolicyMutations
from graphid.api.mutations.providers import ProviderMutations
from graphid.api.query import Query
from graphid.api.scalars import SCALARS
from graphid.api.subscriptions import Subscription


@strawberry.type(description="Everything that can be sent.")
class Mutation(
    EventMutations,
    IdentityMutations,
    ChatMutations,
    ContactMutations,
    OperationMutations,
    PolicyMutations,
    KeyMutations,
    ProviderMutations,
):
    pass


class _Names(NameConverter):
    """strawberry's own, which works out the name of each field of an input whenever it is read."""

    def apply_naming_config(self, name: str) -> str:
        return _camel(name)


_camel = cache(to_camel_case)

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    execution_context_class=Executor,
    config=StrawberryConfig(scalar_map=SCALARS, name_converter=_Names()),
)
"""Not sorted: sorting makes another schema, whose resolvers strawberry does not know."""

executable = schema._schema
"""graphql-core's schema, which validation and execution work on. strawberry has no public name
for it; its version is pinned, and tests fail where this breaks."""

describe(executable)


def schema_text() -> str:
    """The schema in its own language, sorted: what ``schema.graphql`` holds."""
    return print_schema(lexicographic_sort_schema(executable)) + "\n"
