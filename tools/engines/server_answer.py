"""What servers answer, read once: a stream of events or one JSON object, with the habits of many servers.

All of it is data of others: each field is looked at before it is used, text is joined into what UTF-8 can hold, and an
answer has a size at most. Reasoning that a server gives apart (`reasoning`, `reasoning_content`, `reasoning_details`, or
parts of a content list) is put back before the answer in the usual marks, once, also where the text has it already.

>>> row = b'{"choices": [{"message": {"content": "It is 7.", "reasoning": "3 + 4"}, "finish_reason": "stop"}]}'
>>> read_answer([row]).text
'<think>\\n3 + 4\\n</think>\\n\\nIt is 7.'
>>> read_answer([b'data: {"choices": [{"text": "7", "finish_reason": "eos_token"}]}\\n\\n']).ending
<Ending.STOP: 'stop'>
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tools.engines.server_connection import AnswerTooLarge, ConnectionBroken
from tools.engines.server_faults import ServerFault, read_fault
from tools.errors import RequestFailed
from tools.models.formats import FORMATS
from tools.models.reasoning import split_reasoning

MOST_TEXT = 1 << 26  # characters, where the caller says nothing
LONGEST_EVENT = 4 << 20  # bytes; a whole answer that is no stream is one event
PEEK_BYTES = 4096
DEEPEST_LIST = 4
MOST_TOP_LOGPROBS, LONGEST_TOKEN = 64, 200
MOST_TOKENS = 1 << 40
REASONING_KEYS = ("reasoning", "reasoning_content", "reasoning_details")


class Ending(enum.Enum):
    """Why an answer ended, in our words."""

    STOP = "stop"
    LENGTH = "length"
    FILTERED = "content_filter"
    BROKEN = "broken"
    UNSAID = "unsaid"


# Parts of the words by which servers name the reason; what has none of them ended by itself (eos_token, end_turn, ...).
ENDING_WORDS = (
    (Ending.FILTERED, re.compile(r"filter|safety|refus|block|recitation|prohibited|moderation|sensitive|guardrail")),
    (Ending.BROKEN, re.compile(r"error|abort|cancel|fail|timeout|time_limit|insufficient|overload|interrupt")),
    (Ending.LENGTH, re.compile(r"length|max|limit|budget|truncat|incomplete")),
)


@dataclasses.dataclass(frozen=True)
class ServerAnswer:
    """One whole answer. Token counts are None where the server does not say them."""

    text: str
    ending: Ending
    said: str  # the server's own word for the ending
    prompt_tokens: int | None
    output_tokens: int | None
    first_tokens: Mapping[str, float] | None = None  # log-probabilities of what could have stood first, if asked for


def read_answer(
    parts: Iterable[bytes],
    *,
    on_end: Callable[[], None] = lambda: None,
    on_more: Callable[[], None] = lambda: None,
    most_text: int = MOST_TEXT,
) -> ServerAnswer:
    """Reads a body to its end. `on_end` is called when the answer itself is whole and only its trailer may follow,
    `on_more` when text comes all the same: some servers name a finish reason in every event.

    Raises ServerFault (an error inside the answer), ConnectionBroken (it is cut off), AnswerTooLarge, RequestFailed.
    """
    parts = iter(parts)
    begin, is_stream = _peek(parts)
    parts = itertools.chain([begin], parts)
    reader = AnswerReader(most_text, is_stream=is_stream)
    ended_at: int | None = None  # how much text could follow when the end was told
    goes_on = False
    try:
        for event in read_events(parts) if is_stream else [read_whole(parts, LONGEST_EVENT + most_text)]:
            if event == "[DONE]":
                reader.is_done = True
                break
            reader.add_event(event)
            if reader.finish is None or goes_on:
                continue
            if ended_at is None:
                ended_at = reader.room
                on_end()
            elif reader.room != ended_at:
                goes_on = True
                on_more()
    except RequestFailed:
        if ended_at is None or goes_on or reader.fault:  # else only what follows the end is missing
            raise
    return reader.result()


def _peek(parts: Iterator[bytes]) -> tuple[bytes, bool]:
    """What came until the first sign that is no space, and whether it begins a stream of events."""
    buffer = b""
    for part in parts:
        buffer += part
        if start := buffer[:PEEK_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n"):
            return buffer, not start.startswith((b"{", b"[", b"<"))
        if len(buffer) > PEEK_BYTES:
            break
    return buffer, False


def read_whole(parts: Iterable[bytes], longest: int) -> str:
    """A body that is no stream."""
    buffer = bytearray()
    for part in parts:
        buffer += part
        if len(buffer) > longest:
            raise AnswerTooLarge(
                f"the answer has more than {longest >> 20} MiB; this server does not keep to OUT_SEQ_LEN"
            )
    return buffer.decode("utf-8", "replace")


def read_events(parts: Iterable[bytes], longest: int = LONGEST_EVENT) -> Iterator[str]:
    """The data of each event of a stream.

    >>> list(read_events([b'data: {"a', b'": 1}\\n\\n: a comment\\n\\n', b'data: [DONE]']))
    ['{"a": 1}', '[DONE]']
    """
    buffer = bytearray()
    looked = 0
    for part in parts:
        buffer += part
        if b"\r" in part:
            buffer, looked = buffer.replace(b"\r\n", b"\n"), 0
        end = buffer.rfind(b"\n\n", max(0, looked - 1))
        if end < 0:
            looked = len(buffer)
            if looked > longest:
                raise AnswerTooLarge(f"one event has more than {longest >> 20} MiB; this is no stream of tokens")
            continue
        text = buffer[:end].decode("utf-8", "replace")
        del buffer[: end + 2]
        looked = len(buffer)
        for block in text.split("\n\n"):
            if block.startswith("data: ") and "\n" not in block:
                yield block[6:]
            else:
                yield from _data_of(block)
    yield from _data_of(buffer.decode("utf-8", "replace").replace("\r", ""))


def _data_of(block: str) -> list[str]:
    """The data of an event with other fields or several lines: one text, or each line where each is whole by itself."""
    lines = [line[5:].strip() for line in block.split("\n") if line.startswith("data:")]
    if len(lines) < 2:
        return [line for line in lines if line]
    whole = "\n".join(lines)
    return [line for line in lines if line] if _parse(whole) is None else [whole]


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


class AnswerReader:
    """Puts an answer together from the objects of a stream, or from the one object that is all of it."""

    def __init__(self, most_text: int, *, is_stream: bool) -> None:
        self.finish: str | None = None
        self.is_done = False
        self.fault: ServerFault | None = None
        self._content: list[str] = []
        self._reasoning: dict[str, list[str]] = {}
        self._refusal: list[str] = []
        self._usage: list[int | None] = [None, None]  # of the prompt, of the answer
        self.room = most_text
        self._has_choice, self._is_stream = False, is_stream
        self._first_tokens: Mapping[str, float] | None = None

    def add_event(self, text: str) -> None:
        """Raises ServerFault, AnswerTooLarge, RequestFailed."""
        row = _parse(text)
        if not isinstance(row, dict):
            raise RequestFailed(f"the server's answer is not a completion: {text[:80]!r}")
        if row.get("error") or row.get("object") == "error":
            self.fault = read_fault(200, text)
            raise self.fault
        usage = row.get("usage")
        if usage is not None:
            self._add_usage(usage)
        choices = row.get("choices")
        if type(choices) is not list:
            if choices is None and (usage is not None or self._has_choice):
                return
            raise RequestFailed("the server's answer is not a completion: it has no choices")
        for choice in choices:
            if isinstance(choice, dict) and choice.get("index") in (0, None):
                self._add_choice(choice)

    def _add_choice(self, choice: Any) -> None:
        self._has_choice = True
        delta = choice.get("delta")
        if delta is None:
            delta = choice.get("message")
        if delta is None:
            delta = choice
            if isinstance(content := choice.get("text"), str):
                self._take(self._content, content)
        elif type(delta) is not dict:
            raise RequestFailed("the server's answer is not a completion: its message is no object")
        else:
            content = delta.get("content")
            if type(content) is str:
                self._take(self._content, content)
            elif content is not None:
                self._add_list(content, DEEPEST_LIST, is_reasoning=False)
            if isinstance(refusal := delta.get("refusal"), str):
                self._take(self._refusal, refusal)
        for key in REASONING_KEYS:
            if value := delta.get(key):
                pieces = self._reasoning.setdefault(key, [])
                for piece in _texts(value, DEEPEST_LIST):
                    self._take(pieces, piece)
        if self._first_tokens is None and (logprobs := choice.get("logprobs")):
            self._first_tokens = read_first_tokens(logprobs)
        finish = choice.get("finish_reason")
        if finish and finish != "null":
            self.finish = finish if isinstance(finish, str) else str(finish)[:40]
        if choice.get("error"):
            self.fault = read_fault(200, json.dumps({"error": choice["error"]}))
            raise self.fault

    def _take(self, pieces: list[str], text: str) -> None:
        self.room -= len(text)
        if self.room < 0:
            raise AnswerTooLarge("the answer's text is longer than OUT_SEQ_LEN allows; this server does not keep to it")
        pieces.append(text)

    def _add_list(self, content: object, depth: int, *, is_reasoning: bool) -> None:
        """A content that is a list: texts, and thoughts with their type."""
        for item in content if isinstance(content, list) else [content]:
            if isinstance(item, str):
                self._take(self._reasoning.setdefault("content", []) if is_reasoning else self._content, item)
            elif isinstance(item, dict) and depth:
                kind = str(item.get("type", ""))
                is_thought = is_reasoning or "think" in kind or "reason" in kind
                inner = next((item[key] for key in ("thinking", "text", "summary", "content") if item.get(key)), None)
                if inner is not None:
                    self._add_list(inner, depth - 1, is_reasoning=is_thought)

    def _add_usage(self, usage: object) -> None:
        if isinstance(usage, dict):
            for place, names in enumerate((("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"))):
                counts = [count for name in names if (count := _count(usage.get(name))) is not None]
                self._usage[place] = counts[0] if counts else self._usage[place]

    def result(self) -> ServerAnswer:
        """Raises ConnectionBroken for a stream without its end, RequestFailed for one without an answer."""
        if not self._has_choice:
            raise RequestFailed("the server's answer is not a completion: it is empty")
        if self._is_stream and self.finish is None and not self.is_done:
            raise ConnectionBroken("the server ended the stream in the middle of its answer")
        content = _as_utf8("".join(self._content) or "".join(self._refusal))
        reasoning = next((text for pieces in self._ordered_reasoning() if (text := _as_utf8("".join(pieces)))), "")
        prompt_tokens, output_tokens = self._usage
        said = self.finish or ""
        text = join_reasoning(reasoning, content)
        return ServerAnswer(text, read_ending(said), said, prompt_tokens, output_tokens, self._first_tokens)

    def _ordered_reasoning(self) -> Iterator[list[str]]:
        return (self._reasoning[key] for key in ("content", *REASONING_KEYS) if key in self._reasoning)


def read_first_tokens(logprobs: object) -> Mapping[str, float] | None:
    """The most likely first tokens, from `logprobs` of a chat completion; None where they are not told.

    >>> read_first_tokens({"content": [{"token": "m", "top_logprobs": [{"token": "m", "logprob": -0.1}]}]})
    {'m': -0.1}
    """
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    first = content[0] if isinstance(content, list) and content else None
    told = first.get("top_logprobs") if isinstance(first, dict) else None
    if not isinstance(told, list):
        return None
    found = {}
    for row in told[:MOST_TOP_LOGPROBS]:
        if isinstance(row, dict) and isinstance(row.get("token"), str) and type(row.get("logprob")) in (int, float):
            found[_as_utf8(row["token"][:LONGEST_TOKEN])] = float(row["logprob"])
    return found or None


def join_reasoning(reasoning: str, content: str) -> str:
    """The whole text of an answer whose reasoning came apart; that which the content repeats is there once."""
    thoughts = reasoning.strip()
    if not thoughts:
        return content
    parts = split_reasoning(content)
    if parts.is_closed is not None and thoughts in parts.reasoning:
        return content
    if content.lstrip().startswith(thoughts) and len(content.strip()) > len(thoughts):
        content = content.lstrip()[len(thoughts) :].lstrip()
    return FORMATS["think"].wrap(reasoning, content)


def read_ending(said: str) -> Ending:
    """Our word for a server's finish reason."""
    word = said.lower()
    if not word or word in ("null", "none", "unknown", "unspecified", "finish_reason_unspecified"):
        return Ending.UNSAID
    return next((ending for ending, words in ENDING_WORDS if words.search(word)), Ending.STOP)


def _texts(value: object, depth: int) -> Iterator[str]:
    """The texts of a field that is a text, or a list of parts with a text or a summary each."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth:
        for item in value:
            yield from _texts(item, depth - 1)
    elif isinstance(value, dict) and depth:
        for key in ("text", "summary", "content", "thinking"):
            if value.get(key):
                yield from _texts(value[key], depth - 1)
                return


def _count(value: object) -> int | None:
    """A number of tokens, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    return int(value) if 0 <= value < MOST_TOKENS and value == int(value) else None


def _as_utf8(text: str) -> str:
    """Halves of a surrogate pair that came in two pieces are joined; those that stay alone become U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
