"""What the graph keeps of identifies that only said again what was so (docs/graph.md).

A mark on the event; and one Repetition for all that say the same, of the same contact, on the same
cookie, by which the marks are found where something that they rest on becomes another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphid.graph.memory import as_text
from graphid.graph.remembered import Mark, Repetition
from graphid.graph.rows import Row
from graphid.identity.ids import Ids
from graphid.identity.state import device_key
from graphid.identity.values import Place

NO_REPETITIONS: Mapping[str, Any] = {"nodes": [], "rests": []}
"""The ``repetitions`` of a unit of work in which nothing is said again."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What identifies that say the same rest on, as it was when one of them was looked at.

    ``writes``: how often each key was written by then; ``wrote``: where that was last. Behind it
    they all say again what is so, while none of the keys is written more often.
    """

    id: str
    properties: Mapping[str, Any]
    writes: Mapping[str, int]
    wrote: Place


def repetition_row(repetition: Repetition, ids: Ids) -> Row:
    """A Repetition node; ``last`` is the place of this one."""
    said = repetition.piece
    properties = {
        "cookie": said.cookie,
        "device": device_key(said.device, said.cookie),
        "identifier": said.identifiers[0],
        "assurance": int(said.assurance),
        "policy": said.policy,
        "actor": said.actor,
        "contact": repetition.contact,
    }
    id = ids.repetition(*map(str, properties.values()))
    return {"id": id, "properties": properties, "last": said.place}


def repetition_rows(repetitions: Iterable[Repetition], ids: Ids) -> tuple[Row, dict[str, str]]:
    """The ``repetitions`` of ``parts/note_repetitions``; and of each the repetition that it is
    one of, by the id of the evidence."""
    rows = [(repetition_row(repetition, ids), repetition) for repetition in repetitions]
    of = {repetition.piece.id: row["id"] for row, repetition in rows}
    return noted((row, map(as_text, repetition.touched)) for row, repetition in rows), of


def noted(said: Iterable[tuple[Row, Iterable[str]]]) -> Row:
    """The ``repetitions`` of ``parts/note_repetitions``: of nodes, each as often as it is said
    again, and the keys that this rests on."""
    nodes: dict[str, Row] = {}
    rests: list[tuple[Place, Iterable[str]]] = []
    for row, keys in said:
        last = nodes.setdefault(row["id"], row)["last"]
        if last < row["last"]:
            nodes[row["id"]] = row
        rests.append((row["last"], keys))
    return {"nodes": [nodes[id] for id in sorted(nodes)], "rests": rests_of(rests)}


def kept_rests(kept: Mapping[Place, Repetition], marks: Mapping[Place, Mark]) -> list[Row]:
    """What marks that were looked at rest on: those behind them, which say the same, do so too."""
    return rests_of((marks[at].last, map(as_text, said.touched)) for at, said in kept.items())


def rests_of(said: Iterable[tuple[Place, Iterable[str]]]) -> list[Row]:
    """The keys that what is said again rests on, each with the last place."""
    last: dict[str, Place] = {}
    for place, keys in said:
        for key in keys:
            last[key] = max(place, last.get(key, place))
    return [{"key": key, "place": last[key]} for key in sorted(last)]
