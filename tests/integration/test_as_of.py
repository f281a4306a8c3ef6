"""Whoever somebody was: in the world on a day, and to us on a day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphid.api.execution import Request, answer
from graphid.api.limits import MAX_COST, WORKED_OUT
from graphid.auth.keys import Caller
from graphid.auth.scopes import SERVER as EVERY_SCOPE
from graphid.auth.scopes import Scope
from graphid.graph.database import Address, Database
from graphid.graph.policies import Policies
from graphid.identity.policy import PolicyVersion, parse_policy
from graphid.identity.values import SECOND, Micros
from graphid.service.messages import Author, ChatMessage, EndChat, StartChat, Traits
from graphid.service.past.as_of import AsOf
from tests.integration.asking import installation, time_of
from tests.integration.operating import Operating
from tests.integration.test_audit import AUDIT, Audited
from tests.integration.test_erasing import erased
from tests.integration.test_ingest import SERVER
from tests.integration.test_parked import Limited

PERSON = """query ($id: ID!, $at: DateTime, $known: DateTime) {
  person(id: $id, at: $at, asKnownAt: $known) { id kind displayName mergedFrom
    identifiers { type value }
    contacts { id person { id } }
    links(first: 50) { id kind state endedAt retractedBy }
    journey { edges { node { messageId person { id } attribution { basis } } } } } }"""
MINUTE = 60 * SECOND


class Remembering(Operating):
    """An operator who looks back."""

    async def was(
        self, id: str, *, at: Micros | None = None, known: Micros | None = None
    ) -> dict[str, Any] | None:
        axes = {
            name: time_of(given).isoformat()
            for name, given in (("at", at), ("known", known))
            if given is not None
        }
        found: dict[str, Any] | None = (await self.ask(PERSON, id=id, **axes))["person"]
        return found

    async def id_of(self, id: str, **axes: Micros) -> str | None:
        found = await self.was(id, **axes)
        return None if found is None else found["id"]

    async def failure(self, document: str, **variables: Any) -> dict[str, Any]:
        """The one error of a request."""
        found = await answer(Request(document, variables), self.request_context(), may_change=True)
        (error,) = found.body["errors"]
        failed: dict[str, Any] = error
        return failed

    def pause(self) -> Micros:
        """A moment between what was and what is to come."""
        self.now += MINUTE
        return self.now


@pytest.fixture
async def world(database: Address) -> AsyncIterator[Remembering]:
    async with installation(database, server_warnings=False) as (connected, ids):
        yield Remembering(connected, ids)


def lines(person: dict[str, Any] | None) -> list[str]:
    """The messages of a journey, without the world's name, the oldest first."""
    assert person is not None
    edges = person["journey"]["edges"]
    return [edge["node"]["messageId"].partition("-")[2] for edge in reversed(edges)]


async def test_a_late_identify_was_so_in_the_world_before_anybody_knew(
    world: Remembering,
) -> None:
    """The axes part where something is learned late."""
    await world.seen("a", "p1")
    came = world.pause()
    world.pause()
    await world.seen("a", "p2")
    before = world.pause()
    said = world.identify("a", "jo", "jo")
    told = {"context": world.context("a", "jo", occurred_at=time_of(came))}
    await world.one(said.model_copy(update=told), SERVER)
    after = world.pause()
    visitor = world.birth("a")
    jo = await world.id_of(visitor)
    assert jo is not None
    assert jo.startswith("person_")
    assert await world.id_of(visitor, at=before) == jo
    assert await world.id_of(visitor, at=came - 1) == visitor
    assert await world.id_of(visitor, known=before) == visitor
    assert await world.id_of(visitor, known=after) == jo
    # What we know now of a day, what we knew by then of a day, and what we knew.
    assert lines(await world.was(jo, at=before)) == ["p1", "jo", "p2"]
    assert lines(await world.was(jo, at=came)) == ["p1", "jo"]
    assert lines(await world.was(visitor, at=came - 1)) == ["p1"]
    assert lines(await world.was(visitor, known=before)) == ["p1", "p2"]
    assert lines(await world.was(visitor, known=before, at=came)) == ["p1"]
    assert await world.was(jo, known=before) is None
    assert await world.was(jo, at=came - 1) is None


async def test_a_merge_that_was_taken_back_had_been_known(world: Remembering) -> None:
    jo, kim = await world.two()
    apart = world.pause()
    merged = await world.changed("mergePeople", ids=[jo, kim])
    joined = world.pause()
    (one,) = merged["after"]
    assert await world.id_of(jo, at=joined) == await world.id_of(kim, at=joined) == one["id"]
    assert await world.id_of(jo, at=apart) != await world.id_of(kim, at=apart)
    await world.changed("unmerge", id=merged["operationId"])
    parted = world.pause()
    # The judgement is about all time, so in the world they never were one; but we thought so.
    for moment in (apart, joined, parted):
        assert await world.id_of(jo, at=moment) != await world.id_of(kim, at=moment)
    assert await world.id_of(jo, known=apart) != await world.id_of(kim, known=apart)
    assert await world.id_of(jo, known=joined) == await world.id_of(kim, known=joined) == one["id"]
    assert await world.id_of(jo, known=parted) != await world.id_of(kim, known=parted)
    both = await world.was(kim, known=joined)
    assert both is not None
    assert both["mergedFrom"] == one["mergedFrom"] != []
    assert {contact["person"]["id"] for contact in both["contacts"]} == {one["id"]}
    assert lines(both) == ["pa", "jo", "pb", "pb2", "kim", "act-1"]
    # An operator acts when it is recorded: before that, by what we knew, they were two.
    assert await world.id_of(jo, known=joined, at=apart) != await world.id_of(
        kim, known=joined, at=apart
    )


async def test_what_an_operator_takes_away_was_theirs_until_then(world: Remembering) -> None:
    await world.two()
    before = world.pause()
    link = await world.link_of("pb")
    kim = await world.id_of(await world.contact_of("kim"))
    assert kim is not None
    severed = await world.changed("severLink", id=link)
    after = world.pause()
    visitor = world.birth("b")
    assert await world.id_of(visitor, at=before) == kim
    assert await world.id_of(visitor, at=after) == visitor
    assert await world.id_of(visitor, known=before) == kim
    assert await world.id_of(visitor, known=after) == visitor
    for axes in ({"at": before}, {"known": before}):
        then = await world.was(kim, **axes)
        assert lines(then) == ["pb", "pb2", "kim"]
        assert state_of(then, link) == ("ACTIVE", None)
    for axes in ({"at": after}, {"known": after}):
        then = await world.was(kim, **axes)
        assert lines(then) == ["act-1"]
        assert state_of(then, link) == ("SEVERED", severed["operationId"])
    await world.changed("restoreLink", id=link)
    # As if it had not been: but we had thought so.
    assert await world.id_of(visitor, at=after) == kim
    assert await world.id_of(visitor, known=after) == visitor
    assert lines(await world.was(visitor, known=after)) == ["pb", "pb2", "kim", "act-1"]


def state_of(person: dict[str, Any] | None, id: str) -> tuple[str, str | None]:
    assert person is not None
    (link,) = [link for link in person["links"] if link["id"] == id]
    return link["state"], link["retractedBy"]


async def test_a_link_is_over_only_after_the_logout(world: Remembering) -> None:
    await world.identified("a", "jo", "jo")
    here = world.pause()
    await world.one(world.logout("a", 0).model_copy(update={"context": world.context("a", "bye")}))
    gone = world.pause()
    link, jo = await world.link_of("jo"), await world.owner("jo")
    for axes in ({"at": here}, {"known": here}):
        assert state_of(await world.was(jo, **axes), link)[0] == "ACTIVE"
    for axes in ({"at": gone}, {"known": gone}):
        assert state_of(await world.was(jo, **axes), link)[0] == "ENDED"
    assert lines(await world.was(jo, at=here)) == ["jo"]
    assert lines(await world.was(jo, at=gone)) == ["jo", "bye"]


CHATS = """query ($id: ID!, $at: DateTime, $known: DateTime) {
  person(id: $id, at: $at, asKnownAt: $known) {
    chats { edges { node { endedAt messages { edges { node { text } } } } } } } }"""


async def chats(
    world: Remembering, id: str, **axes: Micros
) -> list[tuple[Micros | None, list[str]]]:
    """Of each chat of theirs when it ended, in this world's seconds, and what was said in it."""
    moments = {name: time_of(given).isoformat() for name, given in axes.items()}
    found = (await world.ask(CHATS, id=id, **moments))["person"]["chats"]["edges"]
    return [
        (
            node["endedAt"] and (micros_of(node["endedAt"]) - world.at(0)) // SECOND,
            [line["node"]["text"] for line in node["messages"]["edges"]],
        )
        for node in (edge["node"] for edge in found)
    ]


def micros_of(text: str) -> Micros:
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


async def test_a_chat_that_was_ended_twice_was_over_at_the_first(world: Remembering) -> None:
    """And stays whoever's it was then, also in the past: whoever came later was never in it."""
    chat = f"{world.run}-chat"
    await world.one(StartChat(context=world.where("a", 0, "begun"), chat_id=chat))
    await world.one(world.said("a", 5, "user_id:jane"), SERVER)
    said = ChatMessage(
        chat_id=chat, author=Author.CUSTOMER, text="a secret", occurred_at=time_of(world.at(6))
    )
    await world.one(said, SERVER)
    await world.one(EndChat(chat_id=chat, occurred_at=time_of(world.at(10))), SERVER)
    await world.one(world.logout("a", 20), SERVER)
    bob_said = world.said("a", 21, "user_id:bob").model_copy(
        update={"context": world.where("a", 21, "bob")}
    )
    await world.one(bob_said, SERVER)
    once = world.pause()
    await world.one(EndChat(chat_id=chat, occurred_at=time_of(world.at(30))), SERVER)
    twice = world.pause()
    jane, bob = await world.owner("begun"), await world.owner("bob")
    for axes in (
        {},
        {"at": twice + MINUTE},
        {"at": world.at(30)},
        {"known": once},
        {"known": twice},
    ):
        assert await chats(world, jane, **axes) == [(10, ["a secret"])], axes
        assert await chats(world, bob, **axes) == [], axes
    assert await chats(world, jane, at=world.at(9)) == [(None, ["a secret"])]


SENTENCES = """query ($id: ID!, $at: DateTime, $known: DateTime) {
  person(id: $id, at: $at, asKnownAt: $known) { links(state: ACTIVE) { explanation }
    journey { edges { node { attribution { explanation } } } } } }"""


async def late_evidence(world: Remembering) -> None:
    """The number turns out to have been another person's before."""
    await world.one(world.said("b", 1, "crm_account_id:9", "user_id:kim"), SERVER)


async def block(world: Remembering) -> None:
    value = f"{world.run}-9"
    await world.changed("blockIdentifier", type="crm_account_id", value=value)


async def sever(world: Remembering) -> None:
    person = await world.id_of(world.birth("a"))
    assert person is not None
    for link in await world.links(person, "HAS_IDENTIFIER"):
        if link["to"]["value"] == f"{world.run}-9":
            await world.changed("severLink", id=link["id"])


@pytest.mark.parametrize("happened", [late_evidence, block, sever])
async def test_sentences_of_the_past_name_what_was_held_then(
    world: Remembering, happened: Callable[[Remembering], Awaitable[None]]
) -> None:
    named = ("crm_account_id:9", "email:jo@x.example", "user_id:jo")
    await world.one(world.said("a", 10, *named), SERVER)
    known, id = world.pause(), world.birth("a")
    before = await world.ask(SENTENCES, id=id)
    await happened(world)
    world.pause()
    assert await world.ask(SENTENCES, id=id, known=time_of(known).isoformat()) == before
    now = await world.ask(SENTENCES, id=id)
    assert now["person"]["journey"] != before["person"]["journey"]
    assert await world.ask(SENTENCES, id=id, known=time_of(world.now).isoformat()) == now
    assert await world.ask(SENTENCES, id=id, at=time_of(world.now).isoformat()) == now


async def test_who_is_erased_never_was(world: Remembering) -> None:
    jo, kim = await world.two()
    before = world.pause()
    visitor = world.birth("a")
    await erased(world, jo)
    after = world.pause()
    for axes in ({"at": before}, {"known": before}, {"at": before, "known": before}):
        assert await world.was(jo, **axes) is None
        there = await world.was(visitor, **axes)
        assert there is not None
        assert (there["id"], there["identifiers"], there["contacts"]) == (visitor, [], [])
        assert await world.id_of(kim, **axes) is not None
    assert await world.was(jo, known=after) is None


async def test_evidence_is_folded_by_the_policy_that_it_is_stamped_with(
    world: Remembering,
) -> None:
    """Another policy now changes nothing of what was known."""

    class Strict(Policies):
        async def current(self) -> PolicyVersion:
            return PolicyVersion(2, parse_policy({"blocked": ["user_id:*"]}), 0)

    await world.identified("a", "jo", "jo")
    jo, known = await world.owner("jo"), world.pause()
    policies = Strict(world.database)
    world.past = AsOf(world.database, policies, world.ids, lambda: world.now)
    assert await world.id_of(world.birth("a"), known=known) == jo


async def test_ids_mean_whom_they_meant_then(world: Remembering) -> None:
    await world.identified("a", "jo", "jo")
    await world.identified("b", "kim", "kim@x.example", type="email")
    jo, kim = await world.owner("jo"), await world.owner("kim")
    apart = world.pause()
    merged = await world.changed("mergePeople", ids=[jo, kim])
    world.pause()
    (one,) = merged["after"]
    for id in (jo, kim):
        assert await world.id_of(id) == one["id"]
        assert await world.id_of(id, at=apart) == id
        assert await world.id_of("contact_" + id.partition("_")[2], at=apart) == id
        assert await world.id_of(id, known=apart) == id


@pytest.mark.parametrize("axis", ["at", "known"])
@pytest.mark.parametrize(
    "id", ["person_0", "contact_0", "visitor_0", "visitor_0~unclaimed", "link_1", "", "é\u0000x"]
)
async def test_what_was_never_given_out_was_nobody(world: Remembering, axis: str, id: str) -> None:
    assert await world.was(id, **{axis: world.now}) is None


async def test_nobody_was_there_before_anything_happened(world: Remembering) -> None:
    long_ago = world.now
    world.pause()
    await world.seen("a", "p")
    await world.identified("a", "jo", "jo")
    jo = await world.owner("jo")
    for id in (jo, world.birth("a")):
        for axis in ("at", "known"):
            assert await world.was(id, **{axis: long_ago}) is None
            assert (await world.ask(PERSON, id=id, **{axis: "0001-01-01T00:00:00Z"}))[
                "person"
            ] is None


async def test_what_will_be_known_is_not_asked_for(world: Remembering) -> None:
    await world.identified("a", "jo", "jo")
    jo = await world.owner("jo")
    later = time_of(world.now + 1).isoformat()
    error = await world.failure(PERSON, id=jo, known=later)
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert error["extensions"]["path"] == ["asKnownAt"]
    assert "future" in error["message"]
    assert await world.id_of(jo, at=world.now + 1) == jo


@pytest.mark.parametrize("axis", ["at", "known"])
@pytest.mark.parametrize("moment", ["yesterday", "2026-03-01T09:30:00", 7, "-1", ""])
async def test_a_moment_is_a_time_with_an_offset(
    world: Remembering, axis: str, moment: object
) -> None:
    error = await world.failure(PERSON, id="person_0", **{axis: moment})
    assert "DateTime" in error["message"]


async def test_more_than_may_be_folded_is_told_with_the_limit(world: Remembering) -> None:
    for number in range(4):
        await world.identified("a", f"m{number}", "jo")
    jo = await world.owner("m0")
    world.past = AsOf(world.database, Limited(world.database, 3), world.ids, lambda: world.now)
    error = await world.failure(PERSON, id=jo, known=time_of(world.now).isoformat())
    assert error["extensions"]["code"] == "TOO_LARGE"
    assert error["extensions"]["path"] == ["asKnownAt"]
    assert "More than 3 pieces" in error["message"]
    assert "refold.max_evidence" in error["message"]
    assert await world.id_of(jo, at=world.now) == jo
    world.past = AsOf(world.database, Limited(world.database, 4), world.ids, lambda: world.now)
    assert await world.id_of(jo, known=world.now) == jo


async def test_what_is_worked_out_anew_costs(world: Remembering) -> None:
    most = MAX_COST // WORKED_OUT["asKnownAt"]
    asked = 'a%d: person(id: "person_0", asKnownAt: "2026-01-01T00:00:00Z") { id }'
    await world.ask("{ " + " ".join(asked % number for number in range(most - 1)) + " }")
    error = await world.failure("{ " + " ".join(asked % n for n in range(most)) + " }")
    assert error["extensions"]["code"] == "TOO_LARGE"


async def test_each_field_has_a_past_of_its_own(world: Remembering) -> None:
    """Two moments and the present in one request do not see each other."""
    await world.seen("a", "p")
    before = world.pause()
    await world.identified("a", "jo", "jo")
    visitor = world.birth("a")
    found = await world.ask(
        """query ($id: ID!, $then: DateTime) {
          then: person(id: $id, at: $then) { id journey { edges { node { person { id } } } } }
          known: person(id: $id, asKnownAt: $then) { id journey { edges { node { id } } } }
          now: person(id: $id) { id journey { edges { node { person { id } } } } } }""",
        id=visitor,
        then=time_of(before).isoformat(),
    )
    jo = await world.owner("jo")
    assert (found["then"]["id"], found["known"]["id"], found["now"]["id"]) == (visitor, visitor, jo)
    assert [e["node"]["person"]["id"] for e in found["then"]["journey"]["edges"]] == [visitor]
    assert [e["node"]["person"]["id"] for e in found["now"]["journey"]["edges"]] == [jo, jo]


async def test_whoever_may_not_see_identifiers_does_not_see_those_of_the_past(
    world: Remembering,
) -> None:
    await world.identified("a", "jo", "jo@home.example", type="email")
    jo = await world.owner("jo")
    world.caller = Caller("sk:viewing", EVERY_SCOPE - {Scope.IDENTIFIER_VIEW}, False)
    for axes in ({"at": world.now}, {"known": world.now}):
        told = repr(await world.was(jo, **axes))
        assert f"{world.run}-jo@" not in told
        assert "***@home.example" in told
        assert jo in told


async def test_reads_of_the_past_are_told_to_the_audit(operator: Operating) -> None:
    world = Audited(operator.database, operator.ids)
    await world.identified("a", "jo", "jo")
    jo = await world.owner("jo")
    await world.did(PERSON, id=world.birth("a"), at=time_of(world.now).isoformat())
    (entry,) = (await world.did(AUDIT, subject=jo))["audit"]["edges"]
    assert entry["node"]["action"] == "person"
    assert jo in entry["node"]["subjects"]


async def test_whose_a_cookie_was_agrees_with_who_they_were(world: Remembering) -> None:
    """`personByCookie(at:)` tells whose the moment is, as everything is known and done now; who
    had identified by then is the same person."""
    await world.seen("a", "p")
    await world.identified("a", "jo", "jo")
    here = world.pause()
    await world.one(world.logout("a", 0).model_copy(update={"context": world.context("a", "bye")}))
    await world.identified("a", "kim", "kim")
    there = world.pause()
    for moment, message in ((here, "jo"), (there, "kim")):
        found = await world.ask(
            """query ($cookie: ID!, $at: DateTime) {
              personByCookie(cookieId: $cookie, at: $at) { id } }""",
            cookie=f"{world.run}-a",
            at=time_of(moment).isoformat(),
        )
        person = found["personByCookie"]["id"]
        assert person == await world.owner(message)
        assert await world.id_of(person, at=moment) == person


async def test_nobody_used_a_cookie_before_it_was_first_seen(world: Remembering) -> None:
    await world.seen("a", "p")
    await world.identified("a", "jo", "jo")
    (cookie,) = await world.rows(
        "MATCH (c:Cookie {id: $id}) RETURN c.firstSeenAt AS at", id=f"{world.run}-a"
    )
    asked = "query ($c: ID!, $at: DateTime) { personByCookie(cookieId: $c, at: $at) { id } }"
    for before, expected in ((0, await world.owner("jo")), (1, None), (40 * 86_400_000_000, None)):
        at = time_of(cookie["at"] - before).isoformat()
        found = (await world.ask(asked, c=f"{world.run}-a", at=at))["personByCookie"]
        assert (found and found["id"]) == expected


class Counting(Database):
    """Counts the trips."""

    trips: list[str]

    async def read_rows(self, query: Any, /, **parameters: Any) -> list[dict[str, Any]]:
        self.trips.append(query.name)
        return await super().read_rows(query, **parameters)


async def test_trips_do_not_grow_with_what_was_there(world: Remembering, database: Any) -> None:
    counting = await Counting.connect(database, timeout=60)
    assert isinstance(counting, Counting)
    counting.trips = []
    policies = Policies(counting, elapsed=lambda: 0.0)
    world.past = AsOf(counting, policies, world.ids, lambda: world.now)
    await policies.current()
    counts: dict[str, list[list[str]]] = {"at": [], "known": []}
    for visitors in (1, 7):
        for number in range(visitors):
            await world.seen(f"c{visitors}-{number}", f"p{visitors}-{number}")
            await world.identified(f"c{visitors}-{number}", f"i{visitors}-{number}", f"j{visitors}")
        person = await world.owner(f"i{visitors}-0")
        for axis, counted in counts.items():
            counting.trips.clear()
            assert len(lines(await world.was(person, **{axis: world.now}))) == 2 * visitors
            counted.append(sorted(counting.trips))
    await counting.close()
    assert counts["at"][0] == counts["at"][1], counts
    assert counts["known"][0] == counts["known"][1], counts


async def test_a_curators_word_comes_first_then_and_now(world: Remembering) -> None:
    """Whatever is said of another contact of the same person, however late."""
    await world.identified("a", "jo", "jo@x.example", type="email")
    record = world.record("1", 0, "email:jo@x.example", curated=True).model_copy(
        update={"traits": Traits(first_name="Johanna"), "occurred_at": None}
    )
    await world.one(record, SERVER)
    said = world.identify("a", "jo", "again").model_copy(
        update={
            "traits": Traits(first_name="Jo"),
            "identifiers": (world.claim("email", "jo@x.example"),),
        }
    )
    await world.one(said, SERVER)
    jo = await world.owner("jo")
    for axes in ({}, {"at": world.now}, {"known": world.now}):
        person = await world.was(jo, **axes)
        assert person is not None
        assert person["displayName"] == "Johanna"


async def on_device(world: Remembering, cookie: str, name: str, *, seen: bool = False) -> None:
    """Somebody is at a device that all share: sees a page, or identifies."""
    device = f"{world.run}-device"
    context = world.context(cookie, name, device_id=device)
    if seen:
        await world.one(world.page(cookie, 0).model_copy(update={"context": context}))
    else:
        said = world.identify(cookie, name).model_copy(update={"context": context})
        await world.one(said, SERVER)


@pytest.mark.parametrize("others", [1, 44])
async def test_whoever_shares_a_device_bears_on_what_was_known(
    world: Remembering, others: int
) -> None:
    """Nothing else joins them; and of a crowd no more is folded than shows that it is one."""
    await on_device(world, "a", "first", seen=True)
    alone = world.now
    for number in range(others):
        await on_device(world, f"c{number}", f"other{number}")
    for _ in range(60):
        world.pause()
    await on_device(world, "a", "jo")
    jo = await world.owner("jo")
    # On a shared device nobody claims an hour back.
    assert lines(await world.was(jo)) == ["jo"]
    world.past = AsOf(world.database, Limited(world.database, 30), world.ids, lambda: world.now)
    assert lines(await world.was(jo, known=world.now)) == ["jo"]
    visitor = world.birth("a")
    assert lines(await world.was(visitor, known=alone)) == ["first"]
