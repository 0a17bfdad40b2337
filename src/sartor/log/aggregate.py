"""Aggregates several rewards of one decision into one (contract, section 2.4)."""

import math
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction

from sartor.settings import Aggregation

_LARGEST = Fraction(sys.float_info.max)


def aggregate(rewards: Sequence[float], /, *, how: Aggregation) -> float:
    """Returns one reward from at least one, in order of arrival; finite if they are, and never -0.0.

    Sums are rounded once, so only ``earliest`` depends on the order. A sum beyond the range of a double is
    the largest double of its sign.
    """
    return _HOW[how](rewards) + 0.0  # -0.0 + 0.0 is 0.0


def _earliest(rewards: Sequence[float]) -> float:
    return rewards[0]


def _sum(rewards: Sequence[float]) -> float:
    try:
        return math.fsum(rewards)
    except OverflowError:
        return float(max(-_LARGEST, min(_exact_sum(rewards), _LARGEST)))


def _average(rewards: Sequence[float]) -> float:
    try:
        return math.fsum(rewards) / len(rewards)
    except OverflowError:
        return float(_exact_sum(rewards) / len(rewards))


def _median(rewards: Sequence[float]) -> float:
    ordered = sorted(rewards)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else _average(ordered[middle - 1 : middle + 1])


def _exact_sum(rewards: Sequence[float]) -> Fraction:
    return sum(map(Fraction, rewards), Fraction(0))


_HOW: dict[Aggregation, Callable[[Sequence[float]], float]] = {
    "earliest": _earliest,
    "sum": _sum,
    "average": _average,
    "median": _median,
    "min": min,
    "max": max,
}
