"""Calling a program's function and saying its result as JSON; on the program's side."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def find_function(names: dict[str, Any], function: str) -> Callable[..., Any]:
    """The method of a fresh `Solution()`, else the function of that name."""
    solution = names.get("Solution")
    if isinstance(solution, type) and hasattr(solution, function):
        return getattr(solution(), function)  # type: ignore[no-any-return]
    if function not in names:
        raise NameError(f"the program defines no function {function!r}")
    return names[function]  # type: ignore[no-any-return]


def make_encoder() -> Callable[[Any], str]:
    """JSON text of a value; tuples are lists, numpy's scalars numbers; TypeError for what JSON cannot say.

    Made before a program runs, so that a patched json module patches nothing here.
    """
    return json.JSONEncoder(default=_plain).encode


def _plain(value: Any) -> Any:
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return value.item()
    raise TypeError(f"returned a value of type {type(value).__name__}")
