"""Quotas by the second and by the month: what is counted, when it is over, what changes it."""

from datetime import UTC, datetime

import pytest

from sartor.access.quota import QuotaLimiter
from sartor.access.shared_counters import WindowCounter
from sartor.errors import TooManyRequests
from sartor.settings import LoopTerms

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
def rate_limiter(time: Time) -> QuotaLimiter:
    return QuotaLimiter(WindowCounter(), clock_s=time)


def refused(rate_limiter: QuotaLimiter) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as caught:
        rate_limiter.take()
    return caught.value


def test_without_quotas_there_is_no_end(rate_limiter: QuotaLimiter) -> None:
    rate_limiter.follow(LoopTerms())
    for _ in range(1_000):
        rate_limiter.take()


def test_a_second_has_so_many_and_the_next_one_again(rate_limiter: QuotaLimiter, time: Time) -> None:
    rate_limiter.follow(LoopTerms(ranks_per_second=3))
    for _ in range(3):
        rate_limiter.take()
    assert refused(rate_limiter).retry_after_s == 1
    assert "3 times a second" in refused(rate_limiter).message
    time.now_s += 0.99
    refused(rate_limiter)
    time.now_s += 0.01
    for _ in range(3):
        rate_limiter.take()
    refused(rate_limiter)


def test_a_month_ends_with_its_last_day(rate_limiter: QuotaLimiter, time: Time) -> None:
    read_ranges = []

    def used(from_us: int, to_us: int) -> int:
        read_ranges.append((from_us, to_us))
        return 8 if len(read_ranges) == 1 else 0

    rate_limiter.follow(LoopTerms(ranks_per_month=10))
    rate_limiter.refresh(used)
    assert read_ranges == [(datetime(2026, 2, 1, tzinfo=UTC).timestamp() * 1_000_000, NOON_S * 1_000_000 + 1)]
    rate_limiter.take()
    rate_limiter.take()
    wait_s = refused(rate_limiter).retry_after_s
    assert wait_s == 36 * 3600 + 1
    time.now_s += wait_s
    rate_limiter.refresh(used)
    assert read_ranges[-1][0] == datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1_000_000
    rate_limiter.take()


def test_what_others_answered_counts_when_it_is_read(rate_limiter: QuotaLimiter, time: Time) -> None:
    numbers = iter([5, 10])
    rate_limiter.follow(LoopTerms(ranks_per_month=10))
    rate_limiter.refresh(lambda *_: next(numbers))
    rate_limiter.take()
    rate_limiter.refresh(lambda *_: next(numbers))
    rate_limiter.take()
    time.now_s += 10
    rate_limiter.refresh(lambda *_: next(numbers))
    refused(rate_limiter)


def test_the_month_is_read_again_after_the_clock_was_set_back(rate_limiter: QuotaLimiter, time: Time) -> None:
    rate_limiter.follow(LoopTerms(ranks_per_month=10))
    rate_limiter.refresh(lambda *_: 10)
    time.now_s -= 40 * 86_400
    rate_limiter.refresh(lambda *_: 3)
    rate_limiter.take()
    assert not rate_limiter.is_refresh_due


def test_the_month_is_read_more_often_near_its_end(rate_limiter: QuotaLimiter, time: Time) -> None:
    read: list[int] = []

    def used(*_: int) -> int:
        read.append(1)
        return 9

    rate_limiter.follow(LoopTerms(ranks_per_month=10))
    for _ in range(30):
        rate_limiter.refresh(used)
        time.now_s += 0.1
    assert len(read) == 3


def test_new_terms_count_at_once(rate_limiter: QuotaLimiter) -> None:
    rate_limiter.follow(LoopTerms(ranks_per_second=1))
    rate_limiter.take()
    refused(rate_limiter)
    rate_limiter.follow(LoopTerms(ranks_per_second=2))
    rate_limiter.take()
    refused(rate_limiter)
    rate_limiter.follow(LoopTerms())
    rate_limiter.take()


def test_a_refund_makes_room(rate_limiter: QuotaLimiter, time: Time) -> None:
    rate_limiter.follow(LoopTerms(ranks_per_second=1, ranks_per_month=1))
    rate_limiter.refund(rate_limiter.take())
    charge = rate_limiter.take()
    refused(rate_limiter)
    with pytest.raises(TooManyRequests):
        rate_limiter.check()
    rate_limiter.refund(charge)
    rate_limiter.check()
    rate_limiter.take()


def test_a_late_refund_makes_no_room_beyond_the_quota(rate_limiter: QuotaLimiter, time: Time) -> None:
    rate_limiter.follow(LoopTerms(ranks_per_second=1, ranks_per_month=2))
    rate_limiter.refresh(lambda *_: 0)
    late = rate_limiter.take()
    time.now_s += 10
    rate_limiter.refresh(lambda *_: 1)
    rate_limiter.take()
    rate_limiter.refund(late)
    assert "a second" in refused(rate_limiter).message
    time.now_s += 1
    assert "a month" in refused(rate_limiter).message


def test_a_failed_reading_is_tried_again_a_second_later(rate_limiter: QuotaLimiter, time: Time) -> None:
    def broken(*_: int) -> int:
        raise OSError("no")

    rate_limiter.follow(LoopTerms(ranks_per_month=10))
    with pytest.raises(OSError, match="no"):
        rate_limiter.refresh(broken)
    rate_limiter.refresh(broken)
    time.now_s += 1
    with pytest.raises(OSError, match="no"):
        rate_limiter.refresh(broken)
