"""The verifier's door: every complaint of others that must not be possible here (named after its number in our list of
complaints), the original's names, bad input."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import pickle
import time
import zlib
from collections import deque
from typing import Any

import pytest

from tools.code_verifier import (
    check_correctness,
    grade_call_based,
    grade_stdio,
    reliability_guard,
    run_test,
    verify_many,
)
from tools.errors import DataError, SandboxError
from tools.grading.code.extraction import clean_if_name, extract_program, has_code, is_safe_code
from tools.grading.code.pool import PoolOptions, ProgramPool
from tools.grading.code.problem_tests import CODE_TYPE, read_tests, unpickle_text
from tools.grading.pool import Event, LocalCrew, Work
from tools.sandbox.limits import Limits

DOUBLE = "print(int(input()) * 2)"


def problem(
    question_id: str = "double", tests: list[tuple[str, str]] | None = None, function: str | None = None
) -> dict[str, Any]:
    rows = [
        {"input": given, "output": expected, "testtype": "functional" if function else "stdin"}
        for given, expected in (tests if tests is not None else [("1\n", "2\n"), ("21\n", "42\n"), ("-3\n", "-6\n")])
    ]
    return {
        "question_id": question_id, "public_test_cases": json.dumps(rows[:1]), "private_test_cases": json.dumps(rows[1:]),
        "starter_code": "", "metadata": json.dumps({"func_name": function} if function else {}),
    }  # fmt: skip


def pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def verdicts(*codes: str, of: dict[str, Any] | None = None, workers: int = 1, **options: Any) -> list[dict[str, Any]]:
    row = of or problem()
    solutions = [
        {"solution_id": str(number), "question_id": row["question_id"], "code": code}
        for number, code in enumerate(codes)
    ]
    found = verify_many([row], solutions, workers, options=PoolOptions(**options))
    return sorted(found, key=lambda verdict: int(verdict["solution_id"]))


# --- complaints about other graders -------------------------------------------------------------------------------


def test_pains_20_right_programs_are_right_however_they_read() -> None:
    styles = [
        "import sys; print(2 * int(sys.stdin.buffer.read()))",
        "import sys; print(2 * int(sys.stdin.buffer.readline()))",
        "import sys\nfor line in sys.stdin.buffer: print(2 * int(line))",
        "import os, io; print(2 * int(io.BytesIO(os.read(0, os.fstat(0).st_size)).readline()))",
        "import sys; first = sys.stdin.readline(); rest = sys.stdin.read(); print(2 * int(first)); assert rest == ''",
        "x = input()\ntry: input()\nexcept EOFError: print(2 * int(x))",
    ]
    assert [verdict["status"] for verdict in verdicts(*styles)] == ["correct"] * len(styles)


def test_pains_22_several_workers_share_the_work() -> None:
    busy = (
        "import time, os\nt = time.process_time()\nwhile time.process_time() - t < 0.4: pass\nprint(int(input()) * 2)"
    )
    row = problem(tests=[("1\n", "2\n")])
    started = time.monotonic()
    found = verdicts(*[busy] * 6, of=row, workers=2)
    wall_s = time.monotonic() - started
    assert all(verdict["passed"] for verdict in found)
    if len(os.sched_getaffinity(0)) >= 2 and os.getloadavg()[0] < 1:
        assert wall_s < 6 * 0.4 + 1.5


def test_pains_23_a_pathological_program_ends_and_verdicts_come_as_they_are_known() -> None:
    row = problem(tests=[("1\n", "2\n")])
    solutions = [
        {"solution_id": "loop", "question_id": "double", "code": "while True:\n  try: x = 1\n  except: pass"},
        {"solution_id": "good", "question_id": "double", "code": DOUBLE},
    ]
    order = [
        verdict["solution_id"]
        for verdict in verify_many([row], solutions, 2, options=PoolOptions(limits=Limits(cpu_s=2.0)))
    ]
    assert order == ["good", "loop"]


def test_pains_24_time_limits_count_cpu_time_not_waiting_for_a_busy_machine() -> None:
    half = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.5: pass\nprint(int(input()) * 2)"
    row = problem(tests=[("1\n", "2\n")])
    found = verdicts(*[half] * 8, of=row, workers=8, limits=Limits(cpu_s=1.0))
    assert [verdict["status"] for verdict in found] == ["correct"] * 8
    assert max(verdict["cpu_s"] for verdict in found) < 1.0


def test_pains_24_a_program_just_over_its_limit_is_run_again_alone_and_marked() -> None:
    close = (
        "import os, time\nt = time.process_time()\nwhile time.process_time() - t < 1.05: pass\nprint(int(input()) * 2)"
    )
    (verdict,) = verdicts(close, of=problem(tests=[("1\n", "2\n")]), limits=Limits(cpu_s=1.0, grace=2.0))
    assert verdict["status"] == "timeout"
    assert verdict["was_rerun_alone"]
    assert verdict["hangs_on_time"]


def test_pains_25_a_grading_process_that_dies_costs_one_verdict() -> None:
    row = problem()
    solutions = [{"solution_id": str(n), "question_id": "double", "code": DOUBLE} for n in range(12)]
    pool = ProgramPool(LocalCrew(2), PoolOptions())
    found = []
    for verdict in pool.grade({"double": row}, solutions):
        found.append(verdict)
        if len(found) == 1:
            pool._pool._workers[0].popen.kill()
    assert sorted(int(verdict["solution_id"]) for verdict in found) == list(range(12))
    assert all(verdict["passed"] for verdict in found)  # what was lost with it was run again


class SlowStarter:
    """A worker whose verdicts come at once, if it ever starts; the first run of each program is near its limit."""

    def __init__(self, slot: int, seen: set[str]) -> None:
        self.slot, self.end, self.is_ready, self.seen = slot, "", slot != 0, seen
        self.owed: deque[Any] = deque()

    def give(self, problem: Any, solutions: Any) -> None:
        self.owed.extend(solutions)

    def rows(self) -> list[dict[str, Any]]:
        names = [solution["solution_id"] for solution in self.owed]
        rows = [{"solution_id": name, "is_near_timeout": name not in self.seen} for name in names]
        self.seen.update(names)
        return rows

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass


class HalfCrew:
    """Two places, in one of which no worker ever starts, as after the loss of a node."""

    size = 2

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def hire(self, work: Work, slot: int) -> Any:
        return SlowStarter(slot, self.seen)

    def wait(self, workers: Any, timeout_s: float) -> list[Event]:
        owing = [worker for worker in workers if worker.owed]
        assert owing, "nobody who has started was given work"
        return [Event(worker, worker.rows()) for worker in owing]


def test_a_worker_that_never_starts_holds_up_nothing() -> None:
    solutions = [{"solution_id": str(n), "question_id": "double"} for n in range(5)]
    found = list(ProgramPool(HalfCrew(), PoolOptions()).grade({"double": {}}, solutions))
    assert sorted(row["solution_id"] for row in found) == ["0", "1", "2", "3", "4"]
    assert all(row["was_rerun_alone"] for row in found)


def descendants(root: int) -> set[int]:
    """Process ids of all children of a process, theirs included."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = pathlib.Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(name))
    found: set[int] = set()
    waiting = [root]
    while waiting:
        waiting += (new := children.get(waiting.pop(), []))
        found |= set(new)
    return found


def test_pains_26_no_process_survives_the_evaluation() -> None:
    codes = ["import os\nfor _ in range(9): os.fork()", "import os; os.setsid()", DOUBLE, DOUBLE]
    solutions = [{"solution_id": str(n), "question_id": "double", "code": code} for n, code in enumerate(codes)]
    seen: set[int] = set()
    for _verdict in verify_many([problem()], solutions, 2):
        seen |= descendants(os.getpid())
    assert len(seen) >= 3  # grading processes and their warm processes
    for _attempt in range(50):
        if not [pid for pid in seen if pathlib.Path(f"/proc/{pid}").exists()]:
            break
        time.sleep(0.1)
    assert not [pid for pid in seen if pathlib.Path(f"/proc/{pid}").exists()]


def test_pains_27_tests_are_decoded_one_problem_at_a_time_and_from_their_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "problems.jsonl"
    big = [{"input": "1\n", "output": "2\n", "testtype": "stdin"}] * 20_000
    offset, problems = 0, []
    with path.open("wb") as file:
        for number in range(6):
            row = {**problem(str(number)), "private_test_cases": pack(pickle.dumps(json.dumps(big)))}
            line = json.dumps(row).encode() + b"\n"
            problems.append({"question_id": str(number), "path": str(path), "offset": offset, "length": len(line)})
            offset += file.write(line)
    solutions = [{"solution_id": str(number), "question_id": str(number), "code": "print(0)"} for number in range(6)]
    found = list(verify_many(problems, solutions, 1))
    assert {verdict["tests_total"] for verdict in found} == {20_001}
    assert {verdict["status"] for verdict in found} == {"wrong"}


def test_pains_28_and_29_the_verdict_is_the_same_by_every_door() -> None:
    row, call = problem(), problem("call", [("[1, 2]\n3", "6"), ("[]\n0", "0")], "total")
    program = "def total(a, b): return sum(a) + b"
    assert check_correctness(row, DOUBLE)[0] == [True, True, True]
    assert run_test(row, DOUBLE)[0] == [True, True, True]
    assert grade_stdio(DOUBLE, ["1\n", "2\n"], ["2", "4"])[0] == [True, True]
    assert grade_call_based(program, ["[1, 2]\n3"], ["6"], "total")[0] == [True]
    assert check_correctness(call, "class Solution:\n    def total(self, a, b): return sum(a) + b")[0] == [True, True]
    assert verdicts(DOUBLE)[0]["codes"] == [True, True, True]


def test_pains_30_a_problem_that_cannot_be_read_or_has_no_tests_is_never_passed() -> None:
    broken = [
        {**problem(), "private_test_cases": "not base64 !"},
        {**problem(), "private_test_cases": pack(b"not a pickle")},
        {**problem(), "private_test_cases": pack(pickle.dumps(["[]"]))},
        {**problem(), "private_test_cases": pack(pickle.dumps(print))},
        {**problem(), "private_test_cases": base64.b64encode(zlib.compress(b"x" * 999)[:-9]).decode()},
        {**problem(), "private_test_cases": "[{}]"},
        {**problem(), "public_test_cases": "[]", "private_test_cases": "[]"},
        {**problem(), "public_test_cases": None, "private_test_cases": None},
        {**problem(tests=[("1", "[")], function="f")},
        {**problem(tests=[("{", "1")], function="f")},
        {**problem(), "metadata": "{"},
    ]
    for row in broken:
        (verdict,) = verdicts("print(2)\ndef f(x): return 1", of=row)
        assert verdict["status"] == "grader_error", row
        assert verdict["reason"].startswith("problem double"), verdict["reason"]


# --- what decides -------------------------------------------------------------------------------------------------

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


# --- reading tests ------------------------------------------------------------------------------------------------


def test_packed_tests_are_read_without_running_the_pickle() -> None:
    text = json.dumps([{"input": "ü\n", "output": "1\n", "testtype": "stdin"}])
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        tests = read_tests({**problem(), "private_test_cases": pack(pickle.dumps(text, protocol))})
        assert tests.cases[-1].input == "ü\n"
        assert tests.code_type is CODE_TYPE.standard_input


class Bomb:
    def __reduce__(self) -> Any:
        return (pathlib.Path.touch, (pathlib.Path("/tmp/bomb-went-off"),))


@pytest.mark.parametrize("value", [Bomb(), [Bomb()], ["a"], b"bytes", 1, ("a", "b"), {"a": 1}])
def test_a_pickle_of_anything_but_one_text_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="pickle"):
        unpickle_text(pickle.dumps(value))
    assert not os.path.exists("/tmp/bomb-went-off")


def test_the_function_s_name_comes_from_metadata_or_the_starter_code() -> None:
    row = problem(tests=[("1", "1")], function="f")
    assert read_tests(row).function == "f"
    assert (
        read_tests({**row, "metadata": "{}", "starter_code": "class Solution:\n    def g(self, x):\n"}).function == "g"
    )
    with pytest.raises(DataError, match="func_name"):
        read_tests({**row, "metadata": "{}"})


# --- extraction ---------------------------------------------------------------------------------------------------


def test_blocks_are_found_in_every_usual_form() -> None:
    assert has_code("```python\na\n```\n```py\nb\n```\n```Python3 title\nc\n```") == ["a\n", "b\n", "c\n"]
    assert has_code("```\nplain\n```") == ["plain\n"]
    assert has_code("```\nplain\n```\n```python\nx\n```") == ["x\n"]
    assert has_code("- item\n  ```python\n  a = 1\n  ```") == ["  a = 1\n"]
    assert extract_program("- item\n  ```python\n  a = 1\n  if a:\n      b = 2\n  ```") == "a = 1\nif a:\n    b = 2\n"
    assert extract_program("```python\n\tx = 1\n```") == "x = 1\n"
    assert extract_program("no code") is None


def test_functions_of_several_blocks_are_merged_only_when_needed() -> None:
    blocks = ["import math\nprint(1)\n", "def helper(): return math.pi\n", "def f(): return helper()\n"]
    text = "\n".join(f"```python\n{block}```" for block in blocks)
    assert extract_program(text, "f") == "import math\n" + blocks[1] + blocks[2]
    assert extract_program(text + "\n```python\ndef f(): return 1\n```", "f") == "def f(): return 1\n"
    merged = extract_program(text + "\n```python\nx = 3\n```", "f")
    assert merged is not None
    assert "def f" in merged
    assert "import math" in merged
    assert "print" not in merged


def test_main_guards_are_unwrapped_by_the_original_s_helper() -> None:
    for guard in ("if __name__ == '__main__':", 'if "__main__" == __name__:', "if (__name__ == '__main__'):"):
        assert clean_if_name(f"a = 1\n{guard}\n    print(a)").strip() == "a = 1\nprint(a)"
    assert clean_if_name("if a == 1:\n    b = 2") == "if a == 1:\n    b = 2"
    assert clean_if_name("def (") == "def ("


def test_advice_names_risky_code_and_spares_honest_input() -> None:
    assert is_safe_code("import sys\nprint(open(0).read(), input())") == (True, [])
    assert is_safe_code("import os\neval('1')") == (False, ["os", "eval"])
    assert verdicts("import os\nprint(int(input()) * 2)", with_advice=True)[0]["risky_names"] == ["os"]
