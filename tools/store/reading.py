"""Reading files that somebody else may have made: only regular files, one line of bounded length at a time, plain JSON.

A folder that was downloaded may hold a pipe (opening it waits for ever), a link to /dev/zero (it never ends), a line of
gigabytes or 100 000 brackets. Everything that reads a file of a run or of problems opens it here.

>>> import tempfile
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> os.mkfifo(folder / "seed1.jsonl")
>>> open_file(folder / "seed1.jsonl")
Traceback (most recent call last):
OSError: [Errno 22] it is a pipe where a file is expected
>>> parse_json(b'{"seed": 1, "seed": 2}')
Traceback (most recent call last):
ValueError: the key 'seed' stands there twice
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import pathlib
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO

from tools.store.checksums import sha256

# No response, verdict or row of results is longer; ten million tokens of text are shorter.
MOST_LINE_BYTES = 64 << 20
READ_AHEAD_BYTES = 1 << 18  # responses are long: the default would fetch each one in pieces
HEAD_BYTES = 1 << 12  # what is kept of a line that is too long
BLOCK_BYTES = 1 << 22
MOST_SEED_DIGITS = 18  # a seed is a number of 64 bits everywhere else
MOST_COST = 1e6  # of one sample: what is more is no price
KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
)


def open_file(path: pathlib.Path | str) -> BinaryIO:
    """A regular file, opened for reading without ever waiting. Raises OSError; `strerror` says what else it is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        check_regular(descriptor)
        return os.fdopen(descriptor, "rb", buffering=READ_AHEAD_BYTES)
    except BaseException:
        os.close(descriptor)
        raise


def check_regular(descriptor: int) -> None:
    """Raises OSError when an open descriptor is not of a regular file."""
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in KINDS if is_kind(mode)), "something else")
        raise OSError(errno.EINVAL, f"it is {kind} where a file is expected")


def read_small(path: pathlib.Path, most_bytes: int) -> bytes:
    """A whole file that has to be small. Raises OSError, also for one that is larger."""
    with open_file(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {most_bytes >> 20} MiB and was not read")
    return content


@dataclasses.dataclass(frozen=True)
class RawLine:
    """One line with its end: number from 1, place and length in bytes. Of a line that is too long `text` is the head."""

    number: int
    offset: int
    length: int
    text: bytes
    is_too_long: bool = False


def read_raw_lines(file: BinaryIO, most_bytes: int = MOST_LINE_BYTES) -> Iterator[RawLine]:
    """The lines of an open file from where it stands. Lines end at "\\n" only: texts may hold U+2028.

    What follows in a line that is too long is passed over block by block and never held in memory.
    """
    number, offset = 0, file.tell()
    while text := file.readline(most_bytes + 1):
        number += 1
        length, is_too_long = len(text), len(text) > most_bytes
        if is_too_long:
            text, rest = text[:HEAD_BYTES], text
            while not rest.endswith(b"\n") and (rest := file.readline(BLOCK_BYTES)):
                length += len(rest)
        yield RawLine(number, offset, length, text, is_too_long)
        offset += length


def parse_json(text: bytes | str) -> Any:
    """JSON as `json.loads` reads it, but a key that stands there twice is an error. Raises ValueError, nothing else."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8" if text[:1] == b"{" else json.detect_encoding(text), "surrogatepass")
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {name[:40]!r} stands there twice")
    return row


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct)  # made once: it costs more than reading a short line


def has_lone_surrogate(text: str) -> bool:
    r"""Whether half of a surrogate pair stands in a text: such a text can be kept, but neither printed nor be a name.

    >>> has_lone_surrogate("a\ud800"), has_lone_surrogate("a\U0001f600")
    (True, False)
    """
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def to_task_id(value: Any) -> str:
    """A problem's id: a text, or a whole number as its digits. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"task_id is {name_type(value)} where a text is expected")
    if has_lone_surrogate(value):
        raise ValueError("task_id holds half of a surrogate pair")
    return value


def to_seed(value: Any) -> int:
    """A seed: a whole number, also as its digits. Floats, booleans and numbers beyond 64 bits are none. Raises ValueError."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MOST_SEED_DIGITS:
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"seed is {name_type(value)} where a whole number is expected")
    if not 0 <= value < 10**MOST_SEED_DIGITS:
        raise ValueError("seed is not between 0 and 10^18")
    return value


def to_count(value: Any, name: str) -> int | None:
    """A number of tokens, None where it is not said. Raises ValueError."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**MOST_SEED_DIGITS:
        raise ValueError(f"{name} is {name_type(value)} where a number of tokens is expected")
    return value


def to_cost(value: Any) -> float | None:
    """US dollars; None where it is not said, or said in a way of others.

    >>> to_cost(0.25), to_cost({"usd": 1}), to_cost(float("nan"))
    (0.25, None, None)
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < MOST_COST else None


def to_text_or_none(value: Any, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is {name_type(value)} where a text is expected")
    return value


def name_type(value: Any) -> str:
    """A JSON value's kind in words.

    >>> name_type([1]), name_type(True), name_type(2.5), name_type(None)
    ('a list', 'true', '2.5', 'null')
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int) and value.bit_length() > 64:
        return "a very large number"
    words: dict[Any, str] = {str: "a text", list: "a list", dict: "an object"}
    return words.get(type(value), repr(value))


def checksum_of(text: bytes | str) -> str:
    """A short hash by which a changed row is seen; it keeps nobody from computing it anew."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return sha256(data).hexdigest()[:16]
