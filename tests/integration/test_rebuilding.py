"""Another policy applied to evidence that is there; and a graph made from its evidence alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from graphid.errors import InvalidPolicy
from graphid.graph.database import Address, Database, Unit
from graphid.graph.installation import installation_secret
from graphid.graph.memory import as_text, decode, from_text
from graphid.graph.policies import Policies
from graphid.graph.restamping import Components, Stale, find_stale, restamp, restamp_parked
from graphid.graph.verifying import batched
from graphid.identity.fold import resolve
from graphid.identity.policy import Policy, parse_policy
from graphid.identity.state import Link
from graphid.identity.values import Evidence
from graphid.service import rebuilding
from graphid.service.parked import Parked
from graphid.service.rebuilding import Rebuilt, packed, rebuild
from tests.identity.lives import EXAMPLES, IDS, OPERATORS, lives, policies
from tests.integration.ledger import CLIENTS, Ledger, Silent, history

LATER = {"merge": {"max_contacts": 7}}
OTHER = {"taken_identifier": "MOVE", "identifiers": [{"type": "crm", "unique": True, "limit": 1}]}


class Rebuilding:
    """A graph with a history, and the policies that it keeps."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.policies = Policies(ledger.database)

    async def begin(self, pieces: Any = None) -> None:
        await self.ledger.empty()
        await installation_secret(self.ledger.database, "a secret of the tests")
        for piece in history() if pieces is None else pieces:
            await self.ledger.record([piece])

    async def rebuild(self, document: Any = OTHER, progress: Any = None) -> Rebuilt:
        return await rebuild(
            self.ledger.database,
            self.policies,
            IDS,
            progress or Silent(),
            document,
            patience=0,
        )

    async def differences(self) -> list[str]:
        """Of the graph from the fold of all evidence, each piece under its own stamp."""
        self.ledger.policy_of = self.policies.of  # type: ignore[method-assign]
        return (await self.ledger.verified())[1]

    async def stamps(self) -> list[int]:
        rows = await self.ledger.rows("MATCH (e:Evidence) RETURN e.policy AS policy")
        return sorted(row["policy"] for row in rows)


@pytest.fixture
async def rebuilding_(ledger: Ledger) -> AsyncIterator[Rebuilding]:
    yield Rebuilding(ledger)
    await ledger.empty()  # who comes next may not know the secret that it was begun with


async def test_the_graph_is_the_fold_under_the_other_policy(rebuilding_: Rebuilding) -> None:
    await rebuilding_.begin()
    said = history()
    rebuilt = await rebuilding_.rebuild()
    assert (rebuilt.version, rebuilt.pieces) == (2, len(said))
    assert await rebuilding_.stamps() == [2] * len(said)
    assert await rebuilding_.differences() == []
    expected = resolve(
        [msgspec.structs.replace(piece, policy=2) for piece in said],
        {2: parse_policy(OTHER)},
        IDS,
    ).state
    rows = await rebuilding_.ledger.rows(
        "MATCH (s:State) WHERE s.value IS NOT NULL RETURN s.key AS key, s.value AS value"
    )
    found = {row["key"]: decode(from_text(row["key"]), row["value"]) for row in rows}
    assert found == {as_text(k): v for k, v in expected.items() if not isinstance(v, Link)}
    assert (await rebuilding_.rebuild()).pieces == 0


async def test_it_makes_a_difference(rebuilding_: Rebuilding) -> None:
    under = [
        resolve(
            [msgspec.structs.replace(piece, policy=1) for piece in history()],
            {1: parse_policy(document)},
            IDS,
        ).state
        for document in ({}, OTHER)
    ]
    assert under[0] != under[1]


class Interrupted(Exception):
    pass


class Interrupting(Silent):
    """Stops what it is told of, after some time."""

    def __init__(self, after: int) -> None:
        self._left = after

    def advance(self, count: int) -> None:
        self._left -= 1
        if not self._left:
            raise Interrupted


async def test_whoever_interrupts_it_can_go_on(
    rebuilding_: Rebuilding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "AT_ONCE", 1)
    monkeypatch.setattr(rebuilding, "MOST", 4)
    await rebuilding_.begin()
    done = 0
    for turn in (1, 2):
        with pytest.raises(Interrupted):
            await rebuilding_.rebuild(progress=Interrupting(turn))
        assert await rebuilding_.differences() == []
        stamps = await rebuilding_.stamps()
        assert done < stamps.count(2) < len(stamps)
        done = stamps.count(2)
    rebuilt = await rebuilding_.rebuild()
    assert (rebuilt.version, rebuilt.pieces) == (2, len(history()) - done)
    assert await rebuilding_.differences() == []


@settings(max_examples=EXAMPLES // 10, phases=[Phase.generate])
@given(life=lives(operators=OPERATORS), other=policies, at_once=st.sampled_from((1, 2, 5, 250)))
async def test_whatever_happened_it_is_the_fold_under_the_other_policy(
    rebuilding_: Rebuilding, life: tuple[list[Evidence], Policy], other: Policy, at_once: int
) -> None:
    said, policy = life
    rebuilding_.ledger.policies = {1: policy}
    await rebuilding_.begin(said)

    async def policy_of(version: int) -> Policy:
        return {1: policy, 2: other}[version]

    places = [piece.place for piece in said]
    for part in batched(places[::-1], at_once):

        async def work(unit: Unit, part: list[str] = part) -> int:
            return await restamp(unit, part, 2, policy_of, IDS)

        assert await rebuilding_.ledger.database.write(work, timeout=60) == len(part)
    rebuilding_.ledger.policies = {1: policy, 2: other}
    verified, differences = await rebuilding_.ledger.verified()
    assert differences == []
    assert verified.pieces == len(said)


async def test_what_is_parked_is_stamped_and_waits_on(rebuilding_: Rebuilding) -> None:
    await rebuilding_.begin([*CLIENTS[2:4], *CLIENTS[5:7]])
    (late,) = CLIENTS[4:5]
    await rebuilding_.ledger.record([late], most=0)
    assert (await rebuilding_.rebuild()).pieces == 5
    assert await rebuilding_.stamps() == [2] * 5
    assert await rebuilding_.differences() == []
    parked = Parked(rebuilding_.ledger.database, rebuilding_.policies.of, IDS)
    assert await parked.finish_all() == 1
    assert await rebuilding_.differences() == []


async def test_what_is_under_a_later_version_keeps_it_and_the_rebuild_ends(
    rebuilding_: Rebuilding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While version 2 is applied, another process sets version 3, records under it at every look,
    and takes to it some of what the first look found."""
    ledger = rebuilding_.ledger
    await rebuilding_.begin([*CLIENTS[2:4], *CLIENTS[5:7]])
    await ledger.record(CLIENTS[4:5], most=0)
    other = Policies(ledger.database)
    ledger.policy_of = other.of  # type: ignore[method-assign]
    traffic = [msgspec.structs.replace(piece, policy=3) for piece in CLIENTS[7:12]]
    looks = 0

    async def meanwhile(database: Database, version: int) -> Stale:
        nonlocal looks
        looks += 1
        stale = await find_stale(database, version)
        if looks == 1:
            assert (await other.set(LATER, "sk")).version == 3
            (id,) = stale.parked

            async def work(unit: Unit) -> int:
                taken = await restamp(unit, [CLIENTS[2].place], 3, other.of, IDS)
                return taken + await restamp_parked(unit, id, 3)

            assert await database.write(work, timeout=60) == 2
        await ledger.record([traffic.pop(0)])
        return stale

    monkeypatch.setattr(rebuilding, "find_stale", meanwhile)
    rebuilt = await rebuilding_.rebuild()
    assert (rebuilt.version, rebuilt.pieces, rebuilt.in_force) == (2, 3, 3)
    assert looks == 3
    assert await rebuilding_.stamps() == [2] * 3 + [3] * 5
    assert await rebuilding_.differences() == []
    # The same document as is in force: it is applied to what is left.
    monkeypatch.setattr(rebuilding, "find_stale", find_stale)
    rebuilt = await rebuilding_.rebuild(LATER)
    assert (rebuilt.version, rebuilt.pieces, rebuilt.in_force) == (3, 3, 3)
    assert await rebuilding_.stamps() == [3] * 8
    assert await rebuilding_.differences() == []


async def test_a_policy_that_is_not_valid_changes_nothing(rebuilding_: Rebuilding) -> None:
    await rebuilding_.begin(CLIENTS[:2])
    with pytest.raises(InvalidPolicy):
        await rebuilding_.rebuild({"merge": {"max_contacts": "many"}})
    assert await rebuilding_.stamps() == [1, 1]


async def test_an_older_graph_is_made_from_its_evidence_alone(rebuilding_: Rebuilding) -> None:
    await rebuilding_.begin()
    for statement in (
        "MATCH (t:Touch) DELETE t",
        "MATCH (e:Evidence) REMOVE e.touched, e.links, e.policy",
        "MATCH (s:State) SET s.value = '{\"visitors\":[]}' REMOVE s.wrote, s.place",
        "MATCH (s:State) WITH s LIMIT 10 DELETE s",
    ):
        await rebuilding_.ledger.write(statement)
    mended, _ = await rebuilding_.ledger.verified(mend=True)
    assert mended.differences == 0
    assert await rebuilding_.differences() == []


Case = tuple[str | None, int, str]
"""What a file says, the exit code, and what is told."""


def test_components_are_what_has_a_key_in_common() -> None:
    components = Components()
    for place, keys in (("1", "ab"), ("2", "c"), ("3", "d"), ("4", "bd"), ("5", ""), ("6", "c")):
        components.add(place, keys)
    assert sorted(components.found()) == [["1", "3", "4"], ["2", "6"], ["5"]]


def test_small_components_are_taken_together_and_large_ones_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rebuilding, "AT_ONCE", 3)
    monkeypatch.setattr(rebuilding, "MOST", 5)
    sizes = (1, 1, 2, 12, 1)
    taken = [len(places) for places in packed([["x"] * size for size in sizes])]
    assert taken == [2, 2, 5, 5, 3]


@pytest.mark.parametrize(
    "case",
    [
        ('{"merge": {"max_contacts": 7}}', 0, "version 2 of the policy is applied"),
        ('{"merge": {"max_contacts": "many"}}', 1, "max_contacts"),
        ("{", 1, "is not JSON"),
        (None, 1, "cannot be read"),
    ],
)
async def test_the_command(
    rebuilding_: Rebuilding, own_database: Address, tmp_path: Path, case: Case
) -> None:
    text, code, told = case
    await rebuilding_.begin(CLIENTS[:2])
    file = tmp_path / "policy.json"
    if text is not None:
        file.write_text(text)
    done = subprocess.run(  # noqa: ASYNC221 - nothing else is to happen meanwhile
        [sys.executable, "-m", "graphid", "rebuild", "--policy", str(file)],
        env={
            **os.environ,
            "GRAPHID_NEO4J_URI": own_database.uri,
            "GRAPHID_NEO4J_USER": own_database.user,
            "GRAPHID_NEO4J_PASSWORD": own_database.password,
            "GRAPHID_NEO4J_DATABASE": own_database.database,
            "GRAPHID_INSTALLATION_SECRET": "a secret of the tests",
            "GRAPHID_DATA_DIR": str(tmp_path),
            "GRAPHID_LOG_LEVEL": "warning",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert told in done.stdout + done.stderr
    if not code:
        assert json.loads(text or "")["merge"]["max_contacts"] == 7
        assert await rebuilding_.stamps() == [2, 2]
        assert await rebuilding_.differences() == []
