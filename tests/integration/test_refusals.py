"""What operators may not do: each is a problem with reasons, and nothing has changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graphid.service.operations.merge import MOST
from tests.integration.asking import time_of
from tests.integration.operating import Operating
from tests.integration.test_ingest import SERVER


async def test_a_merge_needs_two_people_and_not_too_many(operator: Operating) -> None:
    jo, _ = await operator.two()
    assert "two people" in await operator.refused("mergePeople", ids=[jo])
    assert "two people" in await operator.refused("mergePeople", ids=[])
    many = [f"person_{n}" for n in range(MOST + 1)]
    assert str(MOST) in await operator.refused("mergePeople", ids=many)


async def test_a_merge_with_oneself(operator: Operating) -> None:
    jo, _ = await operator.two()
    person = await operator.owner("jo")
    assert "one person already" in await operator.refused("mergePeople", ids=[jo, person])
    assert "one person already" in await operator.refused("mergePeople", ids=[jo, jo])


async def test_a_merge_of_people_whom_the_rules_keep_apart(operator: Operating) -> None:
    await operator.identified("a", "jo", "jo")
    await operator.identified("b", "kim", "kim")
    people = [await operator.owner("jo"), await operator.owner("kim")]
    assert "contradict" in await operator.refused("mergePeople", ids=people)


async def test_a_merge_of_two_whom_nobody_knows(operator: Operating) -> None:
    await operator.seen("a", "pa")
    await operator.seen("b", "pb")
    people = [await operator.owner("pa"), await operator.owner("pb")]
    assert "known" in await operator.refused("mergePeople", ids=people)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mergePeople", {"ids": ["person_1", "nobody"]}),
        ("unmerge", {"id": "nothing"}),
        ("unmerge", {"id": "link_1"}),
        ("severLink", {"id": "link_1"}),
        ("severLink", {"id": "nothing"}),
        ("restoreLink", {"id": "nothing"}),
        ("promoteContact", {"id": "contact_1"}),
        ("decideReview", {"id": "review_1", "accept": True}),
    ],
)
async def test_what_was_never_given_out_is_not_found(
    operator: Operating, name: str, arguments: dict[str, Any]
) -> None:
    assert await operator.problem(name, **arguments) == "NotFound"


async def test_ids_of_the_wrong_kind_are_told_apart(operator: Operating) -> None:
    jo, kim = await operator.two()
    link = await operator.link_of("jo")
    (held,) = await operator.links(await operator.owner("jo"), "HAS_IDENTIFIER")
    await operator.changed("mergePeople", ids=[jo, kim], operationId="m")
    (joined,) = await operator.links(await operator.owner("jo"), "SAME_AS")
    merge = f"{operator.run}-m"
    for name, arguments, reason in (
        ("mergePeople", {"ids": [jo, link]}, "that of a link"),
        ("promoteContact", {"id": link}, "that of a link"),
        ("unmerge", {"id": jo}, "that of a contact"),
        ("unmerge", {"id": link}, "severLink"),
        ("severLink", {"id": jo}, "that of a contact"),
        ("severLink", {"id": joined["id"], "from": time_of(operator.now).isoformat()}, "from"),
        ("severLink", {"id": held["id"], "from": time_of(operator.now).isoformat()}, "from"),
        ("restoreLink", {"id": jo}, "that of a contact"),
        ("restoreLink", {"id": merge}, "unmerge"),
        ("restoreLink", {"id": link}, "not severed"),
        ("restoreLink", {"id": held["id"]}, "not severed"),
        ("decideReview", {"id": jo, "accept": True}, "that of a contact"),
    ):
        assert reason in await operator.refused(name, **arguments), name
    parted = await operator.changed("unmerge", id=merge, operationId="u")
    (apart,) = [one for one in parted["links"] if one["kind"] == "NOT_SAME_AS"]
    assert "restoreLink" in await operator.refused("severLink", id=apart["id"])
    assert "restoreLink" in await operator.refused("unmerge", id=apart["id"])
    assert "no merge" in await operator.refused("unmerge", id=f"{operator.run}-u")
    assert "already" in await operator.refused("unmerge", id=merge)
    await operator.changed("restoreLink", id=apart["id"], operationId="r")
    assert "again" in await operator.refused("restoreLink", id=f"{operator.run}-r")


async def test_a_link_that_stronger_evidence_withdrew_is_not_restored(operator: Operating) -> None:
    await operator.identified("a", "jo", "jo", server=False)
    person = await operator.owner("jo")
    (held,) = await operator.links(person, "HAS_IDENTIFIER")
    await operator.identified("b", "too", "jo")
    # It may be that the server's word joined, and outranked nobody: then nothing was withdrawn.
    node = await operator.node(held["id"])
    reason = await operator.refused("restoreLink", id=held["id"])
    assert ("Stronger" if node["state"] == "SEVERED" else "not severed") in reason


async def test_a_moment_that_is_yet_to_come(operator: Operating) -> None:
    await operator.two()
    later = time_of(operator.now + 3_600_000_000).isoformat()
    link = await operator.link_of("jo")
    assert "yet to come" in await operator.refused("severLink", id=link, **{"from": later})


async def test_a_moment_after_the_visitor_left(operator: Operating) -> None:
    await operator.identified("a", "jo", "jo")
    link = await operator.link_of("jo")
    await operator.one(
        operator.logout("a", 0).model_copy(update={"context": operator.context("a")})
    )
    after = time_of(operator.now + 1).isoformat()
    assert "Nothing" in await operator.refused("severLink", id=link, **{"from": after})


@pytest.mark.parametrize(
    ("type", "value", "reason"),
    [
        ("email", "undefined", "blocks it already"),
        ("user_id", "0", "blocks it already"),
        ("email", "no address", "not an e-mail address"),
        ("phone", "12", "phone number"),
        ("user_id", " ", "blank"),
        ("9 lives", "x", "type"),
        ("", "x", "type"),
        ("user_id", "x" * 600, "value"),
    ],
)
async def test_what_cannot_be_blocked(
    operator: Operating, type: str, value: str, reason: str
) -> None:
    assert reason in await operator.refused("blockIdentifier", type=type, value=value)


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 1_001])
async def test_a_reason_is_needed_and_no_novel(operator: Operating, reason: str) -> None:
    told = await operator.refused("promoteContact", id="contact_1", reason=reason)
    assert "reason" in told


async def test_an_operation_id_has_the_form_of_an_id(operator: Operating) -> None:
    told = await operator.refused("promoteContact", id="contact_1", operationId="x" * 300)
    assert "operationId" in told


async def test_nobody_known_is_not_confirmed(operator: Operating) -> None:
    await operator.seen("a", "pa")
    visitor = await operator.owner("pa")
    assert "Nobody known" in await operator.refused("promoteContact", id=visitor)


async def test_a_visitors_id_confirms_its_owner(operator: Operating) -> None:
    await operator.identified("a", "jo", "jo", server=False)
    done = await operator.changed("promoteContact", id=operator.birth("a"))
    assert done["after"][0]["contacts"][0]["state"] == "CURATED"


async def test_ids_of_people_who_were_merged_mean_whom_they_are_now(operator: Operating) -> None:
    jo, kim = await operator.two()
    former = await operator.owner("kim")
    await operator.changed("mergePeople", ids=[jo, kim])
    await operator.identified("c", "lee", "lee@x.example", type="email")
    assert "one person" in await operator.refused("mergePeople", ids=[former, jo])
    merged = await operator.changed("mergePeople", ids=[former, await operator.owner("lee")])
    assert [person["id"] for person in merged["after"]] == [await operator.owner("jo")]
    assert await operator.differences() == []


async def test_those_who_are_kept_apart_are_merged_only_by_who_was_shown_it(
    operator: Operating,
) -> None:
    jo, kim = await operator.two()
    await operator.changed("mergePeople", ids=[jo, kim], operationId="m")
    await operator.changed("unmerge", id=f"{operator.run}-m", operationId="u")
    operator.caller = replace(operator.caller, name="another")
    told = await operator.refused("mergePeople", ids=[jo, kim])
    assert f"{operator.run}-u" in told
    assert "dryRun" in told
    preview = await operator.changed("mergePeople", ids=[jo, kim], dryRun=True)
    (apart,) = [one for one in preview["links"] if one["kind"] == "NOT_SAME_AS"]
    assert apart["state"] == "SEVERED"
    version = preview["graphVersion"]
    await operator.changed("mergePeople", ids=[jo, kim], graphVersion=version)
    assert await operator.owner("jo") == await operator.owner("kim")
    assert "merged them after all" in (await operator.node(apart["id"]))["explanation"]
    assert await operator.differences() == []


async def test_whoever_judged_may_merge_after_all(operator: Operating) -> None:
    jo, kim = await operator.two()
    await operator.changed("mergePeople", ids=[jo, kim], operationId="m")
    await operator.changed("unmerge", id=f"{operator.run}-m")
    await operator.changed("mergePeople", ids=[jo, kim])
    assert await operator.owner("jo") == await operator.owner("kim")
    assert await operator.differences() == []


async def test_an_operation_id_is_of_one_act(operator: Operating) -> None:
    jo, kim = await operator.two()
    first = await operator.changed("mergePeople", ids=[jo, kim], operationId="m")
    again = await operator.changed("mergePeople", ids=[jo, kim], operationId="m")
    assert [one["id"] for one in again["after"]] == [one["id"] for one in first["after"]]
    assert again["eventsReattributed"] == first["eventsReattributed"]
    assert again["graphVersion"] == first["graphVersion"]
    assert {one["id"] for one in again["links"]} == {one["id"] for one in first["links"]}
    # Of those who were merged, each is now the one whom they became.
    assert {one["id"] for one in again["before"]} == {one["id"] for one in first["after"]}
    for name, arguments in (
        ("mergePeople", {"ids": [kim, jo]}),
        ("mergePeople", {"ids": [jo, kim], "reason": "Another one"}),
        ("promoteContact", {"id": jo}),
    ):
        told = await operator.refused(name, operationId="m", **arguments)
        assert "operationId" in told


async def test_operations_and_messages_have_ids_of_their_own(operator: Operating) -> None:
    jo, kim = await operator.two()
    done = await operator.changed("mergePeople", ids=[jo, kim], operationId="jo")
    assert done["operationId"] == f"{operator.run}-jo"
    record = operator.record("r", 0, "user_id:jo").model_copy(
        update={"message_id": f"{operator.run}-jo", "occurred_at": None}
    )
    assert not (await operator.one(record, SERVER)).duplicate
    assert await operator.differences() == []


async def test_an_id_is_minted_where_none_is_given(operator: Operating) -> None:
    jo, kim = await operator.two()
    done = await operator.changed("mergePeople", ids=[jo, kim], operationId=None)
    await operator.changed("unmerge", id=done["operationId"], operationId=None)
    assert await operator.owner("jo") != await operator.owner("kim")
