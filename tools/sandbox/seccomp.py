"""System-call filters (seccomp-bpf) for the warm process and for the programs that it forks.

Two filters, because a filter costs time each time it is installed: a long allow list is installed once in the warm
process and inherited; a short deny list is added in every fork, just before the program starts. It takes away what
only the warm process needs (fork, prctl) and lets the program signal nobody but itself.

Everything that is not listed fails with EPERM: sockets, exec, ptrace, namespaces, mounts, keyrings, chmod, io_uring ...

Sources: kernel documentation, userspace-api/seccomp_filter; numbers from the kernel's own unistd headers.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from tools.sandbox.process import call_prctl

# name: (x86_64, aarch64); None where the architecture has no such call.
PROGRAM_CALLS: dict[str, tuple[int | None, int | None]] = {
    # files and descriptors (which files: Landlock decides)
    "read": (0, 63), "write": (1, 64), "open": (2, None), "close": (3, 57), "stat": (4, None), "fstat": (5, 80),
    "lstat": (6, None), "poll": (7, None), "lseek": (8, 62), "pread64": (17, 67), "pwrite64": (18, 68),
    "readv": (19, 65), "writev": (20, 66), "access": (21, None), "pipe": (22, None), "select": (23, None),
    "dup": (32, 23), "dup2": (33, None), "ftruncate": (77, 46), "getdents": (78, None), "getcwd": (79, 17),
    "readlink": (89, None), "getdents64": (217, 61), "fadvise64": (221, 223), "openat": (257, 56),
    "newfstatat": (262, 79), "readlinkat": (267, 78), "faccessat": (269, 48), "pselect6": (270, 72),
    "ppoll": (271, 73), "eventfd2": (290, 19), "dup3": (292, 24), "pipe2": (293, 59), "preadv": (295, 69),
    "pwritev": (296, 70), "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None),
    "epoll_pwait": (281, 22), "statx": (332, 291), "close_range": (436, 436), "faccessat2": (439, 439),
    "fcntl": (72, 25),
    # memory
    "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216), "mincore": (27, 232),
    "madvise": (28, 233), "membarrier": (324, 283),
    # threads and time
    "sched_yield": (24, 124), "nanosleep": (35, 101), "clone": (56, 220), "futex": (202, 98),
    "set_tid_address": (218, 96), "restart_syscall": (219, 128), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "gettimeofday": (96, 169), "time": (201, None),
    "set_robust_list": (273, 99), "get_robust_list": (274, 100), "rseq": (334, 293), "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120), "getcpu": (309, 168), "arch_prctl": (158, None),
    # signals to itself
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "pause": (34, None),
    "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103), "kill": (62, 129), "tgkill": (234, 131),
    # what a process may ask about itself
    "getpid": (39, 172), "exit": (60, 93), "uname": (63, 160), "getrlimit": (97, 163), "getrusage": (98, 165),
    "sysinfo": (99, 179), "times": (100, 153), "getuid": (102, 174), "getgid": (104, 176), "geteuid": (107, 175),
    "getegid": (108, 177), "getppid": (110, 173), "getpgrp": (111, None), "getgroups": (115, 158),
    "getresuid": (118, 148), "getresgid": (120, 150), "getpgid": (121, 155), "getsid": (124, 156),
    "gettid": (186, 178), "exit_group": (231, 94), "prlimit64": (302, 261), "getrandom": (318, 278),
}  # fmt: skip

# What the warm process needs besides. A program has no child to wait for and no socket to send to; prctl it loses.
WARM_CALLS: dict[str, tuple[int | None, int | None]] = {
    "wait4": (61, 260), "sendmsg": (46, 211), "recvmsg": (47, 212), "prctl": (157, 167),
}  # fmt: skip

MMAP, IOCTL, CLONE3 = (9, 222), (16, 29), (435, 435)
MAP_SHARED_ANONYMOUS = 0x21  # would be memory that no limit of the process counts
IOCTLS = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
CLONE_THREAD = 0x00010000
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000

LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_BITS, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2


def low_word(argument: int) -> int:
    """Offset of the low 32 bits of a system call's argument (both architectures are little-endian)."""
    return 16 + 8 * argument


class Filter:
    """A BPF program under construction: every rule either returns or falls through to the next."""

    def __init__(self) -> None:
        self.code: list[tuple[int, int, int, int]] = []

    def add(self, code: int, value: int, if_true: int = 0, if_false: int = 0) -> None:
        self.code.append((code, if_true, if_false, value))

    def add_guarded(self, number: int, body: Filter) -> None:
        """`body` runs for this system call only and must return in all its branches; then reloads nothing."""
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
    for numbers in (*PROGRAM_CALLS.values(), *WARM_CALLS.values()):
        number = numbers[column]
        if number is not None:
            program.add(JUMP_EQUAL, number, 0, 1)
            program.add(RETURN, ALLOW)
    program.add_guarded(MMAP[column], _refuse_shared_anonymous_memory())
    program.add_guarded(IOCTL[column], _allow_values(1, IOCTLS))
    program.add_guarded(CLONE3[column], _answer(errno.ENOSYS))  # glibc then uses clone, whose flags can be read
    program.add(RETURN, ERRNO | errno.EPERM)
    return program.to_bytes()


def build_program_filter(pid: int) -> bytes:
    """The deny list that a fork installs before it runs a program; `pid` is its own."""
    column = _column()
    program = Filter()
    program.add(LOAD, NUMBER)
    program.add_guarded(WARM_CALLS["prctl"][column] or 0, _answer(errno.EPERM))
    program.add_guarded(PROGRAM_CALLS["clone"][column] or 0, _only_threads())
    for name in ("kill", "tgkill"):
        program.add_guarded(PROGRAM_CALLS[name][column] or 0, _allow_values(0, (pid,)))
    program.add_guarded(PROGRAM_CALLS["prlimit64"][column] or 0, _allow_values(0, (0, pid)))
    program.add(RETURN, ALLOW)
    return program.to_bytes()


def _answer(error: int) -> Filter:
    body = Filter()
    body.add(RETURN, ERRNO | error)
    return body


def _only_threads() -> Filter:
    body = Filter()
    body.add(LOAD, low_word(0))
    body.add(JUMP_BITS, CLONE_THREAD, 0, 1)
    body.add(RETURN, ALLOW)
    body.add(RETURN, ERRNO | errno.EPERM)
    return body


def _allow_values(argument: int, values: tuple[int, ...]) -> Filter:
    """Allows the call when the low word of an argument is one of `values`.

    The high words are not looked at: the kernel reads these arguments (pid, ioctl request) as 32-bit numbers.
    """
    body = Filter()
    body.add(LOAD, low_word(argument))
    for value in values:
        body.add(JUMP_EQUAL, value, 0, 1)
        body.add(RETURN, ALLOW)
    body.add(RETURN, ERRNO | errno.EPERM)
    return body


def _refuse_shared_anonymous_memory() -> Filter:
    body = Filter()
    body.add(LOAD, low_word(3))
    body.add(AND, MAP_SHARED_ANONYMOUS)
    body.add(JUMP_EQUAL, MAP_SHARED_ANONYMOUS, 0, 1)
    body.add(RETURN, ERRNO | errno.ENOMEM)
    body.add(RETURN, ALLOW)
    return body


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
