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

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.benchmarks.problems import HEAVY_FIELDS, ID_FIELDS, STATEMENT_FIELDS
from tools.benchmarks.rows import MOST_ROW_BYTES
from tools.store.line_index import parse_object
from tools.store.reading import open_file

# Longer than any statement with its starter code and public tests; private tests come after these.
LEADING_BYTES = 256 << 10
BLOCK_BYTES = 1 << 22
_DECODER = json.JSONDecoder(strict=False)


class ProblemIndex:
    """Offsets of the problems of one file by task id, made on first use. A file that is absent has no problems."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offsets: dict[str, int] | None = None
        self._lock = threading.Lock()

    def read(self, task_id: str) -> dict[str, object] | None:
        """The leading fields of a problem with its `statement`; None when the file does not have it."""
        line = self._line_of(task_id, LEADING_BYTES)
        if line is None:
            return None
        fields = leading_fields(line)
        fields["statement"] = next((fields[name] for name in STATEMENT_FIELDS if name in fields), None)
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
            for number, (offset, head) in enumerate(_line_heads(self.path)):
                fields = leading_fields(head)
                task_id = next((fields[name] for name in ID_FIELDS if fields.get(name) is not None), number)
                offsets.setdefault(str(task_id), offset)
        except OSError:
            return {}
        return offsets


def leading_fields(text: bytes) -> dict[str, object]:
    """Fields of a JSON object up to where the text is cut off or no longer JSON.

    >>> leading_fields(b'{"id": "60", "problem": "What is 1+1?", "tests": "eJxL')
    {'id': '60', 'problem': 'What is 1+1?'}
    """
    decoded = text.decode("utf-8", "replace")
    fields: dict[str, Any] = {}
    position = decoded.find("{") + 1
    while position > 0:
        try:
            name, position = _DECODER.raw_decode(decoded, _skip(decoded, position, " \t\r\n,"))
            value, position = _DECODER.raw_decode(decoded, _skip(decoded, position, " \t\r\n:"))
        except (ValueError, RecursionError):
            return fields
        if isinstance(name, str):
            fields[name] = value
    return fields


def _skip(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] in characters:
        position += 1
    return position


def _line_heads(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, leading bytes) of every line, without holding a long line in memory."""
    with open_file(path) as file:
        position, start, head = 0, 0, b""
        while block := file.read(BLOCK_BYTES):
            cursor = 0
            while (end := block.find(b"\n", cursor)) >= 0:
                yield start, head + block[cursor : min(end, cursor + LEADING_BYTES - len(head))]
                cursor, start, head = end + 1, position + end + 1, b""
            head += block[cursor : cursor + LEADING_BYTES - len(head)]
            position += len(block)
        if head.strip():
            yield start, head
