"""Times as texts: in UTC, to the microsecond, and back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.times import format_timestamp


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_662_013_447_000_042, "2022-09-01T06:24:07.000042Z"),
        (4_102_444_799_999_999, "2099-12-31T23:59:59.999999Z"),
    ],
)
def test_times_are_utc_to_the_microsecond(at_us: int, text: str) -> None:
    assert format_timestamp(at_us) == text


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))
def test_a_time_reads_back(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    at_us = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    assert datetime.fromisoformat(format_timestamp(at_us)) == aware
