"""`python -m tools sandbox-check`: what of the protection holds on this machine, shown by trying, and how to mend the rest.

Starts the sandbox as grading does and lets small programs try what they must not be able to do. Exit code 0: everything
needed holds; 1: programs would be refused here.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass

from tools.errors import SandboxError, run_command
from tools.sandbox.landlock import GOOD_ABI
from tools.sandbox.limits import Limits
from tools.sandbox.outcome import End
from tools.sandbox.places import closed_folders, site_folders
from tools.sandbox.protection import REMEDIES, left_to_filter
from tools.sandbox.session import Sandbox


@dataclass(frozen=True)
class Probe:
    """A program that must not print "YES"; `layer` is what stops it."""

    name: str
    layer: str
    code: str


PROBES = (
    Probe("read files of others", "landlock", "open('/etc/passwd').read(); print('YES')"),
    Probe("list the root folder", "landlock", "import os; os.listdir('/'); print('YES')"),
    Probe("write to /tmp", "landlock", "import os; os.open('/tmp', os.O_TMPFILE | os.O_WRONLY); print('YES')"),
    Probe("read /proc of its parent", "landlock", "import os; open(f'/proc/{os.getppid()}/status'); print('YES')"),
    Probe("start a process", "seccomp", "import os\nif os.fork() == 0: os._exit(0)\nprint('YES')"),
    Probe("run a command", "seccomp", "import subprocess; subprocess.run(['true']); print('YES')"),
    Probe("open a socket", "seccomp", "import socket; socket.socket(); print('YES')"),
    Probe("signal its parent", "seccomp", "import os; os.kill(os.getppid(), 0); print('YES')"),
    Probe("change its process group", "seccomp", "import os; os.setpgid(0, 0); print('YES')"),
    Probe("see our environment", "environment", "import os; print('YES' if 'SANDBOX_CHECK' in os.environ else 'no')"),
    Probe("take 5 GiB of memory", "rlimits", "x = bytearray(5 << 30); print('YES')"),
    Probe("open a hundred descriptors", "rlimits", "import os\nfor _ in range(100): os.dup(0)\nprint('YES')"),
)
ENDLESS = Probe("compute for ever", "CPU limit", "while True: pass")


def main() -> int:
    """Prints one line per layer and per probe."""
    os.environ["SANDBOX_CHECK"] = "1"
    started = time.monotonic()
    with Sandbox(is_unsafe_allowed=True) as sandbox:
        start_s = time.monotonic() - started
        print_layers(sandbox, start_s)
        failures = [probe.name for probe in PROBES if not probe_holds(sandbox, probe)]
        if not endless_ends(sandbox):
            failures.append(ENDLESS.name)
        missing = sandbox.protection.missing
    if missing or failures:
        raise SandboxError(f"programs are refused here; mend: {', '.join([*missing, *failures])}")
    print("everything holds: programs can be run here")
    return 0


def print_layers(sandbox: Sandbox, start_s: float) -> None:
    """The state of each layer, with its remedy where it is missing."""
    protection = sandbox.protection
    abi = protection.landlock_abi
    line("Landlock", abi > 0, f"ABI {abi}" if abi else f"missing: {REMEDIES['landlock']}")
    if 0 < abi < GOOD_ABI:
        print(f"        older than ABI {GOOD_ABI}: {left_to_filter(protection.landlock_abi)}")
    line("seccomp", protection.has_seccomp, "on" if protection.has_seccomp else f"missing: {REMEDIES['seccomp']}")
    if os.getuid() == 0:
        is_other = protection.uid != 0
        note = f"programs run as user {protection.uid}" if is_other else "programs run as root: no spare user id here"
        line("own user", is_other, note)
        if is_other and closed_folders(site_folders()):
            print("        others cannot read this interpreter: its library is read through folders opened beforehand")
    else:
        line("own user", True, f"not root; programs run as user {protection.uid}, the same as the grader")
    line("start", True, f"{start_s * 1000:.0f} ms for a warm process")


def probe_holds(sandbox: Sandbox, probe: Probe) -> bool:
    """Runs one probe and says whether it was stopped."""
    program = sandbox.load(probe.code)
    outcome = sandbox.run(program, b"")
    is_stopped = (outcome.output or b"").strip() != b"YES"
    line(f"cannot {probe.name}", is_stopped, f"{probe.layer}; {outcome.reason or 'no answer'}")
    return is_stopped


def endless_ends(sandbox: Sandbox) -> bool:
    """A program that never ends, under a limit of half a second."""
    program = sandbox.load(ENDLESS.code)
    outcome = sandbox.run(program, b"", Limits(cpu_s=0.5))
    is_stopped = outcome.end is End.CPU_LIMIT
    line(f"cannot {ENDLESS.name}", is_stopped, f"{ENDLESS.layer}; {outcome.reason}")
    return is_stopped


def line(name: str, is_good: bool, note: str) -> None:
    """One line of the report."""
    print(f"{'pass' if is_good else 'FAIL'}    {name:<34}{note}")


if __name__ == "__main__":
    sys.exit(run_command(main))
