r"""Two kinds of numbers to evaluate expressions in: machine numbers, and mpmath's with an account of cancellation.

>>> MACHINE.power(2.0, 10)
1024.0
"""

from __future__ import annotations

import cmath
import math
import threading
from fractions import Fraction
from typing import Any

HUGE_EXPONENT_BITS = 2**36  # a number of more bits is not written down, even as a floating one
Value = Any  # float, complex, or mpmath's mpf and mpc
CMATH_NAMES = {"ln": "log"}
MPMATH_NAMES = {"ln": "log"}
GROWING = frozenset(["exp", "sinh", "cosh"])
SATURATING = frozenset(["tanh", "coth", "erf"])
NEAR_ZERO_BITS = -8  # below it a function may differ from its value at 0 by the square of the argument only


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
        self.note_argument(name, value)
        return getattr(self.context, MPMATH_NAMES.get(name, name))(value)

    def factorial(self, value: Value) -> Value:
        if self.magnitude(value) > 30:
            raise Huge("a factorial without bounds")
        return self.context.factorial(value)

    def note_argument(self, name: str, value: Value) -> None:
        """Bits needed to tell a function from its limit: cos(10^-200) from 1, tanh(1000) from 1, arctan(10^99) from pi/2."""
        size = self.magnitude(value)
        if size < NEAR_ZERO_BITS:
            self.spread = max(self.spread, -2 * size)
        elif name in SATURATING:
            self.spread = max(self.spread, 3 * int(abs(value)) if size < 30 else 2**31)
        elif size > 0:
            self.spread = max(self.spread, size)

    def agree(self, first: Value, second: Value) -> bool:
        """Equal up to what rounding and cancellation can have done."""
        scale = max(abs(first), abs(second), self.largest)
        return bool(abs(first - second) <= scale * self.context.mpf(10) ** (-self.context.dps * 4 // 5))

    def magnitude(self, value: Value) -> int:
        """About the binary logarithm of |value|."""
        return 0 if not value else int(self.context.mag(value))


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
