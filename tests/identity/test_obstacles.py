"""The merge rules, each by itself; and the fold asks these and no others."""

from __future__ import annotations

from typing import Any

import pytest

from graphid.identity import resolution
from graphid.identity.obstacles import Naming, Rule, caps_passed, obstacles
from graphid.identity.people import Someone, contradictions
from graphid.identity.policy import Policy, parse_policy
from graphid.identity.state import Contact, Hold, Link, LinkKind, ReviewKind
from graphid.identity.values import Assurance
from tests.identity.saying import fold, reviews, upsert


def somebody(id: str, *held: str, curated: bool = False) -> Someone:
    holds = {
        identifier: Hold(
            Link(
                "l", LinkKind.HAS_IDENTIFIER, id, identifier, "NAMED", Assurance.CLAIMED, "i", 0, 0
            )
        )
        for identifier in held
    }
    contact = Contact(id=id, made=id, evidence="i", made_at=0, curated=curated, holds=holds)
    return Someone(id, [contact])


def hindered(
    one: Someone, other: Someone, naming: Naming | None = None, **document: Any
) -> list[Rule]:
    policy = parse_policy(document) if document else Policy()
    return list(obstacles(one, other, policy, naming or Naming()))


A, B = "email:a@x.example", "email:b@x.example"


def test_nothing_hinders_two_who_contradict_in_nothing() -> None:
    assert hindered(somebody("1", A, "phone:+1"), somebody("2", "user_id:2", "phone:+2")) == []


def test_a_unique_type_contradicts_whatever_is_in_common() -> None:
    one, other = somebody("1", "user_id:1"), somebody("2", "user_id:2")
    assert hindered(one, other, Naming(in_common=True)) == [Rule.CONTRADICTION]


def test_two_addresses_contradict_with_nothing_in_common() -> None:
    one, other = somebody("1", A), somebody("2", B)
    assert hindered(one, other) == [Rule.CONTRADICTION]
    assert hindered(one, other, Naming(in_common=True)) == []
    assert hindered(one, other, taken_identifier="MERGE") == []


def test_what_the_evidence_names_beside_counts_as_the_firsts() -> None:
    one, other = somebody("1", A), somebody("2", "user_id:2")
    assert hindered(one, other, Naming(beside=("user_id:3",))) == [Rule.CONTRADICTION]


def test_every_rule_that_is_not_met_is_told_in_order() -> None:
    one = somebody("1", A, "user_id:1", curated=True)
    other = somebody("2", "user_id:2", curated=True)
    caps = {"max_contacts": 1, "max_identifiers": 2}
    naming = Naming(is_followed=False, may_join=False)
    assert hindered(one, other, naming, merge=caps) == list(Rule)


def test_both_have_to_be_curated() -> None:
    one, other = somebody("1", A, curated=True), somebody("2", "user_id:2")
    assert hindered(one, other) == []


def test_what_a_human_is_asked() -> None:
    assert {rule: rule.review for rule in Rule} == {
        Rule.CONTRADICTION: ReviewKind.TAKEN_IDENTIFIER,
        Rule.CONTACTS: ReviewKind.LIMIT_REACHED,
        Rule.IDENTIFIERS: ReviewKind.LIMIT_REACHED,
        Rule.ONLY_A_CLAIM: ReviewKind.SUGGESTED_MERGE,
        Rule.BOTH_CURATED: ReviewKind.SUGGESTED_MERGE,
        Rule.ASSURANCE: ReviewKind.SUGGESTED_MERGE,
    }


def test_the_caps_allow_what_they_say() -> None:
    one, other = somebody("1", A), somebody("2", "user_id:2")
    caps = parse_policy({"merge": {"max_contacts": 2, "max_identifiers": 2}})
    assert list(caps_passed(one, other, caps)) == []


def test_the_values_that_contradict_are_told_by_type() -> None:
    found = contradictions(
        [A, "user_id:1", "phone:+1"], {B, "user_id:2", "phone:+2"}, Policy(), in_common=False
    )
    assert list(found) in (
        [({A}, {B}), ({"user_id:1"}, {"user_id:2"})],
        [({"user_id:1"}, {"user_id:2"}), ({A}, {B})],
    )


def test_the_fold_asks_the_same_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = (
        upsert("a", 0, "1", A, curated=True),
        upsert("b", 1, "2", "user_id:b", curated=True),
        upsert("c", 2, "3", "user_id:b", A),
    )
    assert ("SUGGESTED_MERGE", Rule.BOTH_CURATED.value) in reviews(fold(*pieces), "c")
    monkeypatch.setattr(resolution, "obstacles", lambda *_: iter(()))
    assert reviews(fold(*pieces), "c") == []
