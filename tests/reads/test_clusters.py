"""Which nodes a cluster takes and what is left out, without a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from graphid.identity.state import LinkState
from graphid.identity.values import Assurance
from graphid.service.clusters.drawing import edges_of
from graphid.service.clusters.records import EdgeKind, Join, Node, NodeKind, Surroundings
from graphid.service.clusters.walking import Walked, walk
from graphid.service.devices import DeviceRecord


def node(name: str) -> Node:
    return Node(NodeKind.DEVICE, name)


class Graph:
    """Nodes by name, each with its neighbours in order; those in ``cut`` have more."""

    def __init__(self, neighbours: Mapping[str, Sequence[str]], cut: Sequence[str] = ()) -> None:
        self._neighbours = neighbours
        self._cut = cut
        self.looked: list[str] = []

    async def look(self, nodes: Sequence[Node]) -> dict[Node, Surroundings]:
        self.looked += (one.id for one in nodes)
        return {one: self.around(one.id) for one in nodes if one.id in self._neighbours}

    def around(self, name: str) -> Surroundings:
        return Surroundings(
            record=DeviceRecord(name, 0, 0),
            joins=[],
            leads_to=[node(other) for other in self._neighbours[name]],
            is_cut=name in self._cut,
        )

    async def walked(self, *, hops: int = 4, nodes: int = 300) -> Walked:
        return await walk(self.look, node("0"), self.around("0"), max_hops=hops, max_nodes=nodes)


def names(walked: Walked) -> list[str]:
    return [one.id for one in walked.found]


def leaves(*stems: str, count: int) -> dict[str, list[str]]:
    return {f"{stem}{n}": [] for stem in stems for n in range(count)}


async def test_those_closer_come_first() -> None:
    chain = {str(n): [str(n + 1)] for n in range(9)} | {"9": []}
    walked = await Graph(chain).walked(hops=3)
    assert names(walked) == ["0", "1", "2", "3"]
    # What lies further than was asked for was not left out.
    assert (walked.omitted, walked.is_exact) == (0, True)
    assert [(walked.via[b], b) for b in map(node, "123")] == [
        (node(a), node(b)) for a, b in pairwise("0123")
    ]


async def test_a_crowd_takes_no_more_turns_than_others() -> None:
    kiosk = [f"k{n}" for n in range(1000)]
    graph = Graph(
        {"0": ["kiosk", "phone"], "kiosk": kiosk, "phone": ["p0", "p1", "p2"]}
        | leaves("k", count=1000)
        | leaves("p", count=3)
    )
    walked = await graph.walked(hops=2, nodes=11)
    assert names(walked) == [
        *("0", "kiosk", "phone"),
        *("k0", "p0", "k1", "p1", "k2", "p2", "k3", "k4"),
    ]
    assert (walked.omitted, walked.is_exact) == (995, True)
    assert graph.looked == names(walked)[1:], "what is left out is not looked at"


async def test_a_node_that_was_taken_costs_no_turn() -> None:
    graph = Graph(
        {"0": ["a", "b"], "a": ["0", "b", "x", "y"], "b": ["x", "z"], "x": [], "y": [], "z": []}
    )
    walked = await graph.walked(hops=2, nodes=5)
    assert names(walked) == ["0", "a", "b", "x", "z"]
    assert walked.via[node("z")] == node("b")
    assert walked.omitted == 1


async def test_what_is_met_behind_the_last_that_fits_counts_and_is_a_lower_bound() -> None:
    graph = Graph({"0": ["a", "b", "c"], "a": ["x", "y"], "b": ["z"], "c": [], "x": [], "y": []})
    walked = await graph.walked(nodes=3)
    assert names(walked) == ["0", "a", "b"]
    assert walked.omitted == 4  # c, x, y, z
    assert not walked.is_exact


async def test_one_node_alone() -> None:
    graph = Graph({"0": ["a"], "a": ["b"]})
    walked = await graph.walked(nodes=1)
    assert names(walked) == ["0"]
    assert (walked.omitted, walked.is_exact, graph.looked) == (1, False, [])


async def test_a_list_that_is_cut_makes_the_number_a_lower_bound() -> None:
    graph = Graph({"0": ["a"], "a": []}, cut="0")
    assert not (await graph.walked()).is_exact
    # At the edge it is no matter what more there is.
    assert (await Graph({"0": ["a"], "a": []}, cut="a").walked(hops=1)).is_exact


async def test_what_is_gone_by_the_time_it_is_looked_at_is_left_away() -> None:
    walked = await Graph({"0": ["gone", "a"], "a": []}).walked()
    assert names(walked) == ["0", "a"]


# ---------------------------------------------------------------------- edges


def found(*names: str, joins: Sequence[Join]) -> dict[Node, Surroundings]:
    return {node(name): Surroundings(DeviceRecord(name, 0, 0), joins, ()) for name in names}


def join(
    a: str,
    b: str,
    link: str,
    state: LinkState = LinkState.ENDED,
    assurance: Assurance = Assurance.CLAIMED,
) -> Join:
    return Join(EdgeKind.USED_BY, node(a), node(b), link, state, assurance)


def test_an_edge_is_all_that_joins_two_nodes() -> None:
    joins = [
        join("a", "b", "l2", LinkState.SEVERED, Assurance.VERIFIED),
        join("a", "b", "l1", LinkState.ACTIVE),
        join("a", "b", "l3"),
        join("a", "elsewhere", "l4"),
    ]
    (edge,), omitted = edges_of(found("a", "b", joins=joins), {}, most=10)
    assert (edge.id, edge.source, edge.target) == ("used_by~a~b", "a", "b")
    assert (edge.weight, edge.state, edge.assurance) == (3, LinkState.ACTIVE, Assurance.VERIFIED)
    assert edge.links == ("l1", "l2", "l3")
    assert omitted == 0


@pytest.mark.parametrize("is_reversed", [False, True])
def test_edges_come_in_the_order_of_the_nodes(is_reversed: bool) -> None:
    joins = [join("a", "b", "1"), join("c", "b", "2"), join("a", "c", "3")]
    if is_reversed:
        joins.reverse()
    edges, _ = edges_of(found("a", "b", "c", joins=joins), {}, most=10)
    assert [(edge.source, edge.target) for edge in edges] == [("a", "b"), ("a", "c"), ("c", "b")]


def test_the_edge_that_a_node_hangs_on_is_not_left_out() -> None:
    joins = [join("a", "b", "1"), join("b", "c", "2"), join("a", "c", "3"), join("b", "d", "4")]
    via = {node("b"): node("a"), node("c"): node("b"), node("d"): node("b")}
    edges, omitted = edges_of(found("a", "b", "c", "d", joins=joins), via, most=3)
    assert [(edge.source, edge.target) for edge in edges] == [("a", "b"), ("b", "c"), ("b", "d")]
    assert omitted == 1
