"""Looking at a running process from outside: its processor time and the time for which it waited for a processor."""

from __future__ import annotations

import os
import time


def find_child(parent: int) -> int | None:
    """The pid of the one child of a warm process; looked up in /proc, for slow programs only."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                return int(name)
    return None


class CpuClock:
    """Adds up for one process: CPU seconds (`cpu_s`) and seconds without any use for a processor (`idle_s`)."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.cpu_s = 0.0
        self.idle_s = 0.0
        self._seen_at = time.monotonic()
        self._waited_s = 0.0
        self._is_first = True

    def update(self) -> None:
        """Reads the kernel's counters; a process that has gone changes nothing."""
        cpu_s, waited_s = self._read()
        now = time.monotonic()
        if not self._is_first:
            useful_s = max(0.0, cpu_s - self.cpu_s) + max(0.0, waited_s - self._waited_s)
            self.idle_s += max(0.0, now - self._seen_at - useful_s)
        self._is_first = False
        self.cpu_s, self._waited_s, self._seen_at = cpu_s, waited_s, now

    def _read(self) -> tuple[float, float]:
        """Sums over the threads that live: nanoseconds on a processor, nanoseconds in the queue for one."""
        ran = waited = 0
        try:
            for thread in os.listdir(f"/proc/{self.pid}/task"):
                with open(f"/proc/{self.pid}/task/{thread}/schedstat", "rb") as file:
                    numbers = file.read().split()
                ran += int(numbers[0])
                waited += int(numbers[1])
        except (OSError, IndexError, ValueError):
            return self.cpu_s, self._waited_s
        return ran / 1e9, waited / 1e9


def read_cpu_clock(pid: int) -> float | None:
    """CPU seconds of a whole process so far, None when it has gone (clock ids as in the kernel's posix-timers.h)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None
