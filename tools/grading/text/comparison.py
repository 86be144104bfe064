r"""Whether two short texts are the same answer. What is harmless: case, marks of layout, a full stop or quotation marks around,
brackets around, apostrophes, "(B)" for "B", the spelling of a number, commas or spaces between the words of a list.

A longer text that merely contains the right one is never accepted.

>>> same_text("**Yes**.", "yes"), same_text("(B)", "B"), same_text("1,200", "1200"), same_text("yes and no", "no")
(True, True, True, False)
>>> same_text("ant, bee, cat", "ant bee cat"), same_text("bee, ant, cat", "ant bee cat"), same_text("`] ) }`", "] ) }")
(True, False, True)
"""

from __future__ import annotations

import re

from tools.grading.choice.targets import spelling
from tools.mathematics.numbers import read_number

BRACKETS_ONLY = re.compile(r"[\s()\[\]{}<>]+")
LAYOUT = re.compile(r"\\text(?:tt)?|\\(?=[{}])|[\s`*$\"'.,]")
ROUND = re.compile(r"\(\s*([a-z0-9])\s*\)")
SEPARATORS = re.compile(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+|\s+")
COMMAS = re.compile(r"\s*,\s*(?:and\s+)?")
REASON = re.compile(r"\.\s|,?\s(?:because|since|as)\s")
TEXT_SIGNS = str.maketrans({"’": "", "'": "", "‘": ""})


def is_brackets(gold: str) -> bool:
    """Whether a right answer is nothing but brackets (Dyck words), whose signs are no layout."""
    return bool(gold.strip()) and BRACKETS_ONLY.fullmatch(gold) is not None


def same_text(given: str, gold: str) -> bool:
    """Whether a found text is the right one: whole, or its first sentence without the reason that follows."""
    if is_brackets(gold):
        return LAYOUT.sub("", given) == LAYOUT.sub("", gold)
    wanted = folded(gold)
    reason = REASON.search(given)
    texts = [given, given[: reason.start()]] if reason else [given]
    return any(_is_same(folded(text), wanted) for text in texts)


def folded(text: str) -> str:
    """By which equal texts are equal."""
    text = spelling(text).translate(TEXT_SIGNS).strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].strip()
    single = ROUND.fullmatch(text)
    return COMMAS.sub(",", single[1] if single else text)


def _is_same(given: str, wanted: str) -> bool:
    if not given or given == wanted:
        return given == wanted and bool(given)
    number = read_number(wanted)
    if number is not None:
        return read_number(given) == number
    if "," in wanted:
        one, other = given.split(","), wanted.split(",")
        return len(one) == len(other) and all(_is_same(a.strip(), b.strip()) for a, b in zip(one, other, strict=True))
    words = wanted.split()
    return len(words) > 1 and [word for word in SEPARATORS.split(given) if word] == words
