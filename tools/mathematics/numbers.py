r"""Reads text that is a number or a simple fraction, exactly and without a parser: most answers are no more.

>>> read_number("1234.50"), read_number(r"-\frac{3}{4}"), read_number("033"), read_number("x")
(Fraction(2469, 2), Fraction(-3, 4), 33, None)

The value is an int where the number is whole, else a Fraction; decimals are what their digits say.
"""

from __future__ import annotations

import re
from fractions import Fraction

from tools.mathematics.limits import MAX_DIGITS

PLAIN_INTEGER = re.compile(r"[+-]?[0-9]+")
GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+"
DECIMAL = re.compile(rf"([+-]?)\s*({GROUPED}|[0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{{1,5}}))?")
FRACTION = re.compile(
    r"([+-]?)\s*(?:\\[dtc]?frac\s*(?:\{\s*([+-]?)\s*([0-9]+)\s*\}\s*\{\s*([+-]?)\s*([0-9]+)\s*\}|\s*([0-9])\s*([0-9]))"
    r"|\s*([0-9]+)\s*/\s*([0-9]+))"
)
Number = int | Fraction


def read_number(text: str) -> Number | None:
    """The exact value of a plain number; None when the text is anything else (or longer than MAX_DIGITS)."""
    text = text.strip()
    if len(text) > MAX_DIGITS or not text:
        return None
    if PLAIN_INTEGER.fullmatch(text):
        return int_from_digits(text)
    return _read_decimal(text) if text[-1] not in "})" and "/" not in text else _read_fraction(text)


def int_from_digits(digits: str) -> int:
    """`int` without CPython's limit of 4300 digits, which answers of 5000 digits exceed."""
    if len(digits) <= 4000:
        return int(digits)
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    half = len(digits) // 2
    high, low = digits[:-half], digits[-half:]
    return sign * (int_from_digits(high) * int(10**half) + int_from_digits(low))


def _read_decimal(text: str) -> Number | None:
    match = DECIMAL.fullmatch(text)
    if match is None:
        return _read_fraction(text) if text.startswith("\\") or text[:1] in "+-" else None
    sign, whole, decimals, exponent = match.groups()
    digits = (whole or "").replace(",", "") + (decimals or "")
    if not digits:
        return None
    power = int(exponent or 0) - len(decimals or "")
    if abs(power) > MAX_DIGITS:
        return None
    value = int_from_digits(digits)
    value = -value if sign == "-" else value
    return value * 10**power if power >= 0 else lowest(Fraction(value, 10**-power))


def _read_fraction(text: str) -> Number | None:
    match = FRACTION.fullmatch(text)
    if match is None:
        return None
    sign, sign_above, above, sign_below, below, short_above, short_below, plain_above, plain_below = match.groups()
    denominator = int_from_digits(below or short_below or plain_below)
    if denominator == 0:
        return None
    value = Fraction(int_from_digits(above or short_above or plain_above), denominator)
    negatives = [sign, sign_above, sign_below].count("-")
    return lowest(-value if negatives % 2 else value)


def lowest(value: Fraction) -> Number:
    """An int where the fraction is whole."""
    return value.numerator if value.denominator == 1 else value
