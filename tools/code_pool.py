"""Grades many solutions with several processes: hands out work, collects verdicts as they come, mends what breaks.

Solutions of one problem go to a worker together, so that its tests are decoded once; the parts get smaller towards the
end. Programs that finished shortly after their time limit are run again at the very end, alone on the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tools.errors import SandboxError
from tools.sandbox.limits import Limits
from tools.sandbox.places import ROOT
from tools.sandbox.session import Sandbox
from tools.verdicts import Verdict

LARGEST_PART = 8
START = "import sys; sys.path.insert(0, {root!r}); from tools.code_worker import main; sys.exit(main())"
WAIT_S = 30.0
MAX_RESTARTS = 3  # in a row, of one worker, without a verdict between


@dataclass
class PoolOptions:
    """What all workers are told. `without` switches layers of the sandbox off, for tests."""

    limits: Limits = field(default_factory=Limits)
    runs_all: bool = False
    with_public: bool = True
    with_advice: bool = False
    is_unsafe_allowed: bool = False
    without: tuple[str, ...] = ()
    reruns_near_timeouts: bool = True
    rules: str = "ours"  # or "original"


class Worker:
    """One grading process and what it still owes us."""

    def __init__(self, options: PoolOptions, slot: int) -> None:
        self.slot = slot
        self.popen = subprocess.Popen(
            [sys.executable, "-I", "-c", START.format(root=ROOT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.stdin, self.stdout = self.popen.stdin, self.popen.stdout
        os.set_blocking(self.stdout.fileno(), False)
        self.problem: Mapping[str, Any] = {}
        self.owed: deque[Mapping[str, Any]] = deque()
        self._partial = b""
        settings = {**asdict(options), "slot": slot}
        self._send(settings)

    def _send(self, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # its end of file tells the same, and is handled there
            self.stdin.write(json.dumps(message).encode() + b"\n")
            self.stdin.flush()

    def give(self, problem: Mapping[str, Any], solutions: Sequence[Mapping[str, Any]]) -> None:
        """Hands over solutions of one problem; only for a worker that owes nothing."""
        self.problem = problem
        self.owed.extend(solutions)
        self._send({"problem": problem, "solutions": list(solutions)})

    def read_lines(self) -> tuple[list[dict[str, Any]], bool]:
        """The replies that have come, and whether the process has ended."""
        has_ended = False
        while True:
            chunk = self.stdout.raw.read(1 << 16)  # type: ignore[attr-defined]
            if chunk is None:
                break
            if not chunk:
                has_ended = True
                break
            self._partial += chunk
        *lines, self._partial = self._partial.split(b"\n")
        return [json.loads(line) for line in lines], has_ended

    def close(self) -> None:
        """Ends the process; its sandbox notices the closed pipe and ends too."""
        with contextlib.suppress(OSError):
            self.stdin.close()
        try:
            self.popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.stdout.close()


class Pool:
    """Runs all jobs; `protection` is known once the first worker has started."""

    def __init__(self, workers: int, options: PoolOptions) -> None:
        self.size = max(1, workers)
        self.options = options
        self.protection: dict[str, Any] = {}
        self.on_wait: Callable[[list[str]], None] | None = None  # told what runs when nothing has come for a while
        self._workers: list[Worker] = []
        self._restarts = 0

    def find_protection(self) -> dict[str, Any]:
        """What holds on this machine, when no program was run that would have told. Raises SandboxError."""
        with Sandbox(is_unsafe_allowed=self.options.is_unsafe_allowed, without=self.options.without) as sandbox:
            self.protection = sandbox.protection.to_json()
        return self.protection

    def grade(
        self, problems: Mapping[str, Mapping[str, Any]], solutions: Iterable[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Yields one row per solution as it is graded; the order is that of completion."""
        waiting = _group(solutions)
        again: list[Mapping[str, Any]] = []
        try:
            for row, solution in self._run(problems, waiting, self.size):
                if row["is_near_timeout"] and self.options.reruns_near_timeouts:
                    again.append(solution)
                else:
                    yield row
            for row, _solution in self._run(problems, _group(again), 1):
                yield {**row, "was_rerun_alone": True, "hangs_on_time": True}
        finally:
            for worker in self._workers:
                worker.close()
            self._workers.clear()

    def _run(
        self, problems: Mapping[str, Mapping[str, Any]], waiting: deque[list[Mapping[str, Any]]], size: int
    ) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
        count = sum(map(len, waiting))
        while len(self._workers) < min(size, count):
            self._workers.append(Worker(self.options, len(self._workers)))
        with selectors.DefaultSelector() as selector:
            for worker in self._workers[:size]:
                selector.register(worker.stdout, selectors.EVENT_READ, worker)
                _hand_out(worker, waiting, problems, size)
            while any(worker.owed for worker in self._workers):
                events = selector.select(WAIT_S)
                if not events and self.on_wait is not None:
                    self.on_wait([worker.owed[0]["solution_id"] for worker in self._workers if worker.owed])
                for key, _events in events:
                    worker = key.data
                    lines, has_ended = worker.read_lines()
                    yield from self._take(worker, lines)
                    if has_ended:
                        selector.unregister(worker.stdout)
                        yield from self._bury(worker, waiting)
                        worker = self._replace(worker)
                        selector.register(worker.stdout, selectors.EVENT_READ, worker)
                    if not worker.owed:
                        _hand_out(worker, waiting, problems, size)

    def _take(self, worker: Worker, lines: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
        for line in lines:
            if "refused" in line:
                raise SandboxError(line["refused"])
            if "protection" in line:
                self.protection = line["protection"]
            else:
                self._restarts = 0
                yield line, worker.owed.popleft()

    def _bury(
        self, worker: Worker, waiting: deque[list[Mapping[str, Any]]]
    ) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
        """A worker has died: the solution that it was at is our fault, the others go back into the queue."""
        self._restarts += 1
        if self._restarts > MAX_RESTARTS * self.size:
            raise SandboxError("grading processes end as soon as they start; run python -m tools.sandbox.check")
        if worker.owed:
            lost = worker.owed.popleft()
            yield _infra_error(lost, f"the grading process ended with status {worker.popen.poll()}"), lost
        if worker.owed:
            waiting.appendleft(list(worker.owed))
            worker.owed.clear()

    def _replace(self, worker: Worker) -> Worker:
        worker.close()
        fresh = Worker(self.options, worker.slot)
        self._workers[self._workers.index(worker)] = fresh
        return fresh


def _hand_out(
    worker: Worker, waiting: deque[list[Mapping[str, Any]]], problems: Mapping[str, Mapping[str, Any]], size: int
) -> None:
    if not waiting:
        return
    left = sum(map(len, waiting))
    part = max(1, min(LARGEST_PART, left // (2 * size)))
    group = waiting[0]
    solutions, group[:] = group[:part], group[part:]
    if not group:
        waiting.popleft()
    worker.give(problems[solutions[0]["question_id"]], solutions)


def _group(solutions: Iterable[Mapping[str, Any]]) -> deque[list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for solution in solutions:
        groups.setdefault(solution["question_id"], []).append(solution)
    return deque(groups.values())


def _infra_error(solution: Mapping[str, Any], reason: str) -> dict[str, Any]:
    return {
        "solution_id": solution["solution_id"], "question_id": solution["question_id"], "passed": False,
        "status": Verdict.INFRA_ERROR.value, "reason": reason, "codes": [-1], "is_near_timeout": False,
        "hangs_on_time": False, "tests_run": 0, "tests_total": 0, "first_failing_test": None, "cpu_s": 0.0,
        "max_cpu_s": 0.0, "wall_s": 0.0, "peak_bytes": 0,
    }  # fmt: skip
