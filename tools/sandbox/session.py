"""The trusted side: starts warm processes, sends them programs and tests, watches the clock, reads what came back.

    with Sandbox() as sandbox:
        program = sandbox.load("print(int(input()) * 2)")
        sandbox.run(program, b"21\\n").output        # b"42\\n"

The warm process and its forks see the input of the test that runs now and nothing else. CPU time decides over a time
limit; a program that only sleeps is ended by its idle time, in which waiting for a busy processor does not count.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn

from tools.errors import SandboxError
from tools.sandbox.batch import Batch
from tools.sandbox.limits import DEFAULT_LIMITS, STACK_BYTES, Limits
from tools.sandbox.outcome import MAX_REASON, End, Outcome, clean_line, read_outcome
from tools.sandbox.places import ROOT, choose_uid, clean_environment, count_tasks, needs_reading_right, readable_paths
from tools.sandbox.places import site_folders as find_site_folders
from tools.sandbox.protection import describe
from tools.sandbox.protocol import CALL, COMPILE, RUN, SYNTAX, Reply, Request
from tools.sandbox.watch import CpuClock, find_child

# Modules that few solutions use: their programs go to a second, larger warm process.
RARE_MODULES = (
    "ast", "calendar", "concurrent.futures", "contextlib", "dataclasses", "fileinput", "hashlib", "inspect", "logging",
    "numbers", "pprint", "secrets", "textwrap", "timeit", "traceback", "unicodedata", "uuid", "zlib", "numpy",
)  # fmt: skip
ALL_RARE = re.compile(rf"\b({'|'.join(name.partition('.')[0] for name in RARE_MODULES)}|scipy|sympy|pandas|networkx)\b")
# Programs with objects that may still hold output at the end.
KEEPS_OUTPUT = re.compile(r"\b(open|fdopen|TextIOWrapper|Buffered\w+|FileIO|__del__|finalize)\b")

START_TIMEOUT_S = 60.0
KILL_TIMEOUT_S = 20.0
WATCH_INTERVAL_S = 0.25
# Handlers that modules register for forks (new random seed, new locks) cost as much as the fork itself and are not
# needed: the warm process has one thread and holds no lock, and equal random numbers in each run are welcome.
BOOT = (
    "import os, sys; os.register_at_fork = lambda **handlers: None; sys.path.insert(0, {root!r}); "
    "from tools.sandbox import zygote; zygote.main()"
)


@dataclass(frozen=True)
class Program:
    """A program that compiles (`error` is empty) or does not; `number` says which load it came from."""

    number: int
    error: str
    function: str | None
    is_rare: bool
    tidies_up: bool


class WarmProcess:
    """One zygote and the socket to it."""

    def __init__(self, modules: list[str], without: frozenset[str], slot: int) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        site = find_site_folders()
        config = {
            "root": ROOT, "site": site, "modules": modules, "without": sorted(without),
            "readable": readable_paths(site), "uid": choose_uid(slot) if os.getuid() == 0 else os.getuid(),
            "keeps_reading": needs_reading_right(site), "threads": count_tasks() + 256,
        }  # fmt: skip
        self.socket = ours
        arguments = [sys.executable, "-S", "-s", "-X", "utf8", "-c", BOOT.format(root=ROOT)]
        arguments += [str(theirs.fileno()), json.dumps(config)]
        with theirs, _stack_limit():
            self.popen = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()], env=clean_environment(), cwd="/", start_new_session=True,
            )  # fmt: skip
        self.state = self._read_state()

    def _read_state(self) -> dict[str, Any]:
        ready = select.select([self.socket], [], [], START_TIMEOUT_S)[0]
        message = self.socket.recv(1 << 16) if ready else b""
        if message:
            return json.loads(message)  # type: ignore[no-any-return]
        self.close()
        assert self.popen.stderr is not None
        last_line = self.popen.stderr.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise SandboxError(
            f"the sandbox did not start ({last_line or 'no message'}); run python -m tools.sandbox.check"
        )

    def close(self) -> None:
        """Ends the process and whatever it was running (which dies with it)."""
        self.socket.close()
        with contextlib.suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()


@contextlib.contextmanager
def _stack_limit() -> Iterator[None]:
    """A large main stack for what is started inside; the kernel lays out a program's memory by it at its start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))


class Sandbox:
    """Runs programs one after the other. Use one per worker process or thread; not safe to share between threads.

    `without` switches layers off (tests do); when Landlock or seccomp does not hold, the constructor raises
    SandboxError with the remedy, unless `is_unsafe_allowed`. `protection` says what holds.
    """

    def __init__(
        self,
        *,
        is_unsafe_allowed: bool = False,
        without: Iterable[str] = (),
        slot: int = 0,
        hangup_fd: int | None = None,
    ) -> None:
        self._without = frozenset(without) | frozenset(os.environ.get("SANDBOX_WITHOUT", "").split(",")) - {""}
        self._slot = slot
        self._hangup_fd = hangup_fd  # when this descriptor hangs up, our own parent has gone and so do we
        self._warm: dict[bool, WarmProcess] = {}
        self._loaded: dict[bool, int] = {}
        self._batch: Batch | None = None
        self._sources: dict[int, str] = {}
        self._count = 0
        self.protection = describe(self._get(False).state)
        if self.protection.missing and not is_unsafe_allowed:
            self.close()
            raise SandboxError(self.protection.refusal)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the warm processes."""
        for warm in self._warm.values():
            warm.close()
        if self._batch is not None:
            self._batch.end()
        self._batch = None
        self._warm.clear()
        self._loaded.clear()

    def _get(self, is_rare: bool) -> WarmProcess:
        if is_rare not in self._warm:
            modules = ["sortedcontainers", *(RARE_MODULES if is_rare else ())]
            self._warm[is_rare] = WarmProcess(modules, self._without, self._slot)
        return self._warm[is_rare]

    def load(self, source: str, function: str | None = None) -> Program:
        """Compiles a program (in a fork) for the runs that follow; `function` names what `call` calls."""
        is_rare = ALL_RARE.search(source) is not None
        self._count += 1
        self._sources = {self._count: source}
        error = self._compile(source, function, is_rare)
        return Program(self._count, error, function, is_rare, KEEPS_OUTPUT.search(source) is not None)

    def _compile(self, source: str, function: str | None, is_rare: bool) -> str:
        """Returns the error, empty when there is none. Leaves `_batch` open for a plain program."""
        self._end_batch()
        limits = Limits(cpu_s=20.0, output_bytes=64 << 20)
        request = make_request(COMPILE, limits, function=function or "")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with _memory_file(source.encode("utf-8", "replace")) as source_fd, _memory_file() as report_fd:
            with theirs:
                self._send(is_rare, request, [report_fd, source_fd, theirs.fileno()])
            self._loaded[is_rare] = self._count
            hello = self._wait_for_batch(is_rare, ours, limits)
            if hello:
                self._batch = Batch(ours, int(hello))
                self._batch_warm = is_rare
                return ""
            ours.close()
            reply, stopped_by = self._receive(is_rare, limits)
            record = os.pread(report_fd, 1 + 4 * MAX_REASON, 0)
        if record[:1] == SYNTAX:
            return clean_line(record[1:])
        if reply.status != 0 or stopped_by is not None or not record:
            return "the compiler could not cope with this text"
        return ""

    def _wait_for_batch(self, is_rare: bool, channel: socket.socket, limits: Limits) -> bytes:
        """What a compiling fork says when it stays to answer tests; empty when it ends instead."""
        deadline = time.monotonic() + limits.wall_s
        while time.monotonic() < deadline:
            ready = self._poll([channel, self._get(is_rare).socket], limits.cpu_s)
            if channel in ready:
                return channel.recv(64)
            if ready:
                return b""
            break  # a compilation this slow is watched like any other run
        return b""

    def _end_batch(self) -> Reply | None:
        """Ends the fork that answers tests; its warm process then replies to the request to compile."""
        if self._batch is None:
            return None
        self._batch.end()
        self._batch = None
        return self._receive(self._batch_warm, DEFAULT_LIMITS)[0]

    def ask(self, payload: bytes) -> tuple[bytes, float] | None:
        """The answer of the program just loaded to one test, and its CPU seconds; only from a plain program, only when
        it takes no time. None says nothing about the program: use `run` or `call` then."""
        if self._batch is None:
            return None
        answer = self._batch.ask(payload)
        if answer is None:
            self._end_batch()
            return None
        return answer, self._batch.cpu_s

    def run(self, program: Program, stdin: bytes, limits: Limits = DEFAULT_LIMITS) -> Outcome:
        """One run from stdin to stdout in a fresh fork."""
        with _memory_file(stdin) as input_fd, _memory_file() as output_fd, _memory_file() as report_fd:
            reply, stopped_by = self._test(program, RUN, [report_fd, input_fd, output_fd], limits)
            return read_outcome(reply, stopped_by, output_fd, report_fd, limits)

    def call(self, program: Program, arguments: bytes, limits: Limits = DEFAULT_LIMITS) -> Outcome:
        """One call of the program's function in a fresh fork; `arguments` as from `encode_arguments`."""
        with _memory_file(arguments) as arguments_fd, _memory_file() as report_fd:
            reply, stopped_by = self._test(program, CALL, [report_fd, arguments_fd], limits)
            return read_outcome(reply, stopped_by, None, report_fd, limits)

    def _test(
        self, program: Program, operation: int, descriptors: list[int], limits: Limits
    ) -> tuple[Reply, End | None]:
        if program.error:
            raise ValueError("a program that does not compile cannot be run")
        self._end_batch()
        if self._loaded.get(program.is_rare) != program.number:
            if program.number not in self._sources:
                raise ValueError("this program is no longer loaded; load it again")
            self._compile(self._sources[program.number], program.function, program.is_rare)
            self._end_batch()
        request = make_request(operation, limits, program.tidies_up, program.function or "")
        self._send(program.is_rare, request, descriptors)
        return self._receive(program.is_rare, limits)

    def _send(self, is_rare: bool, request: bytes, descriptors: list[int]) -> None:
        try:
            socket.send_fds(self._get(is_rare).socket, [request], descriptors)
        except OSError as error:
            self._give_up(is_rare, str(error))

    def _receive(self, is_rare: bool, limits: Limits) -> tuple[Reply, End | None]:
        """Waits for the reply to a request, watching the fork's clock meanwhile."""
        warm = self._get(is_rare)
        stopped_by = self._watch(warm, limits)
        try:
            message = warm.socket.recv(4096)
        except OSError:
            message = b""
        if not message:
            self._give_up(is_rare, "its warm process ended")
        return Reply.unpack(message), stopped_by

    def _give_up(self, is_rare: bool, reason: str) -> NoReturn:
        self._warm.pop(is_rare).close()
        self._loaded.pop(is_rare, None)
        raise SandboxError(f"the sandbox lost a program ({reason}): is the machine out of memory?")

    def _watch(self, warm: WarmProcess, limits: Limits) -> End | None:
        """Returns when the reply has come; kills a fork that is over its time."""
        started = time.monotonic()
        clock: CpuClock | None = None
        while not self._is_answered(warm.socket, WATCH_INTERVAL_S):
            pid = clock.pid if clock else find_child(warm.popen.pid)
            if pid is None:
                continue
            clock = clock or CpuClock(pid)
            clock.update()
            reason = _time_is_up(clock, time.monotonic() - started, limits)
            if reason is not None and not self._is_answered(warm.socket, 0):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                if not self._is_answered(warm.socket, KILL_TIMEOUT_S):
                    raise SandboxError("a program could not be killed: is its memory being written to a slow disk?")
                return reason
        return None

    def _is_answered(self, reply_socket: socket.socket, timeout_s: float) -> bool:
        return bool(self._poll([reply_socket], timeout_s))

    def _poll(self, sockets: list[socket.socket], timeout_s: float) -> list[socket.socket]:
        """Those that have something to read. Ends this process when its own parent has hung up."""
        watched: list[Any] = [*sockets] if self._hangup_fd is None else [*sockets, self._hangup_fd]
        ready = select.select(watched, [], [], timeout_s)[0]
        if self._hangup_fd in ready and not _has_data(self._hangup_fd):
            self.close()
            os._exit(1)
        return [each for each in sockets if each in ready]


def make_request(operation: int, limits: Limits, tidies_up: bool = False, function: str = "") -> bytes:
    """A request as the warm process reads it; the kernel counts CPU limits in whole seconds."""
    cpu_s = math.ceil(limits.cpu_s * limits.grace)
    memory = (limits.memory_bytes, limits.data_bytes, limits.output_bytes)
    return Request(operation, tidies_up, cpu_s, *memory, function).pack()


def _has_data(descriptor: int | None) -> bool:
    """Tells waiting bytes from a hang-up."""
    poller = select.poll()
    poller.register(descriptor or 0, select.POLLIN)
    return any(event & select.POLLIN for _descriptor, event in poller.poll(0))


def _time_is_up(clock: CpuClock, wall_s: float, limits: Limits) -> End | None:
    if clock.cpu_s > limits.cpu_s * limits.grace:
        return End.CPU_LIMIT
    if clock.idle_s > limits.idle_s or wall_s > limits.wall_s:
        return End.IDLE_LIMIT
    return None


@contextlib.contextmanager
def _memory_file(data: bytes = b"") -> Iterator[int]:
    """An anonymous file in memory, positioned at its start."""
    descriptor = os.memfd_create("test")
    try:
        if data:
            written = os.pwrite(descriptor, data, 0)
            while written < len(data):  # one call writes at most 2 GiB
                written += os.pwrite(descriptor, data[written:], written)
        yield descriptor
    finally:
        os.close(descriptor)
