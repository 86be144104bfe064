r"""Numerical value of an expression tree at a point, in machine numbers or in many digits.

>>> from tools.mathematics.reader import read
>>> evaluate(read(r"\sqrt[3]{-8}+x^2"), {"x": 3.0}, MACHINE)
7.0
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tools.mathematics.exact import ANGLE_FUNCTIONS
from tools.mathematics.fields import MACHINE, NotNumeric, Undefined, Value
from tools.mathematics.limits import MAX_RESULT_BITS
from tools.mathematics.tree import Tree, nodes, symbols, words

MAX_LOOP = 2000  # terms of a sum or product added up
INFINITIES = (("const", "oo"), ("neg", ("const", "oo")))
DIRECT = words("sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh exp ln")
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
