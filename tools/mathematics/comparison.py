"""The verdict on two answers as mathematics, with the rule that decided and both sides as they were read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """`is_equal` None: not decided within the budgets. The forms are the trees as they were read, or the words."""

    is_equal: bool | None
    rule: str
    reason: str = ""
    given_form: str = ""
    gold_form: str = ""
