"""The sentences that an agent reads."""

from __future__ import annotations

import msgspec
import pytest

from graphid.identity.attribution import attribute
from graphid.identity.policy import Policy, Unattended
from graphid.identity.state import Link, LinkKind, Opening, Visitor
from graphid.identity.values import SECOND, Assurance, Kind, Micros, place
from graphid.service.explanations import (
    deciding_evidence,
    explain_attribution,
    explain_link,
    explain_review,
    span,
)

HOUR = 3600 * SECOND
START = 1_800_000_000 * SECOND
LINK = Link(
    id="link_1",
    kind=LinkKind.IDENTIFIED_AS,
    source="visitor_1",
    target="contact_1",
    rule="IDENTIFIED",
    assurance=Assurance.CLAIMED,
    evidence="i1",
    at=START + 2 * HOUR,
    recorded_at=START + 2 * HOUR,
    reach=START,
)
VISITOR = Visitor(
    id="visitor_1",
    cookie="c",
    link=LINK,
    identified=place(START + 2 * HOUR, Kind.STATEMENT, "i 1"),
)


def explained(visitor: Visitor, at: Micros, policy: Policy | None = None, *named: str) -> str:
    found = attribute(visitor, place(at, Kind.EVENT, "e"), policy or Policy())
    return explain_attribution(found, visitor, at, named=named)


def test_retroactive() -> None:
    assert explained(VISITOR, START, None, "email") == (
        "Counted as theirs because the same browser identified with their e-mail address two "
        "hours later and nobody logged out in between; so far only a browser said so."
    )


def test_identified_by_a_server() -> None:
    link = msgspec.structs.replace(LINK, assurance=Assurance.ASSERTED)
    visitor = msgspec.structs.replace(VISITOR, link=link)
    assert explained(visitor, START + 3 * HOUR, None, "email", "crm_account_id") == (
        "Counted as theirs because they identified with their e-mail address and their customer "
        "number on this browser one hour earlier and nobody logged out in between."
    )


def test_authenticated() -> None:
    visitor = msgspec.structs.replace(VISITOR, verified=VISITOR.identified)
    assert "a login was checked" in explained(visitor, START + 3 * HOUR)


def test_nobody_and_too_early() -> None:
    anonymous = msgspec.structs.replace(VISITOR, link=None)
    assert "nobody identified on this browser" in explained(anonymous, START)
    assert "one hour too early" in explained(VISITOR, START - HOUR)


def test_unattended() -> None:
    at = START + 2 * HOUR
    visitor = msgspec.structs.replace(VISITOR, opening=Opening.SWITCH, attended=((at, at),))
    later = at + 3 * HOUR
    assert "three hours earlier and nobody logged out" in explained(visitor, later)
    nobody = Policy(unattended=Unattended(owner="ANONYMOUS"))
    assert "without a logout" in explained(visitor, later, nobody)


def test_the_evidence_that_decides_is_found_by_its_place() -> None:
    found = attribute(VISITOR, place(START, Kind.EVENT, "e"), Policy())
    assert deciding_evidence(found, VISITOR) == "i 1"


def test_links_tell_their_fate() -> None:
    ended = msgspec.structs.replace(LINK, ended_at=START, ended_by="x", reason="logout")
    assert explain_link(ended, named=("email",)).endswith(
        "over with a logout on 15 January 2027, 08:00 UTC."
    )
    gone = msgspec.structs.replace(LINK, retracted_at=START, retracted_by="x", reason="OUTRANKED")
    assert "better evidence" in explain_link(gone)
    held = msgspec.structs.replace(LINK, kind=LinkKind.HAS_IDENTIFIER)
    assert explain_link(held, identifier="phone").startswith("The phone number belongs")
    same = msgspec.structs.replace(LINK, kind=LinkKind.SAME_AS)
    assert "one person" in explain_link(same, named=("email",))


@pytest.mark.parametrize("kind", ["TAKEN_IDENTIFIER", "LIMIT_REACHED", "SUGGESTED_MERGE"])
def test_reviews(kind: str) -> None:
    sentence = explain_review(kind, "because of that", "email:jane@example.com")
    assert sentence.endswith("(because of that).")
    assert "jane" not in sentence


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (0, "less than a second"),
        (SECOND, "one second"),
        (90 * 60 * SECOND, "90 minutes"),
        (2 * HOUR, "two hours"),
        (24 * HOUR, "one day"),
        (26 * HOUR, "26 hours"),
        (20 * 24 * HOUR, "20 days"),
    ],
)
def test_spans(length: Micros, said: str) -> None:
    assert span(length) == said
