"""Cutting a visitor where its owner changes, against asking for each place whose it is."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from graphid.identity.ids import UNCLAIMED
from graphid.identity.state import Link, LinkKind, Opening, Visitor
from graphid.identity.values import SECOND, Assurance, Kind, UnattendedOwner, place
from graphid.service.visitors import VisitorRecord, at_moment, owner_of, slices_of

T = 1_800_000_000 * SECOND
moments = st.integers(0, 40).map(lambda n: T + n * 10 * SECOND)


@st.composite
def records(draw: st.DrawFn) -> VisitorRecord:
    start = draw(st.none() | moments)
    link = None
    if draw(st.booleans()):
        link = Link(
            id="link_1",
            kind=LinkKind.IDENTIFIED_AS,
            source="visitor_1",
            target="contact_1",
            rule="IDENTIFIED",
            assurance=Assurance.CLAIMED,
            evidence="i",
            at=T,
            recorded_at=T,
            reach=draw(st.none() | moments),
            retracted_by=draw(st.none() | st.just("x")),
        )
    times = sorted(draw(st.sets(moments, max_size=6)))
    visitor = Visitor(
        id="visitor_1",
        cookie="c",
        opening=draw(st.sampled_from(Opening)),
        start="" if start is None else place(start, Kind.STATEMENT, "i"),
        end=draw(st.none() | moments.map(lambda at: place(at, Kind.LOGOUT, "o"))),
        link=link,
        attended=tuple(zip(times[::2], times[1::2], strict=False)),
        unattended_after=draw(st.integers(0, 30)) * SECOND,
        unattended_owner=draw(st.sampled_from(UnattendedOwner)),
    )
    owner = "person_1" if link is not None and link.retracted_by is None else None
    return VisitorRecord(visitor, owner, T, T, None)


@given(records(), moments, st.integers(-1, 1))
def test_a_place_is_in_the_slice_of_its_owner(record: VisitorRecord, at: int, aside: int) -> None:
    where = place(at + aside, Kind.EVENT, "e")
    visitor = record.visitor
    holding = [s for s in slices_of(record) if s.low <= where < s.high]
    if visitor.start <= where and (visitor.end is None or where < visitor.end):
        assert [s.person for s in holding] == [owner_of(record, where).person]
    else:
        assert holding == []


@given(records())
def test_slices_are_in_order_and_change_hands(record: VisitorRecord) -> None:
    slices = slices_of(record)
    for one, next in itertools.pairwise(slices):
        assert one.low < one.high == next.low
        assert one.person != next.person
    assert {s.person for s in slices} <= {"visitor_1", f"visitor_1{UNCLAIMED}", "person_1"}


def test_an_event_at_the_very_moment_of_a_boundary_is_after_it() -> None:
    assert at_moment(T) < place(T, Kind.LOGOUT, "")
    assert at_moment(T) > place(T - 1, Kind.EVENT, "~")
