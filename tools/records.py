"""What can be said of one sample, and the record that says it: for graders, statistics and reports.

A verdict is one of a closed set. Only CORRECT scores. GRADER_ERROR and INFRA_ERROR say that we do not know; a figure
that contains one is not claimed until someone has looked.

`<out>/<dataset>/verdicts.jsonl` holds one GradedSample a line:

>>> GradedSample("60", 100, Verdict.CORRECT, answer="204", rule="integer").to_json()
'{"task_id": "60", "seed": 100, "verdict": "correct", "answer": "204", "rule": "integer"}'
"""

from __future__ import annotations

import dataclasses
import enum
import json
from typing import Any


class Verdict(str, enum.Enum):
    """Closed set of outcomes of one sample."""

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"  # finished, but nothing that could be an answer (or no code)
    TRUNCATED = "truncated"  # cut off before an answer: a fact about the budget, not a guess
    TIMEOUT = "timeout"  # code only: the program ran out of its time
    MEMORY = "memory"  # code only: the program ran out of its memory
    RUNTIME_ERROR = "runtime_error"  # code only
    COMPILE_ERROR = "compile_error"  # code only
    GRADER_ERROR = "grader_error"  # our fault: a budget of the grader ran out
    INFRA_ERROR = "infra_error"  # our fault: the machine or the sandbox failed

    def __str__(self) -> str:
        return self.value

    @property
    def is_known(self) -> bool:
        """False when the sample still has to be looked at before a figure is claimed."""
        return self not in (Verdict.GRADER_ERROR, Verdict.INFRA_ERROR)


@dataclasses.dataclass(frozen=True)
class GradedSample:
    """One sample with its verdict; (task_id, seed) is its key within a data set.

    `rule` names what decided (integer, numeric, symbolic, stdin test 3, ...); `details` holds what a reader of the
    report wants besides, by kind of grading (first failing test, CPU seconds, both parsed forms, ...).
    """

    task_id: str
    seed: int
    verdict: Verdict
    answer: str | None = None
    rule: str = ""
    reason: str = ""
    output_tokens: int | None = None
    reasoning_chars: int | None = None
    is_cut_off: bool = False  # the engine stopped at the token limit
    closes_reasoning: bool | None = None  # None: the prompt opened none
    is_correct_in_reasoning: bool | None = None  # the reference stands boxed in the reasoning only
    differs_from_original: bool | None = None  # the original toolkit's rules decide otherwise
    details: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def is_correct(self) -> bool:
        return self.verdict is Verdict.CORRECT

    def to_json(self) -> str:
        """One line of verdicts.jsonl, without fields that say nothing."""
        row = {name: value for name, value in self.__dict__.items() if value not in (None, "", False) and value != {}}
        row["seed"], row["verdict"] = self.seed, self.verdict.value
        if self.closes_reasoning is False:
            row["closes_reasoning"] = False
        if self.is_correct_in_reasoning is False:
            row["is_correct_in_reasoning"] = False
        return json.dumps(row, ensure_ascii=False)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> GradedSample:
        """Reads one parsed line; unknown fields of later versions are passed over."""
        names = {field.name for field in dataclasses.fields(cls)}
        known = {name: value for name, value in row.items() if name in names}
        known["verdict"] = Verdict(known["verdict"])
        return cls(**known)
