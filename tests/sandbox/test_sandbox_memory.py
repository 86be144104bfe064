"""Nothing of an earlier program, input or answer is in the memory of a later fork: all of it is read and searched."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tools.code_verifier import verify_many
from tools.errors import SandboxError
from tools.grading.code.pool import PoolOptions
from tools.grading.code.problem_tests import read_tests
from tools.grading.code.program import PreparedProblem, grade_program, prepare
from tools.grading.code.worker import ProgramGrader
from tools.records import Verdict
from tools.sandbox.limits import Limits
from tools.sandbox.order import choose_order
from tools.sandbox.outcome import encode_arguments
from tools.sandbox.session import LostProgram, Program, Sandbox

# Reads all that this process can read of its own memory and prints what looks like a mark; "{rare}" chooses the process.
SCANNER = r"""
import ctypes, os, re, sys  # {rare}
found = set()
for line in open('/proc/self/maps'):
    span, rights, *_rest = line.split()
    if rights[0] == 'r' and not line.rstrip().endswith(('[vvar]', '[vvar_vclock]', '[vsyscall]')):
        start, end = (int(number, 16) for number in span.split('-'))
        for at in range(start, end, 1 << 24):
            found |= set(re.findall(rb'MARK[a-z]{{3,9}}[0-9]{{6}}', ctypes.string_at(at, min(1 << 24, end - at))))
print(sorted(found))
"""


@pytest.fixture
def open_sandbox() -> Iterator[Sandbox]:
    """One in which /proc/self/maps can be read, or a program could not know where to look."""
    with Sandbox(without=["landlock"], is_unsafe_allowed=True) as sandbox:
        yield sandbox


def make_problem(mark: str, function: str | None) -> PreparedProblem:
    value = f"MARKwanted{mark}"
    tests = [
        {"input": json.dumps(f"MARKinput{n}{mark[1:]}"), "output": json.dumps(value) if function else value,
         "testtype": "functional" if function else "stdin"}
        for n in range(3)
    ]  # fmt: skip
    row = {"question_id": "q", "public_test_cases": json.dumps(tests), "private_test_cases": "[]"}
    return prepare(read_tests({**row, "metadata": json.dumps({"func_name": function} if function else {})}))


def leave_traces(sandbox: Sandbox) -> None:
    """Programs of every kind and end, with marks in their names, texts, inputs, answers, wanted answers and errors."""
    for number, opening in enumerate(("", "import os\n", "import numpy\n", "import threading\n")):
        mark = f"{number:06}"
        wanted = f"'MARK' 'wanted' '{mark}'"
        names = "".join(f"def MARKname{n:06}(): return 'MARKtext{n:06}'\n" for n in range(40))
        for end in (f"print({wanted})", "1/0", "raise ValueError('MARKerror000001')", "print('MARKanswer000001')"):
            code = f"{opening}{names}a = input()\n{end}"
            assert grade_program(sandbox, make_problem(mark, None), code, limits=Limits()).verdict is not None
        code = f"{opening}{names}def MARKcall{mark}(a): return {wanted}"
        assert grade_program(sandbox, make_problem(mark, f"MARKcall{mark}"), code, limits=Limits()).passed
    assert sandbox.load("MARKsyntax000001 = (").error


@pytest.mark.parametrize("rare", ["", "numpy"])
def test_no_mark_of_an_earlier_program_is_in_the_memory_of_a_fork(open_sandbox: Sandbox, rare: str) -> None:
    leave_traces(open_sandbox)
    program = open_sandbox.load(SCANNER.format(rare=rare))
    assert open_sandbox.run(program, b"").output == b"[]\n"


def test_the_search_finds_what_is_there(open_sandbox: Sandbox) -> None:
    code = "import sys\nkept = sys.stdin.read()\n" + SCANNER.format(rare="")
    outcome = open_sandbox.run(open_sandbox.load(code), b"MARKinput123456")
    assert outcome.output == b"[b'MARKinput123456']\n", outcome.reason


def test_a_function_of_a_program_is_called_by_its_own_name_after_another(open_sandbox: Sandbox) -> None:
    first, second = (open_sandbox.load(f"import os\ndef f{n}(a): return a + {n}", f"f{n}") for n in (1, 2))
    for program, answer in ((first, b"11"), (second, b"12"), (first, b"11")):
        assert open_sandbox.call(program, encode_arguments([10])).output == answer


def test_a_program_cannot_change_what_its_next_run_reads(open_sandbox: Sandbox) -> None:
    code = "import os\nprint([n for n in range(9) if os.path.lexists(f'/proc/self/fd/{n}')])"
    program = open_sandbox.load(code)
    assert open_sandbox.run(program, b"").output == b"[0, 1, 2, 3]\n"  # not the file with the compiled program
    assert open_sandbox._record is not None
    with pytest.raises(PermissionError):
        os.pwrite(open_sandbox._record[1], b"x", 0)


def test_a_program_that_compiles_to_too_much_does_not_compile() -> None:
    code = "".join(f'x = "{n:05}" * 819\n' for n in range(21_000))  # the compiler multiplies the texts out
    with Sandbox() as sandbox:
        before = sandbox._get(False).popen.pid
        assert sandbox.load(code).error == "the compiled program is larger than 64 MiB"
        assert sandbox.run(sandbox.load("import os; print(1)"), b"").output == b"1\n"
        assert sandbox._get(False).popen.pid == before


# --- the warm process dies or falls silent ------------------------------------------------------------------------


def test_a_stopped_warm_process_is_replaced_at_once() -> None:
    with Sandbox() as sandbox:
        program = sandbox.load("import os; print(1)")
        sandbox._warm[False].popen.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(LostProgram, match="silent"):
            sandbox.run(program, b"")
        assert time.monotonic() - started < 10
        assert sandbox.run(program, b"").output == b"1\n"


class DyingSandbox(Sandbox):
    """Its warm process dies whenever a program with "murder" in it is run, as if by a hole that we do not know."""

    def run(self, program: Program, *rest: Any) -> Any:
        if "murder" in program.source:
            self._warm[program.is_rare].popen.kill()
            self._warm[program.is_rare].popen.wait()
        return super().run(program, *rest)


def make_grader(sandbox: Sandbox) -> ProgramGrader:
    grader = ProgramGrader.__new__(ProgramGrader)
    grader.options = {"rules": "ours", "runs_all": False, "with_advice": False}
    grader.limits, grader.sandbox = Limits(), sandbox
    grader._question_id, grader._our_problem = "q", None
    return grader


def test_a_program_at_which_the_warm_process_dies_twice_is_named_as_the_cause() -> None:
    tests = json.dumps([{"input": "1", "output": "1", "testtype": "stdin"}])
    row = {"question_id": "q", "public_test_cases": tests, "private_test_cases": "[]", "metadata": "{}"}
    with DyingSandbox() as sandbox:
        grader = make_grader(sandbox)
        grader._problem = prepare(read_tests(row))
        rows = [
            grader.grade({"solution_id": "s", "question_id": "q", "code": code})
            for code in ("import os\n'murder'", "import os\nprint(input())")
        ]
    assert [row["status"] for row in rows] == [Verdict.RUNTIME_ERROR.value, Verdict.CORRECT.value]
    assert "twice" in rows[0]["reason"]


def test_a_sandbox_that_cannot_start_is_no_fault_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"question_id": "q", "public_test_cases": json.dumps([{"input": "1", "output": "1", "testtype": "stdin"}]),
           "private_test_cases": "[]", "metadata": "{}"}  # fmt: skip
    with Sandbox() as sandbox:
        grader = make_grader(sandbox)
        grader._problem = prepare(read_tests(row))
        sandbox.close()

        def refuse(*_arguments: object) -> None:
            raise SandboxError("no memory")

        monkeypatch.setattr("tools.sandbox.session.WarmProcess", refuse)
        found = grader.grade({"solution_id": "s", "question_id": "q", "code": "import os\nprint(input())"})
    assert (found["status"], found["reason"]) == ("infra_error", "no memory")


HEAP_READER = r"""
import ctypes, os, marshal, re
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
libc.pwrite.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long]
top, done = libc.sbrk(0) & ~4095, 0
for page in range(top - (15 << 20), top, 4096):
    written = libc.pwrite(3, page, 4096, done)
    done += max(0, written)
heap = os.pread(3, done, 0)
for match in re.finditer(rb'[\xe3c]\0\0\0\0', heap):
    try:
        code = marshal.loads(heap[match.start(): match.start() + 2000000])
    except Exception:
        continue
    if 'honest_answer' in getattr(code, 'co_names', ()):
        exec(code)
"""


@pytest.mark.parametrize("helpers", [5, 60, 100])
def test_the_code_of_the_program_graded_before_cannot_be_found_and_run(helpers: int) -> None:
    tests = [{"input": f"{n}\n", "output": f"{n * n + 7}\n", "testtype": "stdin"} for n in (3, 14, 159)]
    row = {"question_id": "p", "public_test_cases": json.dumps(tests), "private_test_cases": "[]", "metadata": "{}"}
    lines = "".join(f"def helper_{n}(a): return a * {n}\n" for n in range(helpers))
    honest = f"import threading\n{lines}honest_answer = int(input()) ** 2 + 7\nprint(honest_answer)"
    solutions = [{"solution_id": name, "question_id": "p", "code": code}
                 for name, code in (("honest", honest), ("thief", HEAP_READER))]  # fmt: skip
    found = {each["solution_id"]: each for each in verify_many([row], solutions, 1, options=PoolOptions())}
    assert found["honest"]["passed"]
    assert not found["thief"]["passed"]


# --- the order of tests -------------------------------------------------------------------------------------------

PHASE = """
import os, time
period = 1.2
phase = time.time() % period
number = 1 if phase < 0.2 else 2 if 0.4 <= phase < 0.6 else 0
time.sleep(({0: 0.0, 1: 0.4, 2: 0.8}[number] - time.time()) % period)
print(number)
"""


def test_the_phase_of_the_clock_does_not_tell_a_program_which_test_it_is() -> None:
    tests = json.dumps([{"input": "0", "output": str(n), "testtype": "stdin"} for n in range(3)])
    row = {"question_id": "q", "public_test_cases": tests, "private_test_cases": "[]", "metadata": "{}"}
    with Sandbox() as sandbox:
        assert not grade_program(sandbox, prepare(read_tests(row)), PHASE, limits=Limits()).passed


def test_the_first_failing_test_is_the_first_in_any_order() -> None:
    tests = [{"input": str(n), "output": str(n), "testtype": "stdin"} for n in range(12)]
    row = {"question_id": "q", "public_test_cases": json.dumps(tests), "private_test_cases": "[]", "metadata": "{}"}
    problem = prepare(read_tests(row))
    code = "import os\nn = int(input())\nif n == 9: 1 / 0\nprint(n if n < 4 or n == 7 else 'no')"
    with Sandbox() as sandbox:
        grades = [grade_program(sandbox, problem, code, limits=Limits()) for _ in range(5)]
        everything = grade_program(sandbox, problem, code, limits=Limits(), runs_all=True)
    assert {(grade.first_failing_test, grade.verdict) for grade in grades} == {(5, Verdict.WRONG)}
    assert {tuple(grade.codes) for grade in grades} == {(True, True, True, True, -2)}
    assert everything.codes == [True] * 4 + [-2] * 3 + [True] + [-2, -4, -2, -2]
    assert [entry["test"] for entry in everything.per_test] == list(range(1, 13))


def test_in_the_chosen_order_no_test_but_the_first_keeps_its_place() -> None:
    for count in (2, 3, 7, 40):
        order = choose_order(count)
        assert sorted(order) == list(range(1, count + 1))
        assert all(number != place for place, number in enumerate(order, 1) if number > 1)
