r"""Functions of rational numbers whose values are rational: rounding, factorials, binomials, divisors, remainders.

>>> EXACT_FUNCTIONS["binom"]([Fraction(5), Fraction(2)])
10
"""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial, gcd, lcm
from typing import Any


def _whole(values: list[Fraction]) -> list[int] | None:
    return [int(value) for value in values] if all(value.denominator == 1 for value in values) else None


def _factorial(values: list[Fraction]) -> int | None:
    whole = _whole(values)
    return factorial(whole[0]) if whole and len(whole) == 1 and 0 <= whole[0] <= 3000 else None


def _binomial(values: list[Fraction]) -> int | None:
    whole = _whole(values)
    return comb(*whole) if whole and len(whole) == 2 and min(whole) >= 0 and whole[0] <= 3000 else None


def _modulo(values: list[Fraction]) -> Fraction | None:
    return values[0] % values[1] if len(values) == 2 and values[1] else None


EXACT_FUNCTIONS: dict[str, Any] = {
    "floor": lambda values: values[0].__floor__(),
    "ceil": lambda values: values[0].__ceil__(),
    "abs": lambda values: abs(values[0]),
    "sign": lambda values: (values[0] > 0) - (values[0] < 0),
    "max": max,
    "min": min,
    "fact": _factorial,
    "binom": _binomial,
    "mod": _modulo,
    "gcd": lambda values: gcd(*whole) if (whole := _whole(values)) else None,
    "lcm": lambda values: lcm(*whole) if (whole := _whole(values)) else None,
}
