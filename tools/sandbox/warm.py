"""Starting a warm process (`zygote.py`) from the trusted side, and the socket to it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tools.errors import SandboxError
from tools.sandbox.limits import STACK_BYTES
from tools.sandbox.places import ROOT, choose_uid, clean_environment, closed_folders, count_tasks, readable_paths
from tools.sandbox.places import site_folders as find_site_folders

START_TIMEOUT_S = 60.0
SPARE_THREADS = 256  # beyond what the user runs already; the kernel counts threads per user

# Handlers that modules register for forks (new random seed, new locks) cost as much as the fork itself and are not
# needed: the warm process has one thread and holds no lock, and equal random numbers in each run are welcome.
BOOT = (
    "import os, sys; os.register_at_fork = lambda **handlers: None; sys.path.insert(0, {root!r}); "
    "from tools.sandbox import zygote; zygote.main()"
)


class WarmProcess:
    """One zygote and the socket to it."""

    def __init__(self, modules: list[str], without: frozenset[str], slot: int) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        site = find_site_folders()
        config = {
            "root": ROOT, "site": site, "modules": modules, "without": sorted(without),
            "readable": readable_paths(site), "uid": choose_uid(slot) if os.getuid() == 0 else os.getuid(),
            "closed": closed_folders(site) if os.getuid() == 0 else [], "threads": count_tasks() + SPARE_THREADS,
            "newest_abi": int(os.environ.get("SANDBOX_LANDLOCK_ABI", "99")),  # to try what an older kernel holds back
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
        self.popen.kill()
        assert self.popen.stderr is not None
        last_line = self.popen.stderr.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        self.close()
        raise SandboxError(
            f"the sandbox did not start ({last_line or 'no message'}); run python -m tools sandbox-check"
        )

    def close(self) -> None:
        """Ends the process and whatever it was running (which dies with it)."""
        self.socket.close()
        with contextlib.suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()
        if self.popen.stderr is not None:
            self.popen.stderr.close()


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
