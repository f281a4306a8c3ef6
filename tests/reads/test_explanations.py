"""The sentences that an agent reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from graphid.identity.attribution import attribute
from graphid.identity.policy import Policy, Retroactive
from graphid.identity.state import Link, LinkKind, Opening, Visitor
from graphid.identity.values import (
    OF_OPERATION,
    OF_RECORD,
    SECOND,
    Assurance,
    Block,
    KeepApart,
    Kind,
    Merge,
    Micros,
    Operation,
    Restore,
    Sever,
    UnattendedOwner,
    VisitorAnchor,
    place,
)
from graphid.service.explanations import (
    deciding_evidence,
    explain_attribution,
    explain_link,
    explain_review,
    span,
)
from graphid.service.statements import Stated

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_800_000_000 * SECOND
DOCUMENT = (Path(__file__).parents[2] / "docs" / "explanations.md").read_text(encoding="utf-8")
TOLD_AT = 1_772_446_500 * SECOND
"""2 March 2026, 10:15 UTC."""
LINK = Link(
    id="link_1",
    kind=LinkKind.IDENTIFIED_AS,
    source="visitor_1",
    target="contact_1",
    rule="IDENTIFIED",
    assurance=Assurance.CLAIMED,
    evidence="i1",
    at=START + 2 * HOUR,
    recorded_at=START + 2 * HOUR,
    reach=START,
)
VISITOR = Visitor(
    id="visitor_1",
    cookie="c",
    link=LINK,
    identified=place(START + 2 * HOUR, Kind.STATEMENT, "i 1"),
)


def explained(visitor: Visitor, at: Micros, *named: str) -> str:
    found = attribute(visitor, place(at, Kind.EVENT, "e"))
    return explain_attribution(found, visitor, at, named=named)


def test_retroactive() -> None:
    assert explained(VISITOR, START, "email") == (
        "Counted as theirs because the same browser identified with their e-mail address two "
        "hours later and nobody logged out in between; so far only a browser said so."
    )


def test_identified_by_a_server() -> None:
    link = msgspec.structs.replace(LINK, assurance=Assurance.ASSERTED)
    visitor = msgspec.structs.replace(VISITOR, link=link)
    assert explained(visitor, START + 3 * HOUR, "email", "crm_account_id") == (
        "Counted as theirs because they identified with their e-mail address and their customer "
        "number on this browser one hour earlier and nobody logged out in between."
    )


def test_authenticated() -> None:
    visitor = msgspec.structs.replace(VISITOR, verified=VISITOR.identified)
    assert explained(visitor, START + 3 * HOUR, "user_id") == (
        "Counted as theirs because they logged in with their user id on this browser one hour "
        "earlier and nobody logged out in between; the login was checked."
    )
    at_once = explained(visitor, START + 2 * HOUR, "user_id")
    assert "on this browser at this very moment; the login was checked." in at_once


def test_nobody_and_too_early() -> None:
    anonymous = msgspec.structs.replace(VISITOR, link=None)
    assert explained(anonymous, START) == (
        "Counted as nobody's because nobody has made themselves known on this browser since."
    )
    left = msgspec.structs.replace(anonymous, end=place(START + HOUR, Kind.LOGOUT, "l"))
    assert explained(left, START) == (
        "Counted as nobody's because nobody made themselves known on this browser before they left "
        "it."
    )


@pytest.mark.parametrize(
    ("back", "policy", "told"),
    [
        (
            30 * MINUTE,
            Policy(),
            "two hours later, and on a device that others use, too, only what was done within 30 "
            "minutes before that is counted as theirs.",
        ),
        (
            HOUR,
            Policy(),
            "two hours later, and only what was done within one hour before that is counted as "
            "theirs.",
        ),
        # Where a shared device is like any other, nobody knows which it is.
        (
            HOUR,
            Policy(retroactive=Retroactive(max_age=3600, on_shared_device=3600)),
            "two hours later, and only what was done within one hour before that is counted as "
            "theirs.",
        ),
        (
            0,
            None,
            "two hours later, and only what was done since is counted as theirs.",
        ),
    ],
)
def test_too_early(back: Micros, policy: Policy | None, told: str) -> None:
    link = msgspec.structs.replace(LINK, reach=START + 2 * HOUR - back)
    visitor = msgspec.structs.replace(VISITOR, link=link)
    found = attribute(visitor, place(START, Kind.EVENT, "e"))
    assert explain_attribution(found, visitor, START, policy=policy) == (
        f"Counted as nobody's because somebody identified on this browser {told}"
    )


def test_unattended() -> None:
    at = START + 2 * HOUR
    visitor = msgspec.structs.replace(VISITOR, opening=Opening.SWITCH, attended=((at, at),))
    later = at + 3 * HOUR
    assert "three hours earlier and nobody logged out" in explained(visitor, later)
    nobody = msgspec.structs.replace(visitor, unattended_owner=UnattendedOwner.ANONYMOUS)
    assert "without a logout" in explained(nobody, later)


def test_the_evidence_that_decides_is_found_by_its_place() -> None:
    found = attribute(VISITOR, place(START, Kind.EVENT, "e"))
    assert deciding_evidence(found, VISITOR) == "i 1"


SAID = "on 15 January 2027, 10:00 UTC"
CLAIMED = "a browser said so and nothing has proved it"


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        (
            LinkKind.IDENTIFIED_AS,
            {},
            f"This visit is counted as the contact's because they identified with their e-mail "
            f"address {SAID}, and {CLAIMED}.",
        ),
        (
            LinkKind.IDENTIFIED_AS,
            {"rule": "SWITCHED", "assurance": Assurance.VERIFIED},
            f"This visit is counted as the contact's because they identified with their e-mail "
            f"address {SAID}, after somebody else on that browser, and a login was checked.",
        ),
        (
            LinkKind.HAS_IDENTIFIER,
            {"assurance": Assurance.ASSERTED},
            "The phone number belongs to the contact because a message of 15 January 2027, 10:00 "
            "UTC named it as theirs, and a server of ours said so.",
        ),
        (
            LinkKind.HAS_IDENTIFIER,
            {"evidence": f"r1{OF_RECORD}"},
            "The phone number belongs to the contact because a record of a source of 15 January "
            f"2027, 10:00 UTC named it as theirs, and {CLAIMED}.",
        ),
        (
            LinkKind.SAME_AS,
            {"rule": "SHARED_IDENTIFIER"},
            "The two contacts are one person because one message of 15 January 2027, 10:00 UTC "
            f"named both, with their e-mail address, and {CLAIMED}.",
        ),
        (
            LinkKind.NOT_SAME_AS,
            {"rule": "KEPT_APART", "assurance": Assurance.ASSERTED},
            f"The two contacts are kept apart because that was said {SAID}, and a server of ours "
            "said so.",
        ),
    ],
)
def test_why_a_link_was_made(kind: LinkKind, changes: dict[str, Any], sentence: str) -> None:
    link = linked(kind, **changes)
    stated = Stated(("email",), link.assurance)
    assert explain_link(link, stated=stated, identifier="phone") == sentence


@pytest.mark.parametrize(
    ("kind", "first", "since", "sentence"),
    [
        (
            LinkKind.IDENTIFIED_AS,
            Assurance.CLAIMED,
            Assurance.ASSERTED,
            "a browser said so; a server of ours has confirmed it since.",
        ),
        (
            LinkKind.HAS_IDENTIFIER,
            Assurance.CLAIMED,
            Assurance.ASSERTED,
            "a browser said so; a server of ours, or somebody here, has confirmed it since.",
        ),
        (
            LinkKind.HAS_IDENTIFIER,
            Assurance.CLAIMED,
            Assurance.VERIFIED,
            "a browser said so; a login that was checked has confirmed it since.",
        ),
        (
            LinkKind.IDENTIFIED_AS,
            Assurance.ASSERTED,
            Assurance.VERIFIED,
            "a server of ours said so; a login that was checked has confirmed it since.",
        ),
    ],
)
def test_who_vouched_at_first_and_who_since(
    kind: LinkKind, first: Assurance, since: Assurance, sentence: str
) -> None:
    told = explain_link(linked(kind, assurance=since), stated=Stated((), first))
    assert told.endswith(f", and {sentence}")


@pytest.mark.parametrize(
    ("kind", "changes", "fate"),
    [
        (
            LinkKind.IDENTIFIED_AS,
            {"ended_at": START + 4 * HOUR, "ended_by": "x", "reason": "logout"},
            "; over two hours later with a logout on 15 January 2027, 12:00 UTC.",
        ),
        (
            LinkKind.IDENTIFIED_AS,
            {"ended_at": START + 4 * HOUR, "ended_by": "x", "reason": "switch"},
            "; over two hours later when somebody else identified on 15 January 2027, 12:00 UTC.",
        ),
        (
            LinkKind.IDENTIFIED_AS,
            {"ended_at": START, "ended_by": "x", "reason": "logout"},
            "; over with a logout on 15 January 2027, 08:00 UTC.",
        ),
        (
            LinkKind.HAS_IDENTIFIER,
            {"ended_at": START, "ended_by": "x", "reason": "no longer listed by its source"},
            "; its source listed it no more on 15 January 2027, 08:00 UTC.",
        ),
        *(
            (kind, {"retracted_at": START, "retracted_by": "x", "reason": reason}, told)
            for kind, reason, told in (
                (LinkKind.IDENTIFIED_AS, "OUTRANKED", "better evidence said"),
                (LinkKind.HAS_IDENTIFIER, "OUTRANKED", "better evidence said"),
                (LinkKind.HAS_IDENTIFIER, "MOVED", "and there it went."),
                (LinkKind.SAME_AS, "REFOLDED", ": by what was learned later it was never so."),
                (LinkKind.IDENTIFIED_AS, "CUT", "gave a part of the visit to somebody else."),
                (LinkKind.NOT_SAME_AS, "MERGED", "merged them after all."),
                (LinkKind.SAME_AS, "because", "; withdrawn on 15 January 2027, 08:00 UTC."),
            )
        ),
    ],
)
def test_links_tell_their_fate(kind: LinkKind, changes: dict[str, Any], fate: str) -> None:
    stated = Stated(("email",), Assurance.CLAIMED)
    told = explain_link(linked(kind, **changes), stated=stated, identifier="phone")
    assert fate in told
    # What is no longer so is told as what it was; a visit that ended stays theirs.
    stands = "retracted_by" not in changes and kind is LinkKind.IDENTIFIED_AS
    subject = told.partition(" because ")[0].split()
    assert ({"was", "were", "belonged"} & set(subject) == set()) is stands


@pytest.mark.parametrize("kind", ["TAKEN_IDENTIFIER", "LIMIT_REACHED", "SUGGESTED_MERGE"])
def test_reviews(kind: str) -> None:
    sentence = explain_review(kind, "because of that", "email:jane@example.com")
    assert sentence.endswith("(because of that).")
    assert "jane" not in sentence
    obsolete = explain_review(kind, "because of that", None, obsolete=True)
    assert obsolete.endswith("(because of that); by what was learned later that is no longer so.")


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (0, "less than a second"),
        (SECOND, "one second"),
        (90 * 60 * SECOND, "90 minutes"),
        (2 * HOUR, "two hours"),
        (24 * HOUR, "one day"),
        (26 * HOUR, "26 hours"),
        (20 * 24 * HOUR, "20 days"),
    ],
)
def test_spans(length: Micros, said: str) -> None:
    assert span(length) == said


MERGE = Merge(id="m", recorded_at=START, reason="  One\nfamily name. ", of=())
KEPT_APART = KeepApart(id="k", recorded_at=START, reason="", sides=())
SEVER = Sever(
    id="s",
    recorded_at=START,
    reason="His wife's",
    visitor=VisitorAnchor("visitor_1", "c"),
    contacts=(),
)
RESTORE = Restore(id="r", recorded_at=START, withdraws=("s",))
BLOCK = Block(id="b", recorded_at=START, identifier="email:till@shop.example")
ON = "on 15 January 2027, 08:00 UTC"


def linked(kind: LinkKind, **changes: Any) -> Link:
    return msgspec.structs.replace(LINK, kind=kind, **changes)


def test_what_an_operator_merged() -> None:
    assert explain_link(linked(LinkKind.SAME_AS), made_by=MERGE) == (
        f"The two contacts are one person because somebody here merged them {ON} (One family name)."
    )
    assert explain_link(linked(LinkKind.IDENTIFIED_AS), made_by=MERGE) == (
        f"This visit is counted as the contact's because somebody here merged the two {ON} "
        "(One family name)."
    )


def test_what_an_operator_kept_apart() -> None:
    assert explain_link(linked(LinkKind.NOT_SAME_AS), made_by=KEPT_APART) == (
        "The two contacts are kept apart because somebody here said that they are not one person "
        f"{ON}."
    )
    overruled = explain_link(
        linked(LinkKind.NOT_SAME_AS, retracted_by="m"), made_by=KEPT_APART, withdrawn_by=MERGE
    )
    assert f"; no longer so, since somebody here merged them after all {ON} (One" in overruled


@pytest.mark.parametrize(
    ("kind", "by", "said"),
    [
        (LinkKind.IDENTIFIED_AS, SEVER, f"somebody here withdrew it {ON} (His wife's)."),
        (LinkKind.SAME_AS, KEPT_APART, f"somebody here took it back {ON}."),
        (LinkKind.HAS_IDENTIFIER, KEPT_APART, f"somebody here withdrew it {ON}."),
        (LinkKind.HAS_IDENTIFIER, BLOCK, f"somebody here blocked the value {ON}."),
        (LinkKind.IDENTIFIED_AS, MERGE, "gave a part of the visit to somebody else"),
        (LinkKind.NOT_SAME_AS, RESTORE, f"somebody here took that back {ON}."),
    ],
)
def test_what_an_operator_withdrew(kind: LinkKind, by: Operation, said: str) -> None:
    told = explain_link(linked(kind, retracted_by=by.id), withdrawn_by=by)
    assert "; no longer so, since somebody here " in told
    assert said in told


@pytest.mark.parametrize("kind", [LinkKind.IDENTIFIED_AS, LinkKind.SAME_AS])
def test_what_gave_way_to_what_was_restored(kind: LinkKind) -> None:
    told = explain_link(linked(kind, retracted_by="r"), withdrawn_by=RESTORE)
    assert told.endswith(
        "; what was so before counts again, since somebody here took back what had changed it "
        f"{ON}."
    )


def test_a_link_whose_visitor_an_operator_cut() -> None:
    told = explain_link(linked(LinkKind.IDENTIFIED_AS, ended_by=f"s{OF_OPERATION}~from"))
    assert told.endswith("; over, where somebody here cut the visit in two.")


def test_a_long_reason_is_cut() -> None:
    told = explain_link(
        linked(LinkKind.SAME_AS), made_by=msgspec.structs.replace(MERGE, reason="x" * 900)
    )
    assert len(told) < 400
    assert told.endswith("x…).")


def test_whose_an_operator_made_it() -> None:
    visitor = msgspec.structs.replace(
        VISITOR, identified=None, link=linked(LinkKind.IDENTIFIED_AS, rule="MERGED")
    )
    found = attribute(visitor, place(START, Kind.EVENT, "e"))
    assert explain_attribution(found, visitor, START, act=MERGE) == (
        f"Counted as theirs because somebody here merged this visit with them {ON} "
        "(One family name)."
    )


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (SEVER, f"took it from its owner {ON} (His wife's)"),
        (KEPT_APART, f"took it from its owner {ON}"),
        (
            msgspec.structs.replace(KEPT_APART, withdraws=("m",)),
            f"took back what had given it an owner {ON}",
        ),
        (RESTORE, f"took back what had given it an owner {ON}"),
        (BLOCK, f"blocked the value that named its owner {ON}"),
    ],
)
@pytest.mark.parametrize("is_identify", [True, False])
def test_how_an_operator_made_it_nobodys(act: Operation, what: str, is_identify: bool) -> None:
    nobodys = msgspec.structs.replace(VISITOR, link=None)
    found = attribute(nobodys, place(START, Kind.EVENT, "e"))
    told = explain_attribution(found, nobodys, START, act=act, is_identify=is_identify)
    assert told == f"Counted as nobody's because somebody here {what}."


def test_an_identify_that_names_nobody() -> None:
    nobodys = msgspec.structs.replace(VISITOR, link=None)
    found = attribute(nobodys, place(START, Kind.EVENT, "e"))
    assert explain_attribution(found, nobodys, START, is_identify=True) == (
        "Counted as nobody's because it names nobody for certain: all that it gives is blocked, "
        "not valid or somebody else's."
    )


def test_the_sentences_of_the_documentation_are_those_of_the_code() -> None:
    document = " ".join(DOCUMENT.replace("\n> ", " ").split())
    nobodys = msgspec.structs.replace(VISITOR, link=None)
    early = msgspec.structs.replace(LINK, reach=START + 90 * MINUTE)
    claimed = msgspec.structs.replace(VISITOR, link=early)
    till = msgspec.structs.replace(BLOCK, recorded_at=TOLD_AT, reason="The till")
    found = attribute(nobodys, place(START, Kind.EVENT, "e"))
    identified = msgspec.structs.replace(LINK, at=TOLD_AT, assurance=Assurance.ASSERTED)
    assert explained(VISITOR, START, "email") in document
    assert explained(nobodys, START) in document
    assert explain_attribution(found, nobodys, START, is_identify=True) in document
    assert explain_attribution(found, nobodys, START, act=till) in document
    at = START + 30 * MINUTE
    before = attribute(claimed, place(at, Kind.EVENT, "e"))
    assert explain_attribution(before, claimed, at, policy=Policy()) in document
    assert explain_link(identified, stated=Stated(("email",), Assurance.CLAIMED)) in document
