r"""What is said behind an answer about its letters: `, k \in \mathbb{Z}`, `where c is an arbitrary constant`.

A qualifier made only of such words may stand on one side alone. What it says of a parameter's range is kept: families
over all integers are compared as sets, and two different ranges are two different answers.

>>> split_qualifier(r"f(x)=cx, \text{ where } c \text{ is a real constant}")
('f(x)=cx', {'c': 'real'})
>>> split_qualifier(r"2k+1, k\in\mathbb{Z}")
('2k+1', {'k': 'Z'})
"""

from __future__ import annotations

import re

WRAPPER = re.compile(r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mbox)\s*\{([^{}]*)\}")
STARTS = re.compile(
    r"(?:,|;|\()?\s*(?:where|with|for|as|such that|here)\b|[,;(]\s*(?=(?:\\forall\s*)?\\?[A-Za-z]\w{0,9}\s*(?:\\in\b|\\ne|\\neq|is\b|are\b|any\b|an?\b))|[,;]\s*(?=(?:any|all|every|some)\b)"
)
TOKEN = re.compile(
    r"\s+|[,;.()]|(?P<number_set>\\in\s*\\mathbb\s*\{?\s*(?P<letter>[ZNQRC])\s*\}?(?:\s*[_^]\s*\{?\s*(?:\\ge(?:q)?\s*)?(?P<sign>[+*0-])\s*\}?)?)"
    r"|\\forall(?![a-z])|(?P<name>\\(?:alpha|beta|gamma|lambda|mu|theta|phi|varphi|omega)(?![a-z])|[A-Za-z](?:_\{?\w\}?)?(?![A-Za-z]))"
    r"|(?P<word>[A-Za-z]+(?:-[A-Za-z]+)?)"
)
FILLERS = frozenset(
    "where with for as is are be an a the any some all every each arbitrary constant constants parameter here fixed denotes such that "
    "and both number numbers of choice can taken being can given value values".split()
)
RANGES = {
    "integer": "Z", "integers": "Z", "whole": "N", "natural": "N", "real": "real", "reals": "real", "complex": "C",
    "rational": "Q", "positive": "positive", "nonnegative": "nonnegative", "non-negative": "nonnegative",
    "nonzero": "nonzero", "non-zero": "nonzero", "negative": "negative", "odd": "odd", "even": "even", "prime": "prime",
}  # fmt: skip
MAX_QUALIFIER_CHARS = 160


def split_qualifier(text: str) -> tuple[str, dict[str, str]]:
    """(answer without its qualifier, ranges of the letters); the text as it is and {} when there is none."""
    if not any(mark in text for mark in (",", ";", "where", "for", "with", "(", "\\forall")) or len(text) < 5:
        return text, {}
    plain = WRAPPER.sub(r" \1 ", text) if "\\" in text else text
    for match in STARTS.finditer(plain, max(1, len(plain) - MAX_QUALIFIER_CHARS)):
        ranges = _ranges(plain[match.start() :], plain[: match.start()])
        if ranges is not None:
            return plain[: match.start()].strip().rstrip(" ,;\\"), ranges
    return text, {}


def _ranges(qualifier: str, answer: str) -> dict[str, str] | None:
    """Letter -> range; None when a word in it says anything else, or a letter is not one of the answer's."""
    names: list[str] = []
    kinds: list[str] = []
    position = 0
    while position < len(qualifier):
        match = TOKEN.match(qualifier, position)
        if match is None:
            return None
        position = match.end()
        if match["number_set"]:
            kinds.append((match["letter"] if match["letter"] != "R" else "real") + (match["sign"] or ""))
        elif match["name"] and match["name"] not in ("a",):
            names.append(match["name"])
        elif match["word"]:
            word = match["word"].lower()
            if word in RANGES:
                kinds.append(RANGES[word])
            elif word not in FILLERS:
                return None
    letters = re.sub(r"\\[A-Za-z]+", " ", answer)
    if not names or any(name not in (answer if name.startswith("\\") else letters) for name in names):
        return None
    return {name: " ".join(sorted(set(kinds))) for name in names}


def ranges_differ(given: dict[str, str], gold: dict[str, str]) -> bool:
    """Both say what their parameter runs through, and say different things; `constant` alone says nothing."""
    left, right = ({_range(kind) for kind in side.values() if kind} for side in (given, gold))
    return bool(left and right and left != right)


def _range(kind: str) -> str:
    """`real` adds nothing to other words, and a positive integer is a natural number."""
    words = set(kind.split())
    if {"Z", "positive"} <= words:
        words = words - {"Z", "positive"} | {"Z+"}
    return " ".join(sorted(words - {"real"} or words))


def whole_parameters(ranges: dict[str, str]) -> frozenset[str]:
    """The letters that run through all integers."""
    return frozenset(name for name, kind in ranges.items() if kind == "Z")
