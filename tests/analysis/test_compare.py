"""The compare command on run folders: what it refuses, what it finds, what it shows beside the numbers."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.support.fake_runs import SETTINGS, grades_from_rows, simulate_grades, write_run
from tools.analysis.compare import compare, compare_runs, differing
from tools.analysis.compare_text import describe
from tools.errors import IncompleteRun, SettingsMismatch, StorageError
from tools.records import Grade, Verdict
from tools.results.run_folder import find_graded

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = list(range(100, 116))
IDS = [str(60 + position) for position in range(30)]
LABELS = {"year": {task_id: "2024" if int(task_id) < 75 else "2025" for task_id in IDS}}


@pytest.fixture
def rates() -> np.ndarray:
    return np.random.default_rng(0).beta(1, 0.7, 30)


def make(folder: pathlib.Path, rates: np.ndarray, seed: int, **changes) -> list[Grade]:
    grades = simulate_grades(rates, SEEDS, np.random.default_rng(seed), IDS)
    write_run(folder / "aime24", grades, labels=LABELS, **changes)
    return grades


def command(*words: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.analysis.compare", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_clear_improvement_is_found_and_put_in_words(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    make(tmp_path / "old", rates, 1)
    make(tmp_path / "new", np.clip(rates + 0.15, 0, 1), 2)
    (comparison,) = compare(tmp_path / "old", tmp_path / "new")
    assert comparison.overall.p_problems < 0.01
    assert comparison.overall.difference > 0.05
    text = describe(comparison)
    assert "B is better, on these problems and for problems like these." in text
    assert "smallest visible (80 % power)" in text
    assert "year 2024" in text
    assert "after Holm over 2 looks" in text


def test_noise_is_told_from_change(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    """open-r1 #622: is 47.4 against 36.7 a change, or another draw?"""
    make(tmp_path / "old", rates, 1)
    make(tmp_path / "again", rates, 2)
    (comparison,) = compare(tmp_path / "old", tmp_path / "again")
    assert "No difference that sampling alone could not make." in describe(comparison)
    assert comparison.overall.smallest_visible_sampling is not None
    assert comparison.plans[1].on_these_problems is not None


def test_other_caps_and_other_sets_are_refused(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    """DeepSeek-R1 #300: 61.9 instead of 65.9, by another window and a cap of 8k."""
    grades = make(tmp_path / "a", rates, 1)
    make(tmp_path / "b", rates, 2, settings={**SETTINGS, "max_new_tokens": 8192})
    answer = command(tmp_path / "a", tmp_path / "b")
    assert answer.returncode == 1
    assert "cap of 32768 output tokens" in answer.stderr
    assert answer.stderr.count("\n") == 1
    write_run(tmp_path / "c" / "aime24", [g for g in grades if g.task_id != "60"])
    with pytest.raises(SettingsMismatch, match=r"\(30 problems, sha256 \w{12}\).*\(29 problems.*different sets"):
        compare(tmp_path / "a", tmp_path / "c")


def test_an_unknown_cap_is_said(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    make(tmp_path / "a", rates, 1)
    make(tmp_path / "b", rates, 2, settings={})
    (comparison,) = compare(tmp_path / "a", tmp_path / "b")
    assert any("cap on output tokens is not known" in note for note in comparison.notes)


def test_incomplete_runs_are_refused(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    grades = make(tmp_path / "a", rates, 1)
    plan = {"task_ids": IDS, "seeds": SEEDS, "allow_incomplete": True}
    write_run(tmp_path / "b" / "aime24", grades[:-1], **plan)
    with pytest.raises(IncompleteRun, match="1 samples are missing"):
        compare(tmp_path / "a", tmp_path / "b")


def test_versions_side_by_side_and_first_divergence_of_each_row(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    """s1 #134: another vLLM, and 28 of 30 samples part in mid-generation."""
    texts = {(task_id, seed): f"{task_id} {seed} " + "x" * 5000 for task_id in IDS for seed in SEEDS[:2]}
    moved = {key: text[:4500] + "y" + text[4501:] if key[1] == 100 else text for key, text in texts.items()}
    old = {"versions": {"vllm": "0.7.3", "torch": "2.5.1"}, "end_time": "x", "plan": {"seeds": SEEDS}}
    new = {"versions": {"vllm": "0.11", "torch": "2.5.1"}, "end_time": "y", "plan": {"seeds": SEEDS[:1]}}
    make(tmp_path / "a", rates, 1, texts=texts, manifest=old)
    make(tmp_path / "b", rates, 1, texts=moved, manifest=new)
    (comparison,) = compare(tmp_path / "a", tmp_path / "b")
    assert comparison.manifests == [("versions.vllm", "0.7.3", "0.11")]
    assert any("engine or versions differ (versions.vllm)" in note for note in comparison.notes)
    assert len(comparison.rows) == 60
    assert {row.position for row in comparison.rows if row.seed == 100} == {4500}
    assert {row.position for row in comparison.rows if row.seed == 101} == {None}
    text = describe(comparison, shown=None)
    assert "0.7.3" in text
    assert "identical 30" in text
    assert text.count("at 4500 (of 5007 and 5007 characters)") == 30


def test_identical_samples_are_no_evidence(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    texts = {(task_id, seed): "same" for task_id in IDS for seed in SEEDS}
    make(tmp_path / "a", rates, 1, texts=texts)
    make(tmp_path / "b", rates, 1, texts=texts)
    (comparison,) = compare(tmp_path / "a", tmp_path / "b")
    assert any("all 480 responses with equal problem and seed are identical" in note for note in comparison.notes)
    assert comparison.is_regrading
    text = describe(comparison)
    assert "The same 480 responses, graded twice; 0 verdicts changed." in text
    assert "smallest visible" not in text


def test_a_new_grader_lists_which_verdicts_changed_and_why(tmp_path: pathlib.Path) -> None:
    """LiveCodeBench #114: three numbers for one model, and nobody knows which verdicts moved."""
    rows = {"60": [1, 0], "61": [1, 1]}
    grades = grades_from_rows(rows, [1, 2])
    regraded = [
        Grade("60", 1, Verdict.NO_ANSWER, None, "extraction", "the box is never closed")
        if (g.task_id, g.seed) == ("60", 1)
        else g
        for g in grades
    ]
    texts = {(g.task_id, g.seed): f"text {g.task_id} {g.seed}" for g in grades}
    write_run(tmp_path / "old", grades, texts=texts)
    regraded[1] = Grade("60", 2, Verdict.CORRECT)  # another response, so not the grader's doing
    texts["60", 2] += " and more"
    write_run(tmp_path / "new", regraded, texts=texts, grader={"name": "aime", "version": "2"})
    comparison = compare_runs(find_graded(tmp_path / "old")["aime24"], find_graded(tmp_path / "new")["aime24"])
    (change,) = comparison.verdicts
    assert (change.task_id, change.seed, change.verdicts) == ("60", 1, ("correct", "no_answer"))
    assert change.why == (
        "another answer was extracted (1 -> none); another rule decided (none -> extraction); the box is never closed"
    )
    assert any("graded by aime 1 and aime 2" in note for note in comparison.notes)
    assert "correct -> no_answer: another answer was extracted" in describe(comparison)


def test_three_runs_are_corrected_for_each_other(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        make(tmp_path / name, rates, seed)
    comparisons = compare(*(tmp_path / name for name in "abc"))
    assert len(comparisons) == 2
    for comparison in comparisons:
        assert comparison.p_overall_adjusted is not None
        assert comparison.p_overall_adjusted >= comparison.overall.p_problems


def test_nested_records_differ_key_by_key() -> None:
    first, second = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1, "c": 4}, "e": 5}
    assert differing(first, second) == [("a.c", 2, 4), ("d", 3, None), ("e", None, 5)]


def test_json_holds_everything(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    make(tmp_path / "a", rates, 1)
    make(tmp_path / "b", rates, 2)
    (record,) = json.loads(command("--json", tmp_path / "a", tmp_path / "b").stdout)
    assert record["overall"]["problems"] == 30
    assert {group["label"] for group in record["groups"]} == {"2024", "2025"}
    assert record["plans"][0]["difference"] == record["overall"]["difference"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("verdicts.jsonl: gone", "does not exist; grade the run again"),
        ("verdicts.jsonl: torn", "line 480: damaged"),
        ("verdicts.jsonl: short", "no verdict for problem 89"),
        ("verdicts.jsonl: other", "they are of two gradings; grade the run again"),
        ("accuracy_results.json: torn", "cannot be read"),
        ("manifest.json: torn", "damaged or unreadable"),
    ],
)
def test_damaged_folders_give_one_line_that_names_the_part(
    tmp_path: pathlib.Path, rates: np.ndarray, damage: str, message: str
) -> None:
    make(tmp_path / "a", rates, 1, manifest={})
    make(tmp_path / "b", rates, 2, manifest={})
    name, kind = damage.split(": ")
    path = tmp_path / "b" / "aime24" / name
    if kind == "gone":
        path.unlink()
    elif kind == "other":
        path.write_text(path.read_text().replace('"correct", "score": 1.0', '"wrong", "score": 0.0', 5))
    elif kind == "short":
        path.write_text("".join(path.read_text().splitlines(keepends=True)[: -len(SEEDS)]))
    else:
        path.write_bytes(path.read_bytes()[:-20] if name != "manifest.json" else b"{")
    answer = command(tmp_path / "a", tmp_path / "b")
    assert answer.returncode == 1
    assert message in answer.stderr
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert not answer.stdout


def test_wrong_usage_is_said_in_one_line(tmp_path: pathlib.Path, rates: np.ndarray) -> None:
    make(tmp_path / "a", rates, 1)
    assert command(tmp_path / "a").returncode == 2
    assert command(tmp_path / "a", tmp_path / "a", "--difference", "0").returncode == 2
    with pytest.raises(StorageError, match="is not a folder"):
        find_graded(tmp_path / "absent")
    with pytest.raises(StorageError, match=r"holds no accuracy_results\.json"):
        find_graded(tmp_path)
    write_run(tmp_path / "z" / "other", grades_from_rows({"1": [1, 0]}, [1, 2]), dataset="other")
    with pytest.raises(SettingsMismatch, match="no data set in common"):
        compare(tmp_path / "a", tmp_path / "z")
