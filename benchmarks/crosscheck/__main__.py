"""``python -m benchmarks.crosscheck``: differences to Open Bandit Pipeline and vw-estimators."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from msgspec import Struct

from benchmarks.crosscheck import open_bandit, vowpal_wabbit
from benchmarks.crosscheck.logs import Log, make_log
from sartor.estimators.accumulator import Estimator
from sartor.estimators.anytime import Anytime
from sartor.estimators.columns import Columns
from sartor.estimators.cressie_read import CressieRead
from sartor.estimators.doubly_robust import Dm, Dr, DrOs, SwitchDr
from sartor.estimators.finite_sample import clopper_pearson
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.ips import Ips, Snips

Kind = TypeVar("Kind", bound=Estimator)

TOLERANCE = 1e-9
UNIT = Bounds(0.0, 1.0)


class Comparison(Struct, frozen=True):
    """The results of both, as one or two numbers."""

    what: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def difference(self) -> float:
        """The largest absolute difference."""
        return max(abs(a - b) for a, b in zip(self.ours, self.theirs, strict=True))


def ends(interval: Interval | None) -> tuple[float, ...]:
    """An interval as two numbers."""
    assert interval is not None
    return interval.lower, interval.upper


def feed(estimator: Kind, columns: Columns) -> Kind:
    """The estimator after one batch."""
    estimator.add(columns)
    return estimator


def value(estimator: Estimator, columns: Columns) -> tuple[float]:
    """The value of one batch."""
    found = feed(estimator, columns).value()
    assert found is not None
    return (found,)


def against_open_bandit(log: Log) -> Iterator[Comparison]:
    """Point estimates, those with a reward model included."""
    columns, theirs = log.columns(), open_bandit.values(log)
    infinite = float("inf")
    ours: dict[str, Estimator] = {
        "ips": Ips(),
        "snips": Snips(),
        "dm": Dm(),
        "dr": Dr(),
        "switch-dr τ=2": SwitchDr(grid=(2.0,)),
        "switch-dr τ=5": SwitchDr(grid=(5.0,)),
        "switch-dr τ=∞": SwitchDr(grid=(infinite,)),
        "dr-os λ=1": DrOs(grid=(1.0,)),
        "dr-os λ=50": DrOs(grid=(50.0,)),
    }
    for name, estimator in ours.items():
        yield Comparison(f"obp {name}", value(estimator, columns), (theirs[name],))


def against_vowpal_wabbit(log: Log, *, drop: bool) -> Iterator[Comparison]:
    """Values and intervals of the estimators without a reward model."""
    columns = log.columns(drop=drop)
    theirs = vowpal_wabbit.intervals(log, drop=drop)
    ips = feed(Ips(), columns)
    yield Comparison("vw gaussian interval", ends(ips.interval()), theirs["gaussian"])
    scale = ips.largest_weight
    form = clopper_pearson(ips.product / scale, ips.events / scale, alpha=0.05)
    yield Comparison("vw clopper-pearson", ends(form), theirs["clopper-pearson"])
    for name, most in (("", float("inf")), (", largest weight known", 60.0)):
        estimator = feed(CressieRead(bounds=UNIT, max_weight=most), columns)
        yield Comparison(
            f"vw cressie-read interval{name}", ends(estimator.interval()), theirs[f"cressie-read{name}"]
        )
    if not drop:
        yield from _values_against_vowpal_wabbit(log, columns)


def _values_against_vowpal_wabbit(log: Log, columns: Columns) -> Iterator[Comparison]:
    theirs = vowpal_wabbit.values(log)
    yield Comparison("vw ips", value(Ips(), columns), (theirs["ips"],))
    yield Comparison("vw snips", value(Snips(), columns), (theirs["snips"],))
    for name, most in (("", float("inf")), (", largest weight known", 60.0)):
        estimator = CressieRead(bounds=UNIT, max_weight=most)
        yield Comparison(f"vw cressie-read{name}", value(estimator, columns), (theirs[f"cressie-read{name}"],))


def widths(log: Log) -> str:
    """The two anytime-valid intervals are not the same; how much they differ in width."""
    lower, upper = ends(feed(Anytime(bounds=UNIT), log.columns()).interval())
    other_lower, other_upper = vowpal_wabbit.anytime(log)
    return f"anytime: width {upper - lower:.4f}, vw {other_upper - other_lower:.4f}"


def compare(seeds: Sequence[int]) -> Iterator[Comparison]:
    """Everything, on several logs."""
    for seed in seeds:
        log = make_log(seed)
        yield from against_open_bandit(log)
        yield from against_vowpal_wabbit(log, drop=False)
        yield from against_vowpal_wabbit(log, drop=True)


def main() -> None:
    """Print the largest difference of each; fail where one is too large."""
    worst: dict[str, float] = {}
    for pair in compare(range(5)):
        worst[pair.what] = max(worst.get(pair.what, 0.0), pair.difference)
    for what, difference in worst.items():
        print(f"{what:48} {difference:.1e}")
    print(widths(make_log(0)))
    if not np.all(np.array(list(worst.values())) <= TOLERANCE):
        raise SystemExit(f"Differences above {TOLERANCE}.")


if __name__ == "__main__":
    main()
