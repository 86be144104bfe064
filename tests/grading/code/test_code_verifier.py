"""The verifier's door: what decides a verdict, the same by every name, and what a program cannot cheat."""

from __future__ import annotations

import os

import pytest

from tests.support.programs import DOUBLE, problem, verdicts
from tools.code_verifier import (
    check_correctness,
    grade_call_based,
    grade_stdio,
    reliability_guard,
    run_test,
    verify_many,
)
from tools.errors import SandboxError
from tools.sandbox.limits import Limits


def test_right_programs_are_right_however_they_read() -> None:
    styles = [
        "import sys; print(2 * int(sys.stdin.buffer.read()))",
        "import sys; print(2 * int(sys.stdin.buffer.readline()))",
        "import sys\nfor line in sys.stdin.buffer: print(2 * int(line))",
        "import os, io; print(2 * int(io.BytesIO(os.read(0, os.fstat(0).st_size)).readline()))",
        "import sys; first = sys.stdin.readline(); rest = sys.stdin.read(); print(2 * int(first)); assert rest == ''",
        "x = input()\ntry: input()\nexcept EOFError: print(2 * int(x))",
    ]
    assert [verdict["status"] for verdict in verdicts(*styles)] == ["correct"] * len(styles)


def test_the_verdict_is_the_same_by_every_door() -> None:
    row, call = problem(), problem("call", [("[1, 2]\n3", "6"), ("[]\n0", "0")], "total")
    program = "def total(a, b): return sum(a) + b"
    assert check_correctness(row, DOUBLE)[0] == [True, True, True]
    assert run_test(row, DOUBLE)[0] == [True, True, True]
    assert grade_stdio(DOUBLE, ["1\n", "2\n"], ["2", "4"])[0] == [True, True]
    assert grade_call_based(program, ["[1, 2]\n3"], ["6"], "total")[0] == [True]
    assert check_correctness(call, "class Solution:\n    def total(self, a, b): return sum(a) + b")[0] == [True, True]
    assert verdicts(DOUBLE)[0]["codes"] == [True, True, True]


EXPECTED = {
    "correct": DOUBLE,
    "wrong": "print(int(input()) * 3)",
    "runtime_error": "print(int(input()) * 2); raise ValueError",
    "compile_error": "print(int(input()) * 2",
    "no_answer": "  \n",
    "timeout": "while True: pass",
    "memory": "x = bytearray(3 << 30)\nprint(int(input()) * 2)",
}


def test_each_kind_of_end_has_its_verdict() -> None:
    found = verdicts(*EXPECTED.values(), limits=Limits(cpu_s=1.0), workers=2)
    assert [verdict["status"] for verdict in found] == list(EXPECTED)
    assert [verdict["first_failing_test"] for verdict in found] == [None, 1, 1, 1, None, 1, 1]


def test_all_tests_are_run_when_asked() -> None:
    (verdict,) = verdicts("x = int(input())\nprint(2 * x if x != 21 else 0)", runs_all=True)
    assert verdict["codes"] == [True, -2, True]
    assert verdict["first_failing_test"] == 2
    assert [test["status"] for test in verdict["per_test"]] == ["correct", "wrong", "correct"]


def test_the_last_test_decides_too() -> None:
    assert verdicts("x = int(input())\nprint(2 * x if x != -3 else 0)")[0]["first_failing_test"] == 3


def test_the_expected_output_is_not_in_the_program_s_process() -> None:
    row = problem(tests=[("1\n", "TOKEN-1\n"), ("2\n", "TOKEN-2\n")])
    thief = "import gc, sys\nfound = [x for o in gc.get_objects() for x in (o if isinstance(o, (list, tuple)) else []) if isinstance(x, str) and 'TOKEN-' in x and len(x) < 20]\nprint(found[0] if found else input())"
    assert verdicts(thief, of=row)[0]["status"] == "wrong"


def test_a_solution_that_lies_about_equality_does_not_pass() -> None:
    row = problem("call", [("1", "[1]"), ("2", "[2]")], "f")
    liars = [
        "class L(list):\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\ndef f(x): return L([9])",
        "class L(str):\n    __eq__ = lambda s, o: True\ndef f(x): return L('9')",
        "import json\njson.loads = lambda *a: [1]\ndef f(x): return [9]",
        "import os\ndef f(x): os._exit(0)",
        "import os\ndef f(x):\n    os.write(3, b'R[9]'); os._exit(0)",
    ]
    assert not any(verdict["passed"] for verdict in verdicts(*liars, of=row))


def test_state_is_not_carried_between_tests() -> None:
    row = problem(tests=[("0\n", "0\n"), ("0\n", "1\n")])
    code = "import builtins\nbuiltins.n = getattr(builtins, 'n', -1) + 1\nprint(n)"
    assert verdicts(code, of=row)[0]["first_failing_test"] == 2


def test_an_unknown_problem_and_a_refused_sandbox() -> None:
    solution = {"solution_id": "s", "question_id": "nowhere", "code": DOUBLE}
    (verdict,) = verify_many([problem()], [solution], 1)
    assert (verdict["status"], verdict["reason"]) == ("grader_error", "there is no problem nowhere")
    with pytest.raises(SandboxError, match="landlock does not hold"):
        verdicts(DOUBLE, without=("landlock",))
    assert verdicts(DOUBLE, without=("landlock",), is_unsafe_allowed=True)[0]["passed"]


def test_responses_are_reduced_to_their_program() -> None:
    row = problem()
    texts = [
        f"thoughts ```python\nprint(0)\n```</think>Done:\n```python\n{DOUBLE}\n```",
        f"</think>\n```python\nprint(0)\n```\nno, better:\n```python\n{DOUBLE}\n```",
        f"</think>\n```python\n{DOUBLE}",
        f"<think>never closed ```python\n{DOUBLE}\n```",
        "</think>no code at all",
        "</think>\n```cpp\nint main() {}\n```",
        "\x00\xff\ud800</think>\n```python\n\x00\n```",
    ]
    solutions = [{"solution_id": str(n), "question_id": "double", "response": text} for n, text in enumerate(texts)]
    found = {verdict["solution_id"]: verdict["status"] for verdict in verify_many([row], solutions, 1)}
    expected = ["correct", "correct", "correct", "truncated", "no_answer", "no_answer", "compile_error"]
    assert [found[str(n)] for n in range(len(texts))] == expected


def test_humaneval_and_mbpp_forms() -> None:
    human = {
        "task_id": "HumanEval/x", "question_id": "h", "prompt": "def f(x):\n", "entry_point": "f",
        "test": "def check(c):\n    assert c(2) == 4\n",
    }  # fmt: skip
    assert verdicts("    return 2 * x\n", of=human)[0]["status"] == "correct"
    assert verdicts("def f(x):\n    return 2 * x\n", of=human)[0]["status"] == "correct"
    assert verdicts("def f(x):\n    return x\n", of=human)[0]["status"] == "runtime_error"
    assert verdicts("import sys\ndef f(x):\n    sys.exit(0)\n", of=human)[0]["status"] == "wrong"
    mbpp = {"question_id": "m", "test": "['assert gcd(4, 6) == 2', 'assert gcd(1, 1) == 1']"}
    assert verdicts("from math import gcd", of=mbpp)[0]["status"] == "correct"
    assert verdicts("pass", of=mbpp)[0]["status"] == "runtime_error"  # no prelude hands it gcd


def test_the_guard_of_the_original_changes_nothing_here() -> None:
    assert reliability_guard(1 << 30).memory_bytes == 1 << 30
    assert os.getcwd()
