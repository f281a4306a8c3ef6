"""Why two are one, and why they are not, on a real database: chains, sentences, refusals."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from graphid.api.execution import Request, answer
from graphid.auth.keys import Caller
from graphid.auth.scopes import Scope
from graphid.identity.values import SECOND
from graphid.service.messages import ClaimedIdentifier, Context, Logout, Page, StartChat
from tests.integration.asking import Asked, time_of
from tests.integration.operating import Operating
from tests.integration.test_ingest import BROWSER, SERVER

WHY = """query ($a: ID!, $b: ID!) { whyNotLinked(a: $a, b: $b)
  whyLinked(a: $a, b: $b) { id kind rule state evidenceId explanation
    from { id } to { ... on Contact { id } ... on IdentifierNode { id type value } } } }"""
ANALYST = Caller("sk:analyst", frozenset({Scope.GRAPH_VIEW}), False)


class Asks:
    """Asks why."""

    def __init__(self, world: Asked) -> None:
        self.world = world

    async def ask(self, a: str, b: str, caller: Caller | None = None) -> dict[str, Any]:
        context = self.world.request_context(caller)
        got = await answer(Request(WHY, {"a": a, "b": b}), context, may_change=False)
        assert "errors" not in got.body, got.body
        data: dict[str, Any] = got.body["data"]
        return data

    async def chain(self, a: str, b: str) -> list[str]:
        """The kinds of the links between two who are one; each leads on from the one before."""
        found = await self.ask(a, b)
        assert found["whyNotLinked"] == []
        links = found["whyLinked"]
        ends = [{link["from"]["id"], link["to"]["id"]} for link in links]
        assert all(one & other for one, other in pairwise(ends))
        back = (await self.ask(b, a))["whyLinked"]
        assert [link["id"] for link in back] == [link["id"] for link in links][::-1]
        assert all(link["explanation"].endswith(".") for link in links)
        return [link["kind"] for link in links]

    async def reasons(self, a: str, b: str, caller: Caller | None = None) -> list[str]:
        """What keeps two apart, told alike from both sides."""
        found = await self.ask(a, b, caller)
        assert found["whyLinked"] == []
        reasons: list[str] = found["whyNotLinked"]
        assert reasons
        assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons)
        # Values are told in the order in which was asked.
        back = (await self.ask(b, a, caller))["whyNotLinked"]
        assert sorted(map(sorted, back)) == sorted(map(sorted, reasons))
        return reasons

    async def links_of(self, a: str, b: str) -> list[dict[str, Any]]:
        """The links of the chain between two."""
        links: list[dict[str, Any]] = (await self.ask(a, b))["whyLinked"]
        return links

    async def refusal(self, a: str, b: str) -> list[tuple[str, str]]:
        context = self.world.request_context()
        got = await answer(Request(WHY, {"a": a, "b": b}), context, may_change=False)
        return [(error["extensions"]["code"], error["message"]) for error in got.body["errors"]]


class Why(Asks):
    """Asks in a world with an operator."""

    world: Operating


@pytest.fixture
def why(operator: Operating) -> Why:
    return Why(operator)


async def test_the_chain_of_a_login_from_every_kind_of_node(why: Why) -> None:
    """A page without a login, a login on that browser, and the CRM's record with the address."""
    world = why.world
    await world.seen("a", "pa")
    await world.identified("a", "ia", "jo@x.example", type="email")
    record = world.record("r", 0, "email:jo@x.example", "crm:77").model_copy(
        update={"occurred_at": None}
    )
    await world.one(record, SERVER)
    await world.one(StartChat(context=world.context("a", "ch"), chat_id=f"{world.run}-chat"))
    row = (await world.row("r"))["id"]
    person, event = await world.owner("pa"), f"event_{world.run}-pa"
    visitor = (await world.node(world.birth("a")))["id"]
    held = await world.links(person, "HAS_IDENTIFIER")
    crm = next(link["to"]["id"] for link in held if link["to"]["value"].endswith("77"))
    email = next(link["to"]["id"] for link in held if not link["to"]["value"].endswith("77"))
    made = await world.contact_of("pa")
    assert await why.chain(made, row) == ["SAME_AS"]
    assert await why.chain(visitor, row) == ["IDENTIFIED_AS", "SAME_AS"]
    assert await why.chain(event, crm) == ["IDENTIFIED_AS", "SAME_AS", "HAS_IDENTIFIER"]
    assert await why.chain(event, email) == ["IDENTIFIED_AS", "HAS_IDENTIFIER"]
    assert await why.chain(f"{world.run}-a", crm) == await why.chain(event, crm)
    assert await why.chain(f"{world.run}-chat", row) == ["IDENTIFIED_AS", "SAME_AS"]
    # Merged people's ids mean the contacts that they were named for.
    assert await why.chain(person, row.replace("contact_", "person_")) in ([], ["SAME_AS"])
    assert await why.chain(event, visitor) == []
    assert await why.chain(person, person) == []


async def test_a_link_that_ended_still_joins_and_one_that_was_withdrawn_does_not(why: Why) -> None:
    world = why.world
    await world.seen("a", "pa")
    await world.identified("a", "ia", "jo")
    person = await world.owner("pa")
    await world.one(Logout(context=world.context("a", "lo")))
    (link,) = (await why.ask(f"event_{world.run}-pa", person))["whyLinked"]
    assert link["state"] == "ENDED"
    assert "with a logout" in link["explanation"]
    await world.changed("severLink", id=link["id"], reason="It was his wife")
    reasons = await why.reasons(f"event_{world.run}-pa", person)
    assert any("somebody here withdrew it" in r and "It was his wife" in r for r in reasons)
    assert any(r.startswith("Counted as nobody's because somebody here took") for r in reasons)


async def test_two_browsers_and_a_device(why: Why) -> None:
    """Where visits happened joins nobody; whose visits were in both places does."""
    world = why.world
    device = f"{world.run}-d"
    for cookie, value in (("a", "jo"), ("b", "jo"), ("c", "kim")):
        context = world.context(cookie, f"p{cookie}", device_id=device)
        await world.one(Page(context=context, url="https://x.example/"))
        await world.identified(cookie, f"i{cookie}", value)
    jo, kim = await world.owner("pa"), await world.owner("pc")
    assert await why.chain(f"{world.run}-a", f"{world.run}-b") == ["IDENTIFIED_AS"] * 2
    assert await why.chain(device, jo) == ["IDENTIFIED_AS"]
    assert await why.chain(device, kim) == ["IDENTIFIED_AS"]
    assert await why.chain(device, device) == []
    assert await why.chain(device, f"{world.run}-a") == []
    told = await why.reasons(jo, kim)
    assert any(r.startswith("A person has only one user id, and they have ") for r in told)
    assert "They were seen on the same device, which tells where they were, and never who." in told
    assert "Nothing that was sent names both." in told
    assert await why.reasons(f"{world.run}-a", kim) == [
        "None of the visits on the browser is counted as theirs."
    ]
    assert await why.reasons(f"{world.run}-a", f"{world.run}-c") == [
        "Nobody is known to have used both browsers."
    ]


async def test_who_followed_whom_on_a_browser(why: Why) -> None:
    world = why.world
    await world.identified("a", "i1", "jo")
    await world.one(Logout(context=world.context("a", "lo")))
    await world.identified("a", "i2", "kim")
    await world.identified("a", "i3", "lee")
    jo, kim, lee = [await world.owner(message) for message in ("i1", "i2", "i3")]
    assert any("one logged out on" in reason for reason in await why.reasons(jo, kim))
    assert any("nobody had logged out" in reason for reason in await why.reasons(kim, lee))
    told = await why.reasons(f"event_{world.run}-i1", kim)
    assert "The visit is counted as somebody else's." in told


async def test_what_operators_said(why: Why) -> None:
    world = why.world
    jo, kim = await world.two()
    assert "Nothing that was sent names both." in await why.reasons(jo, kim)
    await world.changed("mergePeople", ids=[jo, kim], operationId="m")
    (link,) = (await why.ask(jo, kim))["whyLinked"]
    assert (link["kind"], link["rule"]) == ("SAME_AS", "MERGED")
    await world.changed("unmerge", id=f"{world.run}-m", reason="Two sisters")
    (first, *others) = await why.reasons(jo, kim)
    assert first.startswith("Somebody here (")
    assert " took back on " in first
    assert first.endswith(" that they had been merged (Two sisters).")
    assert not any("Nothing that was sent" in reason for reason in others)


async def test_a_review_that_is_open_and_then_rejected(why: Why) -> None:
    world = why.world
    await world.identified("a", "ia", "jo")
    await world.identified("b", "ib", "jo@x.example", type="email")
    said = world.identify("c", "jo", "both").model_copy(
        update={"identifiers": (world.claim("user_id", "jo"), world.claim("email", "jo@x.example"))}
    )
    await world.one(said, BROWSER)
    jo, mail = await world.owner("ia"), await world.owner("ib")
    told = await why.reasons(jo, mail)
    (asked,) = [reason for reason in told if reason.endswith("Nobody here has decided that yet.")]
    assert "a claim cannot join two known people" in asked
    found = await world.ask("query ($id: ID!) { person(id: $id) { reviews { id state } } }", id=jo)
    (review,) = [r["id"] for r in found["person"]["reviews"] if r["state"] == "OPEN"]
    await world.act("decideReview", id=review, accept=False, reason="Asked them")
    told = await why.reasons(jo, mail)
    assert "asked whether they are one person" in told[0]
    assert told[0].endswith("that they are not (Asked them).")


async def test_an_identifier_that_is_somebody_elses_blocked_or_parted(why: Why) -> None:
    world = why.world
    jo, kim = await world.two()
    kims = (await world.links(await world.owner("kim"), "HAS_IDENTIFIER"))[0]
    jos = (await world.links(await world.owner("jo"), "HAS_IDENTIFIER"))[0]
    told = await why.reasons(jo, kims["to"]["id"])
    assert "Somebody else has the e-mail address." in told
    await world.changed("severLink", id=kims["id"], reason="A shared till")
    told = await why.reasons(kim, kims["to"]["id"])
    assert told[0].startswith("Somebody here (")
    assert "that it is not theirs (A shared till)." in told[0]
    assert "Nobody has the e-mail address." in told
    value = jos["to"]["value"]
    await world.changed("blockIdentifier", type="user_id", value=value, reason="A till")
    told = await why.reasons(await world.owner("kim"), jos["to"]["id"])
    assert any("blocked the user id" in reason and "(A till)" in reason for reason in told)


async def test_two_records_that_somebody_confirmed(why: Why) -> None:
    world = why.world
    for row, held in (("1", "phone2:1"), ("2", "email:b@x.example")):
        record = world.record(row, 0, held, curated=True)
        await world.one(record.model_copy(update={"occurred_at": None}), SERVER)
    told = await why.reasons((await world.row("1"))["id"], (await world.row("2"))["id"])
    assert any(reason.startswith("Both were confirmed") for reason in told)


async def test_nobody_identified(why: Why) -> None:
    world = why.world
    jo, _ = await world.two()
    await world.seen("z", "pz", "pz2")
    visitor = await world.owner("pz")
    assert await why.reasons(visitor, jo) == [
        "Nobody is known to have made the visit: no identify of it stands."
    ]
    assert await why.chain(f"event_{world.run}-pz", f"event_{world.run}-pz2") == []
    (told,) = await why.reasons(f"event_{world.run}-pz", jo)
    assert told.startswith("Counted as nobody's because nobody has made themselves known on this")


async def test_values_are_masked_for_who_may_not_see_them(why: Why) -> None:
    world = why.world
    for cookie, value in (("a", "jo@x.example"), ("b", "kim@x.example")):
        await world.identified(cookie, f"i{cookie}", value, type="email")
    jo, kim = await world.owner("ia"), await world.owner("ib")
    clear = " ".join(await why.reasons(jo, kim))
    assert f"{world.run}-jo@x.example" in clear
    masked = " ".join(await why.reasons(jo, kim, ANALYST))
    assert f"{world.run[0]}***@x.example" in masked
    assert f"{world.run}-" not in masked


async def test_ids_of_the_wrong_kind_and_of_nothing(why: Why) -> None:
    world = why.world
    jo, _ = await world.two()
    link = await world.link_of("jo")
    for id, code in (
        (link, "INVALID_INPUT"),
        ("person_0", "NOT_FOUND"),
        ("x", "NOT_FOUND"),
        ("identifier_0", "NOT_FOUND"),
        ("event_0", "NOT_FOUND"),
        ("visitor_0", "NOT_FOUND"),
        ("session_0", "INVALID_INPUT"),
    ):
        for argument, told in (("a", await why.refusal(id, jo)), ("b", await why.refusal(jo, id))):
            assert {c for c, _ in told} == {code}, (id, told)
            assert all(
                message.startswith(f"{argument} ") or message.startswith(f"{argument}:")
                for _, message in told
            ), told


async def test_a_person_with_a_thousand_visits_costs_the_same_trips(why: Why) -> None:
    """What is read does not grow with whom it is about; nor does it look at a kiosk's crowd."""
    world = why.world
    jo, _ = await world.two()
    trips = []
    read = world.database.read_rows

    async def counted(query: Any, /, **more: Any) -> Any:
        trips.append(query.name)
        return await read(query, **more)

    world.database.read_rows = counted  # type: ignore[method-assign]
    try:
        await why.ask(jo, f"event_{world.run}-pa")
        first = sorted(trips)
        for n in range(5):
            await world.identified(f"more{n}", f"m{n}", "jo")
        trips.clear()
        await why.ask(jo, f"event_{world.run}-pa")
        assert sorted(trips) == first
    finally:
        world.database.read_rows = read  # type: ignore[method-assign]


async def test_only_identifiers_that_count_for_them_are_called_theirs(why: Why) -> None:
    world = why.world
    record = world.record("1", 0, "crm_account_id:5001", "email:own@x.example")
    await world.one(record.model_copy(update={"occurred_at": None}), SERVER)
    other = world.record("2", 0, "crm_account_id:5002", "email:alien@x.example")
    await world.one(other.model_copy(update={"occurred_at": None}), SERVER)
    await world.seen("c", "pc")
    said = world.identify("c", "5001", "ic").model_copy(
        update={
            "identifiers": (
                world.claim("crm_account_id", "5001"),
                world.claim("email", "alien@x.example"),
                ClaimedIdentifier(type="phone", value="0"),
            )
        }
    )
    receipt = await world.one(said, SERVER)
    assert {warning.code for warning in receipt.warnings} == {"BLOCKED_IDENTIFIER"}
    line = (await world.look("pc"))["attribution"]
    assert "identified with their customer number one second later" in line["explanation"]
    (link,) = await why.links_of(f"event_{world.run}-pc", await world.owner("ic"))
    assert "identified with their customer number on " in link["explanation"]


async def test_of_a_record_that_names_two_what_they_hold_is_told(why: Why) -> None:
    world = why.world
    for cookie, type, value in (("a", "email", "jo@x.example"), ("b", "crm_id", "jo")):
        await world.identified(cookie, f"i{cookie}", value, type=type)
    record = world.record("1", 0, "crm_id:jo", "email:jo@x.example", "email:more@x.example")
    await world.one(record.model_copy(update={"occurred_at": None}), SERVER)
    links = await world.links(await world.owner("ia"), "SAME_AS")
    assert any(
        "named both, with their crm id and their e-mail address, and" in link["explanation"]
        for link in links
    )


@pytest.mark.parametrize("kind", ["IDENTIFIED_AS", "HAS_IDENTIFIER"])
async def test_who_vouched_later_is_told_as_later(why: Why, kind: str) -> None:
    """What only a browser had said on that day, a server says since."""
    world = why.world
    await world.identified("a", "i1", "jo@x.example", type="email", server=False)
    person = await world.owner("i1")
    (link,) = await world.links(person, kind)
    assert "and a browser said so and nothing has proved it." in link["explanation"]
    await world.identified("a", "i2", "jo@x.example", type="email")
    (raised,) = await world.links(person, kind)
    assert raised["id"] == link["id"]
    by = "a server of ours" + (", or somebody here," if kind == "HAS_IDENTIFIER" else "")
    assert raised["explanation"] == link["explanation"].replace(
        " and nothing has proved it.", f"; {by} has confirmed it since."
    )


async def test_a_visit_that_was_taken_from_a_third_person(why: Why) -> None:
    """Whose it was is no matter between it and somebody else."""
    world = why.world
    await world.identified("t", "it", "third")
    await world.seen("t", "pt")
    visitor = (await world.node(world.birth("t")))["id"]
    jo, _ = await world.two()
    third = await world.owner("it")
    await world.changed("severLink", id=await world.link_of("it"), reason="His wife")
    (told,) = await why.reasons(visitor, jo)
    assert told.startswith("Nobody is known to have made the visit: somebody here took it from its")
    assert told.endswith("(His wife).")
    (told,) = await why.reasons(f"event_{world.run}-pt", jo)
    assert told.startswith("Counted as nobody's because somebody here took it from its owner on")
    assert any(r.startswith("This visit was counted") for r in await why.reasons(visitor, third))


async def test_why_it_is_nobodys_after_a_block_and_after_an_unmerge(why: Why) -> None:
    world = why.world
    await world.seen("a", "pa")
    await world.identified("a", "ia", "till@x.example", type="email")
    value = f"{world.run}-till@x.example"
    await world.changed("blockIdentifier", type="email", value=value, reason="The till")
    told = (await world.look("pa"))["attribution"]["explanation"]
    assert "because somebody here blocked the value that named its owner on" in told
    assert told.endswith("(The till).")
    await world.seen("b", "pb")
    visitor = await world.owner("pb")
    await world.identified("c", "ic", "jo")
    jo = await world.owner("ic")
    await world.changed("mergePeople", ids=[visitor, jo], operationId="m")
    await world.changed("unmerge", id=f"{world.run}-m", reason="Oops")
    told = (await world.look("pb"))["attribution"]["explanation"]
    assert "because somebody here took back what had given it an owner on" in told
    assert told in await why.reasons(f"event_{world.run}-pb", jo)


async def test_an_identify_that_names_nobody(why: Why) -> None:
    world = why.world
    jo, _ = await world.two()
    await world.seen("z", "pz")
    said = world.identify("z", "x", "iz").model_copy(
        update={"identifiers": (ClaimedIdentifier(type="email", value="test@test.com"),)}
    )
    await world.one(said, SERVER)
    told = (await world.look("iz"))["attribution"]["explanation"]
    assert told == (
        "Counted as nobody's because it names nobody for certain: all that it gives is blocked, "
        "not valid or somebody else's."
    )
    assert await why.reasons(f"event_{world.run}-iz", jo) == [told]
    assert (await world.look("pz"))["attribution"]["explanation"] == (
        "Counted as nobody's because nobody has made themselves known on this browser since."
    )


async def test_before_what_is_claimed_back_on_a_shared_device(why: Why) -> None:
    world = why.world
    world.now += 10_000 * SECOND

    def context(cookie: str, seconds: int, id: str) -> Context:
        at = time_of(world.at(seconds))
        return world.context(cookie, id, occurred_at=at, device_id=f"{world.run}-d")

    await world.one(Page(context=context("b", 0, "pb"), url="https://x.example/"))
    for cookie, seconds in (("a", 60), ("b", 5400)):
        said = world.said(cookie, seconds, f"user_id:{cookie}")
        said = said.model_copy(update={"context": context(cookie, seconds, f"i{cookie}")})
        await world.one(said, SERVER)
    told = (await world.look("pb"))["attribution"]["explanation"]
    assert told == (
        "Counted as nobody's because somebody identified on this browser 90 minutes later, and "
        "on a device that others use, too, only what was done within 30 minutes before that is "
        "counted as theirs."
    )
    assert told in await why.reasons(f"event_{world.run}-pb", await world.owner("ib"))


async def test_a_link_that_fell_because_another_was_restored(why: Why) -> None:
    world = why.world
    await world.identified("a", "i1", "jo")
    link = await world.link_of("i1")
    await world.changed("severLink", id=link, reason="His wife")
    await world.identified("a", "i2", "jo")
    second = await world.link_of("i2")
    assert second != link
    await world.changed("restoreLink", id=link, reason="It was he")
    assert await world.link_of("i2") == link
    told = (await world.node(second))["explanation"]
    assert "; what was so before counts again, since somebody here took back what had" in told
    assert told.endswith("(It was he).")
