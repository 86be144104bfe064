"""Metrics beside the score: their intervals hold the truth, ratios over counts are ratios, and none of it is pass@k."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from tests.support.fake_runs import results_of
from tools.analysis.compare import compare_runs
from tools.analysis.compare_text import describe
from tools.errors import DataError
from tools.records import Grade, MetricKind, Verdict
from tools.results.build import read_results, write_results
from tools.results.metrics import summarize_metrics
from tools.results.run_folder import RunFolder
from tools.results.text import format_table
from tools.store.verdicts import write_grade

RUNS = 600
FOLLOWED = {"followed": MetricKind(weight="asked")}


def grades_of(rows: list[list[float]], asked: list[int]) -> list[list[Grade]]:
    """One row of grades a problem: the share of `asked` instructions that each sample followed."""
    return [
        [
            Grade(str(task), seed, Verdict.CORRECT, metrics={"followed": value}, details={"asked": number})
            for seed, value in enumerate(row)
        ]
        for task, (row, number) in enumerate(zip(rows, asked, strict=True))
    ]


def test_the_interval_of_a_ratio_holds_the_truth() -> None:
    """Problems ask for one, two or three things; the truth is the ratio over all problems that there could be."""
    generator = np.random.default_rng(3)
    held, errors, claimed = 0, [], []
    chances = {1: 0.8, 2: 0.6, 3: 0.7}  # of following one of so many instructions
    truth = sum(number * chance for number, chance in chances.items()) / sum(chances)
    for _ in range(RUNS):
        asked = generator.integers(1, 4, 100)
        skill = generator.beta(4, 4, 100) - 0.5  # problems differ
        rows = [
            (generator.binomial(number, min(1, max(0, chances[number] + 0.3 * own)), 2) / number).tolist()
            for number, own in zip(asked.tolist(), skill, strict=True)
        ]
        metric = summarize_metrics(grades_of(rows, asked.tolist()), FOLLOWED)["followed"]
        assert metric.bounds is not None
        held += metric.bounds[0] <= truth <= metric.bounds[1]
        errors.append(metric.mean - truth)
        assert metric.sampling_error is not None
        claimed.append(metric.sampling_error)
    assert abs(float(np.mean(errors))) < 0.004
    assert 0.92 <= held / RUNS <= 0.98
    assert float(np.mean(claimed)) < float(np.std(errors))  # other seeds on these problems move it less


def test_the_sampling_error_is_that_of_other_seeds() -> None:
    generator = np.random.default_rng(4)
    asked, chances = [1, 2, 3, 1, 2] * 8, generator.uniform(0.2, 0.9, 40)
    means, variances = [], []
    for _ in range(RUNS):
        rows = [(generator.binomial(n, p, 4) / n).tolist() for n, p in zip(asked, chances, strict=True)]
        metric = summarize_metrics(grades_of(rows, asked), FOLLOWED)["followed"]
        assert metric.sampling_error is not None
        means.append(metric.mean)
        variances.append(metric.sampling_error**2)
    assert float(np.mean(variances)) == pytest.approx(float(np.var(means)), rel=0.15)


def test_a_value_out_of_its_scale_is_refused() -> None:
    with pytest.raises(DataError, match=r"followed lies between 0 and 1; a sample has 1\.5"):
        summarize_metrics(grades_of([[1.5]], [1]), FOLLOWED)


def test_a_grader_that_gives_shares_has_no_pass_at_k_even_where_all_are_0_or_1() -> None:
    grades = [
        Grade("a", 0, Verdict.CORRECT),
        Grade("a", 1, Verdict.WRONG),
        Grade("b", 0, Verdict.WRONG),
        Grade("b", 1, Verdict.WRONG),
    ]
    results = results_of(grades, gives_shares=True)
    assert results.pass_at_k.means == results.maj_at_k.means == {}
    assert type(results).from_json(json.loads(json.dumps(results.to_json()))) == results
    assert results_of(grades).pass_at_k.means


def test_a_line_of_verdicts_has_the_score_and_gives_the_share_back() -> None:
    for grade, score in (
        (Grade("a", 0, Verdict.CORRECT), 1.0),
        (Grade("a", 0, Verdict.TIMEOUT), 0.0),
        (Grade("a", 0, Verdict.WRONG, share=0.25), 0.25),
    ):
        row = json.loads(write_grade(grade))
        assert row["score"] == score
        assert Grade.from_row(row) == grade


def test_metrics_are_written_read_printed_and_compared(tmp_path: pathlib.Path) -> None:
    runs = []
    for name, lift in (("old", 0.0), ("new", 0.5)):
        rows = grades_of([[0.5, 0.5 + lift / 2], [0.0 + lift, 0.5], [1.0, 1.0]], [2, 2, 4])
        grades = [grade for row in rows for grade in row]
        results = results_of(grades, metric_kinds=FOLLOWED)
        folder = tmp_path / name
        folder.mkdir()
        write_results(folder, results)
        (folder / "verdicts.jsonl").write_text("".join(map(write_grade, grades)))
        assert read_results(folder) == results
        assert "followed" in format_table([results])
        runs.append(RunFolder(folder))
    comparison = compare_runs(*runs, with_texts=False)
    [metric] = comparison.metrics
    assert metric.means == pytest.approx((5.5 / 8, 6.25 / 8))
    assert "followed" in describe(comparison)
