"""Loading and checking problem sets: what is damaged is named with file, line and remedy."""

from __future__ import annotations

import hashlib
import json
import pathlib
import tracemalloc
import zlib

import pytest

from tools.benchmarks.benchmark import find_benchmark, list_benchmarks
from tools.benchmarks.problems import load_benchmark, read_row
from tools.benchmarks.rows import find_id, leading_fields, read_line_heads
from tools.errors import DataError
from tools.grading import GRADERS

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


def test_a_year_of_aime_has_30_problems(tmp_path):
    path = write(tmp_path / "aime25.jsonl", [{"id": index, "problem": "?", "answer": "7"} for index in range(15)])
    with pytest.raises(DataError, match="15 problems where aime25 has 30"):
        load_benchmark(path)


def test_the_exact_set_is_named_by_path_and_hash(tmp_path):
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
        assert benchmark.grader in GRADERS
    assert find_benchmark("data/aime24.jsonl").name == "aime24"


@pytest.mark.parametrize("name", ["aime24", "aime25", "amc23", "math500"])
def test_the_real_sets_pass_their_checks(data_dir, name, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    assert len(load_benchmark(name).problems) == list_benchmarks()[name].problems


PROGRAM = {"question_content": "Double it.", "public_test_cases": '[{"input": "1", "output": "2"}]'}


@pytest.mark.parametrize(
    "row",
    [
        PROGRAM,
        {"question_content": "Double it.", "public_test_cases": "[]", "private_test_cases": "[]", "starter_code": ""},
        {"question_content": "Double it.", "public_test_cases": None, "metadata": "{}"},
        {"prompt": "def double(x):\n", "entry_point": "double", "test": "def check(candidate): pass"},
        {"text": "Double it.", "test_list": ["assert double(1) == 2"]},
        {"prompt": "def double(x):\n", "entry_point": "double", "base_input": [[1]], "plus_input": []},
    ],
)
def test_a_file_of_programs_of_ones_own_is_asked_without_answers(tmp_path, row):
    path = write(tmp_path / "mine.jsonl", ["", json.dumps({"id": "p", **row})])
    loaded = load_benchmark(path)
    assert (loaded.benchmark.grader, loaded.benchmark.question) == ("code", "code")
    assert loaded.problems[0].answer is None
    assert loaded.problems[0].statement


def test_a_row_with_several_ids_has_one_everywhere(tmp_path):
    """Version 0.1 sampled such a row as "mine" and graded it as "theirs"."""
    path = write(tmp_path / "mine.jsonl", [{"question_id": "theirs", "task_id": "third", "id": "mine", **PROGRAM}])
    assert [problem.task_id for problem in load_benchmark(path).problems] == ["mine"]
    assert [problem.task_id for problem in load_benchmark(path, is_asked=False).problems] == ["mine"]
    assert [find_id(leading_fields(head), 0) for _, head in read_line_heads(path)] == ["mine"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": 0, "question_id": "a"}, "0"),
        ({"id": None, "question_id": "abc301_a"}, "abc301_a"),
        ({"task_id": "HumanEval/0"}, "HumanEval/0"),
        ({"unique_id": "test/algebra/1.json"}, "test/algebra/1.json"),
        ({"key": "B"}, "7"),
    ],
)
def test_the_order_of_id_fields(row, expected):
    assert find_id(row, 7) == expected


def test_rows_without_id_are_numbered_without_the_blank_lines_between(tmp_path):
    path = write(
        tmp_path / "mine.jsonl", ["", json.dumps(ROWS[0] | {"id": None}), "  ", json.dumps({**ROWS[1], "id": None})]
    )
    assert [problem.task_id for problem in load_benchmark(path).problems] == ["0", "1"]
    assert [find_id(leading_fields(head), index) for index, (_, head) in enumerate(read_line_heads(path))] == ["0", "1"]


def test_a_problem_knows_where_its_row_lies_and_leaves_its_tests_there(tmp_path):
    rows = [{"id": name, **PROGRAM, "private_test_cases": name * 50, "note": "\u00fc\u2028"} for name in "abc"]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n" + "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    loaded = load_benchmark(path)
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for problem, row in zip(loaded.problems, rows, strict=True):
        line = path.read_bytes()[problem.place.offset : problem.place.offset + problem.place.length]
        assert zlib.crc32(line) == problem.place.checksum
        assert json.loads(line) == row == read_row(problem)
        assert not {"public_test_cases", "private_test_cases"} & problem.fields.keys()


def test_a_file_that_changed_after_it_was_loaded_is_refused(tmp_path):
    path = write(tmp_path / "mine.jsonl", ROWS)
    problem = load_benchmark(path).problems[3]
    write(path, [*ROWS[:3], {**ROWS[3], "answer": "5"}, *ROWS[4:]])
    with pytest.raises(DataError, match="problem 'p3': the file has changed"):
        read_row(problem)
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        read_row(problem)


@pytest.mark.parametrize("field", ["private_test_cases", "test", "hidden_inputs"])
def test_a_large_file_is_read_in_the_memory_of_one_row(tmp_path, field):
    tests = ["x" * 1000] * 2000  # 2 MB a row, 60 MB in all
    path = write(tmp_path / "mine.jsonl", [{"id": name, **PROGRAM, field: tests} for name in range(30)])
    tracemalloc.start()
    loaded = load_benchmark(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20
    assert len(read_row(loaded.problems[29])[field]) == 2000


def test_responses_to_problems_without_a_statement_can_be_graded(tmp_path):
    path = write(tmp_path / "mine.jsonl", [{"id": "a", "answer": "1"}])
    assert load_benchmark(path, is_asked=False).problems[0].statement == ""


def test_a_file_can_be_read_as_a_benchmark_of_another_name(tmp_path):
    rows = [{"unique_id": f"test/{index}", "problem": "?", "answer": "2"} for index in range(500)]
    loaded = load_benchmark(write(tmp_path / "test.jsonl", rows), benchmark=find_benchmark("math500"))
    assert (loaded.name, loaded.problems[3].task_id) == ("math500", "test/3")
    assert read_row(loaded.problems[3])["id"] == "test/3"
