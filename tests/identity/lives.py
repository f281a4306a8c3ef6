"""Histories that look like life: households, shared tablets, forgotten logouts, imports, thieves.

Strategies for hypothesis. A history is a list of evidence in the order in which it arrives.
"""

from __future__ import annotations

from hypothesis import strategies as st

from graphid.identity.fold import Resolved
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy
from graphid.identity.state import Contact, LinkState, Visitor
from graphid.identity.values import (
    SECOND,
    Assurance,
    ContactUpsert,
    Evidence,
    IdentifierKey,
    Identify,
    Logout,
    Place,
)

IDS = Ids(b"a secret of the tests")
START = 1_700_000_000 * SECOND
MINUTE = 60 * SECOND

HUMANS: tuple[tuple[IdentifierKey, ...], ...] = (
    ("crm_account_id:1", "email:john@home.example", "email:john@work.example", "phone:+441"),
    ("crm_account_id:2", "user_id:mary", "email:mary@home.example", "phone:+441"),
    ("crm_account_id:3", "user_id:kim", "email:kim@home.example", "email:family@home.example"),
    ("user_id:lee", "email:family@home.example", "email:lee@home.example"),
)
"""Two share a telephone, two an e-mail address."""

EVERYTHING = tuple(sorted({identifier for human in HUMANS for identifier in human}))

COOKIES: dict[str, str | None] = {
    "c-tablet": "tablet",
    "c-tablet-2": "tablet",
    "c-phone": "phone",
    "c-laptop": "laptop",
    "c-kiosk": None,
}

times = st.one_of(
    st.integers(0, 60).map(lambda n: START + n * 11 * MINUTE),
    st.integers(0, 40).map(lambda n: START + n * 1440 * MINUTE),
)


@st.composite
def parts_of(draw: st.DrawFn, whole: tuple[IdentifierKey, ...]) -> tuple[IdentifierKey, ...]:
    """One to three of these identifiers, in any order."""
    return tuple(draw(st.lists(st.sampled_from(whole), min_size=1, max_size=3, unique=True)))


@st.composite
def pieces(draw: st.DrawFn, number: int) -> Evidence:
    """One piece of evidence, with ``number`` in its id."""
    id, at = f"e{number}", draw(times)
    who = draw(st.sampled_from(HUMANS))
    cookie = draw(st.sampled_from(sorted(COOKIES)))
    match draw(
        st.sampled_from(
            ["claim", "claim", "claim", "thief", "assert", "verify", "logout", "contact"]
        )
    ):
        case "logout":
            return Logout(id, at, at, cookie, COOKIES[cookie])
        case "contact":
            row = str(HUMANS.index(who))
            return ContactUpsert(
                id,
                at,
                at,
                "crm",
                row,
                draw(parts_of(who)),
                curated=draw(st.booleans()),
                deleted=draw(st.integers(0, 5)) == 0,
            )
        case kind:
            assurance = {"assert": Assurance.ASSERTED, "verify": Assurance.VERIFIED}
            return Identify(
                id,
                at,
                at,
                cookie,
                COOKIES[cookie],
                assurance.get(kind, Assurance.CLAIMED),
                draw(parts_of(EVERYTHING if kind == "thief" else who)),
                traits={"said": number},
            )


@st.composite
def histories(draw: st.DrawFn, max_size: int = 12) -> list[Evidence]:
    """Evidence, in some order of arrival."""
    return [draw(pieces(number)) for number in range(draw(st.integers(1, max_size)))]


policies = st.sampled_from(
    [
        Policy(),
        Policy(taken_identifier="MOVE"),
        Policy(taken_identifier="MERGE"),
    ]
)


def owner(resolved: Resolved, visitor: Visitor) -> str | None:
    """The person who owns a visitor."""
    link = visitor.link
    if link is None or link.state is LinkState.SEVERED:
        return None
    contact = resolved.state["contact", link.target]
    assert isinstance(contact, Contact)
    return contact.person


def places(history: list[Evidence]) -> list[tuple[str, Place]]:
    """Each place of a history on each cookie, to ask who owned an event there."""
    return [(cookie, piece.place) for cookie in COOKIES for piece in history]
