r"""How many values a JSON text holds, counted before it is parsed: a hundred kilobytes may unpack to gigabytes of them.

Long strings cost their length and no more, so they are passed over; what becomes an object of its own is counted.

>>> check_size('[{"input": "1, 2, [3]", "output": "\\"3\\""}]')
>>> check_size("[" + "[]," * 1_000_000 + "[]]")
Traceback (most recent call last):
ValueError: it holds more than 1000000 values
"""

from __future__ import annotations

import sys

MAX_VALUES = 1_000_000  # of one problem's tests; official ones have some hundred tests of four values
MAX_ESCAPED_QUOTES = 20_000_000  # passing over them takes time, no memory
MAX_TEXT_BYTES = 512 << 20  # in memory, where one rare sign makes every sign four bytes long


def check_size(text: str) -> None:
    """Raises ValueError for a text that would take too much memory or time to parse; linear in its length."""
    if sys.getsizeof(text) > MAX_TEXT_BYTES:
        raise ValueError(f"it takes more than {MAX_TEXT_BYTES >> 20} MiB of memory")
    position, values, escaped = 0, 0, 0
    while position < len(text):
        start = text.find('"', position)
        end = len(text) if start < 0 else start
        values += 1 + sum(text.count(sign, position, end) for sign in ",[{")
        if values > MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES} values")
        if start < 0:
            return
        position, passed = _end_of_string(text, start + 1, MAX_ESCAPED_QUOTES - escaped)
        escaped += passed


def _end_of_string(text: str, place: int, most: int) -> tuple[int, int]:
    """The place behind a string's closing quote, and how many escaped quotes stand before it."""
    passed = 0
    while (quote := text.find('"', place)) >= 0:
        first = quote
        while first > place and text[first - 1] == "\\":
            first -= 1
        if (quote - first) % 2 == 0:
            return quote + 1, passed
        passed, place = passed + 1, quote + 1
        if passed > most:
            raise ValueError(f"it holds more than {MAX_ESCAPED_QUOTES} escaped quotes")
    return len(text), passed
