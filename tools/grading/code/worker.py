"""One grading process: holds the expected outputs, owns one sandbox, grades what it is told, one line in, lines out.

Started by `pool.py`. It reads jobs as JSON lines and writes one JSON line per solution as soon as it is graded. It
ends when its input ends, also in the middle of a program (the sandbox watches the same pipe).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from tools.errors import DataError, SandboxError
from tools.grading.code.crux import CruxProblem, read_crux
from tools.grading.code.crux_answers import Task
from tools.grading.code.expected import ExpectedStore
from tools.grading.code.extraction import extract_program, is_safe_code
from tools.grading.code.plus import PlusProblem
from tools.grading.code.plus_problem import read_plus
from tools.grading.code.problem_tests import find_id, read_tests
from tools.grading.code.program import CODES, CodeGrade, PreparedProblem, prepare
from tools.models.reasoning import split_reasoning
from tools.records import JsonObject, JsonRow, Verdict
from tools.sandbox.limits import Limits
from tools.sandbox.session import LostProgram, Sandbox
from tools.store.files import read_place

Gradable = PreparedProblem | PlusProblem | CruxProblem


class ProgramGrader:
    """Grades solutions of the problem that it was shown last; its tests are decoded once."""

    def __init__(self, options: JsonRow, hangup_fd: int | None) -> None:
        self.options = options
        self.limits = Limits(**options["limits"])
        self.sandbox = Sandbox(
            is_unsafe_allowed=options["is_unsafe_allowed"], without=options["without"], slot=options["slot"],
            hangup_fd=hangup_fd,
        )  # fmt: skip
        self.store = ExpectedStore(options.get("expected_folder", ""))
        self._question_id: Any = None
        self._problem: Gradable | DataError | None = None

    def show_problem(self, source: JsonRow) -> None:
        """`source` is what read_row takes; of the problem that was shown last, its question_id is enough."""
        if source["question_id"] == self._question_id:
            return
        self._question_id, self._problem = source["question_id"], None  # frees the old tests
        try:
            self._problem = self._prepare(read_row(source))
        except DataError as error:
            self._problem = error
        except Exception as error:  # noqa: BLE001 - a row that no check foresaw costs the verdicts of its problem only
            self._problem = DataError(f"problem {source['question_id']}: {type(error).__name__}: {error}"[:300])

    def _prepare(self, row: JsonRow) -> Gradable:
        """The problem of a row, whichever form it has. Raises DataError."""
        if self.options.get("task"):
            return read_crux(find_id(row), row, Task(self.options["task"]))
        task = read_plus(find_id(row), row)
        if task is not None:
            return PlusProblem(task, self.store)
        # The original ran the private tests alone.
        return prepare(read_tests(row, with_public=self.options["rules"] != "original"))

    def close(self) -> None:
        self.sandbox.close()
        self.store.close()

    def grade(self, solution: JsonRow) -> JsonObject:
        """One solution, given as `code` or as a model's `response`."""
        row: JsonObject = {"solution_id": solution["solution_id"], "question_id": solution["question_id"]}
        if isinstance(self._problem, DataError):
            return row | CodeGrade(Verdict.GRADER_ERROR, str(self._problem), codes=[-1]).to_row()
        assert self._problem is not None
        code, missing = find_program(solution, self._problem.wanted_function)
        if code is not None and self.options["with_advice"]:
            row["risky_names"] = is_safe_code(code)[1]
        grade = missing if code is None else self._grade_code(self._problem, code)
        return row | grade.to_row()

    def _grade_code(self, problem: Gradable, code: str) -> CodeGrade:
        for is_last_try in (False, True):
            try:
                runs_all, rules = self.options["runs_all"], self.options["rules"]
                return problem.grade(self.sandbox, code, limits=self.limits, runs_all=runs_all, rules=rules)
            except DataError as error:  # the canonical solution of a task does not answer
                return CodeGrade(Verdict.GRADER_ERROR, str(error), codes=[CODES[Verdict.GRADER_ERROR]])
            except LostProgram as error:
                if is_last_try:  # once may be the machine's fault; a program must not take the claim away from a run
                    reason = f"ended or stopped the process that ran it, twice: {error}"
                    return CodeGrade(Verdict.RUNTIME_ERROR, reason, codes=[CODES[Verdict.RUNTIME_ERROR]])
            except SandboxError as error:
                if is_last_try:
                    return CodeGrade(Verdict.INFRA_ERROR, str(error), codes=[CODES[Verdict.INFRA_ERROR]])
        raise AssertionError("unreachable")


def grade_safely(grader: ProgramGrader, solution: JsonRow) -> JsonObject:
    """A fault of ours on one solution costs this verdict only, and says so."""
    try:
        return grader.grade(solution)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other solutions go on
        reason = f"fault of the grader: {type(error).__name__}: {error}"[:300]
        ids = {"solution_id": solution["solution_id"], "question_id": solution["question_id"]}
        return ids | CodeGrade(Verdict.GRADER_ERROR, reason, codes=[CODES[Verdict.GRADER_ERROR]]).to_row()


def find_program(solution: JsonRow, function: str | None) -> tuple[str | None, CodeGrade]:
    """The program of a solution; without one, the grade that says why."""
    no_code = CodeGrade(Verdict.NO_ANSWER, "no Python block in the answer", codes=[CODES[Verdict.NO_ANSWER]])
    if isinstance(solution.get("code"), str):
        return (solution["code"], no_code) if solution["code"].strip() else (None, no_code)
    split = split_reasoning(str(solution.get("response") or ""), solution.get("is_opened_by_prompt"))
    code = extract_program(split.answer, function)
    if code is None and (split.is_closed is False or solution.get("is_cut_off")):
        reason = "cut off before an answer"
        return None, CodeGrade(Verdict.TRUNCATED, reason, codes=[CODES[Verdict.TRUNCATED]])
    return code, no_code


def read_row(source: JsonRow) -> JsonRow:
    """The problem's row: given, or to be read now from its `text` or its place in a file, {path, offset, length}.

    Only what has exactly these fields says where a row is: MBPP's rows have a `text` of their own.
    """
    if set(source) not in ({"question_id", "text"}, {"question_id", "path", "offset", "length"}):
        return source
    try:
        row = json.loads(source.get("text") or read_place(source["path"], source["offset"], source["length"]))
    except ValueError as error:
        raise DataError(f"problem {source['question_id']}: its row is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise DataError(f"problem {source['question_id']}: its row is no JSON object")
    return row


def main() -> int:
    """Protocol: first line options; then lines {"problem": ..., "solutions": [...]}; replies one line each."""
    jobs, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)  # nothing else may write between the replies
    try:
        grader = ProgramGrader(json.loads(jobs.readline()), hangup_fd=0)
    except SandboxError as error:
        replies.write(json.dumps({"refused": str(error)}) + "\n")
        return 1
    replies.write(json.dumps({"protection": grader.sandbox.protection.to_json()}) + "\n")
    try:
        while line := jobs.readline():
            job = json.loads(line)
            grader.show_problem(job["problem"])
            for solution in job["solutions"]:
                replies.write(json.dumps(grade_safely(grader, solution)) + "\n")
    except BrokenPipeError:
        return 1
    finally:
        grader.close()
    return 0
