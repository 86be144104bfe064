"""Scores by month, and before against after a cut-off; harder problems are told from contamination."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tools.analysis import contamination
from tools.errors import DataError, UsageError
from tools.statistics.estimators import Counts


def dated(generator: np.random.Generator, before: float, after: float, size: int = 120):
    ids = [str(position) for position in range(2 * size)]
    dates = {task_id: "2024-03-05T00:00:00" if int(task_id) < size else "2024-09-01" for task_id in ids}
    rates = np.clip(generator.beta(2, 2, 2 * size) + np.repeat([before, after], size), 0, 1)
    counts = Counts(generator.binomial(8, rates).astype(float), np.full(2 * size, 8.0))
    return counts, ids, dates


def test_a_fall_at_the_cutoff_is_found_and_agrees_with_scipy() -> None:
    counts, ids, dates = dated(np.random.default_rng(0), 0.2, 0.0)
    split = contamination.split_at_cutoff(counts, ids, dates, "2024-08-01")
    before, after = counts.rates[:120], counts.rates[120:]
    theirs = stats.ttest_ind(after, before, equal_var=False)
    low, high = theirs.confidence_interval(0.95)
    assert split.confidence_interval == pytest.approx((low, high), rel=1e-3)
    assert split.p < 0.001
    assert (split.problems_before, split.problems_after) == (120, 120)
    on_the_day = contamination.split_at_cutoff(counts, ids, dates, "2024-09-01")
    assert on_the_day.problems_after == 120
    assert split.difference == pytest.approx(after.mean() - before.mean())
    assert "contamination, or harder problems; difficulty is not known" in split.verdict
    level = contamination.split_at_cutoff(*dated(np.random.default_rng(1), 0.0, 0.0), "2024-08-01")
    assert level.verdict == "no difference beyond chance before and after the cut-off"


def test_permutation_p_agrees_with_scipys() -> None:
    counts, ids, dates = dated(np.random.default_rng(2), 0.06, 0.0, size=60)
    ours = contamination.split_at_cutoff(counts, ids, dates, "2024-08").p
    theirs = stats.permutation_test(
        (counts.rates[:60], counts.rates[60:]),
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        vectorized=True,
        n_resamples=4000,
        rng=0,
    ).pvalue
    assert ours == pytest.approx(theirs, abs=0.03)


def test_harder_problems_are_told_from_contamination() -> None:
    """More hard problems after the cut-off, each as hard as before."""
    generator = np.random.default_rng(3)
    ids = [str(position) for position in range(300)]
    is_hard = [position % 5 == 0 if position < 150 else position % 5 != 0 for position in range(300)]
    dates = {task_id: "2024-01-01" if int(task_id) < 150 else "2024-12-01" for task_id in ids}
    strata = {task_id: "hard" if hard else "easy" for task_id, hard in zip(ids, is_hard, strict=True)}
    rates = np.where(is_hard, 0.2, 0.9)
    counts = Counts(generator.binomial(8, rates).astype(float), np.full(300, 8.0))
    split = contamination.split_at_cutoff(counts, ids, dates, "2024-08-01", strata)
    assert split.difference < -0.3
    assert abs(split.difference_within_strata or 1) < 0.03
    assert "the problems are harder" in split.verdict
    memorised = Counts(np.where(np.arange(300) < 150, 8.0, counts.correct), counts.samples)
    split = contamination.split_at_cutoff(memorised, ids, dates, "2024-08-01", strata)
    assert "what contamination would look like" in split.verdict


def test_months_come_in_order_with_intervals_and_nothing_is_said_without_dates() -> None:
    counts = Counts(np.array([8.0, 4.0, 0.0]), np.full(3, 8.0))
    rows = contamination.score_by_month(counts, ["a", "b", "c"], {"a": "2025-01-04", "b": "2024-08", "c": "2024-08-30"})
    assert [(row.month, row.problems, row.score) for row in rows] == [
        ("2024-08", 2, 0.25),
        ("2025-01", 1, 1.0),
    ]
    assert rows[1].interval is None
    with pytest.raises(DataError, match="problem c has no date"):
        contamination.score_by_month(counts, ["a", "b", "c"], {"a": "2024-08-01", "b": "2024-08-01"})
    with pytest.raises(DataError, match="is no date"):
        contamination.parse_date("August")
    with pytest.raises(UsageError, match="both sides need two"):
        contamination.split_at_cutoff(counts, ["a", "b", "c"], dict.fromkeys("abc", "2024-08-01"), "2020-01-01")
