"""Scores that are shares of points: means, both errors and intervals are right, and what needs right or wrong is left out.

Simulated runs have a known truth: how often an interval holds it is counted.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support.fake_runs import grades_from_rows, results_of
from tools.analysis.compare import compare_runs
from tools.errors import DataError
from tools.records import Grade, Verdict
from tools.results.build import write_results
from tools.results.results import Results
from tools.results.run_folder import RunFolder
from tools.statistics import estimators
from tools.statistics.estimators import Counts
from tools.statistics.pairing import compare_counts

RUNS = 600
STEPS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])  # four points to be had


def grades_of(rows: list[list[float]]) -> list[Grade]:
    return [
        Grade(str(task), seed, Verdict.CORRECT if share == 1 else Verdict.WRONG, share=share)
        for task, row in enumerate(rows)
        for seed, share in enumerate(row)
    ]


def draw(generator: np.random.Generator, means: np.ndarray, k: int, is_stepped: bool) -> np.ndarray:
    """One row of shares a problem, with these true means: points out of four, or any value between 0 and 1."""
    if is_stepped:
        return generator.binomial(4, means[:, None], (len(means), k)) / 4
    return generator.beta(3 * means[:, None], 3 * (1 - means[:, None]), (len(means), k))


@pytest.mark.parametrize("is_stepped", [True, False], ids=["points of four", "any share"])
@pytest.mark.parametrize("k", [4, 16])
def test_the_interval_of_these_problems_holds_the_truth(k: int, is_stepped: bool) -> None:
    generator = np.random.default_rng(1)
    means = generator.uniform(0.05, 0.95, 40)
    held, squared_errors, claimed = 0, 0.0, 0.0
    for _ in range(RUNS):
        counts = Counts.from_scores(draw(generator, means, k, is_stepped).tolist())
        interval, error = estimators.sampling_interval(counts), estimators.sampling_error(counts)
        assert interval is not None
        assert error is not None
        held += interval.low <= means.mean() <= interval.high
        squared_errors += (estimators.avg_at_k(counts) - means.mean()) ** 2
        claimed += error**2
    assert 0.925 <= held / RUNS <= 0.975
    assert claimed / squared_errors == pytest.approx(1.0, abs=0.12)  # the error is unbiased for its square


@pytest.mark.parametrize("is_stepped", [True, False], ids=["points of four", "any share"])
def test_the_interval_for_problems_like_these_holds_the_truth(is_stepped: bool) -> None:
    generator = np.random.default_rng(2)
    held = 0
    for _ in range(RUNS):
        means = generator.beta(2, 1.5, 40)
        counts = Counts.from_scores(draw(generator, means, 4, is_stepped).tolist())
        interval = estimators.score_interval(counts.rates)
        assert interval is not None
        held += interval.low <= 2 / 3.5 <= interval.high
    assert 0.925 <= held / RUNS <= 0.985


def test_the_error_from_the_choice_of_problems_is_what_sampling_does_not_explain() -> None:
    generator = np.random.default_rng(3)
    found = []
    for _ in range(400):
        means = generator.beta(2, 2, 60)
        found.append(estimators.problem_error(Counts.from_scores(draw(generator, means, 8, True).tolist())) or 0.0)
    truth = np.sqrt(2 * 2 / ((2 + 2) ** 2 * (2 + 2 + 1))) / np.sqrt(60)
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(truth, rel=0.05)


def test_shares_that_are_all_0_or_1_give_the_figures_of_right_and_wrong() -> None:
    rows = [[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 1]]
    shares = results_of(grades_of([[float(x) for x in row] for row in rows]))
    right = results_of(grades_from_rows({str(i): row for i, row in enumerate(rows)}, range(4)))
    assert shares.score == right.score
    assert shares.by_seed == right.by_seed


def test_equal_shares_do_not_differ_by_rounding() -> None:
    counts = Counts.from_scores([[1 / 3] * 3, [0.1] * 3, [0.7] * 3])
    assert counts.sample_variances.tolist() == [0, 0, 0]
    interval = estimators.sampling_interval(counts)
    assert interval is not None
    assert interval.high - interval.low > 0.1  # three equal samples are no certainty


def test_results_of_shares_have_a_score_and_no_pass_at_k(tmp_path) -> None:
    rows = [[0.5, 0.25, 1.0, 0.75], [0.0, 0.5, 0.5, 0.25]]
    results = results_of(grades_of(rows), answer_classes={}, labels={"year": {"0": "2024", "1": "2025"}})
    assert results.score.mean == pytest.approx(np.mean(rows))
    assert [seed.accuracy for seed in results.by_seed] == pytest.approx(np.mean(rows, axis=0))
    assert [seed.correct for seed in results.by_seed] == [0, 0, 1, 0]
    assert results.breakdowns["year"]["2024"].accuracy == pytest.approx(0.625)
    variances = np.var(rows, axis=1, ddof=1) / 4
    assert results.score.sampling_error == pytest.approx(np.sqrt(variances.sum()) / 2)
    for curve in (results.pass_at_k, results.pass_hat_k, results.maj_at_k):
        assert curve.means == {}
    assert "pass_at_k" in results.to_json()
    assert Results.from_json(json.loads(json.dumps(results.to_json()))) == results
    write_results(tmp_path, results)
    (tmp_path / "verdicts.jsonl").write_text("".join(grade.to_json() + "\n" for grade in grades_of(rows)))
    assert not RunFolder(tmp_path).counts(results.task_ids).is_binary


def test_pass_at_k_of_shares_is_refused() -> None:
    counts = Counts.from_scores([[0.5, 1.0]])
    for curve in (estimators.pass_at_k_curve, estimators.pass_hat_k_curve):
        with pytest.raises(DataError, match="shares of points"):
            curve(counts)
    with pytest.raises(DataError, match="between 0 and 1"):
        Counts.from_scores([[0.5, 1.5]])


def test_unknown_samples_count_in_full_in_the_most_that_the_score_can_become() -> None:
    grades = [*grades_of([[0.5, 0.5]])[:1], Grade("0", 1, Verdict.GRADER_ERROR, share=0.0)]
    assert results_of(grades).score.at_most == pytest.approx(0.75)


def test_two_runs_of_one_model_differ_by_chance_as_often_as_they_should() -> None:
    generator = np.random.default_rng(4)
    means = generator.uniform(0.1, 0.9, 30)
    alarms_sampling = alarms_problems = 0
    for _ in range(RUNS):
        first, second = (Counts.from_scores(draw(generator, means, 8, True).tolist()) for _ in range(2))
        comparison = compare_counts(first, second)
        alarms_sampling += comparison.p_sampling < 0.05
        alarms_problems += comparison.p_problems < 0.05
    assert 0.025 <= alarms_sampling / RUNS <= 0.075
    assert 0.025 <= alarms_problems / RUNS <= 0.075
    assert compare_counts(first, first).p_sampling == 1.0


def test_runs_of_shares_are_compared_without_tests_of_right_and_wrong(tmp_path) -> None:
    generator = np.random.default_rng(5)
    for name, shift in (("old", 0.0), ("new", 0.3)):
        grades = grades_of(draw(generator, np.full(20, 0.4 + shift), 8, True).tolist())
        (tmp_path / name).mkdir()
        write_results(tmp_path / name, results_of(grades))
        (tmp_path / name / "verdicts.jsonl").write_text("".join(grade.to_json() + "\n" for grade in grades))
    comparison = compare_runs(RunFolder(tmp_path / "old"), RunFolder(tmp_path / "new"))
    assert comparison.overall.difference == pytest.approx(0.3, abs=0.06)
    assert comparison.overall.p_sampling < 1e-6
    assert comparison.problems == []


def test_further_metrics_of_a_grader_are_means_over_problems() -> None:
    grades = [
        Grade("a", 1, Verdict.CORRECT, metrics={"strict": 1.0}), Grade("a", 2, Verdict.CORRECT, metrics={"strict": 0.0}),
        Grade("b", 1, Verdict.WRONG, metrics={"strict": 1.0}), Grade("b", 2, Verdict.WRONG),
    ]  # fmt: skip
    results = results_of(grades)
    assert results.metrics["strict"].mean == results.to_json()["metrics"]["strict"]["mean"] == 0.75
    assert "metrics" not in results_of(grades_from_rows({"1": [1, 0]}, [1, 2])).to_json()
