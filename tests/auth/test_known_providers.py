"""Which providers count now: known soon wherever they are set, and not for long without a graph."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from graphid.errors import Busy, DatabaseUnavailable, GraphidError, InternalError, Refused
from graphid.service.providers import BELIEVED, FRESH, provider_of
from tests.keys import IDS
from tests.providers import OF_SETTINGS, Process

SHOP = "https://login.shop.example"
BANK = "https://login.bank.example"


@pytest.fixture
def here() -> Process:
    return Process()


@pytest.fixture
def there(here: Process) -> Process:
    """Another process, on the same graph and at the same time."""
    return Process(here.stored, here.time)


async def test_both_kinds_are_found_by_their_issuer(here: Process) -> None:
    await here.set(SHOP, client_secret="of the shop", leeway=7)
    found = await here.known.of(SHOP)
    assert (found.issuer, found.leeway) == (SHOP, 7)
    assert found.client_secret is not None
    assert found.client_secret.get_secret_value() == "of the shop"
    assert (await here.known.of(OF_SETTINGS)).issuer == OF_SETTINGS
    with pytest.raises(Refused, match="with this issuer"):
        await here.known.of(BANK)
    with pytest.raises(Refused, match="name the issuer"):
        await here.known.of()


async def test_the_only_one_needs_no_name() -> None:
    alone = Process(settings=())
    with pytest.raises(Refused, match="No identity provider is set up"):
        await alone.known.of()
    await alone.set(SHOP)
    assert (await alone.known.of()).issuer == SHOP


async def test_the_process_that_changes_one_knows_at_once(here: Process) -> None:
    await here.set(SHOP, leeway=1)
    assert (await here.known.of(SHOP)).leeway == 1
    await here.set(SHOP, leeway=2)
    assert (await here.known.of(SHOP)).leeway == 2
    await here.setup.remove(SHOP)
    with pytest.raises(Refused):
        await here.known.of(SHOP)


async def test_the_others_know_soon(here: Process, there: Process) -> None:
    with pytest.raises(Refused):
        await there.known.of(SHOP)
    await here.set(SHOP)
    with pytest.raises(Refused):
        await there.known.of(SHOP)
    here.time.go_on(FRESH)
    assert (await there.known.of(SHOP)).issuer == SHOP
    await here.setup.remove(SHOP)
    here.time.go_on(FRESH - 0.01)
    assert (await there.known.of(SHOP)).issuer == SHOP
    here.time.go_on(0.01)
    with pytest.raises(Refused):
        await there.known.of(SHOP)


async def test_it_costs_one_read_in_two_seconds(here: Process) -> None:
    await here.set(SHOP)
    for _ in range(10):
        await here.known.of(SHOP)
        with pytest.raises(Refused):
            await here.known.of(BANK)
    assert here.stored.asked == 1
    here.time.go_on(FRESH)
    await here.known.of(SHOP)
    assert here.stored.asked == 2


async def test_those_of_the_settings_cost_none(here: Process) -> None:
    here.stored.fails = DatabaseUnavailable()
    await here.known.of(OF_SETTINGS)
    assert here.stored.asked == 0


async def test_many_at_once_are_one_read(here: Process) -> None:
    await here.set(SHOP)
    here.stored.gate = asyncio.Event()
    asking = [asyncio.create_task(here.known.of(SHOP)) for _ in range(20)]
    await here.stored.held.wait()
    asking[0].cancel()
    here.stored.gate.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert {type(one) for one in found[1:]} == {type(await here.known.of(SHOP))}
    assert here.stored.asked == 1


async def test_a_read_from_before_a_removal_brings_nothing_back(here: Process) -> None:
    await here.set(SHOP)
    gate = here.stored.gate = asyncio.Event()
    before = asyncio.create_task(here.known.of(SHOP))
    await here.stored.held.wait()
    await here.setup.remove(SHOP)
    here.stored.gate = None
    with pytest.raises(Refused):
        await here.known.of(SHOP)
    gate.set()
    # Who asked before it was removed is answered as it was then.
    assert (await before).issuer == SHOP
    with pytest.raises(Refused):
        await here.known.of(SHOP)
    assert here.stored.asked == 2


@pytest.mark.parametrize("error", [DatabaseUnavailable, Busy])
async def test_without_the_graph_what_is_known_is_believed_for_a_while(
    here: Process, error: type[GraphidError]
) -> None:
    await here.set(SHOP)
    await here.known.of(SHOP)
    here.stored.fails = error()
    here.time.go_on(BELIEVED - 0.01)
    assert (await here.known.of(SHOP)).issuer == SHOP
    with pytest.raises(Refused):
        await here.known.of(BANK)
    here.time.go_on(0.01)
    for issuer in (SHOP, BANK, None):
        with pytest.raises(DatabaseUnavailable):
            await here.known.of(issuer)
    here.stored.fails = None
    assert (await here.known.of(SHOP)).issuer == SHOP


async def test_without_the_graph_nothing_is_known_at_first(here: Process) -> None:
    here.stored.fails = Busy()
    with pytest.raises(DatabaseUnavailable):
        await here.known.of(SHOP)


async def test_what_is_wrong_on_our_side_is_not_hidden(here: Process) -> None:
    here.stored.fails = InternalError()
    for _ in range(2):
        with pytest.raises(InternalError):
            await here.known.of(SHOP)


async def test_what_stays_is_opened_once(here: Process) -> None:
    await here.set(SHOP, client_secret="x")
    first = await here.known.of(SHOP)
    here.time.go_on(FRESH)
    assert await here.known.of(SHOP) is first


@pytest.mark.parametrize(
    "changed",
    [
        {"document": "{"},
        {"document": "[]"},
        {"document": '{"issuer": "https://login.shop.example"}'},
        {"document": '{"issuer": "https://login.bank.example", "client_id": "x"}'},
        {"document": '{"issuer": "https://login.shop.example", "client_id": "x", "new": 1}'},
        {"sealed": "x"},
        {"sealed": "moved"},
    ],
    ids=str,
)
async def test_one_that_cannot_be_read_is_none_and_harms_no_other(
    here: Process, changed: dict[str, Any]
) -> None:
    await here.set(SHOP, client_secret="x")
    await here.set(BANK, client_secret="y")
    if changed.get("sealed") == "moved":
        changed = {"sealed": here.stored.kept[BANK].sealed or ""}
    here.stored.kept[SHOP] = replace(here.stored.kept[SHOP], **changed)
    assert provider_of(here.stored.kept[SHOP], IDS) is None
    with pytest.raises(Refused, match="with this issuer"):
        await here.known.of(SHOP)
    assert (await here.known.of(BANK)).issuer == BANK
    assert [record.provider.issuer for record in await here.setup.all()] == [OF_SETTINGS, BANK]


async def test_the_settings_come_before_the_graph() -> None:
    before = Process(settings=())
    await before.set(OF_SETTINGS, client_id="of the graph")
    now = Process(before.stored)
    assert (await now.known.of(OF_SETTINGS)).client_id == "graphid"
    assert (await now.known.of()).client_id == "graphid"
    (record,) = await now.setup.all()
    assert record.is_from_settings
    # What is of no use can be taken out.
    await now.setup.remove(OF_SETTINGS)
    assert now.stored.kept == {}
