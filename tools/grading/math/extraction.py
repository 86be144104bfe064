r"""Finds the final answer in the text of a response: one extractor for scoring, voting and reports.

Patterns in the order of the original toolkit, the first that matches decides, its last match wins:
`\boxed{...}` (matched braces, any depth), `**...**`, `\[\n...\n\]`, `is \(...\)`, `\[\\n...\\n\]`; then, for answers
in plain prose, "answer is ...", "#### ..." (tools/grading/math/answer_phrases.py) and the value that the last sentence ends in
(tools/grading/math/prose.py). `<answer>` tags come behind boxes; an answer announced in words after the last bold or displayed text
comes before it. A last box that is never closed is no answer: the text was cut inside it.

Every step looks at each character a fixed number of times: a response cannot make it slow.

>>> extract_answer(r"First \boxed{5}; so the answer is $\boxed{\frac{1}{2}}$.")
'\\frac{1}{2}'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.grading.math.answer_phrases import last_announced, last_tagged, without_prefix
from tools.grading.math.boxes import boxes, closing_brace, joined_boxes
from tools.grading.math.math_spans import math_spans
from tools.grading.math.prose import concluded, is_sentence

__all__ = ["MAX_BARE_ANSWER_CHARS", "Extraction", "boxes", "closing_brace", "extract", "extract_answer"]

# Bold text that is the title of a part, not an answer.
HEADING = re.compile(
    r"(?:(?:step|case|part|method|approach|problem|question|example|stage|phase|lemma|claim|proof|section)\b"
    r"|(?:note|conclusion|verification|check|explanation|solution|given|reasoning|calculation|calculations|remark|hint|summary"
    r"|therefore|thus|hence|final answer|answer|result|final result|analysis|important|warning|recall|setup)$)",
    re.IGNORECASE,
)
ANSWER_LABEL = re.compile(r"(?:the\s+)?(?:final\s+)?(?:answer|result)$", re.IGNORECASE)
SAYS_SOMETHING = re.compile(r"[\d\\$]")
# (name, opening, closing) of the three patterns with two delimiters; the closing of the first stands on its own line.
DELIMITED = (
    ("display", re.compile(r"\\\["), re.compile(r"\\\]")),
    ("inline", re.compile(r"\bis:? {0,9}\\\("), re.compile(r"\\\)")),
    ("escaped display", re.compile(r"\\\[\\n"), re.compile(r"\\n\\\]")),
)
FENCE = "```"
CODE_LANGUAGE = re.compile(r"(?:python3?|py|sympy|sage|cpp|c\+\+|c|java|javascript|matlab)\b")
MAX_BARE_ANSWER_CHARS = 200
END_OF_SENTENCE = re.compile(r"\.(?=\s|$)|[。！？]")
CLAUSE_END = re.compile(r",? (?:because|since|which)\b|, not\b|(?<=\S) not\b")
DENIAL_THEN_VALUE = re.compile(r"(?:is\s+)?not\s+(?:\S+\s+){1,4}?but\s+(?:rather\s+)?", re.IGNORECASE)
JOINED_FORMULA = re.compile(r"\s*(?:,|;|and|or|,\s?and|,\s?or)\s*(?=\$|\\[(]|[-+]?\d)")
DEFINED_FORMULA = re.compile(r"\$[^$\n]{1,150}\$,? where\b")  # `$\\varphi n$, where $\\varphi = 2$`
STOP_TOKENS = re.compile(r"<\|(?:im_end|end_of_text|eot_id|endoftext)\|>|<｜end▁of▁sentence｜>")
CALCULATOR_MARK = re.compile(r"<<[^<>\n]{0,200}>>")
# What languages write otherwise in numbers and signs; the rest of the text is left as it is.
ASCII_SIGNS = str.maketrans({
    **{chr(0xFF01 + shift): chr(0x21 + shift) for shift in range(94) if chr(0x21 + shift) not in "\"'`"},
    **{chr(base + digit): str(digit) for base in (0x0660, 0x06F0, 0x0966, 0x09E6) for digit in range(10)},
    "、": ",", "٫": ".", "٬": ",", "−": "-",
})  # fmt: skip
# Boxes are searched everywhere; bold text, displays and announcements in the last part, sentences in the very last.
MARKS_WINDOW_CHARS = 100_000
PROSE_WINDOW_CHARS = 3_000


@dataclass(frozen=True)
class Extraction:
    """What was found: the answer's text (None: nothing), by which pattern, and whether a last box stayed open."""

    answer: str | None
    pattern: str = ""
    is_unfinished: bool = False


def extract_answer(text: str) -> str | None:
    """The final answer of a response's answer part, or None."""
    return extract(text).answer


def extract(text: str, is_prose_read: bool = True) -> Extraction:
    """The final answer with the pattern that found it; without `is_prose_read` only the five patterns count."""
    text = STOP_TOKENS.sub("", text) if "<" in text else text
    boxed = joined_boxes(text)
    if boxed is not None:
        return Extraction(boxed[0], "boxed", is_unfinished=boxed[1])
    tagged = last_tagged(text) if "nswer>" in text or "NSWER>" in text else None
    if tagged:
        inner = extract(tagged) if tagged != text else None
        return Extraction(inner.answer if inner is not None and inner.answer else tagged, "answer tag")
    return _from_marks(text, is_prose_read)


def _from_marks(text: str, is_prose_read: bool) -> Extraction:
    """Bold and displayed text, unless an announcement in words comes behind it; then prose."""
    text = text[-MARKS_WINDOW_CHARS:]
    prose = _readable(text) if is_prose_read else text
    announced = last_announced(prose) if is_prose_read else None
    marked = _last_bold(prose) or _last_delimited(prose)
    if marked is None:
        if not is_prose_read:
            return Extraction(None)
        return _from_phrase(announced.text) if announced is not None else _from_conclusion(prose[-PROSE_WINDOW_CHARS:])
    start, answer, name = marked
    if announced is not None and (announced.start >= start - 1 or not SAYS_SOMETHING.search(answer)):
        found = _from_phrase(announced.text)
        if found.answer:
            return found
    if is_prose_read and name == "display":  # a formula on the way, when a sentence behind it concludes
        later = _from_conclusion(prose[start:].partition("\\]")[2][-PROSE_WINDOW_CHARS:])
        if later.pattern == "conclusion" and later.answer:
            return later
    return Extraction(answer, name)


def _readable(text: str) -> str:
    """The text without programs and calculator marks, and with ASCII signs for full-width ones."""
    if FENCE in text:
        text = _without_programs(text)
    if "<<" in text:
        text = CALCULATOR_MARK.sub("", text)
    return text if text.isascii() else text.translate(ASCII_SIGNS)


def _without_programs(text: str) -> str:
    """A program is no prose, whatever it prints."""
    parts = text.split(FENCE)
    kept = [parts[0]]
    is_program = False
    for part in parts[1:]:
        is_program = not is_program and CODE_LANGUAGE.match(part) is not None
        if not is_program:
            kept.append(part)
    return "\n".join(kept)


def _bold_spans(text: str) -> Iterator[tuple[int, str, bool]]:
    """(offset, content, whether a colon follows) of every `**...**` within a line."""
    position, line_end = 0, -2
    while (start := text.find("**", position)) >= 0:
        if line_end != -1 and line_end < start:
            line_end = text.find("\n", start)
        end = text.find("**", start + 2, line_end if line_end >= 0 else len(text))
        if end < 0:
            if line_end < 0:
                return
            position = line_end
        elif end == start + 2:
            position = start + 1
        else:
            is_labelled = text[end + 2 : end + 12].lstrip().startswith(":")
            yield start, text[start + 2 : end], is_labelled
            position = end if is_labelled else end + 2


def _last_bold(text: str) -> tuple[int, str, str] | None:
    """The last bold text that is an answer: no heading, no label before a colon."""
    found = None
    for start, content, is_labelled in _bold_spans(text):
        if not is_labelled and _may_be_answer(content):
            found = start, content
    return None if found is None else (found[0], without_prefix(found[1]), "bold")


def _may_be_answer(content: str) -> bool:
    """Not a heading: `**Simplify the fraction:**`, `**Apply the product rule**`, `**Step 2**`."""
    content = without_prefix(content).strip()
    if content.endswith(":") or HEADING.match(content.rstrip(".!")) or ANSWER_LABEL.match(content):
        return False
    return bool(SAYS_SOMETHING.search(content)) or 0 < len(content.split()) <= 2


def _last_delimited(text: str) -> tuple[int, str, str] | None:
    for name, opening, closing in DELIMITED:
        found = _last_between(text, opening, closing, is_display=name == "display")
        if found is not None:
            return found[0], without_prefix(found[1]), name
    return None


def _last_between(
    text: str, opening: re.Pattern[str], closing: re.Pattern[str], is_display: bool
) -> tuple[int, str] | None:
    """What the last pair of delimiters encloses; a display's delimiters have lines of their own."""
    last: tuple[int, str] | None = None
    position = 0
    while (start := opening.search(text, position)) and (end := closing.search(text, start.end())):
        inner = text[start.end() : end.start()]
        position = end.end()
        if is_display:
            body = inner.strip()
            if "\n" not in inner[: len(inner) - len(inner.lstrip())] or "\n" not in inner[len(inner.rstrip()) :]:
                continue
            inner = body
        last = start.start(), inner
    return last


def _from_phrase(line: str) -> Extraction:
    """What an announcement says: a formula, several formulas joined, a clause, or a sentence with a value in it."""
    line = line.strip()
    spans = math_spans(line)
    if spans and spans[0][0] == 0:
        return Extraction(_joined_formulas(line, spans), "phrase")
    denied = DENIAL_THEN_VALUE.match(line)
    line = _first_clause(line[denied.end() :] if denied else line).strip("`*_ ")
    if is_sentence(line):  # `Final answer: the largest n is 34.`
        return _from_conclusion(line)
    return Extraction(line or None, "phrase")


def _joined_formulas(line: str, spans: list[tuple[int, int, str]]) -> str:
    """`$x=2$ or $x=3$.` -> `x=2 or x=3`; `$\\frac{7}{2}$ units` -> the formula."""
    text, position = spans[0][2].strip(), spans[0][1]
    for start, end, inner in spans[1:]:
        joint = JOINED_FORMULA.fullmatch(line[position:start] + "$")
        if joint is None and JOINED_FORMULA.match(line, position) is None:
            break
        if line[position:start].strip() not in (",", ";", "and", "or", ", and", ", or"):
            break
        text, position = f"{text}{line[position:start]}{inner.strip()}", end
    return text


def _from_conclusion(text: str) -> Extraction:
    """A short text that is no sentence is the answer itself; else what its last sentence with a value concludes."""
    text = text.strip()
    if len(text) <= MAX_BARE_ANSWER_CHARS and (DEFINED_FORMULA.match(text) or not is_sentence(text)):
        return Extraction(text or None, "whole text")
    value = concluded(text)
    return Extraction(value, "conclusion" if value is not None else "")


def _first_clause(line: str) -> str:
    """`6, not 5.` -> `6`: the sentence up to its end or to what it denies."""
    end = END_OF_SENTENCE.search(line)
    line = line[: end.start()] if end else line
    clause = CLAUSE_END.search(line, 1)
    return (line[: clause.start()] if clause else line).strip()
