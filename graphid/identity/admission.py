"""step: identify, 1. Which of the identifiers that were sent resolution uses at all."""

from __future__ import annotations

from collections.abc import Collection

from graphid.identity.outcome import Warned
from graphid.identity.policy import Policy
from graphid.identity.values import IdentifierKey, type_of


def admit(
    identifiers: Collection[IdentifierKey], policy: Policy
) -> tuple[tuple[IdentifierKey, ...], tuple[Warned, ...]]:
    """The identifiers that resolution uses, in policy priority, and what was dropped."""
    admitted: dict[IdentifierKey, None] = {}
    unique_types: set[str] = set()
    warnings: list[Warned] = []
    for identifier in identifiers:
        type = type_of(identifier)
        if identifier in admitted:
            continue
        if policy.is_blocked(identifier):
            warnings.append(Warned("BLOCKED_IDENTIFIER", f"this value of {type} identifies nobody"))
        elif policy.rule(type).unique and type in unique_types:
            warnings.append(
                Warned("INVALID_IDENTIFIER", f"a person has one {type}; the first sent was taken")
            )
        else:
            unique_types.add(type)
            admitted[identifier] = None
    return tuple(sorted(admitted, key=policy.priority)), tuple(warnings)
