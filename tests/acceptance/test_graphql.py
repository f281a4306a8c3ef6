"""GraphQL as a client meets it: a client that we did not write, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError

from tests.service import PUBLISHABLE_KEY, SECRET_KEY, Service

Ask = Callable[..., Awaitable[dict[str, Any]]]
DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


async def opened(service: Service, key: str) -> AsyncIterator[Ask]:
    transport = AIOHTTPTransport(
        url=f"{service.url}/graphql", headers={"Authorization": f"Bearer {key}"}
    )
    async with Client(transport=transport) as session:

        async def ask(document: str, **variables: Any) -> dict[str, Any]:
            request = gql(document)
            request.variable_values = variables
            answer: dict[str, Any] = await session.execute(request)
            return answer

        yield ask


@pytest.fixture
async def server(graphid: Service) -> AsyncIterator[Ask]:
    async for ask in opened(graphid, SECRET_KEY):
        yield ask


@pytest.fixture
async def browser(graphid: Service) -> AsyncIterator[Ask]:
    async for ask in opened(graphid, PUBLISHABLE_KEY):
        yield ask


@pytest.fixture
def own() -> str:
    """What sets one test's ids and identifiers apart."""
    return uuid4().hex[:12]


def context(own: str, minutes: float, *, id: str | None = None) -> dict[str, Any]:
    return {
        "messageId": f"{own}-{id or minutes}",
        "cookieId": f"cookie-{own}",
        "deviceId": f"device-{own}",
        "occurredAt": (DAY + timedelta(minutes=minutes)).isoformat(),
    }


PAGE = """mutation ($input: PageInput!) { sent: page(input: $input) { __typename
  ... on EventAccepted { duplicate event { id messageId occurredAt receivedAt } warnings { code } }
  ... on Problem { code message } ... on InvalidInput { path } } }"""
IDENTIFY = """mutation ($input: IdentifyInput!) { sent: identify(input: $input) { __typename
  ... on Identified { duplicate created switched person { id kind displayName }
    contact { id source sourceId } reviews { id kind people { id } explanation }
    links { id kind from { __typename id }
      to { ... on Contact { id } ... on IdentifierNode { id value } } } }
  ... on Problem { code message } ... on InvalidInput { path } } }"""
SAVE = """mutation ($input: ContactInput!) { sent: saveContact(input: $input) { __typename
  ... on ContactSaved { created duplicate contact { id state } person { id } links { kind } }
  ... on Problem { code message } ... on InvalidInput { path } } }"""
JOURNEY = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String,
    $from: DateTime, $to: DateTime, $types: [JourneyEventType!]) {
  person(id: $id) { journey(first: $first, after: $after, last: $last, before: $before,
      from: $from, to: $to, types: $types) {
    edges { cursor node { id type occurredAt person { id } session { id } chat { id }
      attribution { basis explanation } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


async def browse(ask: Ask, own: str, minutes: range) -> None:
    for minute in minutes:
        sent = {"context": context(own, minute), "url": f"https://shop.example/{minute}"}
        assert (await ask(PAGE, input=sent))["sent"]["__typename"] == "EventAccepted"


async def identify(ask: Ask, own: str, minute: float, email: str) -> dict[str, Any]:
    sent = {
        "context": context(own, minute),
        "traits": {"email": email, "firstName": "Jane", "lastName": "Doe"},
    }
    found: dict[str, Any] = (await ask(IDENTIFY, input=sent))["sent"]
    assert found["__typename"] == "Identified", found
    return found


async def test_the_anonymous_day_joins_the_known_person(server: Ask, own: str) -> None:
    await browse(server, own, range(3))
    started = await server(
        """mutation ($input: StartChatInput!) { sent: startChat(input: $input) {
             ... on ChatStarted { duplicate chat { id channel authenticated
               person { id kind } } } } }""",
        input={"context": context(own, 3), "chatId": f"chat-{own}"},
    )
    before = started["sent"]["chat"]["person"]
    assert before["kind"] == "ANONYMOUS"
    await server(
        """mutation ($input: ChatMessageInput!) {
             sendChatMessage(input: $input) { __typename } }""",
        input={
            "chatId": f"chat-{own}",
            "author": "CUSTOMER",
            "text": "Hello?",
            "occurredAt": (DAY + timedelta(minutes=4)).isoformat(),
        },
    )
    identified = await identify(server, own, 60 * 24, f"jane-{own}@example.com")
    person = identified["person"]
    assert (person["kind"], person["displayName"]) == ("KNOWN", "Jane Doe")
    assert {link["kind"] for link in identified["links"]} == {"IDENTIFIED_AS", "HAS_IDENTIFIER"}

    # The id that was given out for the anonymous visitor leads to the person now.
    assert (await server("query ($id: ID!) { person(id: $id) { id } }", id=before["id"])) == {
        "person": {"id": person["id"]}
    }
    journey = (await server(JOURNEY, id=person["id"]))["person"]["journey"]
    lines = [edge["node"] for edge in journey["edges"]]
    assert [line["type"] for line in lines] == [
        *("IDENTIFY", "CHAT_MESSAGE", "CHAT_START", "PAGE", "PAGE", "PAGE")
    ]
    assert {line["person"]["id"] for line in lines} == {person["id"]}
    assert [line["attribution"]["basis"] for line in lines] == ["IDENTIFIED", *["RETROACTIVE"] * 5]
    assert (
        "24 hours later" in lines[-1]["attribution"]["explanation"]
        or "one day later" in (lines[-1]["attribution"]["explanation"])
    )
    assert lines[1]["chat"]["id"] == f"chat-{own}"
    assert lines[-1]["session"] == lines[-2]["session"] != lines[0]["session"]


async def test_every_id_is_found_again_by_node(server: Ask, own: str) -> None:
    await browse(server, own, range(2))
    await identify(server, own, 5, f"node-{own}@example.com")
    found = await server(
        """query ($email: String!) { personByIdentifier(type: "email", value: $email) {
          __typename id
          contacts { __typename id links { __typename id from { __typename id }
            to { __typename ... on Contact { id } ... on IdentifierNode { id } } } }
          devices { device { __typename id } visitor { __typename id cookie { __typename id } } }
          sessions { edges { node { __typename id visitor { id } person { id } } } }
          journey { edges { node { __typename id } } }
        } }""",
        email=f"NODE-{own}@example.com",
    )
    nodes: dict[str, str] = {}
    pending: list[Any] = [found]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if "id" in value and "__typename" in value:
                nodes[value["id"]] = value["__typename"]
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    assert set(nodes.values()) == {
        *("Person", "Contact", "Link", "Visitor", "Cookie", "Device", "Session"),
        *("JourneyEvent", "IdentifierNode"),
    }
    for id, type in nodes.items():
        again = await server("query ($id: ID!) { node(id: $id) { __typename id } }", id=id)
        assert again["node"] == {"__typename": type, "id": id}
    assert await server('{ node(id: "person_of_nobody") { id } }') == {"node": None}


async def test_a_journey_is_paged_from_both_ends(server: Ask, own: str) -> None:
    await browse(server, own, range(11))
    person = (await identify(server, own, 20, f"page-{own}@example.com"))["person"]["id"]
    whole = (await server(JOURNEY, id=person))["person"]["journey"]
    ids = [edge["node"]["id"] for edge in whole["edges"]]
    assert len(ids) == 12
    assert whole["pageInfo"]["hasNextPage"] is False

    seen: list[str] = []
    after = None
    while True:
        page = (await server(JOURNEY, id=person, first=5, after=after))["person"]["journey"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        assert page["pageInfo"]["hasPreviousPage"] is (len(seen) > 5)
    assert seen == ids

    seen, before = [], None
    while True:
        page = (await server(JOURNEY, id=person, last=5, before=before))["person"]["journey"]
        seen = [edge["node"]["id"] for edge in page["edges"]] + seen
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert seen == ids

    bounds = {
        "from": (DAY + timedelta(minutes=2)).isoformat(),
        "to": (DAY + timedelta(minutes=5)).isoformat(),
    }
    within = (await server(JOURNEY, id=person, **bounds))["person"]["journey"]["edges"]
    assert [edge["node"]["id"] for edge in within] == ids[-5:-2]
    typed = (await server(JOURNEY, id=person, types=["IDENTIFY"]))["person"]["journey"]["edges"]
    assert [edge["node"]["id"] for edge in typed] == ids[:1]


async def test_a_shared_tablet_keeps_two_people_apart(server: Ask, own: str) -> None:
    await browse(server, own, range(2))
    husband = (await identify(server, own, 3, f"husband-{own}@example.com"))["person"]["id"]
    left = await server(
        """mutation ($input: LogoutInput!) { sent: logout(input: $input) {
             ... on LoggedOut { nextCookieId duplicate ended { state endedAt explanation } } } }""",
        input={"context": context(own, 4)},
    )
    assert [link["state"] for link in left["sent"]["ended"]] == ["ENDED"]
    assert "logout" in left["sent"]["ended"][0]["explanation"]
    wife = (await identify(server, own, 10, f"wife-{own}@example.com"))["person"]["id"]
    assert wife != husband
    found = await server(
        """query ($id: ID!, $early: DateTime!, $late: DateTime!) { device(id: $id) {
          shared personCount
          people { person { id } sessions authenticated }
          uses { person { id } endedAt }
          early: personAt(at: $early) { id } late: personAt(at: $late) { id } } }""",
        id=f"device-{own}",
        early=(DAY + timedelta(minutes=1)).isoformat(),
        late=(DAY + timedelta(minutes=11)).isoformat(),
    )
    device = found["device"]
    assert (device["shared"], device["personCount"]) == (True, 2)
    assert [p["person"]["id"] for p in device["people"]] == [wife, husband]
    assert [use["person"]["id"] for use in device["uses"]] == [wife, husband]
    assert (device["early"]["id"], device["late"]["id"]) == (husband, wife)
    assert device["uses"][0]["endedAt"] is None
    of_husband = (await server(JOURNEY, id=husband))["person"]["journey"]["edges"]
    assert [e["node"]["type"] for e in of_husband] == ["LOGOUT", "IDENTIFY", "PAGE", "PAGE"]


async def test_a_merged_person_is_found_by_every_id(server: Ask, own: str) -> None:
    known = (await identify(server, own, 1, f"one-{own}@example.com"))["person"]["id"]
    record = {
        "source": "crm",
        "sourceId": own,
        "identifiers": [{"type": "crm_account_id", "value": own}],
        "curated": True,
    }
    saved = (await server(SAVE, input=record))["sent"]
    assert (saved["created"], saved["contact"]["state"]) == (True, "CURATED")
    assert saved["person"]["id"] != known
    both = {
        **record,
        "identifiers": [
            {"type": "crm_account_id", "value": own},
            {"type": "email", "value": f"one-{own}@example.com"},
        ],
    }
    again = (await server(SAVE, input=both))["sent"]
    assert "SAME_AS" in {link["kind"] for link in again["links"]}
    now = again["person"]["id"]
    for id in (known, saved["person"]["id"], saved["contact"]["id"]):
        found = await server("query ($id: ID!) { person(id: $id) { id mergedFrom } }", id=id)
        assert found["person"]["id"] == now
        assert len(found["person"]["mergedFrom"]) == 1
    contact = await server(
        """query ($id: ID!) { contact(source: "crm", sourceId: $id) { id person { id
             contacts { source } identifiers { type } } } }""",
        id=own,
    )
    assert contact["contact"]["person"]["id"] == now
    assert {c["source"] for c in contact["contact"]["person"]["contacts"]} == {"crm", "identify"}


async def test_equal_times_in_one_request_keep_their_order(server: Ask, own: str) -> None:
    at = context(own, 0)
    sent = await server(
        """mutation ($out: LogoutInput!, $page: PageInput!, $who: IdentifyInput!) {
             who: identify(input: $who) { ... on Identified { event { occurredAt } } }
             page: page(input: $page) { ... on EventAccepted { event { occurredAt } } }
             out: logout(input: $out) { ... on LoggedOut { event { occurredAt } ended { id } } }
           }""",
        who={"context": {**at, "messageId": f"{own}-who"}, "traits": {"email": f"{own}@a.example"}},
        page={"context": {**at, "messageId": f"{own}-page"}, "url": "https://shop.example/"},
        out={"context": {**at, "messageId": f"{own}-out"}},
    )
    times = [sent[name]["event"]["occurredAt"] for name in ("who", "page", "out")]
    assert times == sorted(set(times))
    assert sent["out"]["ended"]


async def test_sent_twice_is_stored_once(server: Ask, own: str) -> None:
    sent = {"context": context(own, 0), "url": "https://shop.example/"}
    first, second = [(await server(PAGE, input=sent))["sent"] for _ in range(2)]
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["event"] == second["event"]
    one = await identify(server, own, 1, f"twice-{own}@example.com")
    two = await identify(server, own, 1, f"twice-{own}@example.com")
    assert (one.pop("duplicate"), two.pop("duplicate")) == (False, True)
    assert one == two


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"url": "x" * 5000}, ["url"]),
        ({"properties": {"a": "x" * 40_000}}, ["properties"]),
        ({"properties": [1]}, ["properties"]),
        ({"context": {"cookieId": ""}}, ["context", "cookieId"]),
        ({"context": {"cookieId": "x" * 300}}, ["context", "cookieId"]),
        (
            {"context": {"cookieId": "c", "occurredAt": "1999-01-01T00:00:00Z"}},
            ["context", "occurredAt"],
        ),
        ({"context": {"cookieId": "c", "messageId": "a\u0000b"}}, ["context", "messageId"]),
    ],
)
async def test_an_invalid_field_is_named(
    server: Ask, own: str, change: dict[str, Any], path: list[str]
) -> None:
    sent = {"context": context(own, 0), "url": "https://shop.example/", **change}
    problem = (await server(PAGE, input=sent))["sent"]
    assert (problem["__typename"], problem["path"]) == ("InvalidInput", path)
    assert path[-1] in problem["message"]


async def test_a_chat_that_is_not_there(server: Ask, own: str) -> None:
    found = await server(
        """mutation ($input: EndChatInput!) { endChat(input: $input) { __typename
             ... on Problem { code message } } }""",
        input={"chatId": f"nowhere-{own}"},
    )
    assert found["endChat"]["__typename"] == "NotFound"


async def code_of(ask: Ask, document: str, **variables: Any) -> str:
    with pytest.raises(TransportQueryError) as caught:
        await ask(document, **variables)
    (error,) = caught.value.errors or []
    assert error["extensions"]["requestId"]
    return str(error["extensions"]["code"])


async def test_a_browser_sends_and_reads_nothing(browser: Ask, own: str) -> None:
    await browse(browser, own, range(1))
    assert await code_of(browser, IDENTIFY, input={"context": context(own, 1)}) == "FORBIDDEN"
    assert await code_of(browser, '{ person(id: "x") { id } }') == "FORBIDDEN"
    for identifiers, answer in (
        ([{"type": "email", "value": f"b-{own}@example.com"}], "Identified"),
        ([{"type": "email", "value": "undefined"}], "EventAccepted"),
        ([], "EventAccepted"),
    ):
        found = await browser(
            """mutation ($input: IdentifyInput!) { identify(input: $input) { __typename } }""",
            input={"context": context(own, 2, id=answer), "identifiers": identifiers},
        )
        assert found["identify"]["__typename"] == answer
    started = await browser(
        """mutation ($input: StartChatInput!) { startChat(input: $input) {
             ... on ChatStarted { chat { id startedAt authenticated authenticatedAt } } } }""",
        input={"context": context(own, 3), "chatId": f"chat-{own}"},
    )
    assert started["startChat"]["chat"]["id"] == f"chat-{own}"


async def test_lists_are_bounded_and_cursors_are_theirs(server: Ask, own: str) -> None:
    person = (await identify(server, own, 1, f"bound-{own}@example.com"))["person"]["id"]
    assert await code_of(server, JOURNEY, id=person, first=100_000) == "INVALID_INPUT"
    assert await code_of(server, JOURNEY, id=person, first=1, last=1) == "INVALID_INPUT"
    assert await code_of(server, JOURNEY, id=person, after="nonsense") == "BAD_CURSOR"
    assert await code_of(server, JOURNEY, id=person, to="yesterday") == "BAD_USER_INPUT"


async def test_introspection_is_for_servers(server: Ask) -> None:
    found = await server("{ __schema { queryType { fields { name } } } }")
    assert "person" in {field["name"] for field in found["__schema"]["queryType"]["fields"]}
