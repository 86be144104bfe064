"""Splits a response into reasoning and answer: once, in one place, for every benchmark, grader and view.

The prompts of many reasoning models end in an opening mark, so a response is reasoning, closing mark, answer. What
counts as answer is all text outside the marks; a response that is cut before its reasoning closes has none. The format
of a run stands in its manifest; for files of others it is told from the text (tools/models/formats.py has them all).

>>> split_reasoning("3 + 4 is 7</think>The answer is \\\\boxed{7}.").answer
'The answer is \\\\boxed{7}.'
>>> split_reasoning("3 + 4 is", is_opened_by_prompt=True).is_closed
False
>>> split_response(Generation("60", 100, "[THINK]3 + 4[/THINK]It is 7.")).answer
'It is 7.'
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable

from tools.errors import UsageError
from tools.models.formats import FENCE, FORMATS, Marks, ReasoningFormat, SplitResponse
from tools.records import Generation, Response

__all__ = [
    "FORMATS", "ReasoningFormat", "SplitResponse", "closes_reasoning", "detect_format", "find_format",
    "find_opened_format", "find_template_format", "opens_itself", "split_reasoning", "split_response",
]  # fmt: skip

DEFAULT_FORMAT = FORMATS["think"]
# Wrappers that some models put around the answer, after the reasoning.
ANSWER_TAGS = tuple(
    spelling for name in ("answer", "response", "output", "solution") for spelling in (name, name.title(), name.upper())
)
BOX_BEGIN, BOX_END = "<|begin_of_box|>", "<|end_of_box|>"  # GLM's marks around the final answer
LONGEST_BOX = 200


def find_format(name: str) -> ReasoningFormat:
    """The format of that name. Raises UsageError."""
    try:
        return FORMATS[name]
    except KeyError:
        raise UsageError(f"REASONING_FORMAT={name} is unknown; choose {', '.join(FORMATS)}") from None


def split_response(
    generation: Generation, *, is_opened: bool | None = None, reasoning_format: str | None = None
) -> Response:
    """A generation in its two parts. `is_opened` and `reasoning_format` are the manifest's, None for files of others."""
    parts = split_reasoning(generation.output, is_opened, reasoning_format)
    turns = tuple(split_reasoning(text, is_opened, reasoning_format).answer for text in generation.turns)
    return Response(generation, parts.reasoning, parts.answer, parts.is_closed, turns)


def split_reasoning(
    text: str, is_opened_by_prompt: bool | None = None, reasoning_format: str | None = None
) -> SplitResponse:
    """Splits a text. `is_opened_by_prompt`: True when the prompt ended in an opening mark; None when unknown."""
    parts = _split_usual(text) if reasoning_format in (None, DEFAULT_FORMAT.name) else None
    if parts is None:
        chosen = _choose_format(text, is_opened_by_prompt, reasoning_format)
        if chosen is None:
            return SplitResponse("", unwrap_answer(text), None)
        parts = chosen.split(text, is_opened_by_prompt)
    answer = unwrap_answer(parts.answer)
    return parts if answer is parts.answer else SplitResponse(parts.reasoning, answer, parts.is_closed)


def _split_usual(text: str) -> SplitResponse | None:
    """Nearly all responses: the prompt opened the usual format, and it is closed once. None where it takes more to tell.

    The closing mark is looked for from the end, where it stands, and all else by its first letter, which is rare: this
    is ten times faster than looking for each mark, and most of what grading integers costs beside reading the file.
    """
    opening, closing = DEFAULT_FORMAT.opening[0], DEFAULT_FORMAT.closing[0]
    before, mark, after = text.rpartition(closing)
    if not mark or opening in after or _has_any((opening, closing), before):
        return None
    if FENCE[0] in before and FENCE in before:  # the mark may stand in a string or a comment of a program
        return None
    starting = _starts_pattern().match(text)
    return None if starting and starting.lastgroup else SplitResponse(before, after, True)


def _has_any(marks: tuple[str, ...], text: str) -> bool:
    place = text.find("<")
    while place >= 0:
        if text.startswith(marks, place):
            return True
        place = text.find("<", place + 1)
    return False


def closes_reasoning(
    text: str, is_opened_by_prompt: bool | None = None, reasoning_format: str | None = None
) -> bool | None:
    """Whether the reasoning of a response ends; None when it holds none."""
    chosen = _choose_format(text, is_opened_by_prompt, reasoning_format)
    return chosen.is_closed(text, is_opened_by_prompt) if chosen else None


def opens_itself(text: str) -> bool | None:
    """Whether a response's first mark opens its reasoning; False when it closes what the prompt must have opened."""
    told = detect_format(text)
    kinds = (match.lastgroup for match in told.pattern.finditer(text)) if told else iter(())
    first = next((kind for kind in kinds if kind != "dropped"), None)
    return None if first is None else first == "opening"


def _choose_format(text: str, is_opened: bool | None, name: str | None) -> ReasoningFormat | None:
    """The run's format where the prompt opened it or its marks are there, else what the text shows."""
    if name is None:
        return detect_format(text) or (DEFAULT_FORMAT if is_opened else None)
    named = find_format(name)
    if is_opened or named.is_in(text):
        return named
    if named.bare and FORMATS[named.bare].is_in(text):  # the server was told to strip special tokens
        return FORMATS[named.bare]
    return detect_format(text)


def detect_format(text: str) -> ReasoningFormat | None:
    """The format that a response is in, None when it shows no reasoning.

    An opening mark at the start decides; then the marks of the usual format, then special tokens of others, the first
    one in the text; then tags that close what the prompt must have opened, or that open a line before any program.
    """
    starting = _starts_pattern().match(text)
    if starting and starting.lastgroup:
        return FORMATS[starting.lastgroup]
    if not _marks_pattern().search(text):  # an answer alone: ten times faster than looking for each mark
        return None
    if any(mark in text for mark in (*DEFAULT_FORMAT.closing, *DEFAULT_FORMAT.opening)):
        return DEFAULT_FORMAT
    places = [(place, entry) for entry in FORMATS.values() if (place := _first_place(entry, text)) >= 0]
    return min(places, key=lambda found: found[0])[1] if places else None


@functools.cache
def _starts_pattern() -> re.Pattern[str]:
    parts = []
    for entry in FORMATS.values():
        words = "|".join([entry.starts] if entry.starts else map(re.escape, entry.opening))
        parts.append(f"(?P<{entry.name}>{words})")
    return re.compile(rf"\s{{0,200}}(?:{'|'.join(parts)})")


@functools.cache
def _marks_pattern() -> re.Pattern[str]:
    """Every mark that tells a format away from the start of a text; its first two letters rule most places out."""
    marks = [mark for entry in FORMATS.values() for mark in _telling_marks(entry)]
    first, second = ("".join({re.escape(mark[at]) for mark in marks}) for at in (0, 1))
    return re.compile(f"[{first}](?=[{second}])(?:{'|'.join(re.escape(mark[1:]) for mark in marks)})")


def _telling_marks(entry: ReasoningFormat) -> tuple[str, ...]:
    if entry.tell:
        return (entry.tell,)
    return () if entry.marks is Marks.WORDS else (*entry.closing, *entry.opening)


def _first_place(entry: ReasoningFormat, text: str) -> int:
    """Where the first mark stands that tells this format away from the start of a text; -1 where none does."""
    closing = _find_any((entry.tell,) if entry.tell else entry.closing, text)
    if entry.marks is Marks.WORDS or entry.tell:
        return closing if entry.tell else -1
    opening = _find_any(entry.opening, text)
    if opening >= 0 and entry.marks is Marks.TAGS:
        opens = (match.start() for match in entry.pattern.finditer(text) if match.lastgroup == "opening")
        fence = text.find(FENCE)
        at_line = next(opens, -1)
        return at_line if at_line >= 0 and (fence < 0 or at_line < fence) else -1
    return min((place for place in (opening, closing) if place >= 0), default=-1)


def _find_any(marks: Iterable[str], text: str) -> int:
    return min((place for mark in marks if (place := text.find(mark)) >= 0), default=-1)


def find_opened_format(prompt: str) -> ReasoningFormat | None:
    """The format whose opening mark ends a prompt."""
    return next((entry for entry in FORMATS.values() if entry.is_opened_by(prompt)), None)


def find_template_format(template: str, vocabulary: Collection[str] = ()) -> ReasoningFormat | None:
    """The format of the model that a chat template and a tokenizer's added tokens belong to.

    Templates also name the usual marks to strip them from earlier turns, so another format's marks come first.
    """
    by_kind = sorted(FORMATS.values(), key=lambda entry: (entry is DEFAULT_FORMAT, entry.marks is Marks.WORDS))
    for entry in by_kind:
        marks = (entry.tell,) if entry.tell else (*entry.opening, *entry.closing)
        if any(mark in template or mark in vocabulary for mark in marks):
            return entry
    return None


def unwrap_answer(answer: str) -> str:
    """The answer without the wrappers that some models put around it; the same text where there are none."""
    if BOX_BEGIN in answer:
        answer = _unwrap_boxes(answer)
    for name in ANSWER_TAGS:
        if f"<{name}>" in answer:
            answer = _unwrap_tag(answer, f"<{name}>", f"</{name}>")
    return answer


def _unwrap_boxes(answer: str) -> str:
    """GLM's box marks say what \\boxed says; around a program or a long text they are only dropped."""
    first, *rest = answer.split(BOX_BEGIN)
    pieces = [first]
    for part in rest:
        inside, end, after = part.partition(BOX_END)
        is_short = bool(end) and len(inside) <= LONGEST_BOX and "\n" not in inside.strip() and "\\boxed" not in inside
        is_plain = is_short and FENCE not in inside and inside.count("{") == inside.count("}")
        pieces += [f"\\boxed{{{inside.strip()}}}" if is_plain else inside, after]
    return "".join(pieces).replace(BOX_END, "")


def _unwrap_tag(answer: str, opening: str, closing: str) -> str:
    """Drops the outermost pair, unless it stands in a program or is only mentioned."""
    start, end = answer.find(opening), answer.rfind(closing)
    before = answer[:start].strip()
    if FENCE in before or (end >= 0 and FENCE in answer[end:]) or (end < start and before):
        return answer
    inside = answer[start + len(opening) : end if end > start else len(answer)]
    after = answer[end + len(closing) :].strip() if end > start else ""
    return " ".join(part for part in (before, inside.strip("\n"), after) if part)
