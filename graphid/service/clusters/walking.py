"""Which nodes a cluster takes: by hops, and within a hop from each node in turn.

A kiosk that a hundred thousand people used then takes no more turns than a phone beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphid.service.clusters.records import Node, Surroundings

Look = Callable[[Sequence[Node]], Awaitable[Mapping[Node, Surroundings]]]
"""What is around nodes; those that are not there are left out."""


@dataclass
class Walked:
    """What a walk has found.

    ``found``: in the order in which it was reached. ``via``: the node that each was reached from.
    ``omitted``: how many nodes were met, and not taken; ``is_exact``: whether there are no others.
    """

    found: dict[Node, Surroundings]
    via: dict[Node, Node]
    omitted: int = 0
    is_exact: bool = True


async def walk(
    look: Look, centre: Node, around: Surroundings, *, max_hops: int, max_nodes: int
) -> Walked:
    """The nodes within so many hops of the centre, and so many at most, those closer first.

    What lies further away is not counted as left out.
    """
    walked = Walked({centre: around}, {})
    seen = {centre}
    edge = [centre]
    for hop in range(max_hops):
        walked.is_exact = walked.is_exact and not any(walked.found[node].is_cut for node in edge)
        taken: list[Node] = []
        left_out = 0
        for source, node in in_turn(edge, walked.found, seen):
            if len(walked.found) + len(taken) < max_nodes:
                taken.append(node)
                walked.via[node] = source
            else:
                left_out += 1
        walked.omitted += left_out
        if left_out and hop + 1 < max_hops:
            walked.is_exact = False  # what is behind those is not met
        if not taken:
            break
        looked = await look(taken)
        edge = [node for node in taken if node in looked]
        walked.found.update((node, looked[node]) for node in edge)
    return walked


def in_turn(
    sources: Sequence[Node], found: Mapping[Node, Surroundings], seen: set[Node]
) -> Iterator[tuple[Node, Node]]:
    """The nodes that lie next to these and were not seen: one of each source in turn.

    ``seen`` takes in what comes out.
    """
    waiting = [(source, iter(found[source].leads_to)) for source in sources]
    while waiting:
        still = []
        for source, rest in waiting:
            node = next((node for node in rest if node not in seen), None)
            if node is not None:
                seen.add(node)
                still.append((source, rest))
                yield source, node
        waiting = still
