"""The invariants of model.md, on histories that look like life."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

from hypothesis import event, given, settings
from hypothesis import strategies as st

from graphid.identity.anchors import Anchors
from graphid.identity.attribution import attribute
from graphid.identity.fold import resolve, sort, step
from graphid.identity.ids import UNCLAIMED
from graphid.identity.people import People
from graphid.identity.policy import Policy
from graphid.identity.proposals import anchor_of, anchor_of_visitor
from graphid.identity.state import (
    Identifier,
    LinkKind,
    LinkState,
    Person,
)
from graphid.identity.values import (
    Assurance,
    ContactUpsert,
    Erase,
    Evidence,
    IdentifierKey,
    Identify,
    type_of,
)
from graphid.identity.view import Memory, View
from tests.identity.following import Following
from tests.identity.lives import (
    COOKIES,
    EXAMPLES,
    IDS,
    JUDGEMENTS,
    contacts_of,
    links_of,
    lives,
    owner,
    places,
    visitors_of,
)

Life = tuple[list[Evidence], Policy]


@given(lives())
def test_each_thing_has_one_owner(life: Life) -> None:
    """Invariant 1."""
    resolved = resolve(life[0], life[1], IDS)
    people: dict[str, str] = {}
    for name, person in resolved.people().items():
        assert person.contacts
        for contact in person.contacts:
            assert people.setdefault(contact.id, name) == name
    assert set(people) == {name for kind, name in resolved.state if kind == "person"}
    contacts = contacts_of(resolved)
    for (kind, key), value in resolved.state.items():
        if kind == "identifier" and isinstance(value, Identifier):
            assert len({people[contact] for contact in value.contacts}) <= 1
            holders = {id for id, contact in contacts.items() if key in contact.holds}
            assert set(value.contacts) == holders
            assert len(value.contacts) == len(holders)
    for cookie in COOKIES:
        visitors = resolved.visitors_of(cookie)
        assert len({visitor.id for visitor in visitors}) == len(visitors)
        ends = [visitor.end for visitor in visitors]
        assert [visitor.start for visitor in visitors] == ["", *ends[:-1]]
        assert ends[-1] is None
        for visitor in visitors:
            assert visitor.contact is None or visitor.contact in contacts


@given(lives(operators=JUDGEMENTS))
def test_a_contact_counts_what_its_visitors_claimed(life: Life) -> None:
    """What step 3 asks for is kept on the contact, so that no visitor need be read."""
    resolved = resolve(life[0], life[1], IDS)
    claims: dict[str, Counter[frozenset[IdentifierKey]]] = defaultdict(Counter)
    for visitor in visitors_of(resolved):
        if visitor.contact is not None and visitor.claims_alone:
            claims[visitor.contact][visitor.claims] += 1
    for contact in contacts_of(resolved).values():
        assert dict(contact.claim_sets) == claims[contact.id]


@given(lives())
def test_people_are_what_the_links_join(life: Life) -> None:
    """Invariant 2."""
    resolved = resolve(life[0], life[1], IDS)
    group = {id: {id} for id in contacts_of(resolved)}
    for link in links_of(resolved, LinkKind.SAME_AS):
        if link.state is LinkState.ACTIVE and group[link.source] is not group[link.target]:
            group[link.source] |= group[link.target]
            for member in group[link.target]:
                group[member] = group[link.source]
    for name, person in resolved.people().items():
        assert group[name] == {contact.id for contact in person.contacts}
        assert name == person.contacts[0].id


@given(lives())
def test_links_say_what_the_values_say(life: Life) -> None:
    """The links are the present made readable: none is missing, and none says more."""
    resolved = resolve(life[0], life[1], IDS)
    contacts = contacts_of(resolved).values()
    holds = {hold.link.id: hold.link for c in contacts for hold in c.holds.values()}
    joins = {link.id: link for c in contacts for link in c.same_as}
    attached = {v.link.id: v.link for v in visitors_of(resolved) if v.link is not None}
    for kind, meant in (
        (LinkKind.HAS_IDENTIFIER, holds),
        (LinkKind.SAME_AS, joins),
        (LinkKind.IDENTIFIED_AS, attached),
    ):
        found = {link.id: link for link in links_of(resolved, kind)}
        assert meant == {id: found[id] for id in meant}
        assert {id for id, link in found.items() if link.state is LinkState.ACTIVE} <= set(meant)
    assert all(link.state is LinkState.ACTIVE for link in (*holds.values(), *joins.values()))
    for visitor in visitors_of(resolved):
        link = visitor.link
        if link is not None:
            assert link.source == visitor.id
            assert (link.ended_at, link.ended_by) == (visitor.ended_at, visitor.ended_by)


@given(lives())
def test_nobody_holds_two_values_of_a_unique_type(life: Life) -> None:
    """Invariant 3."""
    history, policy = life
    for person in resolve(history, policy, IDS).people().values():
        held = {identifier for contact in person.contacts for identifier in contact.holds}
        types = [type_of(identifier) for identifier in held]
        assert [t for t in set(types) if policy.rule(t).unique and types.count(t) > 1] == []


@given(lives(), st.randoms(use_true_random=False))
def test_replay_does_not_matter(life: Life, dice: random.Random) -> None:
    """Invariant 5, and 4 as far as sorting goes."""
    history, policy = life
    expected = resolve(history, policy, IDS)
    arrived = history * 2
    dice.shuffle(arrived)
    found = resolve(arrived, policy, IDS)
    assert found.state == expected.state
    assert found.outcomes == expected.outcomes


@given(lives(max_size=20), st.randoms(use_true_random=False))
def test_order_does_not_matter(life: Life, dice: random.Random) -> None:
    """Invariant 4: what arrives in any order, and is followed forward, is the same fold."""
    history, policy = life
    expected = resolve(history, policy, IDS)
    following = Following(policy, IDS)
    dice.shuffle(history)
    for piece in history:
        following.take(piece)
    assert following.state == expected.state
    assert following.outcomes == expected.outcomes
    event("steps", following.steps // max(len(history), 1))


@given(lives())
def test_every_id_ever_given_out_resolves(life: Life) -> None:
    """Invariant 8: what an id meant is found, whatever became known since; a record that was
    erased, and what was made of erased messages, excepted."""
    history, policy = life
    final = resolve(history, policy, IDS)
    anchors = Anchors(View(final.state), People(View(final.state)), IDS)
    erased = any(isinstance(piece, Erase) for piece in history)
    for number in range(len(history)):
        seen = resolve(history[: number + 1], policy, IDS)
        for contact in contacts_of(seen).values():
            found, visitor = anchors.contact(anchor_of(contact))
            assert erased or found is not None or visitor is not None
            assert found is None or final.person_of(found)[1].contacts
            if contact.cookie is not None:
                assert found is not None or visitor is not None
        for visitor in visitors_of(seen):
            anchor = anchor_of_visitor(visitor)
            there = anchors.visitor(anchor)
            assert there == final.visitor_at(visitor.cookie, visitor.start) or (
                there.id == visitor.id
            )


@given(lives())
def test_nobody_is_an_alias_of_an_alias_that_leads_nowhere(life: Life) -> None:
    """Invariant 8, for the names that people have had."""
    resolved = resolve(life[0], life[1], IDS)
    for kind, name in resolved.state:
        if kind == "person":
            seen = {name}
            person = resolved.state["person", name]
            while isinstance(person, Person) and (alias := person.merged_into):
                assert alias not in seen
                seen.add(alias)
                person = resolved.state["person", alias]
            assert isinstance(person, Person)
            assert name in {contact.id for contact in person.contacts}


@given(lives())
def test_a_step_depends_on_nothing_but_what_it_read(life: Life) -> None:
    """What "Keeping the graph equal to the fold" rests on: what was read is enough to load."""
    history, policy = life
    state = Memory()
    for piece in sort(history):
        whole = View(state)
        outcome = step(whole, piece, policy, IDS)
        narrow = View(Memory({key: state[key] for key in whole.reads if key in state}))
        assert step(narrow, piece, policy, IDS) == outcome
        assert narrow.writes == whole.writes
        state.take_in(whole.changes())


@given(lives(max_size=16, operators=("sever", *JUDGEMENTS, "erase")))
@settings(max_examples=4 * EXAMPLES)
def test_no_authority_by_claim(life: Life) -> None:
    """Invariant 11: what authority owns of others' visitors, those visitors claimed themselves."""
    history, policy = life
    resolved = resolve(history, policy, IDS)
    vouched: defaultdict[str, set[IdentifierKey]] = defaultdict(set)
    for piece in sort(history):
        outcome = resolved.outcomes[piece.id]
        if _has_authority(piece) and outcome.contact is not None:
            vouched[resolved.person_of(outcome.contact)[0]].update(outcome.admitted)
    for visitor in visitors_of(resolved):
        person = owner(resolved, visitor)
        if person is not None and person in vouched and visitor.claims_alone:
            assert not visitor.claims.isdisjoint(vouched[person])


def _has_authority(piece: Evidence) -> bool:
    if isinstance(piece, ContactUpsert):
        return True
    return isinstance(piece, Identify) and piece.assurance >= Assurance.ASSERTED


@given(lives())
def test_attribution_says_who_the_visitor_s_link_says(life: Life) -> None:
    """An event is its visitor's owner's, or nobody's; and never before the link's reach."""
    history, policy = life
    resolved = resolve(history, policy, IDS)
    for cookie, at in places(history):
        visitor = resolved.visitor_at(cookie, at)
        assert visitor.start <= at
        assert visitor.end is None or at < visitor.end
        found = attribute(visitor, at)
        assert (found.contact is None) is (found.anonymous is not None)
        if found.contact is not None:
            assert visitor.link is not None
            assert (found.contact, found.link) == (visitor.link.target, visitor.link)
        elif visitor.owner is None:
            assert found.anonymous == visitor.id
        else:
            assert found.anonymous == visitor.id + UNCLAIMED
