"""Short ways to say what a test is about: minutes after a start, rows of one CRM."""

from __future__ import annotations

from typing import Any

from graphid.identity.fold import Resolved, resolve
from graphid.identity.policy import Policy, parse_policy
from graphid.identity.state import Review
from graphid.identity.values import Assurance, ContactUpsert, Evidence, Identify, Logout
from tests.identity.lives import IDS, MINUTE, START


def identify(
    id: str,
    minute: int,
    *identifiers: str,
    cookie: str = "c",
    assurance: Assurance = Assurance.CLAIMED,
    **traits: Any,
) -> Identify:
    at = START + minute * MINUTE
    return Identify(id, at, at, cookie, None, assurance, identifiers, traits)


def upsert(
    id: str, minute: int, row: str, *identifiers: str, curated: bool = False, **traits: Any
) -> ContactUpsert:
    at = START + minute * MINUTE
    return ContactUpsert(id, at, at, "crm", row, identifiers, curated=curated, traits=traits)


def logout(id: str, minute: int, cookie: str = "c") -> Logout:
    at = START + minute * MINUTE
    return Logout(id, at, at, cookie)


def fold(*evidence: Evidence, **document: Any) -> Resolved:
    return resolve(evidence, parse_policy(document) if document else Policy(), IDS)


def reviews(resolved: Resolved, id: str) -> list[tuple[str, str]]:
    """Kind and reason of the reviews that a piece of evidence filed."""
    found = [resolved.state["review", review] for review in resolved.outcomes[id].reviews]
    return [(r.kind, r.reason) for r in found if isinstance(r, Review)]
