"""Streams that can be closed before anybody has read them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Stream(AsyncGenerator[T, None]):
    """What a generator yields. ``close``: called whenever the stream is closed, and so maybe more
    than once: a generator that never began runs no ``finally``."""

    def __init__(
        self, items: AsyncGenerator[T, None], close: Callable[[], Awaitable[None]]
    ) -> None:
        self._items = items
        self._close = close

    async def asend(self, value: None) -> T:
        return await self._items.asend(value)

    async def athrow(self, *raised: Any) -> T:
        return await self._items.athrow(*raised)

    async def aclose(self) -> None:
        try:
            await self._items.aclose()
        finally:
            await self._close()
