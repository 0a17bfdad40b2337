"""Durations and times as the retired service wrote them (contract, sections 0 and 1.5)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from sartor.times import parse_time as parse_time

Duration: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "duration", "examples": ["PT10M"]})]
"""A duration in a body: ISO 8601, ``PT10M``."""

TIME = Meta(extra_json_schema={"format": "date-time", "examples": ["2024-05-17T09:30:00+00:00"]})
"""What the description says of a text that is a time."""

NEVER = "0001-01-01T00:00:00"
"""What has not happened: the first second of year 1, without a zone."""

NEVER_WITH_ZONE = f"{NEVER}+00:00"


def format_duration(duration: timedelta, /) -> str:
    """A duration in the spelling of .NET: ``PT10M``, ``P28D``, ``P1DT1.5S``, ``PT0S``."""
    days, left = divmod(abs(duration), timedelta(days=1))
    minutes, seconds = divmod(left, timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    fraction = f"{seconds.seconds}.{seconds.microseconds:06d}".rstrip("0").rstrip(".")
    time = _format_part(hours, "H") + _format_part(minutes, "M") + (f"{fraction}S" if fraction != "0" else "")
    if not days and not time:
        return "PT0S"
    return (
        ("-" if duration < timedelta(0) else "") + "P" + _format_part(days, "D") + (f"T{time}" if time else "")
    )


def _format_part(number: int, letter: str) -> str:
    return f"{number}{letter}" if number else ""


def parse_duration(text: str, /) -> timedelta:
    """The duration in a text.

    Raises:
        ValueError: it is not an ISO 8601 duration of days, hours, minutes and seconds.
    """
    try:
        return msgspec.convert(text, timedelta)
    except msgspec.ValidationError:
        raise ValueError(f"{text[:64]!r} is not an ISO 8601 duration like PT10M") from None


def format_time(time: datetime, /) -> str:
    """A time as dates of a configuration are written: UTC, whole seconds, no zone."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(len(NEVER), "0")


def format_time_us(at_us: int, /) -> str:
    """The same of microseconds since 1970; 0 is never."""
    return format_time(datetime.fromtimestamp(at_us // 1_000_000, UTC)) if at_us else NEVER


def format_zoned_us(at_us: int, /) -> str:
    """A time as models write it: UTC, whole seconds, ``+00:00``; 0 is never."""
    return f"{format_time_us(at_us)}+00:00"
