"""Whether a record that was read from a file holds what its annotations say; files may have been written by anybody.

>>> @dataclasses.dataclass(frozen=True)
... class Error:
...     value: float | None
>>> check_record(Error(0.5)) or check_record(Error(None))
>>> check_record(Error("0.5"))
Traceback (most recent call last):
TypeError: value is '0.5', and float | None is wanted
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

SHOWN_CHARS = 60


@functools.cache
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def check_record(record: Any) -> None:
    """Raises TypeError that names the first field of a dataclass, or of one within it, that holds something else. A float
    is finite, and True is no number."""
    for name, hint in _hints(record.__class__).items():
        value = getattr(record, name)
        if not _is(value, hint):
            wanted = getattr(hint, "__name__", None) if isinstance(hint, type) else None
            raise TypeError(f"{name} is {repr(value)[:SHOWN_CHARS]}, and {wanted or hint} is wanted")


def _is(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_is(value, each) for each in arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return isinstance(value, tuple) and all(_is(each, arguments[0]) for each in value)
    if origin is tuple:
        return isinstance(value, tuple) and len(value) == len(arguments) and all(map(_is, value, arguments))
    if origin in (Mapping, dict):
        is_known = isinstance(value, Mapping)
        return is_known and all(_is(key, arguments[0]) and _is(each, arguments[1]) for key, each in value.items())
    if origin in (Sequence, list):
        return isinstance(value, (list, tuple)) and all(_is(each, arguments[0]) for each in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, hint):
        return False
    if dataclasses.is_dataclass(value):
        check_record(value)
    return True
