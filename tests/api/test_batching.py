"""Loading in batches: one read for all who ask at one time, and no waiter in another's way."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import pytest

from graphid.api.batching import Loader


class Read:
    """Answers a key with itself, once it is let."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.is_cancelled = False

    async def __call__(self, keys: list[str]) -> list[str]:
        self.asked.append(keys)
        self.begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        if "bad" in keys:
            raise ValueError("a bad key")
        return [key.upper() for key in keys]


@pytest.fixture
def read() -> Read:
    return Read()


@pytest.fixture
def loader(read: Read) -> Loader[str, str]:
    return Loader(read)


def task(work: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
    return asyncio.create_task(work)


async def load(loader: Loader[str, str], key: str) -> str:
    return await loader.load(key)


async def cancelled(*tasks: asyncio.Task[str]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_is_asked_for_at_one_time_is_read_together_and_each_key_once(
    loader: Loader[str, str], read: Read
) -> None:
    read.may_end.set()
    found = await asyncio.gather(loader.load_many("ab"), *(load(loader, key) for key in "bca"))
    assert found == [["A", "B"], "B", "C", "A"]
    assert await loader.load("a") == "A"
    assert await loader.load("d") == "D"
    assert read.asked == [["a", "b", "c"], ["d"]]


async def test_what_is_not_kept_is_read_for_each_who_asks(read: Read) -> None:
    loader = Loader(read, is_kept=False)
    read.may_end.set()
    assert await loader.load_many("aa") == ["A", "A"]
    assert read.asked == [["a", "a"]]


async def test_keys_that_ask_for_the_same_are_one(read: Read) -> None:
    loader = Loader(read, same=str.lower)
    read.may_end.set()
    assert await loader.load_many("aA") == ["A", "A"]
    assert read.asked == [["a"]]


async def test_whoever_is_cancelled_leaves_the_read_to_the_others(
    loader: Loader[str, str], read: Read
) -> None:
    one, other = task(load(loader, "a")), task(load(loader, "a"))
    await read.begun.wait()
    await cancelled(one)
    read.may_end.set()
    assert await other == "A"
    assert await loader.load("a") == "A"
    assert read.asked == [["a"]]


async def test_a_read_that_nobody_waits_for_is_cancelled(
    loader: Loader[str, str], read: Read
) -> None:
    waiting = [task(load(loader, key)) for key in "aab"]
    await read.begun.wait()
    await cancelled(*waiting[:2])
    await asyncio.sleep(0)
    assert not read.is_cancelled
    await cancelled(waiting[2])
    await asyncio.sleep(0)
    assert read.is_cancelled
    read.may_end.set()
    assert await loader.load_many("ab") == ["A", "B"]
    assert read.asked == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("turns", range(4))
async def test_a_key_can_be_asked_for_again_whenever_it_was_given_up(
    loader: Loader[str, str], read: Read, turns: int
) -> None:
    given_up = task(load(loader, "a"))
    for _ in range(turns):
        await asyncio.sleep(0)
    await cancelled(given_up)
    read.may_end.set()
    assert await loader.load_many("ba") == ["B", "A"]


async def test_what_was_given_up_before_it_was_read_is_not_read(
    loader: Loader[str, str], read: Read
) -> None:
    given_up = task(load(loader, "a"))
    await asyncio.sleep(0)
    await cancelled(given_up)
    read.may_end.set()
    assert await loader.load("b") == "B"
    assert read.asked == [["b"]]


async def test_what_fails_fails_for_all_who_ask(loader: Loader[str, str], read: Read) -> None:
    read.may_end.set()
    found = await asyncio.gather(
        *(load(loader, key) for key in ("a", "bad", "bad")), return_exceptions=True
    )
    assert [str(error) for error in found] == ["a bad key"] * 3
    with pytest.raises(ValueError, match="a bad key"):
        await loader.load("a")
    assert len(read.asked) == 1


async def test_a_read_that_forgets_a_key_fails() -> None:
    async def forgetful(keys: list[str]) -> list[str]:
        return keys[1:]

    loader = Loader(forgetful)
    found = await asyncio.gather(load(loader, "a"), load(loader, "b"), return_exceptions=True)
    assert isinstance(found[1], ValueError)


async def test_a_read_that_is_cancelled_leaves_nobody_waiting() -> None:
    async def broken(keys: list[str]) -> list[str]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Loader(broken).load("a")


async def test_what_is_known_is_not_read(loader: Loader[str, str], read: Read) -> None:
    read.may_end.set()
    loader.prime("a", "known")
    coming = loader.load("b")
    loader.prime("b", "known meanwhile")
    assert await coming == "known meanwhile"
    assert await loader.load_many("abc") == ["known", "known meanwhile", "C"]
    loader.prime("c", "too late")
    assert await loader.load("c") == "C"
    assert read.asked == [["c"]]


async def test_what_is_begun_is_read_though_nobody_waits(
    loader: Loader[str, str], read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    read.may_end.set()
    loader.begin("a")
    loader.begin("bad")
    assert await asyncio.gather(load(loader, "a"), return_exceptions=True)
    await read.begun.wait()
    assert read.asked == [["a", "bad"]]
    del loader
    gc.collect()
    assert not caplog.records  # that an error was never retrieved
