r"""Asks a worker process for what the quick stages leave open: rare LaTeX, calculus, identities that need SymPy.

Theory of operation. A worker is a fresh interpreter (never a fork of the caller, which may be large and threaded) that
reads one question at a time from its pipe. Its kernel limits hold CPU seconds and memory; the caller adds a wall-clock
limit for safety. A worker that passes a limit dies, and the next question starts another. No signals are used in the
caller, so this works in any thread; every thread asks a worker of its own.

>>> decide(r"\int_0^1 x^2\,dx", r"\frac{1}{3}").is_equal
True
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from tools.mathematics.comparison import Comparison
from tools.mathematics.limits import MAX_EXPRESSION_CHARS, SYMBOLIC_MEMORY_BYTES, SYMBOLIC_TIMEOUT_S
from tools.records import JsonObject

# A script of the room that knows the LaTeX grammar too; it is started by its path, never imported here.
WORKER = Path(__file__).parents[1] / "grading" / "math" / "symbolic_worker.py"
START_TIMEOUT_S = 60.0  # a busy machine may take long to start an interpreter
WALL_GRACE_FACTOR = 10.0  # wall seconds allowed per CPU second, for busy machines
LENGTH = struct.Struct(">I")


class WorkerDied(Exception):
    """The worker passed a limit; the text says which, as far as is known."""


class SymbolicWorker:
    """One worker process and its two pipes.

    `is_spare`: started ahead of need; it imports SymPy while nobody waits, and says when it is ready.
    """

    def __init__(self, is_spare: bool = False) -> None:
        self.is_ready = False
        self.process = subprocess.Popen(
            [sys.executable, "-X", "utf8", str(WORKER), str(SYMBOLIC_MEMORY_BYTES), *(["spare"] if is_spare else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is the caller's business
        )

    def wait_until_ready(self) -> None:
        if not self.is_ready:
            try:
                self.receive(time.monotonic() + START_TIMEOUT_S)
            except WorkerDied:
                raise WorkerDied(
                    "the symbolic worker did not start; check that sympy and antlr4 can be imported"
                ) from None
            self.is_ready = True

    def ask(self, question: JsonObject, timeout_s: float) -> JsonObject:
        """The answer to one question; raises WorkerDied at a limit."""
        assert self.process.stdin is not None
        self.wait_until_ready()
        payload = json.dumps(question).encode()
        try:
            self.process.stdin.write(LENGTH.pack(len(payload)) + payload)
            self.process.stdin.flush()
        except OSError as error:
            raise WorkerDied("the worker is gone") from error
        return self.receive(time.monotonic() + timeout_s * WALL_GRACE_FACTOR)

    def receive(self, deadline: float) -> JsonObject:
        header = self._read(LENGTH.size, deadline)
        answer: JsonObject = json.loads(self._read(LENGTH.unpack(header)[0], deadline))
        return answer

    def _read(self, size: int, deadline: float) -> bytes:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        data = b""
        while len(data) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise WorkerDied("no answer within the wall-clock limit")
            piece = os.read(descriptor, size - len(data))
            if not piece:
                raise WorkerDied("the CPU or memory limit was passed")
            data += piece
        return data

    def close(self) -> None:
        """Kills the process and waits for it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class WorkerPool:
    """Idle workers; as many exist as there were questions at the same time."""

    def __init__(self) -> None:
        self.idle: list[SymbolicWorker] = []
        self.lock = threading.Lock()
        self.process_id = os.getpid()

    def ask(self, question: JsonObject, timeout_s: float) -> JsonObject:
        worker = self._take() or SymbolicWorker()
        try:
            answer = worker.ask(question, timeout_s)
        except BaseException as error:
            worker.close()
            if isinstance(error, WorkerDied):
                self._keep(SymbolicWorker(is_spare=True))
            raise
        self._keep(worker)
        return answer

    def _keep(self, worker: SymbolicWorker) -> None:
        with self.lock:
            self.idle.append(worker)

    def _take(self) -> SymbolicWorker | None:
        with self.lock:
            if self.process_id != os.getpid():  # after a fork the pipes belong to the parent
                self.process_id, self.idle = os.getpid(), []
            while self.idle:
                worker = self.idle.pop()
                if worker.process.poll() is None:
                    return worker
        return None

    def close(self) -> None:
        with self.lock:
            workers, self.idle = self.idle, []
        if self.process_id == os.getpid():
            for worker in workers:
                worker.close()


_pool = WorkerPool()
atexit.register(_pool.close)


def decide(given: str, gold: str, timeout_s: float = SYMBOLIC_TIMEOUT_S, reason: str = "") -> Comparison:
    """The worker's verdict on two plain forms; `is_equal` None when its budget ran out or no stage could tell."""
    if max(len(given), len(gold)) > MAX_EXPRESSION_CHARS:
        return Comparison(
            False, "unreadable", f"longer than {MAX_EXPRESSION_CHARS} characters", given[:100], gold[:100]
        )
    try:
        answer = _pool.ask({"operation": "compare", "given": given, "gold": gold, "timeout_s": timeout_s}, timeout_s)
    except WorkerDied as error:
        return Comparison(None, "symbolic", f"{error} ({reason})" if reason else str(error), given, gold)
    return Comparison(**answer)


def can_read(text: str, timeout_s: float = SYMBOLIC_TIMEOUT_S) -> str:
    """The reason why neither the quick reader nor the grammar reads a text; "" when one does."""
    answer = ask_worker({"operation": "read", "given": text, "gold": ""}, timeout_s)
    return "reading it passes the limits" if answer is None else str(answer["reason"])


def ask_worker(question: JsonObject, timeout_s: float) -> JsonObject | None:
    """Another operation of the worker's; None when a limit was passed."""
    try:
        return _pool.ask({**question, "timeout_s": timeout_s}, timeout_s)
    except WorkerDied:
        return None
