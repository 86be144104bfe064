"""Runs compilers, interpreters and what they made, for programs in other languages than Python; the trusted side.

    with Toolchain(tools=["g++"]) as toolchain:
        toolchain.put("a.cpp", b"int main() { return 3; }")
        compiled = toolchain.run(["g++", "a.cpp", "-o", "a"], TreeLimits(writes=True))
        toolchain.run(["./a"]).code  # 3

A second runner beside `session.py`, with the same layers and promises (docs/security.md): a locked-in process
(`launcher.py`) starts each command as a new program, in a folder that is emptied before every job. Differences: a job is a
tree of processes, which may start programs, write below its folder (only where `TreeLimits.writes` says so, as compilers
must) and make machine code; it is watched and ended as a whole (`tree.py`).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tools.errors import SandboxError
from tools.sandbox.launcher import Message
from tools.sandbox.memory_file import new_memory_file
from tools.sandbox.outcome import End, clean_line, read_text
from tools.sandbox.places import ROOT, SYSTEM_PATHS, choose_uid, count_tasks
from tools.sandbox.protection import describe
from tools.sandbox.tree import TreeLimits, TreeWatch, kill_tree
from tools.sandbox.watch import kill_quietly

# Beyond what Python programs may read: programs, headers, data of interpreters, and how /usr/bin/java finds Java.
TOOL_PATHS = (
    "/bin", "/usr/bin", "/usr/local/bin", "/usr/include", "/usr/local/include", "/usr/share", "/usr/libexec",
    "/etc/alternatives", "/etc/java-17-openjdk", "/etc/php", "/etc/perl", "/etc/ssl/openssl.cnf", "/dev/zero",
)  # fmt: skip
NEVER_READABLE = ("/", "/home", "/root", "/tmp", "/etc", "/var", "/proc", "/sys", "/dev", "/usr")
START_TIMEOUT_S, KILL_TIMEOUT_S, WATCH_INTERVAL_S = 60.0, 20.0, 0.1
DEFAULT_LIMITS = TreeLimits()
BOOT = (
    "import os, sys; os.register_at_fork = lambda **handlers: None; sys.path.insert(0, {root!r}); "
    "from tools.sandbox import launcher; launcher.main()"
)


class LostJob(SandboxError):
    """The launcher ended or fell silent while it had this job; another one takes its place."""


@dataclass(frozen=True)
class JobResult:
    """How a job ended. `code` is its first process's exit status, negative for a signal; texts are cut at the limit."""

    end: End
    code: int
    stdout: bytes
    stderr: bytes
    cpu_s: float
    wall_s: float
    peak_bytes: int

    @property
    def reason(self) -> str:
        """One printable line for people, from what the program said; it may lie."""
        lines = [line for line in self.stderr[-4000:].splitlines() if line.strip()]
        said = clean_line(lines[-1]) if lines else ""
        if self.end is not End.FAILED:
            return "" if self.end is End.FINISHED else self.end.value
        code = f"killed by signal {-self.code}" if self.code < 0 else f"exit status {self.code}"
        return f"{code}: {said}" if said else code


class Toolchain:
    """Runs jobs one after the other. Use one per worker process; not safe to share between threads.

    `tools` are commands as PATH finds them; `readable` adds folders that they need. `without` switches layers off (tests do); when
    Landlock or seccomp does not hold, the constructor raises SandboxError, unless `is_unsafe_allowed`.
    """

    def __init__(
        self,
        tools: Iterable[str] = (),
        readable: Iterable[str] = (),
        *,
        is_unsafe_allowed: bool = False,
        without: Iterable[str] = (),
        slot: int = 0,
        hangup_fd: int | None = None,
    ) -> None:
        self._without = frozenset(without) | frozenset(os.environ.get("SANDBOX_WITHOUT", "").split(",")) - {""}
        self._uid = choose_uid(2 * slot + 1) if os.getuid() == 0 else os.getuid()
        self._hangup_fd = hangup_fd
        self.paths = {tool: find_tool(tool) for tool in tools}
        installed = [folder for path in self.paths.values() if path for folder in folders_of_tool(path)]
        self._readable = [*SYSTEM_PATHS, *TOOL_PATHS, *readable, *installed]
        self.folder = make_private_folder(self._uid)
        self._streams = [new_memory_file() for _stream in ("stdin", "stdout", "stderr")]
        self._popen: subprocess.Popen[bytes] | None = None
        try:
            self.protection = describe(self._start())
            if self.protection.missing and not is_unsafe_allowed:
                raise SandboxError(self.protection.refusal)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Toolchain:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def launcher_pid(self) -> int:
        """Of the process that starts jobs; all that a job started descends from it."""
        return self._popen.pid if self._popen is not None else 0

    def close(self) -> None:
        """Ends the launcher with all that runs, and removes the folder."""
        self._stop()
        for stream in self._streams:
            os.close(stream)
        self._streams = []
        remove_folder(self.folder)

    def _stop(self) -> None:
        if self._popen is None:
            return
        kill_tree(self._popen.pid)
        self._popen.wait()
        self._socket.close()
        self._popen = None

    def _start(self) -> Message:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        config = {
            "readable": self._readable, "folder": self.folder, "uid": self._uid, "without": sorted(self._without),
            "streams": self._streams, "newest_abi": int(os.environ.get("SANDBOX_LANDLOCK_ABI", "99")),
        }  # fmt: skip
        self._socket = ours
        with theirs:
            self._popen = subprocess.Popen(
                [sys.executable, "-S", "-s", "-c", BOOT.format(root=ROOT), str(theirs.fileno()), json.dumps(config)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                pass_fds=[theirs.fileno(), *self._streams], cwd="/", start_new_session=True,
            )  # fmt: skip
        self._tasks_before = count_tasks()
        return self._receive(START_TIMEOUT_S)

    def _receive(self, timeout_s: float) -> Message:
        """The launcher's next message. Raises LostJob when there is none in time."""
        try:
            message = self._socket.recv(1 << 16) if self._poll(timeout_s) else b""
        except OSError:  # it ended with something of ours unread
            message = b""
        if not message:
            self._stop()
            raise LostJob("the sandbox lost a program: is the machine out of memory?")
        return json.loads(message)  # type: ignore[no-any-return]

    def _poll(self, timeout_s: float) -> bool:
        """Whether something has come. Ends this process when its own parent has hung up."""
        watched: list[Any] = [self._socket] if self._hangup_fd is None else [self._socket, self._hangup_fd]
        ready = select.select(watched, [], [], timeout_s)[0]
        if self._hangup_fd is not None and self._hangup_fd in ready and _has_hung_up(self._hangup_fd):
            self.close()
            os._exit(1)
        return self._socket in ready

    def clear(self) -> None:
        """Empties the folder."""
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if stat.S_ISDIR(os.lstat(path).st_mode):
                remove_folder(path)
            else:
                os.unlink(path)

    def put(self, name: str, data: bytes) -> None:
        """A new file in the folder, which must be there only once."""
        path = self.folder
        for part in name.split("/")[:-1]:
            path = os.path.join(path, part)
            if not os.path.isdir(path):
                os.mkdir(path)
                os.chown(path, self._uid, -1)
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb") as file:
            file.write(data)

    def make_executable(self, name: str) -> bool:
        """Lets a file that a compiler wrote be run: jobs cannot change modes themselves. False when there is none."""
        try:
            descriptor = os.open(os.path.join(self.folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_uid != self._uid:
                return False
            os.fchmod(descriptor, 0o755)
            return True
        finally:
            os.close(descriptor)

    def run(
        self,
        command: Sequence[str],
        limits: TreeLimits = DEFAULT_LIMITS,
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> JobResult:
        """One job in the folder. A first word without a slash is one of the tools; raises SandboxError for one that is absent."""
        if self._popen is None or self._popen.poll() is not None:
            self._stop()
            self._start()
        assert self._popen is not None
        for stream, data in zip(self._streams, (stdin, b"", b""), strict=True):
            os.ftruncate(stream, 0)
            os.pwrite(stream, data, 0)
            os.lseek(stream, 0, os.SEEK_SET)
        job = json.dumps(self._describe_job(command, limits, environment or {})).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the missing answer tells the same
            self._socket.send(job)
        started = self._receive(START_TIMEOUT_S)
        if started["error"]:
            self._receive(KILL_TIMEOUT_S)
            raise SandboxError(f"{command[0]} cannot be started ({started['error']})")
        stopped_by = self._watch(started["pid"], limits)
        return self._read_result(self._receive(KILL_TIMEOUT_S), stopped_by, limits)

    def _describe_job(self, command: Sequence[str], limits: TreeLimits, more: Mapping[str, str]) -> Message:
        first = self.paths.get(command[0]) or (command[0] if "/" in command[0] else None)
        if first is None:
            raise SandboxError(f"{command[0]} is not on PATH")
        if not os.path.isabs(first):
            first = os.path.join(self.folder, first)
        folders = [*dict.fromkeys(os.path.dirname(path) for path in self.paths.values() if path), "/usr/bin", "/bin"]
        fixed = {"PATH": ":".join(folders), "HOME": self.folder, "TMPDIR": self.folder, "LANG": "C.UTF-8"}
        return {
            "command": [first, *command[1:]], "environment": {**fixed, **more}, "folder": self.folder,
            "writes": limits.writes, "cpu_s": math.ceil(limits.cpu_s * limits.grace), "data_bytes": limits.data_bytes,
            "file_bytes": limits.file_bytes, "tasks": self._tasks_before + limits.tasks, "stack_bytes": limits.stack_bytes,
        }  # fmt: skip

    def _watch(self, first: int, limits: TreeLimits) -> End | None:
        """Returns when the job has ended; ends one that is over its limits, and says over which."""
        assert self._popen is not None
        if self._poll(WATCH_INTERVAL_S):
            return None
        watch = TreeWatch(self._popen.pid, self.folder, limits)
        while not self._poll(WATCH_INTERVAL_S):
            if (reason := watch.look()) is not None:
                kill_quietly(first)  # the launcher then ends the rest
                return reason
        return None

    def _read_result(self, reply: Message, stopped_by: End | None, limits: TreeLimits) -> JobResult:
        stdout, stderr = (read_text(stream, limits.file_bytes) for stream in self._streams[1:])
        code = os.waitstatus_to_exitcode(reply["status"])
        peak_bytes = reply["peak_kib"] << 10
        end = End.FINISHED if code == 0 else End.FAILED
        if reply["cpu_s"] > limits.cpu_s or code == -signal.SIGXCPU:
            end = End.CPU_LIMIT
        elif stopped_by is not None:
            end = stopped_by
        elif code < 0 and peak_bytes > 0.8 * limits.data_bytes:
            end = End.MEMORY
        return JobResult(end, code, stdout, stderr, reply["cpu_s"], reply["wall_s"], peak_bytes)


def find_tool(name: str) -> str | None:
    """Where PATH has a command that the user of a job can run; as root, one below a closed folder is passed over."""
    for folder in [""] if "/" in name else os.environ.get("PATH", os.defpath).split(":"):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK) and _is_reachable(path):
            return os.path.abspath(path)
    return None


def _is_reachable(path: str) -> bool:
    """Whether a user without rights of their own can get there."""
    if os.getuid() != 0:
        return True
    for place in {os.path.realpath(path), os.path.abspath(path)}:
        while place != "/":
            place = os.path.dirname(place)
            if not os.stat(place).st_mode & stat.S_IXOTH:
                return False
    return True


def folders_of_tool(path: str) -> list[str]:
    """The installations that a command belongs to (its folder `bin` and what lies beside it), where the system has not got
    it; two for a link, as in a virtual environment.

    >>> folders_of_tool("/usr/bin/env"), folders_of_tool("/opt/go/bin/go")
    ([], ['/opt/go'])
    """
    found = []
    for place in dict.fromkeys((os.path.abspath(path), os.path.realpath(path))):
        folder = os.path.dirname(place)
        folder = os.path.dirname(folder) if os.path.basename(folder) in ("bin", ".bin") else folder
        if folder not in NEVER_READABLE:
            found.append(folder)
    return found


def make_private_folder(uid: int) -> str:
    """An empty folder of this user alone, in the first place for temporary files that such a user can reach."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        try:
            can_run = not os.statvfs(parent).f_flag & os.ST_NOEXEC
            if can_run and _is_reachable(os.path.join(parent, "x")):
                folder = tempfile.mkdtemp(prefix="sandbox-", dir=parent)
                if os.getuid() == 0:
                    os.chown(folder, uid, uid)
                return os.path.realpath(folder)
        except OSError:
            continue
    raise SandboxError("no folder for temporary files lets programs be run; set TMPDIR to one that does")


def remove_folder(folder: str) -> None:
    """Removes a folder that a program could fill as it liked, however deep."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        subprocess.run(["rm", "-rf", "--", folder], check=False, stderr=subprocess.DEVNULL)


def _has_hung_up(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return not any(event & select.POLLIN for _descriptor, event in poller.poll(0))
