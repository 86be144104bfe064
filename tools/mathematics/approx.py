r"""Numerical evaluation of expression trees, in machine numbers or in many digits, and what it may conclude.

Two expressions are unequal as soon as they differ clearly at one point. They count as equal only when they agree to
four fifths of the working digits at several random points, and the digits cover every magnitude that occurred in a sum:
analytic expressions that agree at random points of an open set are the same there, and constants of the size of an
answer do not agree to 200 digits by accident.

>>> from tools.mathematics.reader import read
>>> compare_numerically(read(r"\sin 30^\circ"), read(r"\frac{1}{2}"))
True
"""

from __future__ import annotations

import cmath
import math
import random
import threading
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tools.mathematics.exact import ANGLE_FUNCTIONS
from tools.mathematics.limits import MAX_RESULT_BITS
from tools.mathematics.tree import Tree, nodes, symbols

POINTS = 4
TRIES = 12
CLEAR_DIFFERENCE = 1e-4  # relative, between machine numbers without cancellation
PRECISIONS = (60, 250)  # decimal digits; the second looks again when magnitudes spread widely
HUGE_EXPONENT_BITS = 2**36  # a number of more bits is not written down, even as a floating one
MAX_LOOP = 2000  # terms of a sum or product added up
Value = Any  # float, complex, or mpmath's mpf and mpc


class NotNumeric(Exception):
    """No numerical value: an unknown function, calculus, a pole, or a magnitude without bounds."""


class Huge(NotNumeric):
    """The magnitude is beyond HUGE_EXPONENT_BITS."""


class Unknown:
    """Stands for a value that the numerical rules do not reach."""


class Undefined(NotNumeric):
    """Division by zero, 0^0, infinity minus infinity: no value at all."""


class MachineNumbers:
    """Python's floats: fast, and honest about overflow."""

    pi, e, i, infinity = math.pi, math.e, 1j, math.inf

    def number(self, value: int | Fraction) -> Value:
        try:
            result = float(value)
        except OverflowError:
            raise NotNumeric("too large for a float") from None
        if result == 0 and value:
            raise NotNumeric("too small for a float")
        return result

    def power(self, base: Value, exponent: Value) -> Value:
        result = base**exponent
        if result == 0 and base:
            raise NotNumeric("too small for a float")
        return result

    def function(self, name: str, value: Value) -> Value:
        if isinstance(value, complex):
            return getattr(cmath, CMATH_NAMES.get(name, name))(value)
        try:
            return getattr(math, CMATH_NAMES.get(name, name))(value)
        except ValueError:
            return getattr(cmath, CMATH_NAMES.get(name, name))(complex(value))

    def factorial(self, value: Value) -> Value:
        return math.gamma(value + 1)

    def note_summands(self, values: list[Value]) -> None:
        """Machine numbers keep no account of cancellation."""


class ManyDigits:
    """mpmath at a given precision; keeps account of what sums may have cancelled.

    `largest` is the largest summand seen, `spread` the most bits between two summands of one sum.
    """

    def __init__(self, digits: int) -> None:
        import mpmath

        self.context = mpmath.mp.clone()
        self.context.dps = digits
        self.pi, self.e, self.i, self.infinity = (
            +self.context.pi,
            +self.context.e,
            self.context.mpc(0, 1),
            self.context.inf,
        )
        self.largest: Value = 0
        self.spread = 0

    def note_summands(self, values: list[Value]) -> None:
        sizes = [abs(value) for value in values if value]
        if sizes and self.context.isfinite(sum(sizes)):
            top = max(sizes)
            self.largest = max(self.largest, top)
            self.spread = max(self.spread, int(self.context.mag(top) - self.context.mag(min(sizes))))

    def number(self, value: int | Fraction) -> Value:
        return self.context.mpf(value.numerator) / value.denominator

    def power(self, base: Value, exponent: Value) -> Value:
        if base and abs(self.magnitude(base)) * abs(exponent) > HUGE_EXPONENT_BITS:
            raise Huge("a power without bounds")
        return self.context.power(base, exponent)

    def function(self, name: str, value: Value) -> Value:
        if name in GROWING and self.magnitude(value) > 36:
            raise Huge("an exponential without bounds")
        if self.magnitude(value) > 4000:
            raise NotNumeric("an argument without bounds")
        return getattr(self.context, MPMATH_NAMES.get(name, name))(value)

    def factorial(self, value: Value) -> Value:
        if self.magnitude(value) > 30:
            raise Huge("a factorial without bounds")
        return self.context.factorial(value)

    def agree(self, first: Value, second: Value) -> bool:
        """Equal up to what rounding and cancellation can have done."""
        scale = max(abs(first), abs(second), self.largest)
        return bool(abs(first - second) <= scale * self.context.mpf(10) ** (-self.context.dps * 4 // 5))

    def magnitude(self, value: Value) -> int:
        """About the binary logarithm of |value|."""
        return 0 if not value else int(self.context.mag(value))


INFINITIES = (("const", "oo"), ("neg", ("const", "oo")))
CMATH_NAMES = {"ln": "log"}
MPMATH_NAMES = {"ln": "log", "ceil": "ceil"}
GROWING = frozenset("exp sinh cosh".split())
DIRECT = frozenset("sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh exp ln".split())
RECIPROCALS = {"cot": "tan", "sec": "cos", "csc": "sin", "coth": "tanh", "sech": "cosh", "csch": "sinh"}
INVERSE_RECIPROCALS = {
    "acot": "atan",
    "asec": "acos",
    "acsc": "asin",
    "acoth": "atanh",
    "asech": "acosh",
    "acsch": "asinh",
}


def evaluate(tree: Tree, point: Mapping[str, Value], field: Any) -> Value:
    """The value of a tree at a point; raises NotNumeric."""
    if tree in INFINITIES:
        return field.infinity if tree[0] == "const" else -field.infinity
    try:
        return _value(tree, point, field)
    except ZeroDivisionError as error:
        raise Undefined("division by zero") from error
    except (OverflowError, ValueError, TypeError, RecursionError, AttributeError, KeyError) as error:
        raise NotNumeric(str(error)) from error


def _value(tree: Tree, point: Mapping[str, Value], field: Any) -> Value:
    kind = tree[0]
    if kind in ("num", "dec"):
        return field.number(tree[1])
    if kind == "sym":
        return point[tree[1]]
    if kind == "const":
        if tree[1] == "oo":
            raise Undefined("arithmetic with infinity")
        return {"pi": field.pi, "e": field.e, "i": field.i}[tree[1]]
    if kind == "pow":
        return _power(tree[1], tree[2], point, field)
    if kind == "root":
        degree = tree[2][1] if tree[2][0] == "num" else None
        return _real_power(
            _value(tree[1], point, field), None if degree is None else Fraction(1, 1) / degree, tree[2], point, field
        )
    if kind == "call":
        return _call(tree, point, field)
    if kind in ("sum", "prod"):
        return _loop(tree, point, field)
    if kind == "apply":
        return _unknown_function(tree[1], [_value(part, point, field) for part in tree[2:]], field)
    if kind == "based":
        return field.number(int(tree[1], tree[2]))
    if kind not in OPERATIONS:
        raise NotNumeric(f"{kind} has no value")
    return OPERATIONS[kind]([_value(part, point, field) for part in tree[1:]], field)


def _add(values: list[Value], field: Any) -> Value:
    field.note_summands(values)
    return sum(values[1:], values[0])


def _multiply(values: list[Value], field: Any) -> Value:
    total = values[0]
    for value in values[1:]:
        total = total * value
    return total


OPERATIONS: dict[str, Any] = {
    "add": _add,
    "mul": _multiply,
    "neg": lambda values, field: -values[0],
    "div": lambda values, field: values[0] / values[1],
    "percent": lambda values, field: values[0] / 100,
    "degree": lambda values, field: values[0],
}


def _power(base: Tree, exponent: Tree, point: Mapping[str, Value], field: Any) -> Value:
    value = _value(base, point, field)
    if exponent[0] == "num":
        return _real_power(value, Fraction(exponent[1]), exponent, point, field)
    if exponent[0] == "div" and exponent[1][0] == exponent[2][0] == "num" and exponent[2][1]:
        return _real_power(value, Fraction(exponent[1][1]) / exponent[2][1], exponent, point, field)
    return _checked_power(value, _value(exponent, point, field), field)


def _real_power(value: Value, exponent: Fraction | None, tree: Tree, point: Mapping[str, Value], field: Any) -> Value:
    """Powers by a fraction take the real root of a negative number where there is one."""
    if exponent is None:
        return _checked_power(value, 1 / _value(tree, point, field), field)
    if exponent.denominator == 1:
        whole = int(exponent)
        return _checked_power(value, whole, field)
    is_real = not isinstance(value, complex) and not hasattr(value, "_mpc_")
    if is_real and value < 0 and exponent.denominator % 2:
        root = _checked_power(-value, field.number(exponent), field)
        return root if exponent.numerator % 2 == 0 else -root
    if is_real and value < 0 and field.pi == math.pi:
        value = complex(value)
    return _checked_power(value, field.number(exponent), field)


def _checked_power(base: Value, exponent: Value, field: Any) -> Value:
    if not base and not exponent:
        raise Undefined("0^0")
    return field.power(base, exponent)


def _radians(tree: Tree, point: Mapping[str, Value], field: Any) -> Value:
    if tree[0] == "degree":
        return _value(tree[1], point, field) * field.pi / 180
    if tree[0] in ("add", "mul", "neg", "div"):
        return OPERATIONS[tree[0]]([_radians(part, point, field) for part in tree[1:]], field)
    return _value(tree, point, field)


def _call(tree: Tree, point: Mapping[str, Value], field: Any) -> Value:
    name = tree[1]
    read_angle = _radians if name in ANGLE_FUNCTIONS else _value
    values = [read_angle(argument, point, field) for argument in tree[2:]]
    if name in DIRECT and len(values) == 1:
        return field.function(name, values[0])
    if name in RECIPROCALS:
        return 1 / field.function(RECIPROCALS[name], values[0])
    if name in INVERSE_RECIPROCALS:
        return field.function(INVERSE_RECIPROCALS[name], 1 / values[0])
    if name in ("log", "lg"):
        below = values[1] if len(values) == 2 else field.number(10)
        return field.function("ln", values[0]) / field.function("ln", below)
    if name in OTHERS:
        return OTHERS[name](values, field)
    raise NotNumeric(f"{name} has no numerical rule")


def _whole(value: Value) -> int:
    if abs(value) > 2**53 or value != int(value):
        raise NotNumeric("a whole number expected")
    return int(value)


def _binomial(values: list[Value], field: Any) -> Value:
    above, below = values
    return field.factorial(above) / (field.factorial(below) * field.factorial(above - below))


def _floor(values: list[Value], field: Any) -> Value:
    if abs(values[0]) > 2**50:
        raise NotNumeric("too large to round")
    nearest = round(values[0])
    return field.number(nearest if abs(values[0] - nearest) < 1e-9 else math.floor(values[0]))


OTHERS: dict[str, Any] = {
    "abs": lambda values, field: abs(values[0]),
    "fact": lambda values, field: field.factorial(values[0]),
    "binom": _binomial,
    "floor": _floor,
    "ceil": lambda values, field: -_floor([-values[0]], field),
    "max": lambda values, field: max(values),
    "min": lambda values, field: min(values),
    "mod": lambda values, field: values[0] - values[1] * _floor([values[0] / values[1]], field),
    "gcd": lambda values, field: field.number(math.gcd(*map(_whole, values))),
    "lcm": lambda values, field: field.number(math.lcm(*map(_whole, values))),
    "sign": lambda values, field: field.number((values[0] > 0) - (values[0] < 0)),
    "re": lambda values, field: values[0].real,
    "im": lambda values, field: values[0].imag,
    "cis": lambda values, field: field.function("cos", values[0]) + field.i * field.function("sin", values[0]),
}


def _unknown_function(name: str, arguments: list[Value], field: Any) -> Value:
    """f(x) for an f nobody knows: the same for equal arguments, and without any other property worth a name."""
    total = field.number(sum(map(ord, name)))
    for place, argument in enumerate(arguments):
        total = total + field.number(Fraction(73 + 19 * place, 10)) * argument
    return field.number(2) + field.function("sin", total)


def _loop(tree: Tree, point: Mapping[str, Value], field: Any) -> Value:
    r"""`\sum_{k=a}^{b}` and `\prod` between whole numbers, added up."""
    kind, body, variable, lower, upper = tree
    first, last = _whole(_value(lower, point, field)), _whole(_value(upper, point, field))
    if last - first > MAX_LOOP:
        raise NotNumeric("too many terms to add up")
    total = field.number(0 if kind == "sum" else 1)
    for index in range(first, last + 1):
        value = _value(body, {**point, variable[1]: field.number(index)}, field)
        total = total + value if kind == "sum" else total * value
    return total


def is_writable(tree: Tree) -> bool:
    """Whether every power and factorial of constants in it can be written out within MAX_RESULT_BITS.

    SymPy writes them out at once, and one multiplication of enormous integers cannot be interrupted.
    """
    for node in nodes(tree):
        if node[0] == "prod" and not _is_short_range(node):
            return False
        is_factorial = node[:2] == ("call", "fact")
        if (node[0] != "pow" and not is_factorial) or symbols(node):
            continue
        try:
            last = abs(evaluate(node[2], {}, MACHINE))
            base = 0.0 if is_factorial else abs(evaluate(node[1], {}, MACHINE))
        except NotNumeric:
            return False
        bits = last * math.log2(last + 2) if is_factorial else last * abs(math.log2(base or 1.0))
        if not bits <= MAX_RESULT_BITS:
            return False
    return True


def _is_short_range(node: Tree) -> bool:
    if symbols(node[3]) or symbols(node[4]):
        return True
    try:
        return bool(abs(evaluate(node[4], {}, MACHINE) - evaluate(node[3], {}, MACHINE)) <= MAX_LOOP)
    except NotNumeric:
        return node[4] in INFINITIES


# Conclusions.
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


MACHINE = MachineNumbers()
_local = threading.local()


def many_digits(digits: int) -> ManyDigits:
    """A context of this thread with fresh accounts (mpmath's contexts are not safe between threads)."""
    contexts: dict[int, ManyDigits] = _local.__dict__.setdefault("contexts", {})
    field = contexts.get(digits)
    if field is None:
        field = contexts[digits] = ManyDigits(digits)
    field.largest, field.spread = 0, 0
    return field
