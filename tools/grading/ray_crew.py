"""Grading processes on the nodes of a Ray cluster: LAUNCHER=ray python evaluate_livecodebench.py.

Theory of operation. The pool (pool.py) stays the one that hands out and collects; its crew are actors here, one
for each core of the cluster. An actor only starts the grading process of its node and hands on what it is told and what
that answers, so a program runs under the same sandbox and limits as on one machine. Problems travel with the work: the
nodes need no shared folder. A node that is lost is a worker that ended: what it owed goes to the others.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from tools.cluster.connection import connected
from tools.errors import SandboxError
from tools.grading.pool import Event, Process, Work
from tools.records import JsonRow
from tools.store.files import read_place

EXCHANGE_EVERY_S = 1.0  # a sign of life at least so often
SILENT_TIMEOUT_S = 120.0  # then the node hangs, whatever Ray thinks of it


class GradingActor:
    """A grading process on some node."""

    def __init__(self, work: Work, slot: int) -> None:
        self._process = Process(work, slot)

    def exchange(self, problem: JsonRow | None, solutions: Sequence[JsonRow]) -> tuple[Sequence[JsonRow], str]:
        """Takes new work in, waits a moment, gives back the lines that have come, and how it ended if it has."""
        if problem is not None:
            self._process.give(problem, solutions)
        lines = self._process.read(EXCHANGE_EVERY_S).lines
        refusals = [{"refused": f"{socket.gethostname()}: {line['refused']}"} for line in lines if "refused" in line]
        return refusals or lines, self._process.end


class RemoteProcess:
    """Our side of an actor."""

    def __init__(self, ray: Any, kind: Any, work: Work, slot: int) -> None:
        self._ray = ray
        self.slot, self.end, self.is_ready = slot, "", False
        self.owed: deque[JsonRow] = deque()
        self._shown: str | None = None  # the problem that it has
        self._actor = kind.remote(work, slot)
        self._exchange(None, ())

    def give(self, problem: JsonRow, solutions: Sequence[JsonRow]) -> None:
        self.owed.extend(solutions)
        question_id = problem["question_id"]
        if question_id == self._shown:
            problem = {"question_id": question_id}
        elif "path" in problem:
            problem = {
                "question_id": question_id,
                "text": read_place(problem["path"], problem["offset"], problem["length"]),
            }
        self._shown = question_id
        self._exchange(problem, solutions)

    def _exchange(self, problem: JsonRow | None, solutions: Sequence[JsonRow]) -> None:
        self.call = self._actor.exchange.remote(problem, solutions)
        self.called_at = time.monotonic()

    def read(self) -> Event:
        """What the call that is ready has brought. Another one follows it while there is something to wait for."""
        try:
            lines, self.end = self._ray.get(self.call)
        except self._ray.exceptions.RayError as error:
            lines, self.end = (), f"a grading process or its node is gone ({type(error).__name__})"
        self.call = None
        self.is_ready = self.is_ready or bool(lines)  # the first one tells of the protection
        has_ended = bool(self.end)
        replies = sum("solution_id" in line for line in lines)
        if not has_ended and (len(self.owed) > replies or not self.is_ready):
            self._exchange(None, ())
        return Event(self, lines, has_ended)

    def is_silent(self) -> bool:
        """True when a call is not answered though the actor had begun to work."""
        return self.call is not None and self.is_ready and time.monotonic() - self.called_at > SILENT_TIMEOUT_S

    def kill(self) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(Exception):  # it may be gone already; nothing is left to be done then
            self._ray.kill(self._actor)


class RayCrew:
    """Grading processes on all nodes of a cluster, one per core by default."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers
        self._open = contextlib.ExitStack()

    def __enter__(self) -> RayCrew:
        self._ray = self._open.enter_context(connected({}))
        self._kind = self._ray.remote(GradingActor).options(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def size(self) -> int:
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        cores = int(sum(resources.get("CPU", 0) for resources in nodes))
        if not cores:
            raise SandboxError("the Ray cluster has no cores to grade with; start its nodes with --num-cpus")
        return self._workers or cores

    def hire(self, work: Work, slot: int) -> RemoteProcess:
        return RemoteProcess(self._ray, self._kind, work, slot)

    def wait(self, workers: Sequence[RemoteProcess], timeout_s: float) -> list[Event]:
        calls = {worker.call: worker for worker in workers if worker.call is not None}
        ready = self._ray.wait(list(calls), num_returns=1, timeout=min(timeout_s, SILENT_TIMEOUT_S))[0]
        if len(calls) > 1 and ready:
            ready = self._ray.wait(list(calls), num_returns=len(calls), timeout=0)[0]
        silent = [worker for call, worker in calls.items() if call not in ready and worker.is_silent()]
        for worker in silent:
            worker.end = f"a grading process did not answer for {SILENT_TIMEOUT_S:g} s"
        return [calls[call].read() for call in ready] + [Event(worker, (), True) for worker in silent]
