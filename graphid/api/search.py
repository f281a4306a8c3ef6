"""Searching for people."""

from __future__ import annotations

from hashlib import blake2b

import strawberry

from graphid.api.context import Info
from graphid.api.cursors import BadCursor, forwards
from graphid.api.loaders import PersonByIdLoader
from graphid.api.nodes import PageInfo, computed, cursors_of, page_info
from graphid.api.people import Person
from graphid.auth.scopes import may_see_identifiers
from graphid.service.pages import Page
from graphid.service.search import Found, is_key, require_searchable


@strawberry.type(description="A person in a list.")
class PersonEdge:
    cursor: str = strawberry.field(description="For `after`.")
    node: Person = strawberry.field(description="The person.")


@strawberry.type(description="A page of people.")
class PersonConnection:
    edges: list[PersonEdge] = strawberry.field(description="The people, the best match first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.type
class SearchQuery:
    """Queries that search."""

    @computed(
        "Known people whom a text may mean, each once: first who holds an identifier that it is "
        "(in any spelling, with or without `type:`), then names and identifiers that have all of "
        "its words, the last letters of which may be missing. Identifiers by a part of them only "
        "with identifier:view. At most 200 characters; the best 500 names and identifiers are "
        "looked at."
    )
    async def search(
        self,
        info: Info,
        text: str,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
    ) -> PersonConnection:
        require_searchable(text)
        by_part = may_see_identifiers(info.context.caller.scopes)
        list = _list_of(text, by_part=by_part)
        request = forwards(list, first, after or None)
        if request.after is not None and not is_key(request.after):
            raise BadCursor(path=["after"])
        page = await info.context.reads.search.people(text, request, by_part=by_part)
        return await _connection(info, list, page)


def _list_of(text: str, *, by_part: bool) -> str:
    """The name of the list, in its cursors: that of another text is another."""
    told = f"{by_part}:{text}".encode("utf-8", "surrogatepass")
    return f"search-{blake2b(told, digest_size=8).hexdigest()}"


async def _connection(info: Info, list: str, page: Page[Found]) -> PersonConnection:
    ids = [found.person for found in page.items]
    records = await info.context.load(PersonByIdLoader).load_many(ids)
    cursors = cursors_of(list, page)
    edges = []
    for cursor, record in zip(cursors, records, strict=True):
        if record is not None:  # erased since
            info.context.people[record.id] = record
            edges.append(PersonEdge(cursor=cursor, node=Person.of(record)))
    return PersonConnection(edges=edges, page_info=page_info(page, cursors))
