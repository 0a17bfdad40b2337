"""Plans the columns of a context or an action from the first examples."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from sartor.learn.second_order.columns import LIMIT, ColumnPlan, NumberColumns, Vector, fit_scale
from sartor.learn.second_order.reading import RawFeatures, find_period

PLANNED_AT = (8, 16, 32, 64, 128, 256, 512)
"""After how many outcomes columns are planned, from all of them; then they stay."""

_STEPS = 5
_VALUES = 32
"""A number with at most this many different values, in equal steps, is also taken for a category."""
_SPARE, _BUCKETS = 8, 8
_RARE = 32
"""From this many examples on, a token needs two of them for a column of its own."""
_SOMETIMES = (0.02, 0.98)


def plan_columns(
    examples: Sequence[RawFeatures], /, *, linear: int, size: int, spare: int = _SPARE
) -> ColumnPlan:
    """Returns a plan of at most ``size`` columns, of which at most ``linear`` are linear.

    What is there most often comes first: numbers, then tokens; rarer tokens share columns. The order of names
    decides between equals, so that the plan depends on the examples only.

    Args:
        examples: the features of contexts, or of actions; at least one.
        linear: the most linear columns, the spare ones included.
        size: the most columns.
        spare: how many linear columns are kept for features that appear later.
    """
    return _Planner(examples, linear=linear, size=size, spare=spare).plan()


class _Planner:
    def __init__(self, examples: Sequence[RawFeatures], *, linear: int, size: int, spare: int) -> None:
        self._examples = examples
        self._room = linear - 1 - spare
        self._size = size
        self._spare = spare
        self._plan = ColumnPlan(numbers={}, tokens={}, spare=[], late_numbers={}, late_tokens={})
        self._next = 1

    def plan(self) -> ColumnPlan:
        values = self._read_values()
        for name, seen in values.items():
            self._plan_number(name, seen)
        self._plan_tokens()
        self._plan.spare = [self._take(1) for _ in range(self._spare)]
        self._plan.linear = self._next
        for name, one in self._plan.numbers.items():
            if one.column >= 0:
                self._plan_fine(one, values[name])
        self._plan.size = self._next
        return self._plan

    def _read_values(self) -> dict[str, Vector]:
        """The values of each number, those that are there most often first."""
        found: dict[str, list[float]] = {}
        for example in self._examples:
            for name, value in example.numbers.items():
                found.setdefault(name, []).append(value)
        order = sorted(found, key=lambda name: (-len(found[name]), name))
        return {name: np.array(found[name]) for name in order if len(found[name]) >= 2}

    def _take(self, count: int) -> int:
        first = self._next
        self._next += count
        return first

    def _plan_number(self, name: str, values: Vector) -> None:
        share = len(values) / len(self._examples)
        is_sometimes_there = _SOMETIMES[0] <= share <= _SOMETIMES[1]
        scale = fit_scale(values)
        cycle = _find_cycle(name, values)
        one = scale or NumberColumns()
        needed = is_sometimes_there + (scale is not None) * (1 if cycle is None else 3)
        if not needed or self._next - 1 + needed > self._room:
            return
        one.presence = self._take(1) if is_sometimes_there else -1
        if scale is not None:
            one.column = self._take(1)
            if cycle is not None:
                one.cycle, (one.origin, one.period) = self._take(2), cycle
        self._plan.numbers[name] = one

    def _plan_tokens(self) -> None:
        counts = Counter(token for example in self._examples for token in dict.fromkeys(example.tokens))
        total = len(self._examples)
        needed = 2 if total >= _RARE else 1
        own = [token for token in counts if needed <= counts[token] < total]
        own.sort(key=lambda token: (-counts[token], token))
        room = self._room - (self._next - 1)
        if len(own) > room or any(count < needed for count in counts.values()):
            room -= _BUCKETS
            if room >= 0:
                self._plan.hashed, self._plan.buckets = self._take(_BUCKETS), _BUCKETS
        for token in own[: max(0, room)]:
            self._plan.tokens[token] = self._take(1)
        for token, count in counts.items():
            if count == total:  # it says nothing, and must not fall among those that share columns
                self._plan.tokens.setdefault(token, 0)

    def _plan_fine(self, one: NumberColumns, values: Vector) -> None:
        different = np.unique(values)
        if _is_category(different):
            if self._next + len(different) <= self._size:
                first = self._take(len(different))
                one.values = {value: first + place for place, value in enumerate(different.tolist())}
            return
        t = np.array([one.standardise(value) for value in values.tolist()])
        knots = np.unique(np.clip(np.quantile(t, np.linspace(0.05, 0.95, _STEPS)), -LIMIT, LIMIT))
        if len(knots) >= 3 and self._next + len(knots) <= self._size:
            one.knots, one.steps = tuple(knots.tolist()), self._take(len(knots))


def _find_cycle(name: str, values: Vector) -> tuple[float, float] | None:
    """Returns where a number that comes round again begins, and its period in its own unit; None: it doesn't.

    Hours and weekdays are mostly whole. Then they are counted in steps from the least one, so that it does not
    matter whether they begin with 0 or 1, or are sent in minutes.
    """
    period = find_period(name)
    if period is None:
        return None
    different = np.unique(values)
    if _is_category(different):
        step = float(np.diff(different).min())
        if different[-1] - different[0] < (period - 0.5) * step:
            return float(different[0]), period * step
    return (0.0, period) if different[0] >= 0 and different[-1] <= period else None


def _is_category(different: Vector) -> bool:
    """Whether few values lie on a grid whose step is their least distance, as whole numbers do in any unit."""
    if not 2 < len(different) <= _VALUES:
        return False
    places = (different - different[0]) / np.diff(different).min()
    return bool(places[-1] <= 2 * _VALUES and np.all(np.abs(places - np.round(places)) < 1e-6))
