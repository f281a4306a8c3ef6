"""What keeps two people from being one: the merge rules, each by itself (model.md, Merge rules).

A step asks for the first that hinders it; whoever is to be told why, for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from graphid.identity.people import Someone, contradict
from graphid.identity.policy import Policy
from graphid.identity.state import ReviewKind
from graphid.identity.values import IdentifierKey

KEPT_APART = "an operator keeps them apart"


class Rule(StrEnum):
    """A merge rule that is not met; its value is the reason of the review."""

    CONTRADICTION = "their identifiers contradict each other"
    CONTACTS = "the person would have too many contacts"
    IDENTIFIERS = "the person would have too many identifiers"
    ONLY_A_CLAIM = "only a claim names both"
    BOTH_CURATED = "both are curated"
    ASSURANCE = "a claim cannot join two known people"

    @property
    def review(self) -> ReviewKind:
        """What a human is asked where it hinders a join."""
        return _REVIEWS.get(self, ReviewKind.SUGGESTED_MERGE)


_REVIEWS = {
    Rule.CONTRADICTION: ReviewKind.TAKEN_IDENTIFIER,
    Rule.CONTACTS: ReviewKind.LIMIT_REACHED,
    Rule.IDENTIFIERS: ReviewKind.LIMIT_REACHED,
}


class Naming(NamedTuple):
    """Evidence that names two people, as far as the rules ask.

    ``fits``: it could itself be about the second. ``beside``: what else it names, and nobody holds;
    it would come to the first. ``in_common``: it has something in common with each.
    ``is_followed``: it may go where the second is found. ``may_join``: its assurance is enough.
    """

    fits: bool = True
    beside: tuple[IdentifierKey, ...] = ()
    in_common: bool = False
    is_followed: bool = True
    may_join: bool = True


THE_BEST = Naming()
"""Evidence that could join any two, but for what stands between them by itself."""


def obstacles(
    someone: Someone, other: Someone, policy: Policy, naming: Naming = THE_BEST
) -> Iterator[Rule]:
    """The rules by which such evidence does not join the two."""
    if not naming.fits or contradict(
        {*someone.identifiers, *naming.beside},
        other.identifiers,
        policy,
        in_common=naming.in_common,
        distinguish=distinguishes(policy),
    ):
        yield Rule.CONTRADICTION
    yield from caps_passed(someone, other, policy)
    if not naming.is_followed:
        yield Rule.ONLY_A_CLAIM
    if someone.is_curated and other.is_curated:
        yield Rule.BOTH_CURATED
    if not naming.may_join:
        yield Rule.ASSURANCE


def distinguishes(policy: Policy) -> bool:
    """Whether two e-mails hinder a join."""
    return policy.taken_identifier != "MERGE"


def caps_passed(someone: Someone, other: Someone, policy: Policy) -> Iterator[Rule]:
    """The caps that the two together would pass."""
    caps = policy.merge
    if len(someone.contacts) + len(other.contacts) > caps.max_contacts:
        yield Rule.CONTACTS
    if len(someone.identifiers) + len(other.identifiers) > caps.max_identifiers:
        yield Rule.IDENTIFIERS
