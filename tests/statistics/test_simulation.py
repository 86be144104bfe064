"""Coverage and power by simulation: short versions of benchmarks/statistics, which print the full tables."""

from __future__ import annotations

import numpy as np
import pytest

from perf.statistics.coverage import Design, simulate
from perf.statistics.power import draw_counts, draw_rates, simulate_new_problems, simulate_these_problems
from tools.statistics.pairing import compare_counts


@pytest.mark.slow
def test_intervals_cover_94_to_96_percent_of_2000_runs_of_aime() -> None:
    """Strong and middling models on 30 and 60 problems with 64 samples, and LiveCodeBench v6 with 8."""
    designs = [Design(30, 64, 0.73, 0.6), Design(30, 64, 0.5, 1.2), Design(60, 64, 0.65, 1.2), Design(175, 8, 0.5, 0.6)]
    found = [simulate(design, 2000, seed=5) for design in designs]
    for name in ("ours", "sampling"):
        assert 0.94 <= np.mean([shares[name] for shares in found]) <= 0.96
        assert all(0.935 <= shares[name] <= 0.967 for shares in found)  # 3 standard errors of one share


def test_intervals_stay_honest_near_1_where_the_plain_one_fails() -> None:
    found = simulate(Design(30, 64, 0.95, 0.6), 1000, seed=6)
    assert found["plain_t"] < 0.88
    assert found["ours"] >= 0.94
    assert 0.93 <= found["sampling"] <= 0.97


@pytest.mark.parametrize("simulation", [simulate_new_problems, simulate_these_problems])
@pytest.mark.parametrize(("problems", "samples"), [(60, 64), (175, 8)])
def test_compare_finds_two_points_with_the_power_it_predicts(simulation, problems: int, samples: int) -> None:
    found, predicted = simulation(problems, samples, 600)
    assert found == pytest.approx(predicted, abs=0.03 + 2 * 0.5 / 600**0.5)


def test_without_a_difference_compare_is_wrong_five_times_in_a_hundred() -> None:
    generator = np.random.default_rng(7)
    false_alarms = np.zeros(2)
    for _ in range(1000):
        rates = draw_rates(60, generator)
        comparison = compare_counts(draw_counts(rates, 16, generator), draw_counts(rates, 16, generator))
        false_alarms += (comparison.p_problems < 0.05, comparison.p_sampling < 0.05)
    assert np.all(np.abs(false_alarms / 1000 - 0.05) < 0.02)
