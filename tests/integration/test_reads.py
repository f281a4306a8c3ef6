"""What is read is what the fold says, in a bounded number of trips, at a bounded cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from graphid.api.context import RequestContext
from graphid.api.execution import Request, answer
from graphid.auth.keys import Keys
from graphid.graph.database import Address, Database
from graphid.graph.policies import Policies
from graphid.graph.queries import Query
from graphid.graph.schema import migrate
from graphid.identity.ids import Ids
from graphid.identity.values import SECOND, Assurance
from graphid.service.ingest import Ingest
from graphid.service.messages import ClaimedIdentifier, Contact, Context, Identify, Page, Sender
from graphid.service.reads import Reads
from tests.services import services

NOW = 1_780_000_000 * SECOND
SERVER = Sender(name="sk:test", assurance=Assurance.ASSERTED, is_browser=False)
BROWSER = Sender(name="pk:test", assurance=Assurance.CLAIMED, is_browser=True)
KEY = Keys.of(secret=["a secret key"], publishable=()).find("a secret key")


class CountingDatabase(Database):
    """Counts the trips."""

    trips: list[str]

    async def read_rows(self, query: Query, /, **parameters: Any) -> list[dict[str, Any]]:
        self.trips.append(query.name)
        return await super().read_rows(query, **parameters)


@pytest.fixture(scope="module")
async def graph(database: Address) -> AsyncIterator[CountingDatabase]:
    opened = await CountingDatabase.connect(database, timeout=60)
    assert isinstance(opened, CountingDatabase)
    opened.trips = []
    await migrate(opened)
    yield opened
    await opened.close()


@pytest.fixture
def own() -> str:
    return uuid4().hex[:12]


class World:
    """A graph to write into and to ask."""

    def __init__(self, graph: CountingDatabase) -> None:
        self.graph = graph
        self.now = NOW
        # For it no time goes by: that the policy is read again is no trip to be counted here.
        policies = Policies(graph, elapsed=lambda: 0.0)
        self.reads = Reads.on(graph, policies, clock=lambda: self.now)
        self.ingest = Ingest(graph, policies, Ids(b"the secret of the tests"), lambda: self.now)

    async def page(self, cookie: str, device: str | None = None) -> str:
        self.now += SECOND
        context = Context(cookie_id=cookie, device_id=device)
        (receipt,) = await self.ingest.submit([Page(context=context, url="https://x/")], SERVER)
        assert receipt.problem is None
        return receipt.message_id

    async def identify(
        self, cookie: str, sender: Sender = SERVER, device: str | None = None, **claims: str
    ) -> Any:
        self.now += SECOND
        identifiers = tuple(ClaimedIdentifier(type=t, value=v) for t, v in claims.items())
        context = Context(cookie_id=cookie, device_id=device)
        message = Identify(context=context, identifiers=identifiers)
        (receipt,) = await self.ingest.submit([message], sender)
        return receipt.outcome

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        self.graph.trips.clear()
        context = RequestContext.of(KEY, services(reads=self.reads, ingest=self.ingest))
        found = await answer(Request(document, variables), context, may_change=True)
        assert "errors" not in found.body, found.body
        data: dict[str, Any] = found.body["data"]
        return data


@pytest.fixture
def world(graph: CountingDatabase) -> World:
    return World(graph)


EVERYTHING = """query ($id: ID!) { device(id: $id) { shared personCount
  people(first: 10) { person { id displayName firstSeenAt lastSeenAt mergedFrom
    contacts { id person { id } } identifiers { value }
    devices(first: 2) { device { id } visitor { id cookie { id device { id } } } sessions }
    links(first: 4) { id explanation from { id } to { __typename } }
    sessions(first: 3) { edges { node { id startedAt visitor { person { id } }
      events(first: 5) { edges { node { id } } } } } }
    chats(first: 2) { edges { node { id person { id }
      messages(first: 2) { edges { node { text } } } } } }
    reviews { id }
    journey(first: 5) { edges { node { id session { startedAt } chat { id } person { id }
      attribution { explanation link { id } } } } } } }
  uses(first: 10) { visitor { id } person { id } } } }"""


async def test_trips_do_not_grow_with_what_is_found(world: World, own: str) -> None:
    counts = []
    for people in (1, 6):
        device = f"device-{own}-{people}"
        for i in range(people):
            cookie = f"{own}-{people}-{i}"
            for _ in range(3):
                await world.page(cookie, device)
            await world.identify(cookie, device=device, email=f"{cookie}@example.com")
        found = await world.ask(EVERYTHING, id=device)
        assert found["device"]["personCount"] == people
        counts.append(sorted(world.graph.trips))
    assert len(counts[0]) == len(counts[1]), counts


async def test_a_review_is_found_with_the_people_whom_it_concerns(world: World, own: str) -> None:
    first = await world.identify(f"a-{own}", email=f"a-{own}@x.example", member=f"1-{own}")
    second = await world.identify(
        f"b-{own}", BROWSER, email=f"a-{own}@x.example", member=f"2-{own}"
    )
    assert second.reviews
    found = await world.ask(
        """query ($id: ID!) { person(id: $id) { id reviews { id kind state explanation
             evidenceId identifier { type value } people { id } } } }""",
        id=first.contact,
    )
    person = found["person"]
    (review,) = [r for r in person["reviews"] if r["id"] in second.reviews]
    assert person["id"] in {p["id"] for p in review["people"]}
    assert review["state"] == "OPEN"
    assert (await world.ask("query ($id: ID!) { node(id: $id) { id } }", id=review["id"]))["node"]


async def test_what_came_too_early_is_an_anonymous_persons(world: World, own: str) -> None:
    cookie = f"early-{own}"
    early = await world.page(cookie)
    world.now += 40 * 86_400 * SECOND
    late = await world.page(cookie)
    outcome = await world.identify(cookie, email=f"early-{own}@x.example")
    found = await world.ask(
        """query ($early: ID!, $late: ID!) {
          early: event(messageId: $early) { person { id kind } attribution { basis explanation } }
          late: event(messageId: $late) { person { id kind } attribution { basis } } }""",
        early=early,
        late=late,
    )
    unclaimed, known = found["early"]["person"], found["late"]["person"]
    assert unclaimed == {"id": f"{outcome.visitor}~unclaimed", "kind": "ANONYMOUS"}
    assert known["kind"] == "KNOWN"
    assert found["early"]["attribution"]["basis"] == "ANONYMOUS"
    journey = """query ($id: ID!) { person(id: $id) { id firstSeenAt lastSeenAt journey { edges {
      node { messageId } } } sessions { edges { node { person { id } } } } } }"""
    theirs = (await world.ask(journey, id=unclaimed["id"]))["person"]
    assert [e["node"]["messageId"] for e in theirs["journey"]["edges"]] == [early]
    assert theirs["firstSeenAt"] == theirs["lastSeenAt"] is not None
    assert [e["node"]["person"]["id"] for e in theirs["sessions"]["edges"]] == [unclaimed["id"]]
    # The visitor's own id leads to its owner, whose journey begins at the reach.
    owned = (await world.ask(journey, id=outcome.visitor))["person"]
    assert owned["id"] == known["id"]
    assert early not in [e["node"]["messageId"] for e in owned["journey"]["edges"]]


async def test_traits_of_the_record_come_before_a_browsers(world: World, own: str) -> None:
    key = ClaimedIdentifier(type="crm_account_id", value=own)
    record = Contact.model_validate(
        {
            "source": "crm",
            "sourceId": own,
            "identifiers": [key],
            "curated": True,
            "traits": {"firstName": "Joan", "lastName": "Doe"},
        }
    )
    await world.ingest.submit([record], SERVER)
    said = Identify.model_validate(
        {
            "context": {"cookieId": f"t-{own}"},
            "identifiers": [key],
            "traits": {"firstName": "Mallory"},
        }
    )
    world.now += SECOND
    await world.ingest.submit([said], BROWSER)
    found = await world.ask(
        """query ($id: String!) { personByIdentifier(type: "crm_account_id", value: $id) {
             displayName traits { name value source } } }""",
        id=own,
    )
    assert found["personByIdentifier"]["displayName"] == "Joan Doe"


async def test_nobody_is_found_by_ids_that_were_never_given_out(world: World) -> None:
    for id in ("person_x", "contact_x", "visitor_x", "visitor_x~unclaimed", "x", "session_x~y", ""):
        found = await world.ask(
            "query ($id: ID!) { person(id: $id) { id } node(id: $id) { id } }", id=id
        )
        assert found == {"person": None, "node": None}
