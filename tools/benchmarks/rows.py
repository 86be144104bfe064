"""The rows of a problem file, one in memory at a time: where each lies, which id it has, and its leading fields alone.

One order of id fields holds for everybody, so that a problem has the same id when it is asked, graded and viewed.

>>> find_id({"id": "60", "question_id": "abc301_a"}, 0), find_id({"problem": "1+1?"}, 7)
('60', '7')
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tools.benchmarks.answers import field_of
from tools.errors import DataError
from tools.records import JsonObject, JsonRow
from tools.store.reading import has_lone_surrogate, open_file, parse_json, read_raw_lines, to_task_id

if TYPE_CHECKING:
    import hashlib

# The first one that a row has is its id. This is the order in which version 0.1 named what it sampled, so its folders
# keep their ids. Of 40 published files of benchmarks that were looked at, none has two of these fields; LiveCodeBench
# has question_id, HumanEval and MBPP task_id, MATH-500 unique_id. A set whose id has another name (IFEval: key) says so
# in its entry (id_field), because "key" may well be the right answer in a file of one's own.
ID_FIELDS = ("id", "question_id", "task_id", "unique_id")
STATEMENT_FIELDS = ("problem", "question_content", "question", "prompt", "text")
CAPITALS = ("Problem", "Question", "Answer")
# Several GB when decoded, and not needed for asking: graders read them from the file, problem by problem.
HEAVY_FIELDS = (
    "private_test_cases",
    "public_test_cases",
    "test",
    "test_list",
    "base_input",
    "plus_input",
    "official_tests",
)
# A row longer than this also leaves its long lists and objects in the file, whatever their names; texts may be asked.
LONG_ROW_BYTES = 1 << 16
HEAVY_CHARS = LONG_ROW_BYTES // 4
# Longer than any statement with its starter code and public tests; private tests come after these.
LEADING_BYTES = 256 << 10
BLOCK_BYTES = 1 << 22
MOST_ROW_BYTES = 256 << 20  # the tests of one problem of LiveCodeBench are tens of megabytes
_DECODER = json.JSONDecoder(strict=False)


@dataclasses.dataclass(frozen=True)
class Line:
    """One line that is not blank: its number from 1, its place in bytes, and its bytes with the line end."""

    number: int
    offset: int
    text: bytes


def read_lines(path: pathlib.Path, digest: hashlib._Hash | None = None) -> Iterator[Line]:
    """The lines of a file; `digest` is fed every byte of it. Lines end at "\\n" only: statements may hold U+2028.

    Raises DataError when the file cannot be read.
    """
    try:
        with open_file(path) as file:
            for line in read_raw_lines(file, MOST_ROW_BYTES):
                if line.is_too_long:
                    raise DataError(
                        f"{path}, line {line.number}: {line.length >> 20} MiB long, and a row may have {MOST_ROW_BYTES >> 20}; "
                        "put one problem on a line"
                    )
                if digest is not None:
                    digest.update(line.text)
                if line.text.strip():
                    yield Line(line.number, line.offset, line.text)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error


def parse_row(text: bytes, where: str) -> JsonObject:
    """One line as an object. Raises DataError that says where."""
    try:
        row = parse_json(text)
    except ValueError as error:
        raise DataError(
            f"{where}: not JSON ({error}); restore this line, or delete the file to fetch it again"
        ) from error
    if isinstance(row, list):
        raise DataError(
            f"{where}: a list where an object is needed; put each problem on a line of its own (`jq -c '.[]' FILE > FILE.jsonl`)"
        )
    if not isinstance(row, dict):
        raise DataError(f"{where}: a {type(row).__name__} where an object with id, problem and answer is needed")
    return row


def rename_fields(row: JsonObject, names: Mapping[str, str]) -> JsonObject:
    """The row under the names of this toolkit; a field that has such a name already stays as it is."""
    wanted = {old: new for old, new in names.items() if old in row and new not in row}
    return {wanted.get(name, name): value for name, value in row.items()} if wanted else row


def find_id(row: JsonRow, index: int, field: str | None = None) -> str:
    """The id of a row, in `field` where that is told; a row without one is named by its number, from 0.

    Raises ValueError for an id that is no name.
    """
    if field is not None and row.get(field) is not None:
        return to_task_id(row[field])
    found = next((row[field] for field in ID_FIELDS if row.get(field) is not None), None)
    # Names in capitals were refused by version 0.1, so no folder of its time has other ids for them.
    if found is None and any(row.get(name) is not None for name in CAPITALS):
        found = row.get("ID", row.get("Id"))
    return str(index) if found is None else to_task_id(found)


def find_statement(row: JsonRow) -> str | None:
    """What is asked, in the first field that holds a text. Raises ValueError for one that no tokenizer reads."""
    texts = (field_of(row, field) for field in STATEMENT_FIELDS)
    found = next((text for text in texts if isinstance(text, str)), None)
    if found is None and (turns := asked_turns(row)):  # MT-bench: the first thing that the user says
        found = turns[0]
    if found is None and (said := conversation(row)):  # WildBench: the last
        found = said[-1][1]
    if found is not None and has_lone_surrogate(found):
        raise ValueError("the statement holds half of a surrogate pair")
    return found


def asked_turns(row: JsonRow) -> tuple[str, ...]:
    """What the user says turn by turn, of a problem that has several.

    >>> asked_turns({"turns": ["Write a poem.", "Now in prose."]}), asked_turns({"problem": "1 + 1?"})
    (('Write a poem.', 'Now in prose.'), ())
    """
    turns = row.get("turns")
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        return ()
    return tuple(turns)


def conversation(row: JsonRow) -> tuple[tuple[str, str], ...]:
    """(role, text) of what was said so far and waits for an answer, of a problem that brings a conversation.

    >>> conversation({"conversation_input": [{"role": "user", "content": "Hello.", "language": "English"}]})
    (('user', 'Hello.'),)
    """
    said = row.get("conversation_input")
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        return ()
    return tuple((str(each.get("role")), str(each.get("content") or "")) for each in said)


def light_fields(row: JsonRow, length: int) -> JsonObject:
    """A row without what need not stay in memory: its tests. `length` is that of the whole row in bytes."""
    kept = {name: value for name, value in row.items() if name not in HEAVY_FIELDS}
    tests = row.get("test_list") or row.get("test")
    if isinstance(tests, list) and tests and isinstance(tests[0], str) and len(tests[0]) < HEAVY_CHARS:
        kept.setdefault("first_test", tests[0])  # MBPP's statements do not name the function; its first assertion does
    if length <= LONG_ROW_BYTES:
        return kept
    return {name: value for name, value in kept.items() if not _is_heavy(value)}


def _is_heavy(value: Any) -> bool:
    return isinstance(value, (list, dict)) and len(json.dumps(value)) > HEAVY_CHARS


def leading_fields(text: bytes) -> JsonObject:
    """Fields of a JSON object up to where the text is cut off or no longer JSON.

    >>> leading_fields(b'{"id": "60", "problem": "What is 1+1?", "tests": "eJxL')
    {'id': '60', 'problem': 'What is 1+1?'}
    """
    decoded = text.decode("utf-8", "replace")
    fields: JsonObject = {}
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


def read_line_heads(path: pathlib.Path) -> Iterator[tuple[int, bytes]]:
    """(offset, leading bytes) of every line that is not blank, without holding a long line in memory. Raises OSError."""
    with open_file(path) as file:
        position, start, head = 0, 0, b""
        while block := file.read(BLOCK_BYTES):
            cursor = 0
            while (end := block.find(b"\n", cursor)) >= 0:
                head += block[cursor : min(end, cursor + LEADING_BYTES - len(head))]
                if head.strip():
                    yield start, head
                cursor, start, head = end + 1, position + end + 1, b""
            head += block[cursor : cursor + LEADING_BYTES - len(head)]
            position += len(block)
        if head.strip():
            yield start, head
