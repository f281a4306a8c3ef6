"""What is around somebody or something, and what of it is worth a look."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from graphid.errors import InvalidInput, NotFound
from graphid.graph.database import Readable
from graphid.graph.queries import query
from graphid.identity.values import OF_RECORD, Kind, Micros, message_of, place
from graphid.service.chats import Chats
from graphid.service.clusters.drawing import EDGES_A_NODE, edges_of
from graphid.service.clusters.reading import FEW, Around, alternating
from graphid.service.clusters.records import Cluster, Node, NodeKind, Surroundings
from graphid.service.clusters.signals import (
    Claim,
    Pair,
    Signal,
    claims_never_verified,
    identifier_on_many_devices,
    is_vouched_for,
    many_people,
    new_people,
    pairs_of,
    person_on_many_devices,
    places_of,
    ranked,
    soon_after,
    succession_of,
)
from graphid.service.clusters.walking import walk
from graphid.service.links import NamedIdentifier
from graphid.service.people import People, PersonRecord
from graphid.service.visitors import at_moment

LIST_CLAIMS = query("clusters/list_claims")
FIND_ACTIVITY = query("clusters/find_activity")

MOST_HOPS = 6
MOST_NODES = 1000
"""Of one cluster: what a human can still look at, drawn."""

MOST_CLAIMS = 500
"""Of one identifier: how many identifies that named it are looked at, the latest."""
MOST_TOUCHES = 2000
"""Of one identifier: in how much evidence, the latest, those are looked for. A record that is told
every hour is told so often in twelve weeks."""
MOST_PAIRS = 500
"""Of one cluster: how many logins are held against who was there before. Each device gives one in
turn, its closest first."""
MOST_SIGNALS = 100
"""Of one cluster, those of the highest score."""

_OF_RECORD = place(0, Kind.STATEMENT, OF_RECORD).removeprefix(place(0, Kind.STATEMENT, "").rstrip())
"""What the places end with at which sources told of their records."""

_GUESSES = {
    "person": NodeKind.PERSON,
    "contact": NodeKind.CONTACT,
    "identifier": NodeKind.IDENTIFIER,
}
_OTHERS = {
    "event": "an event",
    "session": "a session",
    "link": "a link",
    "review": "a review",
    "join": "a join in a journey",
}
_WANTED = "a cluster is around a person, device, contact, cookie, visitor or identifier"


class Clusters:
    """Reads neighbourhoods."""

    def __init__(self, database: Readable, people: People, chats: Chats) -> None:
        self._database = database
        self._people = people
        self._chats = chats

    async def around(self, id: str, *, max_hops: int, max_nodes: int) -> Cluster:
        """The cluster around what an id means, that of a visitor around its owner.

        Raises NotFound for an id that means nothing, InvalidInput for one of something else.
        """
        reading = Around(self._database, hops=max_hops, nodes=max_nodes)
        centre, surroundings = await self._centre(id, reading)
        walked = await walk(
            reading.look, centre, surroundings, max_hops=max_hops, max_nodes=max_nodes
        )
        edges, omitted = edges_of(walked.found, walked.via, most=EDGES_A_NODE * max_nodes)
        return Cluster(
            centre=centre,
            found=walked.found,
            edges=edges,
            omitted=walked.omitted,
            omitted_edges=omitted,
            is_exact=walked.is_exact,
        )

    # ------------------------------------------------------------------ where it begins

    async def _centre(self, id: str, reading: Around) -> tuple[Node, Surroundings]:
        """What an id means, with what is around it."""
        prefix, _, _ = id.partition("_")
        guess = _GUESSES.get(prefix)
        wanted = [] if guess is None else [Node(guess, id)]
        if guess is None and prefix != "visitor":
            wanted = _by_client_id(id)
        found = await reading.centre(wanted)
        if found is None and prefix in ("person", "contact", "visitor"):
            found = await self._meant_by(id, reading)
        if found is None and (guess is not None or prefix == "visitor"):
            found = await reading.centre(_by_client_id(id))
        if found is not None:
            return found
        other = _OTHERS.get(prefix)
        if other is None and id in await self._chats.by_id([id]):
            other = "a chat"
        if other is not None:
            raise InvalidInput(f"This is the id of {other}; {_WANTED}.", path=["around"])
        raise NotFound("Nothing has this id.", path=["around"])

    async def _meant_by(self, id: str, reading: Around) -> tuple[Node, Surroundings] | None:
        """Whom an id means now; of somebody anonymous, the cookie that they use."""
        person = (await self._people.by_id([id])).get(id)
        if person is None:
            return None
        if person.visitor is not None:
            return await reading.centre([Node(NodeKind.COOKIE, person.visitor.visitor.cookie)])
        return await reading.centre([Node(NodeKind.PERSON, person.id)])

    # ------------------------------------------------------------------ what is worth a look

    async def signals(self, cluster: Cluster) -> list[Signal]:
        """What of a cluster is worth a look, the highest score first."""
        identifiers = [
            around.record
            for around in cluster.found.values()
            if isinstance(around.record, NamedIdentifier)
        ]
        pairs = {
            node.id: pairs_of(around.uses)
            for node, around in cluster.found.items()
            if node.kind is NodeKind.DEVICE
        }
        looked_at = alternating(*pairs.values())[:MOST_PAIRS]
        claims, activity = await asyncio.gather(
            self._claims(identifiers), self._activity(looked_at)
        )
        found: list[Signal | None] = [
            identifier_on_many_devices(one, of_one, is_cut=is_cut) for one, of_one, is_cut in claims
        ]
        for node, around in cluster.found.items():
            if node.kind is NodeKind.DEVICE:
                found += _of_device(node.id, around, pairs[node.id], activity)
            elif isinstance(around.record, PersonRecord):
                found += _of_person(around.record, around)
        return ranked(found)[:MOST_SIGNALS]

    async def _claims(
        self, identifiers: Sequence[NamedIdentifier]
    ) -> list[tuple[NamedIdentifier, list[Claim], bool]]:
        """From where each identifier was named, the latest first; and whether there may be more."""
        if not identifiers:
            return []
        keys = {f"identifier:{one.type}:{one.value}": one for one in identifiers}
        named = {
            "keys": list(keys),
            "touches": MOST_TOUCHES,
            "ofRecord": _OF_RECORD,
            "most": MOST_CLAIMS,
            "few": FEW,
        }
        (row,) = await self._database.read_rows(LIST_CLAIMS, named=named)
        return [
            (keys[key], [Claim(message_of(id), device) for id, device in claims], is_cut)
            for key, claims, is_cut in row["rows"]
        ]

    async def _activity(self, pairs: Sequence[Pair]) -> dict[tuple[str, Micros], Micros]:
        """When something last happened on a cookie before a moment, by the two."""
        places = places_of(pairs)
        if not places:
            return {}
        moments = [
            {"index": index, "cookie": cookie, "position": at_moment(at)}
            for index, (cookie, at) in enumerate(places)
        ]
        (row,) = await self._database.read_rows(FIND_ACTIVITY, named={"moments": moments})
        return {places[index]: at for index, at in row["rows"]}


def _by_client_id(id: str) -> list[Node]:
    return [Node(NodeKind.DEVICE, id), Node(NodeKind.COOKIE, id)]


def _of_person(person: PersonRecord, around: Surroundings) -> Iterator[Signal | None]:
    yield person_on_many_devices(person.id, around.uses, is_cut=around.is_cut)
    yield claims_never_verified(
        person.id, around.uses, is_vouched_for=is_vouched_for(person), is_cut=around.is_cut
    )


def _of_device(
    id: str,
    around: Surroundings,
    pairs: Sequence[Pair],
    activity: dict[tuple[str, Micros], Micros],
) -> Iterator[Signal | None]:
    yield many_people(id, around.uses, is_cut=around.is_cut)
    yield new_people(id, around.uses, is_cut=around.is_cut)
    successions = [
        succession_of(pair, activity.get((pair.before.cookie, pair.after.at))) for pair in pairs
    ]
    yield soon_after(id, [one for one in successions if one is not None])
