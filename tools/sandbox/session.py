"""The trusted side: starts warm processes, sends them programs and tests, watches the clock, reads what came back.

    with Sandbox() as sandbox:
        program = sandbox.load("print(int(input()) * 2)")
        sandbox.run(program, b"21\\n").output        # b"42\\n"

A fork sees its program and the input of the test that runs now; the warm process sees nothing. CPU time decides over a
time limit; a program that only sleeps is ended by its idle time, in which waiting for a busy processor does not count.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import select
import socket
from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, NoReturn

from tools.errors import SandboxError
from tools.sandbox.batch import Batch
from tools.sandbox.limits import COMPILE_LIMITS, DEFAULT_LIMITS, Limits
from tools.sandbox.memory_file import memory_file, new_memory_file, seal
from tools.sandbox.outcome import MAX_REASON, End, Outcome, clean_line, read_outcome
from tools.sandbox.protection import describe
from tools.sandbox.protocol import CALL, COMPILE, RUN, SYNTAX, Reply, Request, join_text
from tools.sandbox.warm import WarmProcess
from tools.sandbox.watch import Watch, kill_quietly

# Modules that few solutions use: their programs go to a second, larger warm process.
RARE_MODULES = (
    "ast", "asyncio", "calendar", "concurrent.futures", "contextlib", "dataclasses", "fileinput", "hashlib", "inspect", "logging",
    "numbers", "pprint", "secrets", "textwrap", "timeit", "traceback", "unicodedata", "uuid", "zlib", "numpy",
)  # fmt: skip
ALL_RARE = re.compile(rf"\b({'|'.join(name.partition('.')[0] for name in RARE_MODULES)}|scipy|sympy|pandas|networkx)\b")
# Programs with objects that may still hold output at the end.
KEEPS_OUTPUT = re.compile(r"\b(open|fdopen|TextIOWrapper|Buffered\w+|FileIO|__del__|finalize)\b")

KILL_TIMEOUT_S = 20.0
WATCH_INTERVAL_S = 0.25


class LostProgram(SandboxError):
    """The warm process died, or fell silent, while it had this program to run; another one takes its place."""


@dataclass(frozen=True)
class Program:
    """A program that compiles (`error` is empty) or does not. `is_rare`: needs the larger warm process."""

    number: int
    source: str
    function: str | None
    has_prelude: bool
    is_rare: bool
    tidies_up: bool
    error: str = ""


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
        self._record: tuple[int, int] | None = None  # a program's number, and the file with its compiled form
        self._batch: Batch | None = None
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
        self._forget_record()

    def _forget_record(self) -> None:
        if self._record is not None:
            os.close(self._record[1])
        self._record = None

    def _get(self, is_rare: bool) -> WarmProcess:
        if is_rare not in self._warm:
            modules = ["sortedcontainers", *(RARE_MODULES if is_rare else ())]
            self._warm[is_rare] = WarmProcess(modules, self._without, self._slot)
        return self._warm[is_rare]

    def load(self, source: str, function: str | None = None, *, has_prelude: bool = True) -> Program:
        """Compiles a program (in a fork) for the runs that follow; `function` names what `call` calls."""
        self._count += 1
        is_rare, tidies_up = ALL_RARE.search(source) is not None, KEEPS_OUTPUT.search(source) is not None
        program = Program(self._count, source, function, has_prelude, is_rare, tidies_up)
        error = self._compile(program)
        return replace(program, error=error) if error else program

    def _compile(self, program: Program) -> str:
        """Returns the error, empty when there is none. Leaves `_batch` open for a plain program."""
        self._end_batch()
        self._forget_record()
        is_rare = program.is_rare
        report_fd = new_memory_file()
        self._record = (program.number, report_fd)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        text = join_text(program.function or "", program.source.encode("utf-8", "replace"))
        with contextlib.ExitStack() as unless_plain:
            unless_plain.callback(ours.close)
            with memory_file(text) as source_fd, theirs:
                request = make_request(COMPILE, program, COMPILE_LIMITS)
                self._send(is_rare, request, [report_fd, source_fd, theirs.fileno()])
            stopped_by = self._watch(is_rare, COMPILE_LIMITS, ours)
            hello = ours.recv(64) if self._poll([ours], 0) else b""
            if hello:  # the fork stays to answer tests
                unless_plain.pop_all()
                self._batch, self._batch_warm = Batch(ours, int(hello)), is_rare
                seal(report_fd)
                return ""
        reply = self._take_reply(is_rare)
        seal(report_fd)
        record = os.pread(report_fd, 1 + 4 * MAX_REASON, 0)
        if record[:1] == SYNTAX:
            return clean_line(record[1:])
        if reply.status != 0 or stopped_by is not None or not record:
            return "the compiler could not cope with this text"
        return ""

    def _end_batch(self) -> Reply | None:
        """Ends the fork that answers tests; its warm process then replies to the request to compile."""
        if self._batch is None:
            return None
        self._batch.end()
        self._batch = None
        return self._receive(self._batch_warm, DEFAULT_LIMITS)[0]

    @property
    def is_shared(self) -> bool:
        """Whether tests of the program just loaded share a fork (`ask`): it is plain, and has not been slow yet."""
        return self._batch is not None

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
        with memory_file(stdin) as input_fd, memory_file() as output_fd, memory_file() as report_fd:
            reply, stopped_by = self._test(program, RUN, report_fd, [input_fd, output_fd], limits)
            return read_outcome(reply, stopped_by, output_fd, report_fd, limits)

    def call(self, program: Program, arguments: bytes, limits: Limits = DEFAULT_LIMITS) -> Outcome:
        """One call of the program's function in a fresh fork; `arguments` as from `encode_arguments`."""
        with memory_file(arguments) as arguments_fd, memory_file() as report_fd:
            reply, stopped_by = self._test(program, CALL, report_fd, [arguments_fd], limits)
            return read_outcome(reply, stopped_by, None, report_fd, limits)

    def _test(
        self, program: Program, operation: int, report_fd: int, descriptors: list[int], limits: Limits
    ) -> tuple[Reply, End | None]:
        if program.error:
            raise ValueError("a program that does not compile cannot be run")
        self._end_batch()
        if self._record is None or self._record[0] != program.number:
            self._compile(program)
            self._end_batch()
        assert self._record is not None
        request = make_request(operation, program, limits)
        self._send(program.is_rare, request, [report_fd, self._record[1], *descriptors])
        return self._receive(program.is_rare, limits)

    def _send(self, is_rare: bool, request: bytes, descriptors: list[int]) -> None:
        try:
            socket.send_fds(self._get(is_rare).socket, [request], descriptors)
        except OSError as error:
            self._give_up(is_rare, str(error))

    def _receive(self, is_rare: bool, limits: Limits) -> tuple[Reply, End | None]:
        """Waits for the reply to a request, watching the fork's clock meanwhile."""
        stopped_by = self._watch(is_rare, limits)
        return self._take_reply(is_rare), stopped_by

    def _take_reply(self, is_rare: bool) -> Reply:
        try:
            message = self._get(is_rare).socket.recv(4096)
        except OSError:
            message = b""
        if not message:
            self._give_up(is_rare, "its warm process ended")
        return Reply.unpack(message)

    def _give_up(self, is_rare: bool, reason: str) -> NoReturn:
        self._warm.pop(is_rare).close()
        raise LostProgram(f"the sandbox lost a program ({reason}): is the machine out of memory?")

    def _watch(self, is_rare: bool, limits: Limits, *channels: socket.socket) -> End | None:
        """Returns when the reply has come, or something on a channel; kills a fork that is over its limits, replaces a warm
        process that is silent."""
        warm = self._get(is_rare)
        sockets = [warm.socket, *channels]
        watch = Watch(warm.popen.pid, limits)
        while not self._poll(sockets, WATCH_INTERVAL_S):
            reason = watch.look()
            if self._poll(sockets, 0):
                break
            if watch.is_silent:
                self._give_up(is_rare, "its warm process fell silent")
            if reason is not None:
                kill_quietly(watch.pid)
                if not self._poll([warm.socket], KILL_TIMEOUT_S):
                    self._give_up(is_rare, "it could not be ended")
                return reason
        return None

    def _poll(self, sockets: list[socket.socket], timeout_s: float) -> list[socket.socket]:
        """Those that have something to read. Ends this process when its own parent has hung up."""
        watched: list[Any] = [*sockets] if self._hangup_fd is None else [*sockets, self._hangup_fd]
        ready = select.select(watched, [], [], timeout_s)[0]
        if self._hangup_fd in ready and not _has_data(self._hangup_fd):
            self.close()
            os._exit(1)
        return [each for each in sockets if each in ready]


def make_request(operation: int, program: Program, limits: Limits) -> bytes:
    """A request as the warm process reads it; the kernel counts CPU limits in whole seconds."""
    cpu_s = math.ceil(limits.cpu_s * limits.grace)
    memory = (limits.memory_bytes, limits.data_bytes, limits.output_bytes)
    flags = (program.tidies_up, program.has_prelude)
    return Request(operation, *flags, cpu_s, *memory).pack()


def _has_data(descriptor: int | None) -> bool:
    """Tells waiting bytes from a hang-up."""
    poller = select.poll()
    poller.register(descriptor or 0, select.POLLIN)
    return any(event & select.POLLIN for _descriptor, event in poller.poll(0))
