"""What a subscription tells of, one thing at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from graphid.api.context import RequestContext
from graphid.service.feed import Batch


@dataclass(frozen=True, slots=True)
class Event:
    """What a subscription's root field is, once. ``value`` answers it as it is shown in a context;
    ``key`` names it in its batch; ``subjects``: whom it is about, for the audit."""

    value: Callable[[RequestContext], Awaitable[Any]]
    key: tuple[str, Any]
    batch: Batch
    subjects: tuple[str, ...]
