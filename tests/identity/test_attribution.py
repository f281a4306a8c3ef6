"""Whose an event is, and on what basis."""

from __future__ import annotations

import msgspec
import pytest

from graphid.identity.attribution import Basis, attribute
from graphid.identity.fold import Resolved, resolve
from graphid.identity.policy import Policy, parse_policy
from graphid.identity.state import LinkState, Visitor
from graphid.identity.values import Assurance, Evidence, Identify, Kind, Logout, place
from tests.identity.lives import IDS, MINUTE, START

JANE, JOHN = ("email:jane@example.com",), ("email:john@example.com",)


def identify(
    id: str, minute: int, who: tuple[str, ...], assurance: Assurance = Assurance.CLAIMED
) -> Identify:
    at = START + minute * MINUTE
    return Identify(id, at, at, "c", "d", assurance, who)


def basis_at(resolved: Resolved, minute: float) -> tuple[Basis, bool]:
    """The basis of a page at this minute, and whether somebody known owns it."""
    at = place(START + round(minute * MINUTE), Kind.EVENT, "page")
    found = attribute(resolved.visitor_at("c", at), at)
    return found.basis, found.contact is not None


def fold(*evidence: Evidence, policy: Policy | None = None) -> Resolved:
    return resolve(evidence, policy or Policy(), IDS)


def test_before_and_after_an_identify_and_a_verified_one() -> None:
    resolved = fold(identify("a", 10, JANE), identify("b", 20, JANE, Assurance.VERIFIED))
    assert basis_at(resolved, 5) == (Basis.RETROACTIVE, True)
    assert basis_at(resolved, 10) == (Basis.IDENTIFIED, True)
    assert basis_at(resolved, 20) == (Basis.AUTHENTICATED, True)


def test_a_cookie_nobody_identified_on() -> None:
    assert basis_at(fold(), 0) == (Basis.ANONYMOUS, False)


def test_after_a_logout() -> None:
    out = START + 20 * MINUTE
    resolved = fold(identify("a", 10, JANE), Logout("l", out, out, "c"))
    assert basis_at(resolved, 19) == (Basis.IDENTIFIED, True)
    assert basis_at(resolved, 20) == (Basis.ANONYMOUS, False)


def test_before_the_reach() -> None:
    policy = parse_policy({"retroactive": {"max_age": 300}})
    resolved = fold(identify("a", 10, JANE), policy=policy)
    assert basis_at(resolved, 4) == (Basis.ANONYMOUS, False)
    assert basis_at(resolved, 5) == (Basis.RETROACTIVE, True)


@pytest.mark.parametrize(
    ("owner", "unattended"),
    [("LAST_KNOWN", (Basis.UNATTENDED, True)), ("ANONYMOUS", (Basis.ANONYMOUS, False))],
)
def test_after_a_switch_without_logout(owner: str, unattended: tuple[Basis, bool]) -> None:
    policy = parse_policy({"unattended": {"owner": owner}})
    evidence = [
        identify("a", 0, JANE),
        identify("b", 10, JOHN),
        identify("b2", 30, JOHN),
        identify("b3", 200, JOHN),
    ]
    resolved = fold(*evidence, policy=policy)
    assert basis_at(resolved, 5) == (Basis.IDENTIFIED, True)
    assert basis_at(resolved, 60) == (Basis.IDENTIFIED, True)
    assert basis_at(resolved, 60.1) == unattended
    assert basis_at(resolved, 201) == (Basis.IDENTIFIED, True)
    assert basis_at(resolved, 300) == unattended


def test_a_severed_link_owns_nothing() -> None:
    visitor = fold(identify("a", 10, JANE)).visitor_at("c", "1")
    assert visitor.link is not None
    severed = msgspec.structs.replace(visitor.link, retracted_by="operator")
    assert severed.state is LinkState.SEVERED
    found = attribute(msgspec.structs.replace(visitor, link=severed), "2")
    assert (found.basis, found.anonymous) == (Basis.ANONYMOUS, visitor.id)


def test_a_switched_visitor_that_is_unattended_from_its_first_moment_is_not() -> None:
    bare = Visitor(id="v", cookie="c")
    found = attribute(bare, place(1, Kind.EVENT, "e"))
    assert found.basis is Basis.ANONYMOUS
