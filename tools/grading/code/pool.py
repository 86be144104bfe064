"""Grades many solutions with several processes: hands out work, collects verdicts as they come, mends what breaks.

Solutions of one problem go to a worker together, so that its tests are decoded once; the parts get smaller towards the
end. Programs that finished shortly after their time limit are run again at the very end, alone on the machine. Where
the workers live is their crew's affair: on this machine, or on the nodes of a cluster (ray_crew.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing import connection
from typing import Any, Protocol

from tools.errors import SandboxError
from tools.records import Verdict
from tools.sandbox.limits import Limits
from tools.sandbox.places import ROOT
from tools.sandbox.protection import weaker
from tools.sandbox.session import Sandbox

LARGEST_PART = 8
START = "import sys; sys.path.insert(0, {root!r}); from tools.grading.code.worker import main; sys.exit(main())"
WAIT_S = 30.0
MAX_RESTARTS = 3  # in a row, of one worker, without a verdict between
MAX_TRIES = 2  # of a solution at which a worker ended: once may be the machine's fault


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


class Worker(Protocol):
    """A grading process somewhere, and what it still owes us."""

    slot: int
    owed: deque[Mapping[str, Any]]
    is_ready: bool  # can be given work
    end: str  # in words, once it has ended

    def give(self, problem: Mapping[str, Any], solutions: Sequence[Mapping[str, Any]]) -> None:
        """Hands over solutions of one problem; only to a worker that is ready and owes nothing."""

    def close(self) -> None:
        """Ends it; its sandbox notices and ends too."""


@dataclass
class Event:
    """What a worker has let us know: its lines, and whether it has ended."""

    worker: Any
    lines: Sequence[Mapping[str, Any]]
    has_ended: bool = False


class Crew(Protocol):
    """Where workers come from. A context: what it needs is there from entry to exit."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def size(self) -> int:
        """How many workers there can be."""

    def hire(self, options: PoolOptions, slot: int) -> Any:
        """A new worker."""

    def wait(self, workers: Sequence[Any], timeout_s: float) -> list[Event]:
        """Waits until one of them says something, at most so long."""


class Process:
    """A grading process of this machine."""

    is_ready = True

    def __init__(self, options: PoolOptions, slot: int) -> None:
        self.slot, self.end = slot, ""
        self.popen = subprocess.Popen(
            [sys.executable, "-I", "-c", START.format(root=ROOT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.stdin, self.stdout = self.popen.stdin, self.popen.stdout
        os.set_blocking(self.stdout.fileno(), False)
        self.owed: deque[Mapping[str, Any]] = deque()
        self._partial = b""
        self._send({**asdict(options), "slot": slot})

    def _send(self, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # its end of file tells the same, and is handled there
            self.stdin.write(json.dumps(message).encode() + b"\n")
            self.stdin.flush()

    def give(self, problem: Mapping[str, Any], solutions: Sequence[Mapping[str, Any]]) -> None:
        self.owed.extend(solutions)
        self._send({"problem": problem, "solutions": list(solutions)})

    def read(self, timeout_s: float = 0.0) -> Event:
        """The replies that have come; waits so long for the first."""
        connection.wait([self.stdout.fileno()], timeout_s)
        while True:
            chunk = self.stdout.raw.read(1 << 16)  # type: ignore[attr-defined]
            if not chunk:
                break
            self._partial += chunk
        *lines, self._partial = self._partial.split(b"\n")
        has_ended = chunk is not None
        if has_ended:
            self.end = f"the grading process ended with status {self.popen.wait()}"
        return Event(self, [json.loads(line) for line in lines], has_ended)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.stdin.close()
        try:
            self.popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.stdout.close()


@dataclass
class LocalCrew:
    """Processes of this machine, one per core by default."""

    workers: int | None = None

    def __enter__(self) -> LocalCrew:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to give back."""

    @property
    def size(self) -> int:
        return self.workers or len(os.sched_getaffinity(0))

    def hire(self, options: PoolOptions, slot: int) -> Process:
        return Process(options, slot)

    def wait(self, workers: Sequence[Process], timeout_s: float) -> list[Event]:
        by_stream: dict[Any, Process] = {worker.stdout: worker for worker in workers}
        return [by_stream[stream].read() for stream in connection.wait(list(by_stream), timeout_s)]


class Pool:
    """Runs all jobs; `protection` is known once the first worker has started, the weakest of all workers'."""

    def __init__(self, crew: Crew, options: PoolOptions) -> None:
        self.options = options
        self.protection: dict[str, Any] = {}
        self.on_wait: Callable[[list[str]], None] | None = None  # told what runs when nothing has come for a while
        self._crew = crew
        self._workers: list[Worker] = []
        self._restarts = 0
        self._ended_at: Counter[str] = Counter()  # solution -> workers that ended while they were at it

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
        if not waiting:
            return
        again: list[Mapping[str, Any]] = []
        with self._crew as crew:
            try:
                for row, solution in self._run(problems, waiting, crew.size):
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
            self._workers.append(self._crew.hire(self.options, len(self._workers)))
        self._workers.sort(key=lambda worker: not worker.is_ready)  # of a few, those that wait for a place are no help
        heard_at = time.monotonic()
        while waiting or any(worker.owed for worker in self._workers):
            for worker in self._workers[:size]:
                if worker.is_ready and not worker.owed:
                    _hand_out(worker, waiting, problems, size)
            events = self._crew.wait(self._workers[:size], WAIT_S)
            if any(event.lines for event in events):
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at >= WAIT_S and self.on_wait is not None:
                heard_at = time.monotonic()
                self.on_wait([worker.owed[0]["solution_id"] for worker in self._workers if worker.owed])
            for event in events:
                yield from self._take(event)
                if event.has_ended:
                    yield from self._bury(event.worker, waiting, size)

    def _take(self, event: Event) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
        for line in event.lines:
            if "refused" in line:
                raise SandboxError(line["refused"])
            if "protection" in line:
                self.protection = weaker(self.protection, line["protection"])
            else:
                self._restarts = 0
                yield dict(line), event.worker.owed.popleft()

    def _bury(
        self, worker: Worker, waiting: deque[list[Mapping[str, Any]]], size: int
    ) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
        """A worker has ended: what it owed goes back into the queue, and another one takes its place. A solution that
        was being graded when workers ended, not for the first time, is one that we cannot grade."""
        self._restarts += 1
        if self._restarts > MAX_RESTARTS * size:
            raise SandboxError(f"{worker.end}, again and again; run python -m tools.sandbox.check where it was")
        if worker.owed:
            suspect = worker.owed[0]
            self._ended_at[suspect["solution_id"]] += 1
            if self._ended_at[suspect["solution_id"]] >= MAX_TRIES:
                worker.owed.popleft()
                yield _infra_error(suspect, worker.end), suspect
        if worker.owed:
            waiting.appendleft(list(worker.owed))
            worker.owed.clear()
        worker.close()
        self._workers[self._workers.index(worker)] = self._crew.hire(self.options, worker.slot)


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
