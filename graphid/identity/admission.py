"""step: identify, 1. Which of the identifiers that were sent resolution uses at all."""

from __future__ import annotations

from collections.abc import Callable, Collection

from graphid.identity.ids import Ids
from graphid.identity.outcome import Warned
from graphid.identity.policy import Policy
from graphid.identity.values import IdentifierKey, Micros, type_of
from graphid.identity.view import View


def is_barred(view: View, identifier: IdentifierKey, recorded_at: Micros, ids: Ids) -> bool:
    """Whether an operator blocked the value, or erased the person who held it after this was
    recorded."""
    judged = view.find("judged", identifier)
    if judged is not None and judged.blocked_by:
        return True
    bar = view.find("bar", ids.bar(identifier))
    return bar is not None and recorded_at <= bar.until


def admit(
    identifiers: Collection[IdentifierKey],
    policy: Policy,
    is_barred: Callable[[IdentifierKey], bool] = lambda identifier: False,
) -> tuple[tuple[IdentifierKey, ...], tuple[Warned, ...]]:
    """The identifiers that resolution uses, in policy priority, and what was dropped.

    ``is_barred`` answers for what operators judged.
    """
    admitted: dict[IdentifierKey, None] = {}
    unique_types: set[str] = set()
    warnings: list[Warned] = []
    for identifier in identifiers:
        type = type_of(identifier)
        if identifier in admitted:
            continue
        if policy.is_blocked(identifier) or is_barred(identifier):
            warnings.append(Warned("BLOCKED_IDENTIFIER", f"this value of {type} identifies nobody"))
        elif policy.rule(type).unique and type in unique_types:
            warnings.append(
                Warned("INVALID_IDENTIFIER", f"a person has one {type}; the first sent was taken")
            )
        else:
            unique_types.add(type)
            admitted[identifier] = None
    in_order = sorted(admitted, key=policy.priority) if len(admitted) > 1 else admitted
    return tuple(in_order), tuple(warnings)
