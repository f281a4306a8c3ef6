"""Corners of the rules that the scenarios do not reach, one history each."""

from __future__ import annotations

import msgspec
import pytest

from graphid.identity.fold import Resolved
from graphid.identity.people import People
from graphid.identity.state import Identifier, Person, Review
from graphid.identity.traits import traits_of
from graphid.identity.values import Assurance, ContactAnchor, KeepApart
from graphid.identity.view import Memory, View
from tests.identity.lives import IDS, MINUTE, START, contacts_of
from tests.identity.saying import fold, identify, reviews, upsert

ASSERTED = Assurance.ASSERTED


def person_of_row(resolved: Resolved, row: str) -> str:
    return resolved.person_of(IDS.record("crm", row))[0]


class TestCaps:
    def test_a_record_does_not_join_a_person_with_all_the_contacts_they_may_have(self) -> None:
        resolved = fold(
            upsert("a", 0, "1", "email:a@x.example"),
            upsert("b", 1, "2", "email:a@x.example"),
            merge={"max_contacts": 1},
        )
        assert reviews(resolved, "b") == [
            ("LIMIT_REACHED", "the person would have too many contacts")
        ]
        assert person_of_row(resolved, "1") != person_of_row(resolved, "2")

    @pytest.mark.parametrize(
        ("merge", "reason"),
        [
            ({"max_contacts": 1}, "the person would have too many contacts"),
            ({"max_identifiers": 3}, "the person would have too many identifiers"),
        ],
    )
    def test_two_people_do_not_join_past_a_cap(self, merge: dict[str, int], reason: str) -> None:
        resolved = fold(
            upsert("a", 0, "1", "email:a@x.example", "phone:+1"),
            upsert("b", 1, "2", "user_id:b", "phone:+2"),
            identify("i", 2, "user_id:b", "email:a@x.example", assurance=Assurance.ASSERTED),
            merge=merge,
        )
        assert reviews(resolved, "i")[0] == ("LIMIT_REACHED", reason)
        assert person_of_row(resolved, "1") != person_of_row(resolved, "2")

    def test_a_person_holds_no_more_of_a_type_than_its_limit(self) -> None:
        addresses = [f"email:{n}@x.example" for n in range(6)]
        resolved = fold(identify("i", 0, *addresses))
        assert reviews(resolved, "i") == [
            ("LIMIT_REACHED", "a person holds at most 5 of email, and 1000 identifiers in all")
        ]


class TestTraits:
    def test_a_claim_renames_nobody_whom_the_crm_knows(self) -> None:
        resolved = fold(
            upsert("k", 0, "1", "user_id:j", curated=True, firstName="John", city="Leeds"),
            identify("i", 1, "user_id:j", firstName="Mallory", plan="gold"),
            identify("i2", 2, "user_id:j", plan="tin"),
            identify("i3", 3, "user_id:j"),
        )
        contacts = contacts_of(resolved).values()
        values = {name: trait.value for name, trait in traits_of(contacts).items()}
        assert values == {"city": "Leeds", "firstName": "John", "plan": "tin"}

    def test_curated_comes_before_assurance_and_assurance_before_time(self) -> None:
        resolved = fold(
            upsert("k1", 0, "1", "user_id:j", curated=True, firstName="John"),
            upsert("k2", 1, "2", "user_id:j", firstName="Johnny", city="Leeds"),
            upsert("k3", 2, "3", "user_id:j", city="York"),
        )
        assert len({person_of_row(resolved, row) for row in "123"}) == 1
        contacts = list(contacts_of(resolved).values())
        values = {name: trait.value for name, trait in traits_of(reversed(contacts)).items()}
        assert values == {"city": "York", "firstName": "John"}

    def test_what_a_server_says_of_a_curated_contact_comes_before_other_contacts(self) -> None:
        said = identify("i", 1, "user_id:j", assurance=ASSERTED, firstName="Janet")
        other = upsert("k2", 2, "2", "user_id:j", firstName="J.")
        resolved = fold(
            upsert("k", 0, "1", "user_id:j", curated=True, firstName="Jane"), said, other
        )
        assert traits_of(contacts_of(resolved).values())["firstName"].value == "Janet"


def test_two_curated_records_are_not_joined_by_themselves() -> None:
    resolved = fold(
        upsert("a", 0, "1", "email:a@x.example", curated=True),
        upsert("b", 1, "2", "email:a@x.example", curated=True),
    )
    assert reviews(resolved, "b") == [("SUGGESTED_MERGE", "both are curated")]


def test_a_record_passes_over_whom_an_operator_keeps_it_apart_from() -> None:
    """Its next identifier names the target, whom it joins at any assurance."""
    first, second = upsert("a", 0, "1", "user_id:x"), upsert("b", 1, "2", "email:y@x.example")
    sides = tuple(
        (ContactAnchor(IDS.record("crm", row), piece.place),)
        for row, piece in (("1", first), ("3", second))
    )
    apart = KeepApart(id="apart", recorded_at=START + 2 * MINUTE, sides=sides)
    third = upsert("c", 3, "3", "user_id:x", "email:y@x.example")
    resolved = fold(first, second, apart, third, merge={"assurance": "VERIFIED"})
    assert person_of_row(resolved, "3") == person_of_row(resolved, "2")
    assert person_of_row(resolved, "3") != person_of_row(resolved, "1")


def test_a_claim_moves_no_identifier() -> None:
    resolved = fold(
        upsert("a", 0, "1", "user_id:w", "email:e@x.example"),
        identify("i", 1, "user_id:z", "email:e@x.example"),
        taken_identifier="MOVE",
    )
    assert "email:e@x.example" in resolved.contact(IDS.record("crm", "1")).holds
    made = resolved.outcomes["i"].contact
    assert made is not None
    assert set(resolved.contact(made).holds) == {"user_id:z"}


@pytest.mark.parametrize(("taken", "joined"), [("MERGE", True), ("KEEP_AND_REVIEW", False)])
def test_two_addresses_hinder_a_join_by_telephone(taken: str, joined: bool) -> None:
    resolved = fold(
        upsert("a", 0, "1", "email:a@x.example", "phone:+1"),
        upsert("b", 1, "2", "email:b@x.example", "phone:+2"),
        identify("i", 2, "phone:+1", "phone:+2", assurance=Assurance.ASSERTED),
        taken_identifier=taken,
    )
    assert (person_of_row(resolved, "1") == person_of_row(resolved, "2")) is joined


def test_a_claim_of_two_addresses_is_nothing_in_common() -> None:
    """Also where the policy lets claims join."""
    resolved = fold(
        identify("a", 0, "email:a@x.example", cookie="a"),
        identify("b", 1, "email:b@x.example", cookie="b"),
        identify("i", 2, "email:a@x.example", "email:b@x.example"),
        merge={"assurance": "CLAIMED"},
    )
    assert reviews(resolved, "i") == [
        ("TAKEN_IDENTIFIER", "their identifiers contradict each other")
    ]


@pytest.mark.parametrize("rows", ["12", "21"])
def test_a_person_is_named_for_the_older_contact(rows: str) -> None:
    older, younger = rows[0], rows[1]
    resolved = fold(
        upsert("a", 0, older, "email:e@x.example"), upsert("b", 1, younger, "email:e@x.example")
    )
    assert person_of_row(resolved, younger) == IDS.record("crm", older)


def test_a_state_with_a_hole_is_told_from_one_that_never_knew() -> None:
    state = Memory({("person", "x"): Person(merged_into="y")})
    people = People(View(state))
    assert people.find("z") is None
    with pytest.raises(LookupError, match="names contact z"):
        people.of("z")
    with pytest.raises(LookupError, match="merges x into y"):
        people.find("x")


def test_a_visitor_of_a_cookie_that_was_never_seen() -> None:
    resolved = fold()
    assert resolved.visitor_at("c", "1").id == IDS.birth("c")


def test_a_claim_of_what_others_hold_attaches_nobody_and_is_remembered() -> None:
    resolved = fold(
        upsert("a", 0, "1", "user_id:x", "crm_account_id:8"),
        upsert("b", 1, "2", "user_id:y", "crm_account_id:9"),
        identify("own", 2, "phone:+442079460811"),
        identify("others", 3, "crm_account_id:9", "user_id:x"),
    )
    outcome = resolved.outcomes["others"]
    assert outcome.contact is None
    assert not outcome.switched
    assert [kind for kind, _ in reviews(resolved, "others")] == ["TAKEN_IDENTIFIER"]
    own = resolved.outcomes["own"].contact
    assert own is not None
    contact = resolved.contact(own)
    claimed = frozenset({"phone:+442079460811", "crm_account_id:9", "user_id:x"})
    assert contact.claim_sets == ((claimed, 1),)


def test_what_contradicts_somebody_does_not_add_to_the_visitors_own_person() -> None:
    resolved = fold(
        upsert("spouse", 0, "1", "email:harry@x.example", "phone:+442079460811"),
        identify("own", 1, "user_id:wendy"),
        identify("form", 2, "email:wendy@x.example", "phone:+442079460811"),
    )
    outcome = resolved.outcomes["form"]
    assert outcome.created
    assert outcome.switched
    assert reviews(resolved, "form") == [
        ("TAKEN_IDENTIFIER", "their identifiers contradict each other")
    ]


def test_authority_that_names_only_what_others_hold_attaches_nobody() -> None:
    resolved = fold(
        upsert("a", 0, "1", "user_id:x", "crm_account_id:8"),
        upsert("b", 1, "2", "user_id:y", "crm_account_id:9"),
        identify("i", 2, "crm_account_id:9", "user_id:x", assurance=Assurance.ASSERTED),
    )
    assert resolved.outcomes["i"].contact is None
    assert ("cookie", "c") not in resolved.state


def test_a_record_that_becomes_curated_joins_no_other_curated_one() -> None:
    resolved = fold(
        upsert("a", 0, "2", "email:e2@x.example", curated=True),
        upsert("b", 1, "1", "phone:+442079460811"),
        upsert("c", 2, "1", "phone:+442079460811", "email:e2@x.example", curated=True),
    )
    assert person_of_row(resolved, "1") != person_of_row(resolved, "2")
    assert reviews(resolved, "c") == [("SUGGESTED_MERGE", "both are curated")]


def test_a_visitor_that_switched_in_moves_whole() -> None:
    resolved = fold(
        upsert("r", 0, "1", "user_id:C"),
        identify("a", 1, "user_id:A"),
        identify("b", 10, "user_id:B", "email:b@x.example"),
        identify("c", 30, "user_id:C", "email:b@x.example", assurance=Assurance.ASSERTED),
    )
    assert resolved.outcomes["b"].switched
    assert not resolved.outcomes["c"].switched
    visitor = resolved.visitors_of("c")[-1]
    assert visitor.link is not None
    assert visitor.link.reach == visitor.started_at == START + 10 * MINUTE


def test_a_browser_renames_no_curated_contact() -> None:
    resolved = fold(
        upsert("a", 0, "1", "crm_account_id:9", "email:j@x.example", curated=True),
        upsert("b", 1, "2", "email:j@x.example", firstName="Jane"),
        identify("i", 2, "crm_account_id:9", firstName="Mallory"),
    )
    _, person = resolved.person_of(IDS.record("crm", "1"))
    assert traits_of(person.contacts)["firstName"].value == "Jane"


def test_what_a_record_no_longer_lists_is_free_whoever_claimed_it() -> None:
    resolved = fold(
        upsert("a", 0, "1", "email:old@x.example"),
        identify("b", 1, "email:old@x.example"),
        upsert("c", 2, "1", "email:new@x.example"),
        identify("d", 3, "email:old@x.example", cookie="another"),
    )
    assert set(resolved.contact(IDS.record("crm", "1")).holds) == {"email:new@x.example"}
    (visitor,) = resolved.visitors_of("another")
    assert visitor.contact is not None
    assert set(resolved.contact(visitor.contact).holds) == {"email:old@x.example"}


def test_a_deleted_record_says_nothing_more() -> None:
    deleted = upsert("c", 2, "1", "email:j@x.example", firstName="Zoe")
    resolved = fold(
        upsert("a", 0, "1", "email:j@x.example", "phone:+442079460811", firstName="Jane"),
        identify("b", 1, "email:j@x.example"),
        msgspec.structs.replace(deleted, deleted=True),
    )
    contact = resolved.contact(IDS.record("crm", "1"))
    assert contact.traits == {}
    assert {key: hold.link.assurance for key, hold in contact.holds.items()} == {
        "email:j@x.example": Assurance.CLAIMED
    }


def test_a_deleted_record_comes_from_no_source_until_it_is_back() -> None:
    made = upsert("a", 0, "1", "email:j@x.example")
    gone = msgspec.structs.replace(upsert("b", 1, "1"), deleted=True)
    deleted = fold(made, gone).contact(IDS.record("crm", "1"))
    assert not deleted.is_known
    back = fold(made, gone, upsert("c", 2, "1")).contact(IDS.record("crm", "1"))
    assert back.is_known
    never_there = fold(gone).contact(IDS.record("crm", "1"))
    assert not never_there.is_known


def test_what_others_say_of_somebody_survives_their_record() -> None:
    gone = msgspec.structs.replace(upsert("c", 2, "1"), deleted=True)
    resolved = fold(
        upsert("a", 0, "1", "email:j@x.example", "phone:+1"),
        upsert("b", 1, "2", "email:j@x.example"),
        gone,
    )
    assert person_of_row(resolved, "1") == IDS.record("crm", "2")
    assert "phone:+1" not in resolved.contact(IDS.record("crm", "1")).holds


def test_nothing_moves_to_somebody_who_may_not_hold_it() -> None:
    addresses = [f"email:{n}@x.example" for n in range(5)]
    resolved = fold(
        upsert("a", 0, "1", "user_id:a", *addresses),
        upsert("b", 1, "2", "user_id:b", "email:6@x.example"),
        upsert("c", 2, "1", "user_id:a", *addresses, "email:6@x.example"),
        taken_identifier="MOVE",
    )
    assert "email:6@x.example" in resolved.contact(IDS.record("crm", "2")).holds
    assert ("LIMIT_REACHED", "a person holds at most 5 of email, and 1000 identifiers in all") in (
        reviews(resolved, "c")
    )


def test_whom_a_step_met_by_another_contact_is_joined_all_the_same() -> None:
    """The e-mail is found by the row, which is not the contact that its person is named for."""
    resolved = fold(
        identify("a", 0, "email:a@x.example"),
        identify("b", 1, "user_id:b", cookie="d", assurance=Assurance.ASSERTED),
        upsert("r", 2, "1", "email:a@x.example"),
        identify(
            "both", 3, "email:a@x.example", "user_id:b", cookie="e", assurance=Assurance.ASSERTED
        ),
    )
    (person,) = resolved.people().values()
    assert {contact.evidence for contact in person.contacts} == {"a", "b", "r"}


def test_what_names_all_that_somebody_is_contradicts_nothing() -> None:
    known = upsert("a", 0, "1", "user_id:a", "crm_account_id:1", "email:a@x.example")
    resolved = fold(known, identify("i", 1, "user_id:a", "crm_account_id:1", "email:b@x.example"))
    assert resolved.outcomes["i"].contact == IDS.record("crm", "1")


def test_of_a_message_that_comes_again_with_other_content_the_first_is_kept() -> None:
    first = identify("i", 0, "user_id:a")
    resolved = fold(first, identify("i", 5, "user_id:b"))
    assert resolved.state == fold(first).state


class TestWhomEvidenceContradicts:
    """It joins nobody to them, whoever holds what they contradict each other by."""

    def test_a_household_stays_two_whatever_a_browser_claimed_of_it(self) -> None:
        rows = (
            upsert("h", 1, "h", "email:harry@x.example", "phone:+1"),
            upsert("w", 2, "w", "user_id:w", "email:wendy@x.example", "phone:+1"),
        )
        claim = identify("i", 0, "user_id:z", "email:wendy@x.example")
        for resolved in (fold(*rows), fold(claim, *rows)):
            assert person_of_row(resolved, "h") != person_of_row(resolved, "w")
            asked = ("TAKEN_IDENTIFIER", "their identifiers contradict each other")
            assert asked in reviews(resolved, "w")

    def test_a_record_of_two_others_numbers_is_neithers(self) -> None:
        resolved = fold(
            upsert("a", 0, "1", "crm_account_id:A0", "user_id:u0"),
            upsert("b", 1, "2", "crm_account_id:A1", "user_id:u1"),
            upsert("c", 2, "3", "crm_account_id:A0", "user_id:u1"),
        )
        assert len({person_of_row(resolved, row) for row in "123"}) == 3
        assert len(reviews(resolved, "c")) == 2

    def test_nor_does_a_claim_of_one_of_them_make_it_so(self) -> None:
        resolved = fold(
            upsert("a", 0, "1", "crm_account_id:A0", "user_id:u0"),
            identify("i", 1, "crm_account_id:A1", "user_id:u1"),
            upsert("c", 2, "3", "crm_account_id:A0", "user_id:u1"),
        )
        assert person_of_row(resolved, "1") != person_of_row(resolved, "3")
        holder = resolved.state["identifier", "user_id:u1"]
        assert isinstance(holder, Identifier)
        assert holder.contacts == (IDS.record("crm", "3"),)

    def test_a_login_is_not_joined_over_a_phone_with_another_account(self) -> None:
        resolved = fold(
            upsert("a", 0, "1", "crm_account_id:A1", "user_id:u1"),
            identify("i", 1, "crm_account_id:A0", "phone:+1", cookie="d", assurance=ASSERTED),
            identify(
                "j",
                2,
                *("crm_account_id:A1", "user_id:u0", "phone:+1"),
                assurance=ASSERTED,
            ),
        )
        contacts = [resolved.outcomes[id].contact for id in ("a", "i", "j")]
        assert len({resolved.person_of(str(contact))[0] for contact in contacts}) == 3

    def test_two_emails_do_not_where_the_policy_says_merge(self) -> None:
        rows = (
            upsert("a", 0, "1", "user_id:a", "email:a@x.example"),
            upsert("b", 1, "2", "phone:+1", "email:b@x.example"),
            identify("i", 2, "user_id:a", "email:c@x.example", "phone:+1", assurance=ASSERTED),
        )
        apart, one = fold(*rows), fold(*rows, taken_identifier="MERGE")
        assert person_of_row(apart, "1") != person_of_row(apart, "2")
        assert person_of_row(one, "1") == person_of_row(one, "2")


@pytest.mark.parametrize(
    ("claimed", "listed", "other"),
    [
        (("email:a@x.example",), ("phone:+1",), ("email:a@x.example",)),
        ((), ("crm_account_id:A1", "phone:+1"), ("crm_account_id:A2", "phone:+1")),
    ],
)
def test_two_people_are_asked_about_once_whatever_is_taken_from_one(
    claimed: tuple[str, ...], listed: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """The first is known by the identifier alone, and so named for another contact without it."""
    resolved = fold(
        identify("i", 0, "user_id:u1", *claimed),
        upsert("a", 1, "1", "user_id:u1"),
        upsert("b", 2, "1", *listed),
        upsert("c", 3, "2", "user_id:u1", *other),
    )
    asked = [resolved.state["review", review] for review in resolved.outcomes["c"].reviews]
    pairs = [review.contacts for review in asked if isinstance(review, Review)]
    assert len(pairs) == 1


def test_of_two_identifiers_of_one_person_that_are_outranked_one_review_is_filed() -> None:
    """Also where the person whom they are taken for is made of them."""
    resolved = fold(
        identify("i", 0, "user_id:1a", "phone:+1"),
        identify("other", 1, "user_id:1a", cookie="d"),
        identify("j", 2, "phone:+1", "email:j@x.example", cookie="e"),
        identify("login", 3, "email:j@x.example", "phone:+1", cookie="f", assurance=ASSERTED),
    )
    (review,) = [resolved.state["review", id] for id in resolved.outcomes["login"].reviews]
    assert isinstance(review, Review)
    made = resolved.outcomes["login"].contact
    assert made in review.contacts
    assert len(review.contacts) == 2


def test_of_two_records_that_break_two_rules_one_review_is_filed() -> None:
    resolved = fold(
        upsert("a", 0, "1", "phone:+1", curated=True),
        upsert("b", 1, "2", "phone:+1"),
        upsert("c", 2, "3", "phone:+1", curated=True),
        merge={"max_contacts": 2},
    )
    assert [kind for kind, _ in reviews(resolved, "c")] == ["LIMIT_REACHED"]


def test_what_a_token_vouched_for_stays_so_when_a_record_lists_it_no_more() -> None:
    resolved = fold(
        identify("i", 0, "user_id:2a"),
        upsert("a", 1, "1", "user_id:2a"),
        identify("login", 2, "user_id:2a", cookie="d", assurance=Assurance.VERIFIED),
        upsert("a2", 3, "1", "email:a@x.example"),
        upsert("b", 4, "2", "user_id:2a"),
    )
    assert (
        person_of_row(resolved, "2") == resolved.person_of(resolved.outcomes["i"].contact or "")[0]
    )
