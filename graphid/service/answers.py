"""What was recorded of evidence, as one answer to the message that said it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from graphid.graph.evidence import Recorded

T = TypeVar("T")


def together(recorded: Sequence[Recorded | None]) -> Recorded | None:
    """The answer to a message that said several things: the first, with what the others did."""
    answers = [answer for answer in recorded if answer is not None]
    if len(answers) < 2:
        return answers[0] if answers else None
    first, *others = answers
    outcomes = [answer.outcome for answer in answers]
    outcome = msgspec.structs.replace(
        outcomes[-1],
        created=any(outcome.created for outcome in outcomes),
        switched=any(outcome.switched for outcome in outcomes),
        admitted=_once(outcome.admitted for outcome in outcomes),
        links=_once(outcome.links for outcome in outcomes),
        reviews=_once(outcome.reviews for outcome in outcomes),
        warnings=_once(outcome.warnings for outcome in outcomes),
    )
    is_pending = any(answer.is_pending for answer in others) or first.is_pending
    return replace(first, outcome=outcome, is_pending=is_pending)


def _once(told: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    """All of it, each thing once, in the order told."""
    return tuple(dict.fromkeys(thing for things in told for thing in things))
