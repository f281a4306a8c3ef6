"""The invariants of model.md, on histories that look like life."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphid.identity.attribution import attribute
from graphid.identity.fold import Resolved, resolve, sort, step
from graphid.identity.policy import Policy
from graphid.identity.state import (
    Contact,
    Identifier,
    LinkKind,
    LinkState,
    Memory,
    Person,
    View,
    Visitor,
)
from graphid.identity.values import (
    Assurance,
    ContactUpsert,
    Evidence,
    IdentifierKey,
    Identify,
    type_of,
)
from tests.identity.lives import COOKIES, IDS, histories, owner, places, policies

settings.register_profile(
    "graphid", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("graphid")


T = TypeVar("T")


def of(resolved: Resolved, kind: type[T]) -> list[T]:
    return [value for value in resolved.state.values() if isinstance(value, kind)]


@given(histories(), policies)
def test_each_thing_has_one_owner(history: list[Evidence], policy: Policy) -> None:
    """Invariant 1."""
    resolved = resolve(history, policy, IDS)
    people: dict[str, str] = {}
    for (kind, name), value in resolved.state.items():
        if kind == "person" and isinstance(value, Person):
            assert bool(value.contacts) is (value.merged_into is None)
            for contact in value.contacts:
                assert people.setdefault(contact, name) == name
    contacts = {contact.id: contact for contact in of(resolved, Contact)}
    assert {id: contact.person for id, contact in contacts.items()} == people
    for (kind, key), value in resolved.state.items():
        if kind == "identifier" and isinstance(value, Identifier):
            assert len({people[contact] for contact in value.contacts}) <= 1
            holders = {id for id, contact in contacts.items() if key in contact.holds}
            assert set(value.contacts) == holders
    for cookie in COOKIES:
        visitors = resolved.visitors_of(cookie)
        ends = [visitor.end for visitor in visitors]
        assert [visitor.start for visitor in visitors] == ["", *ends[:-1]]
        assert ends[-1] is None


@given(histories(), policies)
def test_a_contact_counts_what_its_visitors_claimed(
    history: list[Evidence], policy: Policy
) -> None:
    """What step 3 asks for is kept on the contact, so that no visitor need be read."""
    resolved = resolve(history, policy, IDS)
    claims: dict[str, Counter[frozenset[IdentifierKey]]] = defaultdict(Counter)
    for visitor in of(resolved, Visitor):
        if visitor.contact is not None and visitor.claims_alone:
            claims[visitor.contact][visitor.claims] += 1
    for contact in of(resolved, Contact):
        assert dict(contact.claim_sets) == claims[contact.id]


@given(histories(), policies)
def test_people_are_what_the_links_join(history: list[Evidence], policy: Policy) -> None:
    """Invariant 2."""
    resolved = resolve(history, policy, IDS)
    contacts = of(resolved, Contact)
    group = {contact.id: {contact.id} for contact in contacts}
    for contact in contacts:
        for link in contact.same_as:
            assert link.kind is LinkKind.SAME_AS
            assert resolved.state["link", link.id] == link
            if link.state is LinkState.ACTIVE and group[link.source] is not group[link.target]:
                group[link.source] |= group[link.target]
                for member in group[link.target]:
                    group[member] = group[link.source]
    people: defaultdict[str, set[str]] = defaultdict(set)
    for contact in contacts:
        people[contact.person].add(contact.id)
    for contact in contacts:
        assert group[contact.id] == people[contact.person]


@given(histories(), policies)
def test_nobody_holds_two_values_of_a_unique_type(history: list[Evidence], policy: Policy) -> None:
    """Invariant 3."""
    resolved = resolve(history, policy, IDS)
    held: defaultdict[str, set[IdentifierKey]] = defaultdict(set)
    for contact in of(resolved, Contact):
        held[contact.person].update(contact.holds)
    for identifiers in held.values():
        types = [type_of(identifier) for identifier in identifiers]
        assert [t for t in set(types) if policy.rule(t).unique and types.count(t) > 1] == []


@given(histories(), policies, st.randoms(use_true_random=False))
def test_order_and_replay_do_not_matter(
    history: list[Evidence], policy: Policy, dice: random.Random
) -> None:
    """Invariants 4 and 5."""
    expected = resolve(history, policy, IDS)
    arrived = history * 2
    dice.shuffle(arrived)
    found = resolve(arrived, policy, IDS)
    assert found.state == expected.state
    assert found.outcomes == expected.outcomes


@given(histories(), policies)
def test_every_id_ever_given_out_resolves(history: list[Evidence], policy: Policy) -> None:
    """Invariant 8, for people: an alias leads to somebody who is there."""
    resolved = Resolved(policy, IDS)
    names: set[str] = set()
    for piece in sort(history):
        resolved.apply(piece)
        names |= {name for kind, name in resolved.state if kind == "person"}
    for name in names:
        seen = {name}
        person = resolved.state["person", name]
        while isinstance(person, Person) and (alias := person.merged_into):
            assert alias not in seen
            seen.add(alias)
            person = resolved.state["person", alias]
        assert isinstance(person, Person)
        assert person.contacts


@given(histories(), policies)
def test_a_step_depends_on_nothing_but_what_it_read(
    history: list[Evidence], policy: Policy
) -> None:
    """What "Keeping the graph equal to the fold" rests on: what was read is enough to load."""
    state = Memory()
    for piece in sort(history):
        whole = View(state)
        outcome = step(whole, piece, policy, IDS)
        narrow = View(Memory({key: state[key] for key in whole.reads if key in state}))
        assert step(narrow, piece, policy, IDS) == outcome
        assert narrow.writes == whole.writes
        state.update(whole.changes())


@given(histories(max_size=14), policies)
@settings(max_examples=400)
def test_no_authority_by_claim(history: list[Evidence], policy: Policy) -> None:
    """Invariant 11: what authority owns of others' visitors, those visitors claimed themselves."""
    resolved = resolve(history, policy, IDS)
    vouched: defaultdict[str, set[IdentifierKey]] = defaultdict(set)
    for piece in history:
        outcome = resolved.outcomes[piece.id]
        if not _has_authority(piece) or outcome.contact is None:
            continue
        contact = resolved.state["contact", outcome.contact]
        assert isinstance(contact, Contact)
        vouched[contact.person].update(outcome.admitted)
    for visitor in of(resolved, Visitor):
        person = owner(resolved, visitor)
        if person is not None and person in vouched and visitor.claims_alone:
            assert not visitor.claims.isdisjoint(vouched[person])


def _has_authority(piece: Evidence) -> bool:
    if isinstance(piece, ContactUpsert):
        return True
    return isinstance(piece, Identify) and piece.assurance >= Assurance.ASSERTED


@given(histories(), policies)
def test_attribution_says_who_the_visitor_s_link_says(
    history: list[Evidence], policy: Policy
) -> None:
    """An event is its visitor's owner's, or nobody's; and never before the link's reach."""
    resolved = resolve(history, policy, IDS)
    for cookie, at in places(history):
        visitor = resolved.visitor_at(cookie, at)
        assert visitor.start <= at
        assert visitor.end is None or at < visitor.end
        found = attribute(visitor, at, policy)
        assert (found.contact is None) is (found.anonymous is not None)
        if found.contact is not None:
            assert visitor.link is not None
            assert (found.contact, found.link) == (visitor.link.target, visitor.link)
