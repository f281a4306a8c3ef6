"""The schema, made from its parts, and its text."""

from __future__ import annotations

import strawberry
from graphql import lexicographic_sort_schema, print_schema
from strawberry.schema.config import StrawberryConfig

from graphid.api.mutations.chats import ChatMutations
from graphid.api.mutations.contacts import ContactMutations
from graphid.api.mutations.events import EventMutations
from graphid.api.mutations.identities import IdentityMutations
from graphid.api.query import Query
from graphid.api.scalars import SCALARS


@strawberry.type(description="Everything that can be sent.")
class Mutation(EventMutations, IdentityMutations, ChatMutations, ContactMutations):
    pass


schema = strawberry.Schema(
    query=Query, mutation=Mutation, config=StrawberryConfig(scalar_map=SCALARS)
)
"""Not sorted: sorting makes another schema, whose resolvers strawberry does not know."""

executable = schema._schema
"""graphql-core's schema, which validation and execution work on. strawberry has no public name
for it; its version is pinned, and tests fail where this breaks."""


def schema_text() -> str:
    """The schema in its own language, sorted: what ``schema.graphql`` holds."""
    return print_schema(lexicographic_sort_schema(executable)) + "\n"
