"""Event ids made by the service have the shape that clients of the retired one saw."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.explore.event_id import new_event_id

HEX = "0123456789abcdef" * 2
EPOCH_S = 1_505_520_000
DIGITS = string.digits + string.ascii_lowercase + string.ascii_uppercase


def test_the_sample_seen_on_the_live_service() -> None:
    assert new_event_id(HEX, now_us=(EPOCH_S + 156_471_827) * 1_000_000) == f"{HEX}-aAxt9"


@pytest.mark.parametrize(
    ("seconds", "suffix"), [(0, "0"), (9, "9"), (10, "a"), (35, "z"), (36, "A"), (61, "Z"), (62, "10")]
)
def test_digits_count_from_numbers_over_small_to_capital_letters(seconds: int, suffix: str) -> None:
    assert new_event_id(HEX, now_us=(EPOCH_S + seconds) * 1_000_000) == f"{HEX}-{suffix}"


def test_parts_of_a_second_do_not_count() -> None:
    assert new_event_id(HEX, now_us=(EPOCH_S + 10) * 1_000_000 + 999_999) == f"{HEX}-a"


def test_a_clock_set_before_the_epoch_gives_zero() -> None:
    assert new_event_id(HEX, now_us=0) == f"{HEX}-0"


@given(st.integers(0, 10**12))
def test_the_suffix_reads_back_as_the_seconds(seconds: int) -> None:
    suffix = new_event_id(HEX, now_us=(EPOCH_S + seconds) * 1_000_000).removeprefix(f"{HEX}-")
    value = 0
    for digit in suffix:
        value = value * 62 + DIGITS.index(digit)
    assert value == seconds
