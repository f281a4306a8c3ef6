"""Corners of what operators do, one history each."""

from __future__ import annotations

import pytest

from graphid.identity.attribution import Basis, attribute
from graphid.identity.fold import Resolved, resolve
from graphid.identity.people import replace
from graphid.identity.state import Identifier, Review
from graphid.identity.values import (
    Assurance,
    Block,
    ContactAnchor,
    Erase,
    Evidence,
    IdentifierAnchor,
    KeepApart,
    Kind,
    Merge,
    Place,
    Promote,
    Restore,
    place,
)
from tests.identity.lives import IDS, MINUTE, START, holdings
from tests.identity.operator import Operator, Refused
from tests.identity.saying import fold, identify, logout, reviews, upsert

NOW = 1000
"""The minute of the first act of an operator."""

ASSERTED = Assurance.ASSERTED


def page(minute: float) -> Place:
    return place(START + round(minute * MINUTE), Kind.EVENT, "page")


def operator(resolved: Resolved, id: str, minute: int = NOW) -> Operator:
    return Operator(resolved, id, START + minute * MINUTE)


def owner(resolved: Resolved, minute: float, cookie: str = "c") -> str | None:
    """The person of a page at this minute; None where that is nobody known."""
    found = attribute(resolved.visitor_at(cookie, page(minute)), page(minute))
    return None if found.contact is None else resolved.person_of(found.contact)[0]


def holder_of(resolved: Resolved, identifier: str) -> str:
    held = resolved.state["identifier", identifier]
    assert isinstance(held, Identifier)
    (contact,) = held.contacts
    return contact


def row(resolved: Resolved, number: str) -> str:
    return resolved.person_of(IDS.record("crm", number))[0]


def record(number: str, made: Evidence) -> ContactAnchor:
    return ContactAnchor(IDS.record("crm", number), made.place)


class TestMerge:
    rows = tuple(upsert(n, int(n), n, f"phone:+{n}") for n in "123")

    def apart(self) -> KeepApart:
        sides = tuple((record(piece.source_id, piece),) for piece in self.rows)
        return KeepApart(id="apart", recorded_at=START + NOW * MINUTE, sides=sides)

    def test_it_clears_what_stood_between_the_two_and_nothing_else(self) -> None:
        before: list[Evidence] = [*self.rows, self.apart()]
        told = operator(fold(*before), "m", NOW + 1)
        merge = told.merge(record("1", self.rows[0]), record("2", self.rows[1]))
        both = identify("i", NOW + 2, "phone:+1", "phone:+3", assurance=ASSERTED)
        resolved = fold(*before, merge, both)
        assert row(resolved, "1") == row(resolved, "2") != row(resolved, "3")
        assert reviews(resolved, "i") == [("TAKEN_IDENTIFIER", "an operator keeps them apart")]

    def test_what_an_operator_kept_apart_afterwards_binds_it(self) -> None:
        merge = operator(fold(*self.rows), "m", NOW - 1).merge(
            record("1", self.rows[0]), record("2", self.rows[1])
        )
        resolved = fold(*self.rows, merge, self.apart())
        assert row(resolved, "1") != row(resolved, "2")
        assert resolved.outcomes["m"].void == ("an operator keeps them apart",)
        assert reviews(resolved, "m") == [("TAKEN_IDENTIFIER", "an operator keeps them apart")]

    def test_unique_types_and_caps_bind_it(self) -> None:
        people = [upsert("a", 0, "1", "user_id:a"), upsert("b", 0, "2", "user_id:b")]
        anchors = [record("1", people[0]), record("2", people[1])]
        with pytest.raises(Refused, match="contradict each other"):
            operator(fold(*people), "m").merge(*anchors)
        with pytest.raises(Refused, match="too many contacts"):
            operator(fold(*self.rows, merge={"max_contacts": 1}), "m").merge(
                record("1", self.rows[0]), record("2", self.rows[1])
            )

    def test_it_clears_what_severed_an_identifier_too(self) -> None:
        severed = TestAnIdentifierOfItsOwn().parted()
        holder = upsert("b", NOW + 1, "2", "email:e@x.example")
        before = [*severed, holder]
        told = operator(fold(*before), "m", NOW + 2)
        merge = told.merge(record("1", severed[0]), record("2", holder))
        again = upsert("again", NOW + 3, "1", "user_id:a", "email:e@x.example")
        resolved = fold(*before, merge, again)
        assert "email:e@x.example" in resolved.contact(IDS.record("crm", "1")).holds

    def test_it_clears_for_what_comes_later_too(self) -> None:
        severed = TestAnIdentifierOfItsOwn().parted()
        holder = upsert("b", NOW + 1, "2", "email:e@x.example")
        before = [*severed, holder]
        told = operator(fold(*before), "m", NOW + 2)
        merge = told.merge(record("1", severed[0]), record("2", holder))
        names = ("user_id:z", "email:e@x.example")
        away = identify("away", NOW + 3, *names, assurance=ASSERTED)
        back = upsert("back", NOW + 4, "1", "user_id:a", "email:e@x.example")
        moved = fold(*before, merge, away, taken_identifier="MOVE")
        assert holder_of(moved, "email:e@x.example") == moved.outcomes["away"].contact
        resolved = fold(*before, merge, away, back, taken_identifier="MOVE")
        assert holder_of(resolved, "email:e@x.example") == IDS.record("crm", "1")

    def test_two_addresses_do_not_bind_it(self) -> None:
        people = [upsert(n, 0, n, f"email:{n}@x.example") for n in "12"]
        told = operator(fold(*people), "m")
        merge = told.merge(*(record(piece.source_id, piece) for piece in people))
        resolved = fold(*people, merge)
        assert row(resolved, "1") == row(resolved, "2")

    def test_of_a_contact_that_is_made_no_more_means_who_holds_its_name(self) -> None:
        """Also where what had made it has made another one instead."""
        row_one, made = upsert("a", 0, "1", "phone:+1"), identify("i", 10, "account:1", "user:2")
        contact = fold(made).outcomes["i"].contact
        assert contact == IDS.contact("account:1")
        anchor = ContactAnchor(contact, made.place, named_for="account:1", cookie="c")
        merge = Merge(id="m", recorded_at=START + NOW * MINUTE, of=(anchor, record("1", row_one)))
        late = upsert("late", 5, "2", "account:1", "user:3")
        resolved = fold(row_one, made, merge, late)
        assert resolved.outcomes["i"].contact == IDS.contact("user:2")
        assert row(resolved, "1") == row(resolved, "2")

    def test_a_visitor_that_is_named_twice_is_one(self) -> None:
        told = operator(fold(self.rows[0]), "m")
        visitor = told.whose("c", page(1))
        merge = Merge(id="m", recorded_at=told.at, of=(record("1", self.rows[0]), visitor, visitor))
        resolved = fold(self.rows[0], merge)
        assert owner(resolved, 1) == row(resolved, "1")
        assert len(resolved.outcomes["m"].links) == 1

    def test_of_nobody_known_is_void(self) -> None:
        told = operator(fold(), "m")
        with pytest.raises(Refused, match="nobody of these is known"):
            told.merge(told.whose("c", page(1)), told.whose("d", page(1)))

    def test_with_somebody_who_was_erased_is_void_and_vouches_for_nobody(self) -> None:
        claim = identify("i", 0, "email:a@x.example")
        before: list[Evidence] = [claim, self.rows[0]]
        told = operator(fold(*before), "m")
        merge = told.merge(told.whose("c", claim.place), record("1", self.rows[0]))
        erase = operator(fold(*before, merge), "e", NOW + 1)
        erasure = Erase(id="e", recorded_at=erase.at, withdraws=("1",), bars=())
        resolved = fold(*before, merge, erasure)
        assert resolved.outcomes["m"].void == ("one of these is nobody who could be merged",)
        (person,) = resolved.people().values()
        assert person.contacts[0].assurance is Assurance.CLAIMED

    def test_a_void_one_decides_no_review(self) -> None:
        ask = identify("i", 3, "phone:+1", "phone:+2")
        before: list[Evidence] = [*self.rows, ask]
        seen = fold(*before)
        ((kind, _),) = reviews(seen, "i")
        assert kind == "SUGGESTED_MERGE"
        (review,) = seen.outcomes["i"].reviews
        anchors = record("1", self.rows[0]), record("2", self.rows[1])
        merge = operator(seen, "m", NOW - 1).merge(*anchors, review=review)
        accepted = fold(*before, merge).state["review", review]
        assert isinstance(accepted, Review)
        assert (accepted.accepted, accepted.decided_by) == (True, "m")
        still_open = fold(*before, merge, self.apart()).state["review", review]
        assert isinstance(still_open, Review)
        assert (still_open.accepted, still_open.decided_by) == (False, "apart")

    def test_a_review_that_is_no_more_is_not_decided(self) -> None:
        merge = operator(fold(*self.rows), "m").merge(
            record("1", self.rows[0]), record("2", self.rows[1]), review="review_gone"
        )
        assert ("review", "review_gone") not in fold(*self.rows, merge).state

    def test_the_part_before_the_reach_becomes_a_visitor_of_its_own(self) -> None:
        claim = identify("i", 60, "email:a@x.example")
        before: list[Evidence] = [self.rows[0], claim]
        retroactive = {"max_age": 600}
        seen = fold(*before, retroactive=retroactive)
        told = operator(seen, "m")
        merge = told.merge(told.whose("c", page(1)), record("1", self.rows[0]))
        resolved = fold(*before, merge, retroactive=retroactive)
        assert owner(resolved, 1) == row(resolved, "1") != owner(resolved, 55)
        assert owner(resolved, 55) == owner(resolved, 70) == owner(seen, 70)
        first, second = resolved.visitors_of("c")
        assert second.cut_from == first.id == IDS.birth("c")
        more = identify("j", NOW + 1, "email:a@x.example", assurance=Assurance.VERIFIED)
        later = fold(*before, merge, more, retroactive=retroactive)
        assert owner(later, 1) == row(later, "1") != owner(later, NOW + 2)

    def test_a_part_that_was_severed_is_given_away_without_what_was_said_of_the_rest(self) -> None:
        """Who identified before the cut, or switched, is not who was there after it."""
        before: list[Evidence] = [
            self.rows[0],
            identify("a", 0, "user_id:a"),
            identify("b", 10, "user_id:b", assurance=Assurance.VERIFIED),
        ]
        unattended = {"owner": "ANONYMOUS"}
        told = operator(fold(*before, unattended=unattended), "s")
        sever = told.sever("c", page(20), since=START + 15 * MINUTE)
        told = operator(fold(*before, sever, unattended=unattended), "m", NOW + 1)
        merge = told.merge(told.whose("c", page(100)), record("1", self.rows[0]))
        resolved = fold(*before, sever, merge, unattended=unattended)
        for minute in (20, 100):
            found = attribute(resolved.visitor_at("c", page(minute)), page(minute))
            assert found.basis is Basis.RETROACTIVE
            assert owner(resolved, minute) == row(resolved, "1") != owner(resolved, 12)

    def test_what_was_done_unattended_is_given_to_nobody(self) -> None:
        """It is nobody's, and the rest of its visitor is not meant."""
        before: list[Evidence] = [
            self.rows[0],
            identify("a", 0, "user_id:a"),
            identify("b", 10, "user_id:b"),
        ]
        seen = fold(*before, unattended={"owner": "ANONYMOUS"})
        assert owner(seen, 100) is None
        told = operator(seen, "m")
        with pytest.raises(Refused, match="nobody who could be merged"):
            told.merge(told.whose("c", page(100)), record("1", self.rows[0]))

    def test_an_unmerge_leaves_also_what_had_moved_between_the_two(self) -> None:
        """The first had claimed what authority then gave the second."""
        before: list[Evidence] = [
            identify("claimed", 0, "crm_account_id:2", "user_id:lee"),
            identify("also", 1, "crm_account_id:2", cookie="e"),
            identify("early", 2, "user_id:lee", cookie="f"),
            identify("given", 5, "user_id:lee", cookie="d", assurance=Assurance.VERIFIED),
            identify("again", 9, "user_id:lee"),
        ]
        seen = fold(*before)
        assert owner(seen, 0) != owner(seen, 5, "d") == owner(seen, 9)
        told = operator(seen, "m")
        merge = told.merge(told.whose("c", page(0)), told.whose("d", page(5)))
        merged = fold(*before, merge)
        undo = operator(merged, "u", NOW + 1).unmerge("m")
        undone = fold(*before, merge, undo)
        assert holdings(undone) == holdings(seen)
        assert [undone.visitors_of(c) for c in "cdef"] == [seen.visitors_of(c) for c in "cdef"]
        joins = identify(
            "j", NOW + 2, "crm_account_id:2", "user_id:lee", cookie="g", assurance=ASSERTED
        )
        later = fold(*before, merge, undo, joins)
        assert owner(later, 0) != owner(later, 5, "d")

    def test_after_an_unmerge_a_record_finds_whom_it_had_found(self) -> None:
        """Of two with the highest rank, it was not joined to the first."""
        before: list[Evidence] = [
            upsert("a", 0, "1", "email:a@x.example", curated=True),
            upsert("b", 1, "2", "email:b@x.example", "phone:+2"),
            upsert("c", 2, "3", "email:a@x.example", "phone:+2", curated=True),
        ]
        seen = fold(*before)
        merge = operator(seen, "m").merge(record("1", before[0]), record("3", before[2]))
        undo = operator(fold(*before, merge), "u", NOW + 1).unmerge("m")
        undone = fold(*before, merge, undo)
        assert {n: row(undone, n) for n in "123"} == {n: row(seen, n) for n in "123"}

    def test_who_was_parted_stays_so_when_what_hindered_it_is_gone(self) -> None:
        """Two curated records were not joined; then the first is not curated any more."""
        first = upsert("a", 0, "1", "phone:+1", curated=True)
        before = [
            first,
            upsert("a2", 1, "1", "phone:+1"),
            upsert("b", 2, "2", "phone:+1", curated=True),
        ]
        anchors = record("1", first), record("2", before[2])
        merge = operator(fold(*before), "m").merge(*anchors)
        undo = operator(fold(*before, merge), "u", NOW + 1).unmerge("m")
        resolved = fold(*before[1:], merge, undo)
        assert row(resolved, "1") != row(resolved, "2")
        assert reviews(resolved, "b") == [("TAKEN_IDENTIFIER", "an operator keeps them apart")]


class TestSever:
    def test_it_holds_for_all_contacts_of_the_person(self) -> None:
        """Late evidence attaches the visitor to another contact of the same person."""
        before: list[Evidence] = [
            identify("other", 0, "user_id:u", cookie="d"),
            identify("i", 10, "user_id:u"),
        ]
        sever = operator(fold(*before), "s").sever("c", page(10))
        late = upsert("late", 5, "1", "user_id:u")
        resolved = fold(*before, sever, late)
        assert resolved.outcomes["i"].contact == IDS.record("crm", "1")
        assert owner(resolved, 1, "d") == row(resolved, "1")
        assert owner(resolved, 10) is None

    def switched(self) -> list[Evidence]:
        return [
            identify("a", 10, "email:a@x.example"),
            identify("b", 20, "email:b@x.example"),
        ]

    late = upsert("late", 0, "1", "email:a@x.example", "email:b@x.example")
    """With this, there was no switch."""

    def test_it_begins_where_the_visitor_began_when_it_was_seen(self) -> None:
        sever = operator(fold(*self.switched()), "s").sever("c", page(20))
        resolved = fold(*self.switched(), sever, self.late)
        assert not resolved.outcomes["b"].switched
        assert [owner(resolved, m) for m in (10, 19)] == [row(resolved, "1")] * 2
        assert [owner(resolved, m) for m in (20, 30, NOW)] == [None] * 3

    def test_it_ends_where_the_visitor_ended_when_it_was_seen(self) -> None:
        sever = operator(fold(*self.switched()), "s").sever("c", page(10))
        resolved = fold(*self.switched(), sever, self.late)
        assert [owner(resolved, m) for m in (10, 19)] == [None] * 2
        assert [owner(resolved, m) for m in (20, 30, NOW + 1)] == [row(resolved, "1")] * 3
        more = identify("more", NOW + 5, "email:b@x.example")
        going_on = fold(*self.switched(), sever, self.late, more)
        assert not going_on.outcomes["more"].switched

    def test_the_part_after_it_is_nobodys_before_its_owners_reach(self) -> None:
        policy = {"retroactive": {"max_age": 300}}
        before: list[Evidence] = [
            identify("a", 10, "email:a@x.example"),
            logout("out", 20),
            identify("b", 60, "email:b@x.example"),
        ]
        sever = operator(fold(*before, **policy), "s").sever("c", page(10))
        erase = Erase(id="e", recorded_at=sever.at + 1, withdraws=("a",), bars=())
        resolved = fold(*before, sever, erase, self.late, **policy)
        assert owner(resolved, 56) == row(resolved, "1")
        assert [owner(resolved, m) for m in (10, 30)] == [None, None]

    def test_from_a_time_that_is_yet_to_come_is_refused(self) -> None:
        before = identify("i", 0, "user_id:u")
        with pytest.raises(Refused, match="nothing of that is that person's"):
            operator(fold(before), "s").sever("c", page(0), START + (NOW + 1) * MINUTE)

    def test_from_a_time_after_the_visitor_had_left_is_refused(self) -> None:
        with pytest.raises(Refused, match="nothing of that is that person's"):
            operator(fold(*self.switched()), "s").sever("c", page(15), START + 21 * MINUTE)

    def test_what_late_evidence_parted_is_masked_as_far_as_it_is_theirs(self) -> None:
        before: list[Evidence] = [identify("b", 20, "email:b@x.example")]
        sever = operator(fold(*before), "s").sever("c", page(20))
        resolved = fold(*before, sever, identify("a", 10, "email:a@x.example"))
        assert owner(resolved, 10) == resolved.outcomes["a"].contact
        assert owner(resolved, 20) is None

    def test_of_a_part_and_then_of_the_whole(self) -> None:
        before: list[Evidence] = [
            identify("a", 10, "email:a@x.example"),
            identify("b", 60, "email:b@x.example"),
        ]
        told = operator(fold(*before), "part")
        part = told.sever("c", page(20), START + 30 * MINUTE)
        whole = operator(fold(*before, part), "whole", NOW + 1).sever("c", page(20))
        resolved = fold(*before, part, whole)
        assert [owner(resolved, m) for m in (1, 20, 40)] == [None] * 3
        assert resolved.visitors_of("c")[0].id == IDS.birth("c")
        assert len(resolved.visitors_of("c")) == 2
        back = operator(resolved, "back", NOW + 2).restore("c", page(40))
        assert back.withdraws == ("whole",)
        assert fold(*before, part, whole, back).people() == fold(*before, part).people()

    def test_a_part_that_somebody_else_got_stays_theirs(self) -> None:
        before: list[Evidence] = [
            identify("a", 10, "email:a@x.example"),
            identify("b", 60, "email:b@x.example"),
        ]
        part = operator(fold(*before), "part").sever("c", page(20), START + 30 * MINUTE)
        told = operator(fold(*before, part), "m", NOW + 1)
        merge = told.merge(told.whose("c", page(40)), told.whose("c", page(60)))
        whole = operator(fold(*before, part, merge), "whole", NOW + 2).sever("c", page(20))
        resolved = fold(*before, part, merge, whole)
        assert [owner(resolved, m) for m in (20, 40)] == [None, owner(resolved, 60)]

    def test_restore_says_what_was_cut(self) -> None:
        before: list[Evidence] = [identify("a", 10, "email:a@x.example")]
        told = operator(fold(*before), "s")
        with pytest.raises(Refused, match="nobody severed it"):
            told.restore("c", page(10))
        sever = told.sever("c", page(10), START + 30 * MINUTE)
        back = operator(fold(*before, sever), "back", NOW + 1).restore("c", page(12))
        assert fold(*before, sever, back).people() == fold(*before).people()
        assert owner(fold(*before, sever, back), 40) == owner(fold(*before), 40)

    def test_what_nobody_owns_is_severed_from_nobody(self) -> None:
        with pytest.raises(Refused, match="nobody owns it"):
            operator(fold(), "s").sever("c", page(0))


class TestAnIdentifierOfItsOwn:
    """Sever of a HAS_IDENTIFIER link, as a judgement."""

    def parted(self) -> list[Evidence]:
        row = upsert("a", 0, "1", "user_id:a", "email:e@x.example")
        told = operator(fold(row), "part")
        return [row, told.sever_identifier("email:e@x.example")]

    def test_it_is_nobodys_and_then_another_ones(self) -> None:
        resolved = fold(*self.parted())
        assert set(resolved.contact(IDS.record("crm", "1")).holds) == {"user_id:a"}
        assert reviews(resolved, "a") == [("TAKEN_IDENTIFIER", "an operator keeps them apart")]
        (review,) = resolved.outcomes["a"].reviews
        filed = resolved.state["review", review]
        assert isinstance(filed, Review)
        assert (filed.accepted, filed.decided_by) == (False, "part")

    def test_evidence_that_has_no_say_takes_it_from_nobody(self) -> None:
        claim = identify("claim", NOW + 1, "email:e@x.example")
        again = upsert("again", NOW + 2, "1", "user_id:a", "email:e@x.example")
        resolved = fold(*self.parted(), claim, again)
        held = resolved.outcomes["claim"].contact
        assert held is not None
        assert set(resolved.contact(held).holds) == {"email:e@x.example"}
        (review,) = resolved.outcomes["again"].reviews
        filed = resolved.state["review", review]
        assert isinstance(filed, Review)
        assert filed.accepted is None

    def test_nor_moves_it(self) -> None:
        holder = upsert("b", NOW + 1, "2", "user_id:b", "email:e@x.example")
        again = upsert("again", NOW + 2, "1", "user_id:a", "email:e@x.example")
        resolved = fold(*self.parted(), holder, again, taken_identifier="MOVE")
        assert "email:e@x.example" in resolved.contact(IDS.record("crm", "2")).holds

    def test_a_visitor_of_that_person_who_names_it_is_another(self) -> None:
        before: list[Evidence] = [*self.parted(), identify("i", NOW + 1, "user_id:a")]
        resolved = fold(*before, identify("j", NOW + 2, "email:e@x.example"))
        assert resolved.outcomes["j"].switched

    def test_nobody_parts_what_nobody_holds(self) -> None:
        with pytest.raises(Refused, match="nobody holds it"):
            operator(fold(), "part").sever_identifier("email:e@x.example")


class TestUnmerge:
    joined = (
        upsert("a", 0, "1", "email:a@x.example", "phone:+1"),
        upsert("b", 1, "2", "phone:+2"),
        identify("i", 2, "phone:+1", "phone:+2", assurance=ASSERTED),
    )

    def parted(self) -> KeepApart:
        seen = fold(*self.joined)
        link = seen.state["link", seen.outcomes["i"].links[0]]
        return operator(seen, "part").part(link)  # type: ignore[arg-type]

    def test_of_an_automatic_join_is_about_all_time(self) -> None:
        late = identify("late", 3, "phone:+1", "phone:+2", cookie="d", assurance=ASSERTED)
        resolved = fold(*self.joined, self.parted(), late)
        assert row(resolved, "1") != row(resolved, "2")
        assert [kind for kind, _ in reviews(resolved, "i")] == ["TAKEN_IDENTIFIER"]

    def test_an_identifier_stands_for_the_contact_that_it_would_have_made(self) -> None:
        before: list[Evidence] = [
            identify("a", 5, "user_id:a"),
            identify("b", 6, "email:b@x.example", cookie="d"),
            identify("i", 7, "user_id:a", "email:b@x.example", cookie="e", assurance=ASSERTED),
        ]
        seen = fold(*before)
        link = next(iter(seen.contact(seen.outcomes["a"].contact or "").same_as))
        part = operator(seen, "part").part(link)
        late = identify("late", 0, "user_id:a", "email:b@x.example", cookie="f")
        resolved = fold(*before, part, late)
        assert owner(resolved, 5) != owner(resolved, 6, "d")
        found = resolved.contact(resolved.outcomes["a"].contact or "")
        assert set(found.holds) == {"user_id:a"}

    def test_but_not_where_the_contact_exists_without_it(self) -> None:
        first = identify("a", 5, "user_id:a")
        second = identify("b", 6, "email:b@x.example", "phone:+1", cookie="d")
        both = identify("i", 7, "user_id:a", "email:b@x.example", cookie="e", assurance=ASSERTED)
        seen = fold(first, second, both)
        ours, theirs = (seen.outcomes[id].contact or "" for id in "ab")
        part = operator(seen, "part").part(next(iter(seen.contact(ours).same_as)))
        lost = KeepApart(
            id="lost",
            recorded_at=part.recorded_at + MINUTE,
            sides=(
                (ContactAnchor(theirs, second.place),),
                (IdentifierAnchor("email:b@x.example"),),
            ),
        )
        resolved = fold(first, second, both, part, lost)
        assert set(resolved.contact(theirs).holds) == {"phone:+1"}
        assert set(resolved.contact(ours).holds) == {"user_id:a", "email:b@x.example"}

    def test_taken_back_all_is_as_before(self) -> None:
        back = Restore(id="back", recorded_at=START + 2 * NOW * MINUTE, withdraws=("part",))
        resolved = fold(*self.joined, self.parted(), back)
        assert resolved.people() == fold(*self.joined).people()

    def test_a_record_that_is_yet_to_be_made_is_not_theirs(self) -> None:
        first = upsert("a", 0, "1", "phone:+1")
        second = upsert("b", 1, "2", "phone:+1")
        seen = fold(first, second)
        (link,) = seen.contact(IDS.record("crm", "2")).same_as
        part = operator(seen, "part").part(link)
        resolved = fold(first, second, part)
        assert row(resolved, "1") != row(resolved, "2")


class TestReject:
    def test_the_two_of_a_review_are_kept_apart(self) -> None:
        rows = [upsert(n, int(n), n, f"phone:+{n}") for n in "12"]
        ask = identify("i", 3, "phone:+1", "phone:+2")
        seen = fold(*rows, ask)
        (review,) = seen.outcomes["i"].reviews
        filed = seen.state["review", review]
        assert isinstance(filed, Review)
        reject = operator(seen, "no").reject(filed)
        told = identify("t", NOW + 1, "phone:+1", "phone:+2", cookie="d", assurance=ASSERTED)
        resolved = fold(*rows, ask, reject, told)
        assert row(resolved, "1") != row(resolved, "2")
        decided = resolved.state["review", review]
        assert isinstance(decided, Review)
        assert (decided.accepted, decided.decided_by) == (False, "no")

    def test_of_a_person_and_an_identifier(self) -> None:
        before: list[Evidence] = [identify("i", 0, *(f"email:{n}@x.example" for n in range(6)))]
        seen = fold(*before)
        (review,) = seen.outcomes["i"].reviews
        filed = seen.state["review", review]
        assert isinstance(filed, Review)
        reject = operator(seen, "no").reject(filed)
        assert reject.sides[1] == (IdentifierAnchor(filed.identifier or ""),)
        decided = fold(*before, reject).state["review", review]
        assert isinstance(decided, Review)
        assert (decided.accepted, decided.decided_by) == (False, "no")


class TestPromote:
    def test_it_makes_curated_and_vouches(self) -> None:
        claim = identify("i", 0, "email:a@x.example")
        told = operator(fold(claim), "p")
        promote = told.promote(told.namesake(fold(claim).outcomes["i"].contact or ""))
        (person,) = fold(claim, promote).people().values()
        (contact,) = person.contacts
        assert (contact.curated, contact.assurance) == (True, ASSERTED)
        assert contact.holds["email:a@x.example"].link.assurance is ASSERTED

    def test_it_vouches_for_nothing_that_was_learned_later(self) -> None:
        """A browser said only then, of a time before, whom else this is."""
        claim = identify("i", 0, "user_id:a")
        told = operator(fold(claim), "p")
        promote = told.promote(told.namesake(fold(claim).outcomes["i"].contact or ""))
        known = identify("late", 5, "user_id:a", "email:victim@x.example", cookie="d")
        late = replace(known, recorded_at=START + (NOW + 1) * MINUTE)
        login = identify("j", NOW + 2, "email:victim@x.example", cookie="e", assurance=ASSERTED)
        assert owner(fold(claim, promote, known, login), NOW + 3, "e") == owner(fold(claim), 0)
        resolved = fold(claim, promote, late, login)
        assert owner(resolved, 5, "d") == owner(resolved, 0) != owner(resolved, NOW + 3, "e")

    def test_of_what_nothing_makes_is_void(self) -> None:
        gone = ContactAnchor("contact_gone", place(START, Kind.STATEMENT, "x"))
        with pytest.raises(Refused, match="made by nothing any more"):
            operator(fold(), "p").promote(gone)

    def test_means_whoever_has_the_name_or_the_visit_now(self) -> None:
        claim = identify("i", 5, "email:a@x.example")
        told = operator(fold(claim), "p")
        promote = told.promote(told.contact(fold(claim).outcomes["i"].contact or ""))
        named = fold(claim, promote, upsert("late", 0, "1", "email:a@x.example"))
        assert named.contact(IDS.record("crm", "1")).curated
        block = Block(id="b", recorded_at=START, identifier="email:a@x.example")
        visit = fold(claim, promote, block, identify("late", 0, "user_id:a"))
        assert visit.contact(visit.outcomes["late"].contact or "").curated
        nobody = fold(claim, promote, block)
        assert nobody.outcomes["p"].void
        assert isinstance(promote, Promote)


class TestBlockAndErase:
    def test_a_blocked_value_names_nobody_at_any_time_until_it_is_restored(self) -> None:
        claim = identify("i", 0, "email:a@x.example")
        told = operator(fold(claim), "b")
        block = told.block("email:a@x.example")
        again = told.block("email:a@x.example")
        blocked = fold(claim, block)
        assert owner(blocked, 0) is None
        assert [w.code for w in blocked.outcomes["i"].warnings] == ["BLOCKED_IDENTIFIER"]
        assert again == block
        back = Restore(id="back", recorded_at=told.at + MINUTE, withdraws=("b",))
        assert fold(claim, block, back).people() == fold(claim).people()

    def test_nobody_inherits_what_was_erased(self) -> None:
        before: list[Evidence] = [
            upsert("a", 0, "1", "email:a@x.example"),
            identify("i", 1, "email:a@x.example"),
        ]
        erase = operator(fold(*before), "e").erase(IDS.record("crm", "1"))
        twice = operator(fold(*before), "e2", NOW + 1).erase(IDS.record("crm", "1"))
        late = identify("late", 2, "email:a@x.example", cookie="d")
        resolved = fold(*before, erase, twice, late)
        assert resolved.people() == {}
        assert [w.code for w in resolved.outcomes["late"].warnings] == ["BLOCKED_IDENTIFIER"]
        new = identify("new", NOW + 5, "email:a@x.example", cookie="d")
        assert owner(fold(*before, erase, twice, late, new), NOW + 5, "d") is not None


def test_a_merge_that_was_taken_back_does_nothing() -> None:
    rows = [upsert(n, int(n), n, f"phone:+{n}") for n in "12"]
    told = operator(fold(*rows), "m")
    merge = told.merge(record("1", rows[0]), record("2", rows[1]))
    undo = operator(fold(*rows, merge), "u", NOW + 1).unmerge("m")
    resolved = fold(*rows, merge, undo)
    assert resolved.outcomes["m"].contact is None
    assert row(resolved, "1") != row(resolved, "2")


def test_a_merged_visitor_is_read_as_claimed_back() -> None:
    row = upsert("a", 0, "1", "phone:+1")
    told = operator(fold(row), "m")
    merge = told.merge(told.whose("c", page(1)), record("1", row))
    resolved = fold(row, merge)
    found = attribute(resolved.visitor_at("c", page(1)), page(1))
    assert (found.basis, found.assurance) == (Basis.RETROACTIVE, ASSERTED)
    assert resolve([row, merge], resolved.policies, IDS).state == resolved.state
