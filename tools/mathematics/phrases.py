r"""Answers in words: phrases with one mathematical meaning, number words, statements compared word by word.

>>> meaning("there is no solution"), number_in_words("twenty-one"), number_in_words("three quarters")
(('set',), 21, Fraction(3, 4))
>>> same_statement("all multiples of 14, excluding 0", "all multiples of 54, excluding 0", lambda a, b: a == b)
False
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from tools.mathematics.tokens import FUNCTIONS
from tools.mathematics.tree import Tree

WRAPPER = re.compile(
    r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|mbox|operatorname)\s*\{([^{}]*)\}"
)
NO_SOLUTION = re.compile(
    r"(?:no|there (?:is|are) no|there does not exist|it has no|has no|none exist)(?: such| real| positive| integer| rational| valid)*"
    r"(?: [a-z]| solutions?| numbers?| integers?| values?| roots?| pairs?| functions?| triples?| polynomials?)?(?: exists?)?"
)
NOTHING = frozenset(["none", "empty set", "the empty set", "no", "none exist"])
ALL_REALS = frozenset(
    ["all real numbers", "all reals", "all real number", "real numbers", "any real number", "all real x", "reals", "every real number",
     "the set of all real numbers", "all real values", "all real values of x", "x is any real number"]
)  # fmt: skip
INFINITE = frozenset(["infinity", "positive infinity", "infinitely many", "infinite", "plus infinity"])
NEGATIVE_INFINITY = frozenset(["negative infinity", "minus infinity"])
UNDEFINED = frozenset(
    ["undefined", "does not exist", "dne", "not defined", "indeterminate", "doesnt exist", "doesn't exist"]
)
UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
PARTS = {
    "half": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
}
BARE_WORD = re.compile(r"(?<![\\A-Za-z{_^])[A-Za-z]{3,}")
SKIPPED = frozenset("the a an of is are be that this we and or then all so to".split())


def meaning(words: str) -> Tree | None:
    """The mathematical object that a phrase names."""
    if words in ALL_REALS:
        return ("numbers", "R")
    if words in INFINITE:
        return ("const", "oo")
    if words in NEGATIVE_INFINITY:
        return ("neg", ("const", "oo"))
    if words == "no":
        return None
    is_none = words in NOTHING or (
        NO_SOLUTION.fullmatch(words) and words not in ("there is no", "there are no", "has no", "it has no")
    )
    return ("set",) if is_none else None


REALS = re.compile(
    r"all (?:of the )?(?P<kind>[a-z-]+ )?real (?:numbers?|values?|x)(?: of x| x)?(?: except (?:for |when )?(?:x ?= ?)?(?P<but>[^a-z]{1,60}))?"
)
REAL_KINDS = {
    "positive": r"(0,\infty)", "negative": r"(-\infty,0)", "nonnegative": r"[0,\infty)", "non-negative": r"[0,\infty)",
    "nonzero": r"\mathbb{R}\setminus\{0\}", "non-zero": r"\mathbb{R}\setminus\{0\}", "": r"\mathbb{R}",
}  # fmt: skip


def set_in_words(text: str) -> str:
    """`all real numbers except 2`, `all positive real numbers` as sets in LaTeX; other texts as they are."""
    if "real" not in text or len(text) > 120:
        return text
    match = REALS.fullmatch(" ".join(WRAPPER.sub(r" \1 ", text).split()).lower().strip(". "))
    whole = REAL_KINDS.get((match["kind"] or "").strip()) if match else None
    if match is None or whole is None:
        return text
    left_out = (match["but"] or "").strip()
    return rf"{whole}\setminus\{{{left_out}\}}" if left_out else whole


def number_in_words(words: str) -> int | Fraction | None:
    """The value of `zero`, `twenty-one`, `two hundred and five`, `three quarters`; None for other words."""
    parts = [part for part in words.lower().replace("-", " ").split() if part != "and"]
    if not parts or len(parts) > 12:
        return None
    if len(parts) >= 2 and parts[-1].removesuffix("s") in PARTS:
        above = 1 if parts[:-1] in (["a"], ["one"]) else number_in_words(" ".join(parts[:-1]))
        return Fraction(above, PARTS[parts[-1].removesuffix("s")]) if isinstance(above, int) else None
    total = current = 0
    for part in parts:
        if part in UNITS:
            current += UNITS.index(part)
        elif part in TENS:
            current += TENS[part]
        elif part == "hundred":
            current = (current or 1) * 100
        elif part in SCALES:
            total += (current or 1) * SCALES[part]
            current = 0
        else:
            return None
    return total + current


def same_statement(given: str, gold: str, equal: Callable[[str, str], bool | None]) -> bool:
    """Two answers in words and formulas: the same words in order, and formulas that `equal` accepts between them."""
    left, right = _tokens(given), _tokens(gold)
    if [kind for kind, _ in left] != [kind for kind, _ in right]:
        return False
    return all(
        "".join(first.split()) == "".join(second.split()) or (kind == "formula" and bool(equal(first, second)))
        for (kind, first), (_, second) in zip(left, right, strict=True)
    )


def _tokens(text: str) -> list[tuple[str, str]]:
    """Words in lower case, and what stands between them."""
    found: list[tuple[str, str]] = []
    marked = WRAPPER.sub(lambda match: "\x00" + match[1] + "\x01", text)
    for place, piece in enumerate(re.split(r"[\x00\x01]", marked)):
        is_text = place % 2 == 1
        for token in _pieces(piece, is_text):
            is_word = token[0].isalpha() and len(token) > 1
            if is_word and token.lower() in SKIPPED:
                continue
            if is_word:
                found.append(("word", token.lower()))
            elif token.strip(" ,.;:"):
                if found and found[-1][0] == "formula":
                    found[-1] = ("formula", found[-1][1] + " " + token.strip(" ,.;:"))
                else:
                    found.append(("formula", token.strip(" ,.;:")))
    return found


def _pieces(text: str, is_text: bool) -> list[str]:
    """Words of three letters and more stand for themselves; commands and short names belong to formulas."""
    return re.findall(
        r"(?<![\\A-Za-z])[A-Za-z]{2,}(?![A-Za-z])|(?:\\[A-Za-z]+|[^A-Za-z\\]|\\.|(?<![A-Za-z])[A-Za-z](?![A-Za-z])|(?<=\\)[A-Za-z]+)+",
        text,
    )


def has_words(text: str) -> bool:
    """Whether it is prose: bare words of three letters and more that name no function, or words in `\\text{...}`."""
    outside = WRAPPER.sub(" ", text)
    if any(word not in FUNCTIONS for word in BARE_WORD.findall(outside)):
        return True
    return any(len(word) > 1 for match in WRAPPER.finditer(text) for word in match[1].split() if word.isalpha())
