"""From what an operator points at to the operation that is recorded.

An act is what was asked for. It *proposes* an operation from what the graph holds; it decides
nothing about identity, and changes nothing. It is asked twice: to learn what to lock, and again
under the locks, so what it proposes depends on the graph and on itself alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from graphid.errors import Refused
from graphid.identity.values import (
    Anchor,
    ContactAnchor,
    IdentifierAnchor,
    Judged,
    KeepApart,
    Merge,
    Micros,
    Placed,
    Promote,
    Sever,
    VisitorAnchor,
)

Recorded = TypeVar("Recorded", bound=Placed | Judged)

UNSEEN: Micros = -1
"""Of an operator who was shown no judgement at all."""


@dataclass(frozen=True)
class Header:
    """What every operation is recorded with."""

    id: str
    recorded_at: Micros
    actor: str
    reason: str
    policy: int

    def on(self, operation: Callable[..., Recorded], **what: Any) -> Recorded:
        """The operation."""
        return operation(
            id=self.id,
            recorded_at=self.recorded_at,
            actor=self.actor,
            reason=self.reason,
            policy=self.policy,
            **what,
        )


@dataclass(frozen=True)
class Proposal:
    """The operation, and whom it concerns beside its anchors (ids of contacts and visitors).

    ``shown_to``: judgements recorded up to then may be overruled, for the operator was shown them.
    """

    operation: Placed | Judged
    concerns: tuple[str, ...] = ()
    shown_to: Micros = UNSEEN


class Asked(msgspec.Struct, frozen=True, tag_field="act"):
    """What an operator asks for; each kind also has ``propose(seen, header)``, which answers a
    Proposal and raises NotFound or Refused. What says the same is the same act."""

    def check(self) -> None:
        """Raises Refused for what is wrong whatever the graph holds."""
        return


def refused(*reasons: str) -> Refused:
    """A refusal, in sentences for the operator."""
    return Refused(reasons=reasons)


def named_in(operation: Placed | Judged) -> tuple[str, ...]:
    """Ids of the contacts and visitors that an operation's anchors name."""
    match operation:
        case Merge(of=anchors):
            named: list[Anchor | IdentifierAnchor] = list(anchors)
        case Sever(visitor=visitor, contacts=contacts):
            named = [*contacts, visitor]
        case Promote(contact=contact):
            named = [contact]
        case KeepApart(sides=sides):
            named = [party for side in sides for party in side]
        case _:
            named = []
    return tuple(id for anchor in named if (id := _id_of(anchor)) is not None)


def _id_of(anchor: Anchor | IdentifierAnchor) -> str | None:
    if isinstance(anchor, ContactAnchor):
        return anchor.contact
    if isinstance(anchor, VisitorAnchor):
        return f"{anchor.visitor}~unclaimed" if anchor.unclaimed else anchor.visitor
    return None
