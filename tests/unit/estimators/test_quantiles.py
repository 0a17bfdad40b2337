"""The special functions, against tabled values and far into the tails."""

import numpy as np
import pytest

from sartor.estimators import quantiles


def test_tabled_values() -> None:
    assert quantiles.normal_quantile(0.975) == pytest.approx(1.9599639845)
    assert quantiles.beta_quantile(0.5, a=1, b=1) == pytest.approx(0.5)
    assert quantiles.f_one_quantile(0.95, degrees=10) == pytest.approx(4.9646027)
    assert quantiles.f_one_quantile(0.95, degrees=1e12) == pytest.approx(1.9599639845**2)


def test_normal_mass() -> None:
    found = quantiles.log_normal_mass(np.array([-1.0, -1e-9, -50.0]), np.array([1.0, 1e-9, -40.0]))
    assert np.exp(found[0]) == pytest.approx(0.6826894921)
    assert np.exp(found[1]) == pytest.approx(2e-9 / np.sqrt(2 * np.pi), rel=1e-6)
    assert found[2] == pytest.approx(-804.6084420137538, rel=1e-9)
