"""The log of changes: whoever follows it knows whose every contact and visitor is, at any time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphid.graph.changes import Row
from graphid.graph.log import ChangeRecord
from graphid.graph.projection import Difference
from graphid.identity.policy import Policy
from graphid.identity.state import Cookie, Person, Visitor
from graphid.identity.values import (
    ContactAnchor,
    Erase,
    Evidence,
    KeepApart,
    Merge,
    Place,
    Promote,
    Restore,
    Sever,
    VisitorAnchor,
)
from graphid.service.following import Follower
from tests.graph.test_following import Store, cut, erased_first
from tests.identity.lives import IDS, lives
from tests.identity.saying import identify, logout, upsert
from tests.scenarios.memory import play
from tests.scenarios.scenario import Scenario, load

JO, KIM = "email:jo@example.com", "email:kim@example.com"
USER = "user_id:7"


class Logged(Store):
    """A store with the log of all that it took, and who followed it from the beginning."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self.log: list[ChangeRecord] = []
        self._contacts: dict[str, Follower] = {}
        self._visitors: dict[str, Follower] = {}

    async def arrive(self, unit: Sequence[Evidence]) -> None:
        self.rows: list[Row] = []
        await super().arrive(unit)
        for row in self.rows:
            self.log.append(_record(len(self.log) + 1, row))
        for change in self.log[len(self.log) - len(self.rows) :]:
            self._follow(change)

    async def take(
        self,
        pieces: Iterable[Evidence],
        withdrawn: Collection[Place] = (),
        again: Collection[Place] = (),
    ) -> Difference:
        difference = await super().take(pieces, withdrawn, again)
        self.rows = difference.rows()["log"]
        return difference

    def _follow(self, change: ChangeRecord) -> None:
        for id in change.moved:
            if id.startswith("contact_"):
                self._contacts.setdefault(id, Follower(IDS.person(id), contact=id))
            else:
                self._visitors.setdefault(id, Follower(id, visitor=id))
        for follower in (*self._contacts.values(), *self._visitors.values()):
            follower.take(change)

    def misled(self) -> list[str]:
        """Of whom the log says something else than is so."""
        people = {
            contact.id: IDS.person(key[1])
            for key, value in self.state.items()
            if isinstance(value, Person) and value.merged_into is None
            for contact in value.contacts
        }
        found = (v.visitor if isinstance(v, Cookie) else v for v in self.state.values())
        owners = {
            visitor.id: visitor.id if visitor.owner is None else people[visitor.owner]
            for visitor in found
            if isinstance(visitor, Visitor)
        }
        told = {id: follower.person for id, follower in self._contacts.items()}
        seen = {id: follower.person for id, follower in self._visitors.items()}
        expected = {**people, **owners}
        found_out = {id: seen.get(id, id) for id in owners} | {id: told.get(id) for id in people}
        return [
            f"{id} is {person}'s, not {found_out[id]}'s"
            for id, person in expected.items()
            if found_out[id] != person
        ]


def _record(sequence: int, row: Row) -> ChangeRecord:
    return ChangeRecord(
        sequence,
        row["kind"],
        row["person"],
        tuple(row["previous"]),
        dict(zip(row["moved"], row["movedBy"], strict=True)),
        tuple(row["links"]),
        row["evidence"],
        0,
    )


async def misled_by(units: Iterable[Sequence[Evidence]], policy: Policy) -> list[str]:
    store = Logged(policy)
    for unit in units:
        await store.arrive(unit)
        if misled := store.misled():
            return [f"after {[piece.id for piece in unit]}", *misled]
    return []


@pytest.mark.parametrize("scenario", load(), ids=lambda scenario: scenario.id)
async def test_every_scenario_in_any_order_of_arrival(scenario: Scenario) -> None:
    played = play(scenario)
    assert await misled_by([[piece] for piece in played.arrived], played.policy) == []
    random = Random(scenario.id)
    shuffled = random.sample(played.arrived, len(played.arrived))
    assert await misled_by(cut(shuffled, random), played.policy) == []


@given(lives(), st.randoms(use_true_random=False))
async def test_every_history_in_any_order_of_arrival(
    life: tuple[list[Evidence], Policy], random: Random
) -> None:
    history, policy = life
    shuffled = random.sample(history, len(history))
    assert await misled_by(cut(erased_first(shuffled), random), policy) == []


async def told(*pieces: Evidence) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, person and previous of all that each piece changes, one after another."""
    store = Logged(Policy())
    for piece in pieces:
        await store.arrive([piece])
    return [(change.kind, change.person, change.previous) for change in store.log]


PERSON = IDS.person(IDS.contact(JO))
OTHER = IDS.person(IDS.contact(KIM))
BIRTH = IDS.birth("c")


async def test_a_first_identify_and_a_logout() -> None:
    assert await told(identify("e1", 1, JO), logout("e2", 2)) == [
        ("IDENTIFIED", PERSON, (BIRTH,)),
        ("ENDED", PERSON, ()),
    ]


async def test_what_repeats_what_is_so_is_no_change() -> None:
    assert len(await told(identify("e1", 1, JO), identify("e2", 2, JO))) == 1


async def test_a_logout_of_nobody_is_no_change() -> None:
    assert await told(logout("e1", 1)) == []


async def test_a_record_is_somebody_new_and_its_new_address_an_update() -> None:
    row = IDS.person(IDS.record("crm", "1"))
    assert await told(upsert("e1", 1, "1", JO), upsert("e2", 2, "1", JO, USER)) == [
        ("CREATED", row, ()),
        ("UPDATED", row, ()),
    ]


async def test_a_name_alone_is_no_change() -> None:
    assert len(await told(upsert("e1", 1, "1", JO), upsert("e2", 2, "1", JO, firstName="Jo"))) == 1


async def test_a_switch_ends_the_one_and_begins_the_other() -> None:
    second = identify("e2", 2, KIM)
    assert sorted(await told(identify("e1", 1, JO), second))[:2] == [
        ("ENDED", PERSON, ()),
        ("IDENTIFIED", PERSON, (BIRTH,)),
    ]
    assert ("IDENTIFIED", OTHER, ()) in await told(identify("e1", 1, JO), second)


async def test_a_merge_and_its_unmerge() -> None:
    first, second = identify("e1", 1, JO, USER), identify("e2", 2, KIM, cookie="d")
    one = IDS.contact(USER)
    anchors = (_anchor(one, first), _anchor(IDS.contact(KIM), second))
    merge = Merge(of=anchors, id="e3", recorded_at=second.at + 1)
    apart = KeepApart(
        sides=((anchors[0],), (anchors[1],)),
        withdraws=("e3",),
        id="e4",
        recorded_at=second.at + 2,
    )
    assert (await told(first, second, merge, apart))[2:] == [
        ("MERGED", IDS.person(one), (OTHER,)),
        ("UNMERGED", OTHER, (IDS.person(one),)),
    ]


async def test_a_sever_and_its_restore() -> None:
    said = identify("e1", 1, JO)
    sever = Sever(
        visitor=VisitorAnchor(BIRTH, "c"),
        contacts=(_anchor(IDS.contact(JO), said),),
        id="e2",
        recorded_at=said.at + 1,
    )
    restore = Restore(withdraws=("e2",), id="e3", recorded_at=said.at + 2)
    assert (await told(said, sever, restore))[1:] == [
        ("SEVERED", BIRTH, (PERSON,)),
        ("RESTORED", PERSON, (BIRTH,)),
    ]


async def test_a_promotion() -> None:
    said = identify("e1", 1, JO)
    promote = Promote(contact=_anchor(IDS.contact(JO), said), id="e2", recorded_at=said.at + 1)
    assert (await told(said, promote))[1:] == [("PROMOTED", PERSON, ())]


async def test_who_is_erased_is_told_of_without_a_link() -> None:
    store = Logged(Policy())
    await store.arrive([identify("e1", 1, JO)])
    erase = Erase(withdraws=("e1",), bars=(IDS.bar(JO),), id="e2", recorded_at=identify("e1", 2).at)
    await store.arrive([erase])
    last = store.log[-1]
    assert (last.kind, last.person, last.links, last.evidence) == ("ERASED", PERSON, (), "e2")


async def test_of_a_list_each_change_names_its_own_evidence() -> None:
    store = Logged(Policy())
    await store.arrive([identify("e1", 1, JO), identify("e2", 2, KIM, cookie="d")])
    assert {(change.person, change.evidence) for change in store.log} == {
        (PERSON, "e1"),
        (OTHER, "e2"),
    }


def _anchor(contact: str, made_by: Evidence) -> ContactAnchor:
    return ContactAnchor(contact, made_by.place, cookie=getattr(made_by, "cookie", None))
