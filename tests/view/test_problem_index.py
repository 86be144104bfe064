"""Statements are found in files whose lines hold megabytes of tests."""

from __future__ import annotations

import json
from pathlib import Path

from tools.benchmarks.benchmark import Benchmark
from tools.view.problem_index import ProblemIndex, leading_fields


def test_leading_fields_stop_where_the_line_is_cut() -> None:
    line = b' {"id": 7, "problem": "a \\"b\\"", "n": [1, {"x": 2}], "tests": "eJxL'
    assert leading_fields(line) == {"id": 7, "problem": 'a "b"', "n": [1, {"x": 2}]}
    assert leading_fields(b"") == leading_fields(b"[1]") == leading_fields(b'{"a') == {}
    assert leading_fields(b'{"whole": 1}\n') == {"whole": 1}


def test_statements_are_found_behind_gigabytes_of_tests(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    with path.open("w") as file:
        for number in range(5):
            row = {
                "question_content": f"What is {number}?",
                "question_id": f"q{number}",
                "private_test_cases": "x" * 6_000_000,
            }
            file.write(json.dumps(row) + "\n")
    index = ProblemIndex(path)
    found = index.read("q3")
    assert found is not None
    assert found["statement"] == "What is 3?"
    assert "private_test_cases" not in found
    assert len((index.read_whole("q4") or {})["private_test_cases"]) == 6_000_000
    assert index.read("q9") is None
    assert ProblemIndex(tmp_path / "absent.jsonl").read("q1") is None


def test_a_benchmarks_own_names_and_choices_are_shown(tmp_path: Path) -> None:
    """As the grader reads them: ids in a field of the set's own, options in the order in which they were asked."""
    path = tmp_path / "own.jsonl"
    path.write_text('{"key": 7, "prompt": "Which is even?", "options": ["one", "two"], "answer": "B"}\n')
    benchmark = Benchmark("own", grader="choice", id_field="key")
    found = ProblemIndex(path, benchmark).read("7")
    assert found is not None
    assert (found["statement"], found["choices"], found["answer"]) == ("Which is even?", ["one", "two"], "B")
    assert ProblemIndex(path).read("7") is None
