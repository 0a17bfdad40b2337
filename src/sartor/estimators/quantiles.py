"""Quantiles and other special functions that intervals need; the only file that imports SciPy.

SciPy is loaded by the first call that needs it: it takes 0.15 s and 30 MB, and the processes that serve
requests and learn need none of it. Those that serve requests need no NumPy either.
"""

from functools import cache
from statistics import NormalDist
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sartor.estimators.columns import Floats


@cache
def _load_special() -> ModuleType:
    from scipy import special  # type: ignore[import-untyped]

    module: ModuleType = special
    return module


def normal_quantile(p: float, /) -> float:
    """Returns the ``p`` quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(p)


def beta_quantile(p: float, /, *, a: float, b: float) -> float:
    """Returns the ``p`` quantile of the Beta(a, b) distribution."""
    return float(_load_special().betaincinv(a, b, p))


def f_one_quantile(p: float, /, *, degrees: float) -> float:
    """Returns the ``p`` quantile of the F(1, degrees) distribution, which is that of a squared Student's t."""
    return float(_load_special().stdtrit(degrees, (1 + p) / 2)) ** 2


def log_normal_mass(lower: "Floats", upper: "Floats", /) -> "Floats":
    """Returns log(Φ(upper) - Φ(lower)) for ``lower`` ≤ 0 and ``lower`` < ``upper``, exact far into the tail."""
    import numpy as np

    log_ndtr = _load_special().log_ndtr
    top = log_ndtr(upper)
    return np.asarray(top + np.log1p(-np.exp(log_ndtr(lower) - top)), dtype=np.float64)
