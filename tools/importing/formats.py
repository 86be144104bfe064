r"""What each other toolkit's files say, as one record a response: which problem, which sample, which text.

>>> row = {"problem": "1+1?", "expected_answer": "2", "generation": "So \\boxed{2}."}
>>> [answer] = read_rows(ForeignFormat.NEMO_SKILLS, [(1, row)])
>>> answer.statement, answer.gold, answer.text
('1+1?', '2', 'So \\boxed{2}.')
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tools.errors import DataError
from tools.store.foreign import (
    ID_FIELDS,
    MOST_WHOLE_BYTES,
    QUESTION_FIELDS,
    TEXT_FIELDS,
    ForeignFormat,
)
from tools.store.reading import open_file, parse_json, read_raw_lines, read_small

Row = Mapping[str, Any]
FINISHES = {
    "stop": "stop", "eos": "stop", "end_turn": "stop", "stop_sequence": "stop", "eos_token": "stop",
    "length": "length", "max_tokens": "length", "max_length": "length",
}  # fmt: skip
GOLD_FIELDS = ("expected_answer", "gold_answer", "gold", "target", "answer", "Answer")


@dataclasses.dataclass(frozen=True)
class ForeignAnswer:
    """One response. `text` is None where the row holds an error instead; `place` is within the problem's list."""

    line: int
    names: tuple[str, ...]
    statement: str | None
    gold: str | None
    text: str | None
    place: int = 0
    row_number: int | None = None  # of the problem, from 0, where the format counts them
    finish_reason: str | None = None
    output_tokens: int | None = None


def read_rows(found: ForeignFormat, rows: Iterable[tuple[int, Row]]) -> Iterator[ForeignAnswer]:
    """Every response of (line, row) pairs. Raises ValueError where a row is not of the format."""
    reader = READERS[found]
    for line, row in rows:
        try:
            yield from reader(line, row)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"line {line}: not {found.words} ({type(error).__name__}: {error})") from error


def load_rows(path: pathlib.Path, found: ForeignFormat) -> Iterator[tuple[int, Row]]:
    """(line, row) of a file, or of a JSON value that is the whole file. Raises DataError."""
    if path.suffix == ".json":
        try:
            whole = parse_json(read_small(path, MOST_WHOLE_BYTES))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read ({error})") from error
        rows = whole if isinstance(whole, list) else [whole]
        yield from ((number, _to_row(row, path, number)) for number, row in enumerate(rows, 1))
        return
    try:
        with open_file(path) as file:
            for line in read_raw_lines(file):
                if line.text.strip():
                    yield line.number, _parse(line.text, path, line.number)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _parse(text: bytes, path: pathlib.Path, number: int) -> Row:
    try:
        return _to_row(parse_json(text), path, number)
    except ValueError as error:
        raise DataError(f"{path}, line {number}: not JSON ({error})") from error


def _to_row(row: Any, path: pathlib.Path, number: int) -> Row:
    if not isinstance(row, dict):
        raise DataError(f"{path}, line {number}: no object")
    return row


def _nemo_skills(line: int, row: Row) -> Iterator[ForeignAnswer]:
    yield from _plain(line, row)


def _lm_eval(line: int, row: Row) -> Iterator[ForeignAnswer]:
    doc: Row = row["doc"] if isinstance(row.get("doc"), dict) else {}
    texts = row["resps"][0] if row["resps"] and isinstance(row["resps"][0], list) else row["resps"]
    for place, text in enumerate(texts):
        yield ForeignAnswer(
            line, names_in(doc), statement_in(doc), _text(row.get("target")), _text_of(text), place, _number(row.get("doc_id"))
        )  # fmt: skip


def _openai_batch(line: int, row: Row) -> Iterator[ForeignAnswer]:
    response = row.get("response") or {}
    body = response.get("body") or {}
    choices = body.get("choices") or [None]
    for place, choice in enumerate(choices):
        message = (choice or {}).get("message")
        text = content_of(message) if message else (choice or {}).get("text")
        yield ForeignAnswer(
            line, (str(row["custom_id"]),), None, None, text, place,
            finish_reason=finish_of((choice or {}).get("finish_reason")),
            output_tokens=_number((body.get("usage") or {}).get("completion_tokens")) if len(choices) == 1 else None,
        )  # fmt: skip


def _matharena(line: int, row: Row) -> Iterator[ForeignAnswer]:
    messages = row.get("messages", row.get("all_messages"))
    if isinstance(messages, str):
        messages = parse_json(messages)
    conversations = messages if messages and isinstance(messages[0], list) else [messages]
    for place, conversation in enumerate(conversations):
        said = [message for message in conversation if message.get("role") == "assistant"]
        asked = next((content_of(message) for message in conversation if message.get("role") == "user"), None)
        place = _number(row.get("idx_answer")) or place
        yield ForeignAnswer(
            line, names_in(row), statement_in(row) or asked, _text(row.get("gold_answer")),
            content_of(said[-1]) if said else None, place, output_tokens=_number(row.get("output_tokens")),
        )  # fmt: skip


def _evalchemy(line: int, row: Row) -> Iterator[ForeignAnswer]:
    for results in row["results"].values():
        for example in results.get("examples", ()) if isinstance(results, dict) else ():
            yield from _plain(line, example)


def _plain(line: int, row: Row) -> Iterator[ForeignAnswer]:
    value = next((row[name] for name in TEXT_FIELDS if row.get(name) is not None), None)
    values = value if isinstance(value, list) else [value]
    tokens = _number(row.get("num_generated_tokens", row.get("output_tokens"))) if len(values) == 1 else None
    gold = next((row[name] for name in GOLD_FIELDS if row.get(name) is not None), None)
    for place, text in enumerate(values):
        yield ForeignAnswer(
            line, names_in(row), statement_in(row), _text(gold), _text_of(text), place,
            finish_reason=finish_of(row.get("finish_reason")), output_tokens=tokens,
        )  # fmt: skip


READERS: dict[ForeignFormat, Callable[[int, Row], Iterator[ForeignAnswer]]] = {
    ForeignFormat.NEMO_SKILLS: _nemo_skills,
    ForeignFormat.LM_EVAL: _lm_eval,
    ForeignFormat.OPENAI_BATCH: _openai_batch,
    ForeignFormat.MATHARENA: _matharena,
    ForeignFormat.EVALCHEMY: _evalchemy,
    ForeignFormat.PLAIN: _plain,
}


def content_of(message: Row) -> str | None:
    """What a chat message says: its reasoning inside marks, then its text. None where it says nothing."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part.get("text") or "" for part in content if isinstance(part, dict))
    reasoning = next((message[name] for name in ("reasoning_content", "reasoning") if message.get(name)), None)
    if isinstance(reasoning, str) and "</think>" not in (content or ""):
        return f"<think>\n{reasoning}\n</think>\n\n{content or ''}"
    return content if isinstance(content, str) else None


def names_in(row: Row) -> tuple[str, ...]:
    found = [row[name] for name in (*ID_FIELDS, "ID") if row.get(name) is not None]
    return tuple(str(name) for name in found if isinstance(name, (str, int)) and not isinstance(name, bool))


def statement_in(row: Row) -> str | None:
    return next((row[name] for name in QUESTION_FIELDS if isinstance(row.get(name), str)), None)


def finish_of(reason: object) -> str | None:
    return FINISHES.get(reason.lower()) if isinstance(reason, str) else None


def _text(value: Any) -> str | None:
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _text_of(value: Any) -> str | None:
    if isinstance(value, dict):
        value = next(
            (value[name] for name in ("text", "content", *TEXT_FIELDS) if isinstance(value.get(name), str)), None
        )
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
