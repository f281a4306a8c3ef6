"""Following changes forward is the full fold, after every unit of work, whatever arrives when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphid.graph.memory import as_text, encode
from graphid.graph.projection import REFOLDED
from graphid.identity.fold import sort
from graphid.identity.policy import Policy, document_of, policy_of
from graphid.identity.state import Link, LinkState
from graphid.identity.values import Erase, Evidence, Logout
from tests.graph.folding import fold
from tests.graph.in_memory import InMemory
from tests.identity.lives import IDS, SDKS, lives
from tests.identity.saying import identify, upsert
from tests.scenarios.memory import play
from tests.scenarios.scenario import Scenario, load


class Store(InMemory):
    """Takes what arrives as the service does: nothing twice, and nothing that was erased."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy, IDS)
        self.arrived: list[Evidence] = []

    async def arrive(self, unit: Sequence[Evidence]) -> None:
        """One unit of work."""
        known = {stored.piece.id: place for place, stored in self.evidence.items()}
        known |= {mark.piece.id: place for place, mark in self.marks_kept.items()}
        self.arrived += unit
        unit_ids = {piece.id for piece in unit}
        new = [p for p in sort(self.arrived) if p.id in unit_ids and p.id not in known]
        erased = [id for piece in unit if isinstance(piece, Erase) for id in piece.withdraws]
        gone = [place for place, mark in self.marks_kept.items() if mark.piece.id in erased]
        named = {i for at in gone for i in self.marks_kept.pop(at).piece.identifiers}
        withdrawn = self.evidence.keys() & {known[id] for id in erased if id in known}
        # Whoever names what is erased is asked again, as by the service.
        again = set(await self.touching([("identifier", identifier) for identifier in named]))
        await self.take(new, withdrawn=withdrawn, again=again - withdrawn)

    def faults(self) -> list[str]:
        """Where it differs from the fold of all that has arrived."""
        remembered, state = fold(self.arrived, self.policy, IDS)
        links = {key[1]: value for key, value in state.items() if isinstance(value, Link)}
        values = {key: value for key, value in state.items() if key[0] != "link"}
        causes = {piece.id for piece in self.arrived} | {REFOLDED}
        return [
            *(
                f"{as_text(key)} is {self.state.get(key)}, not {values.get(key)}"
                for key in {**values, **self.state}
                if values.get(key) != self.state.get(key)
            ),
            *(
                f"link {id} is {self.links.get(id)}, not {link}"
                for id, link in links.items()
                if self.links.get(id) != link
            ),
            *(
                f"the fold makes no such link: {link}"
                for id, link in self.links.items()
                if id not in links
                and not (link.state is LinkState.SEVERED and link.retracted_by in causes)
            ),
            *(
                f"remembered of {at}: {self.evidence.get(at)}, not {remembered.get(at)}"
                for at in {**remembered, **self.evidence}
                if at not in self.marks_kept and remembered.get(at) != self.evidence.get(at)
            ),
            *(
                f"{mark.piece.id} only repeats, and would write {remembered[at]}"
                for at, mark in self.marks_kept.items()
                if at in self.evidence or remembered[at].writes or remembered[at].links
            ),
        ]


async def faults_of(units: Iterable[Sequence[Evidence]], policy: Policy) -> list[str]:
    """Where following differs from the fold, after the first unit where it does."""
    store = Store(policy)
    for unit in units:
        await store.arrive(unit)
        if faults := store.faults():
            return [f"after {[piece.id for piece in unit]}", *faults]
    return []


def cut(evidence: Sequence[Evidence], random: Random) -> list[Sequence[Evidence]]:
    """The same, in units of one to three pieces; an erasure is one by itself."""
    units: list[Sequence[Evidence]] = []
    while evidence:
        size = random.choice((1, 1, 1, 2, 3))
        erases = (at for at, piece in enumerate(evidence[:size]) if isinstance(piece, Erase))
        size = min(size, max(1, next(erases, size)))
        units.append(evidence[:size])
        evidence = evidence[size:]
    return units


@pytest.mark.parametrize("scenario", load(), ids=lambda scenario: scenario.id)
async def test_every_scenario_in_any_order_of_arrival(scenario: Scenario) -> None:
    played = play(scenario)
    as_listed = played.arrived
    assert await faults_of([[piece] for piece in as_listed], played.policy) == []
    for seed in range(2):
        random = Random(f"{scenario.id} {seed}")
        shuffled = random.sample(as_listed, len(as_listed))
        assert (seed, await faults_of(cut(shuffled, random), played.policy)) == (seed, [])


@given(lives(), st.randoms(use_true_random=False))
async def test_every_history_in_any_order_of_arrival(
    life: tuple[list[Evidence], Policy], random: Random
) -> None:
    """Judgements and operations among it, as they come: some before what they are about."""
    history, policy = life
    again = random.choices(history, k=len(history) // 4)
    shuffled = random.sample([*history, *again], len(history) + len(again))
    assert await faults_of(cut(erased_first(shuffled), random), policy) == []


@given(lives(30, clients=SDKS), st.randoms(use_true_random=False))
async def test_what_only_repeats_is_found_where_it_no_longer_does(
    life: tuple[list[Evidence], Policy], random: Random
) -> None:
    """As above, where most of what arrives says again who is there."""
    history, policy = life
    shuffled = random.sample(history, len(history))
    assert await faults_of(cut(history, random), policy) == []
    assert await faults_of(cut(erased_first(shuffled), random), policy) == []


def erased_first(evidence: list[Evidence]) -> list[Evidence]:
    """The same, with each erasure behind what it withdraws: it is said of what is there."""
    last = {piece.id: number for number, piece in enumerate(evidence)}

    def behind(numbered: tuple[int, Evidence]) -> tuple[int, bool, int]:
        number, piece = numbered
        withdraws = piece.withdraws if isinstance(piece, Erase) else ()
        latest = max([number, *(last.get(id, -1) for id in withdraws)])
        return latest, isinstance(piece, Erase), number

    return [piece for _, piece in sorted(enumerate(evidence), key=behind)]


@given(lives(), st.data())
async def test_withdrawn_evidence_leaves_what_was_without_it(
    life: tuple[list[Evidence], Policy], data: st.DataObject
) -> None:
    history, policy = life
    store = Store(policy)
    await store.arrive(history)
    gone = data.draw(st.sets(st.sampled_from(sorted(store.evidence)))) if store.evidence else set()
    await store.take([], withdrawn=gone)
    # As if it had never come. What an erasure took away stays away, whatever becomes of that.
    store.arrived = [stored.piece for stored in store.evidence.values()]
    assert not gone & store.evidence.keys()
    assert store.faults() == []


async def test_a_link_that_is_made_no_more_is_severed_and_names_what_brought_it_about() -> None:
    store = Store(Policy())
    await store.arrive([identify("kim", 2, "user_id:kim")])
    (attached,) = (link for link in store.links.values() if link.kind == "IDENTIFIED_AS")
    assert attached.state is LinkState.ACTIVE
    # Somebody else had the cookie: Kim came by a switch, and the first visitor was never Kim's.
    await store.arrive([identify("jo", 1, "user_id:jo")])
    after = store.links[attached.id]
    assert (after.state, after.retracted_by) == (LinkState.SEVERED, "jo")
    assert store.faults() == []


async def test_late_evidence_steps_again_only_what_reads_what_it_changes() -> None:
    """Else it would be a rebuild, and no following: everybody else stays as they are."""
    store = Store(Policy())
    others = [upsert(f"row{n}", n, str(n), f"user_id:{n}") for n in range(20)]
    await store.arrive(others)
    await store.arrive([identify("jo", 30, "user_id:jo"), identify("kim", 32, "user_id:kim")])
    at = identify("late", 31, "user_id:x").at
    assert store.steps_again[-1] == 0
    await store.arrive([Logout("late", at, at, "c", None)])
    assert 0 < store.steps_again[-1] <= 2
    assert store.faults() == []


def test_a_value_is_the_same_text_whatever_its_policy_was_read_from() -> None:
    """What the graph holds is compared as text in places, and a policy comes from the graph."""
    stored = policy_of(msgspec.json.decode(msgspec.json.encode(document_of(Policy()))))
    evidence = [identify("jo", 1, "user_id:jo"), identify("kim", 2, "user_id:kim")]
    texts = [
        {key: encode(value) for key, value in fold(evidence, policy, IDS)[1].items()}
        for policy in (Policy(), stored)
    ]
    assert texts[0] == texts[1]
