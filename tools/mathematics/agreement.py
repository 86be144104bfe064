r"""What numerical values may conclude about two expressions.

Two expressions are unequal as soon as they differ clearly at one point. They count as equal only when they agree to
four fifths of the working digits at several random points, and the digits cover every magnitude that occurred in a sum:
analytic expressions that agree at random points of an open set are the same there, and constants of the size of an
answer do not agree to 200 digits by accident.

>>> from tools.mathematics.reader import read
>>> compare_numerically(read(r"\sin 30^\circ"), read(r"\frac{1}{2}"))
True
"""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

from tools.mathematics.approx import evaluate
from tools.mathematics.fields import MACHINE, Huge, NotNumeric, Undefined, Unknown, Value, many_digits
from tools.mathematics.tree import Tree, nodes, symbols

POINTS = 4
TRIES = 12
CLEAR_DIFFERENCE = 1e-4  # relative, between machine numbers without cancellation
PRECISIONS = (60, 250)  # decimal digits; the second looks again when magnitudes spread widely


def compare_numerically(left: Tree, right: Tree) -> bool | None:
    """Equal, unequal, or None when the numbers do not tell."""
    names = sorted(symbols(left) | symbols(right))
    has_i = any(node == ("const", "i") for tree in (left, right) for node in nodes(tree))
    if _differ_clearly(left, right, names, has_i):
        return False
    if not names:
        return _compare_constants(left, right)
    field = many_digits(PRECISIONS[0])
    verdict = _agree_at_random_points(left, right, names, field, has_i)
    if verdict and field.spread > field.context.prec // 2:
        verdict = _agree_at_random_points(left, right, names, many_digits(PRECISIONS[1]), has_i)
    return verdict


def random_points(names: list[str], count: int) -> list[dict[str, Fraction]]:
    """Rational points, the same for every comparison: one positive, the others of both signs, some of them whole."""
    source = random.Random(20240229)
    points = []
    for index in range(count):
        signs = (1,) if index % 3 == 0 else (-1, 1)
        step = 1 if index % 4 == 3 else 1000
        points.append(
            {
                name: source.choice(signs) * Fraction(source.randint(300, 3700) * step // 1000 or 1, step)
                for name in names
            }
        )
    return points


def _differ_clearly(left: Tree, right: Tree, names: list[str], has_i: bool) -> bool:
    """Whether machine numbers differ beyond doubt at some point."""
    for point in random_points(names, POINTS if names else 1):
        at = {name: float(value) for name, value in point.items()}
        try:
            first, second = evaluate(left, at, MACHINE), evaluate(right, at, MACHINE)
        except NotNumeric:
            continue
        scale = max(abs(first), abs(second))
        if not math.isfinite(scale) or scale < 1e-9:
            continue
        # Without an i in the text, a complex value means a point outside the real domain.
        if names and not has_i and (abs(first.imag) > 1e-9 * scale or abs(second.imag) > 1e-9 * scale):
            continue
        if abs(first - second) > CLEAR_DIFFERENCE * scale:
            return True
    return False


def _compare_constants(left: Tree, right: Tree) -> bool | None:
    """Two constants, at rising precision until the digits cover every magnitude that occurs in a sum."""
    for digits in PRECISIONS:
        field = many_digits(digits)
        first, second = _constant(left, field), _constant(right, field)
        if Unknown in (first, second):
            return None
        if first is None or second is None:
            return None if first is second or Huge in (first, second) else False
        if Huge in (first, second):
            growing = left if first is Huge else right
            return False if first is not second and _only_grows(growing) else None
        if not field.context.isfinite(first) or not field.context.isfinite(second):
            return bool(first == second)
        if not field.agree(first, second):
            return False
        if digits > PRECISIONS[0] and field.spread < field.context.prec // 2:
            return True
    return None


def _constant(tree: Tree, field: Any) -> Value:
    """The value; Huge (the class) beyond all bounds; Unknown where no rule reaches; None when undefined."""
    try:
        value = evaluate(tree, {}, field)
    except Huge:
        return Huge
    except Undefined:
        return None
    except NotNumeric:
        return Unknown
    return None if field.context.isnan(value) else value


def _only_grows(tree: Tree) -> bool:
    """Whether a tree holds only steps that make positive whole numbers larger, so that no part can cancel."""
    return all(
        (node[0] == "num" and node[1] >= 1 and node[1] == int(node[1]))
        or node[0] in ("add", "mul", "pow")
        or node[:2] == ("call", "fact")
        for node in nodes(tree)
    )


def _agree_at_random_points(left: Tree, right: Tree, names: list[str], field: Any, has_i: bool) -> bool | None:
    """True when enough points agree, False when one differs, None when too few can be used."""
    agreements = 0
    for point in random_points(names, TRIES):
        at = {name: field.number(value) for name, value in point.items()}
        try:
            first, second = evaluate(left, at, field), evaluate(right, at, field)
        except Huge:
            return None
        except NotNumeric:
            continue
        scale = max(abs(first), abs(second))
        if not field.context.isfinite(scale):
            continue
        if not has_i and max(abs(first.imag), abs(second.imag)) > scale * 1e-30:
            continue
        if not field.agree(first, second):
            return False
        agreements += 1
        if agreements == POINTS:
            return True
    return None
