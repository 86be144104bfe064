"""Estimators against brute force, closed forms and scipy; errors kept apart; small samples; the complaints they answer."""

from __future__ import annotations

import doctest
import importlib
import itertools
import math
import subprocess
import sys
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tools.errors import DataError
from tools.statistics import estimators
from tools.statistics.estimators import Counts


def counts_of(correct: list[int], samples: int) -> Counts:
    return Counts(np.array(correct, float), np.full(len(correct), float(samples)))


# --- estimators


@pytest.mark.parametrize(("n", "c", "k"), [(6, 2, 3), (6, 0, 3), (6, 6, 1), (5, 4, 2), (4, 1, 4), (7, 3, 7)])
def test_pass_at_k_and_pass_hat_k_equal_enumeration_of_all_draws(n: int, c: int, k: int) -> None:
    draws = [sum(draw) for draw in itertools.combinations([1] * c + [0] * (n - c), k)]
    assert float(estimators.pass_at_k(n, c, k)) == pytest.approx(np.mean([right > 0 for right in draws]))
    assert float(estimators.pass_hat_k(n, c, k)) == pytest.approx(np.mean([right == k for right in draws]))


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_closed_form(case: tuple[int, int, int]) -> None:
    n, c, k = case
    assert float(estimators.pass_at_k(n, c, k)) == pytest.approx(1 - comb(n - c, k) / comb(n, k), abs=1e-12)
    assert float(estimators.pass_hat_k(n, c, k)) == pytest.approx(comb(c, k) / comb(n, k), abs=1e-12)


def test_pass_at_k_is_unbiased_where_the_plug_in_is_not() -> None:
    generator = np.random.default_rng(0)
    correct = generator.binomial(8, 0.2, 200_000)
    truth = 1 - 0.8**4
    assert estimators.pass_at_k(8, correct, 4).mean() == pytest.approx(truth, abs=0.003)
    assert np.mean(1 - (1 - correct / 8) ** 4) < truth - 0.02


def test_pass_at_k_takes_arrays_and_refuses_too_few_samples() -> None:
    assert estimators.pass_at_k([4, 8], [1, 1], 2) == pytest.approx([0.5, 0.25])
    with pytest.raises(DataError, match="pass@5 needs 5 samples of every problem; one has 4"):
        estimators.pass_at_k([8, 4], [1, 1], 5)
    with pytest.raises(DataError, match="more correct"):
        estimators.pass_at_k(4, 5, 1)
    with pytest.raises(DataError, match="whole number"):
        estimators.pass_at_k(4, 2, 0)


def test_pains_44_curves_over_k_come_from_one_set_of_samples() -> None:
    counts = counts_of([0, 3, 8], 8)
    assert list(estimators.pass_at_k_curve(counts)) == [1, 2, 4, 8]
    means = [float(values.mean()) for values in estimators.pass_at_k_curve(counts).values()]
    assert means[0] == pytest.approx(estimators.avg_at_k(counts))
    assert means == sorted(means)
    assert means[-1] == pytest.approx(2 / 3)
    worst = [float(values.mean()) for values in estimators.pass_hat_k_curve(counts).values()]
    assert worst == sorted(worst, reverse=True)
    assert worst[-1] == pytest.approx(1 / 3)
    assert estimators.curve_points(48) == [1, 2, 4, 8, 16, 32, 48]
    assert estimators.curve_points(1) == [1]


# --- ragged input


def test_pains_04_missing_samples_never_count_as_wrong() -> None:
    """lighteval #771: the score halved with every doubling of k, since absent samples were divided by."""
    full = [[1, 0, 1, 1], [0, 0, 1, 0]]
    half = [row[:2] for row in full]
    assert estimators.avg_at_k(Counts.from_rows(half)) == pytest.approx(0.25)
    ragged = [[1, 0, 1, 1], [0, 0]]
    with pytest.raises(DataError, match="between 2 and 4 samples"):
        Counts.from_rows(ragged)
    allowed = Counts.from_rows(ragged, allow_ragged=True)
    assert estimators.avg_at_k(allowed) == pytest.approx((0.75 + 0.0) / 2)
    for k in (16, 32, 64):
        assert estimators.avg_at_k(Counts.from_rows([[1] * k, [0] * k])) == 0.5


def test_counts_refuse_what_is_not_a_count() -> None:
    with pytest.raises(DataError, match="no problem"):
        Counts.from_rows([])
    with pytest.raises(DataError, match="at least one graded sample"):
        Counts.from_rows([[1], []], allow_ragged=True)
    with pytest.raises(DataError, match="0 or 1"):
        Counts.from_rows([[0.5]])
    with pytest.raises(DataError, match="same length"):
        Counts(np.ones(2), np.ones(3))


# --- errors


def test_sampling_error_is_unbiased_for_its_square() -> None:
    generator = np.random.default_rng(1)
    rates = np.array([0.1, 0.5, 0.9, 1.0])
    squares, means = [], []
    for _ in range(20_000):
        counts = Counts(generator.binomial(4, rates).astype(float), np.full(4, 4.0))
        squares.append((estimators.sampling_error(counts) or 0.0) ** 2)
        means.append(estimators.avg_at_k(counts))
    assert np.mean(squares) == pytest.approx(np.sum(rates * (1 - rates) / 4) / 16, rel=0.02)
    assert np.mean(squares) == pytest.approx(np.var(means), rel=0.04)


def test_pains_45_errors_clustered_by_problem_are_larger_than_naive_ones() -> None:
    """inspect_ai #1251: 64 samples of a problem are not 64 problems."""
    counts = counts_of([64] * 20 + [0] * 10, 64)
    naive = math.sqrt((2 / 3) * (1 / 3) / (30 * 64))
    clustered = estimators.clustered_error(counts.rates)
    assert clustered == pytest.approx(stats.sem(counts.rates))
    assert clustered > 7 * naive


def test_the_two_errors_add_up_to_the_clustered_one() -> None:
    generator = np.random.default_rng(2)
    counts = Counts(generator.binomial(8, generator.beta(1, 1, 40)).astype(float), np.full(40, 8.0))
    sampling, choice = estimators.sampling_error(counts), estimators.problem_error(counts)
    assert math.hypot(sampling or 0, choice or 0) == pytest.approx(estimators.clustered_error(counts.rates))


def test_more_samples_lower_the_sampling_error_and_leave_the_other() -> None:
    few, many = counts_of([4, 2, 6, 8], 8), counts_of([40, 20, 60, 80], 80)
    assert (estimators.sampling_error(many) or 1) < 0.35 * (estimators.sampling_error(few) or 0)
    assert (estimators.problem_error(many) or 0) > 0.9 * (estimators.problem_error(few) or 1)


def test_one_sample_a_problem_gives_no_sampling_error_and_one_problem_no_interval() -> None:
    assert estimators.sampling_error(counts_of([1, 0], 1)) is None
    assert estimators.problem_error(counts_of([1, 0], 1)) is None
    assert estimators.sampling_interval(counts_of([1, 0], 1)) is None
    assert estimators.clustered_error(np.array([0.5])) is None
    assert estimators.score_interval(np.array([0.5])) is None
    assert estimators.t_interval(np.array([0.5])) is None
    assert estimators.bootstrap_interval(np.array([0.5])) is None


# --- intervals


def test_score_interval_is_wilsons_where_samples_are_single() -> None:
    """With one sample a problem and many problems there is nothing to cluster: Wilson's interval, as scipy computes it."""
    values = np.array([1.0] * 650 + [0.0] * 350)
    ours = estimators.score_interval(values)
    wilson = stats.binomtest(650, 1000).proportion_ci(0.95, "wilson")
    assert ours is not None
    assert (ours.low, ours.high) == pytest.approx((wilson.low, wilson.high), abs=3e-4)


def test_score_interval_is_the_documented_formula() -> None:
    values = np.array([0.0, 0.25, 0.5, 0.5, 1.0, 0.75, 0.25, 0.5])
    size, mean = 8, values.mean()
    spread = mean * (1 - mean)
    weight = (size * spread) ** 3
    effective = size / ((weight * values.var(ddof=1) / spread + 1) / (weight + 1))
    t = stats.t.ppf(0.975, 7)
    center = mean + t**2 / (2 * effective)
    half = t * math.sqrt(spread / effective + t**2 / (4 * effective**2))
    ours = estimators.score_interval(values)
    assert ours is not None
    assert ours.low == pytest.approx((center - half) / (1 + t**2 / effective))
    assert ours.high == pytest.approx((center + half) / (1 + t**2 / effective))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_or_nothing_is_not_certainty(value: float) -> None:
    interval = estimators.score_interval(np.full(30, value))
    assert interval is not None
    assert interval.high - interval.low > 0.1
    assert interval.low <= value <= interval.high
    sampling = estimators.sampling_interval(counts_of([int(2 * value)] * 30, 2))
    assert sampling is not None
    assert sampling.high - sampling.low > 0.005
    assert "Jeffreys" in sampling.method


@settings(max_examples=200)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=60))
def test_intervals_hold_their_mean_and_stay_inside_0_and_1(correct: list[int]) -> None:
    counts = counts_of(correct, 8)
    for interval in (estimators.score_interval(counts.rates), estimators.sampling_interval(counts)):
        assert interval is not None
        assert 0 <= interval.low <= estimators.avg_at_k(counts) <= interval.high <= 1


def test_t_interval_is_scipys() -> None:
    values = np.array([0.1, -0.2, 0.4, 0.05, 0.0])
    ours, theirs = estimators.t_interval(values), stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert ours is not None
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_bootstrap_agrees_with_scipys() -> None:
    values = np.random.default_rng(3).beta(1, 1, 60)
    ours = estimators.bootstrap_interval(values, seed=4)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=9999, rng=5).confidence_interval
    assert ours is not None
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_pains_46_both_intervals_are_given_and_named() -> None:
    counts = counts_of([64, 60, 10, 0, 30] * 6, 64)
    both, sampling = estimators.score_interval(counts.rates), estimators.sampling_interval(counts)
    assert both is not None
    assert sampling is not None
    assert both.speaks_of == "choice of problems and sampling"
    assert sampling.speaks_of == "sampling, with these problems"
    assert both.high - both.low > 5 * (sampling.high - sampling.low)
    assert "Wilson" in both.method
    assert "Satterthwaite" in sampling.method


# --- short form


def test_compute_statistics_takes_numbers_or_records() -> None:
    short = estimators.compute_statistics([0.5, 0.7, 0.6])
    assert short == estimators.compute_statistics([{"seed": s, "accuracy": a} for s, a in enumerate([0.5, 0.7, 0.6])])
    assert set(short) == {"accuracies", "mean", "std", "min", "max"}
    assert short["mean"] == pytest.approx(0.6)
    assert short["std"] == pytest.approx(stats.tstd([0.5, 0.7, 0.6]))
    assert (short["min"], short["max"]) == (0.5, 0.7)


def test_compute_statistics_of_one_seed_has_no_spread_and_of_none_is_an_error() -> None:
    assert estimators.compute_statistics([0.7])["std"] is None
    with pytest.raises(DataError, match="no accuracy"):
        estimators.compute_statistics([])
    with pytest.raises(DataError, match="not a number"):
        estimators.compute_statistics([float("nan")])


@pytest.mark.parametrize("name", ["estimators", "distributions", "voting", "pairing"])
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"tools.statistics.{name}")).failed == 0


def test_statistics_need_numpy_only() -> None:
    code = (
        "import sys, tools.results.build, tools.analysis.compare, tools.report.exports, tools.analysis.summary;"
        "print([m for m in ('scipy', 'pandas', 'sympy', 'torch', 'datasets') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
