"""The process of lm_eval as this toolkit sees it: started when it is first needed, asked, ended when it hangs.

One process plans all names of a command; each task that is graded gets a new one. A command that takes longer than its limit ends it; the next one starts it
again. What it prints goes to a file, whose last line is told when it dies.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from typing import IO, Any

import tools.errors
from tools.errors import DataError, GradingError, UsageError
from tools.records import JsonObject
from tools.store.files import ROOT

REQUIREMENTS = "requirements-lm-eval.txt"
BLOCK_BYTES = 1 << 16
BUILD_TIMEOUT_S = 3600.0  # a task may have gigabytes to fetch


def check_installed(name: str) -> None:
    """Raises UsageError where lm_eval is not installed."""
    if importlib.util.find_spec("lm_eval") is None:
        raise UsageError(f"{name} needs the package lm_eval; run `pip install -r {REQUIREMENTS}`")


class TaskProcess:
    """Answers commands of child.py. `ask` raises what the child raised on purpose, GradingError for the rest."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._buffer = b""
        self._opened: list[JsonObject] = []

    def ask(self, timeout_s: float, **command: Any) -> JsonObject:
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(command).encode() + b"\n")
            process.stdin.flush()
            line = self._read_line(process, timeout_s)
        except (BrokenPipeError, EOFError) as error:
            last = self._last_words()
            self.close()
            raise GradingError(
                f"lm_eval's process ended{f' ({last})' if last else ''}; run the same command again"
            ) from error
        except TimeoutError as error:
            self.close()
            raise GradingError(f"the task's own code took over {timeout_s:g} s") from error
        return self._unpack(json.loads(line), command)

    def open(self, task: str, folders: list[str]) -> JsonObject:
        """Builds a task for judging; it is built again where the process had to be ended meanwhile.

        A new process each time: importing a task's modules draws random numbers, and some tasks (IFEval) draw more of
        them while they grade, so their figures are lm-eval's own in a process of its own alone.
        """
        self.close()
        self._opened = []
        command = {"do": "open", "task": task, "folders": folders}
        found = self.ask(BUILD_TIMEOUT_S, **command)
        self._opened = [command]
        return found

    @property
    def opened(self) -> str | None:
        """The task that is built for judging."""
        return self._opened[0]["task"] if self._opened else None

    def _unpack(self, row: JsonObject, command: JsonObject) -> JsonObject:
        if "answer" in row:
            answer: JsonObject = row["answer"]
            return answer
        if "raised" in row:
            kind = getattr(tools.errors, row["raised"], DataError)
            raise kind(row["text"])
        raise GradingError(f"the task's own code failed at `{command['do']}` ({row['failed']})")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._start()
            for command in self._opened:
                self.ask(BUILD_TIMEOUT_S, **command)
        assert self._process is not None
        return self._process

    def _start(self) -> None:
        self.close()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        quiet = {"TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONHASHSEED": "0"}
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.lm_eval_tasks.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **quiet, "PYTHONPATH": paths},
        )
        atexit.register(self.close)

    def _read_line(self, process: subprocess.Popen[bytes], timeout_s: float) -> bytes:
        assert process.stdout is not None
        until = time.monotonic() + timeout_s
        parts = []
        while b"\n" not in self._buffer:
            parts.append(self._buffer)
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            self._buffer = os.read(process.stdout.fileno(), BLOCK_BYTES)
            if not self._buffer:
                raise EOFError
        line, _, self._buffer = self._buffer.partition(b"\n")
        return b"".join([*parts, line])

    def _last_words(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - BLOCK_BYTES))
        lines = self._log.read().decode("utf-8", "replace").strip().split("\n")
        return " ".join(lines[-1].split())[:200]

    def close(self) -> None:
        process, self._process, self._buffer = self._process, None, b""
        if process is not None:
            atexit.unregister(self.close)
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    try:
                        stream.close()
                    except BrokenPipeError:  # what was not yet written
                        continue
        if self._log is not None:
            self._log.close()
            self._log = None


PROCESS = TaskProcess()
