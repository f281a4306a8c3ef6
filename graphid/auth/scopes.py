"""What a key may do. A field of the GraphQL schema names the scopes that open it."""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum


class Scope(StrEnum):
    """One right. The values are what operators write and what refusals name."""

    EVENT_WRITE = "event:write"
    """Send pages, tracked events, identifies and logouts."""
    CHAT_WRITE = "chat:write"
    """Begin chats, send their messages, end them."""
    CONTACT_EDIT = "contact:edit"
    """Save what a source holds of a human."""
    IDENTITY_EDIT = "identity:edit"
    """Do what operators do: merge and part people, withdraw and restore links, decide reviews."""
    JOURNEY_VIEW = "journey:view"
    """Read people, their journeys, and why they are theirs; identifiers are masked."""
    IDENTIFIER_VIEW = "identifier:view"
    """Read identifiers as they are, wherever a value appears."""
    GRAPH_VIEW = "graph:view"
    """Read who shares a device with whom."""
    PRIVACY_EDIT = "privacy:edit"
    """Erase people."""
    POLICY_EDIT = "policy:edit"
    """Set the policy that resolution follows."""
    INTEGRATION_EDIT = "integration:edit"
    """Make, rotate and revoke keys; set the providers that vouch."""
    AUDIT_VIEW = "audit:view"
    """Read who did what to whose data."""
    METRICS_VIEW = "metrics:view"
    """Read how the service does."""


BROWSER = frozenset({Scope.EVENT_WRITE, Scope.CHAT_WRITE})
"""What a publishable key may do: send, and learn nothing about anybody."""

SERVER = frozenset(Scope)
"""What a secret key may do."""


def may_see_identifiers(scopes: Set[Scope]) -> bool:
    """Whether identifiers are shown as they are, and not masked."""
    return Scope.IDENTIFIER_VIEW in scopes


def may_see_policy(scopes: Set[Scope]) -> bool:
    """Whether the values that the policy blocks are shown: whoever sets it reads them as well."""
    return may_see_identifiers(scopes) or Scope.POLICY_EDIT in scopes
