"""Responses that run in circles: the same words over and over until the tokens are gone.

Two signs, both read from the end, where loops live: the text repeats with an exact period, or its end compresses to
almost nothing (loops that count up, or vary a word). A loop explains a truncated response better than "too hard".

>>> find_loop("Let me think. " + "Wait, check again. " * 60).kind
'exact'
>>> find_loop("First, 3 + 4 = 7. So the answer is 7.") is None
True
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

MINIMUM_CHARS = 600  # a table or a list may repeat for less
MINIMUM_REPEATS = 4
LONGEST_PERIOD = 4000
NEEDLE_CHARS = 48
TAIL_CHARS = 8000
COMPRESSED_SHARE = 0.10  # of 116 real answered responses the smallest was 0.18 (docs/statistics.md)


@dataclass(frozen=True)
class Loop:
    """`start`: offset where the repetition begins; `repeats` and `unit` only for exact ones."""

    kind: str  # "exact" or "compressible"
    start: int
    characters: int
    repeats: float | None
    unit: str


def find_loop(text: str) -> Loop | None:
    """The loop at the end of a response, None where there is none."""
    stripped = text.rstrip()
    return _exact_loop(stripped) or _compressible_end(stripped)


def _exact_loop(text: str) -> Loop | None:
    if len(text) < MINIMUM_CHARS:
        return None
    needle = text[-NEEDLE_CHARS:]
    window = len(text) - LONGEST_PERIOD - NEEDLE_CHARS
    before = text.rfind(needle, max(0, window), len(text) - 1)
    if before < 0:
        return None
    period = len(text) - NEEDLE_CHARS - before
    covered = _periodic_end(text, period)
    if covered < max(MINIMUM_CHARS, MINIMUM_REPEATS * period):
        return None
    return Loop("exact", len(text) - covered, covered, covered / period, text[-period:][:200])


def _periodic_end(text: str, period: int) -> int:
    """How many characters at the end equal those one period earlier, plus that first period."""
    end, block = len(text), max(period, 256)
    position = end - period
    while position > 0:
        start = max(0, position - block)
        if text[start:position] != text[start + period : position + period]:
            break
        position = start
    while position > 0 and text[position - 1] == text[position - 1 + period]:
        position -= 1
    return end - position


def _compressible_end(text: str) -> Loop | None:
    if len(text) < TAIL_CHARS:
        return None
    tail = text[-TAIL_CHARS:]
    raw = tail.encode("utf-8", errors="surrogatepass")
    if len(zlib.compress(raw, 6)) > COMPRESSED_SHARE * len(raw):
        return None
    return Loop("compressible", len(text) - TAIL_CHARS, TAIL_CHARS, None, tail[-200:])


def loop_share(texts: Iterable[str]) -> tuple[int, int]:
    """(responses that end in a loop, responses)."""
    found = total = 0
    for text in texts:
        total += 1
        found += find_loop(text) is not None
    return found, total
