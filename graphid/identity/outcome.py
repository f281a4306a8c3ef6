"""What one step decided, beside the values that it wrote: the material of the answer."""

from __future__ import annotations

import msgspec

from graphid.identity.values import IdentifierKey


class Warned(msgspec.Struct, frozen=True, gc=False):
    """A warning: BLOCKED_IDENTIFIER, INVALID_IDENTIFIER, CLOCK_SKEW, MESSAGE_ID_REUSED, PENDING."""

    code: str
    message: str


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The answer of one step.

    ``visitor``: the visitor that the evidence's own event belongs to (None: a contact upsert).
    ``void``: why an operation does nothing, one sentence a rule.
    ``contact``: whom it was attached to; None where it attached nobody. ``links``: ids of the
    links made, raised or taken over; ``ended``: of those that it ended.
    """

    visitor: str | None = None
    contact: str | None = None
    created: bool = False
    switched: bool = False
    admitted: tuple[IdentifierKey, ...] = ()
    links: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    void: tuple[str, ...] = ()
