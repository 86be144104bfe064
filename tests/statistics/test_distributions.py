"""Our normal and t distributions against scipy's."""

from __future__ import annotations

import math

import pytest
from scipy import special, stats

from tools.statistics.distributions import (
    normal_cdf,
    normal_quantile,
    regularized_beta,
    student_t_cdf,
    student_t_quantile,
    two_sided_p,
    two_sided_t_quantile,
)


@pytest.mark.parametrize("freedom", [1, 2, 2.5, 7, 29, 1054, 20000])
@pytest.mark.parametrize("probability", [0.0005, 0.025, 0.3, 0.5, 0.9, 0.975, 0.9999])
def test_t_quantile_is_scipys(probability: float, freedom: float) -> None:
    assert student_t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-9)


@pytest.mark.parametrize("value", [-40.0, -3.0, -0.1, 0.0, 0.4, 2.0, 9.0])
@pytest.mark.parametrize("freedom", [1, 3, 29, 1054])
def test_t_cdf_is_scipys_also_far_in_the_tail(value: float, freedom: int) -> None:
    assert student_t_cdf(value, freedom) == pytest.approx(stats.t.cdf(value, freedom), rel=1e-9, abs=1e-300)


def test_infinite_freedom_is_the_normal_distribution() -> None:
    assert student_t_cdf(1.5, math.inf) == pytest.approx(stats.norm.cdf(1.5), rel=1e-12)
    assert two_sided_t_quantile(0.95, math.inf) == pytest.approx(1.959963984540054, rel=1e-12)
    assert normal_quantile(0.8) == pytest.approx(stats.norm.ppf(0.8), rel=1e-12)
    assert normal_cdf(-8.0) == pytest.approx(stats.norm.cdf(-8.0), rel=1e-12)
    assert student_t_cdf(math.inf, 3) == 1.0
    assert student_t_cdf(-math.inf, 3) == 0.0


@pytest.mark.parametrize("a", [0.5, 2.0, 40.0])
@pytest.mark.parametrize("b", [0.5, 3.0, 700.0])
@pytest.mark.parametrize("x", [0.0, 0.001, 0.3, 0.9, 1.0])
def test_incomplete_beta_is_scipys(x: float, a: float, b: float) -> None:
    assert regularized_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-10, abs=1e-300)


def test_two_sided_p_is_scipys() -> None:
    assert two_sided_p(-2.2, 29) == pytest.approx(2 * stats.t.sf(2.2, 29), rel=1e-9)
    assert two_sided_p(0.0, 29) == 1.0


@pytest.mark.parametrize(("probability", "freedom"), [(0.0, 5), (1.0, 5), (0.5, 0), (0.9, -1)])
def test_quantile_refuses_what_has_none(probability: float, freedom: float) -> None:
    with pytest.raises(ValueError, match="no t quantile"):
        student_t_quantile(probability, freedom)
