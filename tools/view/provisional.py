"""What can be told of a run before it is graded: a running score, and responses that run in circles.

Integer and choice answers are graded by the same code as in the evaluate script, in microseconds each; symbolic answers and
programs wait for that script. Every response is looked through for repetition loops, the sign of wrong settings. All of it in a thread of its own, so that a page over 4000 responses is there at once and fills in; nothing is
written, and verdicts.jsonl replaces it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tools.benchmarks.benchmark import find_benchmark
from tools.benchmarks.problems import load_benchmark
from tools.errors import EvaluationError
from tools.records import Generation, Grade, Problem
from tools.store.line_index import LineIndex, response_text

if TYPE_CHECKING:
    from tools.grading.grader import Grader

QUICK_COMPARISONS = ("integer", "choice")
# Work and rest of the thread: requests come first.
SLICE_S, REST_S = 0.05, 0.02


class ProvisionalGrader:
    """Looks at the lines of one index. `grades` is keyed by the problem's own id."""

    def __init__(self, index: LineIndex, dataset: str, problem_file: Path) -> None:
        self.grades: dict[tuple[str, int], Grade] = {}
        self.loops = 0
        self._thread: threading.Thread | None = None
        self._index = index
        self._benchmark = find_benchmark(dataset)
        self._grader: Grader | None = None
        self._problems = self._read_problems(problem_file)
        self._seen: set[tuple[str, int]] = set()

    def _read_problems(self, path: Path) -> Mapping[str, Problem]:
        if self._benchmark.grader_options.get("comparison") not in QUICK_COMPARISONS or not path.is_file():
            return {}
        try:
            return load_benchmark(path).by_id
        except EvaluationError:
            return {}

    @property
    def signs(self) -> dict[str, int]:
        """Responses looked through, those that end in a loop, and those cut off at the cap."""
        lines = [self._index.lines.get(key) for key in list(self._seen)]
        cut_off = sum(line is not None and line.finish_reason == "length" for line in lines)
        return {"responses": len(lines), "loops": self.loops, "cut_off": cut_off}

    def catch_up(self, name_in_files: Mapping[str, str], is_opened: bool | None) -> int:
        """Sees to it that what was added is looked at, in the background; returns how many have been."""
        is_idle = self._thread is None or not self._thread.is_alive()
        if is_idle and len(self._seen) < len(self._index.lines):
            own_name = {name: task_id for task_id, name in name_in_files.items()}
            self._thread = threading.Thread(target=self._work, args=(own_name, is_opened), daemon=True)
            self._thread.start()
        return len(self._seen)

    def _work(self, own_name: Mapping[str, str], is_opened: bool | None) -> None:
        rest_at = time.monotonic() + SLICE_S
        for key in list(self._index.lines):
            if key in self._seen:
                continue
            self._look_at(key, own_name.get(key[0], key[0]), is_opened)
            self._seen.add(key)
            if time.monotonic() > rest_at:
                time.sleep(REST_S)
                rest_at = time.monotonic() + SLICE_S

    def _look_at(self, key: tuple[str, int], task_id: str, is_opened: bool | None) -> None:
        # Here, because they are only needed in the thread: the first view need not wait for them.
        from tools.analysis.loops import find_loop
        from tools.grading import create_grader
        from tools.grading.grader import ResponseGrader, Workplace
        from tools.models.reasoning import split_response

        text, line = response_text(self._index.read(*key)), self._index.lines.get(key)
        if text is None or line is None:
            return
        self.loops += find_loop(text) is not None
        problem = self._problems.get(task_id)
        if problem is None:
            return
        self._grader = self._grader or create_grader(self._benchmark, {}, "ours", Workplace(workers=1))
        generation = Generation(task_id, key[1], text, line.finish_reason, None, line.output_tokens)
        if not isinstance(self._grader, ResponseGrader):
            return
        graded = self._grader.grade_at_once(problem, split_response(generation, is_opened=is_opened))
        if graded is not None:  # what needs more than a look waits for the evaluate script
            self.grades[task_id, key[1]] = graded
