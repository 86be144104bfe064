"""What people report about other graders of programs, in the program's own process: long integers, guards, the ends of
stdout, the prelude's forms, HumanEval's and MBPP's fields, and faults of ours that must cost one verdict only."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tests.grading.code.test_code_verifier import problem, verdicts
from tools.code_verifier import verify_many
from tools.grading.code import extraction
from tools.grading.grader import GradingOptions
from tools.grading.session import grade

DOUBLE = "print(int(input()) * 2)"


def statuses(*codes: str, of: dict[str, Any]) -> list[str]:
    return [verdict["status"] for verdict in verdicts(*codes, of=of)]


# --- integers that Python does not write by default -----------------------------------------------------------------


def test_long_integers_are_printed_read_and_returned() -> None:
    text = "1" + "0" * 5999 + "7"
    stdin = problem(tests=[("1\n", "2\n"), (f"{text}\n", "2" + "0" * 5998 + "14\n")])
    assert statuses(DOUBLE, "n = int(input())\nprint(f'{2 * n}')", of=stdin) == ["correct"] * 2
    assert statuses("print(str(int(input()) * 2 + 1))", of=stdin) == ["wrong"]
    call = problem("call", [("2", "[1, 2]"), (text, f"[1, {text}]")], "f")
    right = ["def f(n): return [1, n]", "def f(n): return (1, int(str(n)))", "import os\ndef f(n): return [1, n]"]
    wrong = [
        "def f(n): return [1, n + 1] if n > 2 else [1, n]",
        "def f(n): return [1, str(n)] if n > 2 else [1, n]",
        "def f(n): return [1, ['int', str(n)]] if n > 2 else [1, n]",
        "def f(n): return [1, {'digits': str(n)}] if n > 2 else [1, n]",
    ]
    assert statuses(*right, *wrong, of=call) == ["correct"] * 3 + ["wrong"] * 4


def test_more_digits_than_livecodebench_allows_are_an_error_in_the_program_only() -> None:
    row = problem("call", [("60000", "1")], "f")
    assert statuses("def f(n): return len(str(10 ** n))", of=row) == ["runtime_error"]
    text = "1" * 60_000
    row = problem("call", [(text, text)], "f")
    assert statuses("def f(n): return n", "def f(n): return n + 1", of=row) == ["correct", "wrong"]


# --- guards -----------------------------------------------------------------------------------------------------------

GUARDS = [
    "if __name__ == '__main__':\n    import sys\n    sys.exit(1)\n",
    "if '__main__' == __name__: raise SystemExit\n",
    "if __name__ == '__main__':\n    while True: pass\n",
    "if __name__ == '__main__':\n    f(int(input()))\n",
]


def test_guards_run_in_programs_from_stdin_and_nowhere_else() -> None:
    plain, special = "def f(x): return 2 * x\n", "import os\ndef f(x): return 2 * x\n"
    call = problem("call", [("1", "2"), ("4", "8")], "f")
    human = {
        "question_id": "h",
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "test": "def check(c): assert c(2) == 4\n",
    }
    mbpp = {"question_id": "m", "test_list": ["assert f(2) == 4"]}
    for row in (call, human, mbpp):
        codes = [program + guard for program in (plain, special) for guard in GUARDS]
        assert statuses(*codes, of=row) == ["correct"] * len(codes), row["question_id"]
    guarded = ["if __name__ == '__main__':\n    " + DOUBLE, "import os\nif __name__ in ['__main__']: " + DOUBLE]
    assert statuses(*guarded, "if __name__ != '__main__': " + DOUBLE, of=problem()) == ["correct", "correct", "wrong"]


def test_modules_of_calls_can_be_found_by_name() -> None:
    code = (
        "import dataclasses, pickle\n@dataclasses.dataclass\nclass P:\n    x: int\n"
        "def f(x): return pickle.loads(pickle.dumps(P(2 * x))).x\n"
    )
    assert statuses(code, of=problem("call", [("1", "2")], "f")) == ["correct"]


# --- the end of stdout --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        "sys.stdout.flush(); sys.stdout = None",
        "sys.stdout.close()",
        "sys.stdout.flush(); sys.stdout.buffer.close()",
        "sys.stdout.flush(); os.close(1)",
        "sys.stdout.flush(); sys.stdout = io.StringIO(); sys.stdout.close()",
        "with sys.stdout as f: f.flush()",
        "sys.stdout.flush(); del sys.stdout, sys.__stdout__",
        "sys.stdout = sys.stderr = None",
        "sys.stdout.flush(); sys.stdout.detach(); sys.stdout = None; sys.__stdout__ = None",
    ],
)
def test_stdout_may_be_closed_or_replaced_when_all_is_written(end: str) -> None:
    assert statuses(f"import io, os, sys\n{DOUBLE}\n{end}\n", of=problem()) == ["correct"]


def test_what_cannot_be_flushed_is_an_error_as_in_python() -> None:
    broken = f"import os, sys\n{DOUBLE}\nsys.stdout.flush()\nprint(1)\nos.close(1)\n"
    assert statuses(broken, of=problem()) == ["runtime_error"]


# --- the prelude ------------------------------------------------------------------------------------------------------


def test_names_of_the_prelude_are_found_with_and_without_their_module() -> None:
    row = problem("call", [("[1, 3, 5]", "2")], "f")
    bodies = [
        "bisect.bisect_left(a, 4)", "bisect_left(a, 4)", "len(copy.deepcopy(a)) - 1", "len(deepcopy(a)) - 1",
        "random.randint(2, 2)", "randint(2, 2)", "datetime.date(2, 1, 1).year", "date(2, 1, 1).year",
        "heapq.nsmallest(1, a)[0] + 1", "math.gcd(4, 6)", "gcd(4, 6)", "collections.Counter(a)[1] + 1",
        "int(statistics.mean([2, 2]))", "functools.reduce(operator.add, [1, 1])", "len(list(itertools.chain([1], [2])))",
        "json.loads('2')", "re.findall('b', 'abb').count('b')", "len(string.digits) - 8",
    ]  # fmt: skip
    codes = [f"class Solution:\n    def f(self, a: List[int]) -> int:\n        return {body}" for body in bodies]
    assert statuses(*codes, of=row) == ["correct"] * len(codes)
    own = "from bisect import *\nfrom copy import copy\ndef f(a): return bisect(copy(a), 4)"
    assert statuses(own, of=row) == ["correct"]


# --- sets of other forms ----------------------------------------------------------------------------------------------


def test_mbpp_rows_with_text_imports_and_numbers_for_ids() -> None:
    row = {
        "task_id": 7, "text": "area of a circle", "path": "nowhere", "test_imports": ["import math"],
        "test_setup_code": "unit = 1", "test_list": ["assert math.isclose(area(unit), 3.14159, rel_tol=1e-4)"],
    }  # fmt: skip
    solutions = [
        {"solution_id": 1, "question_id": 7, "code": "def area(r): return 3.14159265 * r * r"},
        {"solution_id": 2, "question_id": "7", "code": "def area(r): return 0"},
        {"solution_id": 3, "question_id": 8, "code": "def area(r): return 0"},
    ]
    found = {verdict["solution_id"]: verdict["status"] for verdict in verify_many([row], solutions, 1)}
    assert found == {1: "correct", 2: "runtime_error", 3: "grader_error"}


def test_responses_to_humaneval_s_problems() -> None:
    row = {
        "task_id": "HumanEval/1", "entry_point": "half", "test": "def check(c):\n    assert c(4) == 2\n",
        "prompt": "from math import *\n\ndef div(a, b):\n    return a // b\n\ndef half(x):\n    ''' halves '''\n",
    }  # fmt: skip
    answers = [
        "```python\ndef half(x):\n    return div(x, 2)\n```\nUse:\n```python\nprint(half(4))\n```",
        "The body:\n```python\n    return floor(x / 2)\n```",
        "```python\nreturn div(x, 2)\n```",
        "```python\ndef helper(x):\n    return x / 2\n```\n```python\ndef half(x):\n    return helper(x)\n```",
        "```\ndef half(x):\n    return x / 2\n```\nOutput:\n```\n2\n```",
        "```python\ndef half(x):\n    return x\n```",
        "```python\ndef other(x):\n    return x / 2\n```",
    ]
    solutions = [{"solution_id": n, "question_id": "HumanEval/1", "response": text} for n, text in enumerate(answers)]
    found = {verdict["solution_id"]: verdict["status"] for verdict in verify_many([row], solutions, 1)}
    assert [found[n] for n in range(len(answers))] == ["correct"] * 5 + ["runtime_error"] * 2


# --- faults of ours ---------------------------------------------------------------------------------------------------


def test_a_fault_on_one_response_is_its_verdict_and_stops_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [problem(name) for name in ("a", "b", "c")]
    (tmp_path / "set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "out").mkdir()
    responses = [{"task_id": row["question_id"], "output": f"```python\n{DOUBLE}\n```"} for row in rows]
    responses[1]["output"] = "a fault"
    text = "".join(json.dumps(response) + "\n" for response in responses)
    (tmp_path / "out" / "seed1.jsonl").write_text(text, encoding="utf-8")
    extract = extraction.extract_program

    def fail(answer: str, function: str | None = None) -> str | None:
        if answer == "a fault":
            raise RecursionError("of ours")
        return extract(answer, function)

    monkeypatch.setattr(extraction, "extract_program", fail)
    grade(tmp_path / "out", str(tmp_path / "set.jsonl"), GradingOptions(workers=1))
    lines = (tmp_path / "out" / "verdicts.jsonl").read_text(encoding="utf-8").split("\n")
    graded = {row["task_id"]: row for row in map(json.loads, filter(None, lines))}
    assert {name: row["verdict"] for name, row in graded.items()} == {
        "a": "correct", "b": "grader_error", "c": "correct",
    }  # fmt: skip
    assert graded["b"]["reason"] == "fault of the grader: RecursionError: of ours"


@pytest.mark.parametrize(
    "broken",
    [
        {"starter_code": 5, "metadata": []}, {"metadata": 7}, {"public_test_cases": 5}, {"public_test_cases": [5]},
        {"public_test_cases": {"input": "1"}}, {"test": 5}, {"test_list": {"a": 1}}, {"test_imports": 5, "test_list": [5]},
        {"path": 5, "text": None, "public_test_cases": "[5]"},
    ],
)  # fmt: skip
def test_rows_that_nobody_foresaw_cost_the_verdicts_of_their_problem_only(broken: dict[str, Any]) -> None:
    rows = [{**problem("a"), **broken, "private_test_cases": None}, problem("b")]
    solutions = [{"solution_id": name, "question_id": name, "code": DOUBLE} for name in ("a", "b")]
    found = {verdict["solution_id"]: verdict["status"] for verdict in verify_many(rows, solutions, 1)}
    assert found["b"] == "correct"
    assert found["a"] in ("grader_error", "correct")
    assert found["a"] == "grader_error" or "public_test_cases" not in broken


def test_a_missing_library_is_named_with_its_remedy() -> None:
    (verdict,) = verdicts("import no_such_library\n" + DOUBLE)
    assert verdict["status"] == "runtime_error"
    assert "No module named 'no_such_library' (line 1); if that is a library, install it" in verdict["reason"]
