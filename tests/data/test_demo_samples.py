"""The sample sets are right: every answer is worked out again here, every solution run against its tests."""

from __future__ import annotations

import base64
import collections
import io
import itertools
import json
import math
import pickle
import resource
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
CPU_LIMIT_S = 1
OFFICIAL_FIELDS = {
    "question_title", "question_content", "platform", "question_id", "contest_id", "contest_date", "starter_code",
    "difficulty", "public_test_cases", "private_test_cases", "metadata",
}  # fmt: skip

# How each answer of the AIME-style sample set comes about, apart from the file.
AIME_ANSWERS: dict[str, Callable[[], int]] = {
    "sample-01": lambda: 268 + 175 - 96,
    "sample-02": lambda: 38 * 24,
    "sample-03": lambda: 27 * 8,
    "sample-04": lambda: 46 * 9,
    "sample-05": lambda: 2 * (73 + 86),
    "sample-06": lambda: 94 * 7,
    "sample-07": lambda: 64 * 5 + 47 * 3,
    "sample-08": lambda: 859 % 7,
    "sample-09": lambda: next(x for x in range(1000) if 3 * x + 19 == 58),
    "sample-10": lambda: (16 + 14) + (3 * 16 + 14),
    "sample-11": lambda: (13 + 12) + (4 * 13 + 12),
    "sample-12": lambda: max(d for d in range(1, 106) if 168 % d == 0 == 105 % d),
    "sample-13": lambda: [23 + 14 * step for step in range(30)][-1],
    "sample-14": lambda: sum(n for n in range(1, 61) if n % 8 == 0),
    "sample-15": lambda: sum(n for n in range(1, 75) if n % 3 == 0),
    "sample-16": lambda: sum(1 for a, b in itertools.combinations(range(24), 2) if (b - a) % 24 not in (1, 23)),
    "sample-17": lambda: sum(1 for d in range(1, 5041) if 5040 % d == 0),
    "sample-18": lambda: sum(1 for n in range(1, 601) if n % 4 and n % 6),
    "sample-19": lambda: round(sum(root**3 for root in ((11 + 45**0.5) / 2, (11 - 45**0.5) / 2))),
    "sample-20": lambda: _numerator_plus_denominator(
        sum(1 for a, b in itertools.product(range(1, 7), repeat=2) if a * b % 6 == 0), 36
    ),
}


def _numerator_plus_denominator(numerator: int, denominator: int) -> int:
    return (numerator + denominator) // math.gcd(numerator, denominator)


def rows_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").split("\n") if line]


PROBLEMS = {row["question_id"]: row for row in rows_of("livecodebench_sample.jsonl")}
SOLUTIONS = rows_of("livecodebench_sample_solutions.jsonl")


class TextOnlyUnpickler(pickle.Unpickler):
    """Builds text and nothing else: find_class is what a hostile pickle needs."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} in a pickle of test cases")


def cases_of(row: dict[str, Any]) -> list[dict[str, str]]:
    """Public and private tests; private ones are plain JSON or, as in the official files, a packed pickle of it."""
    private = row["private_test_cases"]
    if not private.startswith("["):
        private = TextOnlyUnpickler(io.BytesIO(zlib.decompress(base64.b64decode(private)))).load()
    return json.loads(row["public_test_cases"]) + json.loads(private)


def test_every_aime_sample_answer_is_worked_out_again() -> None:
    rows = rows_of("aime_sample.jsonl")
    assert [row["id"] for row in rows] == list(AIME_ANSWERS)
    assert {row["id"]: int(row["answer"]) for row in rows} == {name: value() for name, value in AIME_ANSWERS.items()}


def test_aime_sample_is_shaped_like_the_real_sets() -> None:
    for row in rows_of("aime_sample.jsonl"):
        assert set(row) == {"id", "problem", "answer", "topic", "difficulty"}
        assert row["answer"] == str(int(row["answer"]))
        assert 0 <= int(row["answer"]) <= 999


def test_livecodebench_sample_has_the_official_fields_and_fills_every_breakdown() -> None:
    assert len(PROBLEMS) == len(rows_of("livecodebench_sample.jsonl")) >= 24
    for row in PROBLEMS.values():
        assert set(row) == OFFICIAL_FIELDS
        assert bool(row["starter_code"]) == (row["platform"] == "leetcode") == bool(json.loads(row["metadata"]))
        assert len(cases_of(row)) >= 4
    months = {row["contest_date"][:7] for row in PROBLEMS.values()}
    assert months == {f"2024-{month:02d}" for month in range(5, 13)} | {f"2025-{month:02d}" for month in range(1, 5)}
    assert {row["difficulty"] for row in PROBLEMS.values()} == {"easy", "medium", "hard"}
    packed = sum(not row["private_test_cases"].startswith("[") for row in PROBLEMS.values())
    assert 0 < packed < len(PROBLEMS)


def test_every_problem_has_right_and_wrong_solutions() -> None:
    by_problem = collections.defaultdict(set)
    for row in SOLUTIONS:
        by_problem[row["question_id"]].add(row["expected"])
    assert set(by_problem) == set(PROBLEMS)
    assert all("correct" in outcomes and len(outcomes) > 1 for outcomes in by_problem.values())
    kinds = {"correct", "wrong_answer", "runtime_error", "timeout", "compile_error"}
    assert set.union(*by_problem.values()) == kinds
    assert len({row["solution_id"] for row in SOLUTIONS}) == len(SOLUTIONS)


@pytest.mark.parametrize("row", SOLUTIONS, ids=[row["solution_id"] for row in SOLUTIONS])
def test_solution_does_what_its_row_says(row: dict[str, Any], tmp_path: Path) -> None:
    assert outcome_of(row["code"], PROBLEMS[row["question_id"]], tmp_path) == row["expected"]


CALL = """
import json as _json, sys as _sys
_arguments = [_json.loads(line) for line in _sys.stdin.read().split("\\n")]
print(_json.dumps(Solution().{name}(*_arguments)))
"""


def outcome_of(code: str, problem: dict[str, Any], folder: Path) -> str:
    """A plain subprocess per test; these programs are our own, so nothing guards against them but the CPU limit."""
    try:
        compile(code, "solution", "exec")
    except SyntaxError:
        return "compile_error"
    if name := json.loads(problem["metadata"]).get("func_name"):
        code = "from typing import *\n" + code + CALL.format(name=name)
    (folder / "solution.py").write_text(code, encoding="utf-8")
    for test in cases_of(problem):
        done = subprocess.run(
            [sys.executable, "-I", folder / "solution.py"], input=test["input"], text=True, capture_output=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S + 1)), timeout=60,
        )  # fmt: skip
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return "timeout"
        if done.returncode:
            return "runtime_error"
        lines = done.stdout.strip().split("\n")
        if name:  # the last line is the result; what the solution prints itself does not count
            if json.loads(lines[-1]) != json.loads(test["output"]):
                return "wrong_answer"
        elif [line.strip() for line in lines] != [line.strip() for line in test["output"].strip().split("\n")]:
            return "wrong_answer"
    return "correct"
