"""Devices that several people used: the list of them, and lists under one, also of a crowd."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import neo4j
import pytest

from graphid.api.execution import Request, answer
from graphid.graph.database import Address
from graphid.graph.queries import query
from graphid.identity.values import SECOND
from graphid.service import shared
from graphid.service.devices import MOST_VISITORS
from tests.integration.asking import Asked, time_of
from tests.integration.test_clusters import DAY, MINUTE, Neighbourhood

SHARED = """query ($people: Int, $since: DateTime, $first: Int, $after: String) {
  sharedDevices(minPeople: $people, since: $since, first: $first, after: $after) {
    edges { cursor node { id shared personCount } }
    pageInfo { hasNextPage hasPreviousPage endCursor } } }"""


@pytest.fixture
async def near(asked: Asked) -> AsyncIterator[Neighbourhood]:
    asked.now += 400 * DAY * SECOND
    neighbourhood = Neighbourhood(asked)
    yield neighbourhood
    await neighbourhood.disperse()


class Listed:
    """The list, without what other tests left behind in it."""

    def __init__(self, near: Neighbourhood) -> None:
        self.near = near

    async def page(self, **arguments: Any) -> dict[str, Any]:
        page: dict[str, Any] = (await self.near.world.ask(SHARED, **arguments))["sharedDevices"]
        return page

    async def before(self, device: str) -> str | None:
        """The cursor after which the list goes on with a device of this world."""
        edges: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = await self.page(first=200, after=after)
            edges += page["edges"]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        at = [edge["node"]["id"] for edge in edges].index(self.near.named(device))
        return edges[at - 1]["cursor"] if at else None

    async def all(self, *, first: int = 200, **arguments: Any) -> list[str]:
        """The devices of this world in the whole list."""
        found: list[str] = []
        after: str | None = None
        while True:
            page = await self.page(first=first, after=after, **arguments)
            found += (edge["node"]["id"] for edge in page["edges"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert len(found) == len(set(found))
        return [id.removeprefix(f"{self.near.run}-") for id in found if self.near.run in id]


async def share(near: Neighbourhood, device: str, at: int, *names: str) -> None:
    """These people on a device, a minute apart, each on a cookie of their own."""
    for number, name in enumerate(names):
        cookie, moment = f"{device}-{name}", at + number * MINUTE
        await near.identified(device, cookie, moment, f"email:{name}@x.example")


async def test_the_latest_shared_come_first_with_their_people(near: Neighbourhood) -> None:
    await share(near, "old", 0, "a", "b", "c")
    await share(near, "own", DAY, "a")
    await share(near, "new", 2 * DAY, "d", "e")
    listed = Listed(near)
    assert await listed.all() == ["new", "old"]
    assert await listed.all(people=3) == ["old"]
    assert await listed.all(people=4) == []
    # What was shared first stays where it is, whatever happens on it.
    await near.seen("old", "old-a", 3 * DAY)
    await near.identified("own", "own-f", 4 * DAY, "email:f@x.example")
    assert await listed.all() == ["own", "new", "old"]
    page = await listed.page(first=200)
    counts = {
        e["node"]["id"]: (e["node"]["shared"], e["node"]["personCount"]) for e in page["edges"]
    }
    assert counts[near.named("old")] == (True, 3)


async def test_since_is_when_something_last_happened_there(near: Neighbourhood) -> None:
    await share(near, "quiet", 0, "a", "b")
    await share(near, "busy", 10, "c", "d")
    await near.seen("busy", "busy-c", 9 * DAY)
    since = time_of(near.world.at(8 * DAY)).isoformat()
    assert await Listed(near).all(since=since) == ["busy"]


async def test_pages_meet_every_device_once_while_people_use_them(near: Neighbourhood) -> None:
    for number in range(5):
        await share(near, f"s{number}", number * DAY, f"x{number}", f"y{number}")
    listed = Listed(near)
    met: list[str] = []
    after = await listed.before("s4")
    while True:
        page = await listed.page(first=2, after=after)
        met += (edge["node"]["id"] for edge in page["edges"] if near.run in edge["node"]["id"])
        # Meanwhile the last of them is used, and another becomes shared.
        await near.seen("s0", "s0-x0", 20 * DAY + len(met))
        await share(near, f"later{len(met)}", 30 * DAY + len(met), f"u{len(met)}", f"v{len(met)}")
        if not page["pageInfo"]["hasNextPage"]:
            break
        assert len(page["edges"]) == 2
        after = page["pageInfo"]["endCursor"]
    assert met == [near.named(f"s{number}") for number in (4, 3, 2, 1, 0)]


async def test_who_were_found_to_be_one_are_one(near: Neighbourhood) -> None:
    await share(near, "d", 0, "one", "two")
    listed = Listed(near)
    assert await listed.all() == ["d"]
    one = await near.holding("email:one@x.example")
    two = await near.holding("email:two@x.example")
    await near.world.ask(
        """mutation ($ids: [ID!]!) {
             mergePeople(ids: $ids, reason: "the same") { __typename } }""",
        ids=[one["id"], two["id"]],
    )
    assert await listed.all() == []
    assert await listed.all(people=1) == ["d"]


async def test_late_evidence_says_since_when_it_is_shared(near: Neighbourhood) -> None:
    await share(near, "early", 5 * DAY, "a", "b")
    await share(near, "late", 6 * DAY, "c")
    await share(near, "late", 0, "d")
    # The one of long ago was there first; the other is the second, and the later.
    assert await Listed(near).all() == ["late", "early"]
    await share(near, "early", 7 * DAY, "e")
    assert await Listed(near).all() == ["late", "early"]


async def test_so_many_are_looked_at_and_the_page_says_that_there_are_more(
    near: Neighbourhood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "CANDIDATES", 2)
    monkeypatch.setattr(shared, "READS", 2)
    # Later than all that other tests left behind: those are looked at first.
    await share(near, "first", 300 * DAY, "a", "b", "c")
    for number in range(7):
        await share(near, f"pair{number}", (301 + number) * DAY, f"x{number}", f"y{number}")
    listed = Listed(near)
    page = await listed.page(people=3, first=1)
    assert page["edges"] == []
    assert page["pageInfo"]["hasNextPage"]
    page = await listed.page(people=3, first=1, after=page["pageInfo"]["endCursor"])
    (edge,) = page["edges"]
    assert edge["node"]["id"] == near.named("first")
    assert page["pageInfo"]["hasPreviousPage"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"people": 0}, "minPeople"),
        ({"people": 1_000_000}, "minPeople"),
        ({"first": 201}, "first"),
        ({"after": "bm90aGluZzox"}, "after"),
        ({"after": "c2hhcmVkRGV2aWNlczpnYXJiYWdl"}, "after"),  # sharedDevices:garbage
    ],
)
async def test_bad_input_is_refused(
    near: Neighbourhood, arguments: dict[str, Any], field: str
) -> None:
    context = near.world.request_context()
    body = (await answer(Request(SHARED, arguments), context, may_change=False)).body
    (error,) = body["errors"]
    assert error["extensions"]["path"] == [field]
    assert error["extensions"]["code"] in ("INVALID_INPUT", "BAD_CURSOR")


# ---------------------------------------------------------------------- lists under a device

DEVICE = """query ($id: ID!, $at: DateTime!) { device(id: $id) { shared personCount
  people(first: 5) { person { id } sessions } uses(first: 5) { person { id } }
  personAt(at: $at) { id } } }"""


async def test_a_kiosk_is_read_by_its_latest_uses_and_asked_about_any_time(
    near: Neighbourhood,
) -> None:
    kiosk, many = near.named("kiosk"), MOST_VISITORS + 300
    crowd = near.crowd()
    crowd.kiosk(kiosk, many)
    await near.write(crowd)
    (first,) = await near.world.rows(
        "MATCH (c:Cookie) WHERE c.id = $run + '-kiosk' RETURN c.firstSeenAt AS at"
    )
    found = await near.world.ask(DEVICE, id=kiosk, at=time_of(first["at"] + 10).isoformat())
    device = found["device"]
    assert (device["shared"], device["personCount"]) == (True, MOST_VISITORS)
    latest = [f"person_{kiosk}-{many - 1 - n}" for n in range(5)]
    assert [use["person"]["id"] for use in device["uses"]] == latest
    assert [one["person"]["id"] for one in device["people"]] == latest
    # Who used it first of all is far behind the latest, and known nevertheless.
    assert device["personAt"]["id"] == f"person_{kiosk}-0"


async def test_who_used_a_device_of_many_cookies_then(near: Neighbourhood) -> None:
    device = near.named("cleared")
    crowd = near.crowd()
    crowd.cleared(device, 1200)
    await near.write(crowd)
    (first,) = await near.world.rows(
        "MATCH (c:Cookie) WHERE c.id = $run + '-cleared-known-1' RETURN c.firstSeenAt AS at"
    )
    found = await near.world.ask(DEVICE, id=device, at=time_of(first["at"] + 10).isoformat())
    assert found["device"]["personAt"]["id"] == f"person_{device}-1"
    assert found["device"]["personCount"] == 2


USES = """query ($id: ID!, $from: DateTime, $to: DateTime) {
  device(id: $id) { uses(from: $from, to: $to, first: 3) { person { id } } } }"""


@pytest.mark.parametrize("kind", ["kiosk", "cleared"])
async def test_who_used_a_device_by_then_is_told_however_many_came_since(
    near: Neighbourhood, kind: str
) -> None:
    device, crowd = near.named(kind), near.crowd()
    getattr(crowd, kind)(device, MOST_VISITORS + 50)
    await near.write(crowd)
    (first,) = await near.world.rows(
        "MATCH (d:Device {id: $id}) RETURN d.firstSeenAt AS at", id=device
    )
    # The second one came a minute after the first.
    until = time_of(first["at"] + 90_000_000).isoformat()
    found = await near.world.ask(USES, id=device, to=until)
    assert [use["person"]["id"] for use in found["device"]["uses"]] == [
        f"person_{device}-1",
        f"person_{device}-0",
    ]


async def test_a_time_that_ends_before_it_begins_is_refused(near: Neighbourhood) -> None:
    crowd = near.crowd()
    crowd.kiosk(near.named("one"), 1)
    await near.write(crowd)
    given = {"id": near.named("one"), "from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}
    context = near.world.request_context()
    body = (await answer(Request(USES, given), context, may_change=False)).body
    assert body["errors"][0]["extensions"]["path"] == ["from", "to"]


BOUNDED = (
    *("clusters/read_devices", "devices/list_visitors", "devices/count_people"),
    *("devices/list_shared", "devices/find_visitors", "reasons/list_visits"),
)


@pytest.mark.parametrize("name", BOUNDED)
async def test_a_statement_reads_no_more_of_a_larger_crowd(
    near: Neighbourhood, database: Address, name: str
) -> None:
    """Twice the visitors, or cookies, cost the same database hits."""
    crowd = near.crowd()
    for size in (100, 200):
        crowd.kiosk(near.named(f"kiosk{size}"), size)
        crowd.cleared(near.named(f"cleared{size}"), size)
    await near.write(crowd)
    auth = (database.user, database.password) if database.password else None
    hits: dict[tuple[str, int], int] = {}
    all_time = {"moments": [10**16 - 1], "before": ":"}
    async with neo4j.AsyncGraphDatabase.driver(
        database.uri, auth=auth, notifications_min_severity="OFF"
    ) as driver:
        for kind in ("kiosk", "cleared"):
            for size in (100, 200):
                device = near.named(f"{kind}{size}")
                await near.world.rows("MATCH (d:Device {id: $id}) RETURN d.id", id=device)
                mark = f"9{size}{near.run}"
                await driver.execute_query(
                    "MATCH (d:Device {id: $id}) SET d.sharedSince = $mark",
                    id=device,
                    mark=mark,
                    database_=database.database,
                )
                (row,) = await near.world.rows(
                    "MATCH (d:Device {id: $id}) RETURN d.lastSeenAt AS at", id=device
                )
                moment = {"index": 0, "device": device, "at": row["at"], "position": ":"}
                named = {
                    **{"ids": [device], "moments": [moment], "before": mark + "~", "since": 0},
                    **{"most": 20, "visitors": 20, "size": 1, "until": 10**16},
                    **{"ahead": 20, "met": [], "few": 10},
                    **{"device": device, "cookie": None, "limit": 20},
                    "wanted": [{"key": 0, "device": device, **all_time}],
                }
                done = await driver.execute_query(
                    "PROFILE " + query(name).text,
                    query(name).given({"named": named}),
                    database_=database.database,
                )
                hits[kind, size] = hits_of(done.summary.profile)
                await driver.execute_query(
                    "MATCH (d:Device {id: $id}) REMOVE d.sharedSince",
                    id=device,
                    database_=database.database,
                )
    for kind in ("kiosk", "cleared"):
        assert hits[kind, 100] > 20
        assert hits[kind, 200] <= hits[kind, 100] + 10, hits


def hits_of(plan: Any) -> int:
    """Of an operator and those below it."""
    below = sum(hits_of(child) for child in plan.get("children", ()))
    return int(plan.get("dbHits") or plan["args"].get("DbHits") or 0) + below
