"""The policy document, and what is asked of it."""

from __future__ import annotations

from graphid.identity.admission import admit
from graphid.identity.policy import (
    CUSTOM,
    DEFAULT,
    Policy,
    PolicyVersion,
    TypeRule,
    document_of,
    parse_policy,
    policy_of,
)
from graphid.identity.values import Assurance


def test_the_default_is_the_one_that_model_md_prints() -> None:
    policy = parse_policy({})
    assert policy == Policy()
    assert policy.identifiers == (
        TypeRule("*", unique=True, limit=1),
        TypeRule("email", distinguishing=True, limit=5),
        TypeRule("phone", limit=5),
    )
    assert policy.trait_identifiers == ("email", "phone", "crm_account_id", "user_id")
    assert policy.logout_events == ("Signed Out", "Logged Out", "Logout")
    assert policy.merge_assurance is Assurance.ASSERTED
    assert (policy.merge.max_contacts, policy.merge.max_identifiers) == (100, 1000)
    assert policy.session_timeout == 1_200_000_000
    assert policy.max_age == 30 * 86_400_000_000
    assert policy.on_shared_device == policy.unattended_after == 1_800_000_000
    assert (policy.unattended.owner, policy.taken_identifier) == ("LAST_KNOWN", "KEEP_AND_REVIEW")
    assert (policy.refold.max_evidence, policy.retention.anonymous) == (1000, 60 * 86_400)


def test_identifiers_are_walked_in_policy_order_unlisted_types_before_email() -> None:
    sent = ["phone:+1", "email:a@b", "zeta:1", "alpha:1"]
    assert sorted(sent, key=Policy().priority) == ["alpha:1", "zeta:1", "email:a@b", "phone:+1"]
    listed = parse_policy({"identifiers": [{"type": "email"}, {"type": "zeta"}]})
    assert sorted(sent, key=listed.priority) == ["alpha:1", "phone:+1", "email:a@b", "zeta:1"]
    bare = parse_policy({"identifiers": [{"type": "zeta"}]})
    assert sorted(sent, key=bare.priority)[0] == "zeta:1"


def test_an_unlisted_type_is_a_custom_id() -> None:
    assert Policy().rule("loyalty_id") == TypeRule(CUSTOM, unique=True, limit=1)
    no_star = parse_policy({"identifiers": [{"type": "email"}]})
    assert no_star.rule("loyalty_id").unique
    assert not no_star.rule("email").unique


def test_the_block_list_takes_values_and_patterns_for_one_type_or_all() -> None:
    policy = parse_policy(
        {"blocked": ["email:Info@Shop.example", "*:/@internal\\./", "user_id:kiosk", "user_id:/"]}
    )
    blocked = [
        "email:info@shop.example",
        "email:a@INTERNAL.example",
        "user_id:x@internal.example",
        "user_id:Kiosk",
        "user_id:/",
    ]
    assert all(map(policy.is_blocked, blocked))
    assert not policy.is_blocked("crm_account_id:kiosk")
    assert not policy.is_blocked("email:info@shop.example.com")


def test_a_value_is_blocked_in_any_spelling_that_is_normalised_to_it() -> None:
    policy = parse_policy({"phone": {"region": "GB"}, "blocked": ["phone:020 7946 0958"]})
    assert policy.is_blocked("phone:+442079460958")
    assert not policy.is_blocked("phone:+442079460959")


def test_on_a_shared_device_a_claim_reaches_no_further_than_elsewhere() -> None:
    assert parse_policy({"retroactive": {"max_age": 60}}).on_shared_device == 60_000_000
    assert parse_policy({"retroactive": {"max_age": 6000}}).on_shared_device == 1_800_000_000


def test_a_browser_counts_as_the_policy_says() -> None:
    assert Policy().browser is Assurance.CLAIMED
    assert parse_policy({"browser_assurance": "ASSERTED"}).browser is Assurance.ASSERTED


def test_a_version_tells_the_whole_document_and_is_read_back() -> None:
    policy = parse_policy({"merge": {"max_contacts": 7}, "blocked": ["*:/x+y/"]})
    version = PolicyVersion(2, policy, 5, "sk:1")
    assert version.document["merge"] == {
        "assurance": "ASSERTED",
        "max_contacts": 7,
        "max_identifiers": 1000,
    }
    assert parse_policy(version.document) == policy_of(version.document) == policy
    assert PolicyVersion(1, DEFAULT, 0).document == document_of(Policy())


def test_admit_keeps_each_once_and_one_of_a_unique_type() -> None:
    sent = ["phone:+1", "user_id:a", "user_id:b", "user_id:a", "email:null", "email:x@y", "email:z"]
    admitted, warnings = admit(sent, Policy())
    assert admitted == ("user_id:a", "email:x@y", "email:z", "phone:+1")
    assert [warning.code for warning in warnings] == ["INVALID_IDENTIFIER", "BLOCKED_IDENTIFIER"]
    assert not any("null" in w.message or ":b" in w.message for w in warnings)
