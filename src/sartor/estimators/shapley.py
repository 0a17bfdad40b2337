"""Shapley values: what all features are worth together, divided so that features that say the same share it.

The players are features or groups of features; v(S) is the value of a policy that sees only those in S. The
share of a player is the mean, over all orders in which players can be added one by one, of what v gains when
the player is added (Shapley 1953). Leaving one out asks only for the gain at the end of an order, which is
nothing where another player says the same.
"""

import random
from collections.abc import Sequence
from itertools import combinations, pairwise
from math import factorial, sqrt

import numpy as np
from msgspec import Struct

from sartor.estimators.columns import Floats
from sartor.estimators.leave_one_out import Effect
from sartor.estimators.quantiles import normal_quantile
from sartor.feature_names import FeatureName

EVERYBODY, NOBODY = 0, 1
"""The first two rows of values: those of all players, and of none."""

_FIRST = 2


class CoalitionPlan(Struct, frozen=True, kw_only=True):
    """Which coalitions are valued, and how shares are made of their values.

    Attributes:
        coalitions: the players in each coalition between nobody and everybody, sorted.
        coefficients: for each pair of orders, or once where all orders count, an array of shape
            (players, 2 + coalitions) that makes shares of the values of everybody, nobody and the coalitions.
        orders: how many orders were drawn; 0: all of them count, so that the shares have no error of sampling.
    """

    coalitions: tuple[tuple[int, ...], ...]
    coefficients: tuple[Floats, ...]
    orders: int


class FeatureShares(Struct, frozen=True, kw_only=True, rename="camel"):
    """What all features are worth together, in reward per decision, and the share of each group of them.

    Attributes:
        value: that of the policy that sees all features minus that of one that sees none; the sum of shares.
        low: the lower end of its interval at 95 %.
        high: the upper end.
        shares: the greatest first. With an empty feature, that of all that is measured in a namespace; with
            an empty namespace too, that of all features that are in no other group.
        orders: see ``CoalitionPlan``.
        variants: how many policies were learned for it.
    """

    value: float
    low: float
    high: float
    shares: tuple[Effect, ...]
    orders: int
    variants: int


def largest_number_of_players(most: int, /) -> int:
    """Returns how many players there may be so that three pairs of orders need at most ``most`` coalitions."""
    return max(2, most // 6 + 1)


def plan_coalitions(players: int, telling: frozenset[int], /, *, most: int, seed: int = 1) -> CoalitionPlan:
    """Chooses the coalitions to value.

    If there are few enough, all are. Otherwise orders of players are drawn in pairs of one and its reverse, so
    that of two players that say the same each comes first in every pair; the pairs are rotations of one random
    order, so that players come at each place about equally often. An order with its cuts gives one gain a
    player, and gains of an order add up to the whole: efficiency holds for any number of orders.
    Papers: Castro, Gómez, Tejada 2009 (Computers & OR 36), sampled orders; Mitchell, Cooper, Frank, Holmes 2022
    (JMLR 23, 2104.12199), section 2.2, antithetic ones; Covert, Lundberg, Lee 2020 (2004.00668), features as
    players. Cost: at most ``most`` coalitions, whatever the number of players.

    Args:
        players: how many there are, at least one.
        telling: those that can tell actions apart. A coalition without any is worth what nobody is.
        most: how many coalitions at most, at least 2 · (players - 1).
        seed: of the order.
    """
    columns: dict[frozenset[int], int] = {frozenset(range(players)): EVERYBODY}
    count = 2**players - 2 ** (players - len(telling)) - 1
    if count <= most:
        coefficients = [_weigh_all_orders(players, telling, columns)]
        orders = 0
    else:
        pairs = most // (2 * (players - 1))
        first = random.Random(seed).sample(range(players), players)
        shifts = [pair * players // pairs for pair in range(pairs)]
        rotated = [(*first[shift:], *first[:shift]) for shift in shifts]
        coefficients = [_weigh_pair(order, telling, columns) for order in rotated]
        orders = 2 * pairs
    between = [coalition for coalition, column in columns.items() if column >= _FIRST]
    return CoalitionPlan(
        coalitions=tuple(tuple(sorted(coalition)) for coalition in between),
        coefficients=tuple(_to_array(one, players, _FIRST + len(between)) for one in coefficients),
        orders=orders,
    )


_Sparse = dict[tuple[int, int], float]
"""Coefficients by player and column."""


def _weigh_all_orders(players: int, telling: frozenset[int], columns: dict[frozenset[int], int]) -> _Sparse:
    """Shapley's formula: |S|! (n - |S| - 1)! / n! for each S without the player."""
    found: _Sparse = {}
    for player in range(players):
        others = [other for other in range(players) if other != player]
        for size in range(players):
            weight = factorial(size) * factorial(players - size - 1) / factorial(players)
            for chosen in combinations(others, size):
                before = frozenset(chosen)
                _add_gain(found, player, before, before | {player}, weight, telling, columns)
    return found


def _weigh_pair(order: Sequence[int], telling: frozenset[int], columns: dict[frozenset[int], int]) -> _Sparse:
    found: _Sparse = {}
    for directed in (tuple(order), tuple(reversed(order))):
        cuts = [frozenset(directed[:place]) for place in range(len(directed) + 1)]
        for player, (before, after) in zip(directed, pairwise(cuts), strict=True):
            _add_gain(found, player, before, after, 0.5, telling, columns)
    return found


def _add_gain(
    found: _Sparse,
    player: int,
    before: frozenset[int],
    after: frozenset[int],
    weight: float,
    telling: frozenset[int],
    columns: dict[frozenset[int], int],
) -> None:
    for coalition, signed in ((before, -weight), (after, weight)):
        column = _find_column(coalition, telling, columns)
        found[player, column] = found.get((player, column), 0.0) + signed


def _find_column(coalition: frozenset[int], telling: frozenset[int], columns: dict[frozenset[int], int]) -> int:
    if coalition not in columns and not coalition & telling:
        return NOBODY
    return columns.setdefault(coalition, _FIRST + len(columns) - 1)


def _to_array(sparse: _Sparse, players: int, columns: int) -> Floats:
    array = np.zeros((players, columns))
    for (player, column), coefficient in sparse.items():
        array[player, column] = coefficient
    return array


def measure_shares(
    plan: CoalitionPlan, names: Sequence[FeatureName], values: Floats, /, *, alpha: float = 0.05
) -> FeatureShares:
    """Estimates the share of each player, from the values of coalitions on the same rows.

    φ = C · v̄, with v̄ the means of the rows of ``values`` and C the plan's coefficients. The variance is the sum
    of two: that of the rows, (1/N) Var_i(C · v_i), where noise that coalitions have in common cancels; and,
    where orders were drawn, that of the pairs of orders, whose mean φ is. With a single pair the latter is
    unknown and left out.
    Interval: Gaussian, at one number of rows fixed beforehand. Cost: O(players · coalitions · rows).

    Args:
        plan: the coalitions.
        names: of the players.
        values: for each row an unbiased guess of what everybody, nobody and each coalition would earn; shape
            (2 + coalitions, rows), with one row at least.
        alpha: 1 - the level.
    """
    quantile = normal_quantile(1 - alpha / 2)
    mean = np.mean(np.array(plan.coefficients), axis=0)
    shares, variances = _mean_and_variance(mean @ values)
    if len(plan.coefficients) > 1:
        by_pair = np.array([coefficients @ values.mean(axis=1) for coefficients in plan.coefficients])
        variances = variances + by_pair.var(axis=0, ddof=1) / len(by_pair)
    effects = [
        Effect(
            namespace=name.namespace,
            feature=name.name,
            effect=float(share),
            low=float(share - half),
            high=float(share + half),
        )
        for name, share, half in zip(names, shares, quantile * np.sqrt(variances), strict=True)
    ]
    whole, variance = _mean_and_variance((values[EVERYBODY] - values[NOBODY])[np.newaxis])
    half = quantile * sqrt(variance[0])
    return FeatureShares(
        value=float(whole[0]),
        low=float(whole[0] - half),
        high=float(whole[0] + half),
        shares=tuple(sorted(effects, key=lambda one: (-one.effect, one.namespace, one.feature))),
        orders=plan.orders,
        variants=len(plan.coalitions) + 1,
    )


def _mean_and_variance(terms: Floats) -> tuple[Floats, Floats]:
    """Returns the means of the rows of terms, and the variances of these means; shapes (players,)."""
    rows = terms.shape[1]
    spread = terms.var(axis=1, ddof=1) if rows > 1 else np.zeros(len(terms))
    return terms.mean(axis=1), spread / rows
