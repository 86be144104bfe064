r"""Finds the final answer in the text of a response: one extractor for scoring, voting and reports.

Patterns in the order of the original toolkit, the first that matches decides, its last match wins:
`\boxed{...}` (matched braces, any depth), `**...**`, `\[\n...\n\]`, `is \(...\)`, `\[\\n...\\n\]`; then, for answers
in plain prose, "answer is ...", "#### ..." and the value that the last sentence ends in. A last box that is never
closed is no answer: the text was cut inside it.

>>> extract_answer(r"First \boxed{5}; so the answer is $\boxed{\frac{1}{2}}$.")
'\\frac{1}{2}'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BOX_OPENING = re.compile(r"\\+(?:begin)?(?:boxed|fbox)(?![A-Za-z])\s*")
# What may stand between two boxes that are parts of one answer: `$\boxed{1}$ and $\boxed{2}$`.
BOX_SEPARATOR = re.compile(
    r"(?:[\s$,;.&]|\\[,;:!()\[\] ]|\\q?quad|\\(?:text|mathrm|textnormal)\s*\{[\s,;]*(?:and|or)?[\s,;]*\}"
    r"|\band\b|\bor\b)*"
)
BOX_CONNECTIVE = re.compile(r",|;|\band\b|\bor\b")
BOLD = re.compile(r"\*\*([^*\n]+(?:\*(?!\*)[^*\n]*)*)\*\*(?!\s*:)")
# (name, opening, closing) of the three patterns with two delimiters.
DELIMITED = (
    ("display", re.compile(r"\\\[\s*\n"), re.compile(r"\n\s*\\\]")),
    ("inline", re.compile(r"\bis:? *\\\("), re.compile(r"\\\)")),
    ("escaped display", re.compile(r"\\\[\\n"), re.compile(r"\\n\\\]")),
)
ANSWER_PHRASE = re.compile(
    r"(?:####|^A:|\b(?:final\s+)?answer(?:\s+is|\s*:)|\banswer(?=\s*(?:\$|\\[(\[])))[:\s]*(\$\$.*?\$\$|\\\[.*?\\\]|[^\n]+)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
ANSWER_PREFIX = re.compile(r"^\s*(?:(?:the\s+)?(?:final\s+)?answer\s*(?:is|:)\s*:?\s*)", re.IGNORECASE)
MATH_SPAN = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
NUMBER = r"[-+\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*/\s*\d+(?:\.\d+)?)?\s*\\?%?"
VALUE = re.compile(rf"{MATH_SPAN.pattern}|(?<![\w.^_]){NUMBER}(?![!\d])", re.DOTALL)
SENTENCE_END = re.compile(r"(?:[.?]|(?<!\d)!)(?=\s|$)\s*|\n+")
CONCLUDING_SIGN = re.compile(r"\b(?:is|are|equals|was|be|to)\b|(?:=|:|\u2248)(?=[^$]*(?:\$[^$]*\$[^$]*)*$)")
SENTENCE_WORDS = re.compile(r"[A-Za-z]{2,}\s+[A-Za-z]{2,}\s+[A-Za-z]{2,}|\n")
WORD = re.compile(r"[A-Za-z]{2,}")
DENIAL = re.compile(r"\b(?:not|n't|than|isn't|never)\s+(?:\w+\s+)?$")
CODE_BLOCK = re.compile(r"```(?:python3?|py|sympy|sage|cpp|c\+\+|c|java|javascript|matlab)\b.*?(?:```|\Z)", re.DOTALL)
MAX_BARE_ANSWER_CHARS = 200
END_OF_SENTENCE = re.compile(r"\.(?=\s|$)")
STOP_TOKENS = re.compile(r"<\|(?:im_end|end_of_text|eot_id|endoftext)\|>|<｜end▁of▁sentence｜>")
# Longer texts are searched for prose answers in their last part only; a box is searched everywhere.
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
    text = STOP_TOKENS.sub("", text)
    boxed = _last_boxes(text)
    if boxed is not None:
        return boxed
    bold = [content for content in BOLD.findall(text) if _may_be_answer(content)]
    if bold:
        return Extraction(_strip_phrase(bold[-1]), "bold")
    for name, opening, closing in DELIMITED:
        found = _last_between(text, opening, closing)
        if found is not None:
            return Extraction(_strip_phrase(found), name)
    return _from_prose(text[-PROSE_WINDOW_CHARS:]) if is_prose_read else Extraction(None)


def _may_be_answer(content: str) -> bool:
    """Not a heading: `**Simplify the fraction:**`, `**Apply the product rule**`."""
    content = _strip_phrase(content)
    return not content.endswith(":") and bool(re.search(r"[\d\\$]", content) or 0 < len(content.split()) <= 2)


def _last_between(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str | None:
    """What the last pair of delimiters encloses, in time linear in the text."""
    last: str | None = None
    position = 0
    while (start := opening.search(text, position)) and (end := closing.search(text, start.end())):
        last, position = text[start.end() : end.start()], end.end()
    return last


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
    if "```" in text:  # a program is no prose, whatever it prints
        text = CODE_BLOCK.sub("\n", text)
    phrases = ANSWER_PHRASE.findall(text)
    if phrases:
        line = _strip_phrase(phrases[-1])
        span = MATH_SPAN.match(line)
        if span is not None:
            return Extraction(next(group for group in span.groups() if group is not None).strip(), "phrase")
        line = _first_clause(line)
        if _is_sentence(line):  # `Final answer: the largest n is 34.`
            return _from_conclusion(line)
        return Extraction(line or None, "phrase")
    return _from_conclusion(text)


def _from_conclusion(text: str) -> Extraction:
    """`So the mean is 7.`: the last value of the last sentence that holds one, behind its last `is`, `=` or colon."""
    text = text.strip()
    if len(text) <= MAX_BARE_ANSWER_CHARS and not _is_sentence(text):
        return Extraction(text or None, "whole text")
    for sentence in reversed(SENTENCE_END.split(text)):
        if not VALUE.search(sentence):
            continue
        for part in reversed(CONCLUDING_SIGN.split(sentence)):
            values = [
                match for match in VALUE.finditer(part) if _is_value(match) and not DENIAL.search(part[: match.start()])
            ]
            if values:
                formula = next((group for group in values[-1].groups() if group), None)
                return Extraction((formula or values[-1].group()).strip(), "conclusion")
    return Extraction(None)


def _is_sentence(text: str) -> bool:
    """Three words in a row, or words around a formula."""
    return bool(SENTENCE_WORDS.search(text) or (MATH_SPAN.search(text) and WORD.search(MATH_SPAN.sub(" ", text))))


def _is_value(match: re.Match[str]) -> bool:
    """A number or a formula; a lone letter in dollars only names something."""
    formula = next((group for group in match.groups() if group), None)
    return formula is None or len(formula.strip()) > 1 or formula.strip().isdigit()


def _first_clause(line: str) -> str:
    """`6, not 5.` -> `6`: the sentence up to its end or to what it denies."""
    end = END_OF_SENTENCE.search(line)
    line = line[: end.start()] if end else line
    return re.split(r",?\s+(?:not|because|since|which)\b", line)[0].strip()
