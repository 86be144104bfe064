"""A running score before the run is graded: the page grades what it can grade in microseconds, for itself only.

Integer and choice answers are graded by the same code as in the evaluate script, a slice of time at each look, so that a
page over 4000 ungraded responses is there at once and fills in. Nothing is written; verdicts.jsonl replaces all of it.
Symbolic answers and programs wait for the evaluate script.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.errors import EvaluationError
from tools.problems import find_info, load_problem_set
from tools.report.line_index import LineIndex
from tools.verdicts import GradedSample

QUICK_COMPARISONS = ("integer", "choice")
SLICE_S = 0.25


class ProvisionalGrader:
    """Verdicts of the lines of one index. `grades` is keyed by the problem's own id."""

    def __init__(self, index: LineIndex, dataset: str, problem_file: Path) -> None:
        self.grades: dict[tuple[str, int], GradedSample] = {}
        self._index = index
        self._comparison = find_info(dataset).comparison
        self._references = self._read_references(problem_file)
        self._seen: set[tuple[str, int]] = set()

    def _read_references(self, path: Path) -> Mapping[str, str]:
        if self._comparison not in QUICK_COMPARISONS or not path.is_file():
            return {}
        try:
            return {problem.task_id: problem.answer or "" for problem in load_problem_set(path).problems}
        except EvaluationError:
            return {}

    def advance(self, name_in_files: Mapping[str, str], is_opened: bool | None) -> bool:
        """Grades for at most SLICE_S; True when anything was graded."""
        if not self._references:
            return False
        deadline, own_name = time.monotonic() + SLICE_S, {name: task_id for task_id, name in name_in_files.items()}
        waiting = [key for key in list(self._index.lines) if key not in self._seen]
        for key in waiting:
            if time.monotonic() > deadline:
                break
            self._seen.add(key)
            self._grade(key, own_name.get(key[0], key[0]), is_opened)
        return bool(waiting)

    def _grade(self, key: tuple[str, int], task_id: str, is_opened: bool | None) -> None:
        from tools.evaluate import grade_one
        from tools.generations import Generation

        row: dict[str, Any] = self._index.read(*key) or {}
        text, line = row.get("output", row.get("generation")), self._index.lines.get(key)
        if task_id not in self._references or not isinstance(text, str) or line is None:
            return
        response = Generation(task_id, key[1], text, line.finish_reason, None, line.output_tokens)
        self.grades[task_id, key[1]] = grade_one(
            response, self._references[task_id], self._comparison, "answer", is_opened
        )
