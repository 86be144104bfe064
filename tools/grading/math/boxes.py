r"""Finds `\boxed{...}` in a response, and joins the boxes that are parts of one answer. For tools/grading/math/extraction.py.

Linear in the text: every character is looked at a fixed number of times, whatever a model writes.

>>> joined_boxes(r"So $x=\boxed{3}$ and $y=\boxed{5}$.")
('x=3, y=5', False)
"""

from __future__ import annotations

import re

BOX_OPENING = re.compile(r"\\(?:begin)?(?:boxed|framebox|fbox)(?![A-Za-z])\s*")
FRAME_WIDTH = re.compile(r"\[[^\][{}\n]{0,20}\]\s*")  # \framebox[3cm]{...}
BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
BARE_CONTENT = re.compile(r"[^\s$\\{}.,;]+")
MAX_GAP_CHARS = 80
MAX_JOINED_BOXES = 200
NAME = r"(?:\\[A-Za-z]+|[A-Za-z])(?:_(?:\w|\{\w{1,8}\}))?(?:\([A-Za-z]\))?\s*="
# What may stand between two boxes of one answer: `$\boxed{1}$ and $\boxed{2}$`; the name of the second one ends it.
GAP_PIECE = re.compile(
    r"(?P<join>[,;]|(?:and|or)(?![A-Za-z])|\\(?:text|mathrm|textnormal)\s*\{(?P<words>[^{}]*)\})"
    rf"|(?P<name>{NAME}\s*\$?\s*$)|\\q?quad(?![A-Za-z])|\\[,;:!()\[\] ]|\\$|[\s$.&]"
)
JOINING_WORDS = frozenset(["", "and", "or"])
NAME_BEFORE = re.compile(rf"(?<![A-Za-z\\])({NAME})\s*\$?\s*$")


def closing_brace(text: str, start: int) -> int:
    r"""Offset of the brace that closes the one at `start`, -1 when there is none; `\{` and `\}` do not count."""
    depth = 0
    for match in BRACE.finditer(text, start):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == 0:
                return match.start()
    return -1


def boxes(text: str) -> list[tuple[int, int, str | None]]:
    r"""Every outermost `\boxed`: (start, end, content); content None where the braces never close."""
    found: list[tuple[int, int, str | None]] = []
    position = 0
    while True:
        opening = BOX_OPENING.search(text, position)
        if opening is None:
            return found
        width = FRAME_WIDTH.match(text, opening.end())
        start = width.end() if width else opening.end()
        if start < len(text) and text[start] == "{":
            end = closing_brace(text, start)
            if end < 0:
                # Nothing can close later either, so later boxes inside are unfinished too.
                found.append((opening.start(), len(text), None))
                return found
            found.append((opening.start(), end + 1, text[start + 1 : end]))
            position = end + 1
        else:
            word = BARE_CONTENT.match(text, start)
            is_value = word is not None and opening.group().rstrip() != opening.group()
            # `\boxed 5` is a box, `\boxed around it` in prose is not (lm-evaluation-harness#3477).
            if word is not None and is_value and (word.group()[0] in "+-0123456789" or len(word.group()) == 1):
                found.append((opening.start(), word.end(), word.group()))
            position = max(start, opening.end())


def joined_boxes(text: str) -> tuple[str | None, bool] | None:
    """The last box with those before it that belong to it, and whether it stays open; None without a box."""
    found = boxes(text)
    if not found:
        return None
    if found[-1][2] is None:
        return None, True
    parts = [found[-1]]
    names: list[str] = []  # of the parts, from the last one backwards
    for box in reversed(found[-MAX_JOINED_BOXES:-1]):
        name = None if box[2] is None else _name_in_gap(text[box[1] : parts[0][0]])
        if name is None:
            break
        names.append(name)
        parts.insert(0, box)
    if any(names):
        before = NAME_BEFORE.search(text, max(0, parts[0][0] - 30), parts[0][0])
        names.append(before[1] if before else "")
    else:
        names = [""] * len(parts)
    contents = [
        content if "=" in content else name + content
        for name, (_, _, content) in zip(reversed(names), parts, strict=True)
        if content is not None
    ]
    return ", ".join(dict.fromkeys(contents)), False


def _name_in_gap(gap: str) -> str | None:
    """The name that a gap gives to the box after it ('' for none); None where the two boxes are two answers."""
    if len(gap) >= MAX_GAP_CHARS:
        return None
    name, is_joined, position = "", False, 0
    while position < len(gap):
        piece = GAP_PIECE.match(gap, position)
        if piece is None or (piece["words"] or "").strip(" ,;") not in JOINING_WORDS:
            return None
        is_joined |= piece["join"] is not None
        name = (piece["name"] or "").strip("$ \n")
        position = piece.end()
    return name if is_joined else None
