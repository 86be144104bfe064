"""Problem files of others: names in capitals, answers in a box or behind "####", lists; hostile files end in one line."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pytest

from tools.benchmarks.answers import last_box
from tools.benchmarks.benchmark import list_benchmarks
from tools.benchmarks.problems import load_benchmark
from tools.errors import DataError


def write(tmp_path: pathlib.Path, *rows: Any) -> pathlib.Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "task_id", "answer"),
    [
        ({"ID": "II-4", "Problem": "Add.", "Solution": "so", "Answer": 204}, "II-4", "204"),
        ({"ID": 3, "Question": "Add.", "Answer": "204"}, "3", "204"),
        ({"id": "a", "problem": "Add.", "expected_answer": "204"}, "a", "204"),
        ({"problem": "Add.", "solution": r"first \boxed{1}, then \boxed{\frac{2}{3}}."}, "0", r"\frac{2}{3}"),
        ({"question": "Add.", "answer": "1+2=<<1+2=3>>3\n#### 1,003"}, "0", "1,003"),
        ({"problem": "Add.", "answer": ["204"]}, "0", "204"),
        ({"problem": "Add.", "answer": [204, "204", 204.0]}, "0", "204"),
        ({"problem": "Add.", "answer": 204.0}, "0", "204"),
        ({"problem": "Add.", "answer": 0.5}, "0", "0.5"),
        ({"problem": "Add.", "answer": "204", "expected_answer": "9"}, "0", "204"),
    ],
)
def test_an_answer_is_found_however_it_is_written(
    tmp_path: pathlib.Path, row: dict[str, Any], task_id: str, answer: str
) -> None:
    [problem] = load_benchmark(write(tmp_path, row)).problems
    assert (problem.task_id, problem.answer, problem.statement) == (task_id, answer, "Add.")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"problem": "Add.", "answer": ["1", "2"]}, "a list of 2 answers"),
        ({"problem": "Add.", "answer": []}, "a list of 0 answers"),
        ({"problem": "Add.", "answer": {"a": 1}}, "`answer` is an object"),
        ({"problem": "Add.", "answer": True}, "`answer` is true"),
        ('{"problem": "Add.", "answer": NaN}', "no number"),
        ({"problem": "Add.", "solution": "no box"}, "no `answer`"),
        ({"id": ["a"], "problem": "Add.", "answer": "1"}, "task_id is a list"),
        ({"id": "\ud800", "problem": "Add.", "answer": "1"}, "surrogate"),
        ({"problem": "\ud800", "answer": "1"}, "surrogate"),
        ('{"id": 1, "id": 2, "problem": "Add.", "answer": "1"}', "stands there twice"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_cannot_be_one_problem_is_named_with_its_line(tmp_path: pathlib.Path, row: Any, said: str) -> None:
    path = write(tmp_path, {"id": "good", "problem": "Add.", "answer": "1"}, row)
    with pytest.raises(DataError) as error:
        load_benchmark(path)
    assert "mine.jsonl, line 2: " in str(error.value)
    assert said in str(error.value)


def test_a_file_that_is_a_pipe_or_a_list_or_absent_is_named_at_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "list.txt").write_text("[]")
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    for name, said in (
        ("pipe.jsonl", "no such|pipe"),
        ("zero.jsonl", "no such|device"),
        ("list.json", "no problems in it"),
        ("list.txt", "jq -c"),
    ):
        with pytest.raises(DataError, match=said):
            load_benchmark(tmp_path / name)
    with pytest.raises(DataError, match="no such folder"):
        load_benchmark(tmp_path / "away" / "aime24.jsonl")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "away"))
    with pytest.raises(DataError, match=r"DATA_DIR=.*no such folder"):
        load_benchmark("hmmt_feb25")


def test_a_box_that_never_closes_gives_none_and_costs_one_pass() -> None:
    assert last_box("\\boxed{" * 50_000) is None
    assert last_box(r"\boxed{\{1,2\}} and \boxed{3") == r"\{1,2\}"


@pytest.mark.parametrize("name", ["aime26", "hmmt_feb25", "hmmt_nov25", "hmmt_feb26", "brumo25", "smt25", "cmimc25"])
def test_matharenas_problems_keep_their_numbers_as_ids(name: str) -> None:
    entry = list_benchmarks()[name]
    assert entry.source is not None
    assert entry.source.rename == {"problem_idx": "id"}
    assert entry.problems
