"""Neighbourhoods: 300 nodes beside the leanest statement for them, and a kiosk beside a device
that ten people used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString

from tests.benchmarks.bare import Bare
from tests.benchmarks.timing import Compared, compare
from tests.crowds import WRITE, Crowd
from tests.service import Client, Service

NODES = 300
KIOSK, TOWN, TEN, CLEARED = "kiosk", "town", "ten", "cleared"
AROUND_KIOSK = "cluster of 300 around a kiosk, beside 300 around a device of 10"
SMALL = "cluster around a kiosk, beside the 31 nodes of a device of 10"
LISTS = "lists of a kiosk, beside those of a device of 10"
OF_300 = "cluster of 300 nodes"

CLUSTER = """query ($id: ID!) {
  cluster(around: $id, maxNodes: 300) {
    people devices truncated omitted
    nodes { __typename
      ... on Person { id kind displayName } ... on Device { id firstSeenAt lastSeenAt }
      ... on Contact { id source state } ... on Cookie { id }
      ... on IdentifierNode { id type value } }
    edges { id from to kind state weight assurance }
  }
}"""

DEVICE = """query ($id: ID!) {
  device(id: $id) {
    shared personCount uses(first: 10) { startedAt sessions } people(first: 10) { sessions }
    personAt(at: "2026-06-05T00:00:00Z") { id }
  }
}"""

NEIGHBOURHOOD: LiteralString = """
MATCH (device:Device {id: $device})<-[:ON_DEVICE]-(:Cookie)<-[:OF_COOKIE]-(visitor:Visitor)
MATCH (visitor)-[link:IDENTIFIED_AS]->(:Contact)-[:BELONGS_TO]->(person:Person)
WITH device, person, count(link) AS weight, max(link.at) AS at, max(link.assurance) AS assurance,
  max(link.state) AS state
ORDER BY at DESC
WITH device, collect(person) AS people,
  collect([device.id, person.id, weight, state, assurance]) AS used
CALL (device, people) {
  UNWIND people AS person
  MATCH (person)<-[:BELONGS_TO]-(:Contact)<-[link:IDENTIFIED_AS]-(visitor:Visitor)
  MATCH (visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(other:Device)
  WHERE other <> device
  WITH person, other, count(link) AS weight, max(link.at) AS at, max(link.assurance) AS assurance,
    max(link.state) AS state
  ORDER BY at DESC
  RETURN collect(DISTINCT other) AS others,
    collect([other.id, person.id, weight, state, assurance]) AS usedToo
}
CALL (people, others) {
  UNWIND others AS other
  MATCH (other)<-[:ON_DEVICE]-(:Cookie)<-[:OF_COOKIE]-(visitor:Visitor)
  MATCH (visitor)-[link:IDENTIFIED_AS]->(:Contact)-[:BELONGS_TO]->(person:Person)
  WHERE NOT person IN people
  WITH other, person, count(link) AS weight, max(link.assurance) AS assurance,
    max(link.state) AS state
  RETURN collect(DISTINCT person) AS further,
    collect([other.id, person.id, weight, state, assurance]) AS usedFurther
}
CALL (people, further) {
  UNWIND people + further AS person
  MATCH (person)<-[:BELONGS_TO]-(contact:Contact)
  OPTIONAL MATCH (contact)-[hold:HAS_IDENTIFIER]->(identifier:Identifier)
  WITH person, contact,
    collect([identifier.id, identifier.type, identifier.value, hold.state, hold.assurance]) AS held
  RETURN collect([person.id, contact.id, contact.source, contact.state, contact.traits, held])
    AS contacts
}
RETURN [device.id, device.firstSeenAt, device.lastSeenAt] AS centre, used, usedToo, usedFurther,
  [other IN others | [other.id, other.firstSeenAt, other.lastSeenAt]] AS devices, contacts
"""


class Clusters:
    """Devices with those who used them, in one graph."""

    def __init__(self, service: Service, bare: Bare, visitors: int) -> None:
        self._client: Client = service.client()
        self._service = service
        self._bare = bare
        crowd = Crowd("bench-")
        crowd.kiosk(KIOSK, visitors)
        crowd.cleared(CLEARED, visitors)
        crowd.neighbours(TOWN, 10)
        for number in range(10):
            crowd.use(TEN, f"{TEN}-{number}", f"{TEN}-{number}")
        for uses in crowd.batches():
            bare.run(WRITE, uses=uses)

    def measured(self, times: int) -> Iterator[Compared]:
        sizes: Any = {"times": times, "warm_up": min(times, 50)}
        yield compare(
            OF_300,
            lambda _: self._cluster(TOWN, NODES),
            self._neighbourhood,
            busy=lambda: self._service.busy_seconds,
            **sizes,
        )
        yield compare(
            AROUND_KIOSK,
            lambda _: self._cluster(KIOSK, NODES),
            lambda _: self._cluster(TOWN, NODES),
            **sizes,
        )
        yield compare(
            SMALL,
            lambda _: self._cluster(KIOSK, NODES),
            lambda _: self._cluster(TEN, 31),
            **sizes,
        )
        yield compare(
            f"{LISTS}, 1,000 looked at",
            lambda _: self._lists(KIOSK),
            lambda _: self._lists(TEN),
            **sizes,
        )

    def _cluster(self, device: str, nodes: int) -> None:
        found = self._client.graphql(CLUSTER, id=device)["cluster"]
        assert len(found["nodes"]) == nodes, len(found["nodes"])
        assert len(found["edges"]) >= nodes - 1

    def _lists(self, device: str) -> None:
        found = self._client.graphql(DEVICE, id=device)["device"]
        assert found["personCount"] >= 10
        assert len(found["people"]) == 10

    def _neighbourhood(self, _turn: int) -> None:
        (row,) = self._bare.run(NEIGHBOURHOOD, device=TOWN)
        assert len(row["contacts"]) == 90, len(row["contacts"])
        assert len(row["devices"]) == 80
