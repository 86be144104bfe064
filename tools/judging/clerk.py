"""The clerk: a process that asks the judge and writes judgments.jsonl, and that outlives whoever gave it work.

What a judge answers is paid for, whether or not somebody is left to read it. So the questions are asked by a process of its own:
when a judging is killed, even by SIGKILL, its clerk sends nothing new, waits for what is on its way, writes it and ends. The
file is locked until then, and the next judging reads it afterwards.

This is the side of those who ask; tools/judging/clerk_process.py is the clerk's.
"""

from __future__ import annotations

import dataclasses
import fcntl
import functools
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Pipe

from tools import errors
from tools.errors import EngineError, RunLocked, StorageError
from tools.judging.ledger import PaidReply, open_to_append
from tools.judging.messages import JudgeQuestion
from tools.judging.setup import JudgeSetup
from tools.store.files import ROOT, storage_error

GRACE_S = 300.0  # for what is on its way when nobody is left
POLL_S = 0.05
END_S = 5.0
STDERR = 2  # what engines print is no result


@dataclasses.dataclass(frozen=True)
class Errand:
    """One question with its key; of which sample it is, for the line that is written."""

    key: str
    question: JudgeQuestion
    attempt: int
    task_id: str
    seed: int


@dataclasses.dataclass(frozen=True)
class Unanswered:
    """There is no reply, after all retries."""

    key: str
    reason: str


@dataclasses.dataclass(frozen=True)
class ClerkReady:
    """The engine is there; `most_sent` errands are worth having at once."""

    most_sent: int


@dataclasses.dataclass(frozen=True)
class ClerkFault:
    """The engine or the file does not work: an error of ours by its name."""

    kind: str
    message: str


class Clerk:
    """Starts one. `send` errands, `take` what came of them. Raises what the engine raised, by the same class."""

    def __init__(self, setup: JudgeSetup, path: pathlib.Path | None) -> None:
        self._connection, theirs = Pipe()
        env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}
        words = [sys.executable, "-m", "tools.judging.clerk_process", str(theirs.fileno())]
        # A session of its own: what ends this one's group, by Ctrl-C for example, leaves the clerk its time to write.
        self._process = subprocess.Popen(
            words, env=env, pass_fds=[theirs.fileno()], stdout=STDERR, start_new_session=True
        )
        theirs.close()
        self._connection.send((setup, path))
        self._is_asked = False

    @functools.cached_property
    def most_sent(self) -> int:
        """So many errands are worth having at once. Waits until the engine is there."""
        ready = self._receive()
        assert isinstance(ready, ClerkReady)
        return ready.most_sent

    def send(self, errand: Errand) -> None:
        self._is_asked = True
        try:
            self._connection.send(errand)
        except OSError:
            self._receive()  # says why

    def take(self) -> list[PaidReply | Unanswered]:
        """Waits for the next ones: what came in the same moment."""
        found = self._receive()
        assert isinstance(found, list)
        return found

    def close(self) -> None:
        """Tells it that nothing will follow; what is on its way it writes by itself."""
        self._connection.close()
        if not self._is_asked:  # it may still wait for a server that nobody needs
            self._process.kill()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            print("note: replies of the judge are still on their way; they are written as they come", file=sys.stderr)

    def _receive(self) -> object:
        try:
            found: object = self._connection.recv()
        except (EOFError, OSError) as error:
            code = self._process.wait()
            raise EngineError(
                f"the process that asks the judge ended with code {code}; run the same command again"
            ) from error
        if isinstance(found, ClerkFault):
            kind = getattr(errors, found.kind, EngineError)
            raise kind(found.message)
        return found


def wait_for_clerk(path: pathlib.Path, on_wait: Callable[[str], None] = lambda _text: None) -> None:
    """Waits until no clerk of an earlier judging writes to the file. Raises RunLocked, StorageError."""
    if path.exists():
        os.close(lock_file(path, on_wait))


def lock_file(path: pathlib.Path, on_wait: Callable[[str], None] = lambda _text: None) -> int:
    """A descriptor that appends and holds the file's lock until it is closed. Raises RunLocked, StorageError."""
    try:
        descriptor = open_to_append(path)
    except OSError as error:
        raise storage_error(path, error) from error
    deadline, is_told = time.monotonic() + GRACE_S + END_S, False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if not is_told:
                on_wait("an earlier judging was ended; what it asked is still coming in")
                is_told = True
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise RunLocked(f"{path} is written by another judging; wait for it or end it") from None
            time.sleep(POLL_S)
        except OSError as error:
            os.close(descriptor)
            raise StorageError(
                f"{path}: cannot be locked ({error.strerror}); choose a folder on another disk"
            ) from error
