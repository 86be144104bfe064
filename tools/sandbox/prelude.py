"""The names that LiveCodeBench's checker imports before every solution, offered behind a program's own and Python's.

Like there, all `from X import *` come first and all `import X` last: `bisect`, `copy`, `datetime` and `random` are the
modules, and `bisect_left` or `deepcopy` are found as well.

As additional built-ins they are found last and shadow nothing; the checker's textual prelude does shadow (`pow`, `open`).
Solutions in LeetCode's form rely on them (`List`, `defaultdict`, ...).
"""

from __future__ import annotations

import builtins
import importlib
import typing
from collections.abc import Iterable
from typing import Any

# `from X import *` for these, in this order, then `import X`.
PRELUDE_MODULES = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics", "itertools",
    "functools", "operator", "io", "sys", "json",
)  # fmt: skip


def offer_prelude() -> list[str]:
    """Makes the names findable; returns those that were added."""
    names: dict[str, Any] = {}
    for module_name in PRELUDE_MODULES:
        module = importlib.import_module(module_name)
        public = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
        names.update({name: getattr(module, name) for name in public if hasattr(module, name)})
    names.update({name: getattr(typing, name) for name in typing.__all__})
    names.update({module_name: importlib.import_module(module_name) for module_name in PRELUDE_MODULES})
    added = [name for name in names if not hasattr(builtins, name)]
    for name in added:
        setattr(builtins, name, names[name])
    return added


def withdraw_prelude(names: Iterable[str]) -> None:
    """Takes the names away again: HumanEval and MBPP promise none."""
    for name in names:
        delattr(builtins, name)
