"""What the canonical solution of a task answers, computed once for a grading and shared by its workers.

The solution runs in the sandbox like any program. What it answered lies in a folder of this grading, which no program can
read; answers of megabytes lie there packed, and only their digests are held. Its CPU time and memory come along: the
limits of a task follow from them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import tempfile
import zlib
from collections.abc import Sequence
from typing import Any

from tools.errors import DataError
from tools.grading.code.calls import Call, Order, is_stopped, load_calls, run_calls
from tools.grading.code.plus_problem import PlusTask, Segment
from tools.grading.code.plus_rules import Oracle
from tools.grading.code.values import encode
from tools.sandbox.limits import GIB, Limits
from tools.sandbox.outcome import End
from tools.sandbox.session import Sandbox

LONG = 1 << 16  # characters of an answer from which on it is packed and lies in a file
# No canonical solution of HumanEval+ and MBPP+ takes a third of these; one of a set of one's own may.
CANONICAL_LIMITS = Limits(
    cpu_s=120.0, idle_s=180.0, memory_bytes=16 * GIB, data_bytes=8 * GIB, output_bytes=256 << 20, wall_s=3600.0
)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The JSON of one expected answer: `text`, or the digest of a long one and where it lies."""

    size: int
    cpu_s: float
    text: str | None = None
    sha256: str = ""
    offset: int = 0
    packed: int = 0


@dataclasses.dataclass(frozen=True)
class Expected:
    """Of one segment. `peak_bytes` is what the canonical solution took in one fork; `blob` holds the long answers."""

    answers: tuple[Wanted, ...]
    peak_bytes: int
    blob: pathlib.Path | None = None

    @property
    def cpu_s(self) -> float:
        return sum(answer.cpu_s for answer in self.answers)

    def is_same(self, number: int, text: str) -> bool:
        """Whether an answer has the very text that is expected."""
        answer = self.answers[number]
        if answer.text is not None:
            return text == answer.text
        return len(text) == answer.size and hashlib.sha256(text.encode()).hexdigest() == answer.sha256

    def read(self, number: int) -> str:
        """The text of an expected answer."""
        answer = self.answers[number]
        if answer.text is not None:
            return answer.text
        assert self.blob is not None
        with self.blob.open("rb") as file:
            file.seek(answer.offset)
            return zlib.decompress(file.read(answer.packed)).decode()


class ExpectedStore:
    """The expected outputs of a grading. Without a folder, or where it is not (on another node), it makes its own."""

    def __init__(self, folder: str = "") -> None:
        self._own: tempfile.TemporaryDirectory[str] | None = None
        if not folder or not pathlib.Path(folder).is_dir():
            self._own = tempfile.TemporaryDirectory(prefix="expected-")
        self.folder = pathlib.Path(self._own.name if self._own else folder)

    def close(self) -> None:
        if self._own is not None:
            self._own.cleanup()

    def of(self, sandbox: Sandbox, task: PlusTask) -> dict[str, Expected]:
        """By segment. Raises DataError when the canonical solution does not answer, SandboxError as the sandbox does."""
        index = self.folder / f"{task.key}.json"
        if not index.exists():
            self._make(sandbox, task, index)
        rows = json.loads(index.read_text(encoding="utf-8"))
        return {
            name: Expected(
                tuple(Wanted(**each) for each in row["answers"]), row["peak_bytes"], self.folder / row["blob"]
            )
            for name, row in rows.items()
        }

    def _make(self, sandbox: Sandbox, task: PlusTask, index: pathlib.Path) -> None:
        """Writes the index last and under its name at once: whoever is first is who everybody reads."""
        descriptor, blob_name = tempfile.mkstemp(dir=self.folder, suffix=".blob")
        rows = {}
        with os.fdopen(descriptor, "wb") as blob:
            for segment in task.segments:
                calls, peak_bytes = compute(sandbox, task, segment)
                answers = [dataclasses.asdict(_keep(call, blob)) for call in calls]
                rows[segment.name] = {
                    "answers": answers, "peak_bytes": peak_bytes, "blob": os.path.basename(blob_name),
                }  # fmt: skip
        part = pathlib.Path(blob_name + ".json")
        part.write_text(json.dumps(rows), encoding="utf-8")
        try:
            os.link(part, index)
        except FileExistsError:
            pathlib.Path(blob_name).unlink()
        part.unlink()


def _keep(call: Call, blob: Any) -> Wanted:
    text = call.text or ""
    if len(text) <= LONG:
        return Wanted(len(text), call.cpu_s, text)
    data, offset = text.encode(), blob.tell()
    packed = zlib.compress(data, 1)
    blob.write(packed)
    return Wanted(len(text), call.cpu_s, None, hashlib.sha256(data).hexdigest(), offset, len(packed))


def compute(sandbox: Sandbox, task: PlusTask, segment: Segment) -> tuple[list[Call], int]:
    """The answers to a segment, and the most memory that one fork took. What stands in the row needs no run."""
    if segment.expected is not None:
        return [Call(text) for text in segment.expected], 0
    if task.oracle is Oracle.ROOT or task.oracle is Oracle.ANY:
        return [Call("null") for _ in segment.inputs], 0
    inputs = [encode(list(arguments)) for arguments in segment.inputs]
    collect = "set" if task.oracle is Oracle.SET else None
    program = load_calls(sandbox, task.canonical)
    if program.error:
        raise DataError(f"problem {task.task_id}: its canonical solution does not compile ({program.error})")
    calls: list[Call] = []
    peak_bytes = 0
    while len(calls) < len(inputs):
        order = Order(task.reference, inputs[len(calls) :], collect)
        found, outcome = run_calls(sandbox, program, order, CANONICAL_LIMITS)
        good = [call for call in found if call.text is not None]
        peak_bytes = max(peak_bytes, outcome.peak_bytes)
        calls += good
        # A run that was full or at its limit goes on behind what it did; an error that is not that one ends it.
        is_full = bool(found) and len(good) == len(found) and (is_stopped(outcome) or outcome.end is End.FAILED)
        if len(calls) < len(inputs) and not (good and is_full):
            why = found[-1].error if found and found[-1].error else outcome.reason or "it ended early"
            raise DataError(f"problem {task.task_id}: its canonical solution fails at input {len(calls) + 1} ({why})")
    if task.oracle is Oracle.NOT_NONE:
        calls = [dataclasses.replace(call, text=_is_something(call.text)) for call in calls]
    return calls, peak_bytes


def _is_something(text: str | None) -> str:
    return "false" if text == "null" else "true"


def sum_sizes(answers: Sequence[Wanted]) -> int:
    return sum(answer.size for answer in answers)


@contextlib.contextmanager
def expected_folder() -> Any:
    """A folder for the expected outputs of one grading, gone at its end."""
    with tempfile.TemporaryDirectory(prefix="expected-") as folder:
        yield folder
