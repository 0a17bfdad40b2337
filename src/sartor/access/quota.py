"""Quotas of a loop: ranks in this second, and in this calendar month (UTC).

The second is exact across processes but for those that answer at the same instant. The month is read from the
store now and then, and this process adds what it answered since; it may be exceeded by what the others
answer in between.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from sartor.access.shared_counters import WindowCounter
from sartor.errors import TooManyRequests
from sartor.settings import LoopTerms

SELDOM_S = 10.0
"""How often the month's ranks are read while most of the quota is left."""

OFTEN_S = 1.0
"""How often once a tenth of the quota or less is left."""


class QuotaCharge(Struct, frozen=True):
    """One rank that was counted: in which second, and after which reading of the month."""

    second: int
    reading: int


class QuotaLimiter:
    """Counts the ranks of a loop, and refuses those beyond its quotas. All methods are called on one thread."""

    def __init__(self, counter: WindowCounter, /, *, clock_s: Callable[[], float] = time.time) -> None:
        """``clock_s``: seconds since 1970."""
        self._counter = counter
        self._clock_s = clock_s
        self._per_second = 0
        self._per_month = 0
        self._used = 0
        self._due_s = 0.0
        self._reading = 0

    def follow(self, terms: LoopTerms, /) -> None:
        """Apply the quotas of these terms."""
        quotas = (terms.quota_per_second, terms.quota_per_month)
        if quotas != (self._per_second, self._per_month):
            self._per_second, self._per_month = quotas
            self._due_s = 0.0

    @property
    def is_refresh_due(self) -> bool:
        """Whether it is time to read the month."""
        return bool(self._per_month) and self._is_due(self._clock_s())

    def refresh(self, used: Callable[[int, int], int], /) -> None:
        """Read how many ranks this month had, if it is time.

        Args:
            used: how many ranks there were from a time to before another, microseconds since 1970.
        """
        now_s = self._clock_s()
        if not self._per_month or not self._is_due(now_s):
            return
        self._due_s = now_s + OFTEN_S
        self._used = used(_month_us(now_s), round(now_s * 1e6) + 1)
        self._reading += 1
        self._due_s = now_s + (OFTEN_S if 10 * self._used >= 9 * self._per_month else SELDOM_S)
        self._due_s = min(self._due_s, _next_month_s(now_s))

    def _is_due(self, now_s: float) -> bool:
        # A time later than the longest pause is of before the clock was set back.
        return not now_s < self._due_s <= now_s + SELDOM_S

    def check(self) -> None:
        """Check that one more rank would be within the quotas; nothing is counted.

        Raises:
            TooManyRequests: the quota of this second or this month is used up.
        """
        self._check(self._clock_s())

    def take(self) -> QuotaCharge:
        """Count one more rank; ``refund`` it if it is not answered with a decision after all.

        Raises:
            TooManyRequests: the quota of this second or this month is used up.
        """
        now_s = self._clock_s()
        self._check(now_s)
        second = int(now_s)
        if self._per_second:
            self._counter.add(second)
        self._used += 1
        return QuotaCharge(second, self._reading)

    def refund(self, charge: QuotaCharge, /) -> None:
        """Take back a rank that was counted; a second that is over, and a month read since, stay."""
        if self._per_second:
            self._counter.take_back(charge.second)
        if charge.reading == self._reading:
            self._used -= 1

    def _check(self, now_s: float) -> None:
        if self._per_second and self._counter.count(int(now_s)) >= self._per_second:
            raise TooManyRequests(f"This loop may rank {self._per_second} times a second.", retry_after_s=1)
        if self._per_month and self._used >= self._per_month:
            wait_s = max(1, int(_next_month_s(now_s) - now_s) + 1)
            raise TooManyRequests(f"This loop may rank {self._per_month} times a month.", retry_after_s=wait_s)

    def close(self) -> None:
        """Release what is shared; idempotent."""
        self._counter.close()


def _month_us(now_s: float) -> int:
    return round(_month(now_s).timestamp()) * 1_000_000


def _next_month_s(now_s: float) -> float:
    return (_month(now_s) + timedelta(days=31)).replace(day=1).timestamp()


def _month(now_s: float) -> datetime:
    now = datetime.fromtimestamp(now_s, UTC)
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
