"""What is around the nodes of a cluster: one statement for each kind of node, all at once.

Of what can be very many (the cookies of a device, the visitors of a cookie or a contact) an index
gives the latest, and no more are looked at than are wanted. What the policy keeps few (the
contacts of a person, who holds an identifier) is cut at the same number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

from graphid.graph.database import Readable
from graphid.graph.queries import Query, query
from graphid.identity.state import LinkState
from graphid.identity.values import Assurance
from graphid.service.clusters.records import EdgeKind, Join, Node, NodeKind, Surroundings, Use
from graphid.service.devices import CookieRecord, DeviceRecord
from graphid.service.links import NamedIdentifier
from graphid.service.people import contact_of, person_of

READ_DEVICES = query("clusters/read_devices")
READ_COOKIES = query("clusters/read_cookies")
READ_PEOPLE = query("clusters/read_people")
READ_CONTACTS = query("clusters/read_contacts")
READ_IDENTIFIERS = query("clusters/read_identifiers")

Each = TypeVar("Each")

MOST = 500
"""How many uses, contacts or holds of one node are looked at, the latest where an index tells."""
VISITORS = 1000
"""How many visitors of one cookie are looked at for those uses; about every second is nobody's."""
FEW = 10
"""How many devices of one cookie are looked at: nearly every cookie lies on one."""

MOST_MET = 100
"""With more people met than these nothing is read ahead: further out less of it is taken."""

_STATEMENTS: Mapping[NodeKind, Query] = {
    NodeKind.DEVICE: READ_DEVICES,
    NodeKind.COOKIE: READ_COOKIES,
    NodeKind.PERSON: READ_PEOPLE,
    NodeKind.CONTACT: READ_CONTACTS,
    NodeKind.IDENTIFIER: READ_IDENTIFIERS,
}
_COLUMNS: Mapping[NodeKind, Mapping[str, NodeKind]] = {
    NodeKind.DEVICE: {"rows": NodeKind.DEVICE, "people": NodeKind.PERSON},
    NodeKind.COOKIE: {"rows": NodeKind.COOKIE},
    NodeKind.PERSON: {"people": NodeKind.PERSON},
    NodeKind.CONTACT: {"rows": NodeKind.CONTACT, "identifiers": NodeKind.IDENTIFIER},
    NodeKind.IDENTIFIER: {"identifiers": NodeKind.IDENTIFIER},
}
"""What the columns of each statement tell of."""
_STATES = {state.value: state for state in LinkState}
_ASSURANCES = {assurance.value: assurance for assurance in Assurance}


class Around:
    """Reads what is around nodes, for one walk.

    What is likely to be asked for next is read along: who used the devices, what the contacts hold.
    So a walk takes about half as many trips to the database as hops.
    """

    def __init__(self, database: Readable, *, hops: int, nodes: int) -> None:
        """``hops``: how many looks there will be; ``nodes``: how many nodes they take."""
        self._database = database
        self._hops = hops
        self._room = nodes
        self._ahead: dict[Node, Surroundings] = {}
        self._met: dict[str, None] = {}

    async def centre(self, nodes: Sequence[Node]) -> tuple[Node, Surroundings] | None:
        """The first of these nodes that is there: where the walk begins."""
        found = await self._read(nodes)
        node = next((node for node in nodes if node in found), None)
        if node is None:
            return None
        self._room -= 1
        self._ahead = {other: around for other, around in found.items() if other not in nodes}
        return node, found[node]

    async def look(self, nodes: Sequence[Node]) -> dict[Node, Surroundings]:
        """What is around these nodes; those that are not there are left out."""
        self._hops -= 1
        self._room -= len(nodes)
        left = [node for node in nodes if node not in self._ahead]
        if left:
            self._ahead |= await self._read(left)
        return {node: self._ahead.pop(node) for node in nodes if node in self._ahead}

    async def _read(self, nodes: Sequence[Node]) -> dict[Node, Surroundings]:
        of_kind: dict[NodeKind, list[str]] = {}
        for node in nodes:
            of_kind.setdefault(node.kind, []).append(node.id)
        looked = await asyncio.gather(*(self._row(kind, ids) for kind, ids in of_kind.items()))
        found = dict(
            _OF[told](cells)
            for kind, row in zip(of_kind, looked, strict=True)
            for column, told in _COLUMNS[kind].items()
            for cells in row[column]
        )
        self._met |= {node.id: None for node in found if node.kind is NodeKind.PERSON}
        return found

    async def _row(self, kind: NodeKind, ids: list[str]) -> Mapping[str, Any]:
        is_worth_it = self._hops > 0 and len(self._met) <= MOST_MET
        named = {
            "ids": ids,
            "most": MOST,
            "visitors": VISITORS,
            "few": FEW,
            "ahead": max(self._room, 0) if is_worth_it else 0,
            "met": list(self._met) if is_worth_it else [],
        }
        (row,) = await self._database.read_rows(_STATEMENTS[kind], named=named)
        return row


def _device(row: list[Any]) -> tuple[Node, Surroundings]:
    id, first, last, anonymous, rows = row
    node = Node(NodeKind.DEVICE, id)
    uses = _newest(_use(node, cells[6], cells) for cells in rows)
    return node, Surroundings(
        record=DeviceRecord(id, first, last),
        joins=[*map(_used_by, uses)],
        leads_to=_people(uses),
        uses=uses,
        is_cut=len(uses) >= MOST,
        anonymous=anonymous,
    )


def _cookie(row: list[Any]) -> tuple[Node, Surroundings]:
    id, first, last, devices, rows = row
    node = Node(NodeKind.COOKIE, id)
    uses = _newest(_use(node, cells[6], cells) for cells in rows)
    places = [Node(NodeKind.DEVICE, device) for device in sorted(devices)]
    return node, Surroundings(
        record=CookieRecord(id, first, last, min(devices, default=None)),
        joins=[*map(_used_by, uses), *(Join(EdgeKind.ON_DEVICE, node, place) for place in places)],
        leads_to=alternating(places, _people(uses)),
        uses=uses,
        is_cut=len(uses) >= MOST or len(devices) >= FEW,
    )


def _person(row: Mapping[str, Any]) -> tuple[Node, Surroundings]:
    record = person_of(row)
    node = Node(NodeKind.PERSON, record.id)
    uses = _newest(
        _use(place, record.id, cells)
        for cells in row["uses"]
        for place in _places(cells[1], cells[6])
    )
    contacts = [Node(NodeKind.CONTACT, contact.id) for contact in record.contacts]
    return node, Surroundings(
        record=record,
        joins=[*map(_used_by, uses), *(Join(EdgeKind.BELONGS_TO, c, node) for c in contacts)],
        leads_to=alternating(dict.fromkeys(use.place for use in uses), contacts),
        uses=uses,
        is_cut=max(len(row["uses"]), len(contacts)) >= MOST,
    )


def _contact(row: list[Any]) -> tuple[Node, Surroundings]:
    person_id, holds, same, told = row
    record = contact_of(told, person_id)
    node, person = Node(NodeKind.CONTACT, record.id), Node(NodeKind.PERSON, person_id)
    joins = [Join(EdgeKind.BELONGS_TO, node, person)]
    joins += (
        Join(EdgeKind.HAS_IDENTIFIER, node, Node(NodeKind.IDENTIFIER, cells[0]), *_link(cells))
        for cells in holds
    )
    joins += (
        Join(EdgeKind(cells[5]), node, Node(NodeKind.CONTACT, cells[0]), *_link(cells))
        for cells in same
    )
    return node, Surroundings(
        record=record,
        joins=joins,
        leads_to=[person, *_held(NodeKind.IDENTIFIER, holds)],
        is_cut=max(len(holds), len(same)) >= MOST,
    )


def _identifier(row: list[Any]) -> tuple[Node, Surroundings]:
    id, type, value, holds = row
    node = Node(NodeKind.IDENTIFIER, id)
    return node, Surroundings(
        record=NamedIdentifier(id, type, value),
        joins=[
            Join(EdgeKind.HAS_IDENTIFIER, Node(NodeKind.CONTACT, cells[0]), node, *_link(cells))
            for cells in holds
        ],
        leads_to=_held(NodeKind.CONTACT, holds),
        is_cut=len(holds) >= MOST,
    )


_OF: Mapping[NodeKind, Callable[[Any], tuple[Node, Surroundings]]] = {
    NodeKind.DEVICE: _device,
    NodeKind.COOKIE: _cookie,
    NodeKind.PERSON: _person,
    NodeKind.CONTACT: _contact,
    NodeKind.IDENTIFIER: _identifier,
}


def _use(place: Node, person: str, cells: list[Any]) -> Use:
    link, cookie, state, assurance, at, ended_at, _ = cells
    return Use(place, person, link, cookie, _STATES[state], _ASSURANCES[assurance], at, ended_at)


def _places(cookie: str, devices: Sequence[str]) -> Iterator[Node]:
    """Where a use of a cookie is drawn: at its devices; where none is known, at itself."""
    if devices:
        yield from (Node(NodeKind.DEVICE, device) for device in sorted(devices))
    else:
        yield Node(NodeKind.COOKIE, cookie)


def _newest(uses: Iterable[Use]) -> list[Use]:
    return sorted(uses, key=lambda use: (-use.at, use.link, use.place.id))


def _people(uses: Iterable[Use]) -> list[Node]:
    return [Node(NodeKind.PERSON, person) for person in dict.fromkeys(use.person for use in uses)]


def _used_by(use: Use) -> Join:
    person = Node(NodeKind.PERSON, use.person)
    return Join(EdgeKind.USED_BY, use.place, person, use.link, use.state, use.assurance)


def _link(cells: list[Any]) -> tuple[str, LinkState, Assurance]:
    """Of a link's cells, which begin with the node at its other end."""
    return cells[1], _STATES[cells[2]], _ASSURANCES[cells[3]]


def _held(kind: NodeKind, holds: Iterable[list[Any]]) -> list[Node]:
    """The other ends of holds, the latest first; what was withdrawn leads nowhere."""
    standing = [cells for cells in holds if cells[2] != LinkState.SEVERED.value]
    standing.sort(key=lambda cells: (-cells[4], cells[1]))
    return [Node(kind, id) for id in dict.fromkeys(cells[0] for cells in standing)]


def alternating(*lists: Iterable[Each]) -> list[Each]:
    """One of each in turn, so that none crowds out another."""
    return [one for turn in zip_longest(*lists) for one in turn if one is not None]
