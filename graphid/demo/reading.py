"""The story read back: one GraphQL query, and the command line that asks it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any


def message_id(number: int) -> str:
    """The id of the story's message with this number, from 1."""
    return f"demo-{number:03d}"


FIRST_EVENT = message_id(2)
"""The CRM speaks first, and is no event. Where the graph has this one, it knows the start."""

READ_STORY = """
query Journeys {
  husband: personByIdentifier(type: "crm_account_id", value: "999888") { ...AsAnAgentReads }
  wife: personByIdentifier(type: "email", value: "jane.doe@example.com") { ...AsAnAgentReads }
}
fragment AsAnAgentReads on Person {
  id
  kind
  displayName
  identifiers { type value }
  contacts { source sourceId state }
  journey(first: 100) {
    edges {
      node {
        messageId
        type
        occurredAt
        deviceId
        detail
        attribution { basis assurance explanation }
      }
    }
  }
}
"""

Ask = Callable[..., dict[str, Any]]
"""A GraphQL client: document and variables in, ``data`` out."""


def start_of(ask: Ask, now: datetime) -> datetime:
    """Midnight, UTC, of the story's first day.

    The graph remembers it, so that a story told again is the same story; a new one began two
    days ago, and is over by now whatever the hour.
    """
    found = ask(f'{{ event(messageId: "{FIRST_EVENT}") {{ occurredAt }} }}')["event"]
    if found is not None:
        return _midnight(datetime.fromisoformat(found["occurredAt"]))
    return _midnight(now) - timedelta(days=2)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def read_story(ask: Ask) -> dict[str, Any]:
    """Everybody in the story, with their journeys, newest line first."""
    return ask(READ_STORY)


def as_command(url: str, key: str) -> str:
    """The same query as one line for a shell."""
    body = json.dumps({"query": " ".join(READ_STORY.split())})
    return (
        f"curl -s {url}/graphql -H {shlex.quote(f'Authorization: Bearer {key}')} "
        f"-H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )
