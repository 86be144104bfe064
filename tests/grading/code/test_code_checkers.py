"""Codeforces' form: official tests, a limit of the problem's own, and a checker where several outputs are right."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import pytest

from tools.benchmarks.benchmark import find_benchmark
from tools.benchmarks.problems import load_benchmark
from tools.benchmarks.questions import render_question
from tools.grading.code import checkers
from tools.grading.code.verifier import verify_many
from tools.sandbox.session import Sandbox

CHECKER = """\
import sys

def main():
    n = int(open(sys.argv[1]).read())
    with open(sys.argv[2], "rb") as file:
        assert len(file.read().split()) == 2
    with open(sys.argv[3]) as file:
        a, b = map(int, file.readlines()[0].split())
    print(1 if a + b == n else 0)

if __name__ == "__main__":
    main()
"""
ROW: dict[str, Any] = {
    "id": "1/A", "title": "Pairs", "description": "Print two numbers with the sum n.", "input_format": "One number n.",
    "output_format": "Two numbers.", "note": None, "examples": [{"input": "3", "output": "1 2"}], "time_limit": 2.0,
    "input_mode": "stdio", "rating": 800, "contest_type": "CF", "official_tests_complete": True,
    "official_tests": [{"input": "3\n", "output": "1 2\n"}, {"input": "10\n", "output": "4 6\n"}],
    "generated_checker": CHECKER,
}  # fmt: skip


def grade(code: str, **changes: Any) -> dict[str, Any]:
    solution = {"solution_id": "s", "question_id": "1/A", "code": code}
    return next(iter(verify_many([ROW | changes], [solution], workers=1)))


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("n = int(input())\nprint(0, n)", "correct", ""),
        ("n = int(input())\nprint(n // 2 - n // 6, n // 2 + n % 2 + n // 6)", "correct", ""),
        ("n = int(input())\nprint(1, n)", "wrong", "the checker says '0'"),
        ("print('1')", "wrong", "the checker ended without a word (ValueError: not enough values"),
        ("pass", "wrong", "the checker ended without a word (IndexError"),
        ("raise SystemExit(3)", "runtime_error", "exit status 3"),
    ],
)
def test_a_checker_decides_where_the_output_is_another(code: str, status: str, reason: str) -> None:
    row = grade(code)
    assert (row["status"], reason in row["reason"]) == (status, True), row


def test_the_juries_own_output_needs_no_checker_and_without_one_nothing_else_passes() -> None:
    jury = "print({3: '1 2', 10: '4 6'}[int(input())])"
    assert grade(jury, generated_checker="print(0)")["status"] == "correct"
    assert grade(jury, generated_checker=None)["status"] == "correct"
    assert grade("n = int(input())\nprint(0, n)", generated_checker=None)["status"] == "wrong"


@pytest.mark.parametrize("path", ["/etc/passwd", "checker.py", "../input.txt"])
def test_a_checker_reads_its_three_files_and_no_other(path: str) -> None:
    row = grade("print(7)", generated_checker=f"open({path!r}).read()\nprint(1)")
    assert row["status"] == "wrong"
    assert "has three files to read" in row["reason"]


def test_a_checker_reads_by_pathlib_too_and_cannot_write() -> None:
    reads = "import pathlib, sys\nprint(int(pathlib.Path(sys.argv[3]).read_text() == '7\\n'))"
    assert grade("print(7)", generated_checker=reads)["status"] == "correct"
    assert grade("print(7)", generated_checker="open('input.txt', 'w').write('x')\nprint(1)")["status"] == "wrong"


def test_an_output_that_leads_a_checker_astray_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "CHECKER_LIMITS", dataclasses.replace(checkers.CHECKER_LIMITS, cpu_s=0.3, idle_s=1.0))
    with Sandbox() as sandbox:
        said = checkers.find_objection(sandbox, "while True:\n    pass", "1", "1", "2")
    assert said is not None
    assert "limit 0.3 s" in said


def test_the_limit_of_a_problem_holds_where_it_is_longer() -> None:
    burns = "import time\nuntil = time.process_time() + 0.8\nwhile time.process_time() < until: pass\nn = int(input())\nprint(0, n)"
    solution = {"solution_id": "s", "question_id": "1/A", "code": burns}
    from tools.grading.code.pool import PoolOptions
    from tools.sandbox.limits import limits_for

    for own, status in ((2.0, "correct"), (0.1, "timeout"), ("nonsense", "timeout"), (float("nan"), "timeout")):
        rows = verify_many([ROW | {"time_limit": own}], [solution], 1, options=PoolOptions(limits=limits_for(0.5)))
        assert next(iter(rows))["status"] == status, own


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"official_tests_complete": False}, "its tests are cut off"),
        ({"input_mode": "file"}, "reads file"),
        ({"official_tests": []}, "has no tests"),
        ({"official_tests": [{"input": "1"}]}, "lacks input or output"),
    ],
)
def test_tests_that_cannot_decide_are_never_passed(changes: dict[str, Any], reason: str) -> None:
    row = grade("print(1)", **changes)
    assert (row["status"], reason in row["reason"]) == ("grader_error", True), row


def test_a_set_is_asked_and_graded_as_its_authors_publish_it(tmp_path: pathlib.Path, run_script: Any) -> None:
    cut, by_file = ROW | {"id": "1/B", "official_tests_complete": False}, ROW | {"id": "1/C", "input_mode": "file"}
    file = tmp_path / "codeforces.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (ROW, cut, by_file)))
    loaded = load_benchmark(file, benchmark=find_benchmark("CodeForces"))
    assert [problem.task_id for problem in loaded.problems] == ["1/A"]
    question = render_question(loaded.problems[0], loaded.benchmark, "qwen")
    wanted = ["Pairs", "Print two numbers", "One number n.", "Two numbers.", "3", "1 2", "Time limit: 2 s", "```python"]
    places = [question.index(text) for text in wanted]
    assert places == sorted(places)
    folder = tmp_path / "out" / "codeforces"
    folder.mkdir(parents=True)
    answers = ["```python\nn = int(input())\nprint(n, 0)\n```", "```python\nprint(1)\n```"]
    for seed, text in enumerate(answers, 1):
        (folder / f"seed{seed}.jsonl").write_text(json.dumps({"task_id": "1/A", "output": text}) + "\n")
    done = run_script("python", "evaluate.py", "-g", folder, "-q", file, "--benchmark", "codeforces")
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    assert sorted((row["seed"], row["verdict"]) for row in verdicts) == [(1, "correct"), (2, "wrong")]
