"""Exact permutation tests against enumeration and scipy; Holm, power and planning against theirs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tools.errors import DataError
from tools.statistics import pairing
from tools.statistics.estimators import Counts


def counts_of(correct: list[int], samples: int) -> Counts:
    return Counts(np.array(correct, float), np.full(len(correct), float(samples)))


pairs = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 6)).flatmap(
    lambda sizes: st.tuples(
        st.just(sizes[0]),
        st.just(sizes[1]),
        st.lists(st.tuples(st.integers(0, sizes[0]), st.integers(0, sizes[1])), min_size=sizes[2], max_size=sizes[2]),
    )
)


@settings(max_examples=150, deadline=None)
@given(pairs)
def test_sign_flip_p_equals_enumeration_of_all_signs(case: tuple[int, int, list[tuple[int, int]]]) -> None:
    k_a, k_b, rows = case
    first, second = counts_of([a for a, _ in rows], k_a), counts_of([b for _, b in rows], k_b)
    gaps = second.rates - first.rates
    seen = abs(gaps.sum()) - 1e-12
    share = np.mean([abs(np.dot(signs, gaps)) >= seen for signs in itertools.product((1, -1), repeat=len(rows))])
    assert pairing.sign_flip_p(first, second) == pytest.approx(share, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(pairs)
def test_exchange_p_equals_enumeration_of_all_tables(case: tuple[int, int, list[tuple[int, int]]]) -> None:
    k_a, k_b, rows = case
    first, second = counts_of([a for a, _ in rows], k_a), counts_of([b for _, b in rows], k_b)
    tables = [[(x, stats.hypergeom.pmf(x, k_a + k_b, a + b, k_a)) for x in range(min(k_a, a + b) + 1)] for a, b in rows]
    expected = sum((a + b) * k_a / (k_a + k_b) for a, b in rows)
    seen = abs(sum(a for a, _ in rows) - expected) - 1e-9
    total = sum(
        math.prod(chance for _, chance in cells)
        for cells in itertools.product(*tables)
        if abs(sum(x for x, _ in cells) - expected) >= seen
    )
    assert pairing.exchange_p(first, second) == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize(("a", "k_a", "b", "k_b"), [(3, 8, 7, 8), (0, 64, 9, 64), (5, 8, 30, 64), (0, 1, 1, 1)])
def test_problem_p_is_fishers_exact_test(a: int, k_a: int, b: int, k_b: int) -> None:
    expected = stats.fisher_exact([[a, k_a - a], [b, k_b - b]]).pvalue
    assert pairing.problem_p(a, k_a, b, k_b) == pytest.approx(expected, rel=1e-9)


def test_many_problems_agree_with_the_paired_t_test() -> None:
    generator = np.random.default_rng(0)
    rates = generator.beta(1, 1, 400)
    first = Counts(generator.binomial(8, rates).astype(float), np.full(400, 8.0))
    second = Counts(generator.binomial(8, np.clip(rates + 0.02, 0, 1)).astype(float), np.full(400, 8.0))
    theirs = stats.ttest_rel(second.rates, first.rates)
    ours = pairing.compare_counts(first, second)
    assert ours.p_problems == pytest.approx(theirs.pvalue, abs=0.015)  # counts are discrete
    assert ours.interval is not None
    low, high = theirs.confidence_interval(0.95)
    assert (ours.interval.low, ours.interval.high) == pytest.approx((low, high), rel=1e-9)


def test_sampling_error_of_a_difference_is_that_of_both_runs() -> None:
    generator = np.random.default_rng(4)
    rates = generator.beta(1, 1, 20)
    sizes = (4, 32)
    differences, errors = [], []
    for _ in range(3000):
        runs = [Counts(generator.binomial(k, rates).astype(float), np.full(20, float(k))) for k in sizes]
        differences.append(runs[1].rates.mean() - runs[0].rates.mean())
        errors.append(pairing.compare_counts(*runs).error_sampling or 0.0)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(differences), rel=0.05)


def test_pairing_sees_what_unpaired_runs_cannot() -> None:
    """The same lift on every problem: hidden among problems of all difficulties, plain within them."""
    first = counts_of([8 * i for i in range(8)], 64)
    second = counts_of([8 * i + 4 for i in range(8)], 64)
    ours = pairing.compare_counts(first, second)
    assert ours.p_problems == pytest.approx(2 / 2**8)
    assert stats.ttest_ind(first.rates, second.rates).pvalue > 0.5


def test_equal_runs_show_nothing() -> None:
    same = counts_of([1, 5, 8], 8)
    ours = pairing.compare_counts(same, same)
    assert (ours.difference, ours.p_problems, ours.p_sampling) == (0.0, 1.0, 1.0)
    assert ours.smallest_visible_problems is None
    assert ours.power(0.02) is None


def test_runs_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be paired"):
        pairing.compare_counts(counts_of([1], 2), counts_of([1, 1], 2))
    ragged = Counts(np.array([1.0, 1.0]), np.array([2.0, 3.0]))
    with pytest.raises(DataError, match="unequal numbers of samples"):
        pairing.compare_counts(ragged, ragged)


def test_holm_is_the_published_example() -> None:
    """Holm 1979 steps: 3 x 0.01, 2 x 0.02, 1 x 0.03, made monotone."""
    assert pairing.holm([0.02, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])
    assert pairing.holm([0.9, 0.8]) == [1.0, 1.0]
    assert pairing.holm([]) == []


def test_looking_at_twenty_groups_of_noise_finds_nothing_most_of_the_time() -> None:
    generator = np.random.default_rng(1)
    groups = {("month", f"{i:02}"): list(range(i * 10, i * 10 + 10)) for i in range(20)}
    alarms = plain = 0
    for _ in range(60):
        rates = generator.beta(1, 1, 200)
        runs = [Counts(generator.binomial(16, rates).astype(float), np.full(200, 16.0)) for _ in range(2)]
        found = pairing.compare_groups(*runs, groups)
        alarms += any(p < 0.05 for _, p in found.values())
        plain += any(comparison.p_problems < 0.05 for comparison, _ in found.values())
    assert alarms <= 7  # 5 % of 60 is 3
    assert plain > 25  # without correction most runs would show "a difference"


@pytest.mark.parametrize("freedom", [9, 29, 174, 1054])
@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0, 3.0, 4.0])
def test_power_is_the_noncentral_ts(freedom: int, shift: float) -> None:
    critical = stats.t.ppf(0.975, freedom)
    exact = stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift)
    assert pairing.power_of_t_test(shift, 1.0, freedom) == pytest.approx(exact, abs=0.003)


def test_smallest_visible_difference_has_80_percent_power() -> None:
    generator = np.random.default_rng(2)
    first, second = (counts_of(generator.integers(0, 9, 60).tolist(), 8) for _ in range(2))
    ours = pairing.compare_counts(first, second)
    assert ours.smallest_visible_problems is not None
    assert ours.power(ours.smallest_visible_problems) == pytest.approx(0.8, abs=0.01)


def test_more_seeds_are_planned_where_they_help_and_refused_where_not() -> None:
    generator = np.random.default_rng(3)
    rates = generator.beta(1, 1, 400)
    first, second = (Counts(generator.binomial(8, rates).astype(float), np.full(400, 8.0)) for _ in range(2))
    plan = pairing.plan_seeds(first, second, 0.01)
    assert plan.on_these_problems is not None
    wanted = 0.01 / (1.959964 + 0.841621)
    exact = 2 * float(np.sum(rates * (1 - rates))) / 400**2 / wanted**2
    assert plan.on_these_problems == pytest.approx(exact, rel=0.1)
    reversed_rates = counts_of([8, 8, 8, 1, 0, 0] * 5, 8), counts_of([0, 1, 0, 8, 8, 7] * 5, 8)
    hopeless = pairing.plan_seeds(*reversed_rates, 0.02)
    assert hopeless.for_such_problems is None
    assert (hopeless.problems_needed or 0) > 1000
    assert pairing.plan_seeds(counts_of([1, 0], 1), counts_of([1, 1], 1), 0.02).on_these_problems is None
