"""Grading processes: they share the work, a dead or slow one costs nothing, and none outlives the grading."""

from __future__ import annotations

import os
import pathlib
import time
from collections import deque
from typing import Any

from tests.support.programs import DOUBLE, problem, verdicts
from tools.code_verifier import (
    verify_many,
)
from tools.grading.code.pool import PoolOptions, ProgramPool
from tools.grading.pool import Event, LocalCrew, Work
from tools.sandbox.limits import Limits


def test_several_workers_share_the_work() -> None:
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


def test_a_pathological_program_ends_and_verdicts_come_as_they_are_known() -> None:
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


def test_a_grading_process_that_dies_costs_one_verdict() -> None:
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


def test_no_process_survives_the_evaluation() -> None:
    codes = ["import os\nfor _ in range(9): os.fork()", "import os; os.setsid()", DOUBLE, DOUBLE]
    solutions = [{"solution_id": str(n), "question_id": "double", "code": code} for n, code in enumerate(codes)]
    others = descendants(os.getpid())  # what earlier tests keep
    seen: set[int] = set()
    for _verdict in verify_many([problem()], solutions, 2):
        seen |= descendants(os.getpid()) - others
    assert len(seen) >= 3  # grading processes and their warm processes
    for _attempt in range(50):
        if not [pid for pid in seen if pathlib.Path(f"/proc/{pid}").exists()]:
            break
        time.sleep(0.1)
    assert not [pid for pid in seen if pathlib.Path(f"/proc/{pid}").exists()]
