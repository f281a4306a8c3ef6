"""Places: text that sorts as model.md orders evidence; ids that tell nothing."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from graphid.identity.ids import Ids, contact_named_by
from graphid.identity.values import (
    SAID_USER,
    Assurance,
    ContactUpsert,
    Identify,
    Kind,
    just_after,
    message_of,
    moment,
    place,
    type_of,
)

times = st.integers(0, 9_999_999_999_999_999)
ids = st.text(min_size=1, max_size=6)
KINDS = (Kind.LOGOUT, Kind.STATEMENT, Kind.EVENT)


happenings = st.tuples(times, st.sampled_from(KINDS), ids)


@given(happenings, happenings)
def test_places_sort_by_time_and_kind(
    one: tuple[int, Kind, str], other: tuple[int, Kind, str]
) -> None:
    if one[:2] != other[:2]:
        assert (place(*one) < place(*other)) is (one[:2] < other[:2])
    else:
        assert (place(*one) == place(*other)) is (one == other)
    assert moment(place(*one)) == moment(just_after(place(*one))) == one[0]


@given(times, ids, ids)
def test_just_after_stands_between_a_place_and_all_that_follow(at: int, id: str, more: str) -> None:
    here = place(at, Kind.STATEMENT, id)
    following = [place(at, Kind.STATEMENT, id + more), place(at, Kind.EVENT, id)]
    assert all(here < just_after(here) < later for later in following)


@given(ids)
def test_places_are_plain_printable_text(id: str) -> None:
    assert place(0, Kind.EVENT, id).isascii()
    assert place(0, Kind.EVENT, id).isprintable()


def test_an_identify_and_a_contact_of_one_moment_stand_by_id() -> None:
    def identify(id: str) -> Identify:
        return Identify(id, 5, 5, "cookie", None, Assurance.CLAIMED, ())

    between = ContactUpsert("b", 5, 5, "crm", "1", ())
    assert identify("a").place < between.place < identify("c").place


def test_evidence_that_a_message_says_besides_is_the_message_s() -> None:
    assert message_of("m1" + SAID_USER) == message_of("m1") == "m1"


def test_type_of() -> None:
    assert type_of("user_id:a:b") == "user_id"


class TestIds:
    ids = Ids(b"one installation")

    def all_kinds(self, ids: Ids) -> list[str]:
        return [
            ids.birth("c"),
            ids.visitor("c", "e"),
            ids.contact("email:jane@example.com"),
            ids.contact("email:jane@example.com", "e"),
            ids.record("crm", "1"),
            ids.person(ids.record("crm", "2")),
            ids.identifier("email:jane@example.com"),
            ids.link("SAME_AS", "e", "a", "b"),
            ids.review("TAKEN_IDENTIFIER", "a", "b"),
            ids.session("c", "m"),
            ids.cookie_of_browser("u", None),
            ids.cookie_of_browser("u", "m"),
            ids.cookie_of_server("u"),
            ids.chat("c", "n"),
            ids.chat("c", "n", "pk:1"),
            ids.use("code", "i", "c"),
            ids.signing_secret("k", 1),
            ids.signing_secret("k", 2),
            ids.sealing_key("one").hex(),
            ids.sealing_key("another").hex(),
            ids.next_cookie("c", "l"),
            ids.version([("a", "1"), ("b", "2")]),
        ]

    def test_they_differ_and_come_again_the_same(self) -> None:
        made = self.all_kinds(self.ids)
        assert len(set(made)) == len(made)
        assert made == self.all_kinds(Ids(b"one installation"))
        others = self.all_kinds(Ids(b"another installation"))
        assert set(made).isdisjoint(others)

    def test_a_person_is_named_for_a_contact(self) -> None:
        contact = self.ids.record("crm", "1")
        assert contact_named_by(self.ids.person(contact)) == contact_named_by(contact) == contact
        assert contact_named_by(self.ids.birth("c")) is None

    def test_they_tell_nothing(self) -> None:
        assert not any("jane" in id for id in self.all_kinds(self.ids))

    def test_parts_do_not_run_together(self) -> None:
        pairs = [("a", "bc"), ("ab", "c"), ("abc", "")]
        made = [self.ids.record(*pair) for pair in pairs]
        assert all(one != other for one, other in itertools.combinations(made, 2))

    def test_a_review_is_the_pair_s_in_either_order(self) -> None:
        assert self.ids.review("K", "a", "b") == self.ids.review("K", "b", "a")
