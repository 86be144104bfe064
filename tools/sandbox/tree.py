"""Looking at a tree of processes from outside: its processor time, its waiting, its memory, its files.

>>> os.getpid() in find_tree(os.getppid())
True
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tools.sandbox.outcome import End
from tools.sandbox.watch import PAGE_BYTES, kill_quietly

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MOST_ENTRIES = 20_000  # of a job's folder; more files than that count as too much


@dataclass(frozen=True)
class TreeLimits:
    """What one job may use, all its processes together; only `file_bytes` (one file) and `stack_bytes` are for each.

    `cpu_s`, `grace` and `idle_s` are as in `limits.py`. `tasks`: processes and threads. `folder_bytes`: of all its files.
    `writes`: whether it may change the folder that it works in.
    """

    cpu_s: float = 6.0
    grace: float = 1.1
    idle_s: float = 9.0
    wall_s: float = 900.0
    data_bytes: int = 2 << 30
    file_bytes: int = 16 << 20
    folder_bytes: int = 256 << 20
    stack_bytes: int = 8 << 20
    tasks: int = 96
    writes: bool = False


class TreeWatch:
    """Watches the jobs of one launcher, one after the other; `look` says which limit the job of now has passed."""

    def __init__(self, launcher: int, folder: str, limits: TreeLimits) -> None:
        self._launcher, self._folder, self._limits = launcher, folder, limits
        self._idle_s = self._cpu_s = 0.0
        self._cpu_before_s = sum(_read_cpu(pid)[1] for pid in [launcher, *find_tree(launcher)])
        self._started = self._seen_at = time.monotonic()

    def look(self) -> End | None:
        """Which limit the tree has passed, None when it has passed none."""
        pids, now = find_tree(self._launcher), time.monotonic()
        self._count_time(pids, now)
        limits = self._limits
        if self._cpu_s > limits.cpu_s * limits.grace:
            return End.CPU_LIMIT
        if self._idle_s > limits.idle_s or now - self._started > limits.wall_s:
            return End.IDLE_LIMIT
        if sum(map(read_own_bytes, pids)) > limits.data_bytes:
            return End.MEMORY
        if limits.writes and count_bytes(self._folder, pids, limits.folder_bytes) > limits.folder_bytes:
            return End.MEMORY
        return None

    def _count_time(self, pids: list[int], now: float) -> None:
        """A tree is idle while none of its processes computes, waits for a processor or for a disk."""
        seen = [_read_cpu(pid) for pid in [self._launcher, *pids]]
        cpu_s = sum(used_s for _state, used_s in seen) - self._cpu_before_s
        if not any(state in ("R", "D") for state, _used_s in seen):
            self._idle_s += max(0.0, now - self._seen_at - max(0.0, cpu_s - self._cpu_s))
        self._cpu_s, self._seen_at = max(cpu_s, self._cpu_s), now


def _read_cpu(pid: int) -> tuple[str, float]:
    """The state of a process and processor seconds, its own and those of the children that it has waited for."""
    with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
        return fields[0].decode(), sum(map(int, fields[11:15])) / TICKS_PER_S
    return "Z", 0.0


def find_tree(root: int) -> list[int]:
    """All that descend from a process, orphans that it has adopted too."""
    found, waiting = [], _children(root)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += _children(pid)
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                children += map(int, file.read().split())
    return children


def read_own_bytes(pid: int) -> int:
    """Memory of a process that is in no file: private, and shared through files in memory; 0 when it has gone."""
    kib = 0
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            if line.startswith((b"RssAnon:", b"RssShmem:", b"VmSwap:")):
                kib += int(line.split()[1])
    return kib << 10 or _read_private(pid)


def _read_private(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/statm", "rb") as file:
        _size, resident, shared = map(int, file.read().split()[:3])
        return (resident - shared) * PAGE_BYTES
    return 0


def count_bytes(folder: str, pids: list[int], enough: int) -> int:
    """Bytes on disk of a folder and of files that were deleted and are still open; stops counting at `enough`."""
    total, seen = 0, set()
    for entries, status in enumerate(_entries(folder, pids)):
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            total += status.st_blocks * 512
        if total > enough or entries > MOST_ENTRIES:
            return enough + 1
    return total


def _entries(folder: str, pids: list[int]) -> Iterator[os.stat_result]:
    waiting = [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    yield entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    for pid in pids:
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    status = os.stat(f"/proc/{pid}/fd/{name}")
                    if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                        yield status


def kill_tree(root: int) -> None:
    """Ends a process and its descendants: all are stopped before the first is killed, so that none can start another."""
    stopped: set[int] = set()
    for _round in range(20):
        pids = {root, *find_tree(root)}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGSTOP)
        if pids == stopped:
            break
        stopped = pids
    for pid in stopped:
        kill_quietly(pid)
