r"""What numerical values may conclude about two expressions.

Two expressions are unequal as soon as they differ clearly at one point. They count as equal only when they agree to
four fifths of the working digits at several random points, and the digits cover every magnitude that occurred in a sum
or saturated a function: analytic expressions that agree at random points of an open set are the same there, and
constants of the size of an answer do not agree to 200 digits by accident. Expressions with steps or corners (floor,
max, absolute values) are compared at more points and over a wide range, for they may agree on a stretch.

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
MAX_PRECISION = 12_000  # digits that are spent at most where magnitudes spread even more
BITS_PER_DIGIT = 3.33
STEPPED_POINTS, STEPPED_TRIES = 24, 40
STEPPED = frozenset(["floor", "ceil", "mod", "sign", "max", "min", "abs", "gcd", "lcm", "round"])


def compare_numerically(left: Tree, right: Tree) -> bool | None:
    """Equal, unequal, or None when the numbers do not tell."""
    names = sorted(symbols(left) | symbols(right))
    has_i = any(node == ("const", "i") for tree in (left, right) for node in nodes(tree))
    if _differ_clearly(left, right, names, has_i):
        return False
    if not names:
        return _compare_constants(left, right)
    digits = PRECISIONS[0]
    while True:
        field = many_digits(digits)
        verdict = _agree_at_random_points(left, right, names, field, has_i)
        if not verdict or field.spread <= field.context.prec // 2:
            return verdict
        digits = _digits_for(field)
        if digits > MAX_PRECISION:
            return None


def _digits_for(field: Any) -> int:
    """Digits that cover the spread seen, with room."""
    return int(max(2.5 * field.spread, 2 * field.context.prec) / BITS_PER_DIGIT) + 20


def _is_stepped(tree: Tree) -> bool:
    return any(node[0] == "call" and node[1] in STEPPED for node in nodes(tree))


def _wide_points(names: list[str], count: int) -> list[dict[str, Fraction]]:
    """Points of both signs between a tenth and ten thousand, every other one whole."""
    source = random.Random(20240301)
    points = []
    for index in range(count):
        size = 10 ** (index % 5)
        step = 1 if index % 2 else 1000
        points.append(
            {
                name: source.choice((1, 1, -1)) * Fraction(source.randint(100, 9999) * size * step // 1000 or 1, step)
                for name in names
            }
        )
    return points


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
    is_stepped = bool(names) and (_is_stepped(left) or _is_stepped(right))
    points = random_points(names, POINTS if names else 1)
    for point in [*points, *(_wide_points(names, STEPPED_POINTS) if is_stepped else ())]:
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
    digits = PRECISIONS[0]
    while digits <= MAX_PRECISION:
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
        if digits >= PRECISIONS[1] and field.spread < field.context.prec // 2:
            return True
        digits = max(PRECISIONS[1], _digits_for(field)) if digits < PRECISIONS[1] else _digits_for(field)
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
    is_stepped = _is_stepped(left) or _is_stepped(right)
    points = random_points(names, TRIES)
    if is_stepped:
        points = [*points, *_wide_points(names, STEPPED_TRIES)]
    for point in points:
        at = {name: field.number(value) for name, value in point.items()}
        try:
            first, second = evaluate(left, at, field), evaluate(right, at, field)
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
        if agreements == (STEPPED_POINTS if is_stepped else POINTS):
            return True
    return None
