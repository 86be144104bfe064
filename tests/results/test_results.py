"""accuracy_results.json: what it holds, what stops it from being a score, and that it is written whole."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import random

import numpy as np
import pytest

from tests.support.fake_runs import grades_from_rows, results_of, simulate_grades
from tools.errors import DataError, IncompleteRun, StorageError
from tools.records import Grade, Verdict
from tools.results.build import read_results, subset_hash, write_results
from tools.results.parts import Curve, Group, SeedScore, SubsetId
from tools.results.text import format_table

ROWS = {"60": [1, 1, 0, 0], "61": [0, 0, 0, 1], "62": [1, 1, 1, 1]}
SEEDS = [100, 101, 102, 103]
GRADES = grades_from_rows(ROWS, SEEDS)

CONTRACT_KEYS = [
    "schema_version",
    "model",
    "dataset",
    "total_problems",
    "seeds",
    "samples_per_problem",
    "complete",
    "missing",
    "missing_count",
    "claimable",
    "not_claimable_because",
    "headline",
    "results",
    "detailed_results",
    "accuracies",
    "mean",
    "std",
    "min",
    "max",
    "avg_at_k",
    "pass_at_k",
    "maj_at_k",
    "sampling_error",
    "problem_error",
    "counts",
    "breakdowns",
    "set",
    "settings",
    "published",
    "grader",
]


def test_results_hold_the_numbers_of_a_small_run() -> None:
    results = results_of(GRADES)
    assert set(CONTRACT_KEYS) <= results.to_json().keys()
    assert results.score.mean == pytest.approx(7 / 12)
    assert [seed.accuracy for seed in results.by_seed] == pytest.approx([2 / 3, 2 / 3, 1 / 3, 2 / 3])
    assert results.by_seed[2] == SeedScore(102, 1, 3, 1 / 3)
    assert results.pass_at_k.means == pytest.approx({1: 7 / 12, 2: (5 / 6 + 0.5 + 1) / 3, 4: 1.0})
    assert results.pass_hat_k.means[4] == pytest.approx(1 / 3)
    assert results.counts[Verdict.CORRECT] == 7
    assert results.counts[Verdict.WRONG] == 5
    assert set(results.counts) == set(Verdict)
    assert results.is_complete
    assert results.is_claimable
    low, high = results.score.bounds or (0, 0)
    assert 0 < low < 7 / 12 < high < 1
    assert results.score.interval is not None
    assert results.score.interval.speaks_of == "choice of problems and sampling"
    assert results.subset == SubsetId("aime24", 3, subset_hash(["60", "61", "62"]))
    json.dumps(results.to_json(), allow_nan=False)


def test_order_of_rows_changes_nothing() -> None:
    """The ancestor joined by line number: three right answers in another order scored 1/3."""
    shuffled = random.Random(0).sample(GRADES, len(GRADES))
    plan = {"task_ids": list(ROWS), "seeds": SEEDS}
    assert results_of(shuffled, **plan) == results_of(GRADES, **plan)


def test_a_missing_sample_is_no_score_and_is_named() -> None:
    plan = {"task_ids": list(ROWS), "seeds": SEEDS}
    with pytest.raises(IncompleteRun, match=r"1 of 12 samples are missing \(problem 61 seed 101\)"):
        results_of([g for g in GRADES if (g.task_id, g.seed) != ("61", 101)], **plan)


def test_allowed_incomplete_results_divide_by_what_is_graded_and_claim_nothing() -> None:
    plan = {"task_ids": list(ROWS), "seeds": SEEDS, "allow_incomplete": True}
    results = results_of([g for g in GRADES if (g.task_id, g.seed) != ("61", 101)], **plan)
    assert results.missing == (("61", 101),)
    assert results.missing_count == 1
    assert not results.is_complete
    assert not results.is_claimable
    assert results.score.mean == pytest.approx((0.5 + 1 / 3 + 1) / 3)
    assert list(results.pass_at_k.means) == [1, 2, 3]
    assert results.headline.startswith("no score: 1 of 12 samples missing")
    one_row = results_of([GRADES[0]], **plan)
    assert one_row.headline.startswith("no score: 11 of 12 samples missing")  # not "100 %" of a file with one row
    with pytest.raises(IncompleteRun, match="none of 12 samples"):
        results_of([], **plan)


def test_a_sample_graded_twice_or_outside_the_plan_is_an_error() -> None:
    with pytest.raises(DataError, match="problem 60, seed 100 is graded twice"):
        results_of([*GRADES, GRADES[0]])
    with pytest.raises(DataError, match="problem 62, seed 100 is graded but not planned"):
        results_of(GRADES, task_ids=["60", "61"])
    with pytest.raises(DataError, match="twice"):
        results_of(GRADES, seeds=[100, 100])
    with pytest.raises(DataError, match="at least one problem"):
        results_of([], task_ids=[], seeds=[])


@pytest.mark.parametrize("verdict", [Verdict.GRADER_ERROR, Verdict.INFRA_ERROR])
def test_our_own_failures_stop_the_claim(verdict: Verdict) -> None:
    results = results_of([Grade("60", 100, verdict), *GRADES[1:]])
    assert not results.is_claimable
    assert f"1 samples ended in {verdict.value}" in results.headline
    assert (results.score.mean, results.score.at_most) == pytest.approx((6 / 12, 7 / 12))
    assert "at most 58.3 %" in results.headline


def test_zero_over_a_whole_set_is_not_claimed() -> None:
    """LiveBench #134: 100 questions silently scored 0."""
    results = results_of(grades_from_rows({"1": [0, 0], "2": [0, 0]}, [1, 2]))
    assert not results.is_claimable
    assert "broken prompt or grader" in results.doubts[0]


def test_no_score_without_k_set_and_cap() -> None:
    results = results_of(GRADES)
    assert results.headline.startswith("avg@4 = 58.3 % (3 problems, 4 seeds, aime24, cap 32768 tokens)")
    unknown = results_of(GRADES, settings={})
    assert "cap unknown" in unknown.headline
    assert any("cap on output tokens is not known" in warning for warning in unknown.warnings)


def test_truncated_and_thinking_shares_stand_in_the_headline() -> None:
    grades = [Grade("1", seed, Verdict.CORRECT, closes_reasoning=True) for seed in range(9)]
    grades.append(Grade("1", 9, Verdict.TRUNCATED, is_cut_off=True, closes_reasoning=False))
    results = results_of(grades)
    assert "10.0 % truncated, 100.0 % with reasoning" in results.headline
    assert any("10.0 % of the responses were cut off" in warning for warning in results.warnings)
    assert results.reasoning.closed_share == pytest.approx(0.9)
    off = results_of(GRADES)
    assert "with reasoning" not in off.headline


def test_set_count_and_hash_stand_beside_the_score() -> None:
    """LiveCodeBench #145: "is v6 454 or 175 problems?" """
    whole, part = results_of(GRADES), results_of(GRADES[:8])
    assert whole.subset.sha256 != part.subset.sha256
    table = format_table([whole, part])
    for results in (whole, part):
        assert f"aime24 ({results.subset.count})" in table
        assert results.subset.sha256[:16] in table
    assert whole.task_ids == ("60", "61", "62")


def test_majority_vote_is_given_where_answers_are_known() -> None:
    classes = {(g.task_id, g.seed): 0 if g.is_correct else g.seed for g in GRADES}
    results = results_of(GRADES, answer_classes=classes)
    # 60: 2 right against 1 + 1; 61: four answers tie, a quarter; 62: unanimous.
    assert results.maj_at_k.means[4] == pytest.approx((1 + 0.25 + 1) / 3)
    assert results.maj_at_k.means[1] == pytest.approx(results.score.mean)
    for curve in (results.pass_at_k, results.pass_hat_k, results.maj_at_k):
        for k, (low, high) in curve.intervals.items():
            assert low <= curve.means[k] <= high
    assert results.pass_at_k.intervals[1] == results.score.bounds
    assert results_of(GRADES).maj_at_k.means == {}


def test_breakdowns_have_their_own_errors() -> None:
    labels = {"year": {"60": "2024", "61": "2024", "62": "2025"}, "level": {"60": "5"}}
    breakdowns = results_of(GRADES, labels=labels).breakdowns
    assert breakdowns["year"]["2024"].problems == 2
    assert breakdowns["year"]["2024"].accuracy == pytest.approx(3 / 8)
    assert breakdowns["year"]["2024"].error == pytest.approx(0.125)
    assert breakdowns["year"]["2025"] == Group(1, 4, 1.0, error=None, sampling_error=0.0, interval=None)
    assert list(breakdowns["level"]) == ["5"]


def test_single_samples_and_single_problems_say_what_they_cannot_know() -> None:
    results = results_of(grades_from_rows({"1": [1]}, [100]))
    assert results.score.bounds is None
    assert results.std_over_seeds is None
    assert results.score.sampling_error is None
    assert results.to_json()["intervals"] == {"both": None, "sampling": None}
    assert len(results.warnings) == 2
    format_table([results])


def test_verdicts_that_differ_from_the_original_are_counted() -> None:
    grades = [
        Grade("1", 1, Verdict.WRONG, differs_from_original=True),
        Grade("1", 2, Verdict.CORRECT, differs_from_original=False),
    ]
    assert results_of(grades).grader == {"name": "aime", "version": "1", "differs_from_original": 1}
    assert results_of(GRADES).grader["differs_from_original"] is None
    told = results_of(GRADES, grader={"name": "aime", "version": "1", "differs_from_original": 5})
    assert told.grader["differs_from_original"] == 5


def test_table_fits_80_columns() -> None:
    results = results_of(
        simulate_grades([0.5] * 1055, range(100, 108), np.random.default_rng(0)),
        set_name="livecodebench_v5_and_v6_together",
        allow_incomplete=False,
    )
    results = dataclasses.replace(results, maj_at_k=Curve({8: 1.0}, {}), pass_at_k=Curve({8: 1.0}, {}))
    for line in format_table([results]).split("\n"):
        assert len(line) <= 80, line


def test_file_is_read_back_as_it_was(tmp_path: pathlib.Path) -> None:
    results = results_of(GRADES)
    path = write_results(tmp_path, results)
    assert path.name == "accuracy_results.json"
    assert read_results(tmp_path) == read_results(path) == results
    assert os.listdir(tmp_path) == ["accuracy_results.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: pathlib.Path) -> None:
    write_results(tmp_path, results_of(GRADES))
    before = (tmp_path / "accuracy_results.json").read_bytes()
    with pytest.raises(ValueError, match="Out of range"):
        write_results(tmp_path, results_of(GRADES, settings={"temperature": float("nan")}))
    with pytest.raises(StorageError, match="cannot be written"):
        write_results(tmp_path / "absent", results_of(GRADES))
    assert (tmp_path / "accuracy_results.json").read_bytes() == before
    assert os.listdir(tmp_path) == ["accuracy_results.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist; grade the run first"),
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[]", "has version None"),
        (b'{"schema_version": 99}', "has version 99, this toolkit reads 1"),
        (b'{"schema_version": 1, "model": "m"}', "lacks dataset, seeds"),
    ],
)
def test_damaged_files_are_named(tmp_path: pathlib.Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "accuracy_results.json").write_bytes(content)
    with pytest.raises(StorageError, match=message) as caught:
        read_results(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_hash_of_a_set_does_not_depend_on_its_order() -> None:
    assert subset_hash(["61", "60"]) == subset_hash(["60", "61"])
    assert subset_hash(["60", "61"]) != subset_hash(["6061"])
