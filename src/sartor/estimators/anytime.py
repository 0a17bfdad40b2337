"""An interval that stays valid while the log grows, people watch, and the logging policy learns."""

from collections.abc import Sequence
from math import log

import numpy as np

from sartor.errors import InvalidColumns
from sartor.estimators import quantiles
from sartor.estimators.columns import Floats
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.ips import BoundedSums

_BETS: Floats = 0.9 * 2.0 ** (-np.arange(40) / 2)
"""How much is staked (λ): from 0.9 for a handful of events down to 1e-6 for 1e12 of them, all at once."""
_PRICES: Floats = -np.log1p(-_BETS) - _BETS
"""ψ(λ) = -ln(1 - λ) - λ: what the variance costs at each stake."""

_HALVINGS = 34
"""Bisections of the unit interval until 1e-10 is left."""


class Anytime(BoundedSums, kw_only=True):
    """A confidence sequence: the probability that it *ever* leaves out the value is at most ``alpha``.

    Let Z_i = w_i R_i with R the reward scaled to [0, 1]. For every stake λ in [0, 1), every centre
    c in [0, 1] and V the mean of the values E[Z_i | past] so far,

        M(V) = exp( λ Σ (Z_i - V) - ψ(λ) Σ (Z_i - c)² ),    ψ(λ) = -ln(1 - λ) - λ

    is a non-negative supermartingale that starts at 1, as exp(λ y - ψ(λ) y²) ≤ 1 + λ y for y ≥ -1. So is its
    average over c (uniform on [0, 1], in closed form) and over a fixed geometric grid of λ. By Ville's
    inequality it ever reaches 2/alpha with probability alpha/2 at most: the lower end is the smallest V at
    which it is below. The upper end is the same for w (1 - R), whose mean is at most 1 - V.

    Assumes: logged propensities are the probabilities that were used; rewards within ``bounds``; nothing else.
        The
    logging policy may change with every event, contexts may drift (the interval is then for the mean of the
    policy's value over the events so far), weights may be unbounded, support may be missing (the interval
    then stays wide), and one may stop at any time. Where rows were left out of the log, the guarantee needs
    the ``dropped`` column; with expected numbers it is approximate.

    The averages make the interval a function of five sums: it doesn't depend on the order of events or on
    batches, and merges exactly. Near the value, it is about twice as wide as the Gaussian interval.
    Paper: Waudby-Smith, Wu, Ramdas, Karampatziakis, Mineiro 2022 (2210.10768), for importance-weighted
    rewards, reflection and time-varying values; Karampatziakis, Mineiro, Ramdas 2021 (Off-policy Confidence
    Sequences); the inequality is lemma 4.1 of Fan, Grama, Liu 2015 (EJP 20, no. 1); mixtures: 2010.09686. Those
    papers centre at a running mean; the average over c is what replaces it here.
    Cost: O(rows) to add, O(1) memory; about 3 ms for an interval.
    """

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Uniformly valid over time. None also where its ends cross: the log then refutes an assumption."""
        if not self.events:
            return None
        low = smallest_plausible(self.events, *self._gain(), surprise=log(2 / alpha))
        high = 1 - smallest_plausible(self.events, *self._loss(), surprise=log(2 / alpha))
        return Interval(self.bounds.reward(low), self.bounds.reward(high)) if low <= high else None


def log_wealth(events: Floats, total: Floats, squares: Floats, value: Floats, /) -> Floats:
    """Log M(value) for each element, after ``events`` terms Z ≥ 0 with these sums; all of one shape.

    What a gambler owns who started with 1 and bet that the mean is larger than ``value``.
    """
    return _average(_stakes(events, total, squares), total - events * value)


def _stakes(events: Floats, total: Floats, squares: Floats) -> Floats:
    """The part of each stake's exponent that does not depend on the value, averaged over the centre."""
    mean = (total / events)[..., None]
    spread = np.maximum(squares - total * total / events, 0.0)[..., None]
    sharpness = _PRICES * events[..., None]
    scale = np.sqrt(2 * sharpness)
    mass = quantiles.log_normal_mass(-scale * mean, scale * (1 - mean))
    return np.asarray(mass + 0.5 * np.log(np.pi / sharpness) - _PRICES * spread, dtype=np.float64)


def _average(stakes: Floats, excess: Floats) -> Floats:
    exponents = stakes + _BETS * excess[..., None]
    top = exponents.max(axis=-1)
    return np.asarray(top + np.log(np.exp(exponents - top[..., None]).mean(axis=-1)), dtype=np.float64)


def smallest_plausible(events: float, total: float, squares: float, /, *, surprise: float) -> float:
    """The smallest mean in [0, 1] at which log M ≤ ``surprise``: log M falls as the mean grows."""
    stakes = _stakes(np.array(events), np.array(total), np.array(squares))
    low, high = 0.0, min(1.0, total / events)
    if _average(stakes, np.array(total)) <= surprise:
        return 0.0
    while high - low > 1e-10:
        middle = (low + high) / 2
        if _average(stakes, np.array(total - events * middle)) > surprise:
            low = middle
        else:
            high = middle
    return low


def anytime_intervals(sequences: Sequence[Anytime], /, *, alpha: float = 0.05) -> list[Interval | None]:
    """The interval of each, all at once: about 0.1 ms each where one alone takes 3 ms. Equal bounds.

    Raises:
        InvalidColumns: their bounds differ.
    """
    if len({found.bounds for found in sequences}) > 1:
        raise InvalidColumns("Intervals are computed together for equal bounds only.")
    told = [found for found in sequences if found.events]
    if not told:
        return [None] * len(sequences)
    bounds, events = told[0].bounds, np.array([found.events for found in told])
    low = _all_smallest(events, np.array([found._gain() for found in told]), surprise=log(2 / alpha))
    high = 1 - _all_smallest(events, np.array([found._loss() for found in told]), surprise=log(2 / alpha))
    ends = iter(zip(low.tolist(), high.tolist(), strict=True))
    return [_interval(bounds, *next(ends)) if found.events else None for found in sequences]


def _interval(bounds: Bounds, low: float, high: float) -> Interval | None:
    return Interval(bounds.reward(low), bounds.reward(high)) if low <= high else None


def _all_smallest(events: Floats, sums: Floats, *, surprise: float) -> Floats:
    """``smallest_plausible`` for each row of sums (total, squares), by the same bisection side by side."""
    total, squares = sums[:, 0], sums[:, 1]
    stakes = _stakes(events, total, squares)
    low, high = np.zeros(len(events)), np.minimum(1.0, total / events)
    high = np.where(_average(stakes, total) <= surprise, 0.0, high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = _average(stakes, total - events * middle) > surprise
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return low
