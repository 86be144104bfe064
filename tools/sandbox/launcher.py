"""The process that starts compilers and what they made: locks itself in for good, then starts one tree of processes per job.

Started by `toolchain.py`, as `zygote.py` is by `session.py`, but every job is a new program (`execve`), so that nothing of
the launcher's memory, nor of an earlier job, is in it. Order of locking: rules of Landlock are made while paths can still
be opened; then an unused user without capabilities (as root), Landlock, seccomp. Each job then adds rules of its own
(they can only narrow), limits, a session, and the kernel kills it when the launcher ends.

A job has ended when its first process has. Whatever it left behind is killed at once, all together, and waited for: the
launcher adopts orphans. Every process of the job has counted its processor time by then.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
from typing import Any, NoReturn

from tools.sandbox import landlock, process, seccomp
from tools.sandbox.toolchain_filter import build_tree_filter

PR_SET_CHILD_SUBREAPER = 36
Message = dict[str, Any]  # what one side says to the other, as JSON
MAX_DESCRIPTORS = 256
MAX_REQUEST = 1 << 17
MINE = landlock.READ_AND_RUN | landlock.WRITE_FILE | landlock.TRUNCATE | landlock.CHANGE_FOLDER
LIMITS = {
    "cpu_s": resource.RLIMIT_CPU, "data_bytes": resource.RLIMIT_DATA, "file_bytes": resource.RLIMIT_FSIZE,
    "tasks": resource.RLIMIT_NPROC, "stack_bytes": resource.RLIMIT_STACK,
}  # fmt: skip


class Launcher:
    """What holds of the protection, and how a job is started and ended."""

    def __init__(self, config: Message) -> None:
        self.state: dict[str, Any] = {"uid": os.getuid(), "landlock": 0, "seccomp": False, "failures": {}}
        self._rules: dict[str, int] = {}
        self._filter: seccomp.PreparedFilter | None = None
        self._own_uid = False
        self._streams: list[int] = config["streams"]  # stdin, stdout, stderr: files in memory, emptied between jobs
        for stream in self._streams:
            os.set_inheritable(stream, False)
        self._make_rules(config)
        self._lock_in(config)

    def _make_rules(self, config: Message) -> None:
        if "landlock" in config["without"]:
            return
        reading = dict.fromkeys(config["readable"], landlock.READ_AND_RUN)
        devices = {"/dev/null": landlock.READ_FILE | landlock.WRITE_FILE}
        folder, newest = config["folder"], config["newest_abi"]
        try:
            for name, rights in (("writes", MINE), ("reads", landlock.READ_AND_RUN)):
                self._rules[name], self._abi = landlock.make_ruleset(reading | devices | {folder: rights}, newest)
        except OSError as error:
            self.state["failures"]["landlock"] = str(error)

    def _lock_in(self, config: Message) -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_DESCRIPTORS, MAX_DESCRIPTORS))
        process.call_prctl(PR_SET_CHILD_SUBREAPER, 1)
        process.forbid_new_privileges()
        if os.getuid() == 0:
            try:
                process.become(config["uid"])
                self.state["uid"], self._own_uid = config["uid"], True
            except OSError as error:
                self.state["failures"]["uid"] = str(error)
                process.set_capabilities(0)
        process.die_with_parent()
        process.forbid_inspection()
        if self._rules:
            landlock.enter(self._rules["writes"])
            self.state["landlock"] = self._abi
        has_scope = self.state["landlock"] >= landlock.GOOD_ABI
        self._kills_all = has_scope or self._own_uid  # kill(-1) then reaches the tree and nobody else
        if "seccomp" in config["without"]:
            return
        try:
            prepared = seccomp.PreparedFilter(build_tree_filter(has_scope))
            if has_scope:
                prepared.install()
            else:  # it forbids sessions of their own, which every job has to get first
                self._filter = prepared
            self.state["seccomp"] = True
        except OSError as error:
            self.state["failures"]["seccomp"] = str(error)

    def start(self, job: Message) -> tuple[int, str]:
        """The pid of a job's first process, and why its program could not be started (empty: it was)."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become_job(job, writing)
        os.close(writing)
        error = os.read(reading, 500).decode("utf-8", "replace")
        os.close(reading)
        return pid, error

    def _become_job(self, job: Message, status_fd: int) -> NoReturn:
        try:
            os.setsid()
            process.die_with_parent()
            for number, stream in enumerate(self._streams):
                os.dup2(stream, number)
            for name, limit in LIMITS.items():
                resource.setrlimit(limit, (job[name], job[name]))
            if self._rules:
                landlock.enter(self._rules["writes" if job["writes"] else "reads"])
            if self._filter is not None:
                self._filter.install()
            os.chdir(job["folder"])
            os.execve(job["command"][0], job["command"], job["environment"])
        except OSError as error:
            os.write(status_fd, f"{error.strerror}: {error.filename or job['command'][0]}".encode())
        finally:
            os._exit(127)

    def end(self, first: int) -> Message:
        """Waits for the first process, ends all others, and adds up what they used."""
        started, cpu_s, peak_kib, status = time.monotonic(), 0.0, 0, -1
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, code, usage = os.wait4(-1, 0)
                cpu_s += usage.ru_utime + usage.ru_stime
                peak_kib = max(peak_kib, usage.ru_maxrss)
                if pid == first:
                    status = code
                    self._kill_others(first)
        return {"status": status, "cpu_s": cpu_s, "wall_s": time.monotonic() - started, "peak_kib": peak_kib}

    def _kill_others(self, first: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._kills_all:
                os.kill(-1, signal.SIGKILL)
            else:
                os.killpg(first, signal.SIGKILL)


def main() -> None:
    """Entry point: the last two arguments are the socket's number and the configuration as JSON."""
    config = json.loads(sys.argv[-1])
    control = socket.socket(fileno=int(sys.argv[-2]))
    control.set_inheritable(False)  # whoever held it could answer for us
    launcher = Launcher(config)
    control.send(json.dumps(launcher.state).encode())
    gc.collect()
    gc.freeze()
    gc.disable()
    while request := control.recv(MAX_REQUEST):
        pid, error = launcher.start(json.loads(request))
        control.send(json.dumps({"pid": pid, "error": error}).encode())
        control.send(json.dumps(launcher.end(pid)).encode())
