"""Looking at a running process from outside: its processor time, its waiting, its memory; and when it is over its limits.

>>> CpuClock(os.getpid()).idle_s
0.0
>>> read_state(os.getpid())
'R'
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

from tools.sandbox.limits import STACK_BYTES, Limits
from tools.sandbox.outcome import End

SILENCE_S = 15.0  # a warm process whose fork has ended, or that has none, answers at once; this is for a busy machine
MEMORY_SLACK_BYTES = 64 << 20  # of the interpreter and its modules, beyond what the limit on private memory counts
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Watches the one fork of a warm process under given limits. `look` is called again and again until it says why the
    fork is to be killed, or the warm process has answered, or `is_silent` says that it never will."""

    def __init__(self, warm_pid: int, limits: Limits) -> None:
        self.pid = 0  # of the fork, once it is known
        self.is_silent = False
        self._warm_pid = warm_pid
        self._limits = limits
        self._started = time.monotonic()
        self._alive_at = self._started
        self._clock: CpuClock | None = None

    def look(self) -> End | None:
        """Which limit the fork has passed, None when it has passed none."""
        now = time.monotonic()
        if self._clock is None and (pid := find_child(self._warm_pid)) is not None:
            self.pid, self._clock = pid, CpuClock(pid)
        if self._clock is not None and read_state(self.pid) != "Z":
            self._alive_at = now
        is_stopped = read_state(self._warm_pid) in ("T", "t")  # by whom ever: it will not answer
        self.is_silent = is_stopped or now - self._alive_at > SILENCE_S
        if self._clock is None:
            return None
        self._clock.update()
        return self._find_limit(self._clock, now - self._started)

    def _find_limit(self, clock: CpuClock, wall_s: float) -> End | None:
        if clock.cpu_s > self._limits.cpu_s * self._limits.grace:
            return End.CPU_LIMIT
        if clock.idle_s > self._limits.idle_s or wall_s > self._limits.wall_s:
            return End.IDLE_LIMIT
        if read_private_bytes(self.pid) > self._limits.data_bytes + STACK_BYTES + MEMORY_SLACK_BYTES:
            return End.MEMORY
        return None


class CpuClock:
    """Adds up for one process: CPU seconds (`cpu_s`) and seconds without any use for a processor (`idle_s`).

    What counts as waiting for a processor is the waiting of the one thread that waited longest: the waits of threads that
    wake together overlap, and their sum could hide any amount of idleness.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.cpu_s = 0.0
        self.idle_s = 0.0
        self._seen_at = time.monotonic()
        self._waited_ns: dict[str, int] = {}  # by thread
        self._is_first = True

    def update(self) -> None:
        """Reads the kernel's counters; a process that has gone changes nothing."""
        cpu_s = read_cpu_clock(self.pid)
        if cpu_s is None:
            return
        waited_ns, now = self._read_waits(), time.monotonic()
        if not self._is_first:
            longest_ns = max((ns - self._waited_ns.get(thread, 0) for thread, ns in waited_ns.items()), default=0)
            useful_s = max(0.0, cpu_s - self.cpu_s) + max(0.0, longest_ns / 1e9)
            self.idle_s += max(0.0, now - self._seen_at - useful_s)
        self._is_first = False
        self.cpu_s, self._waited_ns, self._seen_at = cpu_s, waited_ns, now

    def _read_waits(self) -> dict[str, int]:
        """For each living thread the nanoseconds that it spent in the queue for a processor."""
        waits = {}
        folder = f"/proc/{self.pid}/task"
        for thread in _list_quietly(folder):  # threads come and go meanwhile
            with contextlib.suppress(OSError, IndexError), open(f"{folder}/{thread}/schedstat", "rb") as file:
                waits[thread] = int(file.read().split()[1])
        return waits


def find_child(parent: int) -> int | None:
    """The pid of the one child of a warm process; looked up in /proc, for slow programs only."""
    try:
        with open(f"/proc/{parent}/task/{parent}/children", "rb") as file:
            children = file.read().split()
        return int(children[0]) if children else None
    except OSError:  # a kernel built without this list
        return _search_child(parent)


def _search_child(parent: int) -> int | None:
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _read_stat(int(name))) and int(fields[1]) == parent:
            return int(name)
    return None


def _list_quietly(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def read_state(pid: int) -> str:
    """R running, S sleeping, D waiting for a disk, T stopped, Z ended; "Z" too when it has gone."""
    fields = _read_stat(pid)
    return fields[0].decode() if fields else "Z"


def _read_stat(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []


def read_private_bytes(pid: int) -> int:
    """Memory that the process alone uses, 0 when it has gone. Counts also what no limit of the kernel does, such as
    pages that were written and then made read-only."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            _size, resident, shared = map(int, file.read().split()[:3])
    except (OSError, ValueError):
        return 0
    return (resident - shared) * PAGE_BYTES


def read_cpu_clock(pid: int) -> float | None:
    """CPU seconds of a whole process so far, None when it has gone (clock ids as in the kernel's posix-timers.h)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


def kill_quietly(pid: int) -> None:
    """SIGKILL; a process that has gone is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
