"""Times in answers."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from graphid.api.scalars import iso, micros


@given(st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)))
def test_a_time_is_written_as_iso_8601_to_the_microsecond(at: datetime) -> None:
    assert iso(micros(at)) == at.isoformat(timespec="microseconds")
