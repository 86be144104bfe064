"""The processes behind a vLLM engine: what they print, and how the worker learns that one has died.

On CUDA, `LLM` starts its engine in a process of its own. When the kernel ends that one, vLLM cleans up and then waits
for an output that never comes. `EngineWatch` waits for the process itself, wakes the waiting worker with an exception, and ends
it where it does not wake.

>>> said = ProcessOutput()
>>> said.read()
''
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import queue
import signal
import stat
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from typing import Any

EXIT_CRASH = 3  # as tools/sampling/launcher.py reads it: start this worker again
GRACE_S = 5.0  # for the worker to wake and to say it in its own words
MOST_BYTES = 1 << 20


class ProcessOutput:
    """What this process and its children print from now on, where that goes to a file (a worker's log, Ray's files)."""

    def __init__(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._starts: dict[tuple[int, int], tuple[int, int]] = {}
        for descriptor in (1, 2):
            with contextlib.suppress(OSError):
                found = os.fstat(descriptor)
                if stat.S_ISREG(found.st_mode):
                    self._starts.setdefault((found.st_dev, found.st_ino), (descriptor, found.st_size))

    def read(self) -> str:
        """The new part, of a very long one the end."""
        parts = []
        for descriptor, start in self._starts.values():
            with contextlib.suppress(OSError), open(f"/proc/self/fd/{descriptor}", "rb") as file:
                file.seek(max(start, os.fstat(file.fileno()).st_size - MOST_BYTES))
                parts.append(file.read().decode(errors="replace"))
        return "\n".join(part for part in parts if part)


class EngineDied(Exception):
    """A process of vLLM's ended without a word, by the kernel or by somebody's kill."""


class EngineWatch:
    """Watches the processes that vLLM started; `outputs` is the queue that the worker waits at, if vLLM has one."""

    def __init__(self, processes: Sequence[BaseProcess], outputs: queue.Queue[Any] | None) -> None:
        self._processes, self._outputs = list(processes), outputs
        self._is_over = threading.Event()
        self.died: str | None = None
        if self._processes:
            atexit.register(self.close)  # before vLLM's own handlers, which end the processes
            threading.Thread(target=self._watch, name="EngineWatch", daemon=True).start()

    def close(self) -> None:
        """From now on processes may end."""
        self._is_over.set()

    def _watch(self) -> None:
        sentinels = {process.sentinel: process for process in self._processes}
        ended = multiprocessing.connection.wait(list(sentinels))
        if self._is_over.is_set():
            return
        process = sentinels[ended[0]]  # type: ignore[index]
        self.died = f"vLLM's process {process.name} ({process.pid}) ended {describe_exit(exit_code_of(process))}"
        if self._is_over.wait(1.0):  # vLLM itself has woken the worker, with the cause
            return
        if self._outputs is not None:
            self._outputs.put_nowait(EngineDied(self.died))
        if self._is_over.wait(GRACE_S):
            return
        print(f"error: {self.died}; see this log", flush=True)
        sys.stderr.flush()
        os._exit(EXIT_CRASH)


def exit_code_of(process: BaseProcess, patience_s: float = 1.0) -> int | None:
    """Of a process that has ended. vLLM waits for it too: whoever is second is told nothing, until the first has noted the code."""
    deadline = time.monotonic() + patience_s
    while process.exitcode is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return process.exitcode


def describe_exit(code: int | None) -> str:
    """How a process ended, in words.

    >>> describe_exit(-9)
    "by SIGKILL (by hand, or by the kernel when the machine's memory ran short)"
    """
    if code is None:
        return "and nobody knows how"
    if code >= 0:
        return f"with code {code}"
    name = signal.Signals(-code).name
    return f"by {name}" + (" (by hand, or by the kernel when the machine's memory ran short)" if code == -9 else "")


def new_processes(before: Sequence[BaseProcess]) -> list[BaseProcess]:
    """Child processes of this one that were started since."""
    known = {process.pid for process in before}
    return [process for process in multiprocessing.active_children() if process.pid not in known]
