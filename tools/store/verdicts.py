"""verdicts.jsonl, the grades of a folder, one a line: one reader that stops at damage, one that says it and follows a file.

Results, comparisons and exports need every verdict, so `read_verdicts` raises at a damaged line. A page or a report
shows what there is: `VerdictLog` leaves damaged lines out, names them in `notes`, and takes up what a grading appends.

>>> import tempfile
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> line = '{"task_id": "60", "seed": 100, "verdict": "correct", "answer": "204"}\\n'
>>> _ = (folder / FILE_NAME).write_text(line + line[:20])
>>> log = VerdictLog(folder / FILE_NAME)
>>> log.refresh(), list(log.grades), log.notes
(True, [('60', 100)], ['verdicts.jsonl: the last line is unfinished and left out.'])
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator

from tools.errors import StorageError
from tools.records import Grade

FILE_NAME = "verdicts.jsonl"


def read_verdicts(folder: pathlib.Path) -> list[Grade]:
    """Every line of a folder's verdicts.jsonl. Raises StorageError with the line that is damaged."""
    path = folder / FILE_NAME
    grades = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    grades.append(_read_line(line, f"{path}, line {number}"))
    except FileNotFoundError:
        raise StorageError(f"{path} does not exist; grade the run again") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    return grades


def _read_line(line: bytes, where: str) -> Grade:
    try:
        return parse_grade(line)
    except DAMAGE as error:
        raise StorageError(f"{where}: damaged ({type(error).__name__}); grade the run again") from error


DAMAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)  # what a line that is no grade may raise


def parse_grade(line: bytes | str) -> Grade:
    """One line; raises one of DAMAGE when it is no grade."""
    row = json.loads(line)
    row["task_id"], row["seed"] = str(row["task_id"]), int(row["seed"])
    return Grade.from_row(row)


class VerdictLog:
    """verdicts.jsonl by (task_id, seed), following the file while it grows; the last verdict of a sample stands."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._reset((0, 0))

    def _reset(self, identity: tuple[int, int]) -> None:
        self.grades: dict[tuple[str, int], Grade] = {}
        self.damaged = 0
        self.is_torn = False
        self._identity = identity
        self._position = 0
        self._modified_ns = 0
        self._last_bytes = b""  # the end of what was read: still there unless the file was written anew

    @property
    def notes(self) -> list[str]:
        notes = []
        if self.damaged:
            lines = "1 line is" if self.damaged == 1 else f"{self.damaged} lines are"
            notes.append(f"{self.path.name}: {lines} damaged and left out; grade this folder again.")
        if self.is_torn:
            notes.append(f"{self.path.name}: the last line is unfinished and left out.")
        return notes

    def refresh(self) -> bool:
        """Reads what was appended, or all of a rewritten file; True when anything changed."""
        try:
            status = self.path.stat()
        except OSError:
            had_any = bool(self.grades)
            self._reset((0, 0))
            return had_any
        identity = status.st_ino, status.st_dev
        is_unchanged = identity == self._identity and status.st_mtime_ns == self._modified_ns
        if is_unchanged and status.st_size == self._position:
            return False
        if identity != self._identity or not self._is_continued(status.st_size):
            self._reset(identity)
        self._modified_ns = status.st_mtime_ns
        return self._read_appended()

    def _is_continued(self, size: int) -> bool:
        """Whether the file still holds what was read of it, and only more was appended."""
        if size <= self._position:
            return False
        try:
            with self.path.open("rb") as file:
                file.seek(self._position - len(self._last_bytes))
                return file.read(len(self._last_bytes)) == self._last_bytes
        except OSError:
            return False

    def _read_appended(self) -> bool:
        before = self._position
        try:
            for line in self._complete_lines():
                self._keep(line)
        except OSError:
            return False
        return self._position != before

    def _complete_lines(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(self._position)
            for line in file:
                self.is_torn = not line.endswith(b"\n")
                if self.is_torn:
                    return
                self._position += len(line)
                self._last_bytes = line[-256:]
                if line.strip():
                    yield line

    def _keep(self, line: bytes) -> None:
        try:
            grade = parse_grade(line.decode("utf-8", "replace"))  # one broken letter of a reason spoils no page
        except DAMAGE:
            self.damaged += 1
            return
        self.grades[(grade.task_id, grade.seed)] = grade
