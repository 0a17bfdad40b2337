"""Durations and times are spelled as the retired service spelled them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.api.http import durations


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "PT0S"),
        (timedelta(minutes=10), "PT10M"),
        (timedelta(days=28), "P28D"),
        (timedelta(hours=4), "PT4H"),
        (timedelta(days=1), "P1D"),
        (timedelta(days=1, seconds=1), "P1DT1S"),
        (timedelta(hours=1, minutes=2, seconds=3, milliseconds=450), "PT1H2M3.45S"),
        (timedelta(milliseconds=500), "PT0.5S"),
        (timedelta(minutes=-10), "-PT10M"),
    ],
)
def test_durations_are_written_as_dotnet_writes_them(duration: timedelta, text: str) -> None:
    assert durations.format_duration(duration) == text
    assert durations.parse_duration(text) == duration


@given(st.timedeltas(timedelta(days=-40_000), timedelta(days=40_000)))
def test_every_duration_is_read_back(duration: timedelta) -> None:
    assert durations.parse_duration(durations.format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["", "10", "PT", "00:10:00", "P1M", "P1Y", "PT10M "])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601 duration"):
        durations.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2022-09-01T00:20:47", datetime(2022, 9, 1, 0, 20, 47, tzinfo=UTC)),
        ("2022-09-01T00:20:47Z", datetime(2022, 9, 1, 0, 20, 47, tzinfo=UTC)),
        ("2022-09-01T00:00:00.000Z", datetime(2022, 9, 1, tzinfo=UTC)),
        ("2022-09-01T02:20:47+02:00", datetime(2022, 9, 1, 0, 20, 47, tzinfo=UTC)),
        ("0001-01-01T00:00:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+02:00", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_utc_where_they_name_no_zone(text: str, meant: datetime) -> None:
    assert durations.parse_time(text) == meant


def test_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="ISO 8601 time"):
        durations.parse_time("next week")


def test_times_of_a_configuration_have_no_zone() -> None:
    east = timezone(timedelta(hours=2))
    assert durations.format_time(datetime(2022, 9, 1, 2, 20, 47, 999, tzinfo=east)) == "2022-09-01T00:20:47"
    assert durations.format_time_us(1_662_000_000_999_999) == "2022-09-01T02:40:00"
    assert durations.format_time(datetime(1, 1, 1, tzinfo=UTC)) == durations.NEVER


def test_times_of_models_have_one() -> None:
    assert durations.format_zoned_us(1_662_000_000_000_000) == "2022-09-01T02:40:00+00:00"
    assert durations.format_zoned_us(0) == durations.NEVER_WITH_ZONE == "0001-01-01T00:00:00+00:00"
