"""How much a caller may do in a time, as whoever made its key decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphid.errors import InvalidInput

LEAST_COST = 25_000
"""The smallest budget: any operation that is not too large by itself fits into a minute."""

BOUNDS: Mapping[str, tuple[str, int, int]] = {
    "requests_per_second": ("requestsPerSecond", 1, 100_000),
    "events_per_second": ("eventsPerSecond", 1, 1_000_000),
    "concurrent_requests": ("concurrentRequests", 1, 10_000),
    "cost_per_minute": ("costPerMinute", LEAST_COST, 1_000_000_000),
}
"""By field: its name in messages, the least and the most that it may be."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller may do; None: any number. Raises InvalidInput out of bounds.

    ``requests_per_second``: on average over some seconds, so that a burst passes.
    ``events_per_second``: messages, also those in a batch, likewise. ``concurrent_requests``:
    under way at once, in each process. ``cost_per_minute``: fields that GraphQL answers could
    hold.
    """

    requests_per_second: int | None = None
    events_per_second: int | None = None
    concurrent_requests: int | None = None
    cost_per_minute: int | None = None

    def __post_init__(self) -> None:
        for field, (name, least, most) in BOUNDS.items():
            value = getattr(self, field)
            if value is not None and not least <= value <= most:
                raise InvalidInput(f"{name} must be from {least} to {most}.", path=[name])
