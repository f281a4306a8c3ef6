"""What operators do and take back (invariant 6 of model.md), on histories that look like life."""

from __future__ import annotations

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from graphid.identity.anchors import Anchors
from graphid.identity.fold import Resolved, resolve
from graphid.identity.people import People
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Key,
    Link,
    LinkKind,
    Value,
)
from graphid.identity.values import (
    SECOND,
    Assurance,
    ContactAnchor,
    ContactUpsert,
    Erase,
    Evidence,
    IdentifierKey,
    Identify,
    Logout,
    Merge,
    Micros,
    Sever,
    start_of,
)
from graphid.identity.view import View
from tests.identity.lives import (
    CLIENTS,
    IDS,
    MINUTE,
    OPERATORS,
    contacts_of,
    holdings,
    links_of,
    lives,
    operations,
    owners,
    pieces,
    places,
)
from tests.identity.operator import Operator


def act(
    data: st.DataObject, history: list[Evidence], policy: Policy, kind: str, id: str = "act"
) -> Evidence:
    """What an operator does after all of a history."""
    at = after(history)
    operator = Operator(resolve(history, policy, IDS), id, at)
    piece = data.draw(operations(history, operator, [kind]))
    assume(piece is not None)
    assert piece is not None
    return piece


def after(history: list[Evidence]) -> Micros:
    return max(piece.recorded_at for piece in history) + MINUTE


def late(data: st.DataObject, before: Micros, size: int = 4) -> list[Evidence]:
    """Messages that arrive after a moment, of what happened before it."""
    found: list[Evidence] = []
    for number in range(data.draw(st.integers(0, size))):
        piece = data.draw(pieces(f"late{number}", before + MINUTE, CLIENTS))
        found.append(happening(piece, min(piece.at, before - SECOND)))
    return found


def happening(piece: Evidence, at: Micros) -> Evidence:
    """The same, at another time."""
    assert isinstance(piece, Identify | Logout | ContactUpsert)
    return msgspec.structs.replace(piece, at=at)


def without(resolved: Resolved, *kinds: str) -> dict[Key, Value]:
    return {key: value for key, value in resolved.state.items() if key[0] not in kinds}


def known(owner: str) -> str | None:
    return None if owner.startswith("visitor_") else owner


@given(lives(), st.data())
def test_a_sever_is_a_mask(life: tuple[list[Evidence], Policy], data: st.DataObject) -> None:
    """It changes the owner of no event outside that visitor, and nobody else, whatever becomes
    known later of the time before it; and inside, nothing is that person's."""
    history, policy = life
    sever = act(data, history, policy, "sever")
    assert isinstance(sever, Sever)
    more = late(data, sever.at)
    bare = resolve([*history, *more], policy, IDS)
    masked = resolve([*history, sever, *more], policy, IDS)
    assert masked.people() == bare.people()
    assert without(masked, "visitor", "cookie", "link") == without(
        bare, "visitor", "cookie", "link"
    )
    where = places([*history, sever, *more])
    before, now = owners(bare, where), owners(masked, where)
    begin = since = sever.visitor.start
    if sever.since is not None:
        # Of what is before, nothing changes, or all that is the visitor's is nobody's.
        since = max(begin, start_of(sever.since))
    taken_from = {anchor.contact for anchor in sever.contacts}
    for (cookie, at), owner in now.items():
        inside = cookie == sever.visitor.cookie and begin <= at < (sever.visitor.end or "~")
        if not inside:
            assert known(owner) == known(before[cookie, at])
        elif known(owner) is not None:
            assert owner == before[cookie, at]
            if at < since:
                continue
            people = {contact.id for contact in masked.people()[owner].contacts}
            assert people.isdisjoint(taken_from)


@given(lives(), st.sampled_from(["sever", "part", "block", "sever identifier"]), st.data())
def test_restore_brings_back_what_was(
    life: tuple[list[Evidence], Policy], kind: str, data: st.DataObject
) -> None:
    history, policy = life
    done = act(data, history, policy, kind)
    more = late(data, done.at)
    back = Operator(resolve([*history, done, *more], policy, IDS), "back", done.at + MINUTE)
    restored = resolve([*history, done, *more, back.withdraw(done.id)], policy, IDS)
    expected = resolve([*history, *more], policy, IDS)
    assert without(restored, "withdrawn") == without(expected, "withdrawn")


@given(lives(), st.data())
def test_a_merge_and_its_unmerge_leave_what_was(
    life: tuple[list[Evidence], Policy], data: st.DataObject
) -> None:
    history, policy = life
    merge = act(data, history, policy, "merge")
    assert isinstance(merge, Merge)
    merged = resolve([*history, merge], policy, IDS)
    undo = Operator(merged, "undo", merge.at + MINUTE).unmerge(merge.id)
    undone = resolve([*history, merge, undo], policy, IDS)
    expected = resolve(history, policy, IDS)
    where = places([*history, merge, undo])
    assert owners(undone, where) == owners(expected, where)
    assert holdings(undone) == holdings(expected)
    restored = Operator(undone, "redo", undo.at + MINUTE).withdraw(undo.id)
    again = resolve([*history, merge, undo, restored], policy, IDS)
    assert without(again, "withdrawn") == without(merged, "withdrawn")


@given(lives(), st.data())
def test_what_was_parted_is_joined_no_more(
    life: tuple[list[Evidence], Policy], data: st.DataObject
) -> None:
    """Whatever is said of any time by those who are no operators."""
    history, policy = life
    joins = links_of(resolve(history, policy, IDS), LinkKind.SAME_AS)
    assume(joins)
    link = data.draw(st.sampled_from(joins))
    at = after(history)
    parted = Operator(resolve(history, policy, IDS), "part", at).part(link)
    assert len(parted.sides) == 2
    ones, others = (
        {a.contact for a in side if isinstance(a, ContactAnchor)} for side in parted.sides
    )
    more = late(data, at)
    both = data.draw(st.permutations(both_sides(history, policy, link)))
    more.append(
        Identify(
            "both", at + 2 * MINUTE, at + 2 * MINUTE, "c", None, Assurance.VERIFIED, tuple(both)
        )
    )
    for person in resolve([*history, parted, *more], policy, IDS).people().values():
        contacts = {contact.id for contact in person.contacts}
        assert contacts.isdisjoint(ones) or contacts.isdisjoint(others)


def both_sides(history: list[Evidence], policy: Policy, link: Link) -> list[IdentifierKey]:
    contacts = contacts_of(resolve(history, policy, IDS))
    return [i for end in (link.source, link.target) for i in contacts[end].holds]


@given(lives(operators=OPERATORS), st.data())
def test_a_merge_makes_one_of_two(life: tuple[list[Evidence], Policy], data: st.DataObject) -> None:
    """Also of those whom a judgement, or a rejected review, had kept apart before."""
    history, policy = life
    merge = act(data, history, policy, "merge")
    assert isinstance(merge, Merge)
    merged = resolve([*history, merge], policy, IDS)
    view = View(merged.state)
    anchors = Anchors(view, People(view), IDS)
    found = {anchors.find(anchor)[0] for anchor in merge.of}
    assert None not in found
    assert len({merged.person_of(contact)[0] for contact in found if contact}) == 1


@given(lives(), st.data())
def test_what_was_erased_is_named_by_nothing_from_before(
    life: tuple[list[Evidence], Policy], data: st.DataObject
) -> None:
    history, policy = life
    erasure = act(data, history, policy, "erase")
    assert isinstance(erasure, Erase)
    seen = resolve(history, policy, IDS)
    held = {i for c in contacts_of(seen).values() for i in c.holds if IDS.bar(i) in erasure.bars}
    more = [
        msgspec.structs.replace(piece, recorded_at=erasure.recorded_at)
        for piece in late(data, erasure.at)
    ]
    resolved = resolve([*history, erasure, *more], policy, IDS)
    for contact in contacts_of(resolved).values():
        assert held.isdisjoint(contact.holds)
    assert not set(erasure.withdraws) & resolved.outcomes.keys()
