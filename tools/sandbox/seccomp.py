"""System-call filters (seccomp-bpf) for the warm process and for the programs that it forks.

Two filters, because a filter costs time each time it is installed: a long allow list is installed once in the warm
process and inherited; a short deny list is added in every fork, just before the program starts. It takes away what
only the warm process needs (fork, prctl, sockets) and lets the program signal nobody but itself.

Which calls, for which arguments and why: `system_calls.py`. Everything else fails with EPERM: sockets, exec, ptrace,
namespaces, mounts, keyrings, chmod, io_uring ...

>>> len(build_program_filter(1)) % 8
0

Sources: kernel documentation, userspace-api/seccomp_filter; numbers from the kernel's own unistd headers.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable

from tools.sandbox import system_calls as calls
from tools.sandbox.process import call_prctl
from tools.sandbox.system_calls import FILTERED_CALLS, NARROWED_CALLS, PROGRAM_CALLS, WARM_CALLS

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000

LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_BITS, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
REFUSE = ERRNO | errno.EPERM


class Filter:
    """A BPF program under construction: every rule either returns or falls through to the next.

    Arguments are looked at by their low 32 bits: the kernel reads those that are looked at here as 32-bit numbers, or
    ignores the rest (flags of mmap), or refuses it itself (its protection bits).
    """

    def __init__(self) -> None:
        self.code: list[tuple[int, int, int, int]] = []

    def add(self, code: int, value: int, if_true: int = 0, if_false: int = 0) -> None:
        self.code.append((code, if_true, if_false, value))

    def load(self, argument: int, mask: int = 0) -> Filter:
        """Puts the low word of an argument where the next rules look (both architectures are little-endian)."""
        self.add(LOAD, 16 + 8 * argument)
        if mask:
            self.add(AND, mask)
        return self

    def on_value(self, value: int, answer: int) -> Filter:
        self.add(JUMP_EQUAL, value, 0, 1)
        self.add(RETURN, answer)
        return self

    def on_any_bit(self, bits: int, answer: int) -> Filter:
        self.add(JUMP_BITS, bits, 0, 1)
        self.add(RETURN, answer)
        return self

    def allow(self, values: Iterable[int]) -> Filter:
        for value in values:
            self.on_value(value, ALLOW)
        return self

    def otherwise(self, answer: int) -> Filter:
        self.add(RETURN, answer)
        return self

    def guard(self, number: int | None, body: Filter) -> None:
        """`body` decides about this system call, and only about it: it returns in all its branches."""
        if number is not None:
            self.add(JUMP_EQUAL, number, 0, len(body.code))
            self.code += body.code

    def to_bytes(self) -> bytes:
        """struct sock_filter: u16 code, u8 jump if true, u8 jump if false, u32 value."""
        return b"".join(struct.pack("HBBI", *instruction) for instruction in self.code)


def _column() -> int:
    machine = platform.machine()
    if machine not in AUDIT_ARCH:
        raise OSError(errno.ENOSYS, f"no system-call table for {machine}; x86_64 and aarch64 are known")
    return 0 if machine == "x86_64" else 1


def build_warm_filter() -> bytes:
    """The allow list that the warm process installs once."""
    column = _column()
    program = Filter()
    program.add(LOAD, ARCHITECTURE)
    program.add(JUMP_EQUAL, AUDIT_ARCH[platform.machine()], 1, 0)
    program.add(RETURN, KILL)
    program.add(LOAD, NUMBER)
    if column == 0:
        program.add(JUMP_GREATER_EQUAL, X32_BIT, 0, 1)
        program.add(RETURN, ERRNO | errno.ENOSYS)
    for numbers in (*PROGRAM_CALLS.values(), *NARROWED_CALLS.values(), *WARM_CALLS.values()):
        if numbers[column] is not None:
            program.on_value(numbers[column] or 0, ALLOW)
    for name, body in make_rules(column).items():
        program.guard(FILTERED_CALLS[name][column], body)
    return program.otherwise(REFUSE).to_bytes()


def make_rules(column: int) -> dict[str, Filter]:
    """What decides about each of the filtered calls."""
    itself = _only(0, (0,))
    no_process = Filter().load(0)
    no_process.add(JUMP_GREATER_EQUAL, calls.FIRST_CLOCK_OF_A_PROCESS, 0, 1)
    no_process.add(RETURN, REFUSE)
    no_process.otherwise(ALLOW)
    return {
        "mmap": _rule_for_mmap(),
        "mprotect": Filter().load(2).on_any_bit(_all_but(calls.PROT_READ_WRITE), REFUSE).otherwise(ALLOW),
        "mremap": _only(3, calls.MREMAP_FLAGS),
        "madvise": _only(2, calls.ADVICE),
        "futex": Filter().load(1, calls.FUTEX_MASK).allow(calls.FUTEX_OPERATIONS).otherwise(ERRNO | errno.ENOSYS),
        "open": _rule_for_open(1, column),
        "openat": _rule_for_open(2, column),
        "fcntl": _rule_for_fcntl(),
        "ioctl": _only(1, calls.IOCTLS),
        "clone3": Filter().otherwise(ERRNO | errno.ENOSYS),
        "close_range": _only(2, (0,)),
        **dict.fromkeys(("prlimit64", "sched_getaffinity", "getpgid", "getsid"), itself),
        **dict.fromkeys(("clock_gettime", "clock_getres", "clock_nanosleep"), no_process),
    }


def _only(argument: int, values: Iterable[int]) -> Filter:
    return Filter().load(argument).allow(values).otherwise(REFUSE)


def _all_but(bits: int) -> int:
    return 0xFFFFFFFF & ~bits


def _rule_for_mmap() -> Filter:
    body = Filter().load(3).on_any_bit(_all_but(calls.MAP_FLAGS), REFUSE)
    body.load(3, calls.MAP_SHARED_ANONYMOUS).on_value(calls.MAP_SHARED_ANONYMOUS, ERRNO | errno.ENOMEM)
    body.load(2, calls.PROT_WRITE_EXEC).on_value(calls.PROT_WRITE_EXEC, REFUSE)
    body.add(JUMP_BITS, calls.PROT_EXEC, 0, 3)  # code comes from files only
    body.load(3).on_any_bit(calls.MAP_ANONYMOUS, REFUSE)
    return body.otherwise(ALLOW)


def _rule_for_open(argument: int, column: int) -> Filter:
    """Old Landlock lets a file be truncated that is opened for reading, and any opened for neither reading nor writing."""
    known = calls.OPEN_FLAGS | calls.OPEN_FLAGS_BY_ARCHITECTURE[column]
    body = Filter().load(argument).on_any_bit(_all_but(known), REFUSE)
    body.load(argument, calls.ACCESS_MODE).on_value(calls.ACCESS_MODE, REFUSE)
    body.load(argument, calls.ACCESS_MODE | calls.O_TRUNC).on_value(calls.O_TRUNC, REFUSE)
    return body.otherwise(ALLOW)


def _rule_for_fcntl() -> Filter:
    body = Filter().load(1).allow(calls.FCNTL_COMMANDS)
    body.add(JUMP_EQUAL, calls.F_SETFL, 1, 0)
    body.add(RETURN, REFUSE)
    return body.load(2).on_any_bit(_all_but(calls.STATUS_FLAGS), REFUSE).otherwise(ALLOW)


def build_program_filter(pid: int) -> bytes:
    """The deny list that a fork installs before it runs a program; `pid` is its own."""
    column = _column()
    program = Filter()
    program.add(LOAD, NUMBER)
    for numbers in WARM_CALLS.values():
        program.on_value(numbers[column] or 0, REFUSE)
    program.guard(NARROWED_CALLS["clone"][column], _only(0, calls.THREAD_FLAGS))
    for name in ("kill", "tgkill"):
        program.guard(NARROWED_CALLS[name][column], _only(0, (pid,)))
    return program.otherwise(ALLOW).to_bytes()


class PreparedFilter:
    """A filter in memory, ready to be installed by one system call.

    `pid_offsets` are the places of a number that is only known after the fork (see `prepare_program_filter`).
    """

    def __init__(self, code: bytes, pid_offsets: tuple[int, ...] = ()) -> None:
        self.code = ctypes.create_string_buffer(code, len(code))
        self.header = ctypes.create_string_buffer(struct.pack("H6xQ", len(code) // 8, ctypes.addressof(self.code)))
        self.address = ctypes.addressof(self.header)
        self.pid_offsets = pid_offsets

    def install(self, pid: int = 0) -> None:
        """Raises OSError when the kernel refuses."""
        for offset in self.pid_offsets:
            struct.pack_into("I", self.code, offset, pid)
        call_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self.address)


def prepare_program_filter() -> PreparedFilter:
    """The deny list with holes for the pid, so that a fork has next to nothing to do.

    The holes are found by building the filter for two pids that no process has and comparing.
    """
    first, second = build_program_filter(0x7FFFFFFE), build_program_filter(0x7FFFFFFD)
    holes = tuple(at for at in range(4, len(first), 8) if first[at : at + 4] != second[at : at + 4])
    return PreparedFilter(first, holes)
