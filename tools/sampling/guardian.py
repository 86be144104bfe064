"""Ends process groups when the launcher that named them is gone, however it went: `kill -9` leaves no time for a trap.

The kernel can end a worker with its launcher (PR_SET_PDEATHSIG), but not the worker's own children, and vLLM's engine
is one: it would keep the GPU's memory. This small process, in a session of its own, reads `+<group>` and `-<group>`
lines from the launcher; when the pipe closes, it kills the groups that are left. Run by tools/sampling/launcher.py as a plain
script, so that it starts in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> int:
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line[1:])
        if line[0] == "+":
            groups.add(number)
        else:
            groups.discard(number)
    for number in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(number, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main())
