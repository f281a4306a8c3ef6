"""A world of its own to send to, whose graph is asked as clients ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from graphid.api.context import RequestContext
from graphid.api.execution import Request, answer
from graphid.auth.keys import Caller, Keys
from graphid.auth.providers import Providers
from graphid.graph.access_keys import AccessKeys
from graphid.graph.database import Address, Database
from graphid.graph.installation import installation_secret
from graphid.graph.memory import evidence_decoder
from graphid.graph.oidc_providers import OidcProviders
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.identity.fold import Resolved, resolve
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.values import SECOND, Micros
from graphid.service.keymaking import Keymaker
from graphid.service.messages import ClaimedIdentifier, Contact, Context, Identify, Logout, Page
from graphid.service.operations.operating import Operations
from graphid.service.past.as_of import AsOf
from graphid.service.provider_setup import ProviderSetup
from graphid.service.reads import Reads
from tests.integration.test_ingest import World
from tests.services import services

KEY = Keys.of(secret=["a secret key"], publishable=()).find("a secret key")

GIVEN_OUT = """query ($cookie: ID!) {
  personByCookie(cookieId: $cookie) { id mergedFrom
    contacts { id links { ...ends } }
    links(first: 20) { ...ends }
    sessions(first: 5) { edges { node { id visitor { id } person { id } } } }
    reviews { id people { id } }
    journey(first: 5) { edges { node { id person { id } session { id }
      attribution { link { ...ends } } } } } }
  node(id: $cookie) { ... on Cookie { visitors(first: 20) { id person { id } } } } }
fragment ends on Link { id from { id } to { ... on Contact { id } ... on IdentifierNode { id } } }
"""

NODE = """query ($id: ID!) { node(id: $id) { id __typename
  ... on Contact { person { id contacts { id } } traits { name } identifiers { type value }
    links { id explanation } }
  ... on Link { explanation state reason from { id } to { __typename
    ... on Contact { id person { id } } ... on IdentifierNode { id } } }
  ... on ReviewItem { decision: state explanation people { id } }
  ... on Visitor { startedAt endedAt person { id } cookie { id } }
  ... on Session { startedAt visitor { id } person { id } events { edges { node { id } } } } } }"""

PERSON = """query ($id: ID!) { person(id: $id) { id kind mergedFrom contacts { id }
  journey { edges { node { messageId } } } } }"""


@asynccontextmanager
async def installation(
    address: Address, *, server_warnings: bool = True
) -> AsyncIterator[tuple[Database, Ids]]:
    """A database with its schema, and the ids of its installation. Warnings of the server fail."""
    connected = await Database.connect(address, server_warnings=server_warnings, timeout=60)
    try:
        await migrate(connected)
        yield connected, Ids(await installation_secret(connected, None))
    finally:
        await connected.close()


class Asked(World):
    """A world that is asked as clients ask."""

    def __init__(self, database: Database, ids: Ids) -> None:
        super().__init__(database, ids)
        policies = Policies(database)
        self.caller = KEY
        self.reads = Reads.on(database, policies, clock=lambda: self.now)
        self.operations = Operations(database, policies, ids, self._tick)
        self.past = AsOf(database, policies, ids, lambda: self.now)
        self.keymaker = Keymaker(AccessKeys(database), ids, self._tick)
        self.providers = ProviderSetup(Providers(), OidcProviders(database), ids, self._tick)

    def request_context(self, caller: Caller | None = None) -> RequestContext:
        """What one request of this world, or of another caller in it, is answered with."""
        given = services(
            reads=self.reads,
            ingest=self.ingest,
            operations=self.operations,
            keys=self.keymaker,
            providers=self.providers,
            past=self.past,
        )
        return RequestContext.of(caller or self.caller, given)

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        found = await answer(Request(document, variables), self.request_context(), may_change=True)
        assert "errors" not in found.body, (variables, found.body)
        data: dict[str, Any] = found.body["data"]
        return data

    async def node(self, id: str) -> dict[str, Any]:
        node: dict[str, Any] | None = (await self.ask(NODE, id=id))["node"]
        assert node is not None, id
        return node

    async def person(self, id: str) -> dict[str, Any]:
        person: dict[str, Any] | None = (await self.ask(PERSON, id=id))["person"]
        assert person is not None, id
        return person

    async def given_out(self, cookie: str) -> set[str]:
        """Every id in an answer about a cookie, but of joins, which later knowledge may unmake."""
        found = await self.ask(GIVEN_OUT, cookie=f"{self.run}-{cookie}")
        given = {id for id in ids_in(found) if not id.startswith("join_")}
        return given - {f"{self.run}-{cookie}"}

    # Messages, each some seconds after this world began.

    def at(self, seconds: int) -> Micros:
        return 1_789_000_000 * SECOND + seconds * SECOND

    def where(self, cookie: str, seconds: int, id: str | None = None) -> Context:
        return self.context(cookie, id, occurred_at=time_of(self.at(seconds)))

    def said(self, cookie: str, seconds: int, *identifiers: str) -> Identify:
        return Identify(context=self.where(cookie, seconds), identifiers=self.claims(identifiers))

    def page(self, cookie: str, seconds: int) -> Page:
        return Page(context=self.where(cookie, seconds), url="https://shop.example/")

    def logout(self, cookie: str, seconds: int) -> Logout:
        return Logout(context=self.where(cookie, seconds))

    def record(self, row: str, seconds: int, *identifiers: str, curated: bool = False) -> Contact:
        return Contact(
            source="crm",
            source_id=f"{self.run}-{row}",
            identifiers=self.claims(identifiers),
            occurred_at=time_of(self.at(seconds)),
            curated=curated,
        )

    def claims(self, identifiers: tuple[str, ...]) -> tuple[ClaimedIdentifier, ...]:
        return tuple(self.claim(*identifier.split(":")) for identifier in identifiers)

    def birth(self, cookie: str) -> str:
        return self.ids.birth(f"{self.run}-{cookie}")

    async def row(self, row: str) -> dict[str, Any]:
        """A record's contact, with its person."""
        found = await self.ask(
            """query ($id: ID!) { contact(source: "crm", sourceId: $id) { id person { id } } }""",
            id=f"{self.run}-{row}",
        )
        contact: dict[str, Any] = found["contact"]
        return contact

    async def review(self, id: str) -> str:
        """Its state."""
        state: str = (await self.node(id))["decision"]
        return state

    async def folded(self) -> Resolved:
        """The fold of all that this world was sent."""
        rows = await self.rows("MATCH (e:Evidence) WHERE e.body CONTAINS $run RETURN e.body AS b")
        return resolve([evidence_decoder.decode(row["b"]) for row in rows], Policy(), self.ids)


def time_of(at: Micros) -> datetime:
    """A moment as clients send it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def ids_in(found: Any) -> Iterator[str]:
    """Every id in an answer."""
    if isinstance(found, dict):
        for name, value in found.items():
            if name == "id":
                yield value
            elif name == "mergedFrom":
                yield from value
            else:
                yield from ids_in(value)
    elif isinstance(found, list):
        for value in found:
            yield from ids_in(value)
