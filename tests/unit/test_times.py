"""Times as texts: in UTC, to the microsecond, and back."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.times import DAYS_READ, LAST_DAY, format_timestamp, parse_day, parse_time, parse_time_us


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


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1969, 12, 31), date(2024, 2, 29), LAST_DAY])
def test_days_are_read(day: date) -> None:
    assert parse_day(day.isoformat()) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000-01-01",
        "9999-01-01",
        "9999-12-31",
        "10000-01-01",
        "-2026-01-01",
        "2026-02-29",
        "2026-W01",
        "2026-W01-1",
        "2026-032",
        "20260331",
        "2026-03-31 ",
        "2026-03-31\n",
        "２０２６-03-31",
        "2026-03-31T00:00:00",
    ],
)
def test_what_is_no_day_is_told_which_days_are(text: str) -> None:
    with pytest.raises(ValueError, match=f"write it as 2026-03-31, {DAYS_READ}"):
        parse_day(text)


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01 00:00:01,25z", 1_250_000),
        ("1970-01-01t01:00:00.1234567+01:00", 123_456),
        ("1970-01-01T00:00:00-0030", 1_800_000_000),
        ("1970-01-01T23:59:00+23:59", 0),
        ("9998-12-31T23:59:59.999999Z", 253_370_764_799_999_999),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("0001-01-01T00:00:00+14:00", -62_135_596_800_000_000),
    ],
)
def test_times_are_read_to_the_microsecond(text: str, at_us: int) -> None:
    assert parse_time_us(text) == at_us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "9999-01-01",
        "9998-12-31T23:59:59-00:01",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59.9999999Z",
        "0000-12-31T23:59:59Z",
        "2026-06-30T23:59:60Z",
        "2026-06-30T24:00:00Z",
        "2026-06-30T00:00:00+24:00",
        "2026-06-30T00:00:00+23:60",
        "2026-06-30T00:00:00+00:60",
        "2026-06-30T00:00:00-0099",
        "2026-06-30T00:00:00+01:00:30",
        "2026-06-30T00:00:00.Z",
        "2026-06-30T00:00:00." + "9" * 10 + "Z",
        "2026-W01-1T00:00:00Z",
        "20260630T000000Z",
        "2026-06-30T٠٠:00:00Z",
        " 2026-06-30T00:00:00Z",
    ],
)
def test_what_is_no_time_is_told_which_times_are(text: str) -> None:
    with pytest.raises(ValueError, match=f"ISO 8601 time like .*, {DAYS_READ}"):
        parse_time_us(text)


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_every_time_is_read_whatever_its_zone(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_time(aware.isoformat()) == aware
