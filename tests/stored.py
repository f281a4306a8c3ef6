"""What a graph holds of one world, against the fold of the evidence that it holds.

Reads the graph as it is stored, and asks no code of the service's. ``run`` is a word that every
cookie, device, identifier and message of that world holds, and no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, LiteralString

from graphid.graph.database import Database, Unit
from graphid.graph.evidence import encode_stably
from graphid.graph.memory import as_text, decode, evidence_decoder, from_text, mark_of
from graphid.graph.remembered import Mark, Stored
from graphid.graph.rows import properties_of
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Cookie,
    Link,
    Person,
    Value,
    Visitor,
)
from graphid.identity.values import Evidence, Place
from graphid.identity.view import Memory
from tests.graph.folding import fold

Row = dict[str, Any]


class World:
    """One world in a graph."""

    def __init__(self, database: Database, ids: Ids, run: str) -> None:
        self._database = database
        self._ids = ids
        self._run = run

    async def rows(self, text: LiteralString, **parameters: Any) -> list[Row]:
        async def work(unit: Unit) -> list[Row]:
            return await unit.run_text(text, run=self._run, **parameters)

        return await self._database.read(work)

    async def evidence(self) -> list[Evidence]:
        """All that is stored."""
        return [evidence_decoder.decode(row["body"]) for row in await self._stored()]

    async def events(self) -> list[str]:
        """The message ids of the events that are stored."""
        rows = await self.rows(
            "MATCH (e:Event) WHERE e.cookie CONTAINS $run RETURN e.messageId AS id"
        )
        return [row["id"] for row in rows]

    async def faults(self) -> list[str]:
        """Where the graph is not the fold of the evidence that it holds."""
        stored = await self._stored()
        evidence = [evidence_decoder.decode(row["body"]) for row in stored]
        marks = await self.marks()
        remembered, state = fold([*evidence, *(mark.piece for mark in marks)], Policy(), self._ids)
        again = [remembered.pop(mark.piece.place) for mark in marks]
        return [
            *(f"no repetition: {said.piece.id}" for said in again if said.writes or said.links),
            *(f"pending: {row['id']}" for row in stored if row["pending"] is not None),
            *_faults_of_evidence(stored, remembered),
            *await self._faults_of_touches(remembered),
            *await self._faults_of_state(state),
            *await self._faults_of_links(state, [piece.id for piece in evidence]),
            *await self._faults_of_people(state),
            *await self._faults_of_visitors(state),
        ]

    async def _stored(self) -> list[Row]:
        return await self.rows(
            "MATCH (e:Evidence) WHERE e.body CONTAINS $run RETURN e.id AS id, e.body AS body, "
            "e.place AS place, e.touched AS touched, e.pendingSince AS pending"
        )

    async def marks(self) -> list[Mark]:
        """What is stored as only saying again what is so."""
        rows = await self.rows(
            "MATCH (e:Event) WHERE e.repetition IS NOT NULL AND e.cookie CONTAINS $run "
            "MATCH (r:Repetition {id: e.repetition}) RETURN r {.*} AS repetition, "
            "e {.messageId, .occurredAt, .receivedAt, .cookie, .device, .actor, .digest} AS event"
        )
        return [mark_of(row["event"], row["repetition"]) for row in rows]

    async def _faults_of_touches(self, remembered: Mapping[Place, Stored]) -> list[str]:
        rows = await self.rows(
            "MATCH (t:Touch) WHERE t.place IN $places "
            "RETURN t.key AS key, t.place AS place, t.wrote AS wrote, t.value AS value",
            places=list(remembered),
        )
        found = Counter(
            (row["key"], row["place"], row["wrote"], _letters(decode(key, row["value"])))
            for row in rows
            for key in [from_text(row["key"])]
        )
        expected = Counter(
            (as_text(key), place, key in stored.writes, _letters(stored.writes.get(key)))
            for place, stored in remembered.items()
            for key in stored.touched
        )
        return _differences("touch", expected, found)

    async def _faults_of_state(self, state: Memory) -> list[str]:
        expected = {as_text(key): value for key, value in state.items() if key[0] != "link"}
        rows = await self.rows(
            "MATCH (s:State) WHERE s.key IN $keys OR s.key CONTAINS $run "
            "RETURN s.key AS key, s.value AS value",
            keys=list(expected),
        )
        found = {row["key"]: decode(from_text(row["key"]), row["value"]) for row in rows}
        return [
            f"{key} is {found.get(key)}, not {expected.get(key)}"
            for key in {**expected, **found}
            if found.get(key) != expected.get(key)
        ]

    async def _faults_of_links(self, state: Memory, evidence: list[str]) -> list[str]:
        links = {link.id: link for link in state.values() if isinstance(link, Link)}
        rows = await self.rows(
            "MATCH ()-[l:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS|NOT_SAME_AS]->() "
            "WHERE l.id IN $links OR l.evidence IN $evidence RETURN l {.*} AS link",
            links=list(links),
            evidence=evidence,
        )
        found = {row["link"]["id"]: row["link"] for row in rows}
        faults = [] if len(found) == len(rows) else ["a link is there twice"]
        faults += [
            f"link is {found.get(id)}, not {properties_of(link)}"
            for id, link in links.items()
            if found.get(id) != properties_of(link)
        ]
        return faults + [
            f"the fold makes no such link: {link}"
            for id, link in found.items()
            if id not in links and (link["state"] != "SEVERED" or "retractedBy" not in link)
        ]

    async def _faults_of_people(self, state: Memory) -> list[str]:
        people = {
            self._ids.person(key[1]): {contact.id for contact in person.contacts}
            for key, person in state.items()
            if isinstance(person, Person) and person.merged_into is None
        }
        contacts = {contact for members in people.values() for contact in members}
        rows = await self.rows(
            "MATCH (c:Contact)-[:BELONGS_TO]->(p:Person) WHERE c.id IN $contacts "
            "RETURN c.id AS contact, p.id AS person",
            contacts=list(contacts),
        )
        found = Counter((row["contact"], row["person"]) for row in rows)
        expected = Counter((id, name) for name, members in people.items() for id in members)
        return _differences("belongs to", expected, found)

    async def _faults_of_visitors(self, state: Memory) -> list[str]:
        """Every event has one visitor, and every visitor the fold makes is there as it says."""
        rows = await self.rows(
            "MATCH (e:Event) WHERE e.cookie CONTAINS $run AND e.position >= '' "
            "OPTIONAL MATCH (v:Visitor) "
            "WHERE v.cookie = e.cookie AND v.start <= e.position "
            "AND e.position < coalesce(v.end, '~') RETURN e.messageId AS id, count(v) AS visitors"
        )
        faults = [
            f"{row['id']} has {row['visitors']} visitors" for row in rows if row["visitors"] != 1
        ]
        visitors = await self.rows(
            "MATCH (v:Visitor) WHERE v.cookie CONTAINS $run AND v.start IS NOT NULL "
            "AND NOT (v.start = '' AND v.end IS NULL) "
            "RETURN v.id AS id, v.start AS start, v.end AS end"
        )
        found = Counter((row["id"], row["start"], row["end"]) for row in visitors)
        expected = Counter(
            (visitor.id, visitor.start, visitor.end)
            for visitor in visitors_of(state)
            if visitor.start or visitor.end
        )
        return faults + _differences("visitor", expected, found)


def visitors_of(state: Memory) -> Iterator[Visitor]:
    """Every visitor that the fold makes."""
    for value in state.values():
        visitor = value.visitor if isinstance(value, Cookie) else value
        if isinstance(visitor, Visitor):
            yield visitor


def _faults_of_evidence(stored: Iterable[Row], remembered: Mapping[Place, Stored]) -> list[str]:
    return [
        f"{row['id']} touches {sorted(row['touched'])}"
        for row in stored
        if row["place"] not in remembered
        or {from_text(key) for key in row["touched"]} != remembered[row["place"]].touched
    ]


def _letters(value: Value | None) -> str | None:
    return None if value is None else encode_stably(value)


def _differences(what: str, expected: Counter[Any], found: Counter[Any]) -> list[str]:
    return [
        *(f"{what} is missing: {thing}" for thing in expected - found),
        *(f"{what} is too much: {thing}" for thing in found - expected),
    ]
