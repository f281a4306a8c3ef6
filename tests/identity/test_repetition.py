"""What only says again who is there: its step changes nothing, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given

from graphid.identity.fold import sort, step
from graphid.identity.policy import Policy, parse_policy
from graphid.identity.repetition import may_repeat, repeated
from graphid.identity.values import SAID_USER, SECOND, Assurance, Block, Evidence, Identify, Logout
from graphid.identity.view import Memory, View
from tests.identity.lives import IDS, SDKS, START, lives

CLAIMED, ASSERTED = Assurance.CLAIMED, Assurance.ASSERTED


@given(lives(30, clients=SDKS))
def test_no_step_of_it_changes_anything(life: tuple[list[Evidence], Policy]) -> None:
    history, policy = life
    state = Memory()
    for piece in sort(history):
        again = None
        if may_repeat(piece):
            again = repeated(View(state), piece, policy, IDS)
        view = View(state)
        step(view, piece, policy, IDS)
        changes = view.changes()
        assert again is None or not changes, piece
        state.take_in(changes)


def said(
    at: int, user: str = "jo", *, by: Assurance = CLAIMED, cookie: str = "c", device: str = "d"
) -> Identify:
    """What a page says besides, in the second ``at``."""
    moment = START + at * SECOND
    id = f"{cookie}{at}{SAID_USER}"
    return Identify(id, moment, moment, cookie, device, by, (f"user_id:{user}",))


def identified(at: int, *identifiers: str, by: Assurance = ASSERTED, cookie: str = "c") -> Identify:
    moment = START + at * SECOND
    return Identify(f"i{at}", moment, moment, cookie, f"d-{cookie}", by, identifiers)


def left(at: int) -> Logout:
    return Logout(f"l{at}", START + at * SECOND, START + at * SECOND, "c", "d")


def says_again(before: list[Evidence], piece: Identify, policy: Policy | None = None) -> bool:
    """Whether a piece says again what is so after others."""
    policy = policy or Policy()
    state = Memory()
    for other in before:
        view = View(state)
        step(view, other, policy, IDS)
        state.take_in(view.changes())
    return repeated(View(state), piece, policy, IDS) is not None


AGAIN: dict[str, tuple[list[Evidence], Identify]] = {
    "the same": ([said(1)], said(2)),
    "the same by a server": ([said(1, by=ASSERTED)], said(2, by=ASSERTED)),
    "what a browser said before, and a server since": (
        [said(1), said(2, by=ASSERTED)],
        said(3),
    ),
    "after a logout, once it was said anew": ([said(1), left(2), said(3)], said(4)),
    "on a device that others use": (
        [said(1, "kim", cookie="k"), said(2)],
        said(3),
    ),
}
NEW: dict[str, tuple[list[Evidence], Identify]] = {
    "nobody was there": ([], said(1)),
    "another user": ([said(1)], said(2, "kim")),
    "a stronger key": ([said(1)], said(2, by=ASSERTED)),
    "a browser after a server alone": ([said(1, by=ASSERTED)], said(2)),
    "another device": ([said(1)], said(2, device="e")),
    "on a device that remembers somebody else": (
        [said(1, "kim", cookie="k", device="e"), said(2)],
        said(3, device="e"),
    ),
    "what others claimed of who a server said this is": (
        [said(1, cookie="e"), said(2, cookie="f"), said(3, by=ASSERTED)],
        said(4),
    ),
    "another cookie": ([said(1)], said(2, cookie="e")),
    "after a logout": ([said(1), left(2)], said(3)),
    "after a switch, where it tells that they are still there": (
        [said(1), said(2, "kim")],
        said(3, "kim"),
    ),
    "a server, of whom a browser said it and a server something else": (
        [identified(1, "email:jo@x.example"), said(2)],
        said(3, by=ASSERTED),
    ),
    "their person holds it otherwise": (
        [identified(1, "user_id:jo", "email:jo@x.example", cookie="e"), said(2)],
        said(3, by=ASSERTED),
    ),
}


@pytest.mark.parametrize("what", AGAIN)
def test_it_is_seen(what: str) -> None:
    assert says_again(*AGAIN[what])


@pytest.mark.parametrize("what", NEW)
def test_what_says_more_is_none(what: str) -> None:
    assert not says_again(*NEW[what])


def test_what_is_blocked_says_nothing() -> None:
    blocking = parse_policy({"blocked": ["user_id:jo"]})
    assert not says_again([said(1)], said(2), blocking)


def test_what_an_operator_blocked_says_nothing_also_before_the_rest_is_folded_anew() -> None:
    block = Block(id="b", recorded_at=START + 2 * SECOND, identifier="user_id:jo")
    assert not says_again([said(1), block], said(3))


def test_only_what_an_event_says_besides_may_be_it() -> None:
    assert may_repeat(said(1))
    assert not may_repeat(identified(1, "user_id:jo"))
    assert not may_repeat(left(1))
