r"""Finds the final answer in the text of a response: one extractor for scoring, voting and reports.

Patterns in the order of the original toolkit, the first that matches decides, its last match wins:
`\boxed{...}` (matched braces, any depth), `**...**`, `\[\n...\n\]`, `is \(...\)`, `\[\\n...\\n\]`; then, for answers in
plain prose, "answer is ..." and "#### ...". A last box that is never closed is no answer: the text was cut inside it.

>>> extract_answer(r"First \boxed{5}; so the answer is $\boxed{\frac{1}{2}}$.")
'\\frac{1}{2}'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BOX_OPENING = re.compile(r"\\+(?:boxed|fbox)(?![A-Za-z])\s*")
# What may stand between two boxes that are parts of one answer: `$\boxed{1}$ and $\boxed{2}$`.
BOX_SEPARATOR = re.compile(
    r"(?:[\s$,;.&]|\\[,;:!()\[\] ]|\\q?quad|\\(?:text|mathrm|textnormal)\s*\{[\s,;]*(?:and|or)?[\s,;]*\}|\band\b|\bor\b)*"
)
BOX_CONNECTIVE = re.compile(r",|;|\band\b|\bor\b")
BOLD = re.compile(r"\*\*([^*\n]+(?:\*(?!\*)[^*\n]*)*)\*\*")
DISPLAY = re.compile(r"\\\[\s*\n(.*?)\n\s*\\\]", re.DOTALL)
INLINE_AFTER_IS = re.compile(r"\bis:? *\\\((.*?)\\\)", re.DOTALL)
ESCAPED_DISPLAY = re.compile(r"\\\[\\n(.*?)\\n\\\]", re.DOTALL)
ANSWER_PHRASE = re.compile(
    r"(?:####|\b(?:final\s+)?answer(?:\s+is|\s*:)|\banswer(?=\s*(?:\$|\\[(\[])))[:\s]*(\$\$.*?\$\$|\\\[.*?\\\]|[^\n]+)",
    re.IGNORECASE | re.DOTALL,
)
ANSWER_PREFIX = re.compile(r"^\s*(?:(?:the\s+)?(?:final\s+)?answer\s*(?:is|:)\s*:?\s*)", re.IGNORECASE)
MATH_SPAN = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
END_OF_SENTENCE = re.compile(r"\.(?=\s|$)")
STOP_TOKENS = re.compile(r"<\|(?:im_end|end_of_text|eot_id|endoftext)\|>|<｜end▁of▁sentence｜>")
# Longer texts are searched for prose answers in their last part only; a box is searched everywhere.
PROSE_WINDOW_CHARS = 20_000


@dataclass(frozen=True)
class Extraction:
    """What was found: the answer's text (None: nothing), by which pattern, and whether a last box stayed open."""

    answer: str | None
    pattern: str = ""
    is_unfinished: bool = False


def extract_answer(text: str) -> str | None:
    """The final answer of a response's answer part, or None."""
    return extract(text).answer


def extract(text: str) -> Extraction:
    """The final answer with the pattern that found it."""
    text = STOP_TOKENS.sub("", text)
    boxed = _last_boxes(text)
    if boxed is not None:
        return boxed
    window = text[-PROSE_WINDOW_CHARS:]
    for name, pattern in (
        ("bold", BOLD),
        ("display", DISPLAY),
        ("inline", INLINE_AFTER_IS),
        ("escaped display", ESCAPED_DISPLAY),
    ):
        found = pattern.findall(window)
        if found:
            return Extraction(_strip_phrase(found[-1]), name)
    return _from_prose(window)


def boxes(text: str) -> list[tuple[int, int, str | None]]:
    r"""Every outermost `\boxed`: (start, end, content); content None where the braces never close."""
    found: list[tuple[int, int, str | None]] = []
    position = 0
    while True:
        opening = BOX_OPENING.search(text, position)
        if opening is None:
            return found
        start = opening.end()
        if start < len(text) and text[start] == "{":
            end = closing_brace(text, start)
            if end < 0:
                # Nothing can close later either, so later boxes inside are unfinished too.
                found.append((opening.start(), len(text), None))
                return found
            found.append((opening.start(), end + 1, text[start + 1 : end]))
            position = end + 1
        else:
            word = re.compile(r"[^\s$\\{}.,;]+").match(text, start)
            is_value = word is not None and opening.group().rstrip() != opening.group()
            # `\boxed 5` is a box, `\boxed around it` in prose is not (lm-evaluation-harness#3477).
            if word is not None and is_value and (word.group()[0] in "+-0123456789" or len(word.group()) == 1):
                found.append((opening.start(), word.end(), word.group()))
            position = max(start, opening.end())


def closing_brace(text: str, start: int) -> int:
    r"""Offset of the brace that closes the one at `start`, -1 when there is none; `\{` and `\}` do not count."""
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == 0:
                return match.start()
    return -1


def _last_boxes(text: str) -> Extraction | None:
    found = boxes(text)
    if not found:
        return None
    if found[-1][2] is None:
        return Extraction(None, "boxed", is_unfinished=True)
    parts = [found[-1]]
    for box in reversed(found[:-1]):
        gap = text[box[1] : parts[0][0]]
        is_one_answer = len(gap) < 80 and BOX_SEPARATOR.fullmatch(gap) and BOX_CONNECTIVE.search(gap)
        if box[2] is None or not is_one_answer:
            break
        parts.insert(0, box)
    contents = [content for _, _, content in parts if content is not None]
    return Extraction(", ".join(dict.fromkeys(contents)), "boxed")


def _strip_phrase(text: str) -> str:
    return ANSWER_PREFIX.sub("", text).strip()


def _from_prose(text: str) -> Extraction:
    phrases = ANSWER_PHRASE.findall(text)
    if phrases:
        line = _strip_phrase(phrases[-1])
        span = MATH_SPAN.match(line)
        if span is not None:
            return Extraction(next(group for group in span.groups() if group is not None).strip(), "phrase")
        return Extraction(_first_clause(line), "phrase") if line else Extraction(None)
    spans = MATH_SPAN.findall(text)
    if spans:
        return Extraction(next(group for group in spans[-1] if group).strip(), "last formula")
    return Extraction(None)


def _first_clause(line: str) -> str:
    """`6, not 5.` -> `6`: the sentence up to its end or to what it denies."""
    end = END_OF_SENTENCE.search(line)
    line = line[: end.start()] if end else line
    return re.split(r",?\s+(?:not|because|since|which)\b", line)[0].strip()
