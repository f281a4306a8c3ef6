"""Operators' acts, on a real database: what they do, what they refuse, and what a preview shows."""

from __future__ import annotations

import pytest

from graphid.identity.values import SECOND
from graphid.service.messages import Page
from tests.integration.asking import time_of
from tests.integration.operating import Operating
from tests.integration.test_ingest import BROWSER, SERVER

DAY = 86_400 * SECOND


async def test_a_merge_makes_two_people_one_and_an_unmerge_parts_them(operator: Operating) -> None:
    jo, kim = await operator.two()
    before = await operator.owner("pa"), await operator.owner("pb")
    merged = await operator.changed("mergePeople", ids=[jo, kim], operationId="m")
    assert [person["id"] for person in merged["before"]] == list(before)
    assert [person["id"] for person in merged["after"]] == [before[0]]
    assert merged["after"][0]["mergedFrom"] == [before[1]]
    assert merged["eventsReattributed"] == 3
    assert await operator.owner("pb") == before[0]
    assert await operator.differences() == []

    parted = await operator.changed("unmerge", id=f"{operator.run}-m")
    assert [person["id"] for person in parted["before"]] == [before[0]]
    assert {person["id"] for person in parted["after"]} == set(before)
    assert (await operator.owner("pa"), await operator.owner("pb")) == before
    assert {link["kind"] for link in parted["links"]} >= {"SAME_AS", "NOT_SAME_AS"}
    assert await operator.differences() == []


async def test_an_anonymous_visitor_is_given_to_a_person_and_taken_back(
    operator: Operating,
) -> None:
    await operator.two()
    await operator.seen("c", "pc")
    visitor, jo = await operator.owner("pc"), await operator.owner("pa")
    merged = await operator.changed("mergePeople", ids=[jo, visitor], operationId="m")
    assert [person["id"] for person in merged["before"]] == [jo, visitor]
    assert [person["kind"] for person in merged["before"]] == ["KNOWN", "ANONYMOUS"]
    assert [person["id"] for person in merged["after"]] == [jo]
    assert merged["eventsReattributed"] == 1
    found = await operator.look("pc")
    assert found["person"]["id"] == jo
    assert "somebody here merged this visit with them" in found["attribution"]["explanation"]
    (link,) = [link for link in merged["links"] if link["kind"] == "IDENTIFIED_AS"]
    assert (link["rule"], link["state"]) == ("MERGED", "ACTIVE")
    assert f"(because of {operator.run})" in link["explanation"]
    parted = await operator.changed("unmerge", id=f"{operator.run}-m")
    assert {person["id"] for person in parted["after"]} == {jo, visitor}
    assert await operator.owner("pc") == visitor
    assert await operator.differences() == []


async def test_one_join_of_a_merge_of_three_is_taken_back(operator: Operating) -> None:
    jo, kim = await operator.two()
    await operator.identified("c", "lee", "lee@x.example", type="email")
    lee = await operator.contact_of("lee")
    before = [await operator.owner(message) for message in ("jo", "kim", "lee")]
    await operator.changed("mergePeople", ids=[jo, kim, lee])
    assert len({await operator.owner(message) for message in ("jo", "kim", "lee")}) == 1
    links = await operator.links(before[0], "SAME_AS")
    (of_kim,) = [link for link in links if link["to"]["id"] == kim]
    await operator.changed("unmerge", id=of_kim["id"])
    assert await operator.owner("kim") == before[1]
    assert await operator.owner("lee") == before[0]
    # There is nothing left to decide.
    found = await operator.ask(
        "query ($id: ID!) { person(id: $id) { reviews { state } } }", id=before[1]
    )
    assert {review["state"] for review in found["person"]["reviews"]} <= {"REJECTED"}
    assert await operator.differences() == []


async def test_an_automatic_join_is_taken_back_for_good_and_restored(operator: Operating) -> None:
    jo, _ = await operator.two()
    person = await operator.owner("jo")
    record = operator.record("r", 0, "user_id:jo", "email:jo@x.example").model_copy(
        update={"occurred_at": None, "source_id": f"{operator.run}-r"}
    )
    await operator.identified("c", "mail", "jo@x.example", type="email")
    other = await operator.owner("mail")
    await operator.one(record, SERVER)
    assert await operator.owner("mail") == person
    joins = await operator.links(person, "SAME_AS")
    (join,) = [link for link in joins if link["from"]["id"] in (jo,) or link["to"]["id"] == jo]
    parted = await operator.changed("unmerge", id=join["id"], operationId="u")
    assert await operator.owner("mail") != await operator.owner("jo")
    (apart,) = [link for link in parted["links"] if link["kind"] == "NOT_SAME_AS"][:1]
    assert "not one person" in apart["explanation"]
    node = await operator.node(apart["id"])
    assert node["to"]["__typename"] == "Contact"
    # The same evidence joins them no more.
    await operator.one(record.model_copy(update={"message_id": f"{operator.run}-again"}), SERVER)
    assert await operator.owner("mail") != await operator.owner("jo")
    assert "already" in await operator.refused("unmerge", id=join["id"])
    await operator.changed("restoreLink", id=join["id"])
    assert await operator.owner("mail") == await operator.owner("jo")
    assert other
    assert await operator.differences() == []


async def test_a_sever_takes_a_visitor_from_its_owner_and_a_restore_gives_it_back(
    operator: Operating,
) -> None:
    await operator.two()
    jo, link = await operator.owner("pa"), await operator.link_of("pa")
    severed = await operator.changed("severLink", id=link, operationId="s", reason="It is his wife")
    assert severed["eventsReattributed"] == 2
    found = await operator.look("pa")
    assert found["person"]["kind"] == "ANONYMOUS"
    assert "(It is his wife)" in found["attribution"]["explanation"]
    assert {person["id"] for person in severed["after"]} == {jo, found["person"]["id"]}
    (told,) = [one for one in severed["links"] if one["id"] == link]
    assert (told["state"], told["retractedBy"]) == ("SEVERED", f"{operator.run}-s")
    assert "somebody here withdrew it" in told["explanation"]
    assert "already" in await operator.refused("severLink", id=link)
    back = await operator.changed("restoreLink", id=link)
    assert await operator.owner("pa") == jo
    assert back["eventsReattributed"] == 2
    assert "not severed" in await operator.refused("restoreLink", id=link)
    assert "already" in await operator.refused("restoreLink", id=f"{operator.run}-s")
    assert await operator.differences() == []


async def test_a_sever_from_a_moment_on_cuts_the_visitor_there(operator: Operating) -> None:
    await operator.seen("a", "early")
    await operator.identified("a", "jo", "jo")
    middle = time_of(operator.now + 1).isoformat()
    await operator.seen("a", "late")
    jo, link = await operator.owner("early"), await operator.link_of("early")
    severed = await operator.changed("severLink", id=link, **{"from": middle})
    assert severed["eventsReattributed"] == 1
    assert await operator.owner("early") == jo
    assert (await operator.look("late"))["person"]["kind"] == "ANONYMOUS"
    assert "cut the visit in two" in (await operator.node(link))["explanation"]
    # The link of the first part stands, and leads to the cut all the same.
    await operator.changed("restoreLink", id=link)
    assert await operator.owner("late") == jo
    assert await operator.differences() == []


async def test_an_identifier_is_parted_from_a_person(operator: Operating) -> None:
    await operator.two()
    kim = await operator.owner("kim")
    (held,) = await operator.links(kim, "HAS_IDENTIFIER")
    await operator.changed("severLink", id=held["id"], operationId="s")
    severed = await operator.node(held["id"])
    assert "somebody here withdrew it" in severed["explanation"]
    assert "already" in await operator.refused("severLink", id=held["id"])
    assert await operator.differences() == []
    await operator.changed("restoreLink", id=held["id"])
    assert await operator.owner("kim") == kim
    assert [link["state"] for link in await operator.links(kim, "HAS_IDENTIFIER")] == ["ACTIVE"]
    assert await operator.differences() == []


async def test_a_blocked_value_names_nobody_until_it_is_restored(operator: Operating) -> None:
    await operator.two()
    kim = await operator.owner("kim")
    spelled = {"type": "email", "value": f" {operator.run}-KIM@x.example "}
    blocked = await operator.changed("blockIdentifier", **spelled, operationId="b")
    assert kim in [person["id"] for person in blocked["before"]]
    assert (await operator.look("kim"))["person"]["kind"] == "ANONYMOUS"
    assert "already" in await operator.refused("blockIdentifier", **spelled)
    await operator.changed("restoreLink", id=f"{operator.run}-b")
    assert await operator.owner("kim") == kim
    assert await operator.differences() == []


async def test_whoever_holds_nothing_any_more_is_anonymous_and_counts_on_the_device(
    operator: Operating,
) -> None:
    device = f"{operator.run}-device"
    for cookie in ("a", "b"):
        where = operator.context(cookie, f"p{cookie}").model_copy(update={"device_id": device})
        await operator.one(Page(context=where, url="https://shop.example/"))
    await operator.two()
    jo = await operator.owner("pa")
    (held,) = await operator.links(jo, "HAS_IDENTIFIER")
    await operator.changed("severLink", id=held["id"])
    look = """query ($id: ID!) { device(id: $id) {
      personCount people { person { id kind } } } }"""
    found = (await operator.ask(look, id=device))["device"]
    assert found["personCount"] == 2
    kinds = {one["person"]["id"]: one["person"]["kind"] for one in found["people"]}
    assert kinds == {jo: "ANONYMOUS", await operator.owner("pb"): "KNOWN"}


async def test_a_contact_is_confirmed(operator: Operating) -> None:
    await operator.identified("a", "jo", "jo", server=False)
    jo = await operator.owner("jo")
    done = await operator.changed("promoteContact", id=jo)
    assert [one["contacts"][0]["state"] for one in (*done["before"], *done["after"])] == [
        "IDENTIFIED",
        "CURATED",
    ]
    assert "already" in await operator.refused("promoteContact", id=jo)
    assert await operator.differences() == []


async def test_a_record_that_its_source_deleted_holds_nothing(operator: Operating) -> None:
    record = operator.record("r", 0, "user_id:jo").model_copy(update={"occurred_at": None})
    await operator.one(record, SERVER)
    contact = await operator.row("r")
    assert (await operator.node(contact["id"]))["identifiers"]
    gone = record.model_copy(update={"deleted": True, "identifiers": ()})
    await operator.one(gone, SERVER)
    node = await operator.node(contact["id"])
    assert node["identifiers"] == []
    (link,) = [await operator.node(link["id"]) for link in node["links"]]
    assert link["state"] != "ACTIVE"
    assert await operator.differences() == []


# ---------------------------------------------------------------------- reviews


async def taken(operator: Operating) -> str:
    """A review: whether the Kim of an account and the Kim of an address are one."""
    await operator.identified("a", "jo", "jo")
    await operator.identified("b", "kim", "kim@x.example", type="email", server=False)
    both = (operator.claim("user_id", "jo"), operator.claim("email", "kim@x.example"))
    said = operator.identify("c", "jo", "both").model_copy(update={"identifiers": both})
    receipt = await operator.one(said, BROWSER)
    assert receipt.outcome is not None
    (review,) = receipt.outcome.reviews
    return review


async def test_a_review_is_accepted_once(operator: Operating) -> None:
    review = await taken(operator)
    done = await operator.changed("decideReview", id=review, accept=True)
    assert await operator.owner("jo") == await operator.owner("kim")
    assert len(done["after"]) == 1
    assert await operator.review(review) == "ACCEPTED"
    assert "decided" in await operator.refused("decideReview", id=review, accept=False)
    assert await operator.differences() == []


async def test_a_review_is_rejected_and_asks_no_more(operator: Operating) -> None:
    review = await taken(operator)
    done = await operator.changed("decideReview", id=review, accept=False, operationId="d")
    assert "NOT_SAME_AS" in {link["kind"] for link in done["links"]}
    assert await operator.owner("jo") != await operator.owner("kim")
    assert await operator.review(review) == "REJECTED"
    both = (operator.claim("user_id", "jo"), operator.claim("email", "kim@x.example"))
    said = operator.identify("c", "jo", "again").model_copy(update={"identifiers": both})
    await operator.one(said, SERVER)
    assert await operator.owner("jo") != await operator.owner("kim")
    assert await operator.review(review) == "REJECTED"
    assert await operator.differences() == []
    await operator.changed("restoreLink", id=f"{operator.run}-d")
    assert await operator.review(review) == "OPEN"
    assert await operator.differences() == []


async def test_a_review_of_what_is_no_longer_so_is_not_decided(operator: Operating) -> None:
    review = await taken(operator)
    await operator.changed("blockIdentifier", type="email", value=f"{operator.run}-kim@x.example")
    assert await operator.review(review) == "OBSOLETE"
    assert "no longer so" in await operator.refused("decideReview", id=review, accept=True)


async def test_two_who_are_one_by_now_are_accepted_as_one(operator: Operating) -> None:
    review = await taken(operator)
    people = [await operator.owner("jo"), await operator.owner("kim")]
    await operator.changed("mergePeople", ids=people)
    assert "unmerge" in await operator.refused("decideReview", id=review, accept=False)
    await operator.changed("decideReview", id=review, accept=True)
    assert await operator.review(review) == "ACCEPTED"
    assert await operator.differences() == []


async def test_a_review_of_one_person_and_an_identifier(operator: Operating) -> None:
    for n in range(6):
        both = (operator.claim("user_id", "jo"), operator.claim("email", f"jo{n}@x.example"))
        said = operator.identify("a", "jo", f"i{n}").model_copy(update={"identifiers": both})
        receipt = await operator.one(said, SERVER)
    assert receipt.outcome is not None
    (review,) = receipt.outcome.reviews
    assert "saveContact" in await operator.refused("decideReview", id=review, accept=True)
    await operator.changed("decideReview", id=review, accept=False)
    assert await operator.review(review) == "REJECTED"
    assert await operator.differences() == []


async def test_the_part_that_nobody_claimed_is_given_to_somebody(operator: Operating) -> None:
    early = Page(
        context=operator.context("a", "early", occurred_at=time_of(operator.now - 40 * DAY)),
        url="https://shop.example/",
    )
    await operator.one(early)
    jo, kim = await operator.two()
    nobody = await operator.owner("early")
    assert nobody.endswith("~unclaimed")
    people = [await operator.owner("jo"), await operator.owner("kim")]
    merged = await operator.changed("mergePeople", ids=[nobody, kim], operationId="m")
    assert merged["eventsReattributed"] == 1
    assert {person["id"] for person in merged["before"]} == {nobody, *people}
    assert {person["id"] for person in merged["after"]} == set(people)
    assert await operator.owner("early") == people[1]
    assert await operator.owner("pa") == await operator.owner("jo") == people[0]
    assert await operator.differences() == []
    await operator.changed("unmerge", id=f"{operator.run}-m")
    assert await operator.owner("early") == nobody
    assert await operator.owner("pa") == people[0]
    assert await operator.differences() == []
    assert jo


@pytest.mark.parametrize("id", ["\ud800", "", "x" * 5_000, "visitor_\x00", "link_'"])
async def test_ids_that_are_none(operator: Operating, id: str) -> None:
    for name in ("unmerge", "severLink", "restoreLink", "promoteContact"):
        assert await operator.problem(name, id=id) in ("NotFound", "Refused")
