"""One hostile or unusual program per promise of tools/sandbox; each test is named after what must hold."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tools.errors import SandboxError
from tools.sandbox import landlock, seccomp, system_calls
from tools.sandbox.limits import Limits
from tools.sandbox.outcome import End, Outcome, encode_arguments
from tools.sandbox.places import closed_folders, site_folders
from tools.sandbox.session import Sandbox

QUICK = Limits(cpu_s=0.5, idle_s=1.0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


DEFAULTS = Limits()


def run(sandbox: Sandbox, code: str, stdin: bytes = b"", limits: Limits = DEFAULTS) -> Outcome:
    return sandbox.run(sandbox.load(code), stdin, limits)


# --- what honest programs need ------------------------------------------------------------------------------------

READERS = {
    "input": "print(int(input()) + int(input()))",
    "sys.stdin.read": "import sys; print(sum(map(int, sys.stdin.read().split())))",
    "for line in sys.stdin": "import sys; print(sum(int(line) for line in sys.stdin))",
    "readline": "import sys; r = sys.stdin.readline; print(int(r()) + int(r()))",
    "input then read": "import sys; a = int(input()); print(a + int(sys.stdin.read()))",
    "buffer.read": "import sys; print(sum(map(int, sys.stdin.buffer.read().split())))",
    "buffer.readline": "import sys; r = sys.stdin.buffer.readline; print(int(r()) + int(r()))",
    "open(0)": "print(sum(map(int, open(0).read().split())))",
    "with open(0)": "with open(0) as f: print(sum(map(int, f)))",
    "/dev/stdin": "print(sum(map(int, open('/dev/stdin'))))",
    "os.read": "import os; print(sum(map(int, os.read(0, 10**6).split())))",
    "fdopen": "import os; print(sum(map(int, os.fdopen(0).read().split())))",
    "fileinput": "import fileinput; print(sum(int(line) for line in fileinput.input()))",
    "BytesIO": "import io, os; s = io.BytesIO(os.read(0, os.fstat(0).st_size)); print(sum(map(int, s)))",
    "TextIOWrapper": "import io, sys; print(sum(map(int, io.TextIOWrapper(sys.stdin.buffer))))",
    "mmap": "import mmap; print(sum(map(int, mmap.mmap(0, 0, access=mmap.ACCESS_READ)[:].split())))",
}
WRITERS = {
    "print": "print(42)",
    "sys.stdout.write": "import sys; sys.stdout.write('42\\n')",
    "buffer": "import sys; sys.stdout.buffer.write(b'42\\n')",
    "os.write": "import os; os.write(1, b'42\\n')",
    "__stdout__": "import sys; print(42, file=sys.__stdout__)",
    "open(1) never closed": "f = open(1, 'w'); f.write('42\\n')",
    "atexit": "import atexit; atexit.register(lambda: print(42))",
    "thread": "import threading; threading.Thread(target=lambda: print(42)).start()",
    "os._exit after flush": "import os; print(42, flush=True); os._exit(0)",
    "sys.exit": "import sys; print(42); sys.exit()",
    "exit()": "print(42); exit()",
    "__main__ guard": "if __name__ == '__main__': print(42)",
    "own stdout": "import io, sys; s = io.StringIO(); o, sys.stdout = sys.stdout, s; print(42); o.write(s.getvalue())",
}


@pytest.mark.parametrize("style", READERS)
def test_every_way_of_reading_stdin_works(sandbox: Sandbox, style: str) -> None:
    outcome = run(sandbox, READERS[style], b"40\n2\n")
    assert (outcome.end, outcome.output) == (End.FINISHED, b"42\n"), outcome.reason


@pytest.mark.parametrize("style", WRITERS)
def test_every_way_of_writing_stdout_works(sandbox: Sandbox, style: str) -> None:
    outcome = run(sandbox, WRITERS[style])
    assert (outcome.end, outcome.output) == (End.FINISHED, b"42\n"), outcome.reason


def test_recursion_of_a_million_in_a_thread_with_a_large_stack(sandbox: Sandbox) -> None:
    code = (
        "import sys, threading\nsys.setrecursionlimit(10**6 + 100)\nthreading.stack_size(512 << 20)\n"
        "def f(n): return n and 1 + f(n - 1)\n"
        "t = threading.Thread(target=lambda: print(f(10**6))); t.start(); t.join()"
    )
    assert run(sandbox, code).output == b"1000000\n"


ASYNCIO = {
    "run": "async def f(n): await asyncio.sleep(0.01); return n\nasync def main(): return sum(await asyncio.gather(f(40), f(2)))\n"
    "print(asyncio.run(main()))",
    "own loop": "async def f(): return 42\nprint(asyncio.new_event_loop().run_until_complete(f()))",
    "threads that wake the loop": "async def main(): return await asyncio.get_running_loop().run_in_executor(None, sum, [40, 2])\n"
    "print(asyncio.run(main()))",
    "pair": "import socket\na, b = socket.socketpair()\na.sendall(b'42'); b.send(b'7'); print(b.recv(9).decode(), end='\\n' * (a.recv(9) == b'7'))",
}


@pytest.mark.parametrize("way", ASYNCIO)
def test_asyncio_works(sandbox: Sandbox, way: str) -> None:
    outcome = run(sandbox, f"import asyncio\n{ASYNCIO[way]}")
    assert (outcome.end, outcome.output) == (End.FINISHED, b"42\n"), outcome.reason


def test_numpy_is_there_when_it_is_installed(sandbox: Sandbox) -> None:
    pytest.importorskip("numpy")
    assert run(sandbox, "import numpy as np; print(np.arange(7).sum())").output == b"21\n"


def test_the_stack_limit_may_be_raised_by_the_program(sandbox: Sandbox) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_STACK, (1 << 28, resource.RLIM_INFINITY)); print(1)"
    assert run(sandbox, code).end in (End.FINISHED, End.FAILED)  # a lowered hard limit cannot be raised again
    assert run(sandbox, "import resource; print(resource.getrlimit(resource.RLIMIT_CPU)[0] > 0)").output == b"True\n"


def test_a_call_returns_plain_values(sandbox: Sandbox) -> None:
    program = sandbox.load("class Solution:\n    def f(self, a, b): print('debug'); return (a, [b, None, True])", "f")
    outcome = sandbox.call(program, encode_arguments([1, "x"]))
    assert (outcome.end, outcome.output) == (End.FINISHED, b'[1, ["x", null, true]]')


@pytest.mark.parametrize("value", ["object()", "{1, 2}", "b'x'", "(i for i in [1])", "float", "lambda: 1"])
def test_a_call_that_returns_no_json_value_has_no_answer(sandbox: Sandbox, value: str) -> None:
    outcome = sandbox.call(sandbox.load(f"def f(): return {value}", "f"), encode_arguments([]))
    assert outcome.output is None


def test_exceptions_are_told_with_their_line(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "a = 1\nb = 0\nprint(a / b)\n")
    assert (outcome.end, outcome.reason) == (End.FAILED, "ZeroDivisionError: division by zero (line 3)")


def test_text_that_does_not_compile_is_told(sandbox: Sandbox) -> None:
    assert "SyntaxError" in sandbox.load("def f(:\n").error
    assert sandbox.load("(" * 5000).error
    assert sandbox.load("x = 1\0").error


def test_exit_status_other_than_zero_is_a_failure(sandbox: Sandbox) -> None:
    assert run(sandbox, "print(42); raise SystemExit(3)").reason == "exit status 3"


# --- what must be stopped -----------------------------------------------------------------------------------------

FORBIDDEN = {
    "read a file of others": "open('/etc/passwd').read(); print('GOT IN')",
    "list a folder": "import os; os.listdir('/'); print('GOT IN')",
    "write a file": "open('/tmp/x-sandbox', 'w'); print('GOT IN')",
    "write into its current folder": "open('x-sandbox', 'w'); print('GOT IN')",
    "make a folder": "import os; os.mkdir('/tmp/x-sandbox-dir'); print('GOT IN')",
    "change modes": "import os; os.chmod('/tmp', 0o777); print('GOT IN')",
    "change times": "import os; os.utime('/tmp'); print('GOT IN')",
    "fork": "import os\nif os.fork() == 0: os._exit(0)\nprint('GOT IN')",
    "clone3 and vfork by number": "import ctypes\nl = ctypes.CDLL(None)\n"
    "if l.syscall(58) >= 0 or l.syscall(435, 0, 0) >= 0: print('GOT IN')\nelse: raise OSError",
    "run a command": "import subprocess; subprocess.run(['true']); print('GOT IN')",
    "exec": "import os; os.execv('/bin/true', ['true'])\nprint('GOT IN')",
    "TCP": "import socket; socket.socket(); print('GOT IN')",
    "UDP": "import socket; socket.socket(type=socket.SOCK_DGRAM); print('GOT IN')",
    "unix sockets": "import socket; socket.socket(socket.AF_UNIX); print('GOT IN')",
    "pairs of unix sockets": "import _socket; _socket.socketpair(); print('GOT IN')",
    "signal its parent": "import os; os.kill(os.getppid(), 0); print('GOT IN')",
    "signal its group": "import os; os.kill(0, 0); print('GOT IN')",
    "signal everybody": "import os; os.kill(-1, 0); print('GOT IN')",
    "memory files": "import os; os.memfd_create('x'); print('GOT IN')",
    "shared memory": "import mmap; mmap.mmap(-1, 4096); print('GOT IN')",
    "leave its session": "import os; os.setsid(); print('GOT IN')",
    "raise its priority": "import os; os.nice(-1); print('GOT IN')",
    "change limits of others": "import os, resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))\nprint('GOT IN')",
    "raise its own limit": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99)); print('GOT IN')",
    "prctl": "import ctypes\nif ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) == 0: print('GOT IN')\nelse: raise OSError",
    "ptrace": "import ctypes, os\nif ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0: print('GOT IN')\nelse: raise OSError",
    "/proc of its parent": "import os; open(f'/proc/{os.getppid()}/maps'); print('GOT IN')",
    "memory of its parent": "import os; os.open(f'/proc/{os.getppid()}/mem', os.O_RDONLY); print('GOT IN')",
    "descriptors of its parent": "import os\nfor n in range(64):\n    try: os.open(f'/proc/{os.getppid()}/fd/{n}', os.O_RDONLY); "
    "print('GOT IN')\n    except OSError: pass\nraise OSError",
    "new namespaces": "import ctypes\nif ctypes.CDLL(None).unshare(0x10000000) == 0: print('GOT IN')\nelse: raise OSError",
    "user id 0": "import os; os.setuid(0); print('GOT IN')",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_program_cannot(sandbox: Sandbox, what: str) -> None:
    outcome = run(sandbox, FORBIDDEN[what])
    assert outcome.end is End.FAILED
    assert b"GOT IN" not in (outcome.output or b"")


def test_timeout_ends_an_infinite_loop(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "while True: pass", limits=QUICK)
    assert outcome.end is End.CPU_LIMIT
    assert outcome.cpu_s < 3


def test_timeout_ends_a_loop_that_catches_and_ignores_everything(sandbox: Sandbox) -> None:
    code = (
        "import signal\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    )
    assert run(sandbox, code, limits=QUICK).end is End.CPU_LIMIT


def test_timeout_ends_a_sleeper_and_a_stopped_program(sandbox: Sandbox) -> None:
    assert run(sandbox, "import time; time.sleep(99)", limits=QUICK).end is End.IDLE_LIMIT
    assert run(sandbox, "import os; os.kill(os.getpid(), 19)", limits=QUICK).end is End.IDLE_LIMIT


def test_threads_that_compute_count_together(sandbox: Sandbox) -> None:
    code = "import threading\ndef f():\n    while True: pass\nfor _ in range(3): threading.Thread(target=f).start()"
    assert run(sandbox, code, limits=QUICK).end is End.CPU_LIMIT


def test_memory_is_limited(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "x = [bytearray(1 << 28) for _ in range(40)]")
    assert outcome.end is End.MEMORY
    assert outcome.peak_bytes < 2200 << 20


def test_output_is_limited(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "while True: print('x' * 10**6)")
    assert outcome.end is End.FAILED
    assert outcome.output is not None
    assert len(outcome.output) <= Limits.output_bytes


def test_threads_are_limited(sandbox: Sandbox) -> None:
    code = "import threading, time\nthreading.stack_size(1 << 15)\nfor n in range(9999): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()"
    assert run(sandbox, code, limits=Limits(cpu_s=5)).end is not End.FINISHED


def test_nothing_of_our_environment_reaches_a_program(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "hunter2")
    with Sandbox() as fresh:
        outcome = run(fresh, "import os, sys; print(os.environ, sys.argv, os.listdir('/proc/self/fd') if 0 else '')")
    assert b"hunter2" not in (outcome.output or b"")
    assert b"SECRET" not in (outcome.output or b"")


def test_each_run_starts_clean(sandbox: Sandbox) -> None:
    program = sandbox.load(
        "import builtins, math\nprint(getattr(builtins, 'n', 0), getattr(math, 'n', 0))\nbuiltins.n = math.n = 1"
    )
    assert [sandbox.run(program, b"").output for _ in range(3)] == [b"0 0\n"] * 3


def test_a_program_has_only_its_own_descriptors(sandbox: Sandbox) -> None:
    code = "import os\nfor n in range(64):\n    try: os.fstat(n); print(n)\n    except OSError: pass"
    closed = closed_folders(site_folders()) if os.getuid() == 0 else []  # of an interpreter where others cannot go
    assert run(sandbox, code).output == b"0\n1\n2\n3\n" + b"".join(b"%d\n" % n for n in range(64 - len(closed), 64))


def test_programs_of_root_run_as_another_user(sandbox: Sandbox) -> None:
    uid = int(run(sandbox, "import os; print(os.getuid())").output or b"-1")
    assert uid != 0
    assert uid == sandbox.protection.uid


def test_a_killed_warm_process_is_told_and_replaced(sandbox: Sandbox) -> None:
    program = sandbox.load("import os; print(1)")
    sandbox.run(program, b"")
    next(iter(sandbox._warm.values())).popen.send_signal(signal.SIGKILL)
    time.sleep(0.1)
    with pytest.raises(SandboxError, match="lost a program"):
        sandbox.run(program, b"")
    assert sandbox.run(sandbox.load("print(2)"), b"").output == b"2\n"


def test_it_works_in_a_thread(sandbox: Sandbox) -> None:
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(run(sandbox, "print(1)")))
    thread.start()
    thread.join()
    assert found[0].output == b"1\n"


# --- layers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_without_a_layer_it_refuses_and_names_the_remedy(layer: str) -> None:
    with pytest.raises(SandboxError, match=f"{layer} does not hold .* needs .*--unsafe-no-sandbox"):
        Sandbox(without=[layer])
    with Sandbox(without=[layer], is_unsafe_allowed=True) as weak:
        assert weak.protection.to_json()["missing"] == [layer]
        assert run(weak, "print(1)").output == b"1\n"


def test_every_system_call_has_numbers_for_both_architectures() -> None:
    both = {
        **system_calls.PROGRAM_CALLS, **system_calls.FILTERED_CALLS,
        **system_calls.NARROWED_CALLS, **system_calls.WARM_CALLS,
    }  # fmt: skip
    for numbers in zip(*both.values(), strict=True):
        known = [number for number in numbers if number is not None]
        assert len(known) == len(set(known))


def test_the_filter_for_programs_is_completed_with_their_pid() -> None:
    prepared = seccomp.prepare_program_filter()
    assert len(prepared.pid_offsets) == 2  # kill, tgkill


def test_landlock_tells_its_version() -> None:
    assert landlock.read_abi() >= 0


def test_an_unprivileged_user_is_protected_too(tmp_path: pathlib.Path) -> None:
    if os.getuid() != 0:
        pytest.skip("the other tests run as an unprivileged user already")
    if not os.access(sys.executable, os.X_OK) or "/root" in os.path.realpath(sys.executable):
        pytest.skip("this interpreter lies where other users cannot read it")
    root = pathlib.Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tools.sandbox.check"], cwd=root, user=65534, group=65534, extra_groups=[],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    if "Permission denied" in done.stderr:
        pytest.skip("this checkout is not readable by other users")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything holds" in done.stdout


def test_the_check_command_says_what_is_missing(run_script) -> None:
    assert run_script("python", "-m", "tools.sandbox.check").returncode == 0
    weak = run_script("python", "-m", "tools.sandbox.check", env={"SANDBOX_WITHOUT": "landlock"})
    assert weak.returncode == 1
    assert weak.stderr.startswith("error: programs are refused here")
    assert "lsm=landlock" in weak.stdout
