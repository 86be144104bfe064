"""Markdown, CSV and model-index: what they hold, what they refuse, and that names cannot break out of them."""

from __future__ import annotations

import csv
import io
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.support.fake_runs import grades_from_rows, results_of, simulate_grades, write_run
from tools.errors import IncompleteRun
from tools.report.exports import CSV_COLUMNS, csv_table, markdown_table, model_index

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRADES = grades_from_rows({"60": [1, 1, 0, 0], "61": [0, 0, 0, 1], "62": [1, 1, 1, 1]}, range(4))


def test_markdown_row_names_score_k_set_interval_and_cap() -> None:
    table = markdown_table([results_of(GRADES)])
    header, rule, row = table.split("\n")[:3]
    assert header.count("|") == rule.count("|") == row.count("|")
    for part in ("some/model", "aime24", "| 3 |", "58.3 (k = 4)", " to ", "32768"):
        assert part in row


def test_markdown_marks_what_cannot_be_claimed() -> None:
    part = results_of(GRADES[:-1], task_ids=["60", "61", "62"], seeds=range(4), allow_incomplete=True)
    table = markdown_table([part])
    assert "\\*" in table
    assert "1 samples are missing" in table


def test_csv_has_one_row_a_set_and_all_digits() -> None:
    results = results_of(GRADES)
    (row,) = csv.DictReader(io.StringIO(csv_table([results])))
    assert tuple(row) == CSV_COLUMNS
    assert float(row["score"]) == results.score.mean
    assert float(row["interval_low"]) == (results.score.bounds or (0,))[0]
    assert row["maj_at_k"] == ""
    assert row["claimable"] == "True"


def test_names_stay_names() -> None:
    hostile = results_of(GRADES, model='=cmd|" \n- x: <script>', set_name="a|b")
    assert next(csv.DictReader(io.StringIO(csv_table([hostile]))))["model"].startswith("'=")
    row = markdown_table([hostile]).split("\n")[2]
    assert "<script>" not in row
    assert "a\\|b" in row


def test_model_index_is_yaml_with_the_right_values() -> None:
    results = results_of(simulate_grades([0.5] * 30, range(8), np.random.default_rng(0)), model='org/"odd": name')
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the full environment")
    (entry,) = yaml.safe_load(model_index([results, results]))["model-index"]
    assert entry["name"] == '"odd": name'
    assert len(entry["results"]) == 2
    first = entry["results"][0]
    assert first["task"]["type"] == "text-generation"
    assert first["dataset"]["args"]["problems"] == 30
    assert first["metrics"][0]["type"] == "avg@8"
    assert first["metrics"][0]["value"] == pytest.approx(100 * results.score.mean, abs=0.005)


def test_model_index_refuses_what_cannot_be_claimed() -> None:
    with pytest.raises(IncompleteRun, match="does not belong into a model card: no sample is correct"):
        model_index([results_of(grades_from_rows({"1": [0, 0]}, [1, 2]))])


@pytest.mark.parametrize(
    ("form", "start"), [("markdown", "| Model"), ("csv", "model,"), ("model-index", "model-index:")]
)
def test_command_prints_every_form(tmp_path: pathlib.Path, form: str, start: str) -> None:
    write_run(tmp_path / "aime24", GRADES)
    write_run(tmp_path / "aime25", GRADES, dataset="aime25", set_name="aime25")
    words = [sys.executable, "-m", "tools.report.exports", str(tmp_path), "--format", form]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0
    assert answer.stdout.startswith(start)
    assert "aime25" in answer.stdout
    assert not answer.stderr
