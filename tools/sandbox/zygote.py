"""The warm process: imports what solutions use, locks itself in for good, then forks one child per test.

Started by `session.py` with a scrubbed environment in a clean interpreter, so that nothing secret was ever in its
memory. Order of locking: preload, become an unused user without capabilities (as root), Landlock, seccomp; every fork
inherits all of it and adds its own limits (`child.py`). The warm process itself runs nothing of a program and reads
nothing of it: compiling happens in a fork too, and every fork reads its program and its input from memory files.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import site
import socket
import sys
import threading
import time
from typing import Any

from tools.sandbox import landlock, process, seccomp
from tools.sandbox.child import WarmState, practise, run_child
from tools.sandbox.prelude import offer_prelude
from tools.sandbox.private_library import open_folders, reroute_imports
from tools.sandbox.protocol import CONTROL_FD, MAX_DESCRIPTORS, Reply, Request
from tools.sandbox.socket_pair import offer_pairs

# Modules of the standard library that most solutions use; loaded once, so that a fork finds them ready. Each one makes
# every fork dearer, so the rare ones wait in a second warm process (`session.py` chooses by the program's text).
COMMON_MODULES = (
    "array", "atexit", "bisect", "cmath", "collections", "collections.abc", "copy", "datetime", "decimal", "enum",
    "fractions", "functools", "heapq", "io", "itertools", "json", "math", "operator", "os", "queue", "random", "re",
    "statistics", "string", "struct", "sys", "threading", "time", "types", "typing", "warnings",
)  # fmt: skip

THREAD_STACK_BYTES = 16 << 20  # default of a program's own threads; the main stack may be far larger


def preload(extra_modules: list[str]) -> list[str]:
    """Imports everything; returns the extra modules that are not installed."""
    missing = []
    for name in COMMON_MODULES:
        importlib.import_module(name)
    for name in extra_modules:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    return missing


def lock_in(config: dict[str, Any]) -> dict[str, Any]:
    """Gives up rights one after the other; returns what holds now and what went wrong."""
    state: dict[str, Any] = {"uid": os.getuid(), "landlock": 0, "seccomp": False, "failures": {}}
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_DESCRIPTORS, MAX_DESCRIPTORS))
    process.die_with_parent()
    process.forbid_new_privileges()
    if os.getuid() == 0:
        try:
            process.become(config["uid"])
            state["uid"] = config["uid"]
        except OSError as error:
            state["failures"]["uid"] = str(error)
            process.set_capabilities(0)
        process.die_with_parent()  # changing the user forgets it
    process.forbid_inspection()
    resource.setrlimit(resource.RLIMIT_NPROC, (config["threads"], config["threads"]))
    if "landlock" not in config["without"]:
        try:
            state["landlock"] = landlock.restrict(config["readable"], ["/dev/null"], config["newest_abi"])
        except OSError as error:
            state["failures"]["landlock"] = str(error)
    if "seccomp" not in config["without"]:
        try:
            seccomp.PreparedFilter(seccomp.build_warm_filter()).install()
            state["seccomp"] = True
        except OSError as error:
            state["failures"]["seccomp"] = str(error)
    return state


def serve(control: socket.socket, warm: WarmState) -> None:
    """Forks one child per request until the other side hangs up."""
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(control, 4096, 4)
        if not message:
            return
        request = Request.unpack(message)
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            run_child(request, warm)
        _pid, status, usage = os.wait4(pid, 0)
        wall_s = time.monotonic() - started
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendmsg([Reply(status, usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss).pack()])


def main() -> None:
    """Entry point: the last two arguments are the socket's number and the configuration as JSON."""
    config = json.loads(sys.argv[-1])
    os.dup2(int(sys.argv[-2]), CONTROL_FD)
    os.closerange(3, CONTROL_FD)
    os.closerange(CONTROL_FD + 1, MAX_DESCRIPTORS)
    sys.argv[:] = ["solution.py"]
    sys.path[:] = [path for path in sys.path if path not in ("", config["root"])] + config["site"]
    ways = open_folders(config["closed"])
    reroute_imports(ways)
    config["readable"] += ways.values()
    control = socket.socket(fileno=CONTROL_FD)
    os.chdir("/")
    missing = preload(config["modules"])
    site.setquit()  # exit() and quit(), which an interpreter without handling of site-packages lacks
    offer_pairs()
    prelude = offer_prelude()
    threading.stack_size(THREAD_STACK_BYTES)
    sys.setrecursionlimit(50_000)  # LiveCodeBench's checker does so
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(50_000)  # and this
    program_filter = seccomp.prepare_program_filter() if "seccomp" not in config["without"] else None
    practise()
    state = lock_in(config)
    control.sendmsg([json.dumps({**state, "missing": missing}).encode()])
    os.dup2(1, 2)  # stdout is /dev/null already; start-up errors were for the parent, a program's are not
    gc.collect()
    gc.freeze()
    gc.disable()
    first_own_fd = MAX_DESCRIPTORS - len(ways)
    serve(control, WarmState(program_filter if state["seccomp"] else None, prelude, first_own_fd))
