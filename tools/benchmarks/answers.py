r"""The right answer of a problem's row, however its publisher wrote it down.

Publishers call it `answer`, `Answer` or `expected_answer`; some give a worked solution that ends in a box (MATH) or in
"#### 204" (GSM8K). A list is a set of one accepted answer; of several none is chosen.

>>> read_answer({"Answer": 204}), read_answer({"expected_answer": ["025"]}), read_answer({"solution": r"So it is \boxed{\frac{1}{2}}."})
('204', '025', '\\frac{1}{2}')
>>> read_answer({"answer": "100+104=<<100+104=204>>204\n#### 204"})
'204'
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tools.store.reading import has_lone_surrogate, name_type

# The first that a row has. A solution counts only where there is no answer, and only with a box.
ANSWER_FIELDS = (
    "answer",
    "expected_answer",
    "final_answer",
    "correct_answer",
    "reference_answer",
    "ground_truth",
    "gold_answer",
)
SOLUTION_FIELDS = ("solution", "reference_solution")
GSM8K = re.compile(r"\n#### ([^\n]+)\s*$")
BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=\{)")


def read_answer(row: Mapping[str, object]) -> str | None:
    """The answer, None where the row has none. Raises ValueError for what cannot be one answer."""
    for name in ANSWER_FIELDS:
        value = field_of(row, name)
        if value is not None:
            return _to_answer(value, name)
    for name in SOLUTION_FIELDS:
        value = field_of(row, name)
        boxed = last_box(value) if isinstance(value, str) else None
        if boxed is not None and boxed.strip():
            return _to_answer(boxed, name)
    return None


def field_of(row: Mapping[str, object], name: str) -> Any:
    """A field by its name, or by its name with a capital (`Answer`, `Problem`) or all in capitals (`ID`)."""
    return next((row[each] for each in (name, name.capitalize(), name.upper()) if row.get(each) is not None), None)


def _to_answer(value: Any, name: str) -> str | None:
    if isinstance(value, list):
        distinct = {_to_answer(one, name) for one in value}
        if len(distinct) != 1:
            raise ValueError(
                f"`{name}` is a list of {len(distinct)} answers where one is needed; give each problem the one answer "
                "that is to be graded against"
            )
        return distinct.pop()
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"`{name}` is {name_type(value)} where a text or a number is needed")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"`{name}` is {value}, which is no number")
        value = int(value) if value.is_integer() else value  # tables of numbers turn 204 into 204.0
    text = str(value).strip()
    if has_lone_surrogate(text):
        raise ValueError(f"`{name}` holds half of a surrogate pair")
    worked = GSM8K.search(text)
    return worked[1].strip() if worked else text or None


def last_box(text: str) -> str | None:
    """What stands in the last box that is closed; one pass over the text."""
    content, start, depth = None, -1, 0
    openings = {match.end() for match in BOX.finditer(text)}
    position = 0
    while position < len(text):
        letter = text[position]
        if letter == "\\":
            # A command's letters are no braces, but the brace after \boxed is looked at in its turn.
            position += 2 if text[position + 1 : position + 2] in ("{", "}", "\\") else 1
            continue
        if letter == "{":
            if position in openings and start < 0:
                start, depth = position + 1, 0
            depth += start >= 0
        elif letter == "}" and start >= 0:
            depth -= 1
            if depth == 0:
                content, start = text[start:position], -1
        position += 1
    return content
