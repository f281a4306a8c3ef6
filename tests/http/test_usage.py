"""What is counted of limits, on a clock of the test's own."""

from __future__ import annotations

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from limits.aio.storage import MemoryStorage
from limits.errors import StorageError

from graphid.errors import SettingsError
from graphid.http.usage import HERE, Recent, Usage, open_storage


class Clock:
    def __init__(self) -> None:
        self.now = 1_789_000_000.0

    def __call__(self) -> float:
        return self.now


async def took(usage: Usage, cost: int = 1, *, whose: str = "a", most: int = 10) -> float:
    return await usage.take("requests", whose, cost, most=most, seconds=5)


async def test_so_much_may_come_at_once_and_no_more() -> None:
    clock = Clock()
    usage = Usage(Recent(clock))
    assert [await took(usage) for _ in range(10)] == [0] * 10
    assert await took(usage) > 0
    assert await took(usage, whose="b") == 0
    assert await usage.take("events", "a", 1, most=10, seconds=5) == 0


@given(
    steps=st.lists(
        st.tuples(st.integers(1, 12), st.floats(0, 7, allow_nan=False)), min_size=1, max_size=20
    ),
    start=st.floats(0, 5),
)
async def test_after_the_wait_it_fits_and_long_before_it_does_not(
    steps: list[tuple[int, float]], start: float
) -> None:
    clock = Clock()
    clock.now += start
    usage = Usage(Recent(clock))
    for cost, later in steps:
        seconds = await took(usage, cost)
        assert 0 <= seconds <= 10.1
        if seconds:
            began = clock.now
            if seconds > 0.1:
                clock.now = began + seconds - 0.1
                assert await took(usage, cost) > 0
            clock.now = began + seconds
            assert await took(usage, cost) == 0
        clock.now += later


async def test_never_twice_as_much_in_any_window() -> None:
    clock = Clock()
    usage = Usage(Recent(clock))
    taken = []
    for _ in range(400):
        clock.now += 0.05
        if not await took(usage):
            taken.append(clock.now)
    for end in taken:
        assert sum(end - 5 < at <= end for at in taken) <= 15
    assert len(taken) >= 30


async def test_more_than_there_ever_is_takes_all_of_it() -> None:
    clock = Clock()
    usage = Usage(Recent(clock))
    assert await took(usage, 1_000) == 0
    assert await took(usage) > 0
    clock.now += 10.1
    assert await took(usage, 1) == 0
    assert await took(usage, 1_000) > 0


async def test_memory_is_bounded() -> None:
    clock = Clock()
    storage = Recent(clock, most=100)
    usage = Usage(storage)
    for number in range(1_000):
        await took(usage, whose=str(number))
    kept = await storage.reset()
    assert kept is not None
    assert 75 <= kept <= 100
    # What has had its time goes first.
    for number in range(99):
        await took(usage, whose=f"old {number}")
    clock.now += 20
    await took(usage, 10, whose="kept")
    for number in range(50):
        await took(usage, whose=f"new {number}")
    assert await took(usage, whose="kept") > 0


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("redis://:a-password@127.0.0.1:6379", "redis://: its Python package is not installed"),
        ("elsewhere://a-password", "must begin with memory, redis"),
        ("a-password", "must begin with"),
    ],
)
def test_a_storage_that_cannot_be_had_is_a_fault_of_the_settings(address: str, told: str) -> None:
    with pytest.raises(SettingsError, match="GRAPHID_LIMIT_STORAGE") as caught:
        open_storage(address)
    assert told in str(caught.value)
    assert "a-password" not in str(caught.value)


def test_memory_is_ours() -> None:
    assert isinstance(open_storage(f"{HERE}://"), Recent)


class Away(MemoryStorage):
    """A shared storage that does not answer."""

    STORAGE_SCHEME = None  # type: ignore[assignment]

    async def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        raise StorageError(ConnectionError("redis://:a-password@host"))


async def test_a_storage_that_does_not_answer_limits_nobody_and_is_told_of_once() -> None:
    usage = Usage(Away())
    with structlog.testing.capture_logs() as logs:
        assert [await took(usage) for _ in range(20)] == [0] * 20
    assert [line["event"] for line in logs] == ["limits_not_counted"]


async def test_the_librarys_own_storages_do(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("limits.aio.storage.memory.time.time", clock)
    usage = Usage(MemoryStorage())
    assert [await took(usage) for _ in range(10)] == [0] * 10
    seconds = await took(usage)
    assert seconds > 0
    clock.now += seconds
    assert await took(usage) == 0
