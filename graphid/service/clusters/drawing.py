"""Edges to draw: everything that joins two nodes in one way is one."""

from __future__ import annotations

from collections.abc import Mapping

from graphid.identity.state import LinkState
from graphid.service.clusters.records import Edge, EdgeKind, Join, Node, Surroundings

LINKS_SHOWN = 10
"""How many links an edge names."""

EDGES_A_NODE = 2
"""How many edges a cluster has at most, for each node that it may have: enough that each hangs on
the node from which it was reached, and as many again."""

_WORSE = {LinkState.ACTIVE: 0, LinkState.ENDED: 1, LinkState.SEVERED: 2}

Between = tuple[EdgeKind, Node, Node]


def edges_of(
    found: Mapping[Node, Surroundings], via: Mapping[Node, Node], *, most: int
) -> tuple[list[Edge], int]:
    """The edges between nodes that were found, in the order of the nodes; and how many were left
    out. ``via``: the node from which each was reached, whose edge is never left out."""
    joins: dict[Between, dict[str | None, Join]] = {}
    for around in found.values():
        for join in around.joins:
            if join.source in found and join.target in found:
                between = (join.kind, join.source, join.target)
                joins.setdefault(between, {})[join.link] = join
    order = {node: index for index, node in enumerate(found)}

    def place(between: Between) -> tuple[int, int, EdgeKind]:
        kind, source, target = between
        first, second = order[source], order[target]
        return (max(first, second), min(first, second), kind)

    kept = sorted(joins, key=place)
    if len(kept) > most:
        bearing = {b for b in kept if via.get(b[1]) == b[2] or via.get(b[2]) == b[1]}
        spare = iter([b for b in kept if b not in bearing][: max(most - len(bearing), 0)])
        kept = sorted([*bearing, *spare], key=place)
    return [_edge(between, joins[between]) for between in kept], len(joins) - len(kept)


def _edge(between: Between, joins: Mapping[str | None, Join]) -> Edge:
    kind, source, target = between
    if len(joins) == 1:
        # As most are.
        (join,) = joins.values()
        return Edge(
            id=f"{kind.lower()}~{source.id}~{target.id}",
            kind=kind,
            source=source.id,
            target=target.id,
            state=join.state,
            weight=1,
            assurance=join.assurance,
            links=() if join.link is None else (join.link,),
        )
    # Links are named in an order that does not depend on from which end they were met.
    links = sorted(link for link in joins if link is not None)
    vouched = [join.assurance for join in joins.values() if join.assurance is not None]
    return Edge(
        id=f"{kind.lower()}~{source.id}~{target.id}",
        kind=kind,
        source=source.id,
        target=target.id,
        state=min((join.state for join in joins.values()), key=_WORSE.__getitem__),
        weight=len(joins),
        assurance=max(vouched, default=None),
        links=tuple(links[:LINKS_SHOWN]),
    )
