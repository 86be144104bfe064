"""What checks are told, by type: numbers, texts, patterns, relations; and the one comparison that relations make.

A check's annotations say what its instruction's arguments have to be, and registry.py holds the data to them.

>>> compare(3, "at least", 3), compare(3, "less than", 3)
(True, False)
>>> fits(3, "float"), fits("3", "float"), fits(["a", "b"], "Words"), fits("at most", "Relation")
(True, False, True, False)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Words: TypeAlias = Sequence[str]
Pattern: TypeAlias = str  # the authors read it as a regular expression
Patterns: TypeAlias = Sequence[str]
Relation: TypeAlias = str

Check: TypeAlias = Callable[..., bool]  # the text, then the arguments by name
Checks: TypeAlias = Mapping[str, Check]

RELATIONS = ("less than", "at least")


def compare(count: int, relation: Relation, wanted: float) -> bool:
    return count < wanted if relation == RELATIONS[0] else count >= wanted


def fits(value: Any, kind: str) -> bool:
    """Whether an argument is of the kind that an annotation names."""
    return _KINDS[kind](value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_pattern(value: Any) -> bool:
    if not _is_text(value):
        return False
    try:
        re.compile(value)
    except re.error:
        return False
    return True


def _are(is_one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(is_one(each) for each in value)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "float": _is_number,
    "str": _is_text,
    "Words": _are(_is_text),
    "Pattern": _is_pattern,
    "Patterns": _are(_is_pattern),
    "Relation": lambda value: value in RELATIONS,
}
