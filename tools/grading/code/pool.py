"""The pool of processes that grade programs: what tools/grading/pool.py does, and what only programs need.

Programs that finished shortly after their time limit are run again at the very end, alone on the machine. What the
sandboxes of all workers promise is known as its weakest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

from tools.grading.code.expected import expected_folder
from tools.grading.pool import Crew, Pool, Row, Work
from tools.records import JsonObject, Verdict
from tools.sandbox.limits import Limits
from tools.sandbox.protection import weaker
from tools.sandbox.session import Sandbox

WORKER = "tools.grading.code.worker"


@dataclass
class PoolOptions:
    """What all workers are told. `without` switches layers of the sandbox off, for tests."""

    limits: Limits = field(default_factory=Limits)
    runs_all: bool = False
    with_advice: bool = False
    is_unsafe_allowed: bool = False
    without: tuple[str, ...] = ()
    reruns_near_timeouts: bool = True
    rules: str = "ours"  # or "original"
    task: str = ""  # CRUXEval's "output" or "input"; else programs
    expected_folder: str = ""  # where workers share what canonical solutions answer; set for each grading


class ProgramPool:
    """Runs all programs; `protection` is known once the first worker has started, the weakest of all workers'."""

    def __init__(self, crew: Crew, options: PoolOptions, on_wait: Callable[[list[str]], None] | None = None) -> None:
        self.options = options
        self.protection: JsonObject = {}
        self._pool = Pool(crew, self._describe_work(""), self._note_protection, on_wait)

    def find_protection(self) -> JsonObject:
        """What holds on this machine, when no program was run that would have told. Raises SandboxError."""
        with Sandbox(is_unsafe_allowed=self.options.is_unsafe_allowed, without=self.options.without) as sandbox:
            self.protection = sandbox.protection.to_json()
        return self.protection

    def grade(self, problems: Mapping[str, Row], solutions: Iterable[Row]) -> Iterator[JsonObject]:
        """Yields one row per solution as it is graded; the order is that of completion."""
        solutions = list(solutions)
        if not solutions:
            return
        again: list[Row] = []
        with expected_folder() as folder, self._pool as pool:
            pool.work = self._describe_work(folder)
            for row, solution in pool.run(problems, solutions):
                if row["is_near_timeout"] and self.options.reruns_near_timeouts:
                    again.append(solution)
                else:
                    yield row
            for row, _solution in pool.run(problems, again, size=1):
                yield {**row, "was_rerun_alone": True, "hangs_on_time": True}

    def _describe_work(self, folder: str) -> Work:
        return Work(WORKER, asdict(replace(self.options, expected_folder=folder)), infra_error)

    def _note_protection(self, line: Row) -> None:
        if "protection" in line:
            self.protection = weaker(self.protection, line["protection"])


def infra_error(solution: Row, reason: str) -> JsonObject:
    """The row of a solution at which workers ended."""
    return {
        "solution_id": solution["solution_id"], "question_id": solution["question_id"], "passed": False,
        "status": Verdict.INFRA_ERROR.value, "reason": reason, "codes": [-1], "is_near_timeout": False,
        "hangs_on_time": False, "tests_run": 0, "tests_total": 0, "first_failing_test": None, "cpu_s": 0.0,
        "max_cpu_s": 0.0, "wall_s": 0.0, "peak_bytes": 0,
    }  # fmt: skip
