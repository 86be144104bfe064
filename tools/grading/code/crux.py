"""Grades answers to CRUXEval: is this what the function returns, or an input that makes it return what is wanted?

A literal is compared as it stands. Every other answer is evaluated in the sandbox, behind the function's code, and leaves it as
plain data; the wanted output is never in there, and equality is decided out here: no object can say that it equals everything.

>>> problem = read_crux("sample", {"code": "def f(x):\\n    return x * 2", "input": "'a'", "output": "'aa'"}, Task.OUTPUT)
>>> problem.expected
'aa'
"""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

from tools.errors import DataError
from tools.grading.code.calls import Order, load_calls, run_calls
from tools.grading.code.comparison import show
from tools.grading.code.crux_answers import Expression, Task, judge_expression, read_expression
from tools.grading.code.program import CODES, FAILURES, CodeGrade
from tools.grading.code.values import equals, read_value
from tools.records import JsonRow, Verdict
from tools.sandbox.limits import Limits
from tools.sandbox.outcome import End
from tools.sandbox.session import Sandbox

ANSWER = "__answer__"
GIVES = "\n\n\ndef {name}():\n    return ({source})\n"
HIDES_FUNCTION = "\n\n__import__('builtins').globals().pop('f', None)\n"


@dataclasses.dataclass(frozen=True)
class CruxProblem:
    """A function's code with an input and its output, both as they stand in the row. `expected` is the output's value."""

    question_id: str
    code: str
    input: str
    output: str
    expected: Any
    task: Task
    wanted_function: str | None = None

    def grade(
        self, sandbox: Sandbox, code: str, *, limits: Limits, runs_all: bool = False, rules: str = "ours"
    ) -> CodeGrade:
        """`code` is the answer's text."""
        grade = CodeGrade(Verdict.CORRECT, tests_total=1)
        found = read_expression(code, self.task)
        if found is None:
            return _end(grade, Verdict.NO_ANSWER, "no Python expression in the answer")
        if self.task is Task.OUTPUT and found.is_alone and f"f({self.input})" in found.given:
            return _end(grade, Verdict.WRONG, "calls f instead of saying what it returns")
        if why := judge_expression(found, self.task):
            return _end(grade, Verdict.WRONG, why)
        if not self._is_right(sandbox, found, grade, limits):
            return grade
        if found.rest and not self._ends(sandbox, found, grade, limits):
            return grade
        grade.codes.append(CODES[Verdict.CORRECT])
        return grade

    def _is_right(self, sandbox: Sandbox, found: Expression, grade: CodeGrade, limits: Limits) -> bool:
        if self.task is Task.OUTPUT:
            try:
                return self._compare(found.literal, found.source, grade)
            except ValueError:
                pass  # not a literal: evaluated
        hides = HIDES_FUNCTION if self.task is Task.OUTPUT else ""
        text = self._run(sandbox, self.code + hides + GIVES.format(name=ANSWER, source=found.source), grade, limits)
        return text is not None and self._compare(read_value(text).value, text, grade)

    def _compare(self, value: Any, text: str, grade: CodeGrade) -> bool:
        if equals(value, self.expected):
            return True
        _end(grade, Verdict.WRONG, f"answered {show(text[:1000])!r}, expected {show(self.output[:1000])!r}")
        return False

    def _ends(self, sandbox: Sandbox, found: Expression, grade: CodeGrade, limits: Limits) -> bool:
        """Statements behind a right answer have to run too, as they do there."""
        program = f"{self.code}\n\n{found.source}\n{found.rest}" + GIVES.format(name=ANSWER, source="None")
        return self._run(sandbox, program, grade, limits) is not None

    def _run(self, sandbox: Sandbox, text: str, grade: CodeGrade, limits: Limits) -> str | None:
        """The JSON of what the answer gives; None when it fails, and the grade says why."""
        program = load_calls(sandbox, text)
        if program.error:
            _end(grade, Verdict.COMPILE_ERROR, program.error)
            return None
        calls, outcome = run_calls(sandbox, program, Order(ANSWER, [[]]), limits)
        grade.cpu_s += outcome.cpu_s
        grade.max_cpu_s = max(grade.max_cpu_s, outcome.cpu_s)
        grade.wall_s += outcome.wall_s
        grade.peak_bytes = max(grade.peak_bytes, outcome.peak_bytes)
        if calls and calls[0].text is not None:
            return calls[0].text
        is_over = outcome.end in FAILURES and outcome.end is not End.FAILED
        reason = outcome.reason if not calls else calls[0].error
        _end(
            grade, FAILURES[outcome.end] if is_over else Verdict.RUNTIME_ERROR, reason or "ended before it had answered"
        )
        return None


def _end(grade: CodeGrade, verdict: Verdict, reason: str) -> CodeGrade:
    grade.verdict, grade.reason, grade.first_failing_test = verdict, reason, 1
    grade.codes.append(CODES[verdict])
    return grade


def read_crux(question_id: str, row: JsonRow, task: Task) -> CruxProblem:
    """The problem of a row; `code` may stand as the statement. Raises DataError."""
    code, given, output = row.get("code", row.get("problem")), row.get("input"), row.get("output")
    if not isinstance(code, str) or not isinstance(given, str) or not isinstance(output, str):
        raise DataError(f"problem {question_id}: it needs code, input and output as texts; restore the row")
    try:
        expected = ast.literal_eval(output.strip())
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise DataError(f"problem {question_id}: its output is no literal ({error}); restore the row") from error
    return CruxProblem(question_id, code, given, output, expected, task)
