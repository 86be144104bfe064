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

import math
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

from tools.errors import StorageError
from tools.records import Grade
from tools.store.reading import (
    RawLine,
    checksum_of,
    name_type,
    open_file,
    parse_json,
    read_raw_lines,
    to_count,
    to_seed,
    to_task_id,
)

FILE_NAME = "verdicts.jsonl"
CHECKSUM = "checksum"
_CHECKSUM_START = f', "{CHECKSUM}": "'


def read_verdicts(folder: pathlib.Path) -> list[Grade]:
    """Every line of a folder's verdicts.jsonl. Raises StorageError with the line that is damaged."""
    path = folder / FILE_NAME
    grades, signed = [], set[bool]()
    try:
        with open_file(path) as file:
            for line in read_raw_lines(file):
                if line.text.strip():
                    grades.append(_read_line(line, f"{path}, line {line.number}"))
                    signed.add(is_signed(line.text))
                    if len(signed) > 1:  # a grading writes all lines or none with it
                        raise StorageError(
                            f"{path}, line {line.number}: this line or the one before it was put in by hand (one has no "
                            "checksum); grade the run again"
                        )
    except FileNotFoundError:
        raise StorageError(f"{path} does not exist; grade the run again") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}); check the file and its permissions") from error
    return grades


def _read_line(line: RawLine, where: str) -> Grade:
    try:
        if line.is_too_long:
            raise ValueError(f"it has {line.length >> 20} MiB")
        return parse_grade(line.text)
    except EditedVerdict as error:
        raise StorageError(f"{where}: {error}; grade the run again") from error
    except DAMAGE as error:
        raise StorageError(f"{where}: damaged ({error}); grade the run again") from error


class EditedVerdict(ValueError):
    """A line whose checksum is not that of its content."""


DAMAGE = (ValueError,)  # what a line that is no grade raises


def write_grade(grade: Grade) -> str:
    """One line with its end. It closes with a checksum of all before it: a verdict that is changed by hand is seen.

    The checksum keeps nobody from computing a new one: it guards against slips and false memories, not against forgery.

    >>> from tools.records import Verdict
    >>> line = write_grade(Grade("60", 100, Verdict.WRONG, answer="205"))
    >>> try:
    ...     parse_grade(line.replace("wrong", "correct"))
    ... except EditedVerdict as error:
    ...     print(error)
    it was changed after it was graded (its checksum is of another content)
    """
    row = grade.to_json()
    return f'{row[:-1]}{_CHECKSUM_START}{checksum_of(row)}"}}\n'


def is_signed(line: bytes) -> bool:
    return _CHECKSUM_START.encode() in line[-64:]


def parse_grade(line: bytes | str) -> Grade:
    """One line; raises ValueError when it is no grade, EditedVerdict when it was changed. Lines of 0.1 have no checksum."""
    row = parse_json(line)
    if not isinstance(row, dict):
        raise ValueError("it is no object")
    sum_in_line = row.pop(CHECKSUM, None)
    missing = [name for name in ("task_id", "seed", "verdict") if row.get(name) is None]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    row["task_id"], row["seed"] = to_task_id(row["task_id"]), to_seed(row["seed"])
    for name, check in FIELD_CHECKS.items():
        if not check(row.get(name)):
            raise ValueError(f"{name} is {name_type(row[name])}")
    to_count(row.get("output_tokens"), "output_tokens")
    to_count(row.get("reasoning_chars"), "reasoning_chars")
    if sum_in_line is not None:
        _check_sum(line, sum_in_line)
    return Grade.from_row({name: value for name, value in row.items() if value is not None or name in NULLABLE})


def _check_sum(line: bytes | str, sum_in_line: object) -> None:
    text = line.decode("utf-8", "surrogatepass") if isinstance(line, bytes) else line
    row, _, _ = text.rstrip().rpartition(_CHECKSUM_START)
    if checksum_of(row + "}") != sum_in_line:
        raise EditedVerdict("it was changed after it was graded (its checksum is of another content)")


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_truth(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return value is None or (_is_number(value) and 0 <= value <= 1)


def _is_price(value: Any) -> bool:
    return value is None or (_is_number(value) and value >= 0)


def _is_metrics(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and all(map(_is_number, value.values())))


# Of every field that a grade may have: whether a value can stand there; None says nothing.
FIELD_CHECKS: dict[str, Callable[[Any], bool]] = {
    "verdict": _is_text,
    "answer": _is_text,
    "rule": _is_text,
    "reason": _is_text,
    "fingerprint": _is_text,
    "is_cut_off": _is_truth,
    "closes_reasoning": _is_truth,
    "is_correct_in_reasoning": _is_truth,
    "differs_from_original": _is_truth,
    "share": _is_share,
    "score": _is_share,
    "metrics": _is_metrics,
    "cost": _is_price,
    "details": lambda value: value is None or isinstance(value, dict),
}
NULLABLE = ("answer", "output_tokens", "reasoning_chars", "closes_reasoning", "is_correct_in_reasoning")


class VerdictLog:
    """verdicts.jsonl by (task_id, seed), following the file while it grows; the last verdict of a sample stands."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._reset((0, 0))

    def _reset(self, identity: tuple[int, int]) -> None:
        self.grades: dict[tuple[str, int], Grade] = {}
        self.damaged = self.edited = 0
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
        if self.edited:
            lines = "1 line was" if self.edited == 1 else f"{self.edited} lines were"
            notes.append(
                f"{self.path.name}: {lines} changed by hand after grading and left out; grade this folder again."
            )
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
            with open_file(self.path) as file:
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

    def _complete_lines(self) -> Iterator[RawLine]:
        with open_file(self.path) as file:
            file.seek(self._position)
            for line in read_raw_lines(file):
                self.is_torn = not line.text.endswith(b"\n") and not line.is_too_long
                if self.is_torn:
                    return
                self._position += line.length
                self._last_bytes = b"" if line.is_too_long else line.text[-256:]
                if line.text.strip():
                    yield line

    def _keep(self, line: RawLine) -> None:
        try:
            if line.is_too_long:
                raise ValueError("it is too long")
            grade = parse_grade(line.text.decode("utf-8", "replace"))  # one broken letter of a reason spoils no page
        except EditedVerdict:
            self.edited += 1
            return
        except DAMAGE:
            self.damaged += 1
            return
        self.grades[(grade.task_id, grade.seed)] = grade
