"""What is answered of a moment that has gone by is what was answered at that moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any

import pytest

from graphid.graph.database import Address
from graphid.service.messages import Author, ChatMessage, EndChat, Message, Sender, StartChat
from tests.integration.asking import installation, time_of
from tests.integration.operating import Operating
from tests.integration.test_histories import history
from tests.integration.test_ingest import SERVER

ALL = """fragment all on Person { id kind displayName mergedFrom firstSeenAt lastSeenAt
  traits { name value source assurance occurredAt } identifiers { type value }
  contacts { id source sourceId state traits { name value } identifiers { type value }
    person { id mergedFrom } links { id kind state endedAt reason } }
  links(first: 100) { ...link }
  devices(first: 5) { device { id firstSeenAt lastSeenAt shared personCount
      people(first: 5) { person { id } firstSeenAt lastSeenAt sessions authenticated }
      uses(first: 5) { startedAt endedAt sessions visitor { id } person { id } } }
    visitor { ...visitor } person { id } startedAt endedAt sessions }
  sessions(first: 10) { edges { node { id startedAt lastActivityAt visitor { id } person { id }
    events(first: 20) { edges { node { id } } } } } pageInfo { hasNextPage } }
  chats(first: 4) { edges { node { id channel startedAt endedAt authenticated person { id }
    session { id } messages(first: 20) { edges { node { messageId author text } } } } } }
  open: chats(open: true) { edges { node { id } } }
  journey(first: 40) { edges { node { id type occurredAt receivedAt session { id startedAt }
    chat { id endedAt } person { id kind } detail
    attribution { basis assurance explanation link { ...link } } } } pageInfo { hasNextPage } }
  early: journey(last: 3) { edges { node { id } } }
  reviews { id kind decision: state recordedAt explanation people { id } } }
fragment visitor on Visitor { id startedAt endedAt endedBy person { id }
  cookie { id firstSeenAt lastSeenAt device { id } visitors(first: 9) { id person { id } } } }
fragment link on Link { id kind state rule assurance occurredAt recordedAt endedAt reach retractedAt
  retractedBy reason explanation
  from { __typename id } to { __typename ... on Contact { id person { id } }
    ... on IdentifierNode { id type value } } }
"""
NOW = ALL + "query ($id: ID!) { person(id: $id) { ...all } }"
THEN = (
    ALL
    + "query ($id: ID!, $at: DateTime, $known: DateTime) { "
    + "person(id: $id, at: $at, asKnownAt: $known) { ...all } }"
)


def comparable(found: Any) -> Any:
    """An answer without what the graph keeps of what is made no more, which a past never saw."""
    if isinstance(found, dict):
        if found.get("decision") == "OBSOLETE":
            return None
        return {name: comparable(value) for name, value in found.items()}
    if isinstance(found, list):
        kept = (comparable(one) for one in found)
        return [one for one in kept if one is not None and not _is_severed(one)]
    return found


def _is_severed(found: Any) -> bool:
    return isinstance(found, dict) and found.get("state") == "SEVERED"


def chatted(world: Operating, random: Random, number: int) -> Iterator[tuple[Message, Sender]]:
    """A conversation, begun, continued or ended."""
    chat = f"{world.run}-chat-{random.randrange(2)}"
    match random.choice(["start", "say", "end"]):
        case "start":
            cookie = random.choice("ab")
            yield StartChat(context=world.context(cookie, f"s{number}"), chat_id=chat), SERVER
        case "say":
            id, text = f"{world.run}-m{number}", f"line {number}"
            said = ChatMessage(message_id=id, chat_id=chat, author=Author.AGENT, text=text)
            yield said, SERVER
        case _:
            yield EndChat(message_id=f"{world.run}-x{number}", chat_id=chat), SERVER


@pytest.fixture
async def operator(database: Address) -> AsyncIterator[Operating]:
    """Very many reads, so without what makes each of them slow: to tell warnings of the server."""
    async with installation(database, server_warnings=False) as (connected, ids):
        yield Operating(connected, ids)


async def given(world: Operating) -> list[str]:
    """Everybody whom this world's cookies lead to."""
    found: set[str] = set()
    for cookie in "ab":
        found |= await world.given_out(cookie)
    return sorted(id for id in found if id.startswith(("person_", "visitor_")))


async def act(world: Operating, random: Random) -> None:
    """An operator merges, takes back, severs or restores what is there to be."""
    people = [id for id in await given(world) if id.startswith("person_")]
    links = await world.rows(
        "MATCH (a)-[l:SAME_AS|IDENTIFIED_AS]->() WHERE a.cookie CONTAINS $run "
        "OR l.reason CONTAINS $run RETURN type(l) AS kind, l.id AS id, l.state AS state"
    )
    same = [link["id"] for link in links if link["kind"] == "SAME_AS" and link["state"] == "ACTIVE"]
    owned = [row["id"] for row in links if row["kind"] == "IDENTIFIED_AS"]
    match random.choice(["merge", "unmerge", "sever", "restore"]):
        case "merge" if len(people) > 1:
            await world.act("mergePeople", ids=random.sample(people, 2))
        case "unmerge" if same:
            await world.act("unmerge", id=random.choice(same))
        case "sever" if owned:
            await world.act("severLink", id=random.choice(owned))
        case "restore" if owned:
            await world.act("restoreLink", id=random.choice(owned))
        case _:
            pass


@pytest.mark.parametrize("seed", [3, 5, 8, 13])
async def test_as_known_then_is_what_was_answered_then(operator: Operating, seed: int) -> None:
    random = Random(seed)
    answered: list[tuple[str, int, Any]] = []
    ids: set[str] = set()
    for number, (message, sender) in enumerate(history(operator, random, 14)):
        await operator.one(message, sender)
        if number % 3 == 2:
            for more, by in chatted(operator, random, number):
                await operator.send(more, sender=by)
        if number % 4 == 3:
            await act(operator, random)
        ids.update(await given(operator))
        for id in random.sample(sorted(ids), min(3, len(ids))):
            found = (await operator.ask(NOW, id=id))["person"]
            answered.append((id, operator.now, found))
    for id, known, found in random.sample(answered, min(14, len(answered))):
        again = await operator.ask(THEN, id=id, known=time_of(known).isoformat())
        assert comparable(again["person"]) == comparable(found), (id, known)
    assert await operator.differences() == []


@pytest.mark.parametrize("seed", [1, 4])
async def test_now_is_the_end_of_both_axes(operator: Operating, seed: int) -> None:
    random = Random(seed)
    for message, sender in history(operator, random, 12):
        await operator.one(message, sender)
    for more, by in chatted(operator, random, 0):
        await operator.send(more, sender=by)
    await act(operator, random)
    now = time_of(operator.now).isoformat()
    for id in await given(operator):
        found = comparable((await operator.ask(NOW, id=id))["person"])
        for axes in ({"at": now}, {"known": now}, {"at": now, "known": now}):
            again = await operator.ask(THEN, id=id, **axes)
            assert comparable(again["person"]) == found, (id, axes)
        later = await operator.ask(THEN, id=id, at="9999-12-31T00:00:00Z")
        assert comparable(later["person"]) == found
