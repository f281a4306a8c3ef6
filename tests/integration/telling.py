"""A world whose journeys are read as clients read them, and plainly, to compare."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, LiteralString

from graphid.api.execution import Request, answer
from graphid.graph.database import Readable, Unit
from graphid.graph.queries import Query
from graphid.service.journey import Window
from graphid.service.lines import Line, LinesWanted
from graphid.service.pages import Page, PageRequest
from graphid.service.reads import Reads
from tests.integration.operating import Operating

JOURNEY = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String,
    $from: DateTime, $to: DateTime, $types: [JourneyEventType!]) {
  person(id: $id) { id
    journey(first: $first, after: $after, last: $last, before: $before, from: $from, to: $to,
        types: $types) {
      edges { cursor node { ...line } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }
"""
LINE = """fragment line on JourneyEvent { id type messageId occurredAt receivedAt cookieId deviceId
  session { id } chat { id } person { id } detail
  attribution { basis assurance explanation link { id kind state } } }"""
NODE = f"query ($id: ID!) {{ node(id: $id) {{ ...line }} }} {LINE}"

Between = Callable[[], Awaitable[None]]


class Telling(Operating):
    """Sends, acts, and reads journeys."""

    async def journey(self, person: str, **arguments: Any) -> dict[str, Any]:
        """A page of a journey, by GraphQL."""
        found = await self.ask(JOURNEY + LINE, id=person, **arguments)
        journey: dict[str, Any] = found["person"]["journey"]
        return journey

    async def told(self, person: str, *types: str) -> list[dict[str, Any]]:
        """The lines of a journey that are of some types, newest first."""
        wanted = {"types": list(types)} if types else {}
        page = await self.journey(person, first=200, **wanted)
        assert not page["pageInfo"]["hasNextPage"]
        return [edge["node"] for edge in page["edges"]]

    async def line(self, id: str) -> dict[str, Any] | None:
        """A line by its id."""
        node: dict[str, Any] | None = (await self.ask(NODE, id=id))["node"]
        return node

    async def error_of(self, person: str, **arguments: Any) -> dict[str, Any]:
        """What is wrong with what is asked of a journey."""
        return await self.fault_of(JOURNEY + LINE, id=person, **arguments)

    async def fault_of(self, document: str, **variables: Any) -> dict[str, Any]:
        """The one thing that is wrong with a request."""
        request = Request(document, variables)
        body = (await answer(request, self.request_context(), may_change=True)).body
        (error,) = body["errors"]
        told: dict[str, Any] = error
        return told

    async def write(self, text: LiteralString, **parameters: Any) -> None:
        """Make the graph what no message would so soon."""

        async def work(unit: Unit) -> None:
            await unit.run_text(text, **parameters)

        await self.database.write(work)

    async def walked(
        self,
        person: str,
        size: int,
        *,
        window: Window | None = None,
        backwards: bool = False,
        between: Between | None = None,
    ) -> list[Line]:
        """A whole journey page by page, in the order of reading; ``between`` two pages something
        may happen."""
        found: list[Line] = []
        edge: str | None = None
        while True:
            request = PageRequest(size, before=edge, from_end=True) if backwards else None
            page = await self.page_of(person, request or PageRequest(size, after=edge), window)
            items, keys = page.items, page.keys
            found += items[::-1] if backwards else items
            if not (page.has_previous if backwards else page.has_next):
                return found
            assert len(items) == size
            edge = keys[0] if backwards else keys[-1]
            if between is not None:
                await between()

    async def page_of(
        self, person: str, request: PageRequest, window: Window | None = None
    ) -> Page[Line]:
        """A page, as the API asks for it: of whoever the id means now."""
        record = (await self.reads.people.by_id([person]))[person]
        wanted = LinesWanted(record.id, request, window or Window())
        (page,) = await self.reads.lines.pages([wanted])
        return page

    async def plainly(self, person: str, types: Sequence[str] = ()) -> list[str]:
        """The messages of a person's events, newest first: of every event there is it is asked
        whose it is."""
        rows = await self.rows(
            "MATCH (e:Event) WHERE e.cookie STARTS WITH $run AND e.position IS NOT NULL "
            "RETURN e.messageId AS id, e.cookie AS cookie, e.position AS position, e.type AS type "
            "ORDER BY position DESC"
        )
        owners = await self.reads.visitors.owners({(r["cookie"], r["position"]) for r in rows})
        return [
            row["id"]
            for row in rows
            if owners[row["cookie"], row["position"]].person == person
            and (not types or row["type"] in types)
        ]


class Interrupted:
    """A graph in which something happens when a statement was answered for the so-manieth time."""

    def __init__(self, database: Readable) -> None:
        self._database = database
        self.after: dict[tuple[str, int], Between] = {}
        self.asked: list[str] = []

    async def read_rows(
        self, query: Query, /, *, within: float | None = None, **parameters: Any
    ) -> list[dict[str, Any]]:
        rows = await self._database.read_rows(query, within=within, **parameters)
        self.asked.append(query.name)
        happens = self.after.pop((query.name, self.asked.count(query.name)), None)
        if happens is not None:
            await happens()
        return rows


def interrupted(telling: Telling) -> Interrupted:
    """From here on the world reads through one."""
    graph = Interrupted(telling.database)
    telling.reads = Reads.on(graph, telling.reads.policies, clock=lambda: telling.now)
    return graph
