"""Several tests of a plain program in one fork: the trusted side of `quick.py`.

The fork that compiled a plain program stays and answers tests over a socket, one at a time: it never sees an input before
it has answered the one before. Only tests that take next to no time are for it, and the caller believes only right
answers; everything else is decided by a fork per test.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time

from tools.sandbox.protocol import ANSWER, MAX_MESSAGE, TEST
from tools.sandbox.watch import read_cpu_clock

CPU_BUDGET_S = 0.1  # of one test; a slower one is killed here and measured properly in its own fork
WALL_BUDGET_S = 3.0
CHECK_INTERVAL_S = 0.05


class Batch:
    """A fork that has announced itself as ready. After `ask` has returned None, or `end`, it is over."""

    def __init__(self, channel: socket.socket, pid: int) -> None:
        self._channel = channel
        self._pid = pid
        self._clock_s = read_cpu_clock(pid) or 0.0
        self.cpu_s = 0.0  # of the last test

    def ask(self, payload: bytes) -> bytes | None:
        """The program's answer to one test; None when it gave none in a moment."""
        answer = None
        if len(payload) <= MAX_MESSAGE:
            with contextlib.suppress(OSError):
                self._channel.send(TEST + payload)
                answer = self._wait()
        now_s = read_cpu_clock(self._pid)
        if answer is None or answer[:1] != ANSWER or now_s is None:
            self.end()
            return None
        self.cpu_s, self._clock_s = now_s - self._clock_s, now_s
        return answer[1:]

    def _wait(self) -> bytes:
        started = time.monotonic()
        self._channel.settimeout(CHECK_INTERVAL_S)
        while True:
            try:
                return self._channel.recv(MAX_MESSAGE + 1)
            except TimeoutError:
                cpu_s = (read_cpu_clock(self._pid) or 0.0) - self._clock_s
                if cpu_s > CPU_BUDGET_S or time.monotonic() - started > WALL_BUDGET_S:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(self._pid, signal.SIGKILL)
                    return b""

    def end(self) -> None:
        """Hangs up; a fork that waits for its next test then ends by itself."""
        self._channel.close()
