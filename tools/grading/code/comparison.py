"""Is what a program answered what the test expects? LiveCodeBench's rules, made exact.

Programs from stdin to stdout: both texts stripped, lines stripped, the same number of lines; a line matches when it is
equal, or when all its words are numbers that are equal as decimals (so 1.0 is 1, and a 4000-digit number off by one is
not). Calls: values compare as JSON values; tuples were lists already, 5.0 is 5 and 1 is True as in Python; a result
within a relative 1e-9 of an expected float is equal (LiveCodeBench has no such leniency; contest sites allow 1e-5).

Source: LiveCodeBench/lcb_runner/evaluation/testing_util.py (MIT), rules only.

>>> stdout_matches("1.0 2\\n", "1 2")
True
>>> result_matches("[1, 2]", "[1,2]")
True
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

RELATIVE_TOLERANCE = 1e-9
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?\Z", re.ASCII)
MAX_DIFFERENCE_SHOWN = 80
LONG_INTEGER = 4000  # digits; Python reads 4300 by default


def stdout_matches(output: str, expected: str) -> bool:
    """Compares what a program printed with what it should have printed."""
    output, expected = output.strip(), expected.strip()
    if output == expected:
        return True
    output_lines, expected_lines = output.split("\n"), expected.split("\n")
    if len(output_lines) != len(expected_lines):
        return False
    return all(
        _line_matches(ours.strip(), theirs.strip()) for ours, theirs in zip(output_lines, expected_lines, strict=True)
    )


def _line_matches(output: str, expected: str) -> bool:
    if output == expected:
        return True
    ours, theirs = output.split(), expected.split()
    if len(ours) != len(theirs):
        return False
    return all(_number_matches(word, other) for word, other in zip(ours, theirs, strict=True))


def _number_matches(word: str, other: str) -> bool:
    if not NUMBER.match(word) or not NUMBER.match(other):
        return False
    try:
        return word == other or Decimal(word) == Decimal(other)
    except InvalidOperation:
        return False


def ends_with_line(output: str, expected: str) -> bool:
    """For test code that prints a token when it has come to its end: is it the last line?"""
    return output.rstrip().rpartition("\n")[2] == expected


def parse_json(text: str) -> Any:
    """JSON with integers of any length: beyond Python's limit for reading them they are kept as their digits."""
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(text, parse_int=_parse_integer)


@dataclass(frozen=True)
class LongInteger:
    """An integer that is only compared: making it one would take quadratic time."""

    digits: str


def _parse_integer(digits: str) -> int | LongInteger:
    return int(digits) if len(digits) < LONG_INTEGER else LongInteger(digits)


def canonical_json(text: str) -> str:
    """The text in the form in which Python writes JSON, so that equal values mostly are equal texts."""
    value = parse_json(text)
    try:
        return json.dumps(value)
    except TypeError:  # an integer too long to be made one
        return text.strip()


def longest_sensible_result(expected: str) -> int:
    """Characters above which a result cannot equal `expected`: no need to parse it."""
    return 24 * len(expected) + 65_536


def result_matches(result: str, expected: str) -> bool:
    """Compares the JSON text of what a call returned with the JSON text that the test expects."""
    if result == expected:
        return True
    if len(result) > longest_sensible_result(expected):
        return False
    try:
        return values_match(parse_json(result), parse_json(expected))
    except (ValueError, RecursionError):
        return False


def values_match(value: Any, expected: Any) -> bool:
    """Equality of JSON values, with the leniency for floats that are expected as floats."""
    if isinstance(expected, list):
        if not isinstance(value, list) or len(value) != len(expected):
            return False
        return all(values_match(ours, theirs) for ours, theirs in zip(value, expected, strict=True))
    if isinstance(expected, dict):
        if not isinstance(value, dict) or value.keys() != expected.keys():
            return False
        return all(values_match(value[key], theirs) for key, theirs in expected.items())
    if isinstance(expected, float) and isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return value == expected or math.isclose(value, expected, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
        except OverflowError:
            return False
    return bool(value == expected)


def show(text: str) -> str:
    """A short printable form for reports."""
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_DIFFERENCE_SHOWN else flat[: MAX_DIFFERENCE_SHOWN - 1] + "…"
