"""What keeps two apart, as an agent is told it: one sentence for each reason there can be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from graphid.identity.attribution import attribute
from graphid.identity.obstacles import Rule
from graphid.identity.state import Link, LinkKind, Opening, Visitor
from graphid.identity.values import SECOND, Assurance, Block, KeepApart, Kind, Operation, place
from graphid.service.ends import End
from graphid.service.grounds import Boundary, Spot
from graphid.service.ledger import RecordedOperation
from graphid.service.links import LinkRecord, NamedIdentifier, ReviewRecord
from graphid.service.parting import explain_parted
from graphid.service.people import ContactRecord, PersonRecord
from graphid.service.reasons import Contradiction, Parted
from graphid.service.statements import Stated
from graphid.service.visitors import Owner, VisitorRecord

AT = 1_800_000_000 * SECOND
ON = "15 January 2027, 08:00 UTC"
NOTHING = "Nothing that was sent names both."


def somebody(id: str) -> End:
    contact = ContactRecord(f"contact_{id}", f"person_{id}", None, None, "", "", {}, (), True)
    return End(PersonRecord(f"person_{id}", (contact,)), contact=contact.id)


def told(a: End | None = None, b: End | None = None, **found: Any) -> list[str]:
    return explain_parted(Parted(a or somebody("a"), b or somebody("b"), **found))


def recorded(piece: Any) -> RecordedOperation:
    return RecordedOperation(piece, "", (), None, is_pending=False)


def kept_apart(**more: Any) -> Operation:
    return KeepApart(id="k", recorded_at=AT, actor="sk:desk", reason="Asked. ", sides=(), **more)


EMAIL = NamedIdentifier("identifier_1", "email", "j***@x.example")
LINK = Link(
    "l",
    LinkKind.HAS_IDENTIFIER,
    "contact_a",
    "identifier_1",
    "NAMED",
    Assurance.CLAIMED,
    "i",
    AT,
    AT,
    retracted_at=AT,
    retracted_by="j",
    reason="OUTRANKED",
)
VISITOR = Visitor(id="visitor_1", cookie="c")


def visit(visitor: Visitor = VISITOR, owner: str | None = None, **more: Any) -> End:
    return End(PersonRecord("visitor_1"), visitor=VisitorRecord(visitor, owner, 0, 0, None), **more)


def test_where_nothing_names_both_that_is_told() -> None:
    assert told() == [NOTHING]


@pytest.mark.parametrize(
    ("piece", "sentence"),
    [
        (kept_apart(), f"Somebody here (sk:desk) parted them on {ON} (Asked)."),
        (
            kept_apart(withdraws=("m",)),
            f"Somebody here (sk:desk) took back on {ON} that they had been merged (Asked).",
        ),
        (
            kept_apart(review="review_1"),
            f"Somebody here (sk:desk), asked whether they are one person, said on {ON} that they "
            "are not (Asked).",
        ),
        (
            msgspec.structs.replace(kept_apart(), actor=None, reason=""),
            f"Somebody here parted them on {ON}.",
        ),
    ],
)
def test_what_somebody_here_said(piece: Operation, sentence: str) -> None:
    assert told(judgements=(recorded(piece),)) == [sentence]


def test_what_somebody_here_said_of_an_identifier() -> None:
    nobodys = End(identifier=EMAIL)
    block = Block(id="b", recorded_at=AT, actor="sk:desk", reason="A till", identifier="email:x")
    assert told(
        b=nobodys, judgements=(recorded(kept_apart()),), blocks=(recorded(block),), is_blocked=True
    ) == [
        f"Somebody here (sk:desk) said on {ON} that it is not theirs (Asked).",
        f"Somebody here (sk:desk) blocked the e-mail address on {ON} (A till): it names nobody.",
        "The policy blocks the e-mail address: it names nobody.",
        "Nobody has the e-mail address.",
    ]
    held = End(somebody("b").person, identifier=EMAIL)
    assert told(b=held) == ["Somebody else has the e-mail address.", NOTHING]


def test_what_was_withdrawn_and_by_whom() -> None:
    record = LinkRecord(LINK, EMAIL)
    assert told(withdrawn=(record,), stated=(("l", Stated(("email",), Assurance.CLAIMED)),)) == [
        f"The e-mail address belonged to the contact because a message of {ON} named it as theirs, "
        f"and a browser said so and nothing has proved it; withdrawn on {ON}: better evidence said "
        "that this is somebody else."
    ]
    by = msgspec.structs.replace(LINK, retracted_by="k")
    (sentence,) = told(withdrawn=(LinkRecord(by, EMAIL),), operations=(recorded(kept_apart()),))
    assert sentence.endswith(f"no longer so, since somebody here withdrew it on {ON} (Asked).")


def test_what_waits_for_somebody_to_decide() -> None:
    review = ReviewRecord(
        "r", "SUGGESTED_MERGE", "OPEN", (), "email:x", "i", "both are curated", AT, ""
    )
    assert told(reviews=(review,)) == [
        "These may be one person: a message named both by the e-mail address (both are curated). "
        "Nobody here has decided that yet."
    ]


def test_values_that_contradict() -> None:
    number = NamedIdentifier("", "crm_account_id", "1***1")
    other = NamedIdentifier("", "crm_account_id", "2***2")
    assert told(
        contradictions=(
            Contradiction(number, other, is_unique=True),
            Contradiction(EMAIL, EMAIL, is_unique=False),
        )
    ) == [
        "A person has only one customer number, and they have 1***1 and 2***2.",
        "Their e-mail address differs, j***@x.example and j***@x.example, and they have nothing in "
        "common that would show that both are one person's.",
        NOTHING,
    ]


@pytest.mark.parametrize(
    ("rule", "begins"),
    [
        (Rule.CONTACTS, "Together they would have more contacts"),
        (Rule.IDENTIFIERS, "Together they would have more identifiers"),
        (Rule.BOTH_CURATED, "Both were confirmed, by somebody here or by a source,"),
    ],
)
def test_merge_rules(rule: Rule, begins: str) -> None:
    sentence, rest = told(rules=(rule,))
    assert sentence.startswith(begins)
    assert rest == NOTHING
    # A contradiction is told with its values, and what evidence lacks by the review.
    assert told(rules=(Rule.CONTRADICTION,)) == [NOTHING]


@pytest.mark.parametrize(
    ("opening", "how"),
    [
        (Opening.LOGOUT, f"one logged out on {ON}, and the visit after that is the other's."),
        (Opening.SWITCH, f"on {ON} the other identified, and a new visit began."),
        (Opening.CUT, f"somebody here cut a visit in two on {ON}, and the second part is"),
    ],
)
def test_who_followed_whom_the_latest_time(opening: Opening, how: str) -> None:
    found = (Boundary(AT, opening), Boundary(AT - SECOND, opening))
    sentence, rest = told(boundaries=found)
    assert sentence.startswith("They followed each other on one browser")
    assert how in sentence
    assert rest == NOTHING


def test_a_device_tells_where_and_never_who() -> None:
    assert told(shares_device=True)[0] == (
        "They were seen on the same device, which tells where they were, and never who."
    )


def test_what_an_end_is_to_the_other() -> None:
    link = msgspec.structs.replace(LINK, kind=LinkKind.IDENTIFIED_AS, retracted_by=None)
    owned = msgspec.structs.replace(VISITOR, link=link)
    assert told(visit()) == ["Nobody is known to have made the visit: no identify of it stands."]
    assert told(visit(owned, "person_c")) == ["The visit is counted as somebody else's."]
    assert told(visit(owned, "person_c", is_part=True)) == [
        "Nobody is known to have used the browser so long before somebody identified."
    ]


def test_what_a_browser_or_a_device_is_to_the_other() -> None:
    browser, device = End(spot=Spot(cookie="c")), End(spot=Spot(device="d"))
    for end, name in ((browser, "browser"), (device, "device")):
        assert told(end) == [f"None of the visits on the {name} is counted as theirs."]
        assert told(b=end) == told(end)
        assert told(end, End(spot=Spot("x") if end is browser else Spot(device="x"))) == [
            f"Nobody is known to have used both {name}s."
        ]
        # What is nobody's says so itself.
        assert told(end, visit()) == told(visit(), end)
        assert told(end, visit()) == [
            "Nobody is known to have made the visit: no identify of it stands."
        ]
    both = ["Nobody is known to have used both the device and the browser."]
    assert told(browser, device) == told(device, browser) == both
    assert told(browser, device, all_looked_at=False) == [
        "Only the latest 1,000 visits of each were looked at: nobody who made one of them is known "
        "to have used both."
    ]


def test_an_event_that_is_nobodys_tells_why() -> None:
    attribution = attribute(VISITOR, place(AT, Kind.EVENT, "e"))
    owner = Owner("visitor_1", attribution, VisitorRecord(VISITOR, None, 0, 0, None))
    end = visit(owner=None)
    event = End(end.person, visitor=end.visitor, owner=owner, at=AT)
    assert told(event) == [
        "Counted as nobody's because nobody has made themselves known on this browser since."
    ]
    severed = LinkRecord(msgspec.structs.replace(LINK, source="visitor_1", retracted_by="k"))
    taken: dict[str, Any] = {"taken": (severed,), "operations": (recorded(kept_apart()),)}
    # Whose it was may be no matter between the two: the link itself is not told of.
    assert told(event, **taken) == [
        f"Counted as nobody's because somebody here took it from its owner on {ON} (Asked)."
    ]
    assert told(visit(), **taken) == [
        f"Nobody is known to have made the visit: somebody here took it from its owner on {ON} "
        "(Asked)."
    ]
