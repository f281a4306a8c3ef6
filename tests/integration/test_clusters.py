"""Neighbourhoods: what is around somebody, fairly and always the same, and what is worth a look."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from graphid.api.execution import Request, answer
from graphid.auth.keys import Caller
from graphid.auth.scopes import Scope
from graphid.graph.database import Unit
from graphid.identity.values import SECOND
from graphid.service.clusters import clusters as clusters_module
from graphid.service.clusters import signals
from graphid.service.clusters.reading import MOST
from graphid.service.clusters.records import EdgeKind
from graphid.service.messages import Identify, Page
from tests.crowds import WRITE, Crowd
from tests.integration.asking import Asked, time_of
from tests.integration.test_ingest import BROWSER, SERVER

MINUTE = 60
DAY = 24 * 60 * MINUTE

CLUSTER = """query ($around: ID!, $hops: Int, $nodes: Int) {
  cluster(around: $around, maxHops: $hops, maxNodes: $nodes) {
    id people devices truncated omitted omittedIsExact omittedEdges anonymousCookies
    nodes { __typename
      ... on Person { id kind displayName } ... on Device { id firstSeenAt lastSeenAt }
      ... on Contact { id source state } ... on Cookie { id }
      ... on IdentifierNode { id type value } }
    edges { id from to kind state weight assurance links } } }"""

SIGNALS = """query ($around: ID!) {
  cluster(around: $around) { signals { kind score explanation evidence } } }"""

EVENT = "query ($id: ID!) { event(messageId: $id) { type } }"

ANALYST = Caller("sk:analyst", frozenset({Scope.GRAPH_VIEW}), False)
AGENT = Caller("sk:agent", frozenset({Scope.JOURNEY_VIEW, Scope.IDENTIFIER_VIEW}), False)


class Neighbourhood:
    """A world whose cookies lie on devices."""

    def __init__(self, asked: Asked) -> None:
        self.world = asked
        self.run = asked.run
        self._is_crowded = False

    def named(self, name: str) -> str:
        return f"{self.run}-{name}"

    async def identified(
        self, device: str | None, cookie: str, at: int, *identifiers: str, server: bool = True
    ) -> None:
        """Somebody identified themselves on a device, so many seconds after this world began."""
        place = None if device is None else self.named(device)
        said = Identify(
            context=self.world.context(
                cookie, device_id=place, occurred_at=time_of(self.world.at(at))
            ),
            identifiers=self.world.claims(identifiers),
        )
        receipt = await self.world.one(said, SERVER if server else BROWSER)
        assert receipt.problem is None, receipt

    async def seen(self, device: str, cookie: str, at: int) -> None:
        """A page was seen there."""
        context = self.world.context(
            cookie, device_id=self.named(device), occurred_at=time_of(self.world.at(at))
        )
        await self.world.one(Page(context=context, url="https://shop.example/"))

    def crowd(self) -> Crowd:
        return Crowd(self.run)

    async def write(self, crowd: Crowd) -> None:
        self._is_crowded = True
        for uses in crowd.batches():

            async def work(unit: Unit, uses: list[Any] = uses) -> None:
                await unit.run_text(WRITE, uses=uses)

            await self.world.database.write(work, timeout=60)

    async def join(self, one: str, other: str) -> None:
        """The contact of one of a crowd is that of another besides."""

        async def work(unit: Unit) -> None:
            await unit.run_text(
                """MATCH (one:Person {id: 'person_' + $one})
                   MATCH (contact:Contact {id: 'contact_' + $other})-[belongs:BELONGS_TO]->(other)
                   MERGE (contact)-[:BELONGS_TO]->(one)
                   DELETE belongs, other""",
                one=one,
                other=other,
            )

        await self.world.database.write(work, timeout=60)

    async def disperse(self) -> None:
        """Delete a crowd, if there was one: later tests look through the whole database."""

        async def work(unit: Unit) -> None:
            await unit.run_text(
                "MATCH (n) WHERE coalesce(n.id, n.messageId) CONTAINS $run DETACH DELETE n",
                run=self.run,
            )

        if self._is_crowded:
            await self.world.database.write(work, timeout=60)

    async def holding(self, identifier: str) -> dict[str, Any]:
        type, _, value = identifier.partition(":")
        found = await self.world.ask(
            """query ($type: String!, $value: String!) { personByIdentifier(type: $type,
                 value: $value) { id contacts { id } links(first: 100) { id kind
                   to { __typename ... on IdentifierNode { id } } } } }""",
            type=type,
            value=self.named(value),
        )
        person: dict[str, Any] = found["personByIdentifier"]
        return person

    async def around(
        self, id: str, *, hops: int | None = None, nodes: int | None = None
    ) -> dict[str, Any]:
        found = await self.world.ask(CLUSTER, around=id, hops=hops, nodes=nodes)
        cluster: dict[str, Any] = found["cluster"]
        return cluster

    async def signalled(self, id: str) -> list[dict[str, Any]]:
        """All signals, the highest first."""
        found = await self.world.ask(SIGNALS, around=id)
        signalled: list[dict[str, Any]] = found["cluster"]["signals"]
        return signalled

    async def signals(self, id: str) -> dict[str, dict[str, Any]]:
        """The signals, by kind, the highest of each."""
        return {signal["kind"]: signal for signal in reversed(await self.signalled(id))}

    async def refused(self, id: str, **arguments: Any) -> dict[str, Any]:
        """What is wrong with a request."""
        given = {"around": id, **arguments}
        request = Request(CLUSTER, given)
        body = (await answer(request, self.world.request_context(), may_change=False)).body
        (error,) = body["errors"]
        return {"message": error["message"], **error["extensions"]}

    async def household(self) -> None:
        """Jo on a phone and the tablet, Kim on the tablet, and the CRM's record of Jo."""
        await self.world.one(self.world.record("jo", 0, "crm_id:jo", "email:jo@x.example"), SERVER)
        await self.identified("phone", "phone", 10, "crm_id:jo")
        await self.identified("tablet", "tablet", 20, "email:jo@x.example", server=False)
        await self.world.one(self.world.logout("tablet", 30))
        await self.identified("tablet", "tablet", DAY, "email:kim@x.example")
        await self.identified("tablet", "other", DAY + 60, "email:kim@x.example")


@pytest.fixture
async def near(asked: Asked) -> AsyncIterator[Neighbourhood]:
    asked.now += 400 * DAY * SECOND  # nothing below is later than its receipt
    neighbourhood = Neighbourhood(asked)
    yield neighbourhood
    await neighbourhood.disperse()


def types(cluster: dict[str, Any]) -> Counter[str]:
    return Counter(node["__typename"] for node in cluster["nodes"])


def ids(cluster: dict[str, Any]) -> list[str]:
    return [node["id"] for node in cluster["nodes"]]


def edges(cluster: dict[str, Any], kind: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(e["from"], e["to"]): e for e in cluster["edges"] if e["kind"] == kind}


# ---------------------------------------------------------------------- what is drawn


async def test_a_household_around_its_tablet(near: Neighbourhood) -> None:
    await near.household()
    jo, kim = await near.holding("crm_id:jo"), await near.holding("email:kim@x.example")
    tablet, phone = near.named("tablet"), near.named("phone")
    cluster = await near.around(tablet)
    assert cluster["id"] == f"cluster~{tablet}"
    assert (cluster["people"], cluster["devices"]) == (2, 2)
    # The tablet; who used it, the latest first; what is next to them.
    assert ids(cluster)[:4] == [tablet, kim["id"], jo["id"], kim["contacts"][0]["id"]]
    assert types(cluster) == {"Device": 2, "Person": 2, "Contact": 2, "IdentifierNode": 3}
    used = edges(cluster, "USED_BY")
    assert {ends: edge["weight"] for ends, edge in used.items()} == {
        (tablet, kim["id"]): 2,
        (tablet, jo["id"]): 1,
        (phone, jo["id"]): 1,
    }
    assert used[tablet, jo["id"]]["state"] == "ENDED"
    assert used[tablet, jo["id"]]["assurance"] == "CLAIMED"
    assert used[tablet, kim["id"]]["state"] == "ACTIVE"
    assert used[phone, jo["id"]]["assurance"] == "ASSERTED"
    (contact,) = jo["contacts"]
    assert (contact["id"], jo["id"]) in edges(cluster, "BELONGS_TO")
    held = {edge["to"] for ends, edge in edges(cluster, "HAS_IDENTIFIER").items()}
    assert held == {n["id"] for n in cluster["nodes"] if n["__typename"] == "IdentifierNode"}
    assert len({edge["id"] for edge in cluster["edges"]}) == len(cluster["edges"])
    assert not cluster["truncated"]
    assert (cluster["omitted"], cluster["omittedIsExact"], cluster["omittedEdges"]) == (0, True, 0)


async def test_an_edge_names_links_that_can_be_asked_for(near: Neighbourhood) -> None:
    await near.household()
    cluster = await near.around(near.named("tablet"))
    for edge in cluster["edges"]:
        assert len(edge["links"]) == (0 if edge["kind"] == "BELONGS_TO" else edge["weight"])
        for link in edge["links"]:
            assert (await near.world.node(link))["state"] in ("ACTIVE", "ENDED")


async def test_the_cluster_is_one_from_wherever_it_is_asked_for(near: Neighbourhood) -> None:
    await near.household()
    kim = await near.holding("email:kim@x.example")
    jo = await near.holding("crm_id:jo")
    (contact,) = jo["contacts"]
    (identifier,) = [
        link["to"]["id"] for link in kim["links"] if link["to"]["__typename"] == "IdentifierNode"
    ]
    whole = {*ids(await near.around(near.named("tablet")))}
    centres = {
        near.named("tablet"): near.named("tablet"),
        near.named("phone"): near.named("phone"),
        jo["id"]: jo["id"],
        contact["id"]: contact["id"],
        identifier: identifier,
        near.world.birth("tablet"): jo["id"],  # a visitor's is its owner's
    }
    for asked_for, centre in centres.items():
        cluster = await near.around(asked_for, hops=6)
        assert ids(cluster)[0] == centre
        assert {*ids(cluster)} == whole, asked_for
    # A cookie is a node of its own cluster only.
    cookie = near.named("other")
    around = await near.around(cookie, hops=6)
    assert {*ids(around)} == {*whole, cookie}
    assert (cookie, near.named("tablet")) in edges(around, "ON_DEVICE")
    assert (cookie, kim["id"]) in edges(around, "USED_BY")


async def test_a_cookie_without_a_device_stands_for_it(near: Neighbourhood) -> None:
    await near.identified(None, "lonely", 0, "email:lo@x.example")
    lo = await near.holding("email:lo@x.example")
    cluster = await near.around(lo["id"])
    assert (near.named("lonely"), lo["id"]) in edges(cluster, "USED_BY")
    assert types(cluster)["Cookie"] == 1


async def test_an_anonymous_visitor_is_its_cookies(near: Neighbourhood) -> None:
    await near.household()
    for number in range(3):
        await near.seen("tablet", f"private-{number}", 2 * DAY + number)
    cluster = await near.around(near.world.birth("private-0"), hops=6)
    assert ids(cluster)[:2] == [near.named("private-0"), near.named("tablet")]
    assert cluster["people"] == 2
    assert cluster["anonymousCookies"] == 3


async def test_an_id_that_was_merged_away_leads_on(near: Neighbourhood) -> None:
    await near.identified("d1", "c1", 0, "user_id:one")
    await near.identified("d2", "c2", 10, "email:two@x.example")
    one, two = await near.holding("user_id:one"), await near.holding("email:two@x.example")
    await near.identified("d3", "c3", 20, "user_id:one", "email:two@x.example")
    cluster = await near.around(two["id"])
    assert ids(cluster)[0] == one["id"]
    assert cluster["people"] == 1
    assert cluster["devices"] == 3
    ((_, edge),) = edges(cluster, "SAME_AS").items()
    assert edge["state"] == "ACTIVE"


async def test_what_was_withdrawn_leads_nowhere(near: Neighbourhood) -> None:
    await near.household()
    jo = await near.holding("crm_id:jo")
    cluster = await near.around(near.named("tablet"))
    (link,) = edges(cluster, "USED_BY")[near.named("tablet"), jo["id"]]["links"]
    await near.world.ask(
        """mutation ($id: ID!) { severLink(id: $id, reason: "it was not they") { __typename } }""",
        id=link,
    )
    after = await near.around(near.named("tablet"), hops=6)
    assert jo["id"] not in ids(after)
    assert after["people"] == 1
    assert {n["id"] for n in (await near.around(jo["id"], hops=6))["nodes"]}.isdisjoint(
        {near.named("tablet")}
    )


async def test_two_who_are_kept_apart_are_drawn_so(near: Neighbourhood) -> None:
    await near.identified("d", "c1", 0, "email:one@x.example")
    await near.identified("d", "c2", 10, "user_id:two")
    one, two = await near.holding("email:one@x.example"), await near.holding("user_id:two")
    merged = await near.world.ask(
        """mutation ($ids: [ID!]!) { mergePeople(ids: $ids, reason: "a look alike") {
             ... on Change { operationId } } }""",
        ids=[one["id"], two["id"]],
    )
    await near.world.ask(
        """mutation ($id: ID!) { unmerge(id: $id, reason: "two after all") { __typename } }""",
        id=merged["mergePeople"]["operationId"],
    )
    cluster = await near.around(near.named("d"))
    assert cluster["people"] == 2
    apart = edges(cluster, "NOT_SAME_AS")
    contacts = {one["contacts"][0]["id"], two["contacts"][0]["id"]}
    assert {frozenset(ends) for ends in apart} == {frozenset(contacts)}
    assert all(edge["state"] == "SEVERED" for edge in edges(cluster, "SAME_AS").values())


# ---------------------------------------------------------------------- bounds


async def test_hops_and_nodes_bound_it(near: Neighbourhood) -> None:
    await near.household()
    tablet = near.named("tablet")
    assert types(await near.around(tablet, hops=1)) == {"Device": 1, "Person": 2}
    alone = await near.around(tablet, nodes=1)
    assert types(alone) == {"Device": 1}
    assert alone["truncated"]
    assert (alone["omitted"], alone["omittedIsExact"]) == (2, False)
    three = await near.around(tablet, hops=2, nodes=4)
    # One of the three that lie two hops away; the others are all that is left out.
    assert (len(three["nodes"]), three["omitted"], three["omittedIsExact"]) == (4, 2, True)


async def test_the_same_graph_gives_the_same_answer(near: Neighbourhood) -> None:
    await near.household()
    await near.seen("tablet", "private", 2 * DAY)
    for centre in (near.named("tablet"), (await near.holding("crm_id:jo"))["id"]):
        for nodes in (3, 6, 300):
            first = await near.around(centre, nodes=nodes)
            assert json.dumps(first) == json.dumps(await near.around(centre, nodes=nodes))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"nodes": 1_000_000}, "maxNodes must be from 1 to 1000."),
        ({"nodes": 0}, "maxNodes must be from 1 to 1000."),
        ({"hops": 7}, "maxHops must be from 1 to 6."),
        ({"hops": -1}, "maxHops must be from 1 to 6."),
    ],
)
async def test_what_is_out_of_bounds_is_refused(
    near: Neighbourhood, arguments: dict[str, int], named: str
) -> None:
    error = await near.refused("anything", **arguments)
    assert (error["code"], error["message"]) == ("INVALID_INPUT", named)
    assert error["path"] == [named.partition(" ")[0]]


@pytest.mark.parametrize(
    "id",
    ["nobody", "", "person_x", "contact_x", "visitor_x", "identifier_x", "visitor_x~unclaimed"],
)
async def test_an_id_that_was_never_given_out_is_not_found(near: Neighbourhood, id: str) -> None:
    error = await near.refused(id)
    assert (error["code"], error["path"]) == ("NOT_FOUND", ["around"])


async def test_an_id_of_something_else_is_refused_by_its_kind(near: Neighbourhood) -> None:
    await near.household()
    jo = await near.holding("crm_id:jo")
    started = await near.world.ask(
        """mutation ($cookie: ID!, $chat: ID!) {
             startChat(input: {context: {cookieId: $cookie}, chatId: $chat}) {
               ... on ChatStarted { chat { id } } } }""",
        cookie=near.named("phone"),
        chat=near.named("chat"),
    )
    others = {
        jo["links"][0]["id"]: "a link",
        "event_x": "an event",
        "session_x": "a session",
        "review_x": "a review",
        "join_x": "a join in a journey",
        started["startChat"]["chat"]["id"]: "a chat",
    }
    for id, kind in others.items():
        error = await near.refused(id)
        assert (error["code"], error["path"]) == ("INVALID_INPUT", ["around"])
        assert error["message"].startswith(f"This is the id of {kind}; a cluster is around ")


# ---------------------------------------------------------------------- crowds


async def test_a_kiosk_is_bounded_and_crowds_nobody_out(near: Neighbourhood) -> None:
    kiosk, tablet = near.named("kiosk"), near.named("tablet")
    crowd = near.crowd()
    crowd.kiosk(kiosk, 2 * MOST)
    for number in range(3):
        crowd.use(tablet, near.named(f"t{number}"), near.named(f"t{number}"))
    # Somebody was on both, last on the kiosk.
    crowd.use(tablet, near.named("both-t"), near.named("both"))
    crowd.use(kiosk, near.named("both-k"), near.named("both"))
    await near.write(crowd)
    cluster = await near.around(f"person_{near.named('both')}", hops=2, nodes=12)
    # Kiosk, tablet, contact, and then one of each in turn: four people of the kiosk at most.
    people = [n["id"] for n in cluster["nodes"] if n["__typename"] == "Person"][1:]
    assert len(cluster["nodes"]) == 12
    of_kiosk = [id for id in people if id.startswith(f"person_{kiosk}")]
    assert len(of_kiosk) == 12 - 1 - 3 - 3 - 1
    assert {id for id in people if id not in of_kiosk} == {
        f"person_{near.named(f't{number}')}" for number in range(3)
    }
    # The latest first: those who used it last.
    assert of_kiosk == [f"person_{kiosk}-{2 * MOST - 1 - n}" for n in range(len(of_kiosk))]
    assert cluster["truncated"]
    assert not cluster["omittedIsExact"]
    assert cluster["omitted"] == MOST - 1 - len(of_kiosk)


async def test_of_a_person_with_several_contacts_the_latest_uses_are_looked_at(
    near: Neighbourhood,
) -> None:
    one, two = near.named("one"), near.named("two")
    crowd = near.crowd()
    for person in (one, two):
        for number in range(MOST):
            crowd.use(f"{person}-old", f"{person}-{number}", person, held=0)
    for person in (one, two):
        crowd.use(f"{person}-new", f"{person}-new", person, held=0)
    await near.write(crowd)
    await near.join(one, two)
    cluster = await near.around(f"person_{one}", hops=1)
    assert edges(cluster, "USED_BY").keys() == {
        (device, f"person_{one}") for device in (f"{one}-new", f"{two}-new", f"{two}-old")
    }
    assert not cluster["omittedIsExact"]


async def test_a_device_full_of_anonymous_cookies_shows_who_is_known(near: Neighbourhood) -> None:
    device = near.named("library")
    crowd = near.crowd()
    crowd.cleared(device, 2 * MOST)
    await near.write(crowd)
    cluster = await near.around(device)
    assert cluster["people"] == 2
    assert cluster["anonymousCookies"] == MOST
    assert cluster["omittedIsExact"]


async def test_a_thousand_nodes_are_the_most(near: Neighbourhood) -> None:
    device = near.named("mall")
    crowd = near.crowd()
    crowd.kiosk(device, MOST + 10)
    await near.write(crowd)
    context = near.world.request_context()
    lean = """query ($id: ID!) { cluster(around: $id, maxNodes: 1000) {
      omitted omittedEdges nodes { ... on Person { id } } edges { from to } } }"""
    found = await answer(Request(lean, {"id": device}), context, may_change=False)
    cluster = found.body["data"]["cluster"]
    assert len(cluster["nodes"]) == 1000
    # The contact of one of the people, and what the other contacts hold.
    assert cluster["omitted"] == 1 + (MOST - 1)
    assert len(context.people) == MOST, "the audit is told of whom the answer shows"


# ---------------------------------------------------------------------- what is worth a look


async def test_a_quiet_household_gives_no_signal(near: Neighbourhood) -> None:
    for number, name in enumerate(("jo", "kim", "sam", "lee")):
        await near.identified("tablet", "tablet", number * DAY, f"email:{name}@x.example")
        await near.world.one(near.world.logout("tablet", number * DAY + 60))
        await near.identified(f"{name}-phone", name, number * DAY + 90, f"email:{name}@x.example")
    assert (await near.around(near.named("tablet")))["people"] == 4
    assert await near.signals(near.named("tablet")) == {}


async def test_a_ring_on_one_device(near: Neighbourhood) -> None:
    for number in range(8):
        await near.identified("ring", f"r{number}", number * 120, f"email:r{number}@x.example")
    found = await near.signals(near.named("ring"))
    assert found.keys() == {
        "MANY_PEOPLE_ON_DEVICE",
        "NEW_PEOPLE_WITHIN_A_DAY",
        "LOGIN_SOON_AFTER_ANOTHER",
    }
    assert found["MANY_PEOPLE_ON_DEVICE"]["score"] == 0.5
    assert found["NEW_PEOPLE_WITHIN_A_DAY"]["score"] == 0.75
    assert found["LOGIN_SOON_AFTER_ANOTHER"]["score"] == 0.8
    for signal in found.values():
        device, *links = signal["evidence"]
        assert device == near.named("ring")
        assert links
        for link in links:
            assert (await near.world.node(link))["__typename"] == "Link"
    assert await near.signals(near.named("ring")) == found


async def test_an_identifier_that_is_named_everywhere(near: Neighbourhood) -> None:
    await near.identified("own", "own", 0, "email:victim@x.example")
    for number in range(15):
        await near.identified(
            f"d{number}",
            f"v{number}",
            DAY * (5 * number + 1),
            "email:victim@x.example",
            server=False,
        )
    victim = await near.holding("email:victim@x.example")
    found = await near.signals(victim["id"])
    assert found["IDENTIFIER_ON_MANY_DEVICES"]["score"] == 0.5
    assert "16 devices" in found["IDENTIFIER_ON_MANY_DEVICES"]["explanation"]
    assert "victim" not in found["IDENTIFIER_ON_MANY_DEVICES"]["explanation"]
    # All those devices only claimed to be whom a server vouched for on one.
    assert found["CLAIMS_NEVER_VERIFIED"]["score"] == round(15 / 16, 3)
    assert found["CLAIMS_NEVER_VERIFIED"]["evidence"][0] == victim["id"]
    # Over months that is no great speed.
    assert "PERSON_ON_MANY_DEVICES" not in found


async def test_what_else_names_an_identifier_hides_no_device(
    near: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters_module, "MOST_CLAIMS", 20)
    for number in range(12):
        await near.identified(f"d{number}", f"c{number}", number, "email:busy@x.example")
    for number in range(25):
        await near.world.one(
            near.world.record("busy", DAY + number, "email:busy@x.example"), SERVER
        )
    busy = await near.holding("email:busy@x.example")
    found = (await near.signals(busy["id"]))["IDENTIFIER_ON_MANY_DEVICES"]
    assert found["explanation"].startswith("One e-mail address was named on 12 devices;")
    assert len(found["evidence"]) == 1 + signals.EVIDENCE_SHOWN
    for message in found["evidence"][1:]:
        assert (await near.world.ask(EVENT, id=message))["event"]["type"] == "IDENTIFY"


async def test_one_device_that_names_an_identifier_again_and_again_hides_no_other(
    near: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        await near.identified(f"d{number}", f"c{number}", number, "email:again@x.example")
    for number in range(110):
        await near.identified("d0", "c0", DAY + number, "email:again@x.example")
    again = (await near.holding("email:again@x.example"))["id"]
    for most, least, named in (("MOST_CLAIMS", 120, "11"), ("MOST_TOUCHES", 119, "10")):
        found = (await near.signals(again))["IDENTIFIER_ON_MANY_DEVICES"]
        assert "named on 12 devices" in found["explanation"]
        # Where not all is looked at, it says so.
        with monkeypatch.context() as bounded:
            bounded.setattr(clusters_module, most, least)
            found = (await near.signals(again))["IDENTIFIER_ON_MANY_DEVICES"]
            assert f"named on at least {named} devices" in found["explanation"]


async def test_a_browser_that_clears_its_cookies_is_not_many_devices(near: Neighbourhood) -> None:
    for number in range(12):
        await near.identified(None, f"cleared{number}", number, "email:clear@x.example")
    assert await near.signals((await near.holding("email:clear@x.example"))["id"]) == {}


@pytest.mark.parametrize("curated", [True, False])
async def test_browsers_claim_to_be_somebody_whom_only_a_record_knows(
    near: Neighbourhood, curated: bool
) -> None:
    record = near.world.record("vic", 0, "crm_id:vic", "email:vic@x.example", curated=curated)
    await near.world.one(record, SERVER)
    for number in range(6):
        await near.identified(
            f"d{number}", f"c{number}", DAY + number, "email:vic@x.example", server=False
        )
    victim = await near.holding("crm_id:vic")
    found = (await near.signals(victim["id"]))["CLAIMS_NEVER_VERIFIED"]
    assert found["score"] == round(6 / 7, 3)
    assert found["explanation"].endswith("the person is vouched for, but on no device.")
    assert found["evidence"][0] == victim["id"]
    assert len(found["evidence"]) == 7


async def test_who_is_known_by_claims_alone_is_claimed_to_be_nobody_else(
    near: Neighbourhood,
) -> None:
    for number in range(6):
        await near.identified(
            f"d{number}", f"c{number}", number * DAY, "email:self@x.example", server=False
        )
    assert await near.signals((await near.holding("email:self@x.example"))["id"]) == {}


async def test_a_person_on_many_devices_within_days(near: Neighbourhood) -> None:
    for number in range(16):
        await near.identified(f"f{number}", f"f{number}", DAY * number, "email:fast@x.example")
    fast = await near.holding("email:fast@x.example")
    found = await near.signals(fast["id"])
    assert found["PERSON_ON_MANY_DEVICES"]["score"] == 0.5
    assert found["PERSON_ON_MANY_DEVICES"]["evidence"][0] == fast["id"]


async def test_no_device_crowds_out_the_logins_on_another(
    near: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters_module, "MOST_PAIRS", 3)
    for number in range(4):
        for device in ("x", "y", "z"):
            cookie, who = f"{device}{number}", f"email:p{number}@x.example"
            await near.identified(device, cookie, number * MINUTE, who)
    person = await near.holding("email:p0@x.example")
    found = [
        signal["evidence"][0]
        for signal in await near.signalled(person["id"])
        if signal["kind"] == "LOGIN_SOON_AFTER_ANOTHER"
    ]
    assert sorted(found) == [near.named(device) for device in ("x", "y", "z")]


async def test_the_number_of_signals_is_bounded(
    near: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters_module, "MOST_SIGNALS", 1)
    for number in range(6):
        await near.identified("many", f"m{number}", number * DAY, f"email:m{number}@x.example")
        await near.identified("many2", f"n{number}", number, f"email:m{number}@x.example")
    found = (await near.world.ask(SIGNALS, around=near.named("many")))["cluster"]["signals"]
    assert [signal["kind"] for signal in found] == ["LOGIN_SOON_AFTER_ANOTHER"]


# ---------------------------------------------------------------------- what is documented

DOCUMENT = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text(encoding="utf-8")


async def test_the_documented_queries_are_answered(near: Neighbourhood) -> None:
    await near.household()
    shared, around = re.findall(r"```graphql\n(.*?)```", DOCUMENT, re.DOTALL)
    listed = await near.world.ask(shared)
    assert "edges" in listed["sharedDevices"]
    found = (await near.world.ask(around, id=near.named("tablet")))["cluster"]
    assert found["people"] == 2
    assert [signal["kind"] for signal in found["signals"]] == ["CLAIMS_NEVER_VERIFIED"]


def test_every_signal_and_edge_is_documented_with_its_numbers() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)`(?:, `[A-Z_]+`)* \| (.*) \|$", DOCUMENT, re.MULTILINE))
    assert rows.keys() >= {kind.value for kind in signals.SignalKind}
    assert all(f"`{kind}`" in DOCUMENT for kind in EdgeKind)
    told = {
        "MANY_PEOPLE_ON_DEVICE": f"more than {signals.USUAL_PEOPLE} people",
        "NEW_PEOPLE_WITHIN_A_DAY": f"more than {signals.USUAL_NEW_PEOPLE} did",
        "LOGIN_SOON_AFTER_ANOTHER": f"within {signals.SOON // signals.MINUTE} minutes",
        "IDENTIFIER_ON_MANY_DEVICES": f"more than {signals.USUAL_CLAIMING_DEVICES} devices, of the "
        f"latest {clusters_module.MOST_CLAIMS} times",
        "PERSON_ON_MANY_DEVICES": f"more than {signals.USUAL_DEVICES} devices within "
        f"{signals.DEVICES_WITHIN // signals.DAY} days",
    }
    for kind, words in told.items():
        assert words in rows[kind]
    assert f"up to {MOST} for each device" in DOCUMENT
    bounds = (
        f"latest {MOST} uses, contacts or holds",
        f"latest {clusters_module.MOST_TOUCHES} pieces of evidence",
        f"latest {signals.SUCCESSIONS} logins of somebody new",
        f"up to {signals.BEFORE} uses before each",
        f"up to {clusters_module.MOST_PAIRS} in a cluster",
        f"The {clusters_module.MOST_SIGNALS} signals",
    )
    for words in bounds:
        assert words in " ".join(DOCUMENT.split())


# ---------------------------------------------------------------------- who may see it


async def test_an_analyst_sees_no_identifier_and_an_agent_no_cluster(near: Neighbourhood) -> None:
    await near.household()
    variables = {"around": near.named("tablet")}
    context = near.world.request_context(ANALYST)
    shown = (await answer(Request(CLUSTER, variables), context, may_change=False)).body
    assert "errors" not in shown
    said = json.dumps(shown["data"])
    assert "kim@x.example" not in said
    assert "***@x.example" in said
    assert len(context.people) == 2
    refused = await answer(
        Request(CLUSTER, variables), near.world.request_context(AGENT), may_change=False
    )
    (error,) = refused.body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "graph:view" in error["message"]
