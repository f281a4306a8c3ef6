"""Erase: nothing of a person is left, and nothing of anybody else is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import pytest

from graphid.api.execution import Request, answer
from graphid.errors import Busy, InvalidInput, NotFound
from graphid.graph.database import Address, Database, Unit
from graphid.graph.policies import Policies
from graphid.service.answers import ERASED
from graphid.service.erasures import Erasures
from graphid.service.ingest import Ingest
from graphid.service.messages import (
    Author,
    ChatAuthentication,
    ChatMessage,
    ClaimedIdentifier,
    Contact,
    EndChat,
    Identify,
    Message,
    Page,
    Proof,
    StartChat,
    Traits,
)
from graphid.service.operations.operating import Operations
from graphid.service.parked import Parked
from tests.integration.asking import installation, time_of
from tests.integration.operating import Operating
from tests.integration.test_contention import Others
from tests.integration.test_ingest import SERVER
from tests.integration.test_parked import Limited

T = TypeVar("T")

ERASE = """mutation ($id: ID!, $reason: String!, $dryRun: Boolean, $operationId: ID) {
  erasePerson(id: $id, reason: $reason, dryRun: $dryRun, operationId: $operationId) { __typename
    ... on Change { operationId dryRun pending eventsReattributed links { id }
      before { id kind } after { id kind } }
    ... on Refused { reasons } ... on Problem { code message } } }"""


@pytest.fixture
async def operator(own_database: Address) -> AsyncIterator[Operating]:
    """Where no service's job erases what is left of a person before the test looks."""
    async with installation(own_database) as (connected, ids):
        yield Operating(connected, ids)


@pytest.fixture
async def others(operator: Operating, own_database: Address) -> AsyncIterator[Others]:
    opened = Others(operator, own_database)
    yield opened
    for each in opened.databases:
        await each.close()


async def erase(world: Operating, id: str, **more: Any) -> dict[str, Any]:
    """What erasing answers. Names of operations are of this world."""
    variables = {"reason": "a request of theirs", "operationId": f"{world.run}-erase", **more}
    done: dict[str, Any] = (await world.ask(ERASE, id=id, **variables))["erasePerson"]
    return done


async def erased(world: Operating, id: str, **more: Any) -> dict[str, Any]:
    done = await erase(world, id, **more)
    assert done["__typename"] == "Change", done
    return done


async def mentions(world: Operating, *words: str) -> list[Any]:
    """Where in the graph a word is left: labels or type, and properties."""
    found = []
    for text in (
        "MATCH (n) RETURN labels(n) AS what, n {.*} AS said",
        "MATCH ()-[r]->() RETURN type(r) AS what, r {.*} AS said",
    ):
        for row in await world.rows(text):
            said = repr(row["said"]).casefold()
            found += [(row["what"], word, row["said"]) for word in words if word.casefold() in said]
    return found


async def events(world: Operating) -> dict[str, str | None]:
    """Whose each event of this world is; None of those of which only the id is left."""
    rows = await world.rows(
        "MATCH (e:Event) WHERE e.messageId STARTS WITH $run "
        "RETURN e.messageId AS id, e.position AS at"
    )
    return {
        row["id"]: None if row["at"] is None else await world.owner(row["id"][len(world.run) + 1 :])
        for row in rows
    }


def phone_of(world: Operating) -> str:
    """A number that no other test says."""
    return f"+442079{int(world.run, 16) % 1_000_000:06d}"


async def jo(world: Operating) -> str:
    """Jo browses, identifies with all that there is, chats, and is a record: the person's id."""
    await world.seen("a", "p1", "p2")
    await world.one(
        Identify(
            context=world.context("a", "i1", device_id=f"{world.run}-tablet"),
            identifiers=(world.claim("user_id", "joanna77"),),
            traits=Traits(
                email=f"{world.run}.joanna@x.example",
                phone=phone_of(world),
                first_name=f"{world.run}Joanna",
                last_name="Doebury",
                custom={"plan": f"{world.run}-goldplan"},
            ),
        ),
        SERVER,
    )
    await world.one(
        Contact(
            message_id=f"{world.run}-k1",
            source="crm",
            source_id=f"{world.run}-record-9",
            identifiers=(world.claim("user_id", "joanna77"), world.claim("crm_account_id", "9988")),
            traits=Traits(first_name=f"{world.run}Joanna", last_name="Doebury"),
        ),
        SERVER,
    )
    await world.one(StartChat(context=world.context("a", "c1"), chat_id=f"{world.run}-chat"))
    await world.one(
        ChatMessage(
            message_id=f"{world.run}-c2",
            chat_id=f"{world.run}-chat",
            cookie_id=f"{world.run}-a",
            author=Author.CUSTOMER,
            text=f"it is me, {world.run}Joanna",
        )
    )
    await world.one(
        EndChat(
            message_id=f"{world.run}-c3",
            chat_id=f"{world.run}-chat",
            cookie_id=f"{world.run}-a",
        )
    )
    await world.seen("a", "p3")
    return await world.owner("p3")


def words(world: Operating) -> list[str]:
    """What is known of Jo, none of which any other test says."""
    said = ("Joanna", ".joanna@x.example", "-joanna77", "-record-9", "-9988", "-goldplan")
    return [f"{world.run}{word}" for word in said]


async def gone(world: Operating, *ids: str) -> bool:
    """Whether none of these ids means anything."""
    found = [
        (await world.ask("query ($id: ID!) { node(id: $id) { id } }", id=id))["node"] for id in ids
    ]
    return found == [None] * len(ids)


async def test_nothing_of_the_person_is_left(operator: Operating) -> None:
    person = await jo(operator)
    contact = await operator.contact_of("p3")
    links = [link["id"] for link in await operator.links(person, "HAS_IDENTIFIER")]
    assert len({word for _, word, _ in await mentions(operator, *words(operator))}) == 6
    done = await erased(operator, person)
    assert (done["dryRun"], done["pending"]) == (False, False)
    assert (done["before"], done["after"], done["links"]) == ([], [], [])
    assert done["eventsReattributed"] == 7
    assert await mentions(operator, *words(operator)) == []
    assert await operator.differences() == []
    assert await gone(operator, person, contact, *links)
    found = await operator.ask("query ($id: ID!) { person(id: $id) { id } }", id=person)
    assert found["person"] is None
    assert await events(operator) == dict.fromkeys(
        f"{operator.run}-{id}" for id in ("p1", "p2", "i1", "c1", "c2", "c3", "p3")
    )
    assert await operator.rows("MATCH (c:Chat) WHERE c.id STARTS WITH $run RETURN c.id") == []
    assert await operator.rows("MATCH (s:Session) WHERE s.cookie STARTS WITH $run RETURN s") == []
    assert await operator.rows("MATCH (e:Erasure) WHERE e.ranges CONTAINS $run RETURN e") == []


async def test_nothing_is_left_of_what_was_said_again_of_a_contact_that_is_made_no_more(
    operator: Operating,
) -> None:
    user = f"{operator.run}-again"
    await operator.identified("a", "i", "again")
    for number in range(3):
        context = operator.context("a", f"p{number}")
        page = Page(context=context, url="https://x.example/", user_id=user)
        await operator.one(page, SERVER)
    record = Contact(
        message_id=f"{operator.run}-k",
        source="crm",
        source_id=f"{operator.run}-r",
        identifiers=(operator.claim("user_id", "again"),),
        occurred_at=operator_time(operator, 7200),
    )
    await operator.one(record, SERVER)
    marked = "MATCH (r:Repetition) WHERE r.identifier CONTAINS $run RETURN r"
    assert await operator.rows(marked)
    await erased(operator, await operator.owner("p2"))
    assert await mentions(operator, user) == []
    assert await operator.differences() == []


async def household(world: Operating) -> tuple[str, dict[str, str | None]]:
    """A tablet that Kim, nobody, Jo and Kim again used, and Jo's phone: Jo, and whose is what."""
    await world.seen("t", "k1")
    await world.identified("t", "ki", "kim")
    await world.one(world.logout("t", 0).model_copy(update={"context": world.context("t", "ko")}))
    await world.seen("t", "n1")
    world.now += 7_200_000_000
    await world.seen("t", "n2")
    await world.identified("t", "ji", "jo@x.example", type="email")
    await world.identified("t", "ji2", "jo@x.example", type="email")
    await world.seen("t", "j1")
    await world.identified("t", "ki2", "kim")
    await world.seen("t", "k2")
    await world.one(world.logout("t", 0).model_copy(update={"context": world.context("t", "ko2")}))
    await world.seen("t", "n3")
    await world.identified("p", "ji3", "jo@x.example", type="email")
    await world.one(world.logout("p", 0).model_copy(update={"context": world.context("p", "jo")}))
    await world.identified("p", "li", "lee")
    await world.seen("p", "l1")
    return await world.owner("j1"), await events(world)


async def test_nothing_of_anybody_else_changes_hands_or_vanishes(operator: Operating) -> None:
    person, before = await household(operator)
    theirs = {id for id, owner in before.items() if owner == person}
    assert {f"{operator.run}-{id}" for id in ("n2", "ji", "j1", "ji3", "jo")} <= theirs
    done = await erased(operator, person)
    assert done["eventsReattributed"] == len(theirs)
    after = await events(operator)
    # Whose visitor nobody's events are in, that has no owner beside them any more.
    expected = {id: owner and owner.removesuffix("~unclaimed") for id, owner in before.items()}
    assert after == {id: None if id in theirs else owner for id, owner in expected.items()}
    assert await operator.differences() == []


async def test_who_comes_back_is_somebody_new(operator: Operating) -> None:
    person, before = await household(operator)
    await erased(operator, person)
    after = await events(operator)
    await operator.seen("p2", "b1")
    await operator.identified("p2", "b2", "jo@x.example", type="email")
    again = await operator.owner("b1")
    kept = {id: owner for id, owner in (await events(operator)).items() if id in before}
    assert kept == after
    assert again not in kept.values()
    assert (await operator.ask(MERGED, id=again))["person"]["contacts"][0]["identifiers"] == [
        {"value": f"{operator.run}-jo@x.example"}
    ]
    assert await operator.differences() == []


MERGED = "query ($id: ID!) { person(id: $id) { contacts { identifiers { value } } } }"


async def test_late_evidence_from_before_does_not_bring_it_back(operator: Operating) -> None:
    """It is new; and on a cookie that was theirs it is somebody who began there, with nothing."""
    person = await jo(operator)
    await erased(operator, person)
    late = Identify(
        context=operator.context("a", "late", occurred_at=operator_time(operator, 4)),
        identifiers=(operator.claim("user_id", "joanna77"),),
    )
    await operator.one(late, SERVER)
    await operator.seen("a", "p9")
    assert await operator.owner("p9") == await operator.owner("late")
    after = await events(operator)
    assert [id for id, owner in after.items() if owner is not None] == [
        f"{operator.run}-late",
        f"{operator.run}-p9",
    ]
    assert await operator.differences() == []


def operator_time(world: Operating, seconds_ago: int) -> Any:
    return time_of(world.now - seconds_ago * 1_000_000)


PAGE = """mutation ($c: ContextInput!) { page(input: {context: $c, url: "https://x.example"}) {
  __typename ... on EventAccepted { duplicate warnings { code } event { messageId } } } }"""
SAID = """mutation ($c: ContextInput!, $v: String!) { identify(input: {context: $c,
  identifiers: [{type: "user_id", value: $v}]}) { __typename
  ... on EventAccepted { duplicate warnings { code } event { messageId } } } }"""
LEFT = """mutation ($c: ContextInput!) { logout(input: {context: $c}) { __typename
  ... on LoggedOut { duplicate ended { id } nextCookieId } } }"""
CHAT = """mutation ($c: ContextInput!, $v: ID!) { startChat(input: {context: $c, chatId: $v}) {
  __typename ... on Problem { code } ... on InvalidInput { path } } }"""
LINE = """mutation ($m: ID!, $v: ID!) { sendChatMessage(input: {messageId: $m, chatId: $v,
  author: CUSTOMER, text: "hm"}) { __typename ... on Problem { code }
  ... on EventAccepted { duplicate warnings { code } event { messageId } } } }"""
SAVE = """mutation ($m: ID!, $v: ID!) { saveContact(input: {messageId: $m, source: "crm",
  sourceId: $v, identifiers: []}) { __typename
  ... on Problem { code } ... on InvalidInput { path } } }"""


async def test_messages_of_before_are_known_and_bring_nothing_back(operator: Operating) -> None:
    person = await jo(operator)
    left = operator.logout("a", 0).model_copy(update={"context": operator.context("a", "o1")})
    await operator.one(left)
    await erased(operator, person)
    before = await events(operator)
    run = operator.run

    def where(id: str) -> dict[str, str]:
        return {"messageId": f"{run}-{id}", "cookieId": f"{run}-a"}

    told = {"duplicate": True, "warnings": [{"code": "ERASED"}]}
    page = (await operator.ask(PAGE, c=where("p1")))["page"]
    assert page == {"__typename": "EventAccepted", "event": {"messageId": f"{run}-p1"}} | told
    said = (await operator.ask(SAID, c=where("i1"), v=f"{run}-joanna77"))["identify"]
    assert said == {"__typename": "EventAccepted", "event": {"messageId": f"{run}-i1"}} | told
    out = (await operator.ask(LEFT, c=where("o1")))["logout"]
    assert (out["__typename"], out["duplicate"], out["ended"]) == ("LoggedOut", True, [])
    wrong = {"__typename": "InvalidInput", "code": "INVALID_INPUT", "path": ["messageId"]}
    chat = (await operator.ask(CHAT, c=where("c1"), v=f"{run}-chat"))["startChat"]
    assert chat == wrong
    line = (await operator.ask(LINE, m=f"{run}-c2", v=f"{run}-chat"))["sendChatMessage"]
    assert line == {"__typename": "EventAccepted", "event": {"messageId": f"{run}-c2"}} | told
    saved = (await operator.ask(SAVE, m=f"{run}-k1", v=f"{run}-record-9"))["saveContact"]
    assert saved == wrong
    browser = await operator.one(operator.identify("a", "joanna77", "i1"))
    assert browser.outcome is not None
    assert await events(operator) == before
    assert await mentions(operator, *words(operator)) == []
    request = Request(WHOSE, {"c": where("p1")})
    asked = await answer(request, operator.request_context(), may_change=True)
    assert [e["extensions"]["code"] for e in asked.body["errors"]] == ["NOT_FOUND"]


WHOSE = """mutation ($c: ContextInput!) { page(input: {context: $c, url: "https://x.example"}) {
  ... on EventAccepted { event { person { id } } } } }"""


async def test_a_browser_is_told_of_its_own_cookies_messages_that_they_were_erased(
    operator: Operating,
) -> None:
    """And of nobody else's: there it is answered as if the id were new."""
    await erased(operator, await jo(operator))
    before = await events(operator)

    def again(cookie: str) -> list[Message]:
        chat = f"{operator.run}-chat"
        line = ChatMessage(
            message_id=f"{operator.run}-c2",
            chat_id=chat,
            cookie_id=f"{operator.run}-{cookie}",
            author=Author.CUSTOMER,
            text="hm",
        )
        return [
            StartChat(context=operator.context(cookie, "c1"), chat_id=chat),
            line,
            operator.page(cookie, 0).model_copy(update={"context": operator.context(cookie, "p1")}),
            operator.identify(cookie, "joanna77", "i1"),
        ]

    start, *others = [await operator.one(message) for message in again("a")]
    assert isinstance(start.problem, InvalidInput)
    assert start.problem.path == ("messageId",)
    assert [(told.duplicate, told.warnings, told.problem) for told in others] == [
        (True, (ERASED,), None)
    ] * 3
    _, line, *others = [await operator.one(message) for message in again("b")]
    assert isinstance(line.problem, NotFound)
    assert [(told.duplicate, told.warnings) for told in others] == [(False, ())] * 2
    assert await events(operator) == before
    # Who begins a chat of that id anew does not begin what was said in it.
    chat = f"{operator.run}-chat"
    await operator.one(StartChat(context=operator.context("a", "c9"), chat_id=chat))
    line = await operator.one(again("a")[1])
    assert (line.duplicate, line.warnings) == (True, (ERASED,))


CHATS = """query ($id: ID!, $at: DateTime) { person(id: $id, at: $at) {
  chats { edges { node { startedAt endedAt person { id } session { id }
    messages { edges { node { text } } } } } } } }"""


async def after_each_other(world: Operating) -> list[str]:
    """Three people, on one cookie, in one chat, each of whom says something and ends it: who they
    are."""
    chat = f"{world.run}-chat"
    await world.one(StartChat(context=world.where("a", 1, "begun"), chat_id=chat))
    for number, name in enumerate(["ann", "bea", "cat"]):
        began = 10 + 10 * number
        said = world.said("a", began, f"user_id:{name}")
        where = {"context": world.where("a", began, name)}
        await world.one(said.model_copy(update=where), SERVER)
        line = ChatMessage(
            chat_id=chat,
            author=Author.CUSTOMER,
            text=f"it is {name}",
            occurred_at=time_of(world.at(began + 1)),
        )
        await world.one(line, SERVER)
        if name != "ann":
            over = time_of(world.at(began + 2))
            await world.one(EndChat(chat_id=chat, occurred_at=over), SERVER)
        await world.one(world.logout("a", began + 5), SERVER)
    return [await world.owner(name) for name in ("ann", "bea", "cat")]


@pytest.mark.parametrize(
    ("gone", "owner", "times", "said"),
    [
        ([1], 2, [1, 32], ["ann", "cat"]),
        ([0], 1, [21, 22], ["bea", "cat"]),
        ([0, 1], 2, [31, 32], ["cat"]),
        ([2], 1, [1, 22], ["ann", "bea"]),
    ],
)
async def test_what_is_left_of_a_chat_is_what_its_lines_say_that_are_left(
    operator: Operating, gone: list[int], owner: int, times: list[int], said: list[str]
) -> None:
    """It is somebody's who is left, now and in the past, and tells nothing of who went."""
    people = await after_each_other(operator)
    for number in gone:
        await erased(operator, people[number], operationId=f"{operator.run}-erase-{number}")
    left = [person for number, person in enumerate(people) if number not in gone]
    moment = time_of(operator.now + 1_000_000).isoformat()
    for at in (None, moment):
        found = {
            person: (await operator.ask(CHATS, id=person, at=at))["person"]["chats"]["edges"]
            for person in left
        }
        (edge,) = found.pop(people[owner])
        assert all(edges == [] for edges in found.values())
        node = edge["node"]
        assert node["person"]["id"] == people[owner]
        told = [datetime.fromisoformat(node[name]) for name in ("startedAt", "endedAt")]
        assert told == [time_of(operator.at(second)) for second in times]
        assert node["session"] is not None
        texts = [line["node"]["text"] for line in node["messages"]["edges"]]
        assert texts == [f"it is {name}" for name in said]


@pytest.mark.parametrize("is_severed", [False, True])
async def test_nobodys_chat_tells_whom_a_provider_vouched_for(
    operator: Operating, is_severed: bool
) -> None:
    """Somebody else began it; and an operator may have taken the visit from whom it was."""
    chat, cookie = f"{operator.run}-chat", f"{operator.run}-a"
    await operator.one(StartChat(context=operator.context("a", "begun"), chat_id=chat))
    await operator.identified("a", "ann", "ann")
    vouched = ChatAuthentication(
        message_id=f"{operator.run}-vouched",
        chat_id=chat,
        cookie_id=cookie,
        proof=Proof(
            issuer=f"https://{operator.run}.example",
            subject=f"{operator.run}-subject",
            identifiers=(operator.claim("user_id", "bea"),),
        ),
    )
    await operator.one(vouched)
    ann, bea = await operator.owner("ann"), await operator.owner("vouched")
    assert ann != bea
    assert len(await mentions(operator, f"{operator.run}-subject")) > 1
    if is_severed:
        await operator.changed("severLink", id=await operator.link_of("vouched"))
    await erased(operator, bea)
    assert await mentions(operator, f"{operator.run}-subject", f"{operator.run}.example") == []
    assert await operator.differences() == []


async def test_an_erasure_is_done_once_and_for_all(operator: Operating) -> None:
    person, _ = await household(operator)
    contact = await operator.contact_of("j1")
    kim = await operator.owner("k1")
    first = await erased(operator, person)
    assert await erased(operator, person) == first
    other = await erase(operator, person, operationId=f"{operator.run}-other")
    assert other["__typename"] == "Refused"
    assert "was erased by operation" in other["reasons"][0]
    other = await erase(operator, kim)
    assert other["reasons"] == ["operationId: was used before, for another act."]
    assert "was erased" in await operator.refused("mergePeople", ids=[kim, person])
    assert "was erased" in await operator.refused("mergePeople", ids=[contact, kim])
    assert "gone" in await operator.refused("restoreLink", id=f"{operator.run}-erase")
    assert (await erase(operator, f"person_{operator.run}", operationId="x"))[
        "__typename"
    ] == "NotFound"


async def test_a_preview_tells_whom_and_how_much_and_changes_nothing(operator: Operating) -> None:
    person, before = await household(operator)
    whole = await operator.whole()
    shown = await erased(operator, person, dryRun=True, operationId=None)
    assert await operator.whole() == whole
    assert (shown["operationId"], shown["dryRun"]) == (None, True)
    assert shown["before"] == [{"id": person, "kind": "KNOWN"}]
    assert shown["after"] == []
    assert shown["eventsReattributed"] == list(before.values()).count(person)


async def test_an_anonymous_person_is_erased(operator: Operating) -> None:
    await operator.seen("a", "p1", "p2")
    nobody = ClaimedIdentifier(type="user_id", value="null")
    await operator.one(Identify(context=operator.context("a", "i1"), identifiers=(nobody,)))
    await operator.seen("b", "q1")
    person = await operator.owner("p1")
    assert person.startswith("visitor_")
    assert (await erased(operator, person))["eventsReattributed"] == 3
    assert {id[9:]: owner is None for id, owner in (await events(operator)).items()} == {
        "p1": True,
        "p2": True,
        "i1": True,
        "q1": False,
    }
    assert await operator.differences() == []
    assert (await erase(operator, person, operationId="again"))["__typename"] == "Refused"
    await operator.seen("a", "p3")
    await operator.identified("a", "i2", "jo")
    assert await operator.owner("p3") == await operator.owner("i2")


async def test_what_is_before_an_owners_reach_is_erased_alone(operator: Operating) -> None:
    _, before = await household(operator)
    nobodys = [id for id, owner in before.items() if (owner or "").startswith("visitor_")]
    assert f"{operator.run}-n1" in nobodys
    id = before[f"{operator.run}-n1"]
    assert id is not None
    await erased(operator, id)
    after = await events(operator)
    assert after == {m: None if owner == id else owner for m, owner in before.items()}
    assert await operator.differences() == []


async def test_of_a_visitor_that_an_operator_gave_them_nobody_inherits(operator: Operating) -> None:
    """Who identifies there afterwards begins anew; what comes late from before is nobody's."""
    jo, _ = await operator.two()
    await operator.seen("c", "c1")
    await operator.seen("d", "d1")
    given = [await operator.owner("c1"), await operator.owner("d1")]
    person = await operator.owner("pa")
    await operator.changed("mergePeople", ids=[jo, *given])
    assert {await operator.owner("c1"), await operator.owner("d1")} == {person}
    await erased(operator, person)
    for cookie in ("c", "d"):
        await operator.identified(cookie, f"{cookie}2", "lee")
        late = operator.page(cookie, 0).model_copy(
            update={
                "context": operator.context(
                    cookie, f"{cookie}-late", occurred_at=operator_time(operator, 5)
                )
            }
        )
        await operator.one(late)
        assert await operator.owner(f"{cookie}-late") == given[cookie == "d"]
        assert (await operator.owner(f"{cookie}2")).startswith("person_")
    assert await operator.differences() == []


async def test_operations_forget_whom_they_named(operator: Operating) -> None:
    """Merged and parted, severed, confirmed: of that, too, only what is about others is left."""
    jo, kim = await operator.two()
    await operator.identified("c", "lee", "lee@x.example", type="email")
    await operator.seen("c", "l1")
    lee = await operator.contact_of("l1")
    reason = f"{operator.run}-jo is Kim"
    await operator.changed("mergePeople", ids=[jo, kim, lee], operationId="m", reason=reason)
    await operator.changed("unmerge", id=f"{operator.run}-m", reason=reason)
    await operator.changed("promoteContact", id=jo, reason=reason)
    await operator.identified("d", "jd", "jo")
    link = await operator.link_of("jd")
    await operator.changed("severLink", id=link, reason=reason)
    await operator.seen("d", "d1")
    await operator.identified("d", "ld", "lee@x.example", type="email")
    before = await events(operator)
    person = await operator.owner("jo")
    theirs = {id for id, owner in before.items() if owner == person}
    await erased(operator, person)
    after = await events(operator)
    assert after == {id: None if id in theirs else owner for id, owner in before.items()}
    assert await mentions(operator, f"{operator.run}-jo\\b", reason) == []
    assert await mentions(operator, f"user_id:{operator.run}-jo") == []
    assert await operator.differences() == []
    again = await operator.act("promoteContact", id=jo, operationId="act-3", reason=reason)
    assert again["__typename"] in ("Refused", "NotFound")
    assert "kept" not in again
    # Kim and Lee were parted by the same act, and still are.
    links = await operator.links(await operator.owner("lee"), "NOT_SAME_AS")
    assert [link["state"] for link in links] == ["ACTIVE"]


async def test_what_others_said_of_it_goes_too_and_they_keep_the_rest(operator: Operating) -> None:
    await operator.seen("a", "p1")
    phone = phone_of(operator)
    shared = ClaimedIdentifier(type="phone", value=phone)
    for cookie, message, value in (("a", "ji", "jo@x.example"), ("b", "ki", "kim@x.example")):
        await operator.one(
            Identify(
                context=operator.context(cookie, message),
                identifiers=(operator.claim("email", value), shared),
                traits=Traits(phone=phone, first_name=value[:3]),
            ),
            SERVER,
        )
    await operator.seen("b", "k1")
    before = await events(operator)
    person, kim = await operator.owner("p1"), await operator.owner("k1")
    assert person != kim
    await erased(operator, person)
    assert await mentions(operator, phone, f"{operator.run}-jo@") == []
    after = await events(operator)
    assert after == {id: None if owner == person else owner for id, owner in before.items()}
    assert await mentions(operator, f"{operator.run}-kim@")
    assert await operator.differences() == []


async def test_a_reason_may_not_name_them(operator: Operating) -> None:
    person = await jo(operator)
    before = await operator.whole()
    done = await erase(operator, person, reason=f"{operator.run}Joanna asked for it")
    assert done["__typename"] == "Refused"
    assert await operator.whole() == before


async def test_while_they_identify(operator: Operating) -> None:
    """It is before or after: what is erased is whole, and what comes later is new."""
    person = await jo(operator)
    said = [operator.one(operator.identify("a", "joanna77", f"w{n}"), SERVER) for n in range(4)]
    done, *_ = await asyncio.gather(erase(operator, person), *said)
    assert done["__typename"] == "Change"
    assert await operator.differences() == []
    live = [id for id, owner in (await events(operator)).items() if owner is not None]
    assert {id[9] for id in live} <= {"w"}


async def test_who_names_them_while_they_are_forgotten_is_heard(
    operator: Operating, others: Others
) -> None:
    """It waits for what the erasure deletes. It came before, and so names nobody."""
    await operator.identified("a", "i1", "jo@x.example", type="email")
    person, contact = await operator.owner("i1"), await operator.contact_of("i1")
    async with others.holding(f"person:{contact}"):
        erasing = asyncio.create_task(erased(operator, person))
        await others.until_blocked(1)
        saying = asyncio.create_task(operator.identified("b", "i2", "jo@x.example", type="email"))
        await others.until_blocked(2)
    await asyncio.gather(erasing, saying)
    assert operator.database.retries["Retry:gone"] == 1
    assert (await events(operator))[f"{operator.run}-i1"] is None
    assert (await operator.owner("i2")).startswith("visitor_")
    await operator.identified("b", "i3", "jo@x.example", type="email")
    assert await operator.owner("i3") == person  # whose id is made of the address
    assert await operator.differences() == []


async def test_who_is_merged_while_they_are_forgotten_is_refused(
    operator: Operating, others: Others
) -> None:
    await operator.identified("a", "i1", "jo@x.example", type="email")
    await operator.identified("b", "i2", "kim@x.example", type="email")
    person, other = await operator.owner("i1"), await operator.owner("i2")
    contact = await operator.contact_of("i1")
    async with others.holding(f"person:{contact}"):
        erasing = asyncio.create_task(erased(operator, person))
        await others.until_blocked(1)
        merging = asyncio.create_task(operator.act("mergePeople", ids=[person, other]))
        await others.until_blocked(2)
    await erasing
    done = await merging
    assert done["__typename"] == "Refused"
    assert "was erased" in " ".join(done["reasons"])
    assert await operator.owner("i2") == other
    assert await operator.differences() == []


async def nobodys_chat(world: Operating) -> str:
    """Nobody, who said something in a chat."""
    await world.one(StartChat(context=world.context("a", "c1"), chat_id=f"{world.run}-chat"))
    await world.one(line(world, "c2"), SERVER)
    return await world.owner("c2")


def line(world: Operating, id: str) -> ChatMessage:
    return ChatMessage(
        message_id=f"{world.run}-{id}",
        chat_id=f"{world.run}-chat",
        author=Author.AGENT,
        text=f"{world.run}-{id} was said",
    )


async def test_a_line_that_comes_while_its_chat_goes_is_told_that_there_is_none(
    operator: Operating, others: Others
) -> None:
    person = await nobodys_chat(operator)
    _, pausing = await others.ingest(pause_before="erasures/leave_ranges")
    operator.operations = Operations(pausing, Policies(pausing), operator.ids, operator._tick)
    erasing = asyncio.create_task(erased(operator, person))
    await pausing.reached.wait()
    saying = asyncio.create_task(operator.one(line(operator, "c3"), SERVER))
    await others.until_blocked(1)
    pausing.go_on.set()
    await erasing
    assert isinstance((await saying).problem, NotFound)
    assert await mentions(operator, f"{operator.run}-c3") == []
    assert await chats_of_lines(operator) == []


async def test_a_chat_that_is_erased_while_a_line_comes_is_there_if_that_is_stored(
    operator: Operating, others: Others
) -> None:
    """Each wants what the other has, and the database says which of them is run again."""
    person = await nobodys_chat(operator)
    ingest, pausing = await others.ingest(pause_before="events/append_events")
    saying = asyncio.create_task(ingest.submit([line(operator, "c3")], SERVER))
    await pausing.reached.wait()
    erasing = asyncio.create_task(erased(operator, person))
    await others.until_blocked(1)
    pausing.go_on.set()
    ((receipt,), _) = await asyncio.gather(saying, erasing)
    left = await mentions(operator, f"{operator.run}-c3 was said")
    assert receipt.problem is None or not left
    chats = [{"chat": f"{operator.run}-chat", "isThere": True}] if left else []
    assert await chats_of_lines(operator) == chats


async def chats_of_lines(world: Operating) -> list[dict[str, Any]]:
    """The chats that lines are in."""
    return await world.rows(
        "MATCH (e:Event) WHERE e.messageId STARTS WITH $run AND e.chat IS NOT NULL "
        "RETURN DISTINCT e.chat AS chat, EXISTS { (:Chat {id: e.chat}) } AS isThere"
    )


class _Failing:
    """A database that answers no more after so many units of work."""

    def __init__(self, database: Database, units: int) -> None:
        self._database = database
        self._units = units

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def write(self, work: Callable[[Unit], Awaitable[T]], **options: Any) -> T:
        if self._units == 0:
            raise Busy
        self._units -= 1
        return await self._database.write(work, **options)


@pytest.mark.parametrize("units", [1, 2])
async def test_what_a_crash_left_is_finished_by_the_job(operator: Operating, units: int) -> None:
    person = await jo(operator)
    woken = []
    failing: Any = _Failing(operator.database, units)
    policies = Policies(operator.database)
    operator.operations = Operations(
        failing, policies, operator.ids, operator._tick, on_parked=lambda: woken.append(1)
    )
    operator.operations._erasures._batch = 2
    done = await erased(operator, person)
    assert not done["pending"]
    assert woken
    left = [id for id, owner in (await events(operator)).items() if owner is not None]
    assert len(left) == {1: 7, 2: 5}[units]
    owners = [await operator.owner(id[9:]) for id in left]
    assert all(owner.startswith("visitor_") for owner in owners)
    job = Erasures(operator.database, policies, operator.ids, operator._tick, batch=2)
    assert await job.finish_all() == 1
    assert set((await events(operator)).values()) == {None}
    assert await mentions(operator, *words(operator)) == []
    assert await job.finish_all() == 0


async def test_one_that_takes_long_is_parked_and_finished(operator: Operating) -> None:
    person, before = await household(operator)
    kim = await operator.owner("k1")
    await operator.identified("p3", "ji4", "jo@x.example", type="email")
    policies = Limited(operator.database, 1)
    operator.operations = Operations(operator.database, policies, operator.ids, operator._tick)
    done = await erased(operator, person)
    assert done["pending"]
    assert await operator.owner("j1") == person
    assert await erased(operator, person) == done
    await operator.identified("p4", "ji5", "jo@x.example", type="email")
    erasures = Erasures(operator.database, policies, operator.ids, operator._tick)
    job = Parked(operator.database, policies.of, operator.ids, erasures=erasures)
    assert await job.finish_all() == 1
    await erasures.finish_all()
    after = await events(operator)
    assert {id for id, owner in after.items() if owner is None} == {
        *(id for id, owner in before.items() if owner == person),
        f"{operator.run}-ji4",
        f"{operator.run}-ji5",
    }
    assert await operator.owner("k2") == kim
    assert await mentions(operator, f"{operator.run}-jo@") == []
    assert await operator.differences() == []
    assert await erased(operator, person) == done | {"pending": False}


async def test_evidence_that_is_pending_is_forgotten_as_well(operator: Operating) -> None:
    person, _ = await household(operator)
    limited = Limited(operator.database, 0)
    ingest = Ingest(operator.database, limited, operator.ids, operator._tick)
    late = Identify(
        context=operator.context("t", "late", occurred_at=operator_time(operator, 9_000)),
        identifiers=(operator.claim("email", "jo@x.example"), operator.claim("user_id", "kim")),
    )
    (receipt,) = await ingest.submit([late], SERVER)
    assert receipt.pending
    await erased(operator, person)
    assert await mentions(operator, f"{operator.run}-jo@") == []
    job = Parked(operator.database, Policies(operator.database).of, operator.ids)
    assert await job.finish_all() == 1
    assert await operator.differences() == []
