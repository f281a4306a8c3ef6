"""Neighbourhoods in the schema, ready to draw, and what of them is worth a look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import strawberry

from graphid.api.context import Info
from graphid.api.devices import Device
from graphid.api.links import IdentifierNode
from graphid.api.nodes import computed
from graphid.api.people import Contact, Person
from graphid.api.visits import Cookie
from graphid.errors import InvalidInput
from graphid.identity.state import LinkState
from graphid.identity.values import Assurance
from graphid.service.clusters.clusters import MOST_HOPS, MOST_NODES, MOST_SIGNALS
from graphid.service.clusters.drawing import EDGES_A_NODE, LINKS_SHOWN
from graphid.service.clusters.reading import MOST
from graphid.service.clusters.records import Cluster as ClusterRecord
from graphid.service.clusters.records import Edge, NodeKind, Record
from graphid.service.clusters.signals import Signal
from graphid.service.devices import CookieRecord, DeviceRecord
from graphid.service.links import NamedIdentifier
from graphid.service.people import ContactRecord, PersonRecord

HOPS = 4
NODES = 300
"""What a cluster has where the client does not say."""

ClusterNode = Annotated[
    Person | Device | Contact | Cookie | IdentifierNode,
    strawberry.union(
        "ClusterNode",
        description="Cookies are nodes only where no device is known, or a cluster is around one. "
        "Visitors are none: who is somebody's is behind an edge, who is nobody's is counted.",
    ),
]

_NODES: dict[type[Any], Callable[[Any], Any]] = {
    PersonRecord: Person.of,
    DeviceRecord: Device.of,
    ContactRecord: Contact.of,
    CookieRecord: Cookie.of,
    NamedIdentifier: IdentifierNode.of,
}


@strawberry.type(description="What joins two nodes of a cluster in one way, all of it together.")
class ClusterEdge:
    id: strawberry.ID = strawberry.field(description="Of its kind and ends.")
    from_: strawberry.ID = strawberry.field(name="from", description="The id of a node.")
    to: strawberry.ID = strawberry.field(description="The id of another.")
    kind: str = strawberry.field(
        description="USED_BY: from a device, or a cookie without one, to the person who "
        "identified themselves there. ON_DEVICE: from a cookie to where it lies. BELONGS_TO: from "
        "a contact to its person. HAS_IDENTIFIER: from a contact to what it holds. SAME_AS, "
        "NOT_SAME_AS: between contacts."
    )
    state: LinkState = strawberry.field(
        description="ACTIVE where any of it stands, else ENDED where any is over, else SEVERED. "
        "What is SEVERED, and NOT_SAME_AS, leads nowhere: it is drawn where both ends are there. "
        "A visitor that was severed is behind no edge."
    )
    weight: int = strawberry.field(
        description="How much is behind it: of USED_BY the visitors, of others the links."
    )
    assurance: Assurance | None = strawberry.field(
        description="The highest that vouched; none for ON_DEVICE and BELONGS_TO."
    )
    links: list[strawberry.ID] = strawberry.field(
        description=f"Ids of up to {LINKS_SHOWN} of the links behind it: `node(id)` explains each."
    )

    @classmethod
    def of(cls, edge: Edge) -> ClusterEdge:
        return cls(
            id=strawberry.ID(edge.id),
            from_=strawberry.ID(edge.source),
            to=strawberry.ID(edge.target),
            kind=edge.kind.value,
            state=edge.state,
            weight=edge.weight,
            assurance=edge.assurance,
            links=[strawberry.ID(link) for link in edge.links],
        )


@strawberry.type(description="A fact worth a human's look. None of them proves anything.")
class RiskSignal:
    kind: str = strawberry.field(
        description="MANY_PEOPLE_ON_DEVICE, NEW_PEOPLE_WITHIN_A_DAY, LOGIN_SOON_AFTER_ANOTHER, "
        "IDENTIFIER_ON_MANY_DEVICES, PERSON_ON_MANY_DEVICES or CLAIMS_NEVER_VERIFIED."
    )
    score: float = strawberry.field(
        description="From 0 to 1: how far it is from what is usual, as docs/clusters.md has it. "
        "Not how likely fraud is."
    )
    explanation: str = strawberry.field(description="Why, in a sentence.")
    evidence: list[strawberry.ID] = strawberry.field(
        description="Ids: of the node that it is about; then of links, or of the messages in which "
        "an identifier was named."
    )

    @classmethod
    def of(cls, signal: Signal) -> RiskSignal:
        return cls(
            kind=signal.kind.value,
            score=signal.score,
            explanation=signal.explanation,
            evidence=[strawberry.ID(id) for id in signal.evidence],
        )


@strawberry.type(
    description="A neighbourhood: people, the devices that they share, and what joins them. The "
    "same graph gives the same answer."
)
class Cluster:
    id: strawberry.ID = strawberry.field(description="Of the node that it is around.")
    people: int = strawberry.field(description="How many of its nodes are people.")
    devices: int = strawberry.field(description="How many are devices.")
    truncated: bool = strawberry.field(description="Whether nodes within maxHops were left out.")
    omitted: int = strawberry.field(
        description="How many nodes within maxHops were met and left out; at least so many are "
        "missing where `omittedIsExact` is false."
    )
    omitted_is_exact: bool = strawberry.field(
        description="False where what lies behind the nodes that were left out was not met, or of "
        f"a node more than the latest {MOST} uses, contacts or holds would have to be looked at."
    )
    omitted_edges: int = strawberry.field(
        description=f"How many edges between its nodes were left out: it has {EDGES_A_NODE} for "
        "each of maxNodes at most. That by which a node was reached is never one of them."
    )
    anonymous_cookies: int = strawberry.field(
        description="On how many cookies of its devices nobody was ever identified; of one device "
        f"{MOST} are counted at most. They are no nodes."
    )
    nodes: list[ClusterNode] = strawberry.field(
        description="The one that it is around, then those one hop away, and so on. Within a hop "
        "each node of the hop before gives one in turn, the latest first, so that none crowds out "
        "another."
    )
    edges: list[ClusterEdge] = strawberry.field(description="Between these nodes, in their order.")
    record: strawberry.Private[ClusterRecord]

    @computed(
        f"What is worth a look, the highest score first, {MOST_SIGNALS} at most. They see more "
        "than is drawn: all uses of its devices and people that were looked at."
    )
    async def signals(self, info: Info) -> list[RiskSignal]:
        found = await info.context.reads.clusters.signals(self.record)
        return [RiskSignal.of(signal) for signal in found]


async def cluster_around(
    info: Info, around: str, max_hops: int | None, max_nodes: int | None
) -> Cluster:
    """The cluster around an id, as the caller may see it."""
    record = await info.context.reads.clusters.around(
        around,
        max_hops=_within(max_hops, "maxHops", HOPS, MOST_HOPS),
        max_nodes=_within(max_nodes, "maxNodes", NODES, MOST_NODES),
    )
    shown: list[Record] = await info.context.shown(record.nodes)
    for one in shown:
        if isinstance(one, PersonRecord):
            info.context.people[one.id] = one
    return Cluster(
        id=strawberry.ID(record.id),
        people=record.count(NodeKind.PERSON),
        devices=record.count(NodeKind.DEVICE),
        truncated=record.omitted > 0 or not record.is_exact,
        omitted=record.omitted,
        omitted_is_exact=record.is_exact,
        omitted_edges=record.omitted_edges,
        anonymous_cookies=record.anonymous,
        nodes=[_NODES[type(one)](one) for one in shown],
        edges=[ClusterEdge.of(edge) for edge in record.edges],
        record=record,
    )


def _within(value: int | None, field: str, default: int, most: int) -> int:
    """A number that the client may choose. Raises InvalidInput, naming the field and the limit."""
    if value is None:
        return default
    if not 1 <= value <= most:
        raise InvalidInput(f"{field} must be from 1 to {most}.", path=[field])
    return value
