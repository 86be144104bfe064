"""Processes that grade: hands out work, collects rows as they come, mends what breaks. Programs and mathematics share it.

Theory of operation. A grading process is a module's `main` in an interpreter of its own. Its first line of input is
`Work.options`; then come lines {"problem": ..., "solutions": [...]}, and it answers one line for each solution, in
their order, as soon as it has one. Other lines are notices ({"refused": why} among them). Solutions of one problem go to
a worker together, so that what its problem needs is read once; the parts get smaller towards the end. A worker that
ends, or stays silent for too long, costs no verdict but that of the solution at which it does so again and again. Where
the workers live is their crew's affair: on this machine, or on the nodes of a cluster (ray_crew.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any, Protocol

from tools.errors import SandboxError
from tools.records import JsonObject, JsonRow

ROOT = str(pathlib.Path(__file__).resolve().parents[2])
START = "import sys; sys.path.insert(0, {root!r}); from {module} import main; sys.exit(main())"
LARGEST_PART = 8
WAIT_S = 30.0
MAX_RESTARTS = 3  # in a row, of one worker, without a verdict between

Row = JsonRow  # one line of the protocol


@dataclass(frozen=True)
class Work:
    """What grading processes are to do. `failed` makes the row of a solution that cannot be graded, from it and the
    reason; `max_tries`: workers that may end at a solution (once may be the machine's fault)."""

    module: str
    options: Row
    failed: Callable[[Row, str], JsonObject]
    max_tries: int = 2
    silent_timeout_s: float | None = None


class Worker(Protocol):
    """A grading process somewhere, and what it still owes us."""

    slot: int
    owed: deque[Row]
    is_ready: bool  # can be given work
    end: str  # in words, once it has ended

    def give(self, problem: Row, solutions: Sequence[Row]) -> None:
        """Hands over solutions of one problem; only to a worker that is ready and owes nothing."""

    def kill(self) -> None:
        """Ends it at once; that it has ended comes as an event."""

    def close(self) -> None:
        """Ends it; what it has started notices and ends too."""


@dataclass
class Event:
    """What a worker has let us know: its lines, and whether it has ended."""

    worker: Any
    lines: Sequence[Row]
    has_ended: bool = False


class Crew(Protocol):
    """Where workers come from. A context: what it needs is there from entry to exit."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def size(self) -> int:
        """How many workers there can be."""

    def hire(self, work: Work, slot: int) -> Any:
        """A new worker."""

    def wait(self, workers: Sequence[Any], timeout_s: float) -> list[Event]:
        """Waits until one of them says something, at most so long."""


class Process:
    """A grading process of this machine."""

    is_ready = True

    def __init__(self, work: Work, slot: int) -> None:
        self.slot, self.end = slot, ""
        self.popen = subprocess.Popen(
            [sys.executable, "-I", "-c", START.format(root=ROOT, module=work.module)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.stdin, self.stdout = self.popen.stdin, self.popen.stdout
        os.set_blocking(self.stdout.fileno(), False)
        self.owed: deque[Row] = deque()
        self._partial = b""
        self._send({**work.options, "slot": slot})

    def _send(self, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # its end of file tells the same, and is handled there
            self.stdin.write(json.dumps(message).encode() + b"\n")
            self.stdin.flush()

    def give(self, problem: Row, solutions: Sequence[Row]) -> None:
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
            status = self.popen.wait()
            self.end = self.end or f"the grading process ended with status {status}"
        return Event(self, [json.loads(line) for line in lines], has_ended)

    def kill(self) -> None:
        self.popen.kill()

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

    def hire(self, work: Work, slot: int) -> Process:
        return Process(work, slot)

    def wait(self, workers: Sequence[Process], timeout_s: float) -> list[Event]:
        by_stream: dict[Any, Process] = {worker.stdout: worker for worker in workers}
        return [by_stream[stream].read() for stream in connection.wait(list(by_stream), timeout_s)]


@dataclass
class Pool:
    """Runs solutions on a crew's workers, as a context. `on_wait` is told what runs when nothing has come for a while."""

    crew: Crew
    work: Work
    on_notice: Callable[[Row], None] = lambda _line: None
    on_wait: Callable[[list[str]], None] | None = None
    _workers: list[Worker] = field(default_factory=list)
    _heard_at: dict[int, float] = field(default_factory=dict)  # slot -> when its worker last answered or got work
    _restarts: int = 0
    _ended_at: Counter[str] = field(default_factory=Counter)  # solution -> workers that ended while they were at it

    def __enter__(self) -> Pool:
        self.crew.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.close()
        self._workers.clear()
        self.crew.__exit__(None, None, None)

    def run(
        self, problems: Mapping[str, Row], solutions: Iterable[Row], size: int | None = None
    ) -> Iterator[tuple[JsonObject, Row]]:
        """Yields (row, solution) as solutions are graded; the order is that of completion."""
        waiting = _group(solutions)
        size = size or self.crew.size
        while len(self._workers) < min(size, sum(map(len, waiting))):
            self._workers.append(self.crew.hire(self.work, len(self._workers)))
        self._workers.sort(key=lambda worker: not worker.is_ready)  # of a few, those that wait for a place are no help
        heard_at = time.monotonic()
        while waiting or any(worker.owed for worker in self._workers):
            for worker in self._workers[:size]:
                if worker.is_ready and not worker.owed:
                    self._hand_out(worker, waiting, problems, size)
            events = self.crew.wait(self._workers[:size], min(WAIT_S, self.work.silent_timeout_s or WAIT_S))
            if any(event.lines for event in events):
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at >= WAIT_S and self.on_wait is not None:
                heard_at = time.monotonic()
                self.on_wait([worker.owed[0]["solution_id"] for worker in self._workers if worker.owed])
            for event in events:
                yield from self._take(event)
                if event.has_ended:
                    yield from self._bury(event.worker, waiting, size)
            self._end_silent()

    def _hand_out(self, worker: Worker, waiting: deque[list[Row]], problems: Mapping[str, Row], size: int) -> None:
        if not waiting:
            return
        left = sum(map(len, waiting))
        part = max(1, min(LARGEST_PART, left // (2 * size)))
        group = waiting[0]
        solutions, group[:] = group[:part], group[part:]
        if not group:
            waiting.popleft()
        self._heard_at[worker.slot] = time.monotonic()
        worker.give(problems[solutions[0]["question_id"]], solutions)

    def _take(self, event: Event) -> Iterator[tuple[JsonObject, Row]]:
        self._heard_at[event.worker.slot] = time.monotonic()
        for line in event.lines:
            if "refused" in line:
                raise SandboxError(line["refused"])
            if "solution_id" not in line:
                self.on_notice(line)
            else:
                self._restarts = 0
                yield dict(line), event.worker.owed.popleft()

    def _end_silent(self) -> None:
        limit = self.work.silent_timeout_s
        for worker in self._workers if limit else ():
            if worker.owed and limit and time.monotonic() - self._heard_at.get(worker.slot, 0.0) > limit:
                worker.end = f"no answer within {limit:g} s"
                self._heard_at[worker.slot] = time.monotonic()
                worker.kill()

    def _bury(self, worker: Worker, waiting: deque[list[Row]], size: int) -> Iterator[tuple[JsonObject, Row]]:
        """A worker has ended: what it owed goes back into the queue, and another one takes its place. A solution that
        was being graded when workers ended, as often as is allowed, is one that we cannot grade."""
        is_explained = bool(worker.owed) and self.work.max_tries == 1  # by the solution that it was at
        self._restarts = 0 if is_explained else self._restarts + 1
        if worker.owed:
            suspect = worker.owed[0]
            self._ended_at[suspect["solution_id"]] += 1
            if self._ended_at[suspect["solution_id"]] >= self.work.max_tries:
                worker.owed.popleft()
                yield self.work.failed(suspect, worker.end), suspect
        if self._restarts > MAX_RESTARTS * size:
            raise SandboxError(f"{worker.end}, again and again; run python -m tools sandbox-check where it was")
        if worker.owed:
            waiting.appendleft(list(worker.owed))
            worker.owed.clear()
        worker.close()
        self._workers[self._workers.index(worker)] = self.crew.hire(self.work, worker.slot)


def _group(solutions: Iterable[Row]) -> deque[list[Row]]:
    groups: dict[str, list[Row]] = {}
    for solution in solutions:
        groups.setdefault(solution["question_id"], []).append(solution)
    return deque(groups.values())
