r"""Times of day: `3:30 pm` is 15:30; without am or pm on one side the digits decide.

>>> times_equal("3:30 pm", "15:30"), times_equal("9 am", "9 pm"), times_equal("1:2", "2:4")
(True, False, None)
"""

from __future__ import annotations

import re

WRAPPER = re.compile(r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mbox)\s*\{([^{}]*)\}")
TIME = re.compile(
    r"(?:at )?(\d{1,2})(?: ?[:.] ?(\d{2}))?(?: ?: ?(\d{2}))? ?(?:([ap])\.? ?m\.?|(o'clock|noon|midnight))?",
    re.IGNORECASE,
)
NAMED = {"noon": (12, 0, 0, "p"), "midnight": (12, 0, 0, "a")}
MAX_TIME_CHARS = 40
Time = tuple[int, int, int, str]  # hours, minutes, seconds, "a" | "p" | ""


def read_time(text: str) -> Time | None:
    """A time of day as it is written, None for anything else."""
    if len(text) > MAX_TIME_CHARS:
        return None
    plain = " ".join(WRAPPER.sub(r" \1 ", text).split()).lower().strip(". ")
    if plain in NAMED:
        return NAMED[plain]
    match = TIME.fullmatch(plain.replace("a.m", "am").replace("p.m", "pm"))
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.group(1, 2, 3))
    half = (match[4] or {"noon": "p", "midnight": "a"}.get(match[5] or "", "")).lower()
    is_time = hours <= 23 and minutes < 60 and seconds < 60 and (not half or 1 <= hours <= 12)
    return (hours, minutes, seconds, half) if is_time else None


def times_equal(given: str, gold: str) -> bool | None:
    """True or False when at least one side says which half of the day, None otherwise."""
    if not any(sign in "mnMN" for sign in given + gold):
        return None
    left, right = read_time(given), read_time(gold)
    if left is None or right is None or not (left[3] or right[3]):
        return None
    has_both, hours = bool(left[3] and right[3]), (left[0], right[0])
    if has_both or max(hours) > 12 or min(hours) == 0:
        return _of_day(left) == _of_day(right)
    return left[:3] == right[:3]


def _of_day(time: Time) -> tuple[int, int, int]:
    hours, minutes, seconds, half = time
    return (hours % 12 + (12 if half == "p" else 0) if half else hours, minutes, seconds)
