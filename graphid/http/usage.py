"""What was used of each limit lately, counted by the library ``limits``: in this process, or where
several processes share it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import floor
from time import monotonic, time

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import SlidingWindowCounterSupport, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from limits.storage.base import TimestampedSlidingWindow

from graphid.errors import SettingsError

log = structlog.get_logger()

VARIABLE = "GRAPHID_LIMIT_STORAGE"
HERE = "memory"
"""The scheme of the storage that is this process."""
KINDS = (HERE, "redis", "rediss", "valkey", "valkeys", "memcached")
"""Schemes of storages that count as this service does."""

MOST_KEPT = 20_000
"""Counts kept in this process. With more, the eldest are forgotten: whoever has that many
addresses is not stopped by a limit for each of them."""

PATIENCE = 0.25
"""Seconds that a request waits for a shared storage. What does not answer limits nobody."""

TELL_EVERY = 60.0
"""Seconds between two log lines about a storage that does not answer."""


class Recent(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """Counts in this process. ``clock`` answers seconds since 1970.

    The library's own looks through everything that it keeps at every hit, and keeps any number.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float] = time, *, most: int = MOST_KEPT) -> None:
        super().__init__()
        self._clock = clock
        self._most = most
        self._counts: dict[str, tuple[int, float]] = {}
        """Count and when it is of no more interest, by key; the eldest first."""

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        count, until = self._counts.get(key, (0, self._clock() + expiry))
        if not count and len(self._counts) >= self._most:
            self._make_room()
        self._counts[key] = (count + amount, until)
        return count + amount

    async def get(self, key: str) -> int:
        return self._counts.get(key, (0, 0.0))[0]

    async def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, self._clock()))[1]

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        kept = len(self._counts)
        self._counts.clear()
        return kept

    async def clear(self, key: str) -> None:
        self._counts.pop(key, None)

    async def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        previous, fades, current, _ = await self.get_sliding_window(key, expiry)
        if floor(previous * fades / expiry + current) + amount > limit:
            return False
        _, now = self.sliding_window_keys(key, expiry, self._clock())
        await self.incr(now, 2 * expiry, amount)
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        now = self._clock()
        before, current = self.sliding_window_keys(key, expiry, now)
        left = expiry - now % expiry
        return await self.get(before), left, await self.get(current), left + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        for each in self.sliding_window_keys(key, expiry, self._clock()):
            await self.clear(each)

    def _make_room(self) -> None:
        now = self._clock()
        kept = [(key, entry) for key, entry in self._counts.items() if entry[1] > now]
        # A quarter at once, so that the next look is some thousand counts away.
        self._counts = dict(kept[max(0, len(kept) - self._most * 3 // 4) :])


def open_storage(address: str) -> Storage:
    """The storage at an address, as the library writes them. Raises SettingsError, which does not
    repeat it: it may hold a password."""
    scheme = address.partition("://")[0]
    if scheme == HERE:
        return Recent()
    if scheme not in KINDS:
        raise SettingsError([f"{VARIABLE}: must begin with {', '.join(KINDS)}, and ://"])
    options = {"implementation": "redispy"} if scheme.startswith("redis") else {}
    try:
        storage = storage_from_string(f"async+{address}", wrap_exceptions=True, **options)
    except ConfigurationError as error:
        is_missing = "prerequisite not available" in str(error)
        told = "its Python package is not installed" if is_missing else "it cannot be used"
    except ValueError:
        told = "the address is not valid"
    else:
        assert isinstance(storage, Storage)
        return storage
    raise SettingsError([f"{VARIABLE}: {scheme}://: {told}"])


class Usage:
    """Takes from limits, in windows that slide.

    A shared storage that does not answer limits nobody, and the log says so: a service that
    stands still because its counter does would be the worse of the two.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self._is_here = isinstance(storage, Recent)
        self._told_at = -TELL_EVERY

    async def take(self, kind: str, whose: str, cost: int, *, most: int, seconds: int) -> float:
        """0, with ``cost`` taken of the ``most`` in so many seconds; else nothing is taken, and
        it is the seconds after which it will fit.

        What is larger than ``most`` takes all of it: else it could never be had.
        """
        item = RateLimitItemPerSecond(most, seconds, namespace=kind)
        cost = min(cost, most)
        if self._is_here:
            return await self._take(item, whose, cost)
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._take(item, whose, cost)
        except (StorageError, TimeoutError, OSError) as error:
            self._tell(error)
            return 0

    async def _take(self, item: RateLimitItem, whose: str, cost: int) -> float:
        if await self._strategy.hit(item, whose, cost=cost):
            return 0
        seconds = item.get_expiry()
        storage = self._storage
        assert isinstance(storage, SlidingWindowCounterSupport)
        before, fades, current, left = await storage.get_sliding_window(
            item.key_for(whose), seconds
        )
        return wait(before, fades, current, left - seconds, most=item.amount - cost, of=seconds)

    def _tell(self, error: Exception) -> None:
        now = monotonic()
        if now - self._told_at >= TELL_EVERY:
            self._told_at = now
            log.warning("limits_not_counted", storage="does not answer", exc_info=error)


def wait(before: int, fades: float, current: int, left: float, *, most: int, of: int) -> float:
    """Seconds until no more than ``most`` counts: a window of ``of`` seconds fades evenly while
    the next one lasts.

    ``before``: counted in the last window, with ``fades`` seconds to go until it counts nothing.
    ``current``: counted in this one, which lasts ``left`` more. Never less than a millisecond.
    """
    if current <= most:
        found = fades - (most - current + 1) * of / before if before else 0.0
    else:
        found = left + max(0.0, of - (most + 1) * of / current)
    return max(found, 0.0) + 0.001
