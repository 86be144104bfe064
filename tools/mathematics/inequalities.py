r"""Where an inequality in one variable may change from true to false: roots of polynomials, quotients, absolute values.

The points found may be more than needed; tools/mathematics/sets.py asks the inequality itself at each of them and in
every gap between.

>>> from tools.mathematics.reader import read
>>> breakpoints(read("x(x-1)"), ("sym", "x"))
[('num', 0), ('num', 1)]
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import gcd, isqrt, lcm

from tools.mathematics import exact
from tools.mathematics.numbers import lowest
from tools.mathematics.sums import NO_POWER, NotExact, Sum
from tools.mathematics.tree import Tree, mapped, nodes

MAX_ABSOLUTE_VALUES = 3
MAX_DEGREE = 12
MAX_ROOT_CANDIDATE = 10**6
Polynomial = list[Fraction]  # coefficients, the constant first


class NoBreakpoints(Exception):
    """Not a polynomial, a quotient or an absolute value of such, or a root without a closed form."""


def breakpoints(tree: Tree, variable: Tree) -> list[Tree]:
    """Every real point where the tree may change its sign or is undefined; raises NoBreakpoints."""
    inner = list(dict.fromkeys(node for node in nodes(tree) if node[:2] == ("call", "abs")))
    if len(inner) > MAX_ABSOLUTE_VALUES:
        raise NoBreakpoints
    found: list[Tree] = []
    for signs in product((1, -1), repeat=len(inner)):
        chosen = dict(zip(inner, signs, strict=True))

        def without_bars(node: Tree, chosen: dict[Tree, int] = chosen) -> Tree:
            if node in chosen:
                return node[2] if chosen[node] > 0 else ("neg", node[2])
            return node

        found += _roots_of(mapped(tree, without_bars), variable)
    for node in inner:
        if not any(part[:2] == ("call", "abs") for part in nodes(node[2])):
            found += _roots_of(node[2], variable)
    return list(dict.fromkeys(found))


def _roots_of(tree: Tree, variable: Tree) -> list[Tree]:
    try:
        quotient = exact.quotient(tree)
        (base,) = (key[0] for power in exact.quotient(variable).above for key, _ in power)
    except (NotExact, ArithmeticError, RecursionError, ValueError):
        raise NoBreakpoints from None
    return [root for side in (quotient.above, quotient.below) for root in real_roots(_coefficients(side, base))]


def _coefficients(terms: Sum, base: str) -> Polynomial:
    by_degree: dict[int, Fraction] = {}
    for power, coefficient in terms.items():
        degree = 0
        for (other, variable_part), exponent in power:
            if other != base or variable_part != NO_POWER or exponent.denominator != 1 or exponent < -MAX_DEGREE:
                raise NoBreakpoints
            degree = int(exponent)
        by_degree[degree] = coefficient
    lowest_degree = min([0, *by_degree])
    highest = max([0, *by_degree])
    if highest - lowest_degree > MAX_DEGREE:
        raise NoBreakpoints
    shifted = [by_degree.get(degree, Fraction(0)) for degree in range(lowest_degree, highest + 1)]
    return [Fraction(0), *shifted] if lowest_degree < 0 else shifted  # 1/x is undefined at 0


def real_roots(polynomial: Polynomial) -> list[Tree]:
    """All real roots as trees; raises NoBreakpoints where one has no closed form here."""
    coefficients = list(polynomial)
    while coefficients and not coefficients[-1]:
        coefficients.pop()
    found: list[Tree] = []
    if len(coefficients) > 1 and not coefficients[0]:
        found.append(("num", 0))
        while not coefficients[0]:
            coefficients.pop(0)
    coefficients, rational = _without_rational_roots(coefficients)
    found += [("num", lowest(root)) for root in rational]
    degree = len(coefficients) - 1
    if degree <= 0:
        return found
    if degree == 2:
        return found + _quadratic(coefficients)
    if all(not coefficient for coefficient in coefficients[1:-1]):  # a + b x^n
        value = -coefficients[0] / coefficients[-1]
        if degree % 2 == 0 and value < 0:
            return found
        root: Tree = ("root", ("num", lowest(abs(value))), ("num", degree))
        negative: Tree = ("neg", root)
        return found + ([root, negative] if degree % 2 == 0 else [root if value > 0 else negative])
    if degree == 4 and not coefficients[1] and not coefficients[3]:
        return found + _biquadratic(coefficients)
    if _sign_changes_of_sturm(coefficients):
        raise NoBreakpoints
    return found


def _without_rational_roots(coefficients: Polynomial) -> tuple[Polynomial, list[Fraction]]:
    found: list[Fraction] = []
    scale = lcm(*(value.denominator for value in coefficients)) if coefficients else 1
    whole = [int(value * scale) for value in coefficients]
    content = gcd(*whole) or 1
    whole = [value // content for value in whole]
    rest = [Fraction(value) for value in whole]
    if len(rest) == 2:
        return [rest[1]], [-rest[0] / rest[1]]
    if len(rest) < 2 or max(abs(whole[0]), abs(whole[-1])) > MAX_ROOT_CANDIDATE:
        return rest, found
    candidates = {Fraction(sign * p, q) for p in _divisors(whole[0]) for q in _divisors(whole[-1]) for sign in (1, -1)}
    for candidate in sorted(candidates):
        while len(rest) > 1 and not _value(rest, candidate):
            rest = _divided(rest, candidate)
            found.append(candidate)
    return rest, list(dict.fromkeys(found))


def _divisors(value: int) -> list[int]:
    value = abs(value)
    small = [number for number in range(1, isqrt(value) + 1) if value % number == 0]
    return small + [value // number for number in small]


def _value(coefficients: Polynomial, at: Fraction) -> Fraction:
    total = Fraction(0)
    for coefficient in reversed(coefficients):
        total = total * at + coefficient
    return total


def _divided(coefficients: Polynomial, root: Fraction) -> Polynomial:
    """Division by (x - root), which leaves nothing over."""
    quotient: Polynomial = []
    carried = Fraction(0)
    for coefficient in reversed(coefficients):
        carried = carried * root + coefficient
        quotient.append(carried)
    return list(reversed(quotient[:-1]))


def _quadratic(coefficients: Polynomial) -> list[Tree]:
    c, b, a = coefficients
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return []
    root: Tree = ("root", ("num", lowest(discriminant)), ("num", 2))
    shift: Tree = ("num", lowest(-b))
    twice: Tree = ("num", lowest(2 * a))
    return [("div", ("add", shift, part), twice) for part in (root, ("neg", root))]


def _biquadratic(coefficients: Polynomial) -> list[Tree]:
    c, b, a = coefficients[0], coefficients[2], coefficients[4]
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return []
    found: list[Tree] = []
    for sign in (1, -1):
        square = float(-b + sign * Fraction(float(discriminant) ** 0.5)) / float(2 * a)
        if square <= 0:
            continue
        part: Tree = ("root", ("num", lowest(discriminant)), ("num", 2))
        inner: Tree = ("div", ("add", ("num", lowest(-b)), part if sign > 0 else ("neg", part)), ("num", lowest(2 * a)))
        root: Tree = ("root", inner, ("num", 2))
        found += [root, ("neg", root)]
    return found


def _sign_changes_of_sturm(coefficients: Polynomial) -> int:
    """The number of distinct real roots (Sturm 1829)."""
    chain = [coefficients, [place * value for place, value in enumerate(coefficients)][1:]]
    while len(chain[-1]) > 1:
        rest = _remainder(chain[-2], chain[-1])
        if not rest:
            break
        chain.append([-value for value in rest])

    def variations(side: int) -> int:
        signs = [(1 if part[-1] > 0 else -1) * (side if (len(part) - 1) % 2 else 1) for part in chain if part]
        return sum(before != after for before, after in pairwise(signs))

    return variations(-1) - variations(1)


def _remainder(dividend: Polynomial, divisor: Polynomial) -> Polynomial:
    rest = list(dividend)
    while len(rest) >= len(divisor):
        factor = rest[-1] / divisor[-1]
        shift = len(rest) - len(divisor)
        for place, value in enumerate(divisor):
            rest[shift + place] -= factor * value
        while rest and not rest[-1]:
            rest.pop()
        if not rest:
            break
    return rest
