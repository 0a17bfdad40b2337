"""The regressions are exactly those of the closed form, whatever order the past was learned in."""

import numpy as np
import pytest

from sartor.learn.second_order.columns import ColumnPlan, Vector
from sartor.learn.second_order.regressors import Regressors
from sartor.learn.second_order.ridge import RidgePerAction, SharedRidge, update_inverse

COLUMNS = 6


def draw_data(rows: int, *, seed: int = 1, columns: int = COLUMNS) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, columns))
    z[:, 0] = 1.0
    return z, z @ rng.normal(size=columns) + 0.3 * rng.normal(size=rows)


def solve(z: Vector, y: Vector, penalty: float, prior: Vector) -> Vector:
    """The weights that minimise λ|w - prior|² + Σ (y - wᵀz)²."""
    gram = penalty * np.eye(z.shape[1]) + z.T @ z
    return np.asarray(np.linalg.solve(gram, penalty * prior + z.T @ y))


def learn_all(ridge: RidgePerAction, z: Vector, y: Vector, *, action: int = 0, first: int = 1) -> None:
    for clock, (row, target) in enumerate(zip(z, y.tolist(), strict=True), first):
        ridge.learn(action, row, target, clock=clock)


@pytest.mark.parametrize("rows", [1, 2, 5, 60, 1_000])
@pytest.mark.parametrize("penalty", [2.0, 30.0, 300.0])
def test_weights_are_those_of_the_closed_form(rows: int, penalty: float) -> None:
    z, y = draw_data(rows)
    prior = np.linspace(-1, 1, COLUMNS)
    ridge = RidgePerAction(COLUMNS, penalty)
    ridge.ensure_room(1)
    ridge.reset(0, prior)
    learn_all(ridge, z, y)
    assert np.abs(ridge.weights[0] - solve(z, y, penalty, prior)).max() < 1e-4


def test_the_shared_regression_is_that_of_the_closed_form_on_products() -> None:
    z, y = draw_data(200)
    u = np.random.default_rng(2).normal(size=(200, 3))
    shared = SharedRidge(3, 4, 10.0)
    for one, row, target in zip(u, z, y.tolist(), strict=True):
        shared.learn(one, row, target)
    phi = np.array([np.outer(one[:3], row[:4]).ravel() for one, row in zip(u, z, strict=True)])
    expected = solve(phi, y, 10.0, np.zeros(12))
    assert np.abs(shared.weights.ravel() - expected).max() < 1e-4
    assert np.allclose(shared.project(u[0]), u[0] @ shared.weights)


@pytest.mark.parametrize("rows", [0, 1, 40])
def test_a_moved_prior_is_as_if_it_had_been_there_from_the_start(rows: int) -> None:
    z, y = draw_data(rows or 1)
    old, new = np.zeros(COLUMNS), np.linspace(-2, 2, COLUMNS)
    moved, always = RidgePerAction(COLUMNS, 5.0), RidgePerAction(COLUMNS, 5.0)
    for ridge, prior in ((moved, old), (always, new)):
        ridge.ensure_room(1)
        ridge.reset(0, prior)
        learn_all(ridge, z[:rows], y[:rows])
    moved.move_prior(0, new - old)
    assert np.abs(moved.weights - always.weights).max() < 1e-4
    learn_all(moved, z, y, first=rows + 1)
    learn_all(always, z, y, first=rows + 1)
    assert np.abs(moved.weights - always.weights).max() < 1e-4


def test_actions_learn_apart_and_growing_keeps_what_they_learned() -> None:
    z, y = draw_data(30)
    ridge = RidgePerAction(COLUMNS, 2.0)
    ridge.ensure_room(1)
    ridge.reset(0, np.zeros(COLUMNS))
    learn_all(ridge, z, y)
    before = ridge.weights[0].copy(), ridge.inverses.full[0].copy()
    ridge.ensure_room(9)
    for action in range(1, 9):
        ridge.reset(action, np.zeros(COLUMNS))
        learn_all(ridge, z, -y, action=action)
    assert np.array_equal(ridge.weights[0], before[0])
    assert np.array_equal(ridge.inverses.full[0], before[1])
    assert np.abs(ridge.weights[8] + ridge.weights[0]).max() < 1e-9


def test_an_action_that_begins_again_has_forgotten_everything() -> None:
    z, y = draw_data(50)
    used, fresh = (RidgePerAction(COLUMNS, 2.0, half_life=100) for _ in range(2))
    for ridge in (used, fresh):
        ridge.ensure_room(1)
    used.reset(0, np.ones(COLUMNS))
    learn_all(used, z, -y)
    for ridge in (used, fresh):
        ridge.reset(0, np.zeros(COLUMNS))
        learn_all(ridge, z, y, first=1_000)
    assert np.array_equal(used.weights, fresh.weights)
    assert np.array_equal(used.inverses.full, fresh.inverses.full)


def test_what_is_forgotten_lets_later_outcomes_count_more() -> None:
    z, y = draw_data(400)
    weights = {}
    for half_life in (50.0, np.inf):
        ridge = RidgePerAction(COLUMNS, 2.0, half_life=half_life)
        ridge.ensure_room(1)
        ridge.reset(0, np.zeros(COLUMNS))
        learn_all(ridge, z, y)
        learn_all(ridge, z[:100], -y[:100], first=401)
        weights[half_life] = ridge.weights[0]
    target = solve(z[:100], -y[:100], 2.0, np.zeros(COLUMNS))
    assert np.abs(weights[50.0] - target).max() < 0.5 * np.abs(weights[np.inf] - target).max()


@pytest.mark.parametrize("pause", [1, 1_000, 10**12])
def test_forgetting_never_makes_an_action_less_certain_than_at_its_beginning(pause: int) -> None:
    z, y = draw_data(300)
    ridge = RidgePerAction(COLUMNS, 2.0, half_life=10)
    ridge.ensure_room(1)
    ridge.reset(0, np.zeros(COLUMNS))
    for number, (row, target) in enumerate(zip(z, y.tolist(), strict=True), 1):
        ridge.learn(0, row, target, clock=number * pause)
        assert float(np.trace(ridge.inverses.full[0])) <= COLUMNS / 2.0 * (1 + 1e-5)
    assert np.isfinite(ridge.weights).all()
    assert np.linalg.eigvalsh(ridge.inverses.full[0].astype(np.float64)).min() > 0


def test_a_hundred_thousand_updates_leave_p_positive() -> None:
    rng = np.random.default_rng(5)
    inverse = np.eye(COLUMNS, dtype=np.float32) * np.float32(0.5)
    rows = np.clip(3 * rng.normal(size=(500, COLUMNS)), -3, 3)
    rows[:, 1] = rows[:, 2] + 1e-4 * rng.normal(size=500)  # two that are nearly the same
    for number in range(100_000):
        _, c = update_inverse(inverse, rows[number % 500])
        assert c >= 1.0
    assert np.isfinite(inverse).all()
    assert np.array_equal(inverse, inverse.T)
    assert np.linalg.eigvalsh(inverse.astype(np.float64)).min() > -1e-6


def test_c_is_one_plus_what_was_uncertain() -> None:
    inverse = np.diag([1.0, 2.0]).astype(np.float32)
    v, c = update_inverse(inverse, np.array([1.0, 1.0]))
    assert (v.tolist(), c) == ([1.0, 2.0], 4.0)
    assert np.allclose(inverse, [[0.75, -0.5], [-0.5, 1.0]])


def test_an_action_that_has_learned_nothing_is_predicted_by_the_shared_regression() -> None:
    regressors = Regressors(ColumnPlan(linear=3, size=3), ColumnPlan(linear=2, size=2), half_life=500)
    regressors.add_crossed([0, 1, 2], regressors.crossings)
    rng = np.random.default_rng(3)
    for number in range(40):
        z = np.array([1.0, *rng.normal(size=2)])
        regressors.learn(z, f"a{number % 2}", b"[]", float(z[1]))
    z = np.array([1.0, 0.5, -0.5])
    predictions = regressors.predict_each(z, "new", b"[]")
    assert set(predictions) == {float(regressors.inherit(regressors.encode_action(b"[]")) @ z)}
    assert predictions[0] == pytest.approx(0.5, abs=0.2)
