"""Marks inside a string of a program are text, not marks: some programs are about tags.

>>> text = "It prints a tag:\\n```python\\nprint('</think>')\\n```"
>>> hide_quoted_marks(text, ("<think>", "</think>")) == text
False
>>> show_marks(hide_quoted_marks(text, ("<think>", "</think>")), ("<think>", "</think>")) == text
True
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

FENCE = "```"
FIRST_STAND_IN = 0x10FF00  # signs of the last private plane, which nobody uses
STRING = re.compile(r"(?<![\w\\])[A-Za-z]{0,2}(\"[^\"\n\\]*(?:\\.[^\"\n\\]*)*\"|'[^'\n\\]*(?:\\.[^'\n\\]*)*')(?!\w)")
MAX_LINE = 10_000  # a program's line that is longer is not looked at


def hide_quoted_marks(text: str, marks: Sequence[str]) -> str:
    """The text with stand-ins for marks that stand in a string of a fenced program; the same object without any."""
    if FENCE not in text:
        return text
    parts: list[str] = []
    position = counted_until = line_end = fences = 0
    for start, end in _find_marks(text, marks):
        if start < line_end:
            continue
        line_start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", end)
        line_end = len(text) if line_end < 0 else line_end
        line = text[line_start:line_end] if line_end - line_start <= MAX_LINE else ""
        fences += text.count(FENCE, counted_until, line_start)
        counted_until = max(counted_until, line_start)
        shown = _hide_in_strings(line, marks) if fences % 2 and ("'" in line or '"' in line) else line
        if shown != line:
            parts += [text[position:line_start], shown]
            position = line_end
        else:  # a mark ends what was open before it
            fences, counted_until = 0, end
    return "".join([*parts, text[position:]]) if parts else text


def show_marks(text: str, marks: Sequence[str]) -> str:
    """The text with its marks again."""
    for number, mark in enumerate(marks):
        text = text.replace(chr(FIRST_STAND_IN + number), mark)
    return text


def _find_marks(text: str, marks: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where marks stand, in order. Most texts hold one or two, so that finding is all that this costs."""
    places = []
    for mark in marks:
        place = text.find(mark)
        while place >= 0:
            places.append((place, place + len(mark)))
            place = text.find(mark, place + len(mark))
    return iter(sorted(places))


def _hide_in_strings(line: str, marks: Sequence[str]) -> str:
    def hide(match: re.Match[str]) -> str:
        quoted = match.group()
        for number, mark in enumerate(marks):
            quoted = quoted.replace(mark, chr(FIRST_STAND_IN + number))
        return quoted

    return STRING.sub(hide, line)
