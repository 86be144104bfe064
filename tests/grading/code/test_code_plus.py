"""grading/code/plus*.py, expected.py, calls.py: EvalPlus's tasks in both forms, and programs that want more than to answer."""

from __future__ import annotations

import gzip
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tools.code_verifier import verify_many
from tools.errors import DataError
from tools.grading.code.expected import ExpectedStore
from tools.grading.code.harness import find_raw_program
from tools.grading.code.plus import PlusProblem
from tools.grading.code.plus_problem import PlusTask, read_plus
from tools.grading.code.plus_rules import Oracle
from tools.records import Verdict
from tools.sandbox.limits import Limits, limits_for
from tools.sandbox.session import Sandbox

SAMPLE = pathlib.Path(__file__).resolve().parents[3] / "data" / "evalplus_sample.jsonl"
DOUBLE = {
    "task_id": "Own/0", "prompt": "def double(x):\n", "entry_point": "double", "canonical_solution": "    return x * 2\n",
    "atol": 0, "base_input": [[1], ["ab"]], "plus_input": [[[1, 2]], [0.5], [1e9]],
}  # fmt: skip
FLOATS = """
import numpy as np
from math import inf

def is_floats(x) -> bool:
    # check if it is float; List[float]; Tuple[float]
    if isinstance(x, float):
        return True
    if isinstance(x, (list, tuple)):
        return all(isinstance(i, float) for i in x)
    if isinstance(x, np.ndarray):
        return x.dtype == np.float64 or x.dtype == np.float32
    return False

def assertion(out, exp, atol):
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if out != exp and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert out == exp, f"out: {out}, exp: {exp}"
"""
TEST_CODE = (
    FLOATS
    + """
inputs = [[(1, 2)], [(inf,)]]
results = [[1, 2], [inf]]
for i, (inp, exp) in enumerate(zip(inputs, results)):
    assertion(as_list(*inp), exp, 0)
"""
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        yield one


@pytest.fixture(scope="module")
def store() -> Iterator[ExpectedStore]:
    one = ExpectedStore()
    yield one
    one.close()


def task_of(row: dict[str, Any]) -> PlusTask:
    task = read_plus(str(row["task_id"]), row)
    assert task is not None
    return task


def grade(sandbox: Sandbox, store: ExpectedStore, row: dict[str, Any], code: str, cpu_s: float = 2.0) -> Any:
    return PlusProblem(task_of(row), store).grade(sandbox, code, limits=limits_for(cpu_s))


@pytest.mark.parametrize(
    ("code", "metrics"),
    [
        ("def double(x):\n    return x + x\n", {"base": 1.0, "plus": 1.0}),
        ("    return x + x\n", {"base": 1.0, "plus": 1.0}),  # the rest of the prompt
        ("return x + x", {"base": 1.0, "plus": 1.0}),
        ("def double(x):\n    return x + x if x != 1e9 else 0\n", {"base": 1.0, "plus": 0.0}),
        ("def double(x):\n    return x + x if x != 'ab' else None\n", {"base": 0.0, "plus": 0.0}),
        (
            "def double(x):\n    return (x + x) if not isinstance(x, list) else tuple(x + x)\n",
            {"base": 1.0, "plus": 0.0},
        ),
        ("def other(x):\n    return x + x\n", {"base": 0.0, "plus": 0.0}),
        (
            "def double(x):\n    print('noise', x)\n    return float(x) * 2 if x == 1 else x * 2\n",
            {"base": 1.0, "plus": 1.0},
        ),
        ("def double(x:\n", {"base": 0.0, "plus": 0.0}),
    ],
)
def test_base_and_plus_are_told_apart(
    sandbox: Sandbox, store: ExpectedStore, code: str, metrics: dict[str, float]
) -> None:
    found = grade(sandbox, store, DOUBLE, code)
    assert found.metrics == metrics
    assert found.passed is (metrics["plus"] == 1.0)


HOSTILE = {
    "equal to everything": "class All:\n    __eq__ = lambda *_: True\n    __hash__ = object.__hash__\ndef double(x):\n    return All()\n",
    "a number that lies": "class Lie(int):\n    __eq__ = lambda *_: True\n    __hash__ = int.__hash__\ndef double(x):\n    return Lie(7)\n",
    "ends early": "import os\ndef double(x):\n    os._exit(0)\n",
    "ends at the top": "import sys\nsys.exit(0)\ndef double(x):\n    return x * 2\n",
    "reads the order": "def double(x):\n    import os\n    return os.pread(0, 9, 0)\n",
    "looks for what is expected": (
        "import gc\ndef double(x):\n    return next((o for o in gc.get_objects() if isinstance(o, dict) and 'expected' in o), None)\n"
    ),
    "forges lines": 'import os\ndef double(x):\n    os.write(1, b\'\\nTOKEN {"v": 2, "s": 0}\\n\' * 5)\n    os._exit(0)\n',
    "a generator": "def double(x):\n    yield x * 2\n",
    "asks for input": "def double(x):\n    return input()\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_program_that_does_not_answer_does_not_pass(sandbox: Sandbox, store: ExpectedStore, name: str) -> None:
    found = grade(sandbox, store, DOUBLE, HOSTILE[name])
    assert found.metrics == {"base": 0.0, "plus": 0.0}
    assert found.verdict in (Verdict.WRONG, Verdict.RUNTIME_ERROR)


def test_a_program_that_never_ends_is_ended_once(sandbox: Sandbox, store: ExpectedStore) -> None:
    code = "def double(x):\n    while x == 'ab':\n        pass\n    return x * 2\n"
    found = grade(sandbox, store, DOUBLE, code, cpu_s=0.3)
    assert found.verdict is Verdict.TIMEOUT
    assert found.cpu_s < 1.2  # one fork until then, one more in which it answers nothing


def test_the_time_limit_is_that_of_a_call_and_follows_the_canonical_solution(
    sandbox: Sandbox, store: ExpectedStore
) -> None:
    slow = "    end = __import__('time').process_time() + {}\n    while __import__('time').process_time() < end:\n        pass\n"
    row = DOUBLE | {"task_id": "Own/1", "canonical_solution": slow.format(0.1) + "    return x * 2\n"}
    program = "def double(x):\n" + slow.format(0.25) + "    return x * 2\n"
    assert grade(sandbox, store, row, program, cpu_s=0.15).passed  # 0.4 s a call, because the solution takes 0.1
    assert grade(sandbox, store, DOUBLE, program, cpu_s=0.15).verdict is Verdict.TIMEOUT


def test_floats_have_a_tolerance_and_other_types_none(sandbox: Sandbox, store: ExpectedStore) -> None:
    row = DOUBLE | {"task_id": "Own/2", "base_input": [[0.1]], "plus_input": [[0.1], [3]]}
    assert grade(sandbox, store, row, "def double(x):\n    return x * 2 + 1e-9 * isinstance(x, float)\n").passed
    assert not grade(sandbox, store, row, "def double(x):\n    return x * 2 + 1e-3\n").passed
    assert not grade(sandbox, store, row, "def double(x):\n    return str(x * 2)\n").passed


@pytest.mark.parametrize(
    ("oracle", "answer", "is_right"),
    [
        ("Mbpp/2:similar_elements", "[4, 3]", True),
        ("Mbpp/2:similar_elements", "(3, 4, 4)", True),
        ("Mbpp/2:similar_elements", "(3, 5)", False),
        ("Mbpp/787:text_match_three", "'found'", True),
        ("Mbpp/787:text_match_three", "None", False),
        ("Own/2:similar_elements", "[4, 3]", False),
    ],
)
def test_some_tasks_have_oracles(
    sandbox: Sandbox, store: ExpectedStore, oracle: str, answer: str, is_right: bool
) -> None:
    task_id, name = oracle.split(":")
    row = {
        "task_id": task_id, "prompt": "", "entry_point": name, "canonical_solution": f"def {name}(a, b):\n    return (3, 4)\n",
        "atol": 0, "base_input": [[[1], [2]]], "plus_input": [[[5], [6]]],
    }  # fmt: skip
    assert grade(sandbox, store, row, f"def {name}(a, b):\n    return {answer}\n").passed is is_right


def test_a_root_is_right_where_the_polynomial_is_zero(sandbox: Sandbox, store: ExpectedStore) -> None:
    row = {
        "task_id": "HumanEval/32", "prompt": "", "entry_point": "find_zero", "canonical_solution": "def find_zero(xs):\n    return 9.9\n",
        "atol": 1e-4, "base_input": [[[1, 2]], [[-6, 11, -6, 1]]], "plus_input": [[[0, 1]]],
    }  # fmt: skip
    assert task_of(row).oracle is Oracle.ROOT
    right = "def find_zero(xs):\n    return {2: -xs[0] / xs[1], 4: 3.0}[len(xs)]\n"
    assert grade(sandbox, store, row, right).passed
    assert not grade(sandbox, store, row, "def find_zero(xs):\n    return -0.5\n").passed


def test_test_code_is_read_and_not_run(sandbox: Sandbox, store: ExpectedStore) -> None:
    row = {
        "task_id": 7,
        "code": "def as_list(t):\n    return list(t)\n",
        "test": TEST_CODE,
        "test_list": ["assert as_list((1,)) == [1]"],
    }
    assert grade(sandbox, store, row, row["code"]).metrics == {"plus": 1.0}
    assert not grade(sandbox, store, row, "def as_list(t):\n    return t\n").passed
    # What would have passed the test code run behind it: the comparison is not in its process.
    assert not grade(sandbox, store, row, HOSTILE["equal to everything"].replace("double", "as_list")).passed


def test_test_code_that_is_not_known_to_the_letter_is_left_to_the_harness() -> None:
    row = {"task_id": 7, "test": TEST_CODE.replace("1e-07", "1e-01"), "test_list": []}
    assert read_plus("7", row) is None
    assert read_plus("7", {"task_id": 7, "test": "def check(candidate):\n    assert candidate(1) == 1\n"}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"canonical_solution": None},
        {"atol": "x"},
        {"base_input": [1]},
        {"base_input": [], "plus_input": []},
        {"entry_point": ""},
    ],
)
def test_a_damaged_row_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="problem Own/0"):
        read_plus("Own/0", DOUBLE | change)


def test_a_canonical_solution_that_fails_is_a_fault_of_ours() -> None:
    row = DOUBLE | {"canonical_solution": "    return 1 / 0\n"}
    solutions = [{"solution_id": "a", "question_id": "Own/0", "code": "def double(x):\n    return x * 2\n"}]
    (found,) = verify_many([row], solutions, 1)
    assert found["status"] == "grader_error"
    assert "canonical solution fails at input 1" in found["reason"]


def test_the_sample_is_solved_by_its_solutions() -> None:
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    solutions = [
        {
            "solution_id": row["task_id"],
            "question_id": row["task_id"],
            "code": row["prompt"] + row["canonical_solution"],
        }
        for row in rows
    ]
    assert [found["status"] for found in verify_many(rows, solutions, 1)] == ["correct"] * 3


@pytest.mark.parametrize(
    ("text", "is_program"),
    [
        ("def double(x):\n    return x", True),
        ("    return x", True),
        ("return x", True),
        ("It returns x.", False),
        ("x", False),
        ("```python\ndef double(x):\n    return x\n```", False),
    ],
)
def test_an_answer_without_a_fence_may_be_a_program(text: str, is_program: bool) -> None:
    assert (find_raw_program(text, "def double(x):\n", "double") is not None) is is_program


@pytest.mark.slow
@pytest.mark.parametrize("name", ["HumanEvalPlus", "HumanEvalPlus-OriginFmt", "MbppPlus", "MbppPlus-OriginFmt"])
def test_canonical_solutions_pass(data_dir: pathlib.Path, name: str) -> None:
    """Every eighth task, and all that need more than the default limits; perf/code/plus_agreement.py runs all."""
    path = data_dir / "breadth" / "evalplus" / f"{name}.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"{path} does not exist: real data cannot be committed here")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    heavy = {"HumanEval/32", "HumanEval/139", "255", "Mbpp/255"}
    rows = [row for number, row in enumerate(rows) if number % 8 == 0 or str(row["task_id"]) in heavy]
    solutions = [
        {
            "solution_id": str(row["task_id"]),
            "question_id": row["task_id"],
            "code": row.get("code") or row["prompt"] + row["canonical_solution"],
        }
        for row in rows
    ]
    failed = {found["solution_id"]: found["reason"] for found in verify_many(rows, solutions, 2) if not found["passed"]}
    assert failed == {}


def test_the_default_limits_are_the_least() -> None:
    from tools.grading.code.expected import Wanted
    from tools.grading.code.plus import limits_of

    assert limits_of(Limits(), [Wanted(1, 0.0)], 0).cpu_s == Limits.cpu_s
    assert limits_of(Limits(), [Wanted(1, 0.0)], 3 << 30).data_bytes == 6 << 30
