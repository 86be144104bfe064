"""Scores at smaller budgets are a recount of the run, and equal a run that was really cut there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.fake_runs import grade_of, results_of, simulate_grades
from tools.analysis import budgets
from tools.errors import DataError
from tools.records import Grade, Verdict


def test_score_at_budgets_is_a_recount() -> None:
    grades = [
        grade_of("a", 1, True, 5000),
        grade_of("a", 2, True, 16384),
        grade_of("b", 1, True, 20000),
        grade_of("b", 2, False, 900),
    ]
    rows = budgets.score_at_budgets(grades, (8192, 16384, 24576), cap=32768)
    assert [(row.budget, row.score, row.truncated_share) for row in rows] == [
        (8192, 0.25, 0.5), (16384, 0.5, 0.25), (24576, 0.75, 0.0), (32768, 0.75, 0.0),
    ]  # fmt: skip


def test_budgets_equal_a_run_that_was_really_cut_there() -> None:
    """The same samples, generated under the smaller cap: the long ones end at the cap as truncated."""
    generator = np.random.default_rng(0)
    grades = simulate_grades(generator.beta(1, 1, 30), range(8), generator)
    cut = [
        g if (g.output_tokens or 0) <= 8192 else Grade(g.task_id, g.seed, Verdict.TRUNCATED, is_cut_off=True)
        for g in grades
    ]
    (row,) = budgets.score_at_budgets(grades, [8192])
    shorter = results_of(cut)
    assert row.score == pytest.approx(shorter.score.mean)
    assert row.interval == pytest.approx(shorter.score.bounds)
    assert row.truncated_share == pytest.approx(shorter.reasoning.truncated_share)


def test_budgets_above_the_cap_or_without_token_counts_are_not_guessed() -> None:
    assert [row.budget for row in budgets.score_at_budgets([grade_of("a", 1, True, 5)], (8192, 65536), 16384)] == [
        8192, 16384,
    ]  # fmt: skip
    with pytest.raises(DataError, match="1 of 2 samples have no token count"):
        budgets.score_at_budgets([grade_of("a", 1, True, 5), grade_of("a", 2, True, None)])
    curve = budgets.budget_curve([grade_of("a", 1, True, 500), grade_of("a", 2, True, 1000)], 1024, points=4)
    assert [(row.budget, row.score) for row in curve] == [(256, 0), (512, 0.5), (768, 0.5), (1024, 1)]
