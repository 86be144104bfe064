r"""Families with an integer parameter: `n = 4k+1`, `n \equiv 1 \pmod 4`, `x = \pi/4 + k\pi`.

A family is a set of offsets and one step: the numbers offset + step * k for all whole k. Two families are the same set
when their offsets agree modulo the step. That the parameter runs through all whole numbers must be said (`k \in
\mathbb{Z}`, a congruence on the other side) or be plain from the form (an angle plus multiples of pi).

>>> from tools.mathematics.reader import read
>>> families_equal(read(r"n=4k-3"), read(r"n\equiv 1 \pmod 4"), frozenset(), frozenset())
True
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from tools.mathematics import exact
from tools.mathematics.sums import NO_POWER, ONE, NotExact
from tools.mathematics.tree import Tree, symbols

PARAMETERS = frozenset(["k", "n", "m", "l", "t", "j"])
SOLVED_LETTERS = frozenset(["x", "\\theta", "\\alpha", "\\varphi", "\\phi", "t", "z", "y"])
MAX_RESIDUES = 500
PI = frozenset([(("pi", NO_POWER), Fraction(1))])


@dataclass(frozen=True)
class Family:
    """offset + step * k in units of `unit` (1 or pi); `is_declared`: it is sure that k runs through all whole numbers."""

    offsets: tuple[Fraction, ...]
    step: Fraction
    unit: str
    name: Tree | None
    is_declared: bool


def families_equal(given: Tree, gold: Tree, given_whole: frozenset[str], gold_whole: frozenset[str]) -> bool | None:
    """True or False for two families, None when a side is none; `*_whole`: parameters said to run through Z."""
    left, right = family(given, given_whole), family(gold, gold_whole)
    if left is None or right is None or left.unit != right.unit or not (left.is_declared or right.is_declared):
        return None
    if left.name is not None and right.name is not None and left.name != right.name:
        return False
    step = _common(left.step, right.step)
    if step is None:
        return None
    return _residues(left, step) == _residues(right, step)


def _common(first: Fraction, second: Fraction) -> Fraction | None:
    """The least common multiple of two steps; None where it is out of proportion."""
    below = lcm(first.denominator, second.denominator)
    step = Fraction(lcm(int(abs(first) * below), int(abs(second) * below)), below)
    return step if max(step / abs(first), step / abs(second)) <= MAX_RESIDUES else None


def _residues(family: Family, step: Fraction) -> set[Fraction]:
    size = abs(family.step)
    return {(offset + size * place) % step for offset in family.offsets for place in range(int(step / size))}


def family(tree: Tree, whole: frozenset[str]) -> Family | None:
    """The family that a tree writes: a congruence, a linear form, or several of one step joined."""
    parts = list(tree[2:]) if tree[0] == "list" else list(tree[1:]) if tree[0] == "set" else [tree]
    found: list[Family] = []
    name: Tree | None = None
    for part in parts:
        one = _single(part, whole, name)
        if one is None:
            return None
        name = one.name
        found.append(one)
    if not found or len({one.unit for one in found}) > 1:
        return None
    step = found[0].step
    for one in found[1:]:
        common = _common(step, one.step)
        if common is None:
            return None
        step = common
    offsets = {offset for one in found for offset in _residues(one, step)}
    return Family(tuple(sorted(offsets)), step, found[0].unit, name, all(one.is_declared for one in found))


def _single(tree: Tree, whole: frozenset[str], name: Tree | None) -> Family | None:
    if tree[0] == "rel" and tree[1] == ("mod", "of"):
        return _congruence(tree)
    if tree[0] == "rel" and tree[1] == ("=",) and tree[2][0] == "sym":
        return _linear(tree[3], whole, tree[2])
    return _linear(tree, whole, name)


def _congruence(tree: Tree) -> Family | None:
    residue, modulus = exact.rational_value(tree[3]), exact.rational_value(tree[4])
    if residue is None or modulus is None or not 1 < modulus <= 10**6 or tree[2][0] != "sym":
        return None
    return Family((residue,), modulus, "", tree[2], True)


def _linear(tree: Tree, whole: frozenset[str], name: Tree | None) -> Family | None:
    names = symbols(tree)
    parameter = next(iter(names)) if len(names) == 1 else ""
    if parameter not in PARAMETERS | whole or (name is not None and name[1] == parameter):
        return None
    try:
        value = exact.quotient(tree)
    except (NotExact, ArithmeticError, RecursionError, ValueError):
        return None
    variable = frozenset([(("_" + parameter, NO_POWER), Fraction(1))])
    terms = dict(value.above)
    if value.below is not ONE:
        return None
    for unit, shape in (("", NO_POWER), ("pi", PI)):
        step = terms.get(variable | shape)
        if step and set(terms) <= {variable | shape, shape}:
            is_angle = unit == "pi" and name is not None and name[1] in SOLVED_LETTERS
            return Family((terms.get(shape, Fraction(0)),), step, unit, name, parameter in whole or is_angle)
    return None
