"""What a policy document may not say: each limit from both sides, and all faults at once."""

from __future__ import annotations

from typing import Any

import pytest

from graphid.errors import InvalidInput, InvalidPolicy
from graphid.identity.identifiers import MAX_VALUE
from graphid.identity.patterns import MAX_PATTERN, MAX_STEPS, InvalidPattern, compiled
from graphid.identity.policy import Policy, document_of, parse_policy
from graphid.identity.policy_faults import (
    MAX_BLOCKED,
    MAX_EVENT_NAME,
    MAX_EVENTS,
    MAX_PATTERNS,
    MAX_TRAITS,
    MAX_TYPES,
    YEAR,
)


def faults(document: Any) -> dict[str, str]:
    """Reason by dotted path; empty where the document is a policy."""
    try:
        parse_policy(document)
    except InvalidPolicy as error:
        told = error.faults
    else:
        told = ()
    found = {".".join(path): reason for path, reason in told}
    assert len(found) == len(told)
    return found


def nested(path: str, value: Any) -> dict[str, Any]:
    part, _, name = path.partition(".")
    return {part: nested(name, value) if name else value}


NAN, INFINITE = float("nan"), float("inf")
LONG = "x" * 600

REFUSED: list[tuple[str, Any, str]] = [
    # what is not known
    ("unknown", 1, "is not known; known here: identifiers, phone"),
    ("retroactive.max_agee", 1, "known here: max_age, on_shared_device"),
    ("x" * 64, 1, "is not known"),
    # shapes
    ("identifiers", {"type": "email"}, "must be a list"),
    ("identifiers.0", ["email"], "must be an object"),
    ("merge", None, "must be an object"),
    ("blocked", "email:a@b.example", "must be a list"),
    ("trait_identifiers", "email", "must be a list"),
    # identifiers
    ("identifiers.0.type", [{"unique": True}], "is missing"),
    ("identifiers.0.type", [{"type": ""}], "must be the name of a type"),
    ("identifiers.0.type", [{"type": 5}], "must be the name of a type"),
    ("identifiers.0.type", [{"type": "a:b"}], "must be the name of a type"),
    ("identifiers.0.type", [{"type": "x" * 65}], "1 to 64"),
    ("identifiers.0.type", [{"type": "Email"}], "must be written 'email'"),
    ("identifiers.1", [{"type": "email"}, {"type": "email"}], "is the same as entry 0"),
    ("identifiers.2", [{"type": "*"}, {"type": "x"}, {"type": "*"}], "is the same as entry 0"),
    ("identifiers.0.unique", [{"type": "x", "unique": 1}], "must be true or false"),
    ("identifiers.0.distinguishing", [{"type": "x", "distinguishing": "no"}], "true or false"),
    ("identifiers.0.limit", [{"type": "x", "limit": 0}], "whole number from 1 to 1000"),
    ("identifiers.0.limit", [{"type": "x", "limit": 1001}], "whole number from 1 to 1000"),
    ("identifiers.0.limit", [{"type": "x", "limit": True}], "whole number from 1 to 1000"),
    ("identifiers.0.limit", [{"type": "x", "limit": 1.5}], "whole number from 1 to 1000"),
    ("identifiers.0.prio", [{"type": "x", "prio": 1}], "known here: type, unique"),
    ("identifiers", [{"type": f"t{n}"} for n in range(MAX_TYPES + 1)], "more than 100 entries"),
    # words
    ("taken_identifier", "STEAL", "must be one of KEEP_AND_REVIEW, MOVE, MERGE"),
    ("taken_identifier", ["MOVE"], "must be one of"),
    ("browser_assurance", "VERIFIED", "must be one of CLAIMED, ASSERTED"),
    ("merge.assurance", "asserted", "must be one of CLAIMED, ASSERTED, VERIFIED"),
    ("unattended.owner", "NOBODY", "must be one of LAST_KNOWN, ANONYMOUS"),
    ("phone.region", "gb", "two capital letters"),
    ("phone.region", "XX", "two capital letters"),
    ("phone.region", 44, "two capital letters"),
    # caps
    ("merge.max_contacts", 0, "from 1 to 10000"),
    ("merge.max_contacts", "100", "from 1 to 10000"),
    ("merge.max_identifiers", -1, "from 1 to 100000"),
    ("merge.max_identifiers", 100_001, "from 1 to 100000"),
    ("refold.max_evidence", 0, "from 1 to 1000000"),
    # durations
    ("session.timeout", 0, "from 1 to 604800 (7 days)"),
    ("session.timeout", "long", "number of seconds"),
    ("session.timeout", True, "number of seconds"),
    ("session.timeout", None, "number of seconds"),
    ("retroactive.max_age", -1, "from 0 to 315360000 (10 years)"),
    ("retroactive.max_age", NAN, "number of seconds"),
    ("retroactive.on_shared_device", INFINITE, "number of seconds"),
    ("retroactive.on_shared_device", 10**400, "number of seconds"),
    ("unattended.after", -0.5, "from 0 to 31536000 (a year)"),
    ("unattended.after", NAN, "number of seconds"),
    ("retention.anonymous", 101 * YEAR, "(100 years)"),
    ("retention.anonymous", 2_591_999, "less than retroactive.max_age, which is 2592000 seconds"),
    # names
    ("trait_identifiers.0", [""], "must be the name of a type"),
    ("trait_identifiers.0", [" "], "must be the name of a type"),
    ("trait_identifiers.1", ["email", None], "must be the name of a type"),
    ("trait_identifiers.1", ["user_id", "user_id"], "is the same as entry 0"),
    ("trait_identifiers", [f"t{n}" for n in range(MAX_TRAITS + 1)], "more than 50 entries"),
    ("logout_events.0", ["  "], "not blank"),
    ("logout_events.0", ["x" * (MAX_EVENT_NAME + 1)], "1 to 512 characters"),
    ("logout_events.0", ["bye\0"], "control characters"),
    ("logout_events.0", [3], "must be text"),
    ("logout_events", [str(n) for n in range(MAX_EVENTS + 1)], "more than 100 entries"),
    # the block list
    ("blocked.0", ["kiosk"], "must be text: 'type:value'"),
    ("blocked.0", [":kiosk"], "must be text: 'type:value'"),
    ("blocked.0", ["/x/"], "must be text: 'type:value'"),
    ("blocked.0", [{"type": "email"}], "must be text: 'type:value'"),
    ("blocked.0", ["Email:a@b.example"], "must be text: 'type:value'"),
    ("blocked.0", ["user_id:"], "is blank, so it would block nothing"),
    ("blocked.0", ["user_id:" + LONG], f"longer than {MAX_VALUE} characters"),
    ("blocked.0", ["email:shop.example"], "is not an e-mail address, so it would block nothing"),
    ("blocked.0", ["phone:020 7946 0958"], "needs its country code, so it would block nothing"),
    ("blocked.1", ["user_id:a", "user_id:a"], "is the same as entry 0"),
    ("blocked.0", ["*:/(/"], "no regular expression that RE2 knows (missing )"),
    ("blocked.0", [r"*:/(a)\1/"], "no regular expression that RE2 knows"),
    ("blocked.0", ["*:/(?=a)/"], "no regular expression that RE2 knows"),
    ("blocked.0", ["*:/a{1001}/"], "no regular expression that RE2 knows"),
    ("blocked.0", ["*:/" + "x" * (MAX_PATTERN + 1) + "/"], "longer than 256 characters"),
    ("blocked.0", ["*:/((a{100}){10}){1}/"], f"more than {MAX_STEPS} steps"),
    ("blocked.0", ["*:/\\pL{900}/"], "pattern too large"),
    ("blocked.0", ["*:/\ud800/"], "must be valid Unicode"),
    ("blocked.0", ["*://"], "matches every value"),
    ("blocked.0", ["*:/a*/"], "matches every value"),
    ("blocked", [f"user_id:{n}" for n in range(MAX_BLOCKED + 1)], "more than 1000 entries"),
    ("blocked", [f"*:/x{n}/" for n in range(MAX_PATTERNS + 1)], "more than 100 regular"),
]


@pytest.mark.parametrize(("path", "value", "reason"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_may_not_be_said(path: str, value: Any, reason: str) -> None:
    at_list = isinstance(value, list) and path.partition(".")[0]
    found = faults({at_list: value} if at_list and "." not in at_list else nested(path, value))
    assert list(found) == [path]
    assert reason in found[path]


@pytest.mark.parametrize("document", [None, 5, "x", [], [{}]])
def test_a_document_is_an_object(document: Any) -> None:
    assert faults(document) == {"document": "must be an object"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        document_of(Policy()),
        {"identifiers": []},
        {"identifiers": [{"type": f"t{n}", "limit": 1000} for n in range(MAX_TYPES)]},
        {"identifiers": [{"type": "x" * 64, "limit": 1}]},
        {"phone": {"region": None}},
        {"phone": {"region": "GB"}, "blocked": ["phone:020 7946 0958", "phone:/^\\+44/"]},
        {"blocked": [f"user_id:{n}" for n in range(MAX_BLOCKED)]},
        {"blocked": [f"*:/x{n}/" for n in range(MAX_PATTERNS)]},
        {"blocked": ["user_id:/", "user_id:a:b", "*:/^a|b$/", "user_id:" + "x" * MAX_VALUE]},
        {"logout_events": [], "trait_identifiers": []},
        {"logout_events": ["x" * MAX_EVENT_NAME]},
        {"merge": {"assurance": "VERIFIED", "max_contacts": 1, "max_identifiers": 1}},
        {"session": {"timeout": 1.5}, "unattended": {"after": 0, "owner": "ANONYMOUS"}},
        {"retroactive": {"max_age": 0, "on_shared_device": 0}, "retention": {"anonymous": 0}},
        {"retroactive": {"max_age": 90 * 86_400}, "retention": {"anonymous": 90 * 86_400}},
    ],
    ids=lambda document: str(document)[:40],
)
def test_what_may_be_said(document: Any) -> None:
    assert faults(document) == {}


def test_retention_is_compared_with_the_default_that_counts() -> None:
    assert list(faults({"retroactive": {"max_age": 5_184_001}})) == ["retention.anonymous"]
    # What is no duration is said once, and not compared with anything.
    both = {"retroactive": {"max_age": "x"}, "retention": {"anonymous": 1}}
    assert list(faults(both)) == ["retroactive.max_age"]
    assert list(faults({"retroactive": [], "retention": {"anonymous": 1}})) == ["retroactive"]
    unknown = {"retroactive": {"max_age": 5, "x": 1}, "retention": {"anonymous": 4}}
    assert list(faults(unknown)) == ["retroactive.x", "retention.anonymous"]


def test_a_region_that_is_none_does_not_spoil_what_comes_with_it() -> None:
    document = {"phone": {"region": "nowhere"}, "blocked": ["phone:+442079460958"]}
    assert list(faults(document)) == ["phone.region"]
    assert list(faults({"phone": 3, "blocked": ["user_id:x"]})) == ["phone"]


def test_all_faults_are_told_and_the_first_is_named() -> None:
    document = {
        "identifiers": [{"type": "email", "limit": 0}, {"type": "email", "limit": 0}],
        "blocked": ["jane@example.com"],
        "session": {"timeout": -5},
    }
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(document)
    error = caught.value
    assert isinstance(error, InvalidInput)
    assert error.code == "INVALID_INPUT"
    assert error.path == ("identifiers", "0", "limit")
    assert [".".join(path) for path, _ in error.faults] == [
        "identifiers.0.limit",
        "identifiers.1.limit",
        "identifiers.1",
        "blocked.0",
        "session.timeout",
    ]
    assert error.message.startswith(
        "identifiers.0.limit: must be a whole number from 1 to 1000. 4 more faults: identifi"
    )
    assert "session.timeout: must be a number of seconds" in error.message
    assert "jane" not in error.message
    assert str(error) == error.message


def test_one_fault_is_one_sentence_and_many_are_cut() -> None:
    with pytest.raises(InvalidPolicy) as one:
        parse_policy({"identifiers": 1})
    assert one.value.message == "identifiers: must be a list."
    with pytest.raises(InvalidPolicy) as two:
        parse_policy({"identifiers": 1, "blocked": 1})
    assert two.value.message == (
        "identifiers: must be a list. 1 more fault: blocked: must be a list."
    )
    with pytest.raises(InvalidPolicy) as many:
        parse_policy({"blocked": [str(n) for n in range(500)]})
    assert len(many.value.faults) == 500
    assert many.value.message.count("blocked.") == InvalidPolicy.TOLD
    assert " 499 more faults: " in many.value.message
    assert many.value.message.endswith("…")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "([a-z]+)*!", "^(a|a?)+$"])
def test_what_backtracks_for_ever_elsewhere_is_linear_here(pattern: str) -> None:
    # With a backtracking engine these take longer than the world has, so that this would hang.
    document = {"blocked": [f"*:/{pattern}!/"]}
    assert faults(document) == {}
    assert not parse_policy(document).is_blocked("user_id:" + "a" * MAX_VALUE)


def test_a_pattern_is_searched_for_without_regard_to_case() -> None:
    matches = compiled("é+@Shop")
    assert matches("xÉé@sHOPy")
    assert not matches("x@shop")
    with pytest.raises(InvalidPattern, match="longer than"):
        compiled("x" * (MAX_PATTERN + 1))
