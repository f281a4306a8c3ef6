"""Who did what to whose data: what is kept of acts and reads, how it is asked for, how it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from graphid import wiring_of_commands
from graphid.api.execution import Answer, Request, answer
from graphid.auth.keys import Caller
from graphid.auth.scopes import Scope
from graphid.graph.database import Address, Database
from graphid.graph.engine import Address as Engine
from graphid.identity.ids import Ids
from graphid.service.audit.audit import COMMAND_LINE, DAY, WRITE_ENTRIES, Audit
from graphid.service.audit.entries import Entry, Origin, Outcome, to_row
from graphid.service.audit.trail import Trail
from graphid.service.pages import PageRequest
from graphid.settings import Settings
from tests.integration.asking import installation
from tests.integration.operating import Operating

AUDIT = """query ($first: Int, $after: String, $actor: String, $subject: ID) {
  audit(first: $first, after: $after, actor: $actor, subject: $subject) {
    edges { cursor node { id at actor action outcome subjects subjectsOmitted operationId address
      userAgent requestId } }
    pageInfo { hasNextPage endCursor } } }"""
MERGE = """mutation ($ids: [ID!]!, $reason: String!, $dryRun: Boolean) {
  mergePeople(ids: $ids, reason: $reason, dryRun: $dryRun) { __typename
    ... on Change { operationId before { id } after { id } } } }"""
ERASE = """mutation ($id: ID!) { erasePerson(id: $id, reason: "asked for it") {
  __typename ... on Change { operationId } } }"""


class Audited(Operating):
    """A world whose requests are told to the audit, as this world's key."""

    def __init__(self, database: Database, ids: Ids) -> None:
        super().__init__(database, ids)
        self.caller = replace(self.caller, name=f"sk:{self.run}")
        self.audit = Audit(database, lambda: self.now, days=400)

    async def answered(self, document: str, *, key: Caller | None = None, **given: Any) -> Answer:
        caller = key or self.caller
        context = self.request_context(caller)
        context.audit = self.audit.of(
            lambda: Origin(caller.name, "192.0.2.1", "curl/8", f"request-{self.run}")
        )
        self._tick()
        found = await answer(Request(document, given), context, may_change=True)
        await self.audit.flush()
        return found

    async def did(self, document: str, **given: Any) -> dict[str, Any]:
        found = await self.answered(document, **given)
        assert "errors" not in found.body, found.body
        data: dict[str, Any] = found.body["data"]
        return data

    async def entries(self, **given: Any) -> list[dict[str, Any]]:
        """What the audit has of this world, the latest first."""
        given.setdefault("actor", self.caller.name)
        found = await self.ask(AUDIT, **given)
        return [edge["node"] for edge in found["audit"]["edges"]]

    async def stored(self, *words: str) -> list[str]:
        """What the graph has of this world's audit, as far as one of the words is in it."""
        rows = await self.rows(
            "MATCH (e:AuditEntry {actor: $actor}) OPTIONAL MATCH (m:AuditMention)-[:OF]->(e) "
            "RETURN e {.*} AS entry, collect(m {.*}) AS mentions",
            actor=self.caller.name,
        )
        return [text for text in map(repr, rows) if any(word in text for word in words)]


@pytest.fixture
async def world(database: Address) -> AsyncIterator[Audited]:
    async with installation(database) as (connected, ids):
        yield Audited(connected, ids)


async def test_acts_are_kept_also_those_that_are_refused_and_those_that_are_tried(
    world: Audited,
) -> None:
    jo, kim = await world.two()
    tried = (await world.did(MERGE, ids=[jo, kim], reason="one", dryRun=True))["mergePeople"]
    done = (await world.did(MERGE, ids=[jo, kim], reason="one"))["mergePeople"]
    refused = (await world.did(MERGE, ids=[jo, kim], reason="again"))["mergePeople"]
    nobody = await world.did(MERGE, ids=[jo, "kim@x.example"], reason="one")
    assert [done["__typename"], refused["__typename"]] == ["Change", "Refused"]
    assert nobody["mergePeople"]["__typename"] == "NotFound"
    entries = await world.entries()
    assert [entry["outcome"] for entry in entries] == ["REFUSED", "REFUSED", "DONE", "PREVIEWED"]
    assert {entry["action"] for entry in entries} == {"mergePeople"}
    assert entries[0]["subjects"] == [jo]
    people = {person["id"] for person in (*done["before"], *done["after"])}
    assert {jo, kim} | people == set(entries[2]["subjects"])
    assert [entry["operationId"] for entry in entries] == [None, None, done["operationId"], None]
    assert tried["operationId"] is None
    assert entries[2]["address"] == "192.0.2.1"
    assert entries[2]["userAgent"] == "curl/8"
    assert entries[2]["requestId"] == f"request-{world.run}"


async def test_a_policy_that_is_set_or_refused_is_kept(world: Audited) -> None:
    document = "mutation ($said: JSON!) { setPolicy(document: $said) { __typename } }"
    # What is in force already, so that no other test follows another one.
    in_force = (await world.did("{ policy { version document } }"))["policy"]
    await world.did(document, said=in_force["document"])
    await world.did(document, said={"session": {"timeout": "no"}})
    refused, done = await world.entries()
    assert (done["action"], done["outcome"]) == ("setPolicy", "DONE")
    assert done["subjects"] == [f"policy_{in_force['version']}"]
    assert (refused["outcome"], refused["subjects"]) == ("REFUSED", [])


async def test_reads_are_kept_with_whom_they_met(world: Audited) -> None:
    jo, kim = await world.two()
    read = """query ($id: ID!) { person(id: $id) { id }
      event(messageId: "m") { id } ... on Query { policy { version } } }"""
    person = (await world.did(read, id=jo))["person"]["id"]
    await world.did(
        'query ($v: String!) { personByIdentifier(type: "email", value: $v) { id } }',
        v=f"{world.run}-kim@x.example",
    )
    await world.did("{ policy { version } __typename }")
    found, asked = await world.entries()
    assert asked["action"] == "event person policy"
    assert asked["subjects"] == [jo, person]
    assert found["action"] == "personByIdentifier"
    assert found["subjects"] == [kim.replace("contact_", "person_")]
    assert await world.stored("x.example") == []
    # What is sent has its provenance in the graph, and needs none here.
    page = 'mutation ($c: ID!) { page(input: {context: {cookieId: $c}, url: "u"}) { __typename } }'
    await world.did(page, c=f"{world.run}-a")
    assert len(await world.entries()) == 2


async def test_what_a_key_may_not_read_is_kept_as_refused(world: Audited) -> None:
    few = replace(world.caller, scopes=frozenset({Scope.EVENT_WRITE}))
    found = await world.answered('{ person(id: "x") { id } }', key=few)
    assert found.body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    browser = replace(few, is_browser=True)
    await world.answered('{ person(id: "x") { id } }', key=browser)
    (entry,) = await world.entries()
    assert (entry["action"], entry["outcome"], entry["subjects"]) == ("person", "REFUSED", [])


async def test_contacts_that_people_edit_are_kept(world: Audited) -> None:
    save = """mutation ($id: ID!) { saveContact(input: {source: "crm", sourceId: $id,
      identifiers: [{type: "user_id", value: "u"}]}) { ... on ContactSaved { contact { id } } } }"""
    await world.did(save, id=f"{world.run}-1")
    agent = replace(world.caller, is_person=True)
    saved = await world.did(save, id=f"{world.run}-2", key=agent)
    (entry,) = await world.entries()
    assert entry["action"] == "saveContact"
    assert entry["subjects"] == [saved["saveContact"]["contact"]["id"]]


async def test_it_is_asked_by_actor_and_by_subject_a_page_at_a_time(world: Audited) -> None:
    subject, other = f"person_{world.run}", f"person_{world.run}x"
    for number in range(5):
        witness = world.audit.of(lambda: Origin(world.caller.name, "-", "", ""))
        witness.note(str(number), subjects=[subject, *([other] if number % 2 else [])])
        world._tick()
    await world.audit.of(lambda: Origin("somebody else", "-", "", "")).record(
        "else", subjects=[subject]
    )
    await world.audit.flush()
    newest = [node["action"] for node in await world.entries()]
    assert newest == ["4", "3", "2", "1", "0"]
    assert [n["action"] for n in await world.entries(actor=None, subject=subject)] == [
        "else",
        *newest,
    ]
    assert [n["action"] for n in await world.entries(subject=subject)] == newest
    assert [n["action"] for n in await world.entries(subject=other)] == ["3", "1"]
    for given in ({"actor": world.caller.name}, {"actor": world.caller.name, "subject": subject}):
        seen, after = [], None
        while True:
            page = (await world.ask(AUDIT, first=2, after=after, **given))["audit"]
            seen += [edge["node"]["action"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert seen == newest
    everything = (await world.ask(AUDIT, first=1))["audit"]
    assert everything["pageInfo"]["hasNextPage"]
    assert len(everything["edges"]) == 1


async def test_an_entry_that_is_written_again_is_there_once(world: Audited) -> None:
    origin = Origin(world.caller.name, "-", "", "")
    entry = Entry.of(origin, "once", Outcome.DONE, [f"person_{world.run}"], at=world.now)
    for _ in range(2):
        await world.database.write_rows(WRITE_ENTRIES, batch={"entries": [to_row(entry)]})
    assert len(await world.entries(subject=f"person_{world.run}")) == 1


async def test_it_is_kept_for_its_days(world: Audited) -> None:
    at = world.now - 401 * DAY
    subject = f"person_{world.run}"
    origin = Origin(world.caller.name, "-", "", "")
    rows = [
        to_row(Entry.of(origin, action, Outcome.DONE, [subject], at=moment))
        for action, moment in (("old", at), ("kept", at + 2 * DAY))
    ]
    await world.database.write_rows(WRITE_ENTRIES, batch={"entries": rows})
    assert await world.audit.forget() >= 1
    assert [node["action"] for node in await world.entries(subject=subject)] == ["kept"]
    assert await world.audit.forget() == 0
    mentions = await world.rows(
        "MATCH (m:AuditMention {subject: $subject}) RETURN count(m) AS n", subject=subject
    )
    assert mentions == [{"n": 1}]


async def test_nothing_of_a_person_is_in_it_that_would_have_to_be_erased(world: Audited) -> None:
    _, kim = await world.two()
    value = f"{world.run}-kim@x.example"
    block = """mutation ($v: String!) { blockIdentifier(type: "email", value: $v, reason: $v,
      dryRun: true) { __typename } }"""
    await world.did(block, v=value)
    await world.did(MERGE, ids=[kim, value], reason=f"because of {value}")
    await world.did(
        'query ($v: String!) { personByIdentifier(type: "email", value: $v) { displayName } }',
        v=value,
    )
    await world.did("query ($v: ID!) { node(id: $v) { id } chat(id: $v) { id } }", v=value)
    erased = (await world.did(ERASE, id=kim))["erasePerson"]
    assert erased["__typename"] == "Change"
    assert len(await world.entries()) == 5
    assert await world.stored("kim", "x.example") == []
    assert len(await world.stored(kim)) >= 1
    (entry, *_) = await world.entries(subject=kim)
    assert (entry["action"], entry["outcome"]) == ("erasePerson", "DONE")


async def test_a_policy_that_a_command_sets_is_kept(own_database: Engine) -> None:
    settings = Settings(
        neo4j_uri=own_database.uri,
        neo4j_user=own_database.user,
        neo4j_password=SecretStr(own_database.password),
        neo4j_database=own_database.database,
        request_timeout=60,
    )
    rebuilt = await wiring_of_commands._rebuild(settings, own_database, Uncounted(), {})
    connected = await Database.connect(own_database)
    try:
        found = await Trail(connected).page(PageRequest(1), actor=COMMAND_LINE.actor)
    finally:
        await connected.close()
    (entry,) = found.items
    assert (entry.action, entry.subjects) == ("rebuild", (f"policy_{rebuilt.version}",))


class Uncounted:
    """Nobody looks how far it is."""

    def begin(self, what: str, total: int | None = None) -> None: ...

    def advance(self, count: int) -> None: ...
