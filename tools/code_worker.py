"""One grading process: holds the expected outputs, owns one sandbox, grades what it is told, one line in, lines out.

Started by `code_pool.py`. It reads jobs as JSON lines and writes one JSON line per solution as soon as it is graded. It
ends when its input ends, also in the middle of a program (the sandbox watches the same pipe).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from tools.code_extraction import extract_program, is_safe_code
from tools.code_grading import CODES, CodeGrade, PreparedProblem, grade_program, prepare
from tools.code_tests import read_tests
from tools.errors import DataError, SandboxError
from tools.reasoning import split_reasoning
from tools.sandbox.limits import Limits, limits_for
from tools.sandbox.session import LostProgram, Sandbox
from tools.verdicts import Verdict


class Grader:
    """Grades solutions of the problem that it was shown last; its tests are decoded once."""

    def __init__(self, options: Mapping[str, Any], hangup_fd: int | None) -> None:
        self.options = options
        self.limits = Limits(**options["limits"])
        self.sandbox = Sandbox(
            is_unsafe_allowed=options["is_unsafe_allowed"], without=options["without"], slot=options["slot"],
            hangup_fd=hangup_fd,
        )  # fmt: skip
        self._question_id: Any = None
        self._problem: PreparedProblem | DataError | None = None  # with the tests that the rules asked for want
        self._our_problem: PreparedProblem | DataError | None = None  # under the original's rules, for comparison

    def show_problem(self, source: Mapping[str, Any]) -> None:
        """`source` is what read_row takes; of the problem that was shown last, its question_id is enough."""
        if source["question_id"] == self._question_id:
            return
        self._question_id, self._problem, self._our_problem = source["question_id"], None, None  # frees the old tests
        is_original = self.options["rules"] == "original"
        try:
            row = read_row(source)
            if is_original:
                self._our_problem = prepare(read_tests(row))
            self._problem = prepare(read_tests(row, with_public=not is_original))
        except DataError as error:
            self._problem = error

    def grade(self, solution: Mapping[str, Any]) -> dict[str, Any]:
        """One solution, given as `code` or as a model's `response`."""
        row: dict[str, Any] = {"solution_id": solution["solution_id"], "question_id": solution["question_id"]}
        if isinstance(self._problem, DataError):
            return row | CodeGrade(Verdict.GRADER_ERROR, str(self._problem), codes=[-1]).to_row()
        assert self._problem is not None
        code, missing = find_program(solution, self._problem.function)
        if code is not None and self.options["with_advice"]:
            row["risky_names"] = is_safe_code(code)[1]
        grade = missing if code is None else self._grade_code(self._problem, code, self.limits, self.options["rules"])
        if isinstance(self._our_problem, PreparedProblem):
            our_code = solution.get("our_code")
            ours = self._grade_code(self._our_problem, our_code, limits_for(Limits.cpu_s), "ours") if our_code else None
            row["differs_from_original"] = (ours is not None and ours.passed) != grade.passed
        return row | grade.to_row()

    def _grade_code(self, problem: PreparedProblem, code: str, limits: Limits, rules: str) -> CodeGrade:
        for is_last_try in (False, True):
            try:
                runs_all = self.options["runs_all"]
                return grade_program(self.sandbox, problem, code, limits=limits, runs_all=runs_all, rules=rules)
            except LostProgram as error:
                if is_last_try:  # once may be the machine's fault; a program must not take the claim away from a run
                    reason = f"ended or stopped the process that ran it, twice: {error}"
                    return CodeGrade(Verdict.RUNTIME_ERROR, reason, codes=[CODES[Verdict.RUNTIME_ERROR]])
            except SandboxError as error:
                if is_last_try:
                    return CodeGrade(Verdict.INFRA_ERROR, str(error), codes=[CODES[Verdict.INFRA_ERROR]])
        raise AssertionError("unreachable")


def grade_safely(grader: Grader, solution: Mapping[str, Any]) -> dict[str, Any]:
    """A fault of ours on one solution costs this verdict only, and says so."""
    try:
        return grader.grade(solution)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other solutions go on
        reason = f"fault of the grader: {type(error).__name__}: {error}"[:300]
        ids = {"solution_id": solution["solution_id"], "question_id": solution["question_id"]}
        return ids | CodeGrade(Verdict.GRADER_ERROR, reason, codes=[CODES[Verdict.GRADER_ERROR]]).to_row()


def find_program(solution: Mapping[str, Any], function: str | None) -> tuple[str | None, CodeGrade]:
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


def read_row(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """The problem's row: given, or to be read now from its `text` or its place in a file, {path, offset, length}."""
    if "text" not in source and "path" not in source:
        return source
    try:
        row = json.loads(source.get("text") or read_text(source))
    except ValueError as error:
        raise DataError(f"problem {source['question_id']}: its row is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise DataError(f"problem {source['question_id']}: its row is no JSON object")
    return row


def read_text(source: Mapping[str, Any]) -> str:
    """A problem's row as it stands in its file. Raises DataError."""
    try:
        with open(source["path"], "rb") as file:
            file.seek(source["offset"])
            return file.read(source["length"]).decode()
    except (OSError, ValueError) as error:
        raise DataError(f"{source['path']}, byte {source['offset']}: the row cannot be read ({error})") from error


def main() -> int:
    """Protocol: first line options; then lines {"problem": ..., "solutions": [...]}; replies one line each."""
    jobs, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)  # nothing else may write between the replies
    try:
        grader = Grader(json.loads(jobs.readline()), hangup_fd=0)
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
        grader.sandbox.close()
    return 0
