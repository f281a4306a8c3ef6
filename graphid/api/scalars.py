"""The scalars of the schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON

Timestamp = NewType("Timestamp", int)
"""A time in an answer: microseconds since 1970 UTC, written as ISO 8601."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def iso(at: int) -> str:
    """``2026-03-01T09:30:00.000001+00:00`` for microseconds since 1970."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds")


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

__all__ = ["DATE_TIME", "JSON", "SCALARS", "Timestamp", "iso", "micros"]
