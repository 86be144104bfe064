"""Statements of problems, read one at a time from a file that may hold gigabytes of tests.

LiveCodeBench's file keeps a problem's private tests, many megabytes, in the same line as its statement; only the
leading fields of a line are decoded here, up to the first one that is too long.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "threes.jsonl"
>>> _ = path.write_text('{"id": "a", "problem": "What is 1 + 2?", "private_test_cases": "eJxL"}\\n')
>>> ProblemIndex(path).read("a")["statement"]
'What is 1 + 2?'
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from tools.benchmarks.benchmark import Benchmark
from tools.benchmarks.problems import choices_of_row, renamed_row
from tools.benchmarks.rows import (
    HEAVY_FIELDS,
    LEADING_BYTES,
    MOST_ROW_BYTES,
    find_id,
    find_statement,
    leading_fields,
    read_line_heads,
)
from tools.store.line_index import parse_object
from tools.store.reading import open_file

PLAIN = Benchmark("problems")  # of a file that no entry describes


class ProblemIndex:
    """Offsets of the problems of one file by task id, made on first use. A file that is absent has no problems."""

    def __init__(self, path: Path, benchmark: Benchmark = PLAIN) -> None:
        self.path = path
        self._benchmark = benchmark
        self._offsets: dict[str, int] | None = None
        self._lock = threading.Lock()

    def read(self, task_id: str) -> dict[str, object] | None:
        """The leading fields of a problem with its `statement` and `choices`; None when the file does not have it."""
        line = self._line_of(task_id, LEADING_BYTES)
        if line is None:
            return None
        fields = renamed_row(leading_fields(line), self._benchmark)
        with contextlib.suppress(ValueError):  # a statement that no tokenizer reads
            fields["statement"] = find_statement(fields)
        with contextlib.suppress(ValueError):
            if choices := choices_of_row(fields, self._benchmark):
                fields |= {"choices": list(choices.options), "answer": choices.gold}
        return {name: value for name, value in fields.items() if name not in HEAVY_FIELDS}

    def read_whole(self, task_id: str) -> dict[str, object] | None:
        """Every field of a problem, its tests included: megabytes for some. None when the file does not have it."""
        line = self._line_of(task_id)
        return None if line is None else parse_object(line)

    def _line_of(self, task_id: str, most_bytes: int = -1) -> bytes | None:
        offset = self._offset_of(task_id)
        if offset is None:
            return None
        try:
            with open_file(self.path) as file:
                file.seek(offset)
                return file.readline(most_bytes if most_bytes > 0 else MOST_ROW_BYTES)
        except OSError:
            return None

    def _offset_of(self, task_id: str) -> int | None:
        with self._lock:
            if self._offsets is None:
                self._offsets = self._scan()
            return self._offsets.get(task_id)

    def _scan(self) -> dict[str, int]:
        offsets: dict[str, int] = {}
        try:
            for number, (offset, head) in enumerate(read_line_heads(self.path)):
                with contextlib.suppress(ValueError):  # a row whose id is no name
                    fields = renamed_row(leading_fields(head), self._benchmark)
                    offsets.setdefault(find_id(fields, number, self._benchmark.id_field), offset)
        except OSError:
            return {}
        return offsets
