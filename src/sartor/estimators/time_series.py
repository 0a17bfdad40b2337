"""Estimates over time: sums by bins of equal length, and the series of estimates that they give."""

from itertools import accumulate
from operator import add
from typing import ClassVar

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from sartor.errors import InvalidColumns
from sartor.estimators.accumulator import Accumulator
from sartor.estimators.anytime import anytime_intervals
from sartor.estimators.columns import Columns
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.ips import Ips
from sartor.estimators.policy_estimate import to_anytime, to_snips
from sartor.times import MINUTE_US


class TimeBins(Accumulator, kw_only=True):
    """The IPS sums of one policy in each bin of ``width_us`` that has a row, by the bin's number since 1970.

    Needs the column ``at_us``. Cost: O(rows log rows); memory grows with the bins that have rows.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"width_us"})

    width_us: int = 5 * MINUTE_US
    sums: dict[int, Ips] = field(default_factory=dict)

    def _take(self, columns: Columns, /) -> None:
        if columns.at_us is None:
            raise InvalidColumns("Windows need the column at_us.")
        number = columns.at_us // self.width_us
        order = np.argsort(number, kind="stable")
        numbers, starts = np.unique(number[order], return_index=True)
        for bin_number, sums in zip(numbers.tolist(), _sum_runs(columns, order, starts), strict=True):
            self.sums[bin_number] = self.sums[bin_number] + sums if bin_number in self.sums else sums

    def windows(self, width_us: int, /) -> dict[int, Ips]:
        """Returns the sums of longer windows, by the time at which each begins (µs), in order.

        Args:
            width_us: a multiple of the width of the bins.

        Raises:
            InvalidColumns: it is none.
        """
        if width_us % self.width_us:
            raise InvalidColumns(f"Windows of {width_us} µs can't be made of bins of {self.width_us}.")
        count = width_us // self.width_us
        windows: dict[int, Ips] = {}
        for number in sorted(self.sums):
            start = number // count * width_us
            windows[start] = windows[start] + self.sums[number] if start in windows else self.sums[number]
        return windows


def _sum_runs(columns: Columns, order: NDArray[np.int64], starts: NDArray[np.int64]) -> list[Ips]:
    """Returns the sums of each run of sorted rows that begins at one of ``starts``."""
    weight, reward = columns.weight[order], columns.reward[order]
    inflation = columns.inflate(np.ones(columns.rows))[order]
    product = weight * reward
    terms = np.column_stack(
        (
            np.ones_like(weight),
            inflation,
            weight > 0,
            inflation * reward,
            weight,
            weight * weight,
            product,
            weight * product,
            product * product,
        )
    )
    totals = np.add.reduceat(terms, starts, axis=0).tolist()
    largest = np.maximum.reduceat(np.column_stack((weight, np.abs(product))), starts, axis=0).tolist()
    smallest = np.minimum.reduceat(weight, starts).tolist()
    return [_to_ips(*sums) for sums in zip(totals, largest, smallest, strict=True)]


def _to_ips(total: list[float], largest: list[float], smallest: float) -> Ips:
    rows, events, matched, *sums = total
    return Ips(
        rows=int(rows),
        events=events,
        matched=int(matched),
        reward=sums[0],
        weight=sums[1],
        weight_sq=sums[2],
        product=sums[3],
        product_weight=sums[4],
        product_sq=sums[5],
        largest_weight=largest[0],
        smallest_weight=smallest,
        largest_product=largest[1],
    )


class SeriesPoint(Struct, frozen=True, kw_only=True, rename="camel"):
    """One window. ``value``: SNIPS; ``gaussian`` and ``anytime`` are its intervals; None where unknown."""

    start_us: int
    events: int
    value: float | None
    gaussian: Interval | None
    anytime: Interval | None


def rolling_series(
    bins: TimeBins, width_us: int, /, *, bounds: Bounds, most: int = 400
) -> tuple[SeriesPoint, ...]:
    """Returns the estimate of each window by itself; windows are doubled while there are more than ``most``."""
    windows = bins.windows(width_us)
    while len(windows) > most:
        width_us *= 2
        windows = bins.windows(width_us)
    return _to_points(list(windows), list(windows.values()), bounds)


def expanding_series(bins: TimeBins, /, *, bounds: Bounds, most: int = 200) -> tuple[SeriesPoint, ...]:
    """Returns the estimates from all rows up to the end of each bin, for about ``most`` bins.

    The anytime intervals hold for all points at once: one may stop at any of them.
    """
    windows = bins.windows(bins.width_us)
    sums = list(accumulate(windows.values(), add))
    every = max(1, -(-len(sums) // most))
    kept = [*range(every - 1, len(sums) - 1, every), len(sums) - 1] if sums else []
    starts = list(windows)
    return _to_points([starts[place] for place in kept], [sums[place] for place in kept], bounds)


def _to_points(starts: list[int], sums: list[Ips], bounds: Bounds) -> tuple[SeriesPoint, ...]:
    intervals = anytime_intervals([to_anytime(one, bounds) for one in sums])
    return tuple(
        SeriesPoint(
            start_us=start,
            events=one.rows,
            value=to_snips(one).value(),
            gaussian=to_snips(one).interval(),
            anytime=interval,
        )
        for start, one, interval in zip(starts, sums, intervals, strict=True)
    )
