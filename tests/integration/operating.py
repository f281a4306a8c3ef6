"""An operator of a world of its own, who acts as clients do."""

from __future__ import annotations

from typing import Any

from graphid.graph.database import Database
from graphid.identity.ids import Ids
from tests.integration.asking import Asked
from tests.integration.test_ingest import BROWSER, SERVER

CHANGE = """... on Change { operationId dryRun pending eventsReattributed graphVersion
    before { ...seen } after { ...seen }
    links { id kind state rule reason retractedBy explanation } }
  ... on Refused { reasons } ... on Problem { code message } }"""
SEEN = """fragment seen on Person { id kind displayName mergedFrom
  identifiers { type value } contacts { id state links { id kind state } }
  links(first: 50) { id state } firstSeenAt
  journey(first: 20) { edges { node { messageId person { id }
    attribution { basis explanation } } } } }
"""

OPTIONS = "$operationId: ID, $dryRun: Boolean, $graphVersion: String"
PASSED = "operationId: $operationId, dryRun: $dryRun, graphVersion: $graphVersion"
ACTS = {
    "mergePeople": ("$ids: [ID!]!", "ids: $ids"),
    "unmerge": ("$id: ID!", "id: $id"),
    "severLink": ("$id: ID!, $from: DateTime", "id: $id, from: $from"),
    "restoreLink": ("$id: ID!", "id: $id"),
    "blockIdentifier": ("$type: String!, $value: String!", "type: $type, value: $value"),
    "promoteContact": ("$id: ID!", "id: $id"),
    "decideReview": ("$id: ID!, $accept: Boolean!", "id: $id, accept: $accept"),
}
PLAIN = ("promoteContact", "decideReview")
"""Acts without a preview."""

ATTRIBUTION = """query ($id: ID!) { event(messageId: $id) { person { id kind }
  attribution { basis explanation link { id to { ... on Contact { id } } } } } }"""
LINKS = """query ($id: ID!) { person(id: $id) { links(first: 100) { id kind state reason
  retractedBy explanation from { id }
  to { ... on Contact { id } ... on IdentifierNode { id value } } } } }"""


class Operating(Asked):
    """Sends and acts. Every operation id holds this world's name."""

    def __init__(self, database: Database, ids: Ids) -> None:
        super().__init__(database, ids)
        self._acts = 0

    async def act(self, name: str, **variables: Any) -> dict[str, Any]:
        """What a mutation answers. Names of operations are of this world."""
        declared, passed = ACTS[name]
        options, arguments = (OPTIONS, PASSED)
        if name in PLAIN:
            options, arguments = "$operationId: ID", "operationId: $operationId"
        if not variables.get("dryRun") and "operationId" not in variables:
            self._acts += 1
            variables["operationId"] = f"act-{self._acts}"
        if variables.get("operationId"):
            variables["operationId"] = f"{self.run}-{variables['operationId']}"
        variables.setdefault("reason", f"because of {self.run}")
        document = f"""mutation ({declared}, $reason: String!, {options}) {{
          done: {name}({passed}, reason: $reason, {arguments}) {{ __typename {CHANGE} }} {SEEN}"""
        done: dict[str, Any] = (await self.ask(document, **variables))["done"]
        return done

    async def changed(self, name: str, **variables: Any) -> dict[str, Any]:
        """As ``act``, where it is done."""
        done = await self.act(name, **variables)
        assert done["__typename"] == "Change", done
        return done

    async def refused(self, name: str, **variables: Any) -> str:
        """The reasons, where it is refused; and nothing may have changed."""
        before = await self.counts()
        done = await self.act(name, **variables)
        assert done["__typename"] == "Refused", done
        assert await self.counts() == before
        return " ".join(done["reasons"])

    async def problem(self, name: str, **variables: Any) -> str:
        """The kind of the problem that an act meets; and nothing may have changed."""
        before = await self.counts()
        kind: str = (await self.act(name, **variables))["__typename"]
        assert await self.counts() == before
        return kind

    # ------------------------------------------------------------------ looking

    async def counts(self) -> list[Any]:
        """How many nodes and relationships there are: every act that is kept makes some. Without
        what a service beside makes when it numbers the changes of others."""
        # Each by itself is known without a look at the graph, which grows with every test.
        return await self.rows(
            "CALL () { MATCH (n) RETURN count(n) AS every } "
            "CALL () { MATCH (m:ChangeMention) RETURN count(m) AS mentions } "
            "CALL () { MATCH ()-[r]->() RETURN count(r) AS links } "
            "RETURN every - mentions AS nodes, links"
        )

    async def whole(self) -> tuple[list[Any], list[Any]]:
        """The whole graph: every node and every relationship with all that they hold."""
        nodes = await self.rows("MATCH (n) RETURN elementId(n) AS id, labels(n) AS l, n {.*} AS p")
        links = await self.rows(
            "MATCH (a)-[r]->(b) RETURN elementId(r) AS id, type(r) AS t, elementId(a) AS a, "
            "elementId(b) AS b, r {.*} AS p"
        )
        return sorted(map(repr, nodes)), sorted(map(repr, links))

    async def look(self, message: str) -> dict[str, Any]:
        """An event by its message, with whose it is."""
        event: dict[str, Any] = (await self.ask(ATTRIBUTION, id=f"{self.run}-{message}"))["event"]
        return event

    async def owner(self, message: str) -> str:
        owner: str = (await self.look(message))["person"]["id"]
        return owner

    async def contact_of(self, message: str) -> str:
        """The contact that the visitor of an event is identified as."""
        id: str = (await self.look(message))["attribution"]["link"]["to"]["id"]
        return id

    async def link_of(self, message: str) -> str:
        """The link that an event is attributed by."""
        id: str = (await self.look(message))["attribution"]["link"]["id"]
        return id

    async def links(self, person: str, kind: str) -> list[dict[str, Any]]:
        found = (await self.ask(LINKS, id=person))["person"]["links"]
        return [link for link in found if link["kind"] == kind]

    # ------------------------------------------------------------------ sending

    async def identified(
        self, cookie: str, message: str, value: str, *, type: str = "user_id", server: bool = True
    ) -> None:
        """Somebody identifies, live."""
        sender = SERVER if server else BROWSER
        said = self.identify(cookie, value, message).model_copy(
            update={"identifiers": (self.claim(type, value),)}
        )
        await self.one(said, sender)

    async def seen(self, cookie: str, *messages: str) -> None:
        """Pages are seen, live."""
        for message in messages:
            page = self.page(cookie, 0).model_copy(
                update={"context": self.context(cookie, message)}
            )
            await self.one(page)

    async def two(self) -> tuple[str, str]:
        """Jo on cookie a (page, message jo), and Kim on cookie b: the contacts of the two."""
        await self.seen("a", "pa")
        await self.identified("a", "jo", "jo")
        await self.seen("b", "pb", "pb2")
        await self.identified("b", "kim", "kim@x.example", type="email")
        return await self.contact_of("jo"), await self.contact_of("kim")
