"""Values that a program answered, out here: made from its JSON within bounds, and compared as EvalPlus compares.

A program may answer anything, so nothing is made that could take long: a set or dictionary is made only when it has no
more members than a sensible answer, and what cannot be made is a value that equals nothing.

>>> read_value('{"t": [1, 2.0]}').value, read_value('{"o": "generator"}').kind
((1, 2.0), 'generator')
>>> is_close([0.1 + 0.2, 1], [0.3, 1], 1e-6), is_close("a", 0.5, 1e-6)
(True, False)
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from tools.grading.code.call_harness import decode, encode
from tools.grading.code.comparison import LongInteger, parse_json

__all__ = ["Answer", "decode", "encode", "equals", "is_close", "is_floats", "read_value"]

RELATIVE = 1e-7  # of numpy's assert_allclose, as EvalPlus takes it
HASHED_MEMBERS = 20_000  # of sets and dictionaries in one value, when nothing larger is expected


@dataclasses.dataclass(frozen=True)
class Answer:
    """A value with the name of its type. `value` of what cannot be said is an object that equals nothing else."""

    value: Any
    kind: str


class Unequal:
    """Stands for what equals nothing."""


def read_value(text: str, most_members: int = HASHED_MEMBERS) -> Answer:
    """The value of an answer's JSON; whatever is wrong with it, a value that equals nothing."""
    try:
        tree = parse_json(text)
        return Answer(_ValueMaker(most_members).read(tree), _kind_of(tree))
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return Answer(Unequal(), "")


def _kind_of(tree: Any) -> str:
    names = {"t": "tuple", "s": "set", "fs": "frozenset", "d": "dict", "c": "complex", "b": "bytes", "i": "int"}
    if not isinstance(tree, dict):
        return "int" if isinstance(tree, LongInteger) else type(tree).__name__
    (kind, inner), *_ = tree.items()
    if kind == "u":
        return str(inner[0])
    return names.get(kind, str(inner))


class _ValueMaker:
    """Makes a value of a tree; counts what has to be hashed."""

    def __init__(self, most_members: int) -> None:
        self.left = most_members

    def read(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return [self.read(each) if isinstance(each, (list, dict)) else each for each in tree]
        if not isinstance(tree, dict):
            return tree
        (kind, inner), *others = tree.items()
        if others or kind == "o":
            return Unequal()
        if kind == "u":
            return self.read(inner[1])
        if kind == "c":
            return complex(float(inner[0]), float(inner[1]))
        if kind == "b":
            return bytes.fromhex(inner)
        if kind == "i":
            return int(inner, 16)
        if kind == "t":
            return tuple(self.read(inner))
        self.left -= len(inner)
        if self.left < 0:
            return Unequal()
        if kind == "d":
            return {self.read(key): self.read(item) for key, item in inner}
        return {"s": set, "fs": frozenset}[kind](self.read(inner))


def equals(value: Any, expected: Any) -> bool:
    """Python's own equality; what cannot be compared is not equal."""
    try:
        return bool(value == expected)
    except (RecursionError, TypeError, ValueError, OverflowError):
        return False


def is_floats(value: Any, *, or_empty: bool = False) -> bool:
    """A float, or a list or tuple of floats only; an empty one as the caller says."""
    if isinstance(value, (list, tuple)):
        return all(isinstance(each, float) for each in value) and (bool(value) or or_empty)
    return isinstance(value, float)


def is_close(value: Any, expected: Any, tolerance: float) -> bool:
    """numpy.allclose without numpy, for numbers and for lists and tuples of them with the same form."""
    if isinstance(expected, (list, tuple)):
        if not isinstance(value, (list, tuple)) or len(value) != len(expected):
            return False
        return all(is_close(one, other, tolerance) for one, other in zip(value, expected, strict=True))
    numbers = (int, float, complex)
    if not isinstance(value, numbers) or not isinstance(expected, numbers):
        return False
    if value == expected:
        return True
    try:
        difference, size = abs(value - expected), abs(expected)
    except OverflowError:
        return False
    return math.isfinite(size) and difference <= tolerance + RELATIVE * size
