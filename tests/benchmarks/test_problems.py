"""Loading and checking problem sets: what is damaged is named with file, line and remedy."""

from __future__ import annotations

import json
import pathlib

import pytest

from tools.benchmarks.benchmark import find_benchmark, list_benchmarks
from tools.benchmarks.problems import load_benchmark
from tools.errors import DataError

ROWS = [{"id": f"p{index}", "problem": "1+1?", "answer": "2"} for index in range(10)]


def write(path: pathlib.Path, rows: list) -> pathlib.Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def test_our_own_sample_set_loads():
    sample = load_benchmark("aime_sample")
    assert len(sample.problems) >= 15
    assert all(problem.answer.isdigit() for problem in sample.problems)
    assert sample.labels()["topic"]


def test_a_file_of_ones_own_loads_by_its_path(tmp_path):
    loaded = load_benchmark(write(tmp_path / "mine.jsonl", ROWS))
    assert [problem.task_id for problem in loaded.problems] == [row["id"] for row in ROWS]
    assert loaded.benchmark.grader == "math"


def test_rows_without_id_are_numbered(tmp_path):
    loaded = load_benchmark(write(tmp_path / "mine.jsonl", [{"problem": "?", "answer": 3}]))
    assert loaded.problems[0].task_id == "0"
    assert loaded.problems[0].answer == "3"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "empty"),
        ([*ROWS[:6], "{not json", *ROWS[6:]], "line 7: not JSON"),
        ([*ROWS[:2], {"id": "x", "problem": "?"}], "line 3: no `answer`"),
        ([{"id": "x", "answer": "1"}], "line 1: no statement"),
        ([*ROWS, ROWS[4]], "id 'p4' stands in problems 5 and 11"),
        (["[1, 2]"], "line 1: a list where an object"),
    ],
)
def test_damaged_files_are_named_with_their_line(tmp_path, rows, message):
    path = write(tmp_path / "mine.jsonl", rows)
    with pytest.raises(DataError, match=r"mine\.jsonl") as caught:
        load_benchmark(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("answer", ["1000", "-1", "3.5", "\\frac12", "٣"])
def test_aime_answers_are_integers_from_0_to_999(tmp_path, answer):
    rows = [{"id": index, "problem": "?", "answer": "7"} for index in range(29)]
    path = write(tmp_path / "aime24.jsonl", [*rows, {"id": 29, "problem": "?", "answer": answer}])
    with pytest.raises(DataError, match="integers from 0 to 999"):
        load_benchmark(path)


def test_pains_19_a_year_has_30_problems(tmp_path):
    path = write(tmp_path / "aime25.jsonl", [{"id": index, "problem": "?", "answer": "7"} for index in range(15)])
    with pytest.raises(DataError, match="15 problems where aime25 has 30"):
        load_benchmark(path)


def test_pains_18_the_exact_set_is_named_by_path_and_hash(tmp_path):
    first = load_benchmark(write(tmp_path / "mine.jsonl", ROWS))
    second = load_benchmark(write(tmp_path / "mine.jsonl", [*ROWS[:-1], {**ROWS[-1], "answer": "3"}]))
    assert first.sha256 != second.sha256
    assert len(first.sha256) == 64


def test_statements_may_hold_line_separators_of_unicode(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(
        json.dumps({"id": "a", "problem": "one\u2028two", "answer": "1"}, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    assert load_benchmark(path).problems[0].statement == "one\u2028two"


def test_data_dir_is_looked_at_first(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    path = write(tmp_path / "aime24.jsonl", [{"id": index, "problem": "?", "answer": "7"} for index in range(30)])
    assert load_benchmark("aime24").path == path
    assert load_benchmark("data/aime24.jsonl").path == path


def test_an_unknown_set_names_those_there_are():
    with pytest.raises(DataError, match="aime24"):
        load_benchmark("aime2024")


def test_every_catalogue_entry_says_licence_and_grading():
    for benchmark in list_benchmarks().values():
        assert benchmark.licence
        assert benchmark.grader in ("math", "code")
    assert find_benchmark("data/aime24.jsonl").name == "aime24"


@pytest.mark.parametrize("name", ["aime24", "aime25", "amc23", "math500"])
def test_the_real_sets_pass_their_checks(data_dir, name, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    assert len(load_benchmark(name).problems) == list_benchmarks()[name].problems
