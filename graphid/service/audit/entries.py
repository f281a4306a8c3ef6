"""One line of the audit."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from graphid.identity.values import Micros

MOST_SUBJECTS = 100
"""Ids in one entry; how many more there were is counted."""

LONGEST_AGENT = 120
"""Characters that are kept of what a client says of itself."""

GIVEN_OUT = re.compile(
    r"(?:person|visitor|contact|link|review|identifier|session|chat)_[0-9a-f]{24}(?:~[a-z]+)?"
    r"|operation_[0-9a-f]{32}"
)
"""Ids that we made. What clients send as ids may be anything, an e-mail address included."""


class Outcome(StrEnum):
    """What became of it."""

    DONE = "DONE"
    PREVIEWED = "PREVIEWED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks, and from where. ``agent``: what their program says that it is."""

    actor: str
    address: str
    agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done, or read.

    ``action``: the mutation, or the fields of the query that was asked. ``subjects``: ids of what
    it was about; ``omitted``: how many more there were. ``position`` sorts entries by time.
    """

    id: str
    position: str
    at: Micros
    actor: str
    action: str
    outcome: Outcome
    subjects: tuple[str, ...]
    omitted: int
    operation: str | None
    address: str
    agent: str
    request_id: str

    @classmethod
    def of(
        cls,
        origin: Origin,
        action: str,
        outcome: Outcome,
        subjects: Iterable[str],
        *,
        at: Micros,
        operation: str | None = None,
    ) -> Entry:
        """A new entry."""
        distinct = tuple(dict.fromkeys(subjects))
        id = f"audit_{uuid.uuid4().hex}"
        return cls(
            id=id,
            position=f"{position_at(at)}{id}",
            at=at,
            actor=origin.actor,
            action=action,
            outcome=outcome,
            subjects=distinct[:MOST_SUBJECTS],
            omitted=max(0, len(distinct) - MOST_SUBJECTS),
            operation=operation,
            address=origin.address,
            agent=origin.agent,
            request_id=origin.request_id,
        )


def position_at(at: Micros) -> str:
    """Where the entries of a moment begin."""
    return f"{at:016d}"


def given_out(ids: Iterable[str]) -> list[str]:
    """Those of the ids that a client sent that can be ours."""
    return [id for id in ids if GIVEN_OUT.fullmatch(id)]


def shortened(agent: str) -> str:
    """What is kept of a ``User-Agent``: its beginning, in printable ASCII."""
    return "".join(c for c in agent[:LONGEST_AGENT] if c.isascii() and c.isprintable())


def to_row(entry: Entry) -> dict[str, Any]:
    """An entry as the graph has it."""
    return {
        "id": entry.id,
        "position": entry.position,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "outcome": entry.outcome.value,
        "subjects": list(entry.subjects),
        "omitted": entry.omitted,
        "operation": entry.operation,
        "address": entry.address,
        "agent": entry.agent,
        "requestId": entry.request_id,
    }


def of_row(row: Mapping[str, Any]) -> Entry:
    """An entry that the graph has."""
    return Entry(
        id=row["id"],
        position=row["position"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        outcome=Outcome(row["outcome"]),
        subjects=tuple(row["subjects"]),
        omitted=row["omitted"],
        operation=row.get("operation"),
        address=row["address"],
        agent=row["agent"],
        request_id=row["requestId"],
    )
