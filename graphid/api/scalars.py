"""The scalars of the schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON

from graphid.errors import InvalidInput

Timestamp = NewType("Timestamp", int)
"""A time in an answer: microseconds since 1970 UTC, written as ISO 8601."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UTC = "+00:00"


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def time_range(from_: datetime | None, to: datetime | None) -> tuple[int | None, int | None]:
    """The two arguments in microseconds, None where one is not given. Raises InvalidInput."""
    since, until = micros(from_) if from_ else None, micros(to) if to else None
    if since is not None and until is not None and until < since:
        raise InvalidInput("to must not be before from.", path=["from", "to"])
    return since, until


def iso(at: int) -> str:
    """``2026-03-01T09:30:00.000001+00:00`` for microseconds since 1970."""
    minute, rest = divmod(at, 60_000_000)
    return f"{_minute(minute)}:{rest // 1_000_000:02d}.{rest % 1_000_000:06d}{_UTC}"


@lru_cache(maxsize=1024)  # the lines of a page are close to each other
def _minute(number: int) -> str:
    return (_EPOCH + timedelta(minutes=number)).isoformat(timespec="minutes").removesuffix(_UTC)


def _parse(value: Any) -> datetime:
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            if at.tzinfo is not None:
                return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise GraphQLError("A DateTime is ISO 8601 text with an offset, as 2026-03-01T09:30:00Z.")


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="ISO 8601 with offset; answers are UTC with microseconds.",
    serialize=iso,
    parse_value=_parse,
)
"""One scalar, two Python types: ``datetime`` as it comes in, ``Timestamp`` as it goes out."""

SCALARS: dict[object, Any] = {datetime: DATE_TIME, Timestamp: DATE_TIME}

__all__ = ["DATE_TIME", "JSON", "SCALARS", "Timestamp", "iso", "micros", "time_range"]
