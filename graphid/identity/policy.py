"""The versioned settings that resolution follows, as ``model.md`` lists them."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import msgspec

from graphid.identity.identifiers import PLACEHOLDERS, is_one_digit_repeated
from graphid.identity.values import SECOND, Assurance, IdentifierKey, Micros

CUSTOM = "*"


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
    owner: str = "LAST_KNOWN"


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
        return any(
            entry_type in (CUSTOM, type) and matches(value)
            for entry_type, matches in self._block_list
        )

    @cached_property
    def _block_list(self) -> list[tuple[str, Any]]:
        entries = []
        for entry in self.blocked:
            type, _, what = entry.partition(":")
            if len(what) > 1 and what.startswith("/") and what.endswith("/"):
                entries.append((type, re.compile(what[1:-1], re.IGNORECASE).search))
            else:
                entries.append((type, _equals(what)))
        return entries

    @cached_property
    def merge_assurance(self) -> Assurance:
        """What evidence needs in order to join two known people."""
        return Assurance[self.merge.assurance]

    @cached_property
    def max_age(self) -> Micros:
        return round(self.retroactive.max_age * SECOND)

    @cached_property
    def on_shared_device(self) -> Micros:
        return round(self.retroactive.on_shared_device * SECOND)

    @cached_property
    def unattended_after(self) -> Micros:
        return round(self.unattended.after * SECOND)

    @cached_property
    def session_timeout(self) -> Micros:
        return round(self.session.timeout * SECOND)


def _equals(what: str) -> Any:
    folded = what.casefold()
    return lambda value: value.casefold() == folded


def parse_policy(document: dict[str, Any]) -> Policy:
    """The policy that a document says; what it leaves out is the default.

    Raises ``msgspec.ValidationError``, naming the path, where the document is malformed.
    """
    return msgspec.convert(document, Policy)
