"""One grading process for programs in other languages: owns one toolchain in the sandbox; one line in, lines out.

The protocol is that of `worker.py`. A machine that lacks the language's tools refuses nothing: every program is an
infra_error that names what to install, and no score is claimed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from tools.errors import DataError, SandboxError
from tools.grading.code.language_program import (
    LanguageProblem,
    find_missing,
    grade_in_language,
    missing_grade,
    open_toolchain,
    read_problem,
)
from tools.grading.code.language_recipes import find_recipe
from tools.grading.code.program import CODES, CodeGrade
from tools.grading.code.worker import read_row
from tools.records import JsonObject, JsonRow, Verdict


class LanguageWorker:
    """Grades programs of the problem that it was shown last."""

    def __init__(self, options: JsonRow, hangup_fd: int | None) -> None:
        self.recipe, self.timeout_s = find_recipe(options["language"]), float(options["timeout_s"])
        self.toolchain = open_toolchain(
            self.recipe, is_unsafe_allowed=options["is_unsafe_allowed"], slot=options["slot"], hangup_fd=hangup_fd
        )
        self.missing = find_missing(self.recipe, self.toolchain)
        self._problem: LanguageProblem | str = ""

    def show_problem(self, source: JsonRow) -> None:
        """`source` is what read_row takes."""
        try:
            self._problem = read_problem(read_row(source))
        except DataError as error:
            self._problem = str(error)

    def grade(self, solution: JsonRow) -> JsonObject:
        """One program, given as `code`."""
        ids = {"solution_id": solution["solution_id"], "question_id": solution["question_id"]}
        try:
            return ids | self._grade(solution["code"]).to_row()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other programs go on
            reason = f"fault of the grader: {type(error).__name__}: {error}"[:300]
            return ids | CodeGrade(Verdict.GRADER_ERROR, reason, codes=[CODES[Verdict.GRADER_ERROR]]).to_row()

    def _grade(self, code: str) -> CodeGrade:
        if self.missing:
            return missing_grade(self.missing)
        if isinstance(self._problem, str):
            return CodeGrade(Verdict.GRADER_ERROR, self._problem, codes=[CODES[Verdict.GRADER_ERROR]])
        for is_last_try in (False, True):
            try:
                return grade_in_language(self.toolchain, self.recipe, self._problem, code, self.timeout_s)
            except SandboxError as error:
                if is_last_try:
                    return missing_grade(str(error))
        raise AssertionError("unreachable")


def main() -> int:
    """Protocol: first line options; then lines {"problem": ..., "solutions": [...]}; replies one line each."""
    jobs, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)  # nothing else may write between the replies
    worker: Any = None
    try:
        worker = LanguageWorker(json.loads(jobs.readline()), hangup_fd=0)
        replies.write(json.dumps({"protection": worker.toolchain.protection.to_json()}) + "\n")
        while line := jobs.readline():
            job = json.loads(line)
            worker.show_problem(job["problem"])
            for solution in job["solutions"]:
                replies.write(json.dumps(worker.grade(solution)) + "\n")
    except SandboxError as error:
        replies.write(json.dumps({"refused": str(error)}) + "\n")
        return 1
    except BrokenPipeError:
        return 1
    finally:
        if worker is not None:
            worker.toolchain.close()
    return 0
