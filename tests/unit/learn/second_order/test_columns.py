"""Contexts as vectors: nothing depends on units, and nothing exceeds its limits."""

import json
import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sartor.learn.second_order.columns import LIMIT, ColumnPlan, Vector, fit_scale
from sartor.learn.second_order.plan_columns import plan_columns
from sartor.learn.second_order.reading import RawFeatures

EXAMPLES = 300


def draw_numbers(seed: int) -> list[dict[str, float]]:
    rng = random.Random(seed)
    return [
        {
            "normal": rng.gauss(0, 1),
            "whole": float(rng.randrange(7)),
            "heavy": rng.lognormvariate(0, 2.5),
            "even": rng.random(),
        }
        for _ in range(EXAMPLES)
    ]


def encode_all(rows: Sequence[dict[str, float]], *, linear: int = 96, size: int = 128) -> Vector:
    examples = [RawFeatures(row, ()) for row in rows]
    plan = plan_columns(examples, linear=linear, size=size)
    return np.array([plan.encode(example) for example in examples])


CHANGES: dict[str, Callable[[float], float]] = {
    "x + 1000": lambda x: x + 1000,
    "x · 1e6": lambda x: x * 1e6,
    "x · 0.001": lambda x: x * 0.001,
    "x · 0.3 - 7": lambda x: x * 0.3 - 7,
}


@pytest.mark.parametrize("change", CHANGES)
def test_vectors_depend_neither_on_the_unit_of_a_number_nor_on_its_zero(change: str) -> None:
    rows = draw_numbers(1)
    changed = [{name: CHANGES[change](value) for name, value in row.items()} for row in rows]
    assert np.abs(encode_all(rows) - encode_all(changed)).max() < 1e-6


def test_a_number_with_the_other_sign_is_standardised_to_the_other_sign() -> None:
    values = np.array([row["normal"] for row in draw_numbers(2)])
    one, other = fit_scale(values), fit_scale(-values)
    assert one is not None
    assert other is not None
    for value in values.tolist():
        assert one.standardise(value) == pytest.approx(-other.standardise(-value), abs=1e-9)


def test_standardised_numbers_have_mean_0_and_deviation_about_1_and_stay_within_3() -> None:
    vectors = encode_all(draw_numbers(3), size=16, linear=16)  # no room for fine columns
    assert vectors.shape[1] == 13
    assert np.abs(vectors[:, 1:5]).max() <= LIMIT
    assert np.abs(vectors[:, 1:5].mean(axis=0)).max() < 0.15
    assert np.abs(vectors[:, 1:5].std(axis=0) - 1).max() < 0.15  # the clipped tails are missing


@pytest.mark.parametrize("deviation", [2.5, 4.0])
def test_heavy_tails_are_compressed_so_that_most_values_differ(deviation: float) -> None:
    values = np.random.default_rng(4).lognormal(0, deviation, 500)
    scale = fit_scale(values)
    assert scale is not None
    assert scale.heavy
    t = np.array([scale.standardise(value) for value in values.tolist()])
    assert np.quantile(t, 0.75) - np.quantile(t, 0.25) > 0.5
    assert (np.abs(t) == LIMIT).mean() < 0.05


def test_one_value_that_is_far_out_does_not_hide_the_others() -> None:
    values = np.append(np.random.default_rng(4).normal(size=499), -999_999.0)
    scale = fit_scale(values)
    assert scale is not None
    assert scale.standardise(1.0) - scale.standardise(-1.0) > 1.0


@pytest.mark.parametrize("value", [0.0, 5.0, -1e15, 1e-300, 0.1])
def test_a_constant_has_no_column_of_its_own(value: float) -> None:
    assert fit_scale(np.full(100, value)) is None
    plan = plan_columns([RawFeatures({"x": value}, ())] * 10, linear=96, size=128)
    assert plan.numbers == {}
    assert plan.encode(RawFeatures({"x": value + 1}, ()))[1:].tolist() == [0.0] * 8


@pytest.mark.parametrize("values", [[5e-324, 0.0], [1e15, -1e15], [1e15, 1e15 + 1], [0.0] * 40 + [1e-12]])
def test_extreme_numbers_have_finite_columns(values: list[float]) -> None:
    examples = [RawFeatures({"x": value}, ()) for value in values]
    plan = plan_columns(examples, linear=96, size=128)
    for value in [*values, 0.0, 1e15, -1e15, 5e-324]:
        z = plan.encode(RawFeatures({"x": value}, ()))
        assert np.isfinite(z).all()
        assert np.abs(z).max() <= LIMIT


def test_a_missing_number_is_0_and_its_presence_has_a_column() -> None:
    rows = [{"x": float(n % 5)} if n % 2 else {} for n in range(100)]
    examples = [RawFeatures(row, ()) for row in rows]
    plan = plan_columns(examples, linear=96, size=128)
    presence, column = plan.numbers["x"].presence, plan.numbers["x"].column
    missing, there = plan.encode(examples[0]), plan.encode(examples[1])
    assert (missing[presence], missing[column]) == (0.0, 0.0)
    assert missing.tolist() == [1.0] + [0.0] * (plan.size - 1)
    assert there[presence] == 1.0


def test_whole_numbers_are_categories_as_well() -> None:
    rows = draw_numbers(5)
    plan = plan_columns([RawFeatures(row, ()) for row in rows], linear=96, size=128)
    columns = plan.numbers["whole"].values
    assert sorted(columns) == [0, 1, 2, 3, 4, 5, 6]
    for value, column in columns.items():
        z = plan.encode(RawFeatures({"whole": value}, ()))
        assert [z[other] for other in columns.values()] == [
            float(other == column) for other in columns.values()
        ]
    between = plan.encode(RawFeatures({"whole": 2.5}, ()))
    assert {between[column] for column in columns.values()} == {0.0}
    assert plan.numbers["normal"].values == {}
    assert len(plan.numbers["normal"].knots) >= 3


def test_steps_of_a_number_sum_to_one_and_at_most_two_are_there() -> None:
    plan = plan_columns([RawFeatures(row, ()) for row in draw_numbers(6)], linear=96, size=128)
    one = plan.numbers["even"]
    for value in (-5.0, 0.0, 0.123, 0.5, 0.99, 7.0):
        z = plan.encode(RawFeatures({"even": value}, ()))
        steps = z[one.steps : one.steps + len(one.knots)]
        assert steps.sum() == pytest.approx(1.0)
        assert (steps > 0).sum() <= 2


def test_numbers_that_come_round_again_are_as_near_at_midnight() -> None:
    rows = [{"hour": float(n % 24), "price": float(n % 24)} for n in range(100)]
    plan = plan_columns([RawFeatures(row, ()) for row in rows], linear=96, size=128)
    cycle = plan.numbers["hour"].cycle
    late, early, noon = (plan.encode(RawFeatures({"hour": hour}, ())) for hour in (23.9, 0.1, 12.0))
    assert np.abs(late - early)[cycle : cycle + 2].max() < 0.06
    assert np.abs(noon - early)[cycle : cycle + 2].max() > 1
    assert plan.numbers["price"].cycle == -1


def test_hours_beyond_a_day_do_not_come_round_again() -> None:
    rows = [RawFeatures({"hour": float(n)}, ()) for n in range(100)]
    assert plan_columns(rows, linear=96, size=128).numbers["hour"].cycle == -1


def test_rare_tokens_share_columns_and_frequent_ones_have_their_own() -> None:
    examples = [RawFeatures({}, (f"id={n}", f"device={n % 3}", "same=x")) for n in range(100)]
    plan = plan_columns(examples, linear=96, size=128)
    assert {token for token, column in plan.tokens.items() if column > 0} == {
        "device=0",
        "device=1",
        "device=2",
    }
    assert plan.tokens["same=x"] == 0
    assert plan.hashed > 0
    shared = slice(plan.hashed, plan.hashed + plan.buckets)
    for example in [*examples, RawFeatures({}, ("id=unseen",))]:
        assert np.abs(plan.encode(example)[shared]).sum() == 1.0
    assert plan.encode(RawFeatures({}, ("same=x",))).tolist() == plan.encode(RawFeatures({}, ())).tolist()


def test_features_that_appear_later_get_a_spare_column() -> None:
    plan = plan_columns([RawFeatures({"x": float(n)}, ()) for n in range(50)], linear=96, size=128)
    size, spare = plan.size, list(plan.spare)
    for n in range(40):
        plan.notice(RawFeatures({"late": float(n)}, (f"new={n % 2}",)))
    assert plan.size == size
    taken = {plan.numbers["late"].column, plan.tokens["new=0"], plan.tokens["new=1"]}
    assert taken == set(spare[:3])
    assert plan.encode(RawFeatures({"late": 39.0}, ("new=0",)))[spare[:3]].astype(bool).sum() == 2


def test_no_more_appear_later_than_there_is_room_for() -> None:
    plan = plan_columns([RawFeatures({"x": float(n)}, ()) for n in range(50)], linear=96, size=128)
    for n in range(3_000):
        plan.notice(RawFeatures({f"n{n % 150}": float(n)}, (f"t={n % 150}",)))
    assert plan.spare == []
    assert len(plan.tokens) + len(plan.numbers) == 1 + 8
    assert len(plan.late_tokens) <= 64
    assert len(plan.late_numbers) <= 64
    assert len(plan.encode(RawFeatures({}, ()))) == plan.size


@pytest.mark.parametrize(("linear", "size"), [(10, 10), (12, 16), (18, 24), (48, 64), (96, 128), (192, 256)])
def test_the_limits_on_columns_are_kept(linear: int, size: int) -> None:
    rng = random.Random(7)
    examples = [
        RawFeatures(
            {f"n{k}": rng.random() for k in range(60) if rng.random() < 0.7},
            tuple(f"t{k}={rng.randrange(4)}" for k in range(60)),
        )
        for _ in range(100)
    ]
    plan = plan_columns(examples, linear=linear, size=size)
    assert plan.linear <= linear
    assert plan.size <= size
    used = [1, *plan.spare, *(column for column in plan.tokens.values() if column)]
    for one in plan.numbers.values():
        used += [one.column, one.presence, *one.values.values(), *([one.steps] if one.knots else [])]
    assert max(used) < plan.size
    assert len(plan.encode(examples[0])) == plan.size


def test_a_plan_depends_on_the_examples_and_not_on_the_order_of_names() -> None:
    rows = draw_numbers(8)
    turned = [dict(reversed(row.items())) for row in rows]
    assert np.array_equal(encode_all(rows), encode_all(turned))


def test_a_plan_without_any_feature_is_the_intercept_and_spare_columns() -> None:
    plan = plan_columns([RawFeatures({}, ())], linear=96, size=128)
    assert (plan.size, len(plan.spare)) == (9, 8)
    assert json.loads(json.dumps(plan.encode(RawFeatures({"x": 1}, ("t",))).tolist())) == [1.0] + [0.0] * 8


def test_a_plan_of_its_own_shares_nothing_with_another() -> None:
    one, other = (plan_columns([RawFeatures({}, ("a=1",))] * 3, linear=20, size=20) for _ in range(2))
    one.notice(RawFeatures({}, ("late",)))
    assert other.late_tokens == {} == ColumnPlan().late_tokens
