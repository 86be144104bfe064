"""System calls are allowed or refused by their arguments, and the limits on memory and time hold against tricks."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time
from collections.abc import Iterator

import pytest

from tools.sandbox import watch
from tools.sandbox.limits import Limits
from tools.sandbox.outcome import End, Outcome
from tools.sandbox.protection import describe
from tools.sandbox.session import Sandbox

QUICK = Limits(cpu_s=1.0, idle_s=1.5)
DEFAULTS = Limits()
OPENING = """
import ctypes, os, fcntl, mmap, signal, struct, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
parent = os.getppid()
reading, writing = os.pipe()

def map_memory(protection, flags, size=1 << 16, descriptor=-1):
    address = libc.mmap(None, size, protection, flags, descriptor, 0)
    if address in (None, 2 ** 64 - 1):
        raise OSError(ctypes.get_errno(), "refused")
    return address

def call(number, *arguments):
    if libc.syscall(number, *arguments) == -1 and ctypes.get_errno() in (1, 12, 38):
        raise OSError(ctypes.get_errno(), "refused")
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def run(sandbox: Sandbox, code: str, limits: Limits = DEFAULTS) -> Outcome:
    return sandbox.run(sandbox.load(OPENING + code), b"", limits)


X86_ONLY = pytest.mark.skipif("x86_64" not in __import__("platform").machine(), reason="numbers of x86_64")

# Each must fail with an error of the filter: not permitted, no such call, no memory.
REFUSED = {
    "owner of signals": "fcntl.fcntl(reading, fcntl.F_SETOWN, parent)",
    "owner of signals, extended": "fcntl.fcntl(reading, 15, struct.pack('ii', 1, parent))",
    "which signal": "fcntl.fcntl(reading, 10, 9)",
    "signals when something comes": "fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC)",
    "signals, with another flag": "fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)",
    "unbuffered": "fcntl.fcntl(reading, fcntl.F_SETFL, os.O_DIRECT)",
    "notification": "fcntl.fcntl(os.open('/usr/lib', 0), fcntl.F_NOTIFY, 1)",
    "record locks": "fcntl.lockf(0, fcntl.LOCK_SH)",
    "open file locks": "fcntl.fcntl(0, 37, struct.pack('hhqqi', 0, 0, 0, 0, 0))",
    "flock": "fcntl.flock(0, fcntl.LOCK_SH)",
    "leases": "fcntl.fcntl(os.open('/dev/null', 0), 1024, 0)",
    "larger pipes": "fcntl.fcntl(writing, 1031, 1 << 20)",
    "signals by ioctl": "fcntl.ioctl(reading, 0x5452, struct.pack('i', 1))",
    "memory that grows down": "map_memory(3, 0x122)",
    "locked memory": "map_memory(3, 0x2022)",
    "huge pages": "map_memory(3, 0x40022)",
    "shared memory": "map_memory(3, 0x21)",
    "shared /dev/zero": "map_memory(1, 1, descriptor=os.open('/dev/zero', 0))",
    "code in memory": "map_memory(7, 0x22)",
    "code in memory, not writable yet": "map_memory(5, 0x22)",
    "code in a file, writable": "map_memory(7, 2, descriptor=0)",
    "memory becomes code": "if libc.mprotect(map_memory(3, 0x22), 4096, 5): raise OSError",
    "stack becomes code": "if libc.mprotect(ctypes.addressof(ctypes.c_int()) & ~4095, 4096, 7): raise OSError",
    "a path without opening it": "os.open('/', os.O_PATH)",
    "truncating what is read": "os.open('/dev/null', os.O_RDONLY | os.O_TRUNC)",
    "opening for nothing": "os.open('/dev/null', 3)",
    "files without a name": "os.open('/tmp', os.O_TMPFILE | os.O_WRONLY)",
    "affinity of others": "os.sched_getaffinity(parent)",
    "scheduling of others": "os.sched_getscheduler(parent)",
    "group of others": "os.getpgid(parent)",
    "session of others": "os.getsid(parent)",
    "limits of others": "import resource; resource.prlimit(parent, resource.RLIMIT_CPU)",
    "clock of others": "time.clock_gettime((~parent << 3) | 2)",
    "waiting for children": "os.wait()",
}
REFUSED_BY_NUMBER = {
    "sendmsg": (46, 1, 0, 0), "recvmsg": (47, 1, 0, 0), "sendto": (44, 1, 0, 0, 0, 0, 0), "recvfrom": (45, 1, 0, 0, 0, 0, 0),
    "socketpair": (53, 1, 1, 0, 0), "futex with priority": (202, 0, 6, 0, 0, 0, 0), "get_robust_list": (274, 0, 0, 0),
    "mincore": (27, 0, 0, 0), "merging of pages": (28, 0, 4096, 12), "fadvise64": (221, 0, 0, 0, 4), "sysinfo": (99, 0),
    "fork": (56, 17, 0, 0, 0, 0), "thread in a namespace": (56, 0x3D0F00 | 0x20000000, 0, 0, 0, 0), "vfork": (58,),
    "memfd_create": (319, 0, 0), "membarrier": (324, 0, 0), "ftruncate": (77, 1, 0), "pidfd_open": (434, 1, 0),
    "arch_prctl": (158, 0x1001, 0), "rt_sigqueueinfo": (129, 1, 9, 0), "timer_create": (222, 0, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_call_is_refused_by_its_arguments(sandbox: Sandbox, what: str) -> None:
    outcome = run(sandbox, f"{REFUSED[what]}\nprint('GOT IN')")
    assert outcome.end is End.FAILED
    assert outcome.output == b""
    assert outcome.reason.startswith(("PermissionError", "OSError", "FileNotFoundError")), outcome.reason


@X86_ONLY
@pytest.mark.parametrize("what", REFUSED_BY_NUMBER)
def test_a_call_is_not_there(sandbox: Sandbox, what: str) -> None:
    outcome = run(sandbox, f"call{REFUSED_BY_NUMBER[what]}\nprint('GOT IN')")
    assert outcome.output == b""
    assert "refused" in outcome.reason


# What honest programs do with the same calls.
ALLOWED = {
    "status flags": "fcntl.fcntl(reading, fcntl.F_SETFL, fcntl.fcntl(reading, fcntl.F_GETFL) | os.O_NONBLOCK)",
    "descriptor flags": "os.set_inheritable(reading, True); fcntl.fcntl(reading, fcntl.F_SETFD, 1)",
    "copies": "os.close(fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, 10))",
    "private memory": "map_memory(3, 0x22)",
    "memory of Python": "mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).resize(8192)",
    "a guard page": "assert libc.mprotect(map_memory(3, 0x22), 4096, 0) == 0",
    "nothing to write to": "print('x', file=open(os.devnull, 'w'))",
    "own affinity": "assert os.sched_getaffinity(0)",
    "own group": "assert os.getpgid(0) == os.getpgrp()",
    "own clocks": "time.process_time(), time.thread_time(), time.perf_counter(), time.clock_getres(time.CLOCK_MONOTONIC)",
    "a signal to itself": "signal.signal(10, lambda *_: None); os.kill(os.getpid(), 10); signal.raise_signal(10)",
    "an alarm": "signal.signal(14, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()",
    "threads": "import concurrent.futures as f\nassert list(f.ThreadPoolExecutor(9).map(abs, range(99))) == [*range(99)]",
    "locks of threads": "import threading\nb = threading.Barrier(2)\nthreading.Thread(target=b.wait).start(); b.wait(5)",
    "waiting": "import select, selectors\nselect.select([], [writing], [], 1); selectors.DefaultSelector().register(reading, 1)",
    "a module that is not loaded yet": "import zlib, sqlite3, xml.dom.minidom, lzma, hashlib; hashlib.sha256(b'x')",
    "many threads with stacks": "import threading\nthreading.stack_size(64 << 20)\n"
    "t = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(20)]\n[x.start() for x in t]; [x.join() for x in t]",
}  # fmt: skip


@pytest.mark.parametrize("what", ALLOWED)
def test_honest_programs_may(sandbox: Sandbox, what: str) -> None:
    outcome = run(sandbox, f"{ALLOWED[what]}\nprint('fine')")
    assert outcome.output == b"fine\n", outcome.reason


def read_cpu_s_of_forks(sandbox: Sandbox) -> float:
    """CPU seconds of all forks that have ended."""
    stat = pathlib.Path(f"/proc/{sandbox._get(False).popen.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[13]) + int(stat[14])) / os.sysconf("SC_CLK_TCK")


# --- limits -------------------------------------------------------------------------------------------------------


def test_memory_that_was_made_read_only_counts_too(sandbox: Sandbox) -> None:
    code = (
        "for _ in range(60):\n    at = map_memory(3, 0x22, 64 << 20)\n    ctypes.memset(at, 1, 64 << 20)\n"
        "    libc.mprotect(at, 64 << 20, 1)\ntime.sleep(9)\nprint('GOT IN')"
    )
    outcome = run(sandbox, code, Limits(cpu_s=20, data_bytes=300 << 20, idle_s=3.0))
    assert outcome.end is End.MEMORY
    assert outcome.output == b""


def test_a_child_is_found_with_and_without_the_list_of_the_kernel() -> None:
    with subprocess.Popen(["sh", "-c", "cat; true"], stdin=subprocess.PIPE) as shell:  # ends when its input does
        deadline = time.monotonic() + 20
        while watch.find_child(shell.pid) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        child = watch.find_child(shell.pid)
        assert child is not None
        assert watch._search_child(shell.pid) == child
        assert watch.find_child(child) is None
        assert watch._search_child(child) is None


def test_threads_that_wake_together_do_not_hide_that_a_program_is_idle(sandbox: Sandbox) -> None:
    code = (
        "import threading\nthreading.stack_size(65536)\ndef work():\n    while True: time.sleep(0.1 - time.time() % 0.1)\n"
        "try:\n    for _ in range(250): threading.Thread(target=work, daemon=True).start()\nexcept RuntimeError: pass\ntime.sleep(999)"
    )
    started = time.monotonic()
    assert run(sandbox, code, QUICK).end is End.IDLE_LIMIT
    assert time.monotonic() - started < 2 * (QUICK.idle_s + QUICK.cpu_s)


@pytest.mark.parametrize(
    "text",
    ["x" + ".a" * 30_000, "x" + "()" * 30_000, "x" + "[0]" * 20_000, "a=[" + "a," * 150_000 + "]", "-" * 30_000 + "1",
     "+".join("1" * 50_000), "lambda:" * 5_000 + "0", "x=" * 40_000 + "1", "if 1: pass\n" * 50_000, "f'" + "{x}" * 10_000 + "'"],
    ids=lambda text: text[:4],
)  # fmt: skip
def test_judging_and_compiling_take_no_longer_than_a_text_is_long(sandbox: Sandbox, text: str) -> None:
    before_s = read_cpu_s_of_forks(sandbox)
    sandbox.load(f"try:\n    {text}\nexcept Exception: pass" if "\n" not in text else text)
    sandbox.run(sandbox.load("import os; print(1)"), b"")  # the fork that compiled has ended now
    assert read_cpu_s_of_forks(sandbox) - before_s < 1.5


# --- old kernels --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("abi", [5, 3, 1])
def test_on_a_kernel_with_an_older_landlock_the_filter_holds_the_rest(
    abi: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_LANDLOCK_ABI", str(abi))
    with Sandbox() as old:
        assert old.protection.landlock_abi == abi
        assert "system-call filter" in old.protection.warnings[0]
        for what in (
            "signals when something comes",
            "owner of signals",
            "truncating what is read",
            "opening for nothing",
        ):
            assert run(old, f"{REFUSED[what]}\nprint('GOT IN')").end is End.FAILED
        for attack in (
            "os.kill(parent, 0)",
            "import socket; socket.socket()",
            "os.listdir('/')",
            "open('/tmp/x', 'w')",
        ):
            assert run(old, f"{attack}\nprint('GOT IN')").end is End.FAILED
        assert run(old, "print('fine')").output == b"fine\n"


def test_a_warning_says_what_an_old_landlock_leaves_to_the_filter() -> None:
    state = {"landlock": 3, "seccomp": True, "uid": 1000, "failures": {}}
    (warning,) = describe(state).warnings
    assert "ABI 3" in warning
    assert "TCP" in warning
    assert not describe({**state, "landlock": 6}).warnings


# --- an interpreter where others cannot go ------------------------------------------------------------------------


@pytest.mark.skipif("__import__('os').getuid() != 0")
def test_a_program_of_root_has_no_capability_and_sees_no_private_folder(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    (private / "secret.txt").write_text("secret")
    code = (
        "header, data = struct.pack('Ii', 0x20080522, 0), ctypes.create_string_buffer(24)\n"
        "assert libc.capget(header, data) != 0\n"
    )
    assert run(sandbox, code).end is End.FINISHED  # not even the question is allowed
    assert run(sandbox, f"os.stat({str(private / 'secret.txt')!r})").reason.startswith("PermissionError")
    assert run(sandbox, "import zlib, sqlite3, encodings.cp037, json.tool, numbers; print('fine')").output == b"fine\n"
    escape = "print([os.stat('/'.join(['..'] * n + ['.ssh']), dir_fd=63) for n in range(9)])"
    assert run(sandbox, escape).end is End.FAILED
