"""An instruction's name -> its check; and an instruction as a row asks for it, with its arguments, held to their types.

Where the authors' programs draw an argument at random (a row without it), the data are wrong here: a verdict by chance
is none.

>>> asked = ask("keywords:frequency", {"keyword": "ha", "frequency": 2, "relation": "at least", "N": None})
>>> asked.is_followed_by("Ha, ha!"), asked.is_followed_by("Ha!"), asked.is_followed_by(" ")
(True, False, False)
>>> ask("count:numbers", {})
Traceback (most recent call last):
ValueError: count:numbers lacks N
>>> len(find_checks("1d62c1d"))
83
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Mapping
from typing import Any

from tools.grading.instructions import (
    DEFAULT_RULES,
    ifbench_counts,
    ifbench_custom,
    ifbench_earlier,
    ifbench_format,
    ifbench_later,
    ifbench_words,
    ifeval_format,
    ifeval_words,
)
from tools.grading.instructions.comparing import Check, Checks, fits

IFEVAL: Checks = {**ifeval_words.CHECKS, **ifeval_format.CHECKS}
IFBENCH: Checks = {
    **ifbench_counts.CHECKS, **ifbench_words.CHECKS, **ifbench_format.CHECKS, **ifbench_custom.CHECKS,
}  # fmt: skip

# Of other commits than the default.
_OTHERWISE: Mapping[str, Checks] = {"6fffd61": ifbench_earlier.CHECKS, "1d62c1d": ifbench_later.CHECKS}


@functools.cache
def find_checks(ifbench_rules: str = DEFAULT_RULES) -> Checks:
    """Every check by the name of its instruction."""
    return {**IFEVAL, **IFBENCH, **_OTHERWISE.get(ifbench_rules, {})}


@dataclasses.dataclass(frozen=True)
class Asked:
    """One instruction of one prompt."""

    name: str
    check: Check
    arguments: Mapping[str, Any]

    def is_followed_by(self, text: str) -> bool:
        """A text of nothing but whitespace follows nothing."""
        return bool(text.strip()) and bool(self.check(text, **self.arguments))


def ask(name: str, arguments: Mapping[str, Any], ifbench_rules: str = DEFAULT_RULES) -> Asked:
    """An instruction with its arguments; None says that one is not given. Raises ValueError that names what is wrong."""
    check = find_checks(ifbench_rules).get(name)
    if check is None:
        raise ValueError(f"there is no instruction {name!r}")
    wanted = _parameters(check)
    given = {key: value for key, value in arguments.items() if value is not None}
    if lacking := wanted.keys() - given.keys():
        raise ValueError(f"{name} lacks {', '.join(sorted(lacking))}")
    if foreign := given.keys() - wanted.keys():
        raise ValueError(f"{name} takes no {', '.join(sorted(foreign))}")
    for key, value in given.items():
        if not fits(value, wanted[key]):
            raise ValueError(f"{name} cannot have {key} = {value!r}"[:200])
    return Asked(name, check, given)


@functools.cache
def _parameters(check: Check) -> Mapping[str, str]:
    """What a check takes beside the text, with the names of the types."""
    parameters = inspect.signature(check).parameters.values()
    return {each.name: str(each.annotation) for each in parameters if each.kind is each.KEYWORD_ONLY}
