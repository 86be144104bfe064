"""What a careful reader checks before believing a score: samples whose verdict may hang on the grader, not on the model.

>>> from tools.records import Verdict
>>> grades = [Grade("1", 7, Verdict.WRONG, differs_from_original=True), Grade("2", 7, Verdict.INFRA_ERROR)]
>>> [found.title for found in audit_lists(grades) if found.grades]
['Not known: the grader or the machine failed', 'Decided otherwise by the original grader']
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.models.reasoning import split_reasoning
from tools.records import Grade
from tools.results.timing import is_timing_sensitive
from tools.store.line_index import LineIndex, response_text

ROWS_SHOWN = 60
EXCERPT_CHARS = 260


@dataclass(frozen=True)
class AuditList:
    """One question to the run and the samples that raise it; `why` tells a reader what to do with them.

    `is_checked` is False where no verdict can tell: then an empty list would be no finding.
    """

    title: str
    why: str
    grades: tuple[Grade, ...]
    is_checked: bool


Answer = Callable[[Grade], bool | None]


def _is_decided_by_clock(grade: Grade) -> bool | None:
    is_close = is_timing_sensitive(grade) or grade.details.get("is_near_timeout") is True
    return is_close if is_close or "max_cpu_s" in grade.details else None


# title, what to do, and the question itself: True, False, or None where the verdict does not tell.
QUESTIONS: tuple[tuple[str, str, Answer], ...] = (
    (
        "Not known: the grader or the machine failed",
        "They count as not correct, and no figure is claimed while there are any. Grade again; if they stay, see the log.",
        lambda grade: not grade.verdict.is_known,
    ),
    (
        "Decided otherwise by the original grader",
        "Its rules read the whole text, allow a factor of 100, and round. Read some: who is right?",
        lambda grade: grade.differs_from_original,
    ),
    (
        "Decided by the clock",
        "The program's time was close to the limit, so another machine may decide otherwise.",
        _is_decided_by_clock,
    ),
    (
        "The right answer stands in the reasoning only",
        "The response does not repeat it after its reasoning, mostly because it was cut off: more tokens may help.",
        lambda grade: None if grade.is_correct else grade.is_correct_in_reasoning,
    ),
)


def audit_lists(grades: Sequence[Grade]) -> list[AuditList]:
    """Every question with its samples, also those with none: that nothing was found is a finding."""
    lists = []
    for title, why, asks in QUESTIONS:
        answers = [asks(grade) for grade in grades]
        found = tuple(grade for grade, answer in zip(grades, answers, strict=True) if answer)
        lists.append(AuditList(title, why, found, any(answer is not None for answer in answers)))
    return lists


def excerpt(index: LineIndex, grade: Grade) -> str:
    """The end of a response's answer, or of its reasoning where it has no answer; empty when the text is not there."""
    text = response_text(index.read(grade.task_id, grade.seed)) or ""
    split = split_reasoning(text)
    end = " ".join((split.answer.strip() or split.reasoning.strip())[-EXCERPT_CHARS:].split())
    return f"… {end}" if len(text) > EXCERPT_CHARS else end
