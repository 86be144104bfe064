"""The original toolkit's rules for comparing answers, for `--grader original`; in words, rebuilt here.

Floats compare as numpy.allclose does (relative 1e-5, absolute 1e-8), in stdout line by line, in results also element by
element; text that reads as a number is that number. So a 4000-digit integer off by one is right, and "5" is 5.
"""

from __future__ import annotations

import math
from typing import Any

from tools.grading.code.comparison import longest_sensible_result, parse_json

RELATIVE, ABSOLUTE = 1e-5, 1e-8


def stdout_matches_original(output: str, expected: str) -> bool:
    """Both stripped, line by line: equal, or all words numbers and close."""
    ours = [line.strip() for line in output.strip().split("\n")]
    theirs = [line.strip() for line in expected.strip().split("\n")]
    if len(ours) != len(theirs):
        return False
    return all(
        line == other or _words_close(line.split(), other.split()) for line, other in zip(ours, theirs, strict=True)
    )


def _words_close(words: list[str], others: list[str]) -> bool:
    return len(words) == len(others) and all(_are_close(word, other) for word, other in zip(words, others, strict=True))


def _are_close(value: Any, expected: Any) -> bool:
    try:
        ours, theirs = float(value), float(expected)
    except (TypeError, ValueError, OverflowError):
        return False
    if math.isinf(ours) or math.isinf(theirs):
        return ours == theirs
    return abs(ours - theirs) <= ABSOLUTE + RELATIVE * abs(theirs)


def result_matches_original(result: str, expected: str) -> bool:
    """Equal, or close as a number, or lists close element by element."""
    if len(result) > longest_sensible_result(expected):
        return False
    try:
        value, wanted = parse_json(result), parse_json(expected)
    except (ValueError, RecursionError):
        return False
    if value == wanted or _are_close(value, wanted):
        return True
    if not isinstance(value, list) or not isinstance(wanted, list) or len(value) != len(wanted):
        return False
    return all(ours == theirs or _are_close(ours, theirs) for ours, theirs in zip(value, wanted, strict=True))
