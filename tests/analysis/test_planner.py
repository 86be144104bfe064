"""How many seeds a score needs: the width that was asked for, and no bias from few samples."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from tests.support.fake_runs import command, simulate_grades, write_run
from tools.analysis import planner
from tools.errors import UsageError
from tools.statistics.estimators import Counts


def test_planner_gives_the_k_that_a_width_needs() -> None:
    generator = np.random.default_rng(7)
    rates = generator.beta(1, 0.6, 30)
    pilot = Counts(generator.binomial(64, rates).astype(float), np.full(30, 64.0))
    plan = planner.plan_k(30, 0.01, pilot)
    means = [generator.binomial(plan.needed, rates).mean() / plan.needed for _ in range(3000)]
    assert np.mean(np.abs(np.array(means) - rates.mean()) <= 0.01) == pytest.approx(0.95, abs=0.025)
    assert plan.problem_half_width is not None
    assert plan.problem_half_width > 0.05
    worst = planner.plan_k(30, 0.01)
    assert worst.needed == 321  # 0.25 / 30 * (1.96 / 0.01)^2
    assert worst.needed > plan.needed
    with pytest.raises(UsageError, match="half-width"):
        planner.plan_k(30, 0.0)


def test_planner_learns_without_bias_from_few_samples() -> None:
    generator = np.random.default_rng(10)
    rates = generator.beta(1, 1, 40)
    widths = []
    for _ in range(400):
        pilot = Counts(generator.binomial(2, rates).astype(float), np.full(40, 2.0))
        widths.append(planner.plan_k(40, 0.01, pilot).rows[0][1])
    exact = 1.959964**2 * float(np.sum(rates * (1 - rates))) / 40**2
    assert np.mean(np.square(widths)) == pytest.approx(exact, rel=0.05)


def test_planner_command_speaks_of_both_errors(tmp_path: pathlib.Path) -> None:
    generator = np.random.default_rng(0)
    write_run(tmp_path / "aime24", simulate_grades(generator.beta(1, 1, 30), range(8), generator))
    answer = command("tools.analysis.planner", tmp_path, "--half-width", "2")
    assert answer.returncode == 0
    assert "For +- 2.00 points:" in answer.stdout
    assert "whatever the number of seeds" in answer.stdout
    assert command("tools.analysis.planner", "--half-width", "x").returncode == 2
    assert "half-width between" in command("tools.analysis.planner", "--half-width", "0").stderr
