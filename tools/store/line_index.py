"""Where each sample's line lies in the files of a growing folder: so a page reads one line, never a whole file.

A line of ours starts with its task id and ends with seed, finish reason and token count, so both ends are read by
pattern and the text between them (30 kB and more) is passed over; a line of another layout is parsed once, whole.
115 MB are indexed in about 0.2 s, and afterwards only what was appended is read.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "seed100.jsonl").write_text('{"task_id": "60", "output": "So 204.", "seed": 100}\\n')
>>> index = LineIndex(folder); index.refresh(); response_text(index.read("60", 100))
True
'So 204.'
"""

from __future__ import annotations

import dataclasses
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.store.generations import list_files
from tools.store.reading import RawLine, open_file, parse_json, read_raw_lines, to_count, to_seed, to_task_id

TASK_ID = re.compile(rb'\s*\{\s*"task_id":\s*("(?:[^"\\]|\\.){0,200}"|-?\d{1,18})\s*[,}]')
FINISH = re.compile(rb'"finish_reason":\s*"(\w{1,20})"')
SEED = re.compile(rb'"seed":\s*(\d{1,18})')
OUTPUT_TOKENS = re.compile(rb'"output_tokens":\s*(\d{1,12})')
HEAD_BYTES, TAIL_BYTES = 300, 400


@dataclasses.dataclass(frozen=True)
class IndexedLine:
    """One complete line. `finish_reason` and `output_tokens` are None where the file does not say."""

    path: Path
    offset: int
    length: int
    finish_reason: str | None
    output_tokens: int | None


@dataclasses.dataclass
class _FileState:
    """How far a file has been read, and which file it was (a rewritten one starts again)."""

    inode: int
    position: int = 0
    keys: set[tuple[str, int]] = dataclasses.field(default_factory=set)


class LineIndex:
    """Lines by (task_id, seed). `damaged` counts complete lines that are not a sample; `torn` the unfinished ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: dict[tuple[str, int], IndexedLine] = {}
        self.damaged: dict[str, int] = {}
        self.torn: set[str] = set()
        self._files: dict[Path, _FileState] = {}
        self._lock = threading.Lock()

    def refresh(self, slice_s: float | None = None) -> bool:
        """Reads what was appended since the last call; True when anything changed.

        With `slice_s` it stops after that many seconds, at the end of a file, and the next call goes on.
        """
        with self._lock:
            deadline = None if slice_s is None else time.monotonic() + slice_s
            before = self._positions()
            seed_of = {path: seed for seed, path in generation_files(self.folder)}
            for gone in set(self._files) - set(seed_of):
                self._forget(gone)
            for path, seed in seed_of.items():
                if deadline is not None and time.monotonic() > deadline:
                    break
                self._refresh_file(path, seed)
            return before != self._positions()

    def _positions(self) -> dict[Path, tuple[int, int]]:
        return {path: (state.inode, state.position) for path, state in self._files.items()}

    def read(self, task_id: str, seed: int) -> dict[str, object] | None:
        """The parsed line of one sample, None where there is none."""
        line = self.lines.get((task_id, seed))
        if line is None:
            return None
        try:
            with open_file(line.path) as file:
                file.seek(line.offset)
                return parse_object(file.read(line.length))
        except OSError:
            return None

    def _refresh_file(self, path: Path, seed: int) -> None:
        try:
            status = path.stat()
            state = self._files.get(path)
            if state is None or state.inode != status.st_ino or status.st_size < state.position:
                self._forget(path)
                state = self._files[path] = _FileState(status.st_ino)
            if status.st_size > state.position:
                self._read_appended(path, state, seed, status.st_size)
        except OSError:
            self._forget(path)

    def _forget(self, path: Path) -> None:
        state = self._files.pop(path, None)
        for key in state.keys if state else ():
            self.lines.pop(key, None)
        self.damaged.pop(path.name, None)
        self.torn.discard(path.name)

    def _read_appended(self, path: Path, state: _FileState, seed: int, size: int) -> None:
        for line in complete_lines(path, state.position, size):
            state.position = line.offset + line.length
            if not line.text.strip():
                continue
            entry = None if line.is_too_long else _describe_line(line.text, seed)
            if entry is None:
                self.damaged[path.name] = self.damaged.get(path.name, 0) + 1
                continue
            task_id, line_seed, finish_reason, output_tokens = entry
            key = task_id, line_seed
            state.keys.add(key)
            self.lines[key] = IndexedLine(path, line.offset, line.length, finish_reason, output_tokens)
        (self.torn.add if state.position < size else self.torn.discard)(path.name)


def generation_files(folder: Path) -> list[tuple[int, Path]]:
    """(seed, path) of the files of samples, by seed; none where the folder cannot be read."""
    try:
        return list_files(folder)
    except OSError:
        return []


def complete_lines(path: Path, start: int, end: int) -> Iterator[RawLine]:
    """Every line between two offsets that ends in a newline or is too long."""
    with open_file(path) as file:
        file.seek(start)
        for line in read_raw_lines(file):
            if line.offset + line.length > end or not (line.is_too_long or line.text.endswith(b"\n")):
                return
            yield line


def _describe_line(line: bytes, seed: int) -> tuple[str, int, str | None, int | None] | None:
    """(task_id, seed, finish reason, output tokens); None for a line that is no sample."""
    head = TASK_ID.match(line, 0, HEAD_BYTES)
    if head and line.rstrip().endswith(b"}"):
        # A quotation mark inside a text is written \\", so these patterns meet keys only, never a response.
        tail = line[-TAIL_BYTES:]
        finish, tokens, own_seed = FINISH.search(tail), OUTPUT_TOKENS.search(tail), SEED.search(tail)
        try:
            task_id = to_task_id(json.loads(head[1]))
        except ValueError:
            return None
        return (
            task_id,
            int(own_seed[1]) if own_seed else seed,
            finish[1].decode() if finish else None,
            int(tokens[1]) if tokens else None,
        )
    row = parse_object(line)
    if row is None or "task_id" not in row:
        return None
    try:
        task_id, own = to_task_id(row["task_id"]), row.get("seed")
        line_seed = seed if own is None else to_seed(own)
        output_tokens = to_count(row.get("output_tokens"), "output_tokens")
    except ValueError:
        return None
    finish_reason = row.get("finish_reason")
    return task_id, line_seed, finish_reason if isinstance(finish_reason, str) else None, output_tokens


def response_text(row: Mapping[str, object] | None) -> str | None:
    """What the model said, in a line of ours or of the original toolkit; None where nothing does."""
    texts = (row.get(name) for name in ("output", "generation")) if row else ()
    return next((text for text in texts if isinstance(text, str)), None)


def parse_object(line: bytes) -> dict[str, object] | None:
    """The JSON object of one line, None when it is not one. Bytes that are no UTF-8 become U+FFFD."""
    try:
        row = parse_json(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
