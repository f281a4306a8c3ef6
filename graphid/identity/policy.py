"""The versioned settings that resolution follows, as ``model.md`` lists them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from graphid.errors import InvalidPolicy
from graphid.identity.identifiers import PLACEHOLDERS, is_one_digit_repeated, normalise
from graphid.identity.patterns import Matches, compiled
from graphid.identity.policy_faults import ANY, faults_of, is_pattern
from graphid.identity.values import SECOND, Assurance, IdentifierKey, Micros, UnattendedOwner

CUSTOM = ANY


class TypeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How identifiers of one type behave.

    A person has at most one value of a *unique* type. Two different values of a
    *distinguishing* type set people apart unless something is in common. ``limit``: how many
    values a person may hold.
    """

    type: str
    unique: bool = False
    distinguishing: bool = False
    limit: int = 5


class Phone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    region: str | None = None


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    assurance: str = "ASSERTED"
    max_contacts: int = 100
    max_identifiers: int = 1000


class SessionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    timeout: float = 20 * 60


class Retroactive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    max_age: float = 30 * 86400
    on_shared_device: float = 30 * 60


class Unattended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: float = 30 * 60
    owner: UnattendedOwner = UnattendedOwner.LAST_KNOWN


class Refold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    max_evidence: int = 1000


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    anonymous: float = 60 * 86400


_DEFAULT_TYPES = (
    TypeRule(CUSTOM, unique=True, limit=1),
    TypeRule("email", distinguishing=True, limit=5),
    TypeRule("phone", limit=5),
)


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One version of the policy document. Durations in the document are seconds.

    Made by :func:`parse_policy`; ``Policy()`` is the default.
    """

    identifiers: tuple[TypeRule, ...] = _DEFAULT_TYPES
    phone: Phone = Phone()
    blocked: tuple[str, ...] = ()
    taken_identifier: str = "KEEP_AND_REVIEW"
    trait_identifiers: tuple[str, ...] = ("email", "phone", "crm_account_id", "user_id")
    logout_events: tuple[str, ...] = ("Signed Out", "Logged Out", "Logout")
    merge: Merge = Merge()
    browser_assurance: str = "CLAIMED"
    session: SessionSettings = SessionSettings()
    retroactive: Retroactive = Retroactive()
    unattended: Unattended = Unattended()
    refold: Refold = Refold()
    retention: Retention = Retention()

    @cached_property
    def _rules(self) -> dict[str, TypeRule]:
        return {rule.type: rule for rule in self.identifiers}

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {rule.type: rank for rank, rule in enumerate(self.identifiers)}

    @cached_property
    def _custom_rank(self) -> int:
        # A type that is not listed stands where "*" stands, and before e-mail where it does not.
        return self._ranks.get(CUSTOM, self._ranks.get("email", len(self._ranks)))

    @cached_property
    def _custom(self) -> TypeRule:
        return self._rules.get(CUSTOM, TypeRule(CUSTOM, unique=True, limit=1))

    def rule(self, type: str) -> TypeRule:
        """The rule of a type, listed or custom."""
        return self._rules.get(type, self._custom)

    def priority(self, identifier: IdentifierKey) -> tuple[int, int, str, str]:
        """Sort key: the order in which identifiers are walked, listed types by their place."""
        type, _, value = identifier.partition(":")
        rank = self._ranks.get(type)
        # A listed type at the same rank as "*" cannot be; an unlisted one comes first at its rank.
        return (self._custom_rank, 0, type, value) if rank is None else (rank, 1, type, value)

    def is_blocked(self, identifier: IdentifierKey) -> bool:
        """Whether a normalised identifier is a placeholder or on the policy's block list."""
        type, _, value = identifier.partition(":")
        folded = value.casefold()
        if folded in PLACEHOLDERS or is_one_digit_repeated(folded):
            return True
        if (type, folded) in self._blocked_values or (CUSTOM, folded) in self._blocked_values:
            return True
        return any(
            of_type in (CUSTOM, type) and matches(value)
            for of_type, matches in self._blocked_patterns
        )

    @cached_property
    def _blocked_values(self) -> frozenset[tuple[str, str]]:
        """Type and value, as the value is once it is normalised, without regard to case."""
        found = set()
        for entry in self.blocked:
            if not is_pattern(entry):
                type, _, what = entry.partition(":")
                _, _, value = normalise(type, what, region=self.phone.region).partition(":")
                found.add((type, value.casefold()))
        return frozenset(found)

    @cached_property
    def blocked_types(self) -> dict[str, str]:
        """For each value that is blocked by name, in folded case, a type of which it is."""
        return {value: type for type, value in sorted(self._blocked_values)}

    @cached_property
    def _blocked_patterns(self) -> tuple[tuple[str, Matches], ...]:
        entries = (entry.partition(":") for entry in self.blocked if is_pattern(entry))
        return tuple((type, compiled(what[1:-1])) for type, _, what in entries)

    @cached_property
    def merge_assurance(self) -> Assurance:
        """What evidence needs in order to join two known people."""
        return Assurance[self.merge.assurance]

    @cached_property
    def browser(self) -> Assurance:
        """What an identify with a publishable key counts as."""
        return Assurance[self.browser_assurance]

    @cached_property
    def max_age(self) -> Micros:
        return round(self.retroactive.max_age * SECOND)

    @cached_property
    def on_shared_device(self) -> Micros:
        """On a shared device a claim reaches no further back than elsewhere."""
        return min(self.max_age, round(self.retroactive.on_shared_device * SECOND))

    @cached_property
    def retention_of_anonymous(self) -> Micros:
        """How long after their last activity anonymous visitors are kept."""
        return round(self.retention.anonymous * SECOND)

    @cached_property
    def unattended_after(self) -> Micros:
        return round(self.unattended.after * SECOND)

    @cached_property
    def session_timeout(self) -> Micros:
        return round(self.session.timeout * SECOND)


DEFAULT = Policy()
"""Version 1 of every installation. Another default would change what version 1 has meant: where
one is needed, a new installation is to begin with a version that says it."""


class PolicyVersion(msgspec.Struct, frozen=True):
    """A policy as it was set. ``set_by`` names the key; nobody set version 1."""

    version: int
    policy: Policy
    set_at: Micros
    set_by: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The whole document, defaults filled in."""
        return document_of(self.policy)


def parse_policy(document: Any) -> Policy:
    """The policy that a document says; what it leaves out is the default.

    Raises InvalidPolicy, with all faults that the document has.
    """
    faults = faults_of(document, document_of(DEFAULT))
    if faults:
        raise InvalidPolicy(faults)
    return policy_of(document)


def policy_of(document: Any) -> Policy:
    """The policy of a document that was judged before: limits may have changed since."""
    return msgspec.convert(document, Policy)


def document_of(policy: Policy) -> dict[str, Any]:
    """A policy as the whole document that says it."""
    document: dict[str, Any] = msgspec.to_builtins(policy)
    return document
