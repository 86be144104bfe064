"""Splits a response into reasoning and answer: once, in one place, for every benchmark.

The prompts of reasoning models end in `<think>`, so a response is reasoning, `</think>`, answer. What counts as answer
is all text outside the tags; a response that is cut before its reasoning closes has none. A tag inside a string of a
program, in a fenced block, is text: some programs are about tags.

>>> split_reasoning("3 + 4 is 7</think>The answer is \\\\boxed{7}.").answer
'The answer is \\\\boxed{7}.'
>>> split_reasoning("3 + 4 is", is_opened_by_prompt=True).is_closed
False
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Tag pairs of the models that are in use: DeepSeek-R1, Qwen, AceReason; then Sky-T1.
TAG_PAIRS = (("<think>", "</think>"), ("<|begin_of_thought|>", "<|end_of_thought|>"))
TAG = re.compile(r"</?think>|<\|(?:begin|end)_of_thought\|>")
STAND_INS = {tag: chr(0x10FF00 + number) for number, tag in enumerate(sum(TAG_PAIRS, ()))}  # signs that nobody uses
STRING = re.compile(r"(?<![\w\\])[A-Za-z]{0,2}(\"[^\"\n\\]*(?:\\.[^\"\n\\]*)*\"|'[^'\n\\]*(?:\\.[^'\n\\]*)*')(?!\w)")
MAX_LINE = 10_000  # a program's line that is longer is not looked at


@dataclass(frozen=True)
class SplitResponse:
    """`is_closed` is None when nothing says that the response holds reasoning at all: then the whole text is answer."""

    reasoning: str
    answer: str
    is_closed: bool | None


def split_reasoning(response: str, is_opened_by_prompt: bool | None = None) -> SplitResponse:
    """Splits one response.

    `is_opened_by_prompt`: True when the prompt ended in the opening tag; None when unknown, as for files of others.
    Text before a closing tag that nothing opened is reasoning too (the prompt must have opened it).
    """
    hidden = hide_quoted_tags(response)
    if hidden is not response:
        split = _split(hidden, is_opened_by_prompt)
        return SplitResponse(_show_tags(split.reasoning), _show_tags(split.answer), split.is_closed)
    return _split(response, is_opened_by_prompt)


def hide_quoted_tags(response: str) -> str:
    """The response with stand-ins for the tags that are text; the same object when there are none."""
    parts: list[str] = []
    position = counted_until = line_end = fences = 0
    for match in TAG.finditer(response):
        if match.start() < line_end:
            continue
        line_start = response.rfind("\n", 0, match.start()) + 1
        line_end = response.find("\n", match.end())
        line_end = len(response) if line_end < 0 else line_end
        line = response[line_start:line_end] if line_end - line_start <= MAX_LINE else ""
        fences += response.count("```", counted_until, line_start)
        counted_until = max(counted_until, line_start)
        shown = STRING.sub(_hide_tags, line) if fences % 2 and ("'" in line or '"' in line) else line
        if shown != line:
            parts += [response[position:line_start], shown]
            position = line_end
        else:  # a tag ends what was open before it
            fences, counted_until = 0, match.end()
    return "".join([*parts, response[position:]]) if parts else response


def _hide_tags(match: re.Match[str]) -> str:
    return TAG.sub(lambda tag: STAND_INS[tag.group()], match.group())


def _show_tags(text: str) -> str:
    for tag, stand_in in STAND_INS.items():
        text = text.replace(stand_in, tag)
    return text


def _split(response: str, is_opened_by_prompt: bool | None) -> SplitResponse:
    for opening, closing in TAG_PAIRS:
        end = response.find(closing)
        if end < 0 and opening not in response:
            continue
        is_open = bool(is_opened_by_prompt) or (end >= 0 and response.find(opening, 0, end) < 0)
        rest = end + len(closing)
        if is_open and end >= 0 and response.find(opening, rest) < 0 and response.find(closing, rest) < 0:
            return SplitResponse(
                response[:end], response[rest:], True
            )  # nearly all responses, with one look at each letter
        return _split_at_tags(response, opening, closing, is_open)
    if is_opened_by_prompt:
        return SplitResponse(response, "", False)
    return SplitResponse("", response, None)


def _split_at_tags(response: str, opening: str, closing: str, is_open: bool) -> SplitResponse:
    """Several tags, or none that closes: what stands between an opening and the next closing tag is reasoning."""
    inside: list[str] = []
    outside: list[str] = []
    position = 0
    while True:
        tag = closing if is_open else opening
        end = response.find(tag, position)
        text = response[position:] if end < 0 else response[position:end]
        (inside if is_open else outside).append(text.replace(opening, "") if is_open else text.replace(closing, ""))
        if end < 0:
            return SplitResponse("".join(inside), "".join(outside), not is_open)
        is_open = not is_open
        position = end + len(tag)
