"""The few special functions that intervals need; the only file that knows SciPy."""

from statistics import NormalDist

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from sartor.evaluate.columns import Floats


def normal(p: float, /) -> float:
    """The ``p`` quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(p)


def beta(p: float, /, *, a: float, b: float) -> float:
    """The ``p`` quantile of the Beta(a, b) distribution."""
    return float(special.betaincinv(a, b, p))


def f_one(p: float, /, *, degrees: float) -> float:
    """The ``p`` quantile of the F(1, degrees) distribution, which is that of a squared Student's t."""
    return float(special.stdtrit(degrees, (1 + p) / 2)) ** 2


def log_normal_mass(lower: Floats, upper: Floats, /) -> Floats:
    """log(Φ(upper) - Φ(lower)) for ``lower`` ≤ 0 and ``lower`` < ``upper``, exact far into the tail."""
    top = special.log_ndtr(upper)
    return np.asarray(top + np.log1p(-np.exp(special.log_ndtr(lower) - top)), dtype=np.float64)
