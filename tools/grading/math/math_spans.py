r"""Finds formulas between delimiters in prose, and tells the dollar of money from the dollar of TeX.

>>> text = r"The house cost $80,000 and $50,000; with $x=3$ that is \(x+1\)."
>>> [inner for _, _, inner in math_spans(text)]
['x=3', 'x+1']
"""

from __future__ import annotations

import re

DELIMITER = re.compile(r"\\[()\[\]]|\\.|\$\$|\$", re.DOTALL)
CLOSINGS = {r"\(": r"\)", r"\[": r"\]", "$$": "$$"}
MAX_INLINE_CHARS = 1_000
TWO_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}")


def math_spans(text: str) -> list[tuple[int, int, str]]:
    """(start, end, inner text) of every formula, in order, none inside another; linear in the text."""
    marks = [(match.start(), match.group()) for match in DELIMITER.finditer(text)]
    spans: list[tuple[int, int, str]] = []
    last_of = {mark: index for index, (_, mark) in enumerate(marks)}
    index = 0
    while index < len(marks):
        start, mark = marks[index]
        if mark == "$":
            end_index = _closing_dollar(text, marks, index)
        else:
            closing = CLOSINGS.get(mark)
            end_index = None
            if closing is not None and last_of.get(closing, -1) > index:
                end_index = next(later for later in range(index + 1, len(marks)) if marks[later][1] == closing)
        if end_index is None:
            index += 1
            continue
        position, closing_mark = marks[end_index]
        spans.append((start, position + len(closing_mark), text[start + len(mark) : position]))
        index = end_index + 1
    return spans


def _closing_dollar(text: str, marks: list[tuple[int, str]], index: int) -> int | None:
    """The mark that closes a dollar: on the same line, and not the dollar of a second amount of money."""
    start = marks[index][0]
    for later in range(index + 1, len(marks)):
        position, mark = marks[later]
        if mark == "$$" or position - start > MAX_INLINE_CHARS:
            return None
        if mark == "$":
            inner = text[start + 1 : position]
            return (
                None
                if not inner.strip() or "\n" in inner or _is_money(inner, text[position + 1 : position + 2])
                else later
            )
    return None


def _is_money(inner: str, after: str) -> bool:
    """`$80,000 and $50,000`: what stands between begins with a digit, holds words, and a digit follows."""
    is_amount = inner[0].isdigit()
    return is_amount and (after.isdigit() or bool(inner[-1].isspace() and TWO_WORDS.search(inner)))
