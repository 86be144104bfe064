r"""Sums of power products with rational coefficients: the arithmetic below the exact normal forms (exact.py).

A term is a rational coefficient times a power product; a power product is a frozenset of ((base, variable part of the
exponent), rational part of the exponent). Bases are symbols, pi, e, i, primes (`\sqrt{12}` is 2 times 3^(1/2)),
function values and sums under a root. One notion so covers polynomials, radicals, and `2^{n+1}` = 2 times 2^n.

>>> factors(12)
{2: 2, 3: 1}
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tools.mathematics.limits import MAX_EXPANDED_POWER, MAX_EXPANDED_TERMS, MAX_RESULT_BITS

Power = frozenset[Any]  # of ((base, Power), Fraction)
Sum = dict[Power, Fraction]  # power product -> coefficient, none of them zero
NO_POWER: Power = frozenset()
ONE: Sum = {NO_POWER: Fraction(1)}
TRIAL_DIVISION_BOUND = 1000


class NotExact(Exception):
    """No normal form: a kind of node that has none, an undefined value, or too large an expansion."""


def product(left: Sum, right: Sum) -> Sum:
    if right is ONE:
        return left
    if left is ONE:
        return right
    if len(left) * len(right) > 20 * MAX_EXPANDED_TERMS:
        raise NotExact("too many terms")
    total: Sum = {}
    for power, coefficient in left.items():
        for other, factor in right.items():
            for joined, value in join_powers(power, other, coefficient * factor).items():
                accumulate(total, joined, value)
    if len(total) > MAX_EXPANDED_TERMS:
        raise NotExact("too many terms")
    return total


def accumulate(total: Sum, power: Power, value: Fraction) -> None:
    value += total.get(power, 0)
    if value:
        total[power] = value
    else:
        total.pop(power, None)


def join_powers(left: Power, right: Power, coefficient: Fraction) -> Sum:
    """Product of two power products: exponents add; whole powers of primes and of i go to the coefficient."""
    if not right and all(not _is_reducible(key, exponent) for key, exponent in left):
        return {left: coefficient}
    exponents: dict[Any, Fraction] = dict(left)
    for key, exponent in right:
        exponents[key] = exponents.get(key, Fraction(0)) + exponent
    whole_sums: list[tuple[Any, int]] = []
    for (base, variable_part), exponent in list(exponents.items()):
        key = (base, variable_part)
        if exponent == 0:
            del exponents[key]
        elif base == -1 and variable_part:
            exponents[key] = exponent % 2
        elif base == "i" and exponent.denominator == 1:
            del exponents[key]
            coefficient *= -1 if exponent % 4 in (2, 3) else 1
            if exponent % 2:
                exponents[key] = Fraction(1)
        elif isinstance(base, int) and not variable_part and not 0 < exponent < 1:
            whole = exponent.numerator // exponent.denominator
            coefficient *= integer_power(Fraction(base), whole)
            exponents[key] = exponent - whole
            if not exponents[key]:
                del exponents[key]
        elif isinstance(base, tuple) and base[0] == "sum" and exponent.denominator == 1 and not variable_part:
            del exponents[key]
            whole_sums.append((base[1], int(exponent)))
    result: Sum = {frozenset(exponents.items()): coefficient}
    for key, whole in whole_sums:
        if whole < 0:
            raise NotExact("a root of a sum in the denominator")
        result = product(result, sum_power(dict(key), whole))
    return result


def _is_reducible(key: Any, exponent: Fraction) -> bool:
    base = key[0]
    return isinstance(base, (int, tuple)) or base == "i" or exponent == 0


def is_too_large(value: Fraction, exponent: int) -> bool:
    """Whether a power has more than MAX_RESULT_BITS."""
    size = max(value.numerator.bit_length(), value.denominator.bit_length())
    return size * abs(exponent) > MAX_RESULT_BITS and value not in (0, 1, -1)


def integer_power(value: Fraction, exponent: int) -> Fraction:
    if is_too_large(value, exponent):
        raise NotExact("a power too large to write out")
    if value == 0 and exponent < 0:
        raise NotExact("division by zero")
    return value**exponent


def sum_power(base: Sum, exponent: int) -> Sum:
    if len(base) <= 1:
        result: Sum = ONE
        for power, coefficient in base.items():
            powered = frozenset((key, value * exponent) for key, value in power)
            return join_powers(powered, NO_POWER, integer_power(coefficient, exponent))
        return {} if exponent else result
    if exponent > MAX_EXPANDED_POWER:
        raise NotExact("a power too large to expand")
    result = ONE
    for _ in range(exponent):
        result = product(result, base)
    return result


def factors(value: int) -> dict[int, int]:
    """Prime factors by trial division; what is left over counts as prime (`is_decisive` knows)."""
    found: dict[int, int] = {}
    if value.bit_length() > 4096:
        raise NotExact("a number too large to factor")
    for prime in (2, *range(3, TRIAL_DIVISION_BOUND, 2)):
        while value % prime == 0:
            value //= prime
            found[prime] = found.get(prime, 0) + 1
        if prime * prime > value:
            break
    if value > 1:
        root = round(value**0.5) if value < 10**300 else 0
        if root * root == value:
            found[root] = found.get(root, 0) + 2
        else:
            found[value] = found.get(value, 0) + 1
    return found
