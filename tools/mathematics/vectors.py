r"""Vectors written with unit vectors: `3\mathbf{i} - 2\mathbf{j}`, `3\hat{\imath} + 4\hat{\jmath} - \hat{k}`.

>>> from tools.mathematics.reader import read
>>> as_tuple(read(r"3\hat{i}-2\hat{j}"), 2)
('tuple', '(', ')', ('num', 3), ('num', -2))
"""

from __future__ import annotations

import re

from tools.mathematics.tree import Tree, mapped, nodes, symbols

UNIT = re.compile(
    r"\\(?:hat|vec|bar|widehat|mathbf|overrightarrow|tilde)\{\\?(i|j|k|imath|jmath)(?:math)?\}|\\?(imath|jmath)"
)
AXES: tuple[Tree, ...] = (("const", "i"), ("sym", "j"), ("sym", "k"))
NAMES = {"i": AXES[0], "imath": AXES[0], "j": AXES[1], "jmath": AXES[1], "k": AXES[2]}


def with_plain_units(tree: Tree) -> Tree:
    """`\\hat{i}` and its kin as the letters i, j, k."""

    def change(node: Tree) -> Tree:
        match = UNIT.fullmatch(node[1]) if node[0] == "sym" else None
        return NAMES[match[1] or match[2]] if match else node

    return mapped(tree, change) if any("\\" in name for name in symbols(tree)) else tree


def has_marked_units(tree: Tree) -> bool:
    """Whether unit vectors are marked as such, so that i is no imaginary number."""
    return any(node[0] == "sym" and UNIT.fullmatch(node[1]) for node in nodes(tree))


def as_tuple(tree: Tree, length: int) -> Tree | None:
    """The coordinates of a sum of multiples of i, j (and k); None for anything else."""
    tree = with_plain_units(tree)
    terms = list(tree[1:]) if tree[0] == "add" else [tree]
    coordinates: list[list[Tree]] = [[], [], []]
    for term in terms:
        found = _component(term)
        if found is None:
            return None
        coordinates[found[0]].append(found[1])
    if length not in (2, 3) or (length == 2 and coordinates[2]) or not coordinates[1] + coordinates[2]:
        return None
    sums: list[Tree] = [
        parts[0] if len(parts) == 1 else ("add", *parts) if parts else ("num", 0) for parts in coordinates
    ]
    return ("tuple", "(", ")", *sums[:length])


def _component(term: Tree) -> tuple[int, Tree] | None:
    """(axis, multiple) of one summand."""
    if term in AXES:
        return AXES.index(term), ("num", 1)
    if term[0] == "neg":
        inner = _component(term[1])
        if inner is None:
            return None
        axis, multiple = inner
        return axis, ("num", -multiple[1]) if multiple[0] == "num" else ("neg", multiple)
    if term[0] == "mul":
        axes = [factor for factor in term[1:] if factor in AXES]
        rest = [factor for factor in term[1:] if factor not in AXES]
        if len(axes) == 1 and not any(node in AXES for factor in rest for node in nodes(factor)):
            return AXES.index(axes[0]), rest[0] if len(rest) == 1 else ("mul", *rest)
    if term[0] == "div":
        inner = _component(term[1])
        return None if inner is None else (inner[0], ("div", inner[1], term[2]))
    return None
