"""A dry run shows exactly what would be, and changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from graphid.graph.engine import Address
from tests.integration.asking import installation, time_of
from tests.integration.ledger import Ledger
from tests.integration.operating import SEEN, Operating

PEOPLE = f"query ($id: ID!) {{ person(id: $id) {{ ...seen }} }} {SEEN}"


@pytest.fixture
async def operator(own_database: Address) -> AsyncIterator[Operating]:
    """On a graph without anything else, which no service changes: it is compared as a whole."""
    async with installation(own_database) as (connected, ids):
        await Ledger(connected, ids, {}).empty()
    async with installation(own_database) as (connected, ids):
        yield Operating(connected, ids)


async def people(operator: Operating, change: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same people, asked for by their ids."""
    return [(await operator.ask(PEOPLE, id=person["id"]))["person"] for person in change]


def told(found: Any) -> Any:
    """What is told, without the sentences, which name the minute."""
    if isinstance(found, dict):
        hidden = ("explanation", "operationId", "dryRun", "before")
        return {name: told(value) for name, value in found.items() if name not in hidden}
    return [told(value) for value in found] if isinstance(found, list) else found


async def merge(operator: Operating) -> tuple[str, dict[str, Any]]:
    return "mergePeople", {"ids": list(await operator.two())}


async def give(operator: Operating) -> tuple[str, dict[str, Any]]:
    await operator.two()
    await operator.seen("c", "pc")
    return "mergePeople", {"ids": [await operator.owner("pc"), await operator.owner("jo")]}


async def unmerge(operator: Operating) -> tuple[str, dict[str, Any]]:
    jo, kim = await operator.two()
    await operator.changed("mergePeople", ids=[jo, kim], operationId="before")
    return "unmerge", {"id": f"{operator.run}-before"}


async def sever(operator: Operating) -> tuple[str, dict[str, Any]]:
    await operator.two()
    return "severLink", {"id": await operator.link_of("pb")}


async def sever_part(operator: Operating) -> tuple[str, dict[str, Any]]:
    await operator.two()
    middle = time_of(operator.now).isoformat()
    await operator.seen("b", "later")
    return "severLink", {"id": await operator.link_of("pb"), "from": middle}


async def sever_identifier(operator: Operating) -> tuple[str, dict[str, Any]]:
    await operator.two()
    (held,) = await operator.links(await operator.owner("kim"), "HAS_IDENTIFIER")
    return "severLink", {"id": held["id"]}


async def restore(operator: Operating) -> tuple[str, dict[str, Any]]:
    name, arguments = await sever_part(operator)
    await operator.changed(name, **arguments, operationId="before")
    return "restoreLink", {"id": f"{operator.run}-before"}


async def block(operator: Operating) -> tuple[str, dict[str, Any]]:
    await operator.two()
    return "blockIdentifier", {"type": "email", "value": f"{operator.run}-kim@x.example"}


ACTS = [merge, give, unmerge, sever, sever_part, sever_identifier, restore, block]


@pytest.mark.parametrize("prepare", ACTS, ids=lambda prepare: prepare.__name__)
async def test_a_preview_is_what_the_act_does(operator: Operating, prepare: Any) -> None:
    name, arguments = await prepare(operator)
    before = await operator.whole()
    preview = await operator.changed(name, **arguments, operationId="act", dryRun=True)
    assert (preview["operationId"], preview["dryRun"]) == (None, True)
    assert await operator.whole() == before
    assert preview["before"] == await people(operator, preview["before"])
    version = preview["graphVersion"]
    done = await operator.changed(name, **arguments, operationId="act", graphVersion=version)
    assert (done["operationId"], done["dryRun"]) == (f"{operator.run}-act", False)
    assert told(done) == told(preview)
    assert told(preview["after"]) == told(await people(operator, preview["after"]))
    assert [one["id"] for one in done["before"]] == [one["id"] for one in preview["before"]]
    assert (done["eventsReattributed"] > 0) is (prepare is not sever_identifier)
    assert await operator.differences() == []


async def test_a_preview_of_what_is_refused_is_refused(operator: Operating) -> None:
    jo, _ = await operator.two()
    assert await operator.problem("mergePeople", ids=[jo, jo], dryRun=True) == "Refused"
    assert await operator.problem("mergePeople", ids=[jo, "x"], dryRun=True) == "NotFound"


async def test_a_preview_is_stale_when_its_people_have_changed(operator: Operating) -> None:
    jo, kim = await operator.two()
    preview = await operator.changed("mergePeople", ids=[jo, kim], dryRun=True)
    version = preview["graphVersion"]
    # What strangers do is no matter.
    await operator.identified("z", "zoe", "zoe")
    again = await operator.changed("mergePeople", ids=[jo, kim], dryRun=True)
    assert again["graphVersion"] == version
    await operator.identified("c", "more", "jo")
    await operator.changed("severLink", id=await operator.link_of("pb"))
    await operator.one(operator.record("r", 0, "email:kim@x.example", "phone:+442079460000"))
    kind = await operator.problem("mergePeople", ids=[jo, kim], graphVersion=version)
    assert kind == "StaleGraph"


@pytest.mark.parametrize("prepare", ACTS, ids=lambda prepare: prepare.__name__)
async def test_a_preview_is_stale_when_it_was_done(operator: Operating, prepare: Any) -> None:
    name, arguments = await prepare(operator)
    preview = await operator.changed(name, **arguments, dryRun=True)
    await operator.changed(name, **arguments)
    version = preview["graphVersion"]
    assert await operator.problem(name, **arguments, graphVersion=version) == "StaleGraph"


async def test_a_preview_is_over_before_the_next_mutation_begins(operator: Operating) -> None:
    jo, kim = await operator.two()
    people = [await operator.owner("jo"), await operator.owner("kim")]
    document = """mutation ($ids: [ID!]!, $reason: String!, $id: ID) {
      first: mergePeople(ids: $ids, reason: $reason, dryRun: true) { ...change }
      second: mergePeople(ids: $ids, reason: $reason, operationId: $id) { ...change }
      third: mergePeople(ids: $ids, reason: $reason, operationId: $id, dryRun: true) { ...change } }
    fragment change on Change { dryRun was: before { id contacts { id person { id } } }
      after { id contacts { id person { id } } } }"""
    id = f"{operator.run}-m"
    found = await operator.ask(document, ids=[jo, kim], reason=operator.run, id=id)
    preview, done, again = found["first"], found["second"], found["third"]
    assert [[c["person"]["id"] for c in p["contacts"]] for p in preview["was"]] == [
        [people[0]],
        [people[1]],
    ]
    assert preview["after"] == done["after"] == again["after"]
    assert [one["id"] for one in preview["after"]] == [people[0]]
    assert [one["dryRun"] for one in (preview, done, again)] == [True, False, True]
    assert await operator.differences() == []
