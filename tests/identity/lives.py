"""Histories that look like life: households, shared tablets, kiosks, forgotten logouts, late
messages, imports, records deleted by their source, thieves, and operators.

Strategies for hypothesis. A history is a list of evidence in the order in which it arrives; a
clock goes on with each piece, and what operators do is said of what the fold shows them by then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from graphid.identity.attribution import attribute
from graphid.identity.fold import Resolved, resolve
from graphid.identity.ids import Ids
from graphid.identity.policy import Policy, parse_policy
from graphid.identity.state import Contact, Link, LinkKind, LinkState, Review, Visitor
from graphid.identity.values import (
    SAID_USER,
    SECOND,
    Anchor,
    Assurance,
    Block,
    ContactUpsert,
    Evidence,
    IdentifierKey,
    Identify,
    KeepApart,
    Kind,
    Logout,
    Merge,
    Micros,
    Place,
    Sever,
    place,
)
from tests.identity.operator import Operator, Refused

EXAMPLES = int(os.environ.get("GRAPHID_EXAMPLES", "100"))
"""Histories tried of each property."""

settings.register_profile(
    "graphid",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    print_blob=False,
)
settings.load_profile("graphid")

IDS = Ids(b"a secret of the tests")
START = 1_700_000_000 * SECOND
MINUTE = 60 * SECOND
DAY = 1440 * MINUTE

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

CLIENTS = ("claim", "claim", "claim", "thief", "assert", "verify", "logout", "contact")
SDKS = (
    *("claim", "assert", "thief", "logout", "contact", "said besides by a server"),
    *["said besides"] * 12,
)
"""Clients of which most send a user id with every event."""
JUDGEMENTS = ("unmerge", "part", "sever identifier", "reject", "restore", "block")
OPERATORS = ("merge", "merge", "sever", "sever", "sever", "promote", *JUDGEMENTS)

T = TypeVar("T")
V = TypeVar("V")


def parts_of(whole: tuple[IdentifierKey, ...]) -> st.SearchStrategy[tuple[IdentifierKey, ...]]:
    """One to three of these identifiers, in any order."""
    return st.lists(st.sampled_from(whole), min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def pieces(
    draw: st.DrawFn, id: str, recorded_at: Micros, kinds: Sequence[str] = CLIENTS
) -> Evidence:
    """What a client or a server says: mostly of now, sometimes of long ago."""
    late = draw(st.sampled_from([0, 0, 0, 5 * MINUTE, 50 * MINUTE, DAY, 7 * DAY, 40 * DAY]))
    at = max(START, recorded_at - late)
    who = draw(st.sampled_from(HUMANS))
    cookie = draw(st.sampled_from(sorted(COOKIES)))
    match draw(st.sampled_from(kinds)):
        case "logout":
            return Logout(id, at, recorded_at, cookie, COOKIES[cookie])
        case "contact":
            return ContactUpsert(
                id,
                at,
                recorded_at,
                "crm",
                str(HUMANS.index(who)),
                draw(parts_of(who)),
                curated=draw(st.booleans()),
                deleted=draw(st.integers(0, 5)) == 0,
                traits={"row": id},
            )
        case "said besides" | "said besides by a server" as kind:
            user = next((i for i in who if i.startswith("user_id:")), "user_id:lee")
            by = Assurance.ASSERTED if kind.endswith("server") else Assurance.CLAIMED
            return Identify(id + SAID_USER, at, recorded_at, cookie, COOKIES[cookie], by, (user,))
        case kind:
            assurance = {"assert": Assurance.ASSERTED, "verify": Assurance.VERIFIED}
            return Identify(
                id,
                at,
                recorded_at,
                cookie,
                COOKIES[cookie],
                assurance.get(kind, Assurance.CLAIMED),
                draw(parts_of(EVERYTHING if kind == "thief" else who)),
                traits={"said": id},
            )


class _Desk:
    """What an operator may point at."""

    def __init__(self, draw: st.DrawFn, arrived: Sequence[Evidence], operator: Operator) -> None:
        self.draw = draw
        self.arrived = arrived
        self.operator = operator
        self.resolved = operator.resolved

    def pick(self, among: Iterable[V]) -> V:
        choices = list(among)
        if not choices:
            raise Refused("there is no such thing")
        return self.draw(st.sampled_from(choices))

    def pick_value(self, kind: type[V], fits: Callable[[V], bool] = lambda value: True) -> V:
        return self.pick(v for v in self.resolved.state.values() if isinstance(v, kind) and fits(v))

    def pick_operation(self, *kinds: type[Evidence]) -> str:
        return self.pick(piece.id for piece in self.arrived if isinstance(piece, kinds))

    def contact(self) -> str:
        return self.pick(
            c.id for person in self.resolved.people().values() for c in person.contacts
        )

    def event(self) -> tuple[str, Place]:
        """A page, at the moment of some evidence or around it, on any cookie."""
        around = self.pick((-MINUTE, 0, MINUTE))
        at = max(START, self.pick(self.arrived).at + around)
        return self.pick(sorted(COOKIES)), place(at, Kind.EVENT, "page")

    def party(self) -> Anchor:
        if self.pick((True, False)):
            return self.operator.whose(*self.event())
        return self.operator.namesake(self.contact())


@st.composite
def operations(
    draw: st.DrawFn,
    arrived: Sequence[Evidence],
    operator: Operator,
    kinds: Sequence[str] = OPERATORS,
) -> Evidence | None:
    """What an operator does, seeing what has arrived; None where that is refused."""
    desk = _Desk(draw, arrived, operator)
    try:
        match draw(st.sampled_from(kinds)):
            case "merge":
                return operator.merge(desk.party(), desk.party())
            case "sever":
                since = desk.pick((None, None, -MINUTE, MINUTE, 30 * MINUTE))
                near = desk.pick(arrived).at
                return operator.sever(*desk.event(), None if since is None else near + since)
            case "promote":
                return operator.promote(operator.namesake(desk.contact()))
            case "unmerge":
                return operator.unmerge(desk.pick_operation(Merge))
            case "part":
                joins = desk.pick_value(Link, lambda link: link.kind == LinkKind.SAME_AS)
                return operator.part(joins)
            case "sever identifier":
                return operator.sever_identifier(draw(st.sampled_from(EVERYTHING)))
            case "reject":
                return operator.reject(desk.pick_value(Review))
            case "restore":
                return operator.withdraw(desk.pick_operation(Sever, KeepApart, Block))
            case "block":
                return operator.block(draw(st.sampled_from(EVERYTHING)))
        return operator.erase(desk.contact())
    except Refused:
        return None


@st.composite
def histories(
    draw: st.DrawFn,
    max_size: int = 14,
    *,
    policy: Policy | None = None,
    clients: Sequence[str] = CLIENTS,
    operators: Sequence[str] = (*OPERATORS, "erase"),
) -> list[Evidence]:
    """Evidence, in the order of arrival. One piece in four is an operator's, if there are any."""
    policy = policy or Policy()
    arrived: list[Evidence] = []
    clock = START + 45 * DAY
    for number in range(draw(st.integers(1, max_size))):
        clock += draw(st.sampled_from([0, SECOND, 11 * MINUTE, 40 * MINUTE, DAY, 20 * DAY]))
        id = f"e{number}"
        if operators and arrived and draw(st.integers(0, 3)) == 0:
            operator = Operator(resolve(arrived, policy, IDS), id, clock)
            piece = draw(operations(arrived, operator, operators))
        else:
            piece = draw(pieces(id, clock, clients))
        if piece is not None:
            arrived.append(piece)
    return arrived


POLICIES = (
    Policy(),
    Policy(taken_identifier="MOVE"),
    Policy(taken_identifier="MERGE"),
    parse_policy({"unattended": {"owner": "ANONYMOUS"}, "retroactive": {"max_age": 86400}}),
)

policies = st.sampled_from(POLICIES)


@st.composite
def lives(
    draw: st.DrawFn,
    max_size: int = 14,
    *,
    clients: Sequence[str] = CLIENTS,
    operators: Sequence[str] = (*OPERATORS, "erase"),
) -> tuple[list[Evidence], Policy]:
    """A history and the policy that it was made under."""
    policy = draw(policies)
    history = draw(histories(max_size, policy=policy, clients=clients, operators=operators))
    return history, policy


# ---------------------------------------------------------------------- what is so


def contacts_of(resolved: Resolved) -> dict[str, Contact]:
    """Every contact, by id."""
    return {
        contact.id: contact for person in resolved.people().values() for contact in person.contacts
    }


def holdings(resolved: Resolved) -> dict[str, dict[str, set[IdentifierKey]]]:
    """Who is who, and holds what."""
    return {
        name: {contact.id: set(contact.holds) for contact in person.contacts}
        for name, person in resolved.people().items()
    }


def visitors_of(resolved: Resolved) -> list[Visitor]:
    """Every visitor of every cookie."""
    return [visitor for cookie in COOKIES for visitor in resolved.visitors_of(cookie)]


def links_of(resolved: Resolved, kind: LinkKind) -> list[Link]:
    """Every link of a kind, whatever its state."""
    return [v for v in resolved.state.values() if isinstance(v, Link) and v.kind == kind]


def owner(resolved: Resolved, visitor: Visitor) -> str | None:
    """The person who owns a visitor."""
    link = visitor.link
    if link is None or link.state is LinkState.SEVERED:
        return None
    return resolved.person_of(link.target)[0]


def places(history: Iterable[Evidence]) -> list[tuple[str, Place]]:
    """Places on each cookie, of the evidence itself and between it, to ask who owned an event
    there."""
    moments = {piece.at + around for piece in history for around in (-MINUTE, 0, MINUTE)}
    named = [place(max(at, START), Kind.EVENT, "page") for at in moments]
    named += [piece.place for piece in history if piece.place[0] != "!"]
    return [(cookie, at) for cookie in COOKIES for at in sorted(named)]


def owners(resolved: Resolved, where: Iterable[tuple[str, Place]]) -> dict[tuple[str, Place], str]:
    """Whose the event of each place is: a person's name, or an anonymous person's."""
    found: dict[tuple[str, Place], str] = {}
    for cookie, at in where:
        of = attribute(resolved.visitor_at(cookie, at), at)
        found[cookie, at] = resolved.person_of(of.contact)[0] if of.contact else of.anonymous or ""
    return found
