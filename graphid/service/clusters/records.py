"""What a cluster is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from graphid.identity.state import LinkState
from graphid.identity.values import Assurance, Micros
from graphid.service.devices import CookieRecord, DeviceRecord
from graphid.service.links import NamedIdentifier
from graphid.service.people import ContactRecord, PersonRecord

Record = PersonRecord | DeviceRecord | ContactRecord | CookieRecord | NamedIdentifier


class NodeKind(StrEnum):
    PERSON = "PERSON"
    DEVICE = "DEVICE"
    CONTACT = "CONTACT"
    COOKIE = "COOKIE"
    IDENTIFIER = "IDENTIFIER"


class Node(NamedTuple):
    """A node by its kind and id: clients give devices and cookies ids of their own."""

    kind: NodeKind
    id: str


class EdgeKind(StrEnum):
    USED_BY = "USED_BY"
    ON_DEVICE = "ON_DEVICE"
    BELONGS_TO = "BELONGS_TO"
    HAS_IDENTIFIER = "HAS_IDENTIFIER"
    SAME_AS = "SAME_AS"
    NOT_SAME_AS = "NOT_SAME_AS"


class Join(NamedTuple):
    """One thing that joins two nodes. ``link``: its id; None where it is derived from others."""

    kind: EdgeKind
    source: Node
    target: Node
    link: str | None = None
    state: LinkState = LinkState.ACTIVE
    assurance: Assurance | None = None


class Use(NamedTuple):
    """A visitor that is somebody's, as a use of a place: a device, or a cookie without one.

    ``link``: the IDENTIFIED_AS that makes it theirs. ``at``: when they identified themselves;
    ``ended_at``: when the visitor ended, None while it is open.
    """

    place: Node
    person: str
    link: str
    cookie: str
    state: LinkState
    assurance: Assurance
    at: Micros
    ended_at: Micros | None = None


class Surroundings(msgspec.Struct, frozen=True):
    """What is around one node.

    ``leads_to``: the nodes next to it, the latest first. ``uses``: of a device or a cookie who used
    it, of a person what they used; the latest first. ``is_cut``: there may be more than was looked
    at. ``anonymous``: of a device, on how many of its cookies nobody was ever identified.
    """

    record: Record
    joins: Sequence[Join]
    leads_to: Sequence[Node]
    uses: Sequence[Use] = ()
    is_cut: bool = False
    anonymous: int = 0


class Edge(msgspec.Struct, frozen=True):
    """All that joins two nodes in one way.

    ``weight``: how many links, or visitors, are behind it. ``state``: the best of theirs;
    ``assurance``: the highest. ``links``: the ids of some of them.
    """

    id: str
    kind: EdgeKind
    source: str
    target: str
    state: LinkState
    weight: int
    assurance: Assurance | None
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A neighbourhood. ``found``: its nodes in the order in which they were reached."""

    centre: Node
    found: Mapping[Node, Surroundings]
    edges: Sequence[Edge] = field(default=())
    omitted: int = 0
    omitted_edges: int = 0
    is_exact: bool = True
    """Whether ``omitted`` is all that was left out, and not only what was met of it."""

    @property
    def id(self) -> str:
        return f"cluster~{self.centre.id}"

    @property
    def nodes(self) -> list[Record]:
        return [around.record for around in self.found.values()]

    @property
    def anonymous(self) -> int:
        return sum(around.anonymous for around in self.found.values())

    def count(self, kind: NodeKind) -> int:
        """How many nodes of a kind it has."""
        return sum(node.kind is kind for node in self.found)
