r"""Lists that go on: `1, 2, \ldots, 10` written out where three or more terms (or two whole numbers in step) say how.

>>> written_out(("set", ("num", 1), ("num", 2), DOTS, ("num", 5)))
('set', ('num', 1), ('num', 2), ('num', 3), ('num', 4), ('num', 5))
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from tools.mathematics import exact
from tools.mathematics.numbers import lowest
from tools.mathematics.tree import Tree

DOTS: Tree = ("sym", "\\ldots")
HEADS = {"list": 2, "set": 1, "tuple": 3}
MAX_ITEMS = 500


def written_out(tree: Tree) -> Tree:
    """The collection with its dots replaced; unchanged where they do not say which items they stand for."""
    head = HEADS.get(tree[0])
    if head is None or DOTS not in tree[head:]:
        return tree
    items = list(tree[head:])
    place = items.index(DOTS)
    before, after = items[:place], items[place + 1 :]
    if not after or DOTS in after:
        return tree
    values = [exact.rational_value(item) for item in (*before, after[0])]
    if None in values:
        return tree
    numbers = [value for value in values if value is not None]
    filled = _between(numbers[:-1], numbers[-1])
    return tree if filled is None else (*tree[:head], *before, *(("num", lowest(value)) for value in filled), *after)


def _between(before: list[Fraction], last: Fraction) -> list[Fraction] | None:
    """The terms between those said and the last one: of one difference, or of one ratio."""
    if not before:
        return None
    steps = [later - earlier for earlier, later in pairwise(before)] or [Fraction(1)]
    if len(set(steps)) == 1 and steps[0]:
        count = (last - before[-1]) / steps[0]
        if count.denominator == 1 and 1 <= count <= MAX_ITEMS:
            return [before[-1] + steps[0] * place for place in range(1, int(count))]
        return None
    if len(before) >= 3 and all(before):
        ratios = {later / earlier for earlier, later in pairwise(before)}
        return _powers(before[-1], ratios.pop(), last) if len(ratios) == 1 else None
    return None


def _powers(term: Fraction, ratio: Fraction, last: Fraction) -> list[Fraction] | None:
    found: list[Fraction] = []
    for _ in range(MAX_ITEMS):
        term *= ratio
        if term == last:
            return found
        if abs(term) > abs(last) > 0 and abs(ratio) > 1:
            return None
        found.append(term)
    return None
