r"""Units behind values: which dimension, how large, and when two of them are the same.

Known units must have one dimension and are converted; two unknown words are different words unless one says more than
the other (`7 days`, `7 school days`); a unit on one side only does not matter.

>>> same_unit("km/h", "m/s")
Fraction(5, 18)
>>> same_unit("years", "months"), same_unit("kg", "s"), same_unit("apples", "pears"), same_unit("red apples", "apples")
(Fraction(12, 1), None, None, Fraction(1, 1))
"""

from __future__ import annotations

import re
from fractions import Fraction

from tools.mathematics.tree import Tree
from tools.mathematics.unit_table import GENERIC_WORDS, TEMPERATURE_NAMES, TEMPERATURES, Dimension, Meaning, meanings

POWER_WORDS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
POWER_WORDS_AFTER = {"squared": 2, "cubed": 3}
PART = re.compile(
    r"\s*(?P<sign>/|·|\*|\\cdot(?![a-z])|\\times(?![a-z]))?\s*(?P<word>[^\W\d_][^\W\d_.'’-]*(?:-[^\W\d_]+)*\.?|[Ω¢])(?:\s*\^\s*\{?\s*(?P<power>-?\d)\s*\}?|(?P<short>[23])(?!\d))?"
)
MAX_UNIT_CHARS = 80


def unit_meanings(name: str) -> tuple[Meaning, ...]:
    """What a whole unit (`km/h`, `square feet`, `kg m^2 s^{-2}`) may mean; empty when a word in it is unknown."""
    name = name.strip().strip(".,;!()")
    if not name or len(name) > MAX_UNIT_CHARS:
        return ()
    known = meanings(name)
    if known:
        return known
    total: list[tuple[Fraction, dict[str, int]]] = [(Fraction(1), {})]
    position, is_below, power_before, last_factor = 0, False, 1, None
    while position < len(name):
        part = PART.match(name, position)
        if part is None or part.end() == position:
            return ()
        position = part.end()
        word = part["word"].rstrip(".")
        if word.lower() == "per":
            is_below = True
            continue
        if part["sign"] == "/":
            is_below = True
        if word.lower() in POWER_WORDS and position < len(name):
            power_before = POWER_WORDS[word.lower()]
            continue
        if word.lower() in POWER_WORDS_AFTER and last_factor is not None:
            choices, power = last_factor, POWER_WORDS_AFTER[word.lower()] - 1
        else:
            choices = meanings(word)
            power = power_before * int(part["power"] or part["short"] or 1)
            power = -power if is_below else power
            last_factor, power_before = choices, 1
        if not choices:
            return ()
        total = [_times(size, bases, choice, power) for size, bases in total for choice in choices][:8]
    return tuple(Meaning(size, tuple(sorted((base, n) for base, n in bases.items() if n))) for size, bases in total)


def _times(size: Fraction, bases: dict[str, int], factor: Meaning, power: int) -> tuple[Fraction, dict[str, int]]:
    joined = dict(bases)
    for base, exponent in factor.dimension:
        joined[base] = joined.get(base, 0) + exponent * power
    return size * factor.size**power, joined


def unknown_words(name: str) -> frozenset[str]:
    """The words of a unit that say something, in the singular; none for `units` and `square units`."""
    words = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*(?:\^\{?-?\d)?", name.lower())
    if any(word in ("unit", "units") for word in words):
        words = [word for word in words if word not in POWER_WORDS]
    words = [word.replace("{", "") for word in words]
    return frozenset(_singular(word) for word in words if word not in GENERIC_WORDS)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def says_nothing(name: str) -> bool:
    """A unit without content: `units`, `radians`, punctuation."""
    return not unknown_words(name) and not unit_meanings(name)


def same_unit(given: str, gold: str) -> Fraction | None:
    """By what a value in `given` is multiplied to be one in `gold`; None when the two units differ."""
    if given == gold:
        return Fraction(1)
    first, second = unit_meanings(given), unit_meanings(gold)
    for left in first:
        for right in second:
            if left.dimension == right.dimension:
                return left.size / right.size
    if first and second:
        return None
    left_words, right_words = unknown_words(given), unknown_words(gold)
    return Fraction(1) if left_words <= right_words or right_words <= left_words else None


def temperature(name: str) -> str | None:
    """`degC` or `degF` for a unit behind a degree sign or in words."""
    bare = name.strip().strip(".")
    return TEMPERATURE_NAMES.get(bare) or TEMPERATURE_NAMES.get(bare.lower())


def in_kelvins(value: Tree, name: str) -> Tree:
    """A reading of a thermometer as an absolute temperature."""
    size, offset = TEMPERATURES[name]
    return ("mul", ("num", size), ("add", value, ("num", offset)))


def compound_value(tree: Tree) -> tuple[Tree, str] | None:
    """`1 hour 30 minutes` (a sum of units that get smaller) as a value in its last unit; None for anything else."""
    if tree[0] != "add" or len(tree) < 3 or any(part[0] != "unit" for part in tree[1:]):
        return None
    last = tree[-1][2]
    terms: list[Tree] = []
    previous: Fraction | None = None
    for part in tree[1:]:
        ratio = same_unit(part[2], last) if unit_meanings(part[2]) else None
        if ratio is None or (previous is not None and ratio >= previous):
            return None
        terms.append(("mul", ("num", ratio), part[1]))
        previous = ratio
    return ("add", *terms), last


def dimension(name: str) -> Dimension | None:
    """The dimension of a known unit, in its first meaning."""
    found = unit_meanings(name)
    return found[0].dimension if found else None
