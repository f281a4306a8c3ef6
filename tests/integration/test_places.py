"""Why cookies and devices are joined, and why not, however many used them."""

from __future__ import annotations

import pytest

from graphid.service import grounds
from tests.integration.test_clusters import Neighbourhood, near
from tests.integration.test_reasons import Asks

__all__ = ["near"]

MOST = 10


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many visits are looked at."""
    monkeypatch.setattr(grounds, "MOST_VISITS", MOST)


async def busy(near: Neighbourhood, device: str, *first: str) -> str:
    """A device that these people used, and then more others than are looked at."""
    crowd = near.crowd()
    crowd.name = f"{near.run}{device}"
    for person in (*first, *(f"{device}{n}" for n in range(3 * MOST))):
        crowd.use(near.named(device), near.named(f"{device}-{person}"), near.named(person))
    await near.write(crowd)
    return near.named(device)


async def quiet(near: Neighbourhood, device: str, *people: str) -> str:
    """A device that nobody but these people used."""
    crowd = near.crowd()
    crowd.name = f"{near.run}{device}"
    for person in people:
        crowd.use(near.named(device), near.named(f"{device}-{person}"), near.named(person))
    await near.write(crowd)
    return near.named(device)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", ["aaa", "zzz"])
async def test_who_was_on_a_quiet_device_is_found_on_a_busy_one_whatever_its_id(
    near: Neighbourhood, name: str
) -> None:
    kiosk = await busy(near, name, "jo", "kim")
    tablet = await quiet(near, "mmm", "jo", "kim")
    assert await Asks(near.world).chain(kiosk, tablet) == ["IDENTIFIED_AS"] * 2


@pytest.mark.usefixtures("few")
async def test_a_cookie_that_many_used_is_joined_to_a_quiet_device(near: Neighbourhood) -> None:
    crowd = near.crowd()
    for number in range(3 * MOST):
        person = near.named("jo" if number == 0 else f"p{number}")
        crowd.use(near.named("till"), near.named("till-c"), person, begins=number == 0, ends=True)
    await near.write(crowd)
    tablet = await quiet(near, "mmm", "jo")
    assert await Asks(near.world).chain(near.named("till-c"), tablet) == ["IDENTIFIED_AS"] * 2


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("last", ["aaa", "zzz"])
async def test_of_two_busy_devices_it_is_told_that_not_all_was_looked_at(
    near: Neighbourhood, last: str
) -> None:
    why, crowd = Asks(near.world), near.crowd()
    aaa, zzz = near.named("aaa"), near.named("zzz")
    for device in (aaa, zzz):
        for person in (near.named("jo"), *(f"{device}-{n}" for n in range(3 * MOST))):
            crowd.use(device, f"{device}-{person}", person)
    await near.write(crowd)
    assert await why.reasons(aaa, zzz) == [
        "Only the latest 1,000 visits of each were looked at: nobody who made one of them is known "
        "to have used both."
    ]
    crowd.use(near.named(last), near.named("again"), near.named("jo"))
    await near.write(crowd)
    assert await why.chain(aaa, zzz) == ["IDENTIFIED_AS"] * 2


async def test_places_that_nobody_used_both_of(near: Neighbourhood) -> None:
    why = Asks(near.world)
    tablet, phone = await quiet(near, "tablet", "jo"), await quiet(near, "phone", "kim")
    on_tablet, on_phone = near.named("tablet-jo"), near.named("phone-kim")
    assert await why.reasons(tablet, phone) == ["Nobody is known to have used both devices."]
    assert await why.reasons(on_tablet, on_phone) == ["Nobody is known to have used both browsers."]
    assert await why.reasons(tablet, on_phone) == [
        "Nobody is known to have used both the device and the browser."
    ]
