"""The graph beside the fold of all evidence: nothing differs, and whatever is made to differ is
named, and mended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import LiteralString

import neo4j
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from graphid.graph.checks import Subject
from graphid.graph.database import Address
from graphid.graph.repairing import repair
from graphid.graph.verifying import Verification
from graphid.identity.policy import Policy
from graphid.identity.values import (
    Evidence,
    Logout,
)
from graphid.service.parked import Parked
from tests.identity.lives import EXAMPLES, IDS, MINUTE, OPERATORS, START, lives
from tests.integration.ledger import CLIENTS, EMPTY, Ledger, Silent, history, identify, record
from tests.integration.operating import Operating


@pytest.fixture
async def lived(ledger: Ledger) -> Ledger:
    """A graph in which all of that happened, and in which pages were seen, too.

    Made once: whatever was done to it, a test leaves it mended.
    """
    (row,) = await ledger.rows("MATCH (e:Evidence {id: 'i9'}) RETURN count(e) AS made")
    (all_there,) = await ledger.rows("MATCH (e:Evidence) RETURN count(e) AS pieces")
    if not row["made"] or all_there["pieces"] != len(history()):
        await ledger.empty()
        for piece in history():
            await ledger.record([piece])
        await ledger.seen("a", "anonymous")
        verified, said = await ledger.verified()
        assert said == []
        assert verified.pieces == len(history())
    return ledger


TAMPERED: dict[str, tuple[LiteralString, str]] = {
    "a value": (
        "MATCH (s:State {key: 'identifier:crm:1'}) SET s.value = '{\"contacts\":[\"x\"]}'",
        "state identifier:crm:1: value",
    ),
    "a value that cannot be read": (
        "MATCH (s:State {key: 'identifier:crm:1'}) SET s.value = '7'",
        "state identifier:crm:1: value is 7",
    ),
    "a value that is gone": (
        "MATCH (s:State {key: 'identifier:crm:1'}) REMOVE s.value",
        "state identifier:crm:1: value is not set",
    ),
    "a State that is gone": (
        "MATCH (s:State {key: 'cookie:a'}) DELETE s",
        "state cookie:a: is missing",
    ),
    "a State of nothing": (
        "CREATE (:State {key: 'identifier:nobody', value: '{}'})",
        "state identifier:nobody: value",
    ),
    "where it was written": (
        "MATCH (s:State {key: 'cookie:a'}) SET s.wrote = '0'",
        "state cookie:a: wrote",
    ),
    "where it was touched": (
        "MATCH (s:State {key: 'cookie:a'}) SET s.place = '9'",
        "state cookie:a: place is 9",
    ),
    "whom it points at": (
        "MATCH (s:State {key: 'cookie:a'}) SET s.refs = []",
        "state cookie:a: refs is []",
    ),
    "a touch that is gone": (
        "MATCH (t:Touch {key: 'cookie:a'}) WITH t ORDER BY t.place LIMIT 1 DELETE t",
        "touch cookie:a at",
    ),
    "all touches of a key": ("MATCH (t:Touch {key: 'cookie:b'}) DELETE t", "touch cookie:b at"),
    "a touch of nothing": (
        "CREATE (:Touch {key: 'cookie:a', wrote: false, place: '5'})",
        "touch cookie:a at 5: the evidence touches nothing there",
    ),
    "a touch of an unknown key": (
        "CREATE (:Touch {key: 'cookie:zz', wrote: true, place: '5', value: '{}'})",
        "touch cookie:zz at 5",
    ),
    "a touch that is there twice": (
        "MATCH (t:Touch {key: 'cookie:a'}) WITH t LIMIT 1 CREATE (u:Touch) SET u = properties(t)",
        "is there 2 times",
    ),
    "who wrote": (
        "MATCH (t:Touch {key: 'cookie:a', wrote: true}) WITH t LIMIT 1 SET t.wrote = false",
        "wrote is false",
    ),
    "a version": (
        "MATCH (t:Touch {key: 'cookie:a', wrote: true}) WITH t LIMIT 1 SET t.value = null",
        "value is not set",
    ),
    "what evidence touched": (
        "MATCH (e:Evidence {id: 'i1'}) SET e.touched = tail(e.touched)",
        "evidence i1: what it touches",
    ),
    "what evidence wrote of links": (
        "MATCH (e:Evidence {id: 'i1'}) SET e.links = '[]'",
        "evidence i1: what it writes of links",
    ),
    "the place of evidence": (
        "MATCH (e:Evidence {id: 'i1'}) SET e.place = '9'",
        "evidence i1: place is 9",
    ),
    "evidence without a place": (
        "MATCH (e:Evidence {id: 'i1'}) REMOVE e.place",
        "evidence i1: place is not set",
    ),
    "the stamp of evidence": (
        "MATCH (e:Evidence {id: 'i1'}) SET e.policy = 9",
        "evidence i1: policy is 9",
    ),
    "evidence that is gone": (
        "MATCH (e:Evidence {id: 'i8'}) DELETE e",
        "the evidence touches nothing there",
    ),
    "a visitor's end": (
        "MATCH (v:Visitor {opening: 'birth', cookie: 'a'}) REMOVE v.end",
        "end is not set",
    ),
    "a visitor that is gone": (
        "MATCH (v:Visitor {opening: 'birth', cookie: 'a'}) DETACH DELETE v",
        "is missing",
    ),
    "a visitor of another cookie": (
        "MATCH (v:Visitor {opening: 'birth', cookie: 'a'})-[o:OF_COOKIE]->(), (c:Cookie {id: 'b'}) "
        "DELETE o CREATE (v)-[:OF_COOKIE]->(c)",
        "cookie that it is of",
    ),
    "a visitor that nobody made": (
        "MATCH (c:Cookie {id: 'anonymous'}) CREATE "
        "(:Visitor {id: 'visitor_x', cookie: 'anonymous', start: '5'})-[:OF_COOKIE]->(c)",
        "visitor visitor_x: the evidence makes no such visitor",
    ),
    "an anonymous visitor's end": (
        "MATCH (v:Visitor {cookie: 'anonymous'}) SET v.end = '5'",
        "end is 5",
    ),
    "an anonymous visitor that is gone": (
        "MATCH (v:Visitor {cookie: 'anonymous'}) DETACH DELETE v",
        "cookie anonymous: 0 visitors begin with its birth",
    ),
    "whose a visitor is": (
        "MATCH (v:Visitor {cookie: 'a'}) REMOVE v.contact",
        "contact is not set",
    ),
    "since when a visitor is theirs": (
        "MATCH (v:Visitor {cookie: 'a'}) WHERE v.linkedAt > 0 SET v.linkedAt = 5",
        "linkedAt is 5",
    ),
    "whose a visitor is that nobody made": (
        "MATCH (c:Cookie {id: 'anonymous'}) CREATE (:Visitor {id: 'visitor_y', "
        "cookie: 'anonymous', unmadeStart: '5', contact: 'contact_x'})-[:OF_COOKIE]->(c)",
        "visitor visitor_y: contact is contact_x",
    ),
    "whether a cookie was somebody's": (
        "MATCH (c:Cookie {id: 'a'}) REMOVE c.known",
        "cookie a: its devices do not say how it was used there",
    ),
    "where a cookie lies": (
        "MATCH (c:Cookie {id: 'a'}) MERGE (d:Device {id: 'd-a'}) CREATE (c)-[:ON_DEVICE]->(d)",
        "cookie a: its devices do not say how it was used there",
    ),
    "a device that several used": (
        "MERGE (d:Device {id: 'd-a'}) SET d.sharedSince = '5'",
        "device d-a: sharedSince is 5",
    ),
    "a device that was not shared": (
        "MERGE (d:Device {id: 'd-b'}) SET d.sharedSince = '5'",
        "device d-b: sharedSince is 5, and the evidence says not set",
    ),
    "a contact's assurance": (
        "MATCH (c:Contact {sourceId: '1'}) SET c.assurance = 1",
        "assurance is 1",
    ),
    "by which words a contact is found": (
        "MATCH (c:Contact {sourceId: '1'}) SET c.names = 'x'",
        "names is x, and the evidence says",
    ),
    "a contact that is gone": (
        "MATCH (c:Contact {sourceId: '2'}) DETACH DELETE c",
        "is missing",
    ),
    "a contact of nobody": (
        "MATCH (c:Contact {sourceId: '1'})-[b:BELONGS_TO]->() DELETE b",
        "person is []",
    ),
    "a contact of two": (
        "MATCH (c:Contact {sourceId: '1'}), (p:Person) WHERE NOT (c)-[:BELONGS_TO]->(p) "
        "WITH c, p LIMIT 1 CREATE (c)-[:BELONGS_TO]->(p)",
        "person is [",
    ),
    "a contact that nobody made": (
        "MATCH (p:Person) WITH p LIMIT 1 CREATE (:Contact {id: 'contact_x'})-[:BELONGS_TO]->(p)",
        "contact contact_x: person is",
    ),
    "an alias that is gone": (
        "MATCH (:Person)-[m:MERGED_INTO]->() DELETE m",
        "person that it was merged into is []",
    ),
    "an alias that is none": (
        "MATCH (p:Person)<-[:BELONGS_TO]-() WITH DISTINCT p LIMIT 1 "
        "CREATE (p)-[:MERGED_INTO]->(:Person {id: 'person_x'})",
        'person that it was merged into is ["person_x"]',
    ),
    "a person that is gone": (
        "MATCH (p:Person)<-[:BELONGS_TO]-() WITH DISTINCT p LIMIT 1 DETACH DELETE p",
        "is missing",
    ),
    "an identifier's value": (
        "MATCH (i:Identifier {key: 'crm:1'}) SET i.value = '2'",
        "identifier crm:1: value is 2",
    ),
    "the words of a graph that was made before there were any": (
        "MATCH (i:Identifier {key: 'crm:1'}) REMOVE i.words",
        "identifier crm:1: words is not set, and the evidence says 1",
    ),
    "an identifier that is gone": (
        "MATCH (i:Identifier {key: 'phone:+4420'}) DETACH DELETE i",
        "identifier phone:+4420: is missing",
    ),
    "two identifiers that are one another": (
        "MATCH (a:Identifier {key: 'crm:1'}), (b:Identifier {key: 'crm:2'}) "
        "WITH a, b, a.id AS ida, b.id AS idb SET a.id = 'x' SET b.id = ida SET a.id = idb",
        "identifier crm:1: id",
    ),
    "a review's state": (
        "MATCH (r:Review) WHERE r.state <> 'OBSOLETE' WITH r LIMIT 1 SET r.state = 'ACCEPTED'",
        "state is ACCEPTED",
    ),
    "a review that is gone": ("MATCH (r:Review) DETACH DELETE r", "is missing"),
    "a review that nobody filed": (
        "CREATE (:Review {id: 'review_x', state: 'OPEN'})",
        "review review_x: is OPEN",
    ),
    "whom a review concerns": (
        "MATCH (:Review)-[c:CONCERNS]->() DELETE c",
        "contacts that it concerns",
    ),
    "a link that ended": (
        "MATCH ()-[l:IDENTIFIED_AS]->() WHERE l.endedAt IS NOT NULL SET l.state = 'ACTIVE'",
        "state is ACTIVE",
    ),
    "how far a link reaches": (
        "MATCH ()-[l:IDENTIFIED_AS {state: 'ACTIVE'}]->() WITH l LIMIT 1 SET l.reach = 1",
        "reach is 1",
    ),
    "who made a link": (
        "MATCH ()-[l:HAS_IDENTIFIER {state: 'ACTIVE'}]->() WITH l LIMIT 1 SET l.actor = 'somebody'",
        "actor is somebody",
    ),
    "a link that is gone": (
        "MATCH ()-[l:HAS_IDENTIFIER]->(:Identifier {key: 'crm:1'}) DELETE l",
        "is missing",
    ),
    "a join that is gone": ("MATCH ()-[l:SAME_AS]->() DELETE l", "SAME_AS"),
    "a judgement that is gone": ("MATCH ()-[l:NOT_SAME_AS]->() DELETE l", "NOT_SAME_AS"),
    "a judgement's reason": (
        "MATCH ()-[l:NOT_SAME_AS]->() SET l.rule = 'OTHER'",
        "rule is OTHER",
    ),
    "a link that nobody made": (
        "MATCH (c:Contact {sourceId: '1'}), (i:Identifier {key: 'phone:+4420'}) "
        "CREATE (c)-[:HAS_IDENTIFIER {id: 'link_x', state: 'ACTIVE', recordedAt: 1}]->(i)",
        "HAS_IDENTIFIER link_x to phone:+4420: is ACTIVE, and the evidence makes no such link",
    ),
    "a link without an id": (
        "MATCH ()-[l:HAS_IDENTIFIER]->(:Identifier {key: 'crm:1'}) REMOVE l.id",
        "the evidence makes no such link",
    ),
    "a link to somebody else": (
        "MATCH (v:Visitor)-[l:IDENTIFIED_AS {state: 'ACTIVE'}]->(c), (o:Contact {sourceId: '2'}) "
        "WHERE o <> c WITH v, l, o, properties(l) AS p LIMIT 1 "
        "DELETE l CREATE (v)-[m:IDENTIFIED_AS]->(o) SET m = p",
        "the evidence says that it is elsewhere",
    ),
    "everything": (
        "MATCH (n) WHERE NOT n:Evidence AND NOT n:SchemaMigration AND NOT n:SchemaLock "
        "AND NOT n:Event AND NOT n:Session AND NOT n:Cookie DETACH DELETE n",
        "is missing",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_was_tampered_with_is_named_and_mended(lived: Ledger, what: str) -> None:
    statement, told = TAMPERED[what]
    await lived.write(statement)
    verified, said = await lived.verified()
    assert verified.differences == len(said) > 0
    assert [sentence for sentence in said if told in sentence], said
    mended, _ = await lived.verified(mend=True)
    assert mended.mended
    assert mended.differences == 0


async def test_who_only_looks_changes_nothing(lived: Ledger) -> None:
    await lived.write("MATCH (s:State {key: 'cookie:a'}) REMOVE s.lock, s.value")
    _, said = await lived.verified()
    assert (await lived.verified())[1] == said
    assert await lived.rows("MATCH (s:State {key: 'cookie:a'}) RETURN s.lock AS lock") == [
        {"lock": None}
    ]
    await lived.verified(mend=True)


@settings(max_examples=EXAMPLES // 8, phases=[Phase.generate])
@given(
    life=lives(operators=OPERATORS),
    sizes=st.lists(st.integers(1, 3), min_size=1),
    most=st.sampled_from((None, None, 0, 1, 2)),
)
async def test_after_any_history_nothing_differs(
    ledger: Ledger, life: tuple[list[Evidence], Policy], sizes: list[int], most: int | None
) -> None:
    history, policy = life
    await ledger.empty()
    ledger.policies = {1: policy}
    rest = list(history)
    while rest:
        size = sizes[len(rest) % len(sizes)]
        await ledger.record(rest[:size], most=most)
        await ledger.record(rest[:1])
        del rest[:size]
    verified, said = await ledger.verified()
    assert said == []
    assert verified.pieces + verified.pending == len(history)
    if verified.pending:
        assert most is not None
        parked = Parked(ledger.database, ledger.policy_of, IDS)
        assert await parked.finish_all() == verified.pending
        verified, said = await ledger.verified()
        assert said == []
        assert verified.pieces == len(history)


async def test_what_arrives_meanwhile_does_not_differ(lived: Ledger) -> None:
    arriving: list[Evidence] = [
        Logout("w1", START + 3 * MINUTE + 1, START + 30 * MINUTE, "a", "d-a"),
        record("w2", 31, "1", "crm:1", "email:jo@c.example"),
        identify("w3", 32, "new", "user:new"),
    ]
    calls = 0

    async def policy_of(version: int) -> Policy:
        nonlocal calls
        calls += 1
        if calls % 5 == 0 and arriving:
            await lived.record([arriving.pop(0)])
        return Policy()

    verification = Verification(lived.database, policy_of, IDS, Silent())
    await verification.look()
    assert not arriving
    assert await verification.findings() == []
    await lived.empty()


async def test_what_arrives_between_the_looks_does_not_hide_what_differs(lived: Ledger) -> None:
    await lived.write("MATCH (s:State {key: 'identifier:crm:1'}) SET s.value = '7'")
    await lived.write("MATCH (s:State {key: 'cookie:e'}) SET s.value = '7'")
    verification = Verification(lived.database, lived.policy_of, IDS, Silent())
    await verification.look()
    await lived.write(
        "MATCH (s:State {key: 'cookie:e'}) "
        "MATCH (t:Touch {key: 'cookie:e', wrote: true, place: s.wrote}) SET s.value = t.value"
    )
    await lived.record([Logout("w1", START + 13 * MINUTE, START + 30 * MINUTE, "e", "d-e")])
    (finding,) = await verification.findings()
    assert finding.subject == Subject("state", "identifier:crm:1")
    await lived.empty()


async def test_who_mends_does_not_mend_what_others_have_written_by_then(lived: Ledger) -> None:
    verification = Verification(lived.database, lived.policy_of, IDS, Silent())
    await verification.look()
    assert not verification.suspects
    await lived.record([Logout("w1", START + 13 * MINUTE, START + 30 * MINUTE, "e", "d-e")])
    verification.suspects[Subject("state", "cookie:e")] = None
    verification.suspects[Subject("evidence", "w1")] = None
    assert [finding async for finding in repair(verification)] == []
    assert (await lived.verified())[1] == []
    await lived.empty()


async def test_what_is_pending_is_left_out_until_it_is_finished(ledger: Ledger) -> None:
    await ledger.empty()
    await ledger.record(CLIENTS[2:4])
    await ledger.record(CLIENTS[5:7])
    (late,) = CLIENTS[4:5]
    await ledger.record([late], most=0)
    verified, said = await ledger.verified()
    assert said == []
    assert (verified.pieces, verified.pending) == (4, 1)
    await ledger.write("MATCH (e:Evidence {id: 'l1'}) SET e.touched = ['cookie:a']")
    assert (await ledger.verified())[1] != []
    await ledger.verified(mend=True)
    assert await Parked(ledger.database, ledger.policy_of, IDS).finish_all() == 1
    verified, said = await ledger.verified()
    assert said == []
    assert (verified.pieces, verified.pending) == (5, 0)


ERASE = """mutation ($id: ID!) { erasePerson(id: $id, reason: "they asked") { __typename } }"""


async def test_after_an_erasure_nothing_differs(lived: Ledger) -> None:
    operator = Operating(lived.database, IDS)
    (row,) = await lived.rows(
        "MATCH (:Contact {sourceId: '1'})-[:BELONGS_TO]->(p) RETURN p.id AS id"
    )
    verification = Verification(lived.database, lived.policy_of, IDS, Silent())
    await verification.look()
    done = await operator.ask(ERASE, id=row["id"])
    assert done["erasePerson"]["__typename"] == "Change", done
    verification.suspects |= dict.fromkeys(Subject("evidence", piece.id) for piece in history())
    assert await verification.findings() == []
    verified, said = await lived.verified()
    assert said == []
    assert verified.pieces < len(history())
    await lived.empty()


@pytest.mark.parametrize("options", [[], ["--repair"]])
def test_the_command(options: list[str], own_database: Address, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "graphid", "verify", *arguments],
            env={
                **os.environ,
                "GRAPHID_NEO4J_URI": own_database.uri,
                "GRAPHID_NEO4J_USER": own_database.user,
                "GRAPHID_NEO4J_PASSWORD": own_database.password,
                "GRAPHID_NEO4J_DATABASE": own_database.database,
                "GRAPHID_DATA_DIR": str(tmp_path),
                "GRAPHID_LOG_LEVEL": "warning",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def write(statement: LiteralString) -> None:
        auth = (own_database.user, own_database.password) if own_database.password else None
        with neo4j.GraphDatabase.driver(own_database.uri, auth=auth) as driver:
            driver.execute_query(statement, database_=own_database.database)

    write(EMPTY)
    clean = run(*options)
    assert clean.returncode == 0, clean.stderr
    assert "0 pieces of evidence" in clean.stdout
    write("CREATE (:Review {id: 'review_x', state: 'OPEN'})")
    found = run(*options)
    assert "review review_x: is OPEN, and the evidence files no such review." in found.stdout
    assert found.returncode == (0 if options else 1)
    assert ("1 differences mended" in found.stdout) == bool(options)
