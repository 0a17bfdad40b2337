"""How an estimate moves in time: by windows of one length, or over all that was seen so far."""

from itertools import accumulate
from operator import add

from msgspec import Struct

from sartor.estimators.anytime import anytime_intervals
from sartor.estimators.bins import Bins
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.ips import Ips
from sartor.estimators.policy_estimate import to_anytime, to_snips


class SeriesPoint(Struct, frozen=True, kw_only=True, rename="camel"):
    """One window. ``value``: SNIPS; ``gaussian`` and ``anytime`` are its intervals, None where unknown."""

    start_us: int
    events: int
    value: float | None
    gaussian: Interval | None
    anytime: Interval | None


def rolling_series(bins: Bins, width_us: int, /, *, bounds: Bounds, most: int = 400) -> tuple[SeriesPoint, ...]:
    """Each window by itself; longer ones where there would be more than ``most``."""
    windows = bins.windows(width_us)
    while len(windows) > most:
        width_us *= 2
        windows = bins.windows(width_us)
    return _moments(list(windows), list(windows.values()), bounds)


def expanding_series(bins: Bins, /, *, bounds: Bounds, most: int = 200) -> tuple[SeriesPoint, ...]:
    """All that was seen up to the end of each window, at ``most`` windows.

    The anytime intervals hold for all moments at once: whoever watches them may stop at any.
    """
    windows = bins.windows(bins.width_us)
    sums = list(accumulate(windows.values(), add))
    every = max(1, -(-len(sums) // most))
    kept = [*range(every - 1, len(sums) - 1, every), len(sums) - 1] if sums else []
    starts = list(windows)
    return _moments([starts[place] for place in kept], [sums[place] for place in kept], bounds)


def _moments(starts: list[int], sums: list[Ips], bounds: Bounds) -> tuple[SeriesPoint, ...]:
    found = anytime_intervals([to_anytime(one, bounds) for one in sums])
    return tuple(
        SeriesPoint(
            start_us=start,
            events=one.rows,
            value=to_snips(one).value(),
            gaussian=to_snips(one).interval(),
            anytime=interval,
        )
        for start, one, interval in zip(starts, sums, found, strict=True)
    )
