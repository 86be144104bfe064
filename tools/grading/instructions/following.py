"""One response and all instructions of its prompt: which are followed as it stands, and which if one is lenient.

Leniently a response may also be read without its first line (often "Sure, here it is:"), its last line, both, and
without asterisks, eight readings in all; one that follows an instruction is enough.

>>> readings("Sure:\\n*yes*")
['Sure:\\n*yes*', 'Sure:\\nyes', '*yes*', 'Sure:', '', 'yes']
>>> asked = [ask("punctuation:no_comma", {}), ask("startend:quotation", {})]
>>> follow('Sure, here it is:\\n"Yes"', asked)
Followed(strict=(False, False), loose=(True, True))
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tools.grading.instructions.registry import Asked, ask


@dataclasses.dataclass(frozen=True)
class Followed:
    """For each instruction, in the prompt's order."""

    strict: tuple[bool, ...]
    loose: tuple[bool, ...]


def readings(text: str) -> list[str]:
    """The distinct ones, the text as it stands first."""
    lines = text.split("\n")
    cut = [text, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    plain = [reading.replace("*", "") for reading in cut]
    return list(dict.fromkeys([cut[0], plain[0], *cut[1:], *plain[1:]]))


def follow(text: str, asked: Sequence[Asked]) -> Followed:
    strict = tuple(each.is_followed_by(text) for each in asked)
    others = readings(text)[1:]
    loose = tuple(
        is_followed or any(each.is_followed_by(reading) for reading in others)
        for each, is_followed in zip(asked, strict, strict=True)
    )
    return Followed(strict, loose)


def read_instructions(row: Mapping[str, Any], ifbench_rules: str) -> list[Asked]:
    """Those of a row: `instruction_id_list`, and `kwargs` with one object each. Raises ValueError."""
    names, arguments = row.get("instruction_id_list"), row.get("kwargs")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("instruction_id_list is no list of names")
    if not isinstance(arguments, list) or len(arguments) != len(names):
        raise ValueError("kwargs is no list with one object for each instruction")
    if not all(isinstance(each, dict) for each in arguments):
        raise ValueError("kwargs holds something that is no object")
    return [ask(name, given, ifbench_rules) for name, given in zip(names, arguments, strict=True)]
