"""Which parts of cookies change hands, by who owned them and who owns them."""

from __future__ import annotations

from graphid.identity.state import Visitor
from graphid.service.operations.changes import moved
from graphid.service.visitors import Slice, VisitorRecord


def part(person: str, low: str, high: str, cookie: str = "c") -> Slice:
    visitor = Visitor(id="visitor_1", cookie=cookie)
    record = VisitorRecord(visitor, owner=None, seen_from=0, seen_to=0, device=None)
    return Slice(record, person, low, high)


def ranges(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(one["low"], one["high"]) for one in found]


def test_what_stays_with_its_owner_is_not_moved() -> None:
    slices = [part("jo", "1", "5"), part("visitor_1", "5", "9")]
    assert moved(slices, slices) == []
    assert moved([], []) == []


def test_what_another_owns_is_moved() -> None:
    assert ranges(moved([part("jo", "1", "9")], [part("kim", "1", "9")])) == [("1", "9")]


def test_what_nobody_told_of_owned_before_or_owns_since_is_moved() -> None:
    assert ranges(moved([part("jo", "1", "9")], [])) == [("1", "9")]
    assert ranges(moved([], [part("jo", "1", "9")])) == [("1", "9")]


def test_a_cut_moves_the_second_part_alone() -> None:
    before = [part("jo", "1", "9")]
    after = [part("jo", "1", "4"), part("visitor_2", "4", "9")]
    assert ranges(moved(before, after)) == [("4", "9")]
    assert ranges(moved(after, before)) == [("4", "9")]


def test_cookies_are_told_apart() -> None:
    before = [part("jo", "1", "9"), part("kim", "1", "9", cookie="d")]
    after = [part("jo", "1", "9"), part("jo", "1", "9", cookie="d")]
    assert moved(before, after) == [{"cookie": "d", "low": "1", "high": "9"}]
