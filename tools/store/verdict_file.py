"""verdicts.jsonl while a folder is being graded: locked, appended to as verdicts come, sorted at the end.

A killed grading leaves what it had written, and the next one takes up what still holds. A grading that is over within
a second or two writes at the end only, so that one which ends in an error leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import time
from collections.abc import Iterator, Sequence
from typing import IO

from tools.errors import RunLocked
from tools.records import Grade
from tools.store.files import cut_torn_line, storage_error, write_atomically
from tools.store.reading import MOST_LINE_BYTES, check_regular
from tools.store.verdicts import DAMAGE, FILE_NAME, parse_grade, write_grade

QUIET_S = 2.0


class VerdictFile:
    """The open file. `known` are verdicts of an earlier grading, by (task_id, seed); of several the last one."""

    def __init__(self, path: pathlib.Path, file: IO[str]) -> None:
        self._path, self._file = path, file
        self._waiting: list[Grade] = []
        self._opened_at = time.monotonic()
        self.is_untouched = True
        self.known = {grade.key: grade for grade in self._read()}

    def _read(self) -> Iterator[Grade]:
        self._file.seek(0)
        while line := self._file.readline(MOST_LINE_BYTES):
            with contextlib.suppress(*DAMAGE):  # the torn line of a killed grading; one changed by hand is graded again
                yield parse_grade(line)

    def add(self, grade: Grade) -> None:
        """A new verdict, behind those that are there: a grading that is killed now has lost nothing."""
        self._waiting.append(grade)
        if time.monotonic() - self._opened_at < QUIET_S:
            return
        if self.is_untouched:
            cut_torn_line(self._file.fileno())
            self.is_untouched = False
        self._file.writelines(map(write_grade, self._waiting))
        self._file.flush()
        self._waiting.clear()

    def finish(self, grades: Sequence[Grade]) -> None:
        """The whole file in the given order, so that equal gradings give equal files but for measured times."""
        write_atomically(self._path, "".join(map(write_grade, grades)))
        self.is_untouched = False


@contextlib.contextmanager
def open_verdicts(folder: pathlib.Path) -> Iterator[VerdictFile]:
    """The folder's verdicts, locked: two gradings of one folder would spoil each other's. Raises RunLocked, StorageError.

    A file that was not there before and was never written to is taken away again.
    """
    path = folder / FILE_NAME
    is_new = not path.exists()
    try:
        file = _open_to_append(path)
    except OSError as error:
        raise storage_error(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunLocked(f"{folder} is being graded by another process; wait for it or end it") from error
        verdicts = VerdictFile(path, file)
        try:
            yield verdicts
        except OSError as error:
            raise storage_error(path, error) from error
        finally:
            if is_new and verdicts.is_untouched:
                path.unlink(missing_ok=True)


def _open_to_append(path: pathlib.Path) -> IO[str]:
    """Never waits, as a pipe of that name would have it do. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(path, flags, 0o644)
    try:
        check_regular(descriptor)
        return os.fdopen(descriptor, "a+", encoding="utf-8", errors="surrogatepass", newline="\n")
    except BaseException:
        os.close(descriptor)
        raise
