"""What a dump of the engine holds, and the checks that make it safe to use whoever wrote it.

A dump may come from elsewhere. Everything in it that is an index, a size or a number is checked here before
memory is taken for it, so that an engine that was loaded answers, or refuses, and never breaks down.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from sartor.errors import EngineRefused
from sartor.learn.second_order.aggregate import Aggregate
from sartor.learn.second_order.arguments import SecondOrderSettings
from sartor.learn.second_order.columns import ColumnPlan, NumberColumns
from sartor.learn.second_order.fit import MOST_ACTION_COLUMNS, ShownOutcome
from sartor.learn.second_order.inverses import count_packed_bytes
from sartor.learn.second_order.reading import LARGEST_NUMBER, RawFeatures, read_action_features
from sartor.learn.second_order.regressors import COUNT, PER_ACTION, ActionRow, count_columns

_LARGEST = 1e45
"""No scale of a number is larger: those that the engine makes are at most 1 over the least number."""

_LARGEST_WEIGHT = 1e30
_OUTCOMES = 2**53
_PAIRS = 1024

Columns = Annotated[list[int], Meta(max_length=_PAIRS)]


class StoredRegression(Struct, array_like=True):
    """A regression per action: weights, the lower triangles of P, and clocks, row after row."""

    weights: bytes
    inverse: bytes
    clock: bytes


class StoredRegressors(Struct, kw_only=True):
    """``Regressors`` as they are stored; matrices are the bytes of their rows."""

    contexts: ColumnPlan
    actions: ColumnPlan
    crossed: Columns
    first: Columns
    second: Columns
    shared_weights: bytes
    shared_inverse: bytes
    per_action: Annotated[list[StoredRegression], Meta(max_length=len(PER_ACTION))]
    rows: dict[str, int]
    details: list[ActionRow]
    priors: bytes
    clock: int
    recentred: int


class StoredState(Struct, kw_only=True):
    """``EngineState`` as it is stored."""

    aggregate: Aggregate
    first_outcomes: list[ShownOutcome] | None
    offered: list[bytes]
    regressors: StoredRegressors | None


def check_state(stored: StoredState, settings: SecondOrderSettings, /) -> None:
    """Check everything but the content of the matrices: their sizes, and all other values.

    Raises:
        ValueError: it is not what an engine with these settings writes; the message says what.
    """
    _check_aggregate(stored.aggregate)
    first = stored.first_outcomes
    if first is not None:
        _require(len(first) == stored.aggregate.count, "it holds another number of outcomes than it counted")
        for outcome in first:
            _check_features(outcome.context)
            _check_numbers([outcome.reward], LARGEST_NUMBER)
        _check_action_features(outcome.features for outcome in first)
    _check_action_features(stored.offered)
    if stored.regressors is not None:
        _check_regressors(stored.regressors, settings)


def _check_aggregate(aggregate: Aggregate) -> None:
    _require(len(aggregate.losses) == len(aggregate.squares) == COUNT, "it has other regressors")
    positive = [*aggregate.losses, *aggregate.squares, aggregate.rows, aggregate.deviations]
    _check_numbers(positive, math.inf)
    _require(min(positive) >= 0, "a sum of squares is below 0")
    _check_numbers([aggregate.mean], LARGEST_NUMBER)
    _require(0 <= aggregate.count < _OUTCOMES, "its number of outcomes is out of range")


def _check_regressors(stored: StoredRegressors, settings: SecondOrderSettings) -> None:
    check_plan(stored.contexts, most=settings.columns)
    check_plan(stored.actions, most=MOST_ACTION_COLUMNS)
    crossed = stored.crossed
    _check_columns([*crossed, *stored.first, *stored.second], stored.contexts.size)
    _require(crossed[:1] == [0] and sorted(set(crossed)) == crossed, "its crossed columns are not in order")
    _require(len(stored.first) == len(stored.second), "its pairs of columns are not pairs")
    _require(
        0 <= stored.recentred <= stored.clock < _OUTCOMES, "its number of learned outcomes is out of range"
    )
    rows = len(stored.details)
    _require(sorted(stored.rows.values()) == list(range(rows)), "its actions have no row each")
    _require(all(0 <= detail.clock <= stored.clock for detail in stored.details), "a row is of the future")
    for detail in stored.details:
        _require(len(detail.vector) == stored.actions.size, "an action has another number of columns")
        _check_numbers(detail.vector, _LARGEST)
    _check_matrices(stored)


def _check_matrices(stored: StoredRegressors) -> None:
    """Compare the bytes of every matrix with its shape, before there is memory for it."""
    rows, linear = len(stored.details), stored.contexts.linear
    _require(len(stored.per_action) == len(PER_ACTION), "it has other regressors")
    crossed = len(stored.crossed) + len(stored.first)
    for kind, one in zip(PER_ACTION, stored.per_action, strict=True):
        columns = count_columns(kind, stored.contexts, crossed=crossed)
        _require(
            (len(one.weights), len(one.inverse), len(one.clock))
            == (8 * rows * columns, rows * count_packed_bytes(columns), 8 * rows),
            "a regression has another shape than its columns",
        )
    _require(len(stored.priors) == 8 * rows * linear, "its priors have another shape than its columns")


def check_plan(plan: ColumnPlan, /, *, most: int) -> None:
    """Check that every column of a plan is one, and every number in range.

    Args:
        plan: from elsewhere.
        most: how many columns it may have.

    Raises:
        ValueError: the plan is not as one is made.
    """
    size = plan.size
    _require(1 <= plan.linear <= size <= most, f"it has {size} columns; {most} are the most")
    _check_columns([*plan.tokens.values(), *plan.spare], size)
    _require(plan.hashed >= -1 and 1 <= plan.buckets <= most, "its shared columns are out of range")
    _require(plan.hashed + plan.buckets <= size or plan.hashed < 0, "its shared columns are out of range")
    for name, one in plan.numbers.items():
        _check_number_columns(name, one, size)
    for values in plan.late_numbers.values():
        _check_numbers(values, LARGEST_NUMBER)


def _check_number_columns(name: str, one: NumberColumns, size: int) -> None:
    _check_numbers([one.center, one.rate, one.mean, one.spread, *one.knots, *one.values], _LARGEST)
    _check_numbers([one.origin, one.period], _LARGEST)
    _require(one.period > 1e-30, f"the period of {name[:64]!r} is out of range")
    steps = range(one.steps, one.steps + len(one.knots))
    _check_columns([one.column, one.presence, one.cycle, *one.values.values(), *steps], size, least=-1)
    _require(one.cycle + 1 < size, "a column is out of range")
    _require(not one.knots or one.steps >= 0, "a column is out of range")
    ascends = all(low < high for low, high in zip(one.knots, one.knots[1:], strict=False))
    _require(ascends, "the steps of a number do not ascend")


def _check_columns(columns: Sequence[int], size: int, *, least: int = 0) -> None:
    _require(all(least <= column < size for column in columns), "a column is out of range")


def _check_features(features: RawFeatures) -> None:
    _check_numbers(features.numbers.values(), LARGEST_NUMBER)


def _check_numbers(values: Iterable[float], largest: float) -> None:
    for value in values:
        _require(math.isfinite(value) and abs(value) <= largest, "a number is out of range")


def _check_action_features(each: Iterable[bytes]) -> None:
    for features in each:
        try:
            read_action_features(features)
        except EngineRefused as error:
            raise ValueError("the features of an action can't be read") from error


def check_weights(least: float, greatest: float, /) -> None:
    """Check the least and the greatest number of a matrix; NaN is neither.

    Raises:
        ValueError: they are out of range.
    """
    _require(
        -_LARGEST_WEIGHT <= least <= greatest <= _LARGEST_WEIGHT, "a weight is not a number, or out of range"
    )


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
