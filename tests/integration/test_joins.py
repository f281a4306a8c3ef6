"""Joins and splits as lines of the journeys that they are told in."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from graphid.api.journey import JourneyEvent
from graphid.auth.scopes import Scope
from tests.integration.telling import Telling
from tests.integration.test_ingest import SERVER

JOINS = ("MERGE", "UNMERGE", "SEVER")


async def test_a_merge_and_its_unmerge_are_told_in_both_journeys(telling: Telling) -> None:
    jo, kim = await telling.two()
    people = await telling.owner("pa"), await telling.owner("pb")
    assert await telling.told(people[0], *JOINS) == []
    await telling.changed("mergePeople", ids=[jo, kim], operationId="m")
    (merge,) = await telling.told(people[0], *JOINS)
    assert (merge["type"], merge["messageId"]) == ("MERGE", f"{telling.run}-m")
    assert merge["person"]["id"] == people[0]
    assert merge["cookieId"] is None
    assert merge["attribution"]["basis"] == "IDENTIFIED"
    assert merge["attribution"]["link"]["kind"] == "SAME_AS"
    assert "somebody here merged them" in merge["attribution"]["explanation"]
    detail = merge["detail"]
    assert set(detail["contacts"]) == {jo, kim}
    assert detail["people"] == [people[0]]
    assert (detail["rule"], detail["kind"]) == ("MERGED", "SAME_AS")
    assert detail["reason"] == f"because of {telling.run}"
    assert detail["operationId"] == f"{telling.run}-m"
    assert detail["actor"]
    # It stands among the events where it happened: after all that was sent before.
    assert (await telling.told(people[1]))[0]["id"] == merge["id"]

    await telling.changed("unmerge", id=f"{telling.run}-m", operationId="u", reason="They are two")
    ids = set()
    for person in people:
        undone, made = await telling.told(person, *JOINS)
        assert (undone["type"], made["type"]) == ("UNMERGE", "MERGE")
        assert undone["messageId"] == f"{telling.run}-u"
        assert {undone["person"]["id"], made["person"]["id"]} == {person}
        assert undone["attribution"]["link"]["state"] == "SEVERED"
        assert "somebody here took it back" in made["attribution"]["explanation"]
        assert set(undone["detail"]["people"]) == set(people)
        assert undone["detail"]["reason"] == "They are two"
        for line in (undone, made):
            assert await telling.line(line["id"]) == line
            ids.add(line["id"])
    # The same line in two journeys is two nodes: they say of different people whose it is.
    assert len(ids) == 4
    # What was one line when they were one has an id that still leads to it.
    assert await telling.line(merge["id"]) is not None

    await telling.changed("restoreLink", id=f"{telling.run}-u")
    assert [line["id"] for line in await telling.told(people[0], *JOINS)] == [merge["id"]]
    for id in ids:
        assert (await telling.line(id) is None) == ("unmerge" in id)


async def test_an_identify_that_joins_two_is_followed_by_the_join(telling: Telling) -> None:
    await telling.identified("a", "jo", "jo")
    await telling.identified("b", "mail", "jo@x.example", type="email")
    both = telling.identify("c", "jo", "both").model_copy(
        update={
            "identifiers": (telling.claim("user_id", "jo"), telling.claim("email", "jo@x.example"))
        }
    )
    await telling.one(both, SERVER)
    person = await telling.owner("jo")
    join, identify = (await telling.told(person))[:2]
    assert (join["type"], identify["type"]) == ("MERGE", "IDENTIFY")
    assert join["messageId"] == identify["messageId"] == f"{telling.run}-both"
    assert join["occurredAt"] == identify["occurredAt"]
    assert "one message" in join["attribution"]["explanation"]
    assert join["detail"]["rule"] == "SHARED_IDENTIFIER"
    assert "operationId" not in join["detail"]
    found = await telling.ask(
        "query ($id: ID!) { event(messageId: $id) { id type } }", id=join["messageId"]
    )
    assert found["event"] == {"id": identify["id"], "type": "IDENTIFY"}
    page = await telling.journey(person, first=1)
    behind = await telling.journey(person, first=1, after=page["pageInfo"]["endCursor"])
    assert behind["edges"][0]["node"]["id"] == identify["id"]
    before = await telling.journey(person, last=1, before=behind["pageInfo"]["startCursor"])
    assert before["edges"][0]["node"]["id"] == join["id"]


async def test_a_visitor_given_to_somebody_and_taken_back(telling: Telling) -> None:
    await telling.two()
    await telling.seen("c", "pc")
    visitor, jo = await telling.owner("pc"), await telling.owner("pa")
    await telling.changed("mergePeople", ids=[jo, visitor], operationId="m")
    (merge,) = await telling.told(jo, *JOINS)
    assert (merge["type"], merge["cookieId"]) == ("MERGE", f"{telling.run}-c")
    assert merge["detail"]["visitor"] == visitor
    assert merge["attribution"]["link"]["kind"] == "IDENTIFIED_AS"
    await telling.changed("unmerge", id=f"{telling.run}-m", operationId="u")
    for person in (jo, visitor):
        undone, made = await telling.told(person, *JOINS)
        assert [undone["type"], made["type"]] == ["UNMERGE", "MERGE"]
        assert undone["person"]["id"] == person
        assert set(undone["detail"]["people"]) == {jo, visitor}
        assert undone["attribution"]["basis"] == ("IDENTIFIED" if person == jo else "ANONYMOUS")
        assert await telling.line(undone["id"]) == undone
    assert [line["type"] for line in await telling.told(visitor)] == ["UNMERGE", "MERGE", "PAGE"]


async def test_what_an_operator_severs_is_told_on_both_sides(telling: Telling) -> None:
    await telling.two()
    jo, link = await telling.owner("pa"), await telling.link_of("pa")
    (held,) = await telling.links(jo, "HAS_IDENTIFIER")
    visitor = (await telling.look("pa"))["attribution"]["link"]
    assert visitor["id"] == link
    await telling.changed("severLink", id=link, operationId="s", reason="It is his wife")
    anonymous = await telling.owner("pa")
    assert anonymous != jo
    (of_jo,) = await telling.told(jo, *JOINS)
    (of_visitor,) = await telling.told(anonymous, *JOINS)
    for line, person in ((of_jo, jo), (of_visitor, anonymous)):
        assert (line["type"], line["person"]["id"]) == ("SEVER", person)
        assert line["messageId"] == f"{telling.run}-s"
        assert "It is his wife" in line["attribution"]["explanation"]
        assert line["detail"]["visitor"] == anonymous
        assert await telling.line(line["id"]) == line
    await telling.changed("severLink", id=held["id"], operationId="h")
    (of_identifier, _) = await telling.told(jo, "SEVER")
    assert of_identifier["detail"]["identifier"] == {
        "type": "user_id",
        "value": f"{telling.run}-jo",
    }
    assert of_identifier["attribution"]["link"]["kind"] == "HAS_IDENTIFIER"
    await telling.changed("restoreLink", id=link)
    assert [line["id"] for line in await telling.told(jo, *JOINS)] == [of_identifier["id"]]


async def test_better_evidence_is_no_operator(telling: Telling) -> None:
    """A switch, an outranked claim, a late logout: the fold knew better, and nobody severed."""
    await telling.identified("a", "claim", "victim", server=False)
    await telling.identified("a", "other", "somebody", server=True)
    await telling.identified("b", "real", "victim", server=True)
    for message in ("claim", "other", "real"):
        assert await telling.told(await telling.owner(message), *JOINS) == []


async def test_types_and_times_hold_for_joins_too(telling: Telling) -> None:
    jo, kim = await telling.two()
    person = await telling.owner("pa")
    await telling.changed("mergePeople", ids=[jo, kim], operationId="m")
    (merge,) = await telling.told(person, "MERGE")
    assert [line["type"] for line in await telling.told(person, "UNMERGE", "PAGE")] == ["PAGE"] * 3
    at = merge["occurredAt"]
    since, until = await asyncio.gather(
        telling.journey(person, first=9, **{"from": at}), telling.journey(person, first=9, to=at)
    )
    assert [edge["node"]["id"] for edge in since["edges"]] == [merge["id"]]
    assert merge["id"] not in [edge["node"]["id"] for edge in until["edges"]]
    assert len(until["edges"]) == 5


async def test_many_lines_of_one_act_come_page_by_page(telling: Telling) -> None:
    """They all happened in one microsecond."""
    jo, _ = await telling.two()
    visitors = []
    for n in range(7):
        await telling.seen(f"v{n}", f"v{n}")
        visitors.append(await telling.owner(f"v{n}"))
    person = await telling.owner("pa")
    await telling.changed("mergePeople", ids=[jo, *visitors], operationId="m")
    whole = [line["id"] for line in await telling.told(person)]
    assert len(whole) == len(set(whole)) == 7 + 7 + 2
    for size in (1, 2, 3):
        for backwards in (False, True):
            lines = await telling.walked(person, size, backwards=backwards)
            ids = [JourneyEvent.of(line).id for line in lines]
            assert ids == (whole[::-1] if backwards else whole), (size, backwards)


async def test_who_may_not_see_identifiers_sees_none_in_a_split(telling: Telling) -> None:
    await telling.two()
    kim = await telling.owner("pb")
    (held,) = await telling.links(kim, "HAS_IDENTIFIER")
    await telling.changed("severLink", id=held["id"], reason="kim@x.example is not hers")
    telling.caller = replace(telling.caller, scopes=telling.caller.scopes - {Scope.IDENTIFIER_VIEW})
    (line,) = await telling.told(kim, "SEVER")
    assert line["detail"]["identifier"]["value"].endswith("***@x.example")
    assert "kim@" not in str(line)


async def test_a_line_that_never_was_is_not_found(telling: Telling) -> None:
    await telling.two()
    (held,) = await telling.links(await telling.owner("pa"), "HAS_IDENTIFIER")
    link = held["id"].removeprefix("link_")
    for id in (
        f"join_{link}~merge~from",
        f"join_{link}~x~from",
        f"join_{link}",
        "join_~~",
        "join_",
    ):
        assert await telling.line(id) is None, id
