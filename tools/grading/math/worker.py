"""One process that compares mathematical answers, for the pool (tools/grading/pool.py has the protocol).

Every solution has a budget of CPU time that the kernel holds: a comparison that never ends, in Python or in a library's
C code, costs this process and a grader_error for that one answer.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from typing import Any

from tools.grading.math.grader import MathGrade, grade_answer
from tools.records import Verdict

CPU_LIMIT_S = 5.0  # several times the longest honest comparison; SymPy's own processes have limits of their own


def grade_safely(answer: str, reference: str, comparison: str) -> MathGrade:
    """A fault of ours on one answer costs this verdict only, and says so."""
    try:
        return grade_answer(answer, reference, comparison=comparison)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other answers go on
        reason = f"fault of the grader: {type(error).__name__}: {error}"[:300]
        return MathGrade(Verdict.GRADER_ERROR, answer, "fault", reason)


def main() -> int:
    """First line options, then lines {"problem": {"reference"}, "solutions": [{"answers"}]}; replies one line each."""
    jobs, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)  # nothing else may write between the replies
    options: dict[str, Any] = json.loads(jobs.readline())
    while line := jobs.readline():
        job = json.loads(line)
        for solution in job["solutions"]:
            signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT_S)  # SIGPROF, which nobody handles, ends the process
            reference = job["problem"]["reference"]
            grades = [grade_safely(answer, reference, options["comparison"]) for answer in solution["answers"]]
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            row = {"solution_id": solution["solution_id"], "grades": [dataclasses.asdict(grade) for grade in grades]}
            try:
                replies.write(json.dumps(row) + "\n")
            except BrokenPipeError:
                return 1
    return 0
