"""What is read along with something else, and that it is the same as read by itself."""

from __future__ import annotations

from typing import Any

import pytest

from graphid.service.clusters import reading
from graphid.service.reads import Reads
from tests.integration.asking import Asked
from tests.integration.telling import Interrupted
from tests.integration.test_clusters import DAY, Neighbourhood, near

__all__ = ["near"]

DEVICES = """query ($id: ID!) { person(id: $id) { devices {
  startedAt endedAt sessions device { id firstSeenAt lastSeenAt } } } }"""
DEVICE = "query ($id: ID!) { device(id: $id) { id firstSeenAt lastSeenAt } }"


def recorded(asked: Asked) -> Interrupted:
    """From here on it is told what is read."""
    graph = Interrupted(asked.database)
    asked.reads = Reads.on(graph, asked.reads.policies, clock=lambda: asked.now)
    return graph


async def crowd(near: Neighbourhood) -> str:
    """A device that several people used who used others, too."""
    crowd = near.crowd()
    crowd.neighbours(near.named("town"), 3)
    await near.write(crowd)
    return near.named("town")


async def test_around_a_device_who_used_it_and_what_they_hold_is_read_ahead(
    near: Neighbourhood,
) -> None:
    town = await crowd(near)
    graph = recorded(near.world)
    await near.around(town)
    assert graph.asked.count("clusters/read_devices") == 2
    assert "clusters/read_people" not in graph.asked[:2]
    assert "clusters/read_identifiers" not in graph.asked


@pytest.mark.parametrize("hops", range(1, 6))
@pytest.mark.parametrize("nodes", [2, 5, 20, 300])
async def test_a_cluster_that_was_read_ahead_is_the_same(
    near: Neighbourhood, monkeypatch: pytest.MonkeyPatch, hops: int, nodes: int
) -> None:
    await near.household()
    town = await crowd(near)
    kim = (await near.holding("email:kim@x.example"))["id"]
    centres = [town, kim, near.named("tablet")]
    ahead = [await near.around(id, hops=hops, nodes=nodes) for id in centres]
    monkeypatch.setattr(reading, "MOST_MET", -1)
    graph = recorded(near.world)
    assert [await near.around(id, hops=hops, nodes=nodes) for id in centres] == ahead
    assert "clusters/read_people" in graph.asked


async def devices(asked: Asked, person: str) -> list[dict[str, Any]]:
    found = await asked.ask(DEVICES, id=person)
    uses: list[dict[str, Any]] = found["person"]["devices"]
    return uses


async def test_the_devices_of_a_person_are_read_with_when_they_used_them(
    near: Neighbourhood,
) -> None:
    await near.household()
    jo = (await near.holding("crm_id:jo"))["id"]
    graph = recorded(near.world)
    uses = await devices(near.world, jo)
    assert sorted(graph.asked) == ["devices/list_visitors_of", "people/read_people"]
    assert [use["device"]["id"] for use in uses] == [near.named("tablet"), near.named("phone")]
    for use in uses:
        device = (await near.world.ask(DEVICE, id=use["device"]["id"]))["device"]
        assert use["device"] == device


async def test_of_a_visitor_of_whom_they_own_a_part_that_part_is_read(near: Neighbourhood) -> None:
    """Read along is all that the link reaches; where that is not the part, the part is read."""
    await near.household()
    await near.seen("tablet", "other", 2 * DAY)
    kim = (await near.holding("email:kim@x.example"))["id"]
    along = await devices(near.world, kim)
    graph = Otherwise(near.world.database)
    near.world.reads = Reads.on(graph, near.world.reads.policies, clock=lambda: near.world.now)
    assert await devices(near.world, kim) == along
    assert "devices/read_uses" in graph.asked


class Otherwise(Interrupted):
    """What is read along is never of the part that is wanted."""

    async def read_rows(self, *arguments: Any, **named: Any) -> list[dict[str, Any]]:
        rows = await super().read_rows(*arguments, **named)
        return [{**row, "low": "another"} if "low" in row else row for row in rows]


async def test_a_device_is_told_behind_many_visits_without_one(near: Neighbourhood) -> None:
    """A browser that clears its cookies says no device for most of them."""
    world = near.world
    used = world.identify("first", "jo")
    context = used.context.model_copy(update={"device_id": near.named("phone")})
    await world.one(used.model_copy(update={"context": context}))
    await world.send(*(world.identify(f"cleared{n}", "jo") for n in range(250)))
    jo = (await near.holding("user_id:jo"))["id"]
    (use,) = await devices(world, jo)
    assert use["device"]["id"] == near.named("phone")
