"""Values of a task's metrics as JSON and back, to the last digit: numbers, texts, tuples, arrays of numpy.

>>> to_json(("a", [1.5, True])), from_json(to_json(("a", [1.5, True])))
({'tuple': ['a', [1.5, True]]}, ('a', [1.5, True]))
>>> is_number(True), is_number(0.5), is_number(float("nan")), is_number("0.5")
(True, True, False, False)
"""

from __future__ import annotations

import math
from typing import Any


def is_number(value: object) -> bool:
    """True for what can stand among a grade's metrics."""
    return isinstance(value, (bool, int, float)) and math.isfinite(value)


def to_json(value: Any) -> Any:
    """What `json` can write. Raises TypeError for what could not be read back."""
    if hasattr(value, "tolist") and not isinstance(value, (list, tuple)):  # numpy's numbers and arrays
        return {"array": value.tolist()} if getattr(value, "ndim", 0) else to_json(value.tolist())
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return {"tuple": [to_json(each) for each in value]}
    if isinstance(value, list):
        return [to_json(each) for each in value]
    if isinstance(value, dict):
        return {"dict": [[to_json(name), to_json(each)] for name, each in value.items()]}
    raise TypeError(f"a metric's value is a {type(value).__name__}")


def from_json(value: Any) -> Any:
    """What `to_json` was given."""
    if isinstance(value, list):
        return [from_json(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(from_json(each) for each in value["tuple"])
    if "array" in value:
        import numpy as np

        return np.array(value["array"])
    return {from_json(name): from_json(each) for name, each in value["dict"]}
