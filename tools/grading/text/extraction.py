r"""Finds the final text of a response: the last box, else what follows the last "the answer is", else the last line.

>>> find_text("It is cold. The answer is: **Yes**.").text, find_text(r"So \boxed{\text{blue}}").text
('Yes**.', '\\text{blue}')
>>> find_text("Sorted:\nant bee cat").text, find_text("Hm, it may be", is_cut_off=True).text
('ant bee cat', None)
"""

from __future__ import annotations

import dataclasses
import re

from tools.grading.math.answer_phrases import last_tagged
from tools.grading.math.boxes import boxes

WINDOW_CHARS = 100_000
MOST_ANSWER_CHARS = 4_000
MOST_ANNOUNCEMENTS = 50
STOP_TOKENS = re.compile(r"<\|(?:im_end|end_of_text|eot_id|endoftext)\|>|<｜end▁of▁sentence｜>|</s>")
ANNOUNCED = re.compile(
    r"(?<![A-Za-z])(?:final\s+|correct\s+)?answer\**\s*(?:is\b(?:\s*:|\s+(?=\S))|:|=)\s*\**\s*|^[#* \t]*final answer[*: \t]*\n\s*",
    re.IGNORECASE | re.MULTILINE,
)
DENIED = re.compile(r"(?:\bnot|n't|\bwrong|\bincorrect)\b[^.\n]{0,30}$", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class FoundText:
    """The text as it stands, None where there is none, and where it was found."""

    text: str | None
    rule: str = ""


def find_text(text: str, is_cut_off: bool = False) -> FoundText:
    """The final text of a response's answer part; in one that was cut off only boxes and announcements count."""
    text = STOP_TOKENS.sub("", text) if "<" in text else text
    found = boxes(text)
    if found and (content := found[-1][2]) is not None and content.strip():
        return FoundText(content.strip()[:MOST_ANSWER_CHARS], "box")
    tagged = last_tagged(text) if "nswer>" in text or "NSWER>" in text else None
    if tagged:
        return FoundText(tagged[:MOST_ANSWER_CHARS], "answer tag")
    text = text[-WINDOW_CHARS:]
    announced = last_announcement(text)
    if announced:
        return FoundText(announced, "announced")
    lines = [] if is_cut_off else text.rstrip().rsplit("\n", 1)
    return (
        FoundText(lines[-1].strip()[:MOST_ANSWER_CHARS], "last line")
        if lines and lines[-1].strip()
        else FoundText(None)
    )


def last_announcement(text: str) -> str | None:
    """The rest of the line behind the last announcement that is not denied."""
    for match in list(ANNOUNCED.finditer(text))[-MOST_ANNOUNCEMENTS:][::-1]:
        line = text[match.end() : match.end() + MOST_ANSWER_CHARS].split("\n", 1)[0].strip()
        if line and not DENIED.search(text, max(0, match.start() - 60), match.start()):
            return line
    return None
