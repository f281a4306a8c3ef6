"""What is left when somebody is forgotten: of evidence, and of where they were."""

from __future__ import annotations

from graphid.identity.attribution import attribute
from graphid.identity.erasure import Erased, left_of, vacancy_of
from graphid.identity.fold import Resolved
from graphid.identity.state import Device, Link, LinkKind, Opening, Visitor
from graphid.identity.values import (
    Anchor,
    Assurance,
    Block,
    ContactAnchor,
    Evidence,
    IdentifierAnchor,
    KeepApart,
    Kind,
    Merge,
    Promote,
    Restore,
    Sever,
    Vacancy,
    VisitorAnchor,
    place,
)
from tests.identity.lives import DAY, IDS, MINUTE, START
from tests.identity.saying import fold, identify, logout, upsert

THEIRS = ContactAnchor("contact_theirs", "1")
THEIR_VISIT = VisitorAnchor("visitor_theirs", "c")
THEIR_EMAIL = "email:gone@x.example"
OTHER = ContactAnchor("contact_other", "2", named_for="email:other@x.example")
ANOTHER = ContactAnchor("contact_another", "3", named_for=THEIR_EMAIL)
UNNAMED = ContactAnchor("contact_another", "3")


def given(by: str) -> Link:
    """A link by which an operator gave somebody a visitor."""
    return Link("link", LinkKind.IDENTIFIED_AS, "", "", "MERGED", Assurance.ASSERTED, by, 5, 5)


ERASED = Erased(
    contacts=frozenset({"contact_theirs"}),
    visited=(
        Visitor("visitor_theirs", "c", end="9", ended_by="s"),
        Visitor("visitor_given", "d", link=given("m")),
        Visitor("visitor_given_later", "e", link=given("another")),
        Visitor("visitor_given_ended", "f", end="0", link=given("m")),
    ),
    identifiers=frozenset({THEIR_EMAIL}),
)


class TestWhatIsLeftOfEvidence:
    def test_of_statements_all_but_the_identifiers(self) -> None:
        others = identify("i", 0, "user_id:other")
        assert left_of(others, ERASED) is others
        both = identify("i", 0, "user_id:other", THEIR_EMAIL)
        assert left_of(both, ERASED) == others
        row = upsert("r", 0, "1", THEIR_EMAIL, "phone:+1")
        assert left_of(row, ERASED) == upsert("r", 0, "1", "phone:+1")

    def test_of_a_merge_the_others(self) -> None:
        def merge(*of: Anchor, reason: str = "") -> Merge:
            return Merge(id="m2", recorded_at=1, of=of, reason=reason)

        others = merge(OTHER, UNNAMED, reason="they said so")
        assert left_of(others, ERASED) is others
        assert left_of(merge(OTHER, THEIRS), ERASED) is None
        assert left_of(merge(OTHER, THEIR_VISIT), ERASED) is None
        of_three = merge(OTHER, THEIRS, ANOTHER, reason="she is Jane Doe")
        assert left_of(of_three, ERASED) == merge(OTHER, UNNAMED)

    def test_of_a_merge_that_gave_them_visitors_that_they_were_there(self) -> None:
        merge = Merge(id="m", recorded_at=5, of=(THEIR_VISIT, THEIRS), reason="it was Jane")
        left = left_of(merge, ERASED)
        assert left == Vacancy(id="m", at=5, recorded_at=5, cookie="d", given=("d",))
        assert left.place == merge.place

    def test_of_a_sever_that_it_ended_the_visitor(self) -> None:
        def sever(*contacts: ContactAnchor, id: str = "s", reason: str = "") -> Sever:
            visitor = VisitorAnchor("visitor_other", "c")
            return Sever(id=id, recorded_at=5, visitor=visitor, contacts=contacts, reason=reason)

        others = sever(OTHER, reason="not hers")
        assert left_of(others, ERASED) is others
        assert left_of(sever(ANOTHER, reason="not Jane's"), ERASED) == sever(UNNAMED)
        assert left_of(sever(THEIRS, id="of one that had ended"), ERASED) is None
        left = left_of(sever(THEIRS), ERASED)
        assert left == Vacancy(id="s", at=5, recorded_at=5, cookie="c", ends=True)

    def test_of_a_promotion_whom_it_promoted(self) -> None:
        def promote(contact: ContactAnchor, reason: str = "") -> Promote:
            return Promote(id="p", recorded_at=1, contact=contact, reason=reason)

        others = promote(OTHER, "checked")
        assert left_of(others, ERASED) is others
        assert left_of(promote(THEIRS), ERASED) is None
        assert left_of(promote(ANOTHER, "called Jane"), ERASED) == promote(UNNAMED)

    def test_of_a_judgement_the_sides_that_are_left(self) -> None:
        theirs = IdentifierAnchor(THEIR_EMAIL)

        def apart(*sides: tuple[ContactAnchor | IdentifierAnchor, ...], **more: str) -> KeepApart:
            withdraws = tuple(more.values())
            return KeepApart(id="k", recorded_at=1, sides=sides, withdraws=withdraws)

        others = apart((OTHER,), (UNNAMED,))
        assert left_of(others, ERASED) is others
        assert left_of(apart((OTHER,), (THEIRS, theirs)), ERASED) is None
        taking_back = apart((OTHER,), (THEIRS,), withdraws="m")
        assert left_of(taking_back, ERASED) == apart(withdraws="m")
        of_three = apart((OTHER,), (ANOTHER, THEIRS), (theirs,))
        assert left_of(of_three, ERASED) == others

    def test_of_what_names_nobody_everything(self) -> None:
        for piece in (
            logout("l", 0),
            Restore(id="r", recorded_at=1, withdraws=("m",)),
            Block(id="b", recorded_at=1, identifier=THEIR_EMAIL),
        ):
            assert left_of(piece, ERASED) is piece


class TestVacancy:
    first = identify("a", 10, "email:a@x.example")
    vacant = vacancy_of(first, 0)

    def owners(self, resolved: Resolved, *minutes: int) -> list[str | None]:
        places = [place(START + m * MINUTE, Kind.EVENT, "page") for m in minutes]
        return [attribute(resolved.visitor_at("c", at), at).contact for at in places]

    def opened(self, *evidence: Evidence) -> list[Opening]:
        return [visitor.opening for visitor in fold(*evidence).visitors_of("c")]

    def test_who_comes_next_is_another_visitor(self) -> None:
        after = identify("b", 20, "user_id:b")
        resolved = fold(self.vacant, after)
        assert resolved.outcomes["b"].switched
        assert self.owners(resolved, 5, 15, 25) == [None, None, resolved.outcomes["b"].contact]
        assert resolved.state["device", "cookie:c"] == Device(shared=True)

    def test_who_was_there_before_is_another_visitor(self) -> None:
        before = identify("b", 0, "user_id:b")
        resolved = fold(before, self.vacant)
        owner = resolved.outcomes["b"].contact
        assert self.owners(resolved, 5, 15) == [owner, None]
        assert self.opened(before, self.vacant) == [Opening.BIRTH, Opening.SWITCH]

    def test_whom_an_operator_gave_a_visitor_nobody_inherits(self) -> None:
        given = Vacancy("m", START + 10 * MINUTE, START + 10 * MINUTE, "c", given=("c",))
        after = identify("b", 20, "user_id:b")
        resolved = fold(given, after)
        assert self.owners(resolved, 5, 15, 25) == [None, None, resolved.outcomes["b"].contact]
        assert ("device", "cookie:c") not in fold(given).state

    def test_a_visitor_that_is_somebodys_after_all_stays_theirs(self) -> None:
        before = identify("b", 0, "user_id:b")
        given = Vacancy("m", START + 10 * MINUTE, START + 10 * MINUTE, "c", given=("c",))
        resolved = fold(before, given)
        assert self.owners(resolved, 5, 15) == [resolved.outcomes["b"].contact] * 2

    def test_what_was_before_it_may_be_given_to_somebody(self) -> None:
        vacant = vacancy_of(self.first, START + 5 * MINUTE)
        other = identify("b", 0, "user_id:b", cookie="other")
        contact = fold(other).outcomes["b"].contact
        assert contact is not None
        past = VisitorAnchor(IDS.birth("c"), "c", unclaimed=True)
        merge = Merge(
            id="m", recorded_at=START + DAY, of=(ContactAnchor(contact, other.place), past)
        )
        resolved = fold(vacant, other, merge)
        assert self.owners(resolved, 2, 7, 15) == [contact, None, None]
        assert self.opened(vacant, other, merge) == [Opening.BIRTH, Opening.CUT]
        void = fold(vacancy_of(self.first, 0), other, merge).outcomes["m"].void
        assert void == ("one of these is nobody who could be merged",)

    def test_a_contact_that_it_would_have_made_is_nobody(self) -> None:
        other = identify("b", 0, "user_id:b", cookie="other")
        contact = fold(other).outcomes["b"].contact
        assert contact is not None
        made = ContactAnchor("contact_made_no_more", self.first.place, cookie="c")
        of = (ContactAnchor(contact, other.place), made)
        merge = Merge(id="m", recorded_at=START + DAY, of=of)
        resolved = fold(self.vacant, other, merge)
        assert resolved.outcomes["m"].void == ("one of these is nobody who could be merged",)
        assert self.owners(resolved, 5, 15) == [None, None]

    def test_twice_is_once(self) -> None:
        again = vacancy_of(identify("a2", 11, "email:a@x.example"), 0)
        assert fold(self.vacant, again).state == fold(self.vacant).state

    def test_a_logout_ends_it(self) -> None:
        after = identify("b", 20, "user_id:b")
        resolved = fold(self.vacant, logout("out", 15), after)
        assert resolved.outcomes["out"].ended == ()
        assert not resolved.outcomes["b"].switched
        assert self.owners(resolved, 12, 16) == [None, resolved.outcomes["b"].contact]

    def test_so_does_what_is_left_of_a_sever(self) -> None:
        left = Vacancy("s", START + 15 * MINUTE, START + 15 * MINUTE, "c", ends=True)
        assert self.opened(self.vacant, left) == [Opening.BIRTH, Opening.CUT]
        assert self.opened(left) == [Opening.BIRTH]
        assert self.opened(self.first, left) == [Opening.BIRTH]
        assert fold(left).outcomes["s"].visitor == IDS.birth("c")
