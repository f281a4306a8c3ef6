"""What retention may take is nobody's, and no judgement makes it anybody's."""

from __future__ import annotations

import msgspec
from hypothesis import event, given
from hypothesis import strategies as st

from graphid.identity.attribution import attribute
from graphid.identity.fold import Resolved, resolve
from graphid.identity.policy import Policy
from graphid.identity.retention import cookies_named, forgettable
from graphid.identity.state import Link, LinkKind, Visitor
from graphid.identity.values import (
    Assurance,
    Evidence,
    Kind,
    Logout,
    Merge,
    Micros,
    Place,
    Sever,
    place,
    start_of,
)
from tests.identity.lives import COOKIES, DAY, IDS, JUDGEMENTS, MINUTE, START, lives, operations
from tests.identity.operator import Operator

JO = Link("link", LinkKind.IDENTIFIED_AS, "v", "c", "r", Assurance.CLAIMED, "e", 0, 0)


def test_a_visitor_whom_nobody_identified_is_forgettable_as_a_whole() -> None:
    assert forgettable(Visitor("v", "c"), None, DAY) == ("", ":")
    closed = Visitor("v", "c", start=start_of(5), end=start_of(9))
    assert forgettable(closed, None, DAY) == (start_of(5), start_of(9))


def test_of_others_is_what_no_identify_can_reach() -> None:
    at = place(50 * DAY, Kind.STATEMENT, "i")
    owned = Visitor("v", "c", link=_reaching(49 * DAY))
    assert forgettable(owned, at, 30 * DAY) == ("", start_of(20 * DAY))
    # Whatever came of the identify.
    assert forgettable(Visitor("v", "c"), at, 30 * DAY) == ("", start_of(20 * DAY))
    # An identify under an earlier version of the policy reached further than any does now.
    further = Visitor("v", "c", link=_reaching(10 * DAY))
    assert forgettable(further, at, 30 * DAY) == ("", start_of(10 * DAY))
    switched = Visitor("v", "c", start=at, link=_reaching(50 * DAY))
    assert forgettable(switched, at, 30 * DAY) is None


def test_what_an_operator_gave_is_not_forgettable() -> None:
    given_whole = Visitor("v", "c", link=JO)
    assert forgettable(given_whole, None, 30 * DAY) is None
    cut = Visitor("v", "c", link=_reaching(49 * DAY))
    assert forgettable(cut, None, 30 * DAY) is None


@given(lives(), st.data())
def test_no_judgement_gives_it_to_anybody(
    life: tuple[list[Evidence], Policy], data: st.DataObject
) -> None:
    history, policy = life
    parts = _forgettable(history, policy)
    judged = list(history)
    clock = max(piece.recorded_at for piece in history)
    for number in range(data.draw(st.integers(0, 3))):
        clock += MINUTE
        operator = Operator(resolve(judged, policy, IDS), f"later{number}", clock)
        piece = data.draw(operations(judged, operator, JUDGEMENTS))
        judged += [] if piece is None else [piece]
    before, after = resolve(history, policy, IDS), resolve(judged, policy, IDS)
    event(f"parts: {min(len(parts), 6)}")
    for cookie, low, high in parts:
        for at in _around(judged, policy):
            if low <= at < high:
                assert _contact(before, cookie, at) is None
                assert _contact(after, cookie, at) is None


def _forgettable(history: list[Evidence], policy: Policy) -> list[tuple[str, Place, Place]]:
    resolved = resolve(history, policy, IDS)
    acts = [piece for piece in history if isinstance(piece, Merge | Sever)]
    acted = {cookie for act in acts for cookie in cookies_named(act)}
    found = []
    for cookie in sorted(COOKIES.keys() - acted):
        said = [
            piece.place
            for piece in history
            if getattr(piece, "cookie", None) == cookie and not isinstance(piece, Logout)
        ]
        for visitor in resolved.visitors_of(cookie):
            own = [at for at in said if visitor.start <= at < (visitor.end or ":")]
            part = forgettable(visitor, min(own, default=None), policy.max_age)
            found += [] if part is None else [(cookie, *part)]
    return found


def _around(history: list[Evidence], policy: Policy) -> list[Place]:
    """Places at and around what was said, and as far before it as an identify reaches."""
    moments: set[Micros] = set()
    for piece in history:
        for at in (piece.at, piece.at - policy.max_age, piece.at - policy.on_shared_device):
            moments |= {at - MINUTE, at - 1, at, at + 1, at + MINUTE}
    return [place(at, Kind.EVENT, "page") for at in sorted(moments) if at >= START - 60 * DAY]


def _contact(resolved: Resolved, cookie: str, at: Place) -> str | None:
    return attribute(resolved.visitor_at(cookie, at), at).contact


def _reaching(reach: Micros) -> Link:
    return msgspec.structs.replace(JO, reach=reach)
