r"""Exact normal forms: quotients of sums of power products, for deciding equality without a computer algebra system.

The sums are those of tools/mathematics/sums.py. Two quotients are equal when they agree after cross-multiplication;
square roots of distinct primes are linearly independent over the rationals (Besicovitch 1940).

>>> from tools.mathematics.reader import read
>>> are_identical(read(r"\frac{1}{\sqrt{3}}"), read(r"\frac{\sqrt{3}}{3}"))
True
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import Any

from tools.mathematics.integer_functions import EXACT_FUNCTIONS
from tools.mathematics.series import written_out
from tools.mathematics.sums import (
    NO_POWER,
    ONE,
    TRIAL_DIVISION_BOUND,
    NotExact,
    Power,
    Sum,
    accumulate,
    factors,
    is_too_large,
    join_powers,
    product,
    sum_power,
)
from tools.mathematics.tree import Tree, words

POSITIVE_CONSTANTS = ("pi", "e")
ANGLE_FUNCTIONS = words("sin cos tan cot sec csc")


class Quotient:
    """numerator / denominator, each a Sum; a denominator of one term is moved into the numerator."""

    __slots__ = ("above", "below")

    def __init__(self, above: Sum, below: Sum = ONE) -> None:
        if not below:
            raise NotExact("division by zero")
        if len(below) == 1 and below is not ONE:
            (power, coefficient), below = next(iter(below.items())), ONE
            inverse = frozenset((key, -exponent) for key, exponent in power)
            above = product(above, {inverse: 1 / coefficient})
        self.above, self.below = above, below

    def key(self) -> Any:
        """Hashable; equal for equal sums, and for quotients that differ by a number at most."""
        if self.below is ONE:
            return frozenset(self.above.items())
        scale = self.below[min(self.below, key=repr)]
        return (
            frozenset((power, coefficient / scale) for power, coefficient in self.above.items()),
            frozenset((power, coefficient / scale) for power, coefficient in self.below.items()),
        )

    def rational(self) -> Fraction | None:
        """The value when it is a rational number."""
        if self.below is not ONE:
            return None
        if not self.above:
            return Fraction(0)
        return self.above.get(NO_POWER) if len(self.above) == 1 else None


def are_identical(left: Tree, right: Tree) -> bool:
    """Whether both have the same normal form; False says only that this stage did not prove it."""
    try:
        return same_quotient(quotient(left), quotient(right))
    except (NotExact, RecursionError, OverflowError, ZeroDivisionError):
        return False


def same_quotient(left: Quotient, right: Quotient) -> bool:
    """Equality by cross-multiplication."""
    if left.below is right.below:
        return left.above == right.above
    return product(left.above, right.below) == product(right.above, left.below)


def is_multiple(left: Quotient, right: Quotient) -> bool:
    """Whether left = c * right with a rational constant c other than zero (equations up to scale)."""
    if not left.above or not right.above:
        return not left.above and not right.above
    first, second = product(left.above, right.below), product(right.above, left.below)
    power = next(iter(first))
    if len(first) != len(second) or power not in second:
        return False
    scale = first[power] / second[power]
    return all(second.get(power, 0) * scale == coefficient for power, coefficient in first.items())


def is_decisive(value: Quotient) -> bool:
    """Whether unequal normal forms of this kind mean unequal values: polynomials and radicals of primes only."""
    for sum_ in (value.above, value.below):
        for power in sum_:
            for (base, variable_part), exponent in power:
                is_prime = isinstance(base, int) and 1 < base < TRIAL_DIVISION_BOUND**2
                if variable_part or not (is_prime or (isinstance(base, str) and exponent.denominator == 1)):
                    return False
    return True


def rational_value(tree: Tree) -> Fraction | None:
    """The value of a tree that is a rational number, else None."""
    try:
        return quotient(tree).rational()
    except (NotExact, RecursionError, OverflowError, ZeroDivisionError):
        return None


def quotient(tree: Tree) -> Quotient:
    """The normal form; raises NotExact."""
    rule = RULES.get(tree[0])
    if rule is None:
        raise NotExact(f"no normal form for {tree[0]}")
    result: Quotient = rule(tree)
    return result


def constant(value: Fraction | int) -> Quotient:
    return Quotient({NO_POWER: Fraction(value)} if value else {})


def atom(base: Any) -> Quotient:
    return Quotient({frozenset([((base, NO_POWER), Fraction(1))]): Fraction(1)})


# Operations on quotients.
def add(left: Quotient, right: Quotient, sign: int = 1) -> Quotient:
    """left + sign * right."""
    if left.below == right.below:
        first, second, below = left.above, right.above, left.below
    else:
        first, second = product(left.above, right.below), product(right.above, left.below)
        below = product(left.below, right.below)
    total = dict(first)
    for power, coefficient in second.items():
        accumulate(total, power, sign * coefficient)
    return Quotient(total, below if len(below) > 1 else ONE)


def multiply(left: Quotient, right: Quotient) -> Quotient:
    """left * right."""
    below = product(left.below, right.below)
    return Quotient(product(left.above, right.above), below)


def divide(left: Quotient, right: Quotient) -> Quotient:
    """left / right; raises NotExact when right is zero."""
    return Quotient(product(left.above, right.below), product(left.below, right.above))


def raise_to(base: Quotient, exponent: Quotient) -> Quotient:
    """base ** exponent for whole, fractional and symbolic exponents."""
    value = exponent.rational()
    if value is not None:
        if value.denominator == 1:
            whole = int(value)
            if whole == 0 and not base.above:
                raise NotExact("0^0")
            bare = base.rational()
            if bare is not None and is_too_large(bare, whole):  # stays a power, equal to itself only
                return atom(("power", base.key(), whole))
            if whole < 0:
                base, whole = Quotient(base.below, base.above), -whole
            return Quotient(sum_power(base.above, whole), sum_power(base.below, whole))
        above = _root_of_sum(base.above, value)
        return above if base.below is ONE else multiply(above, _root_of_sum(base.below, -value))
    if exponent.below is not ONE or not base.above:
        raise NotExact("a quotient as exponent")
    result = constant(1)
    for part, coefficient in exponent.above.items():
        if not part:
            step = raise_to(base, constant(coefficient))
        elif base.below is ONE:
            step = _symbolic_power(base.above, part, coefficient)
        else:
            above, below = (_symbolic_power(sum_, part, coefficient) for sum_ in (base.above, base.below))
            step = divide(above, below)
        result = multiply(result, step)
    return result


def _symbolic_power(base: Sum, part: Power, coefficient: Fraction) -> Quotient:
    if len(base) > 1:
        return Quotient({frozenset([((("sum", frozenset(base.items())), part), coefficient)]): Fraction(1)})
    power, number = next(iter(base.items()))
    exponents: dict[Any, Fraction] = {}
    for prime, times in (
        *factors(abs(number.numerator)).items(),
        *((p, -t) for p, t in factors(number.denominator).items()),
    ):
        exponents[prime, part] = coefficient * times
    if number < 0:
        exponents[-1, part] = coefficient % 2
    for (symbol, variable_part), exponent in power:
        if variable_part:
            part_product = join_powers(variable_part, part, Fraction(1))
            (joined, factor), *more = part_product.items()
            if more:
                raise NotExact("a sum as exponent of an exponent")
        else:
            joined, factor = part, Fraction(1)
        exponents[symbol, joined] = exponents.get((symbol, joined), Fraction(0)) + exponent * coefficient * factor
    return Quotient({frozenset((key, value) for key, value in exponents.items() if value): Fraction(1)})


def _root_of_sum(base: Sum, exponent: Fraction) -> Quotient:
    r"""A sum to a fractional power: `\sqrt{12x^2}` is 2*3^(1/2)*|x|; rational content leaves the root."""
    if not base:
        if exponent < 0:
            raise NotExact("division by zero")
        return constant(0)
    if len(base) == 1:
        power, number = next(iter(base.items()))
        return _root_of_term(power, number, exponent)
    content = Fraction(
        gcd(*(value.numerator for value in base.values())), lcm(*(value.denominator for value in base.values()))
    )
    rest = frozenset((power, value / content) for power, value in base.items())
    inner = Quotient({frozenset([((("sum", rest), NO_POWER), exponent)]): Fraction(1)})
    return multiply(_root_of_term(NO_POWER, content, exponent), inner)


def _root_of_term(power: Power, number: Fraction, exponent: Fraction) -> Quotient:
    exponents: dict[Any, Fraction] = {}
    coefficient = Fraction(1)
    if number < 0:
        if exponent.denominator % 2:  # the real root, as answers mean it
            coefficient = Fraction((-1) ** exponent.numerator)
        elif exponent.denominator == 2 and all(_is_positive(base) for (base, _), _ in power):
            exponents["i", NO_POWER] = Fraction(exponent.numerator)
        else:
            return Quotient({frozenset([((("sum", frozenset([(power, number)])), NO_POWER), exponent)]): Fraction(1)})
    for prime, times in (
        *factors(abs(number.numerator)).items(),
        *((p, -t) for p, t in factors(number.denominator).items()),
    ):
        exponents[prime, NO_POWER] = exponent * times
    for (base, variable_part), old in power:
        new = old * exponent
        is_even = old.denominator == 1 and old % 2 == 0
        if base == "i":
            raise NotExact("a root of an imaginary number")
        if is_even and not variable_part and not _is_positive(base) and (new.denominator != 1 or new % 2):
            base = ("call", "abs", atom(base).key())
        exponents[base, variable_part] = exponents.get((base, variable_part), Fraction(0)) + new
    return Quotient(join_powers(frozenset(exponents.items()), NO_POWER, coefficient))


def _is_positive(base: Any) -> bool:
    return (
        (isinstance(base, int) and base > 0)
        or base in POSITIVE_CONSTANTS
        or (isinstance(base, tuple) and base[:2] == ("call", "abs"))
    )


# One rule per kind of node.
def _call(tree: Tree) -> Quotient:
    name = tree[1]
    values = [quotient(_radians(argument) if name in ANGLE_FUNCTIONS else argument) for argument in tree[2:]]
    if name in ("ln", "log", "lg"):
        below = constant(10) if name in ("log", "lg") and len(values) == 1 else values[-1]
        return (
            _logarithm(values[0])
            if name == "ln" and len(values) == 1
            else divide(_logarithm(values[0]), _logarithm(below))
        )
    if name == "exp" and len(values) == 1:
        return raise_to(atom("e"), values[0])
    rationals = [value.rational() for value in values]
    if name in EXACT_FUNCTIONS and None not in rationals:
        exact = EXACT_FUNCTIONS[name]([value for value in rationals if value is not None])
        if exact is not None:
            return constant(exact)
    if name == "abs":
        if values[0].below is ONE and len(values[0].above) == 1:
            power, coefficient = next(iter(values[0].above.items()))
            if all(_is_positive(base) for (base, _), _ in power):
                return Quotient({power: abs(coefficient)})
        keys = [values[0].key(), add(constant(0), values[0], -1).key()]
        return atom(("call", "abs", min(keys, key=repr)))
    if name == "det":
        raise NotExact("determinant")
    return atom(("call", name, *(value.key() for value in values)))


def _radians(tree: Tree) -> Tree:
    """Degrees inside a trigonometric function, wherever they stand in the angle."""
    if tree[0] == "degree":
        return ("div", ("mul", tree[1], ("const", "pi")), ("num", 180))
    if tree[0] in ("add", "mul", "neg", "div"):
        return (tree[0], *(_radians(part) for part in tree[1:]))
    return tree


def _logarithm(value: Quotient) -> Quotient:
    """ln of a positive product splits into the logarithms of its factors; of anything else it stays one value."""
    if value.below is ONE and len(value.above) == 1:
        power, coefficient = next(iter(value.above.items()))
        if coefficient > 0 and all(_is_positive(base) for (base, _), _ in power):
            total = constant(0)
            primes = (
                *factors(coefficient.numerator).items(),
                *((p, -t) for p, t in factors(coefficient.denominator).items()),
            )
            for prime, times in primes:
                total = add(total, multiply(constant(times), atom(("call", "ln", prime))))
            for (base, variable_part), exponent in power:
                factor = multiply(constant(exponent), Quotient({variable_part: Fraction(1)}))
                logarithm = constant(1) if base == "e" else atom(("call", "ln", base))
                total = add(total, multiply(factor, logarithm))
            return total
    return atom(("call", "ln", value.key()))


def _sum_of(tree: Tree) -> Quotient:
    total = quotient(tree[1])
    for part in tree[2:]:
        total = add(total, quotient(part))
    return total


def _product_of(tree: Tree) -> Quotient:
    total = quotient(tree[1])
    for part in tree[2:]:
        total = multiply(total, quotient(part))
    return total


def _root(tree: Tree) -> Quotient:
    return raise_to(quotient(tree[1]), divide(constant(1), quotient(tree[2])))


def _series(tree: Tree) -> Quotient:
    closed = written_out(tree, rational_value)
    return atom(("opaque", tree)) if closed is None else quotient(closed)


def _symbol(tree: Tree) -> Quotient:
    return atom(tree[1])


def _named_constant(tree: Tree) -> Quotient:
    if tree[1] == "oo":
        raise NotExact("infinity")
    return atom(tree[1])


RULES: dict[str, Any] = {
    "num": lambda tree: constant(tree[1]),
    "dec": lambda tree: constant(tree[1]),
    "sym": lambda tree: atom("_" + tree[1]),
    "const": _named_constant,
    "add": _sum_of,
    "mul": _product_of,
    "neg": lambda tree: add(constant(0), quotient(tree[1]), -1),
    "div": lambda tree: divide(quotient(tree[1]), quotient(tree[2])),
    "pow": lambda tree: raise_to(quotient(tree[1]), quotient(tree[2])),
    "root": _root,
    "percent": lambda tree: divide(quotient(tree[1]), constant(100)),
    "based": lambda tree: constant(int(tree[1], tree[2])),
    "call": _call,
    **dict.fromkeys(("integral", "lim", "diff"), lambda tree: atom(("opaque", tree))),
    **dict.fromkeys(("sum", "prod"), lambda tree: _series(tree)),
    "apply": lambda tree: atom(("apply", tree[1], *(quotient(argument).key() for argument in tree[2:]))),
}
