"""Quotas by the second and by the month: what is counted, when it is over, what changes it."""

from datetime import UTC, datetime

import pytest

from sartor.access.quota import LoopMeter
from sartor.access.shared_counters import Tally
from sartor.errors import TooManyRequests
from sartor.settings import Terms

NOON_S = datetime(2026, 2, 27, 12, tzinfo=UTC).timestamp()


class Time:
    def __init__(self) -> None:
        self.now_s = NOON_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def meter(time: Time) -> LoopMeter:
    return LoopMeter(Tally(), clock_s=time)


def refused(meter: LoopMeter) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as caught:
        meter.take()
    return caught.value


def test_without_quotas_there_is_no_end(meter: LoopMeter) -> None:
    meter.follow(Terms())
    for _ in range(1_000):
        meter.take()


def test_a_second_has_so_many_and_the_next_one_again(meter: LoopMeter, time: Time) -> None:
    meter.follow(Terms(ranks_per_second=3))
    for _ in range(3):
        meter.take()
    assert refused(meter).retry_after_s == 1
    assert "3 times a second" in refused(meter).message
    time.now_s += 0.99
    refused(meter)
    time.now_s += 0.01
    for _ in range(3):
        meter.take()
    refused(meter)


def test_a_month_ends_with_its_last_day(meter: LoopMeter, time: Time) -> None:
    asked = []

    def used(from_us: int, to_us: int) -> int:
        asked.append((from_us, to_us))
        return 8 if len(asked) == 1 else 0

    meter.follow(Terms(ranks_per_month=10))
    meter.refresh(used)
    assert asked == [(datetime(2026, 2, 1, tzinfo=UTC).timestamp() * 1_000_000, NOON_S * 1_000_000 + 1)]
    meter.take()
    meter.take()
    wait_s = refused(meter).retry_after_s
    assert wait_s == 36 * 3600 + 1
    time.now_s += wait_s
    meter.refresh(used)
    assert asked[-1][0] == datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1_000_000
    meter.take()


def test_what_others_answered_counts_when_it_is_read(meter: LoopMeter, time: Time) -> None:
    numbers = iter([5, 10])
    meter.follow(Terms(ranks_per_month=10))
    meter.refresh(lambda *_: next(numbers))
    meter.take()
    meter.refresh(lambda *_: next(numbers))
    meter.take()
    time.now_s += 10
    meter.refresh(lambda *_: next(numbers))
    refused(meter)


def test_the_month_is_read_more_often_near_its_end(meter: LoopMeter, time: Time) -> None:
    read: list[int] = []

    def used(*_: int) -> int:
        read.append(1)
        return 9

    meter.follow(Terms(ranks_per_month=10))
    for _ in range(30):
        meter.refresh(used)
        time.now_s += 0.1
    assert len(read) == 3


def test_new_terms_count_at_once(meter: LoopMeter) -> None:
    meter.follow(Terms(ranks_per_second=1))
    meter.take()
    refused(meter)
    meter.follow(Terms(ranks_per_second=2))
    meter.take()
    refused(meter)
    meter.follow(Terms())
    meter.take()


def test_a_failed_reading_is_tried_again_a_second_later(meter: LoopMeter, time: Time) -> None:
    def broken(*_: int) -> int:
        raise OSError("no")

    meter.follow(Terms(ranks_per_month=10))
    with pytest.raises(OSError, match="no"):
        meter.refresh(broken)
    meter.refresh(broken)
    time.now_s += 1
    with pytest.raises(OSError, match="no"):
        meter.refresh(broken)
