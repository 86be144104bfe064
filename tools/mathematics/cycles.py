r"""Permutations in cycle notation: `(1 2 3)` is `(2 3 1)`, a product of disjoint cycles in any order.

>>> cycles_equal("(1 2 3)", "(2 3 1)"), cycles_equal("(1 2 3)", "(1 3 2)"), cycles_equal("(1,2)", "(2,1)")
(True, False, None)
"""

from __future__ import annotations

import re

CYCLES = re.compile(r"(?:\( ?\d{1,3}(?: \d{1,3}){1,50} ?\) ?){1,20}")
CYCLE = re.compile(r"\(([\d ]+)\)")
MAX_CHARS = 400


def permutation(text: str) -> dict[int, int] | None:
    """What moves where; None for anything but disjoint cycles."""
    if len(text) > MAX_CHARS or not CYCLES.fullmatch(text):
        return None
    moves: dict[int, int] = {}
    for match in CYCLE.finditer(text):
        members = [int(part) for part in match[1].split()]
        for member, following in zip(members, [*members[1:], members[0]], strict=True):
            if member in moves:
                return None
            moves[member] = following
    return {member: following for member, following in moves.items() if member != following}


def cycles_equal(given: str, gold: str) -> bool | None:
    """True or False for two permutations, else None."""
    if "(" not in given or "(" not in gold:
        return None
    left = permutation(given)
    right = permutation(gold) if left is not None else None
    return None if left is None or right is None else left == right
