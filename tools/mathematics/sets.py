r"""Sets of real numbers: intervals, finite sets, unions, differences, and inequalities in one variable.

Two sets are compared on the pooled breakpoints of both: every breakpoint and every gap between two of them must lie in
both sets or in neither. So `(-\infty,0)\cup(0,\infty)` equals `\mathbb{R}\setminus\{0\}` without any rewriting.

>>> from tools.mathematics.reader import read
>>> real_sets_equal(read(r"x>5"), read(r"(5,\infty)"))
True
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from tools.mathematics import exact
from tools.mathematics.approx import evaluate
from tools.mathematics.fields import MACHINE, NotNumeric, Undefined
from tools.mathematics.inequalities import NoBreakpoints, breakpoints
from tools.mathematics.sums import NO_POWER, ONE, NotExact
from tools.mathematics.tree import Tree, kinds, mapped, nodes, symbols, words
from tools.mathematics.values import plain_values_equal

TRUTH: dict[str, Callable[[float], bool]] = {
    "<": lambda value: value < 0, "<=": lambda value: value <= 0, ">": lambda value: value > 0,
    ">=": lambda value: value >= 0, "=": lambda value: value == 0, "!=": lambda value: value != 0,
}  # fmt: skip
Rank = float  # 2k for the k-th breakpoint, odd numbers for the gaps around it
Members = Callable[[Rank], bool]
ORDER = {"<": (False, True), "<=": (True, True), ">": (False, False), ">=": (True, False)}
FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
SET_KINDS = words("cup cap setminus numbers")


class NotASet(Exception):
    """No set of real numbers with constant ends."""


def is_real_set(tree: Tree) -> bool:
    """Whether the tree is written as a set of reals, not only as a pair or a list."""
    if tree[0] in SET_KINDS:
        return bool(tree[0] != "numbers" or tree[1] == "R")
    if tree[0] == "tuple":
        return len(tree) == 5 and (tree[1] == "[" or tree[2] == "]" or any(_is_infinite(end) for end in tree[3:]))
    if tree[0] == "builder":
        return True
    return _is_inequality(tree) or (tree[0] == "list" and all(_is_inequality(item) for item in tree[2:]))


def _is_inequality(tree: Tree) -> bool:
    return bool(tree[0] == "rel" and all(sign in ORDER or sign == "!=" for sign in tree[1]) and len(symbols(tree)) <= 2)


def real_sets_equal(given: Tree, gold: Tree) -> bool | None:
    """True or False when both are sets of reals with constant ends, else None."""
    try:
        points = Breakpoints()
        left, right = members_of(given, points), members_of(gold, points)
        points.sort()
        return all(left(rank) == right(rank) for rank in range(-1, 2 * len(points.trees)))
    except (NotASet, NotNumeric, NotExact):
        return None


class Breakpoints:
    """Distinct constant ends, numbered in order after `sort`."""

    def __init__(self) -> None:
        self.trees: list[Tree] = []
        self.values: list[float] = []
        self.ranks: dict[int, int] = {}
        self.order: list[int] = []

    def index(self, tree: Tree) -> int:
        if symbols(tree):
            raise NotASet
        value = evaluate(tree, {}, MACHINE)
        if isinstance(value, complex) or math.isnan(value):
            raise NotASet
        for position, known in enumerate(self.values):
            if abs(known - value) <= 1e-6 * max(1.0, abs(value)):
                verdict = plain_values_equal(self.trees[position], tree)
                if verdict is None:
                    raise NotASet
                if verdict:
                    return position
        self.trees.append(tree)
        self.values.append(value)
        return len(self.trees) - 1

    def sort(self) -> None:
        order = sorted(range(len(self.values)), key=self.values.__getitem__)
        self.ranks = {position: 2 * place for place, position in enumerate(order)}
        self.order = order

    def sample(self, rank: Rank) -> Tree:
        """The breakpoint of an even rank, a point inside the gap of an odd one."""
        place = int(rank) // 2
        if rank % 2 == 0:
            return self.trees[self.order[place]]
        if not self.order:
            return ("num", 0)
        if rank < 0:
            return ("num", Fraction(self.values[self.order[0]]) - 1)
        lower = Fraction(self.values[self.order[place]])
        if place + 1 == len(self.order):
            return ("num", lower + 1)
        return ("num", (lower + Fraction(self.values[self.order[place + 1]])) / 2)


def members_of(tree: Tree, points: Breakpoints) -> Members:
    kind = tree[0]
    if kind == "numbers" and tree[1] == "R":
        return lambda rank: True
    if kind in ("cup", "cap", "setminus"):
        left, right = members_of(tree[1], points), members_of(tree[2], points)
        if kind == "cup":
            return lambda rank: left(rank) or right(rank)
        if kind == "cap":
            return lambda rank: left(rank) and right(rank)
        return lambda rank: left(rank) and not right(rank)
    if kind == "set":
        indices = [points.index(item) for item in tree[1:]]
        return lambda rank: any(points.ranks[index] == rank for index in indices)
    if kind == "tuple" and len(tree) == 5:
        return _interval(tree, points)
    if kind == "builder":
        return members_of(tree[2], points)
    if kind == "rel":
        return _relation(tree, points)
    if kind == "list":
        return _listed(tree, points)
    raise NotASet


def _interval(tree: Tree, points: Breakpoints) -> Members:
    _, opening, closing, lower, upper = tree
    if (_is_infinite(lower) and opening == "[") or (_is_infinite(upper) and closing == "]"):
        raise NotASet  # infinity is no member
    if not (_is_infinite(lower) or _is_infinite(upper)):
        ends = [evaluate(end, {}, MACHINE) for end in (lower, upper) if not symbols(end)]
        if len(ends) == 2 and not any(isinstance(end, complex) for end in ends) and ends[0] >= ends[1]:
            raise NotASet  # (5, 2) is a point, whatever its brackets
    above = _half_line(lower, ">=" if opening == "[" else ">", points)
    below = _half_line(upper, "<=" if closing == "]" else "<", points)
    return lambda rank: above(rank) and below(rank)


def _half_line(end: Tree, sign: str, points: Breakpoints) -> Members:
    if _is_infinite(end):
        is_upper = _infinite_sign(end) > 0
        return (lambda rank: True) if is_upper == (sign in ("<", "<=")) else (lambda rank: False)
    index = points.index(end)
    is_closed, is_upper = ORDER[sign]
    if is_upper:
        return lambda rank: rank < points.ranks[index] or (is_closed and rank == points.ranks[index])
    return lambda rank: rank > points.ranks[index] or (is_closed and rank == points.ranks[index])


def _is_infinite(tree: Tree) -> bool:
    return tree == ("const", "oo") or (tree[0] == "neg" and tree[1] == ("const", "oo"))


def _infinite_sign(tree: Tree) -> int:
    return -1 if tree[0] == "neg" else 1


def variable_of(tree: Tree) -> Tree | None:
    """The one thing that an inequality, or a list of them, speaks of: a symbol, or an applied function."""
    found: set[Tree] = set()
    relations = [tree] if tree[0] == "rel" else [item for item in tree[2:] if item[0] == "rel"]
    for relation in relations:
        for side in relation[2:]:
            applied = {node for node in nodes(side) if node[0] == "apply"}
            found |= applied or {node for node in nodes(side) if node[0] == "sym"}
    return found.pop() if len(found) == 1 else None


def _relation(tree: Tree, points: Breakpoints) -> Members:
    """`1 < x <= 3`: every neighbouring pair is a half line; `x != 3` leaves out a point."""
    if tree[1] == ("in",):
        return members_of(tree[3], points)
    variable = variable_of(tree)
    if variable is None:
        raise NotASet
    tests: list[Members] = []
    for sign, left, right in zip(tree[1], tree[2:], tree[3:], strict=False):
        try:
            sign, end = _solved(sign, left, right, variable)
        except (NotASet, NotExact):
            tests.append(_tested(sign, left, right, variable, points))
            continue
        if sign in ORDER:
            tests.append(_half_line(end, sign, points))
        else:
            tests.append(_point(points.index(end), points, is_left_out=sign == "!="))
    return lambda rank: all(test(rank) for test in tests)


def _tested(sign: str, left: Tree, right: Tree, variable: Tree, points: Breakpoints) -> Members:
    """`x(x-1) < 0`, `|x| < 2`: the relation itself is asked at every breakpoint and between them."""
    if variable[0] != "sym" or sign not in FLIPPED or symbols(left) | symbols(right) != {variable[1]}:
        raise NotASet
    difference: Tree = ("add", left, ("neg", right))
    try:
        for end in breakpoints(difference, variable):
            points.index(end)
    except NoBreakpoints:
        raise NotASet from None
    return lambda rank: _holds(sign, difference, variable, points.sample(rank))


def _holds(sign: str, difference: Tree, variable: Tree, at: Tree) -> bool:
    value_tree = mapped(difference, lambda node: at if node == variable else node)
    try:
        value = evaluate(value_tree, {}, MACHINE)
    except Undefined:
        return False
    if isinstance(value, complex):
        return False
    if abs(value) < 1e-7:
        verdict = plain_values_equal(value_tree, ("num", 0))
        if verdict is None:
            raise NotASet
        value = 0 if verdict else value
    return bool(TRUTH[sign](value))


def _point(index: int, points: Breakpoints, is_left_out: bool) -> Members:
    return lambda rank: (points.ranks[index] == rank) != is_left_out


def _solved(sign: str, left: Tree, right: Tree, variable: Tree) -> tuple[str, Tree]:
    """The relation as (sign, end) of `variable sign end`; linear ones with rational coefficients are solved."""
    if sign not in FLIPPED:
        raise NotASet
    if left == variable and not symbols(right) and "apply" not in kinds(right):
        return sign, right
    if right == variable and not symbols(left) and "apply" not in kinds(left):
        return FLIPPED[sign], left
    difference = exact.quotient(("add", left, ("neg", right)))
    terms = dict(difference.above)
    (power,) = exact.quotient(variable).above
    slope, offset = terms.pop(power, None), terms.pop(NO_POWER, 0)
    if terms or slope is None or difference.below is not ONE:
        raise NotASet
    return (sign if slope > 0 else FLIPPED[sign]), ("num", -offset / slope)


def _listed(tree: Tree, points: Breakpoints) -> Members:
    """`x < 1 or x > 3` is a union; `x > 1 and x < 3` an intersection; a comma leaves it to what is not empty."""
    parts = [members_of(item, points) for item in tree[2:]]
    if tree[1] == "or":
        return lambda rank: any(part(rank) for part in parts)
    if tree[1] == "and" or all(item[1] == ("!=",) for item in tree[2:] if item[0] == "rel"):
        return lambda rank: all(part(rank) for part in parts)

    def member(rank: Rank) -> bool:
        is_disjoint = not any(all(part(place) for part in parts) for place in range(-1, 2 * len(points.trees)))
        return any(part(rank) for part in parts) if is_disjoint else all(part(rank) for part in parts)

    return member
