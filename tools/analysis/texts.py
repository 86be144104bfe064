"""Where two runs' responses part, row by row, and which verdicts changed on responses that did not.

Equal seeds promise equal samples only on the same engine, version and hardware. So for every (problem, seed) of both
runs this gives the first character at which the responses differ; and where the response is the same but
the verdict is not, the grader changed its mind, and the two rows say why.

>>> first_divergence("so x = 4", "so x = 5")
7
>>> first_divergence("so", "so") is None
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tools.records import Grade
from tools.results.run_folder import RunFolder

Key = tuple[str, int]
_BLOCK = 4096


@dataclass(frozen=True)
class RowDifference:
    """One (problem, seed) in both runs; `position` is the first character that differs, None for equal responses."""

    task_id: str
    seed: int
    position: int | None
    characters: tuple[int, int]


@dataclass(frozen=True)
class VerdictChange:
    """A verdict that differs between two gradings of the same response, with what each side says."""

    task_id: str
    seed: int
    verdicts: tuple[str, str]
    answers: tuple[str | None, str | None]
    why: str


def first_divergence(first: str, second: str) -> int | None:
    """Offset in characters of the first difference; the shorter length where one continues the other."""
    if first == second:
        return None
    shorter = min(len(first), len(second))
    for start in range(0, shorter, _BLOCK):
        a, b = first[start : start + _BLOCK], second[start : start + _BLOCK]
        if a != b:
            return next((start + i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), shorter)
    return shorter


def compare_responses(first: RunFolder, second: RunFolder) -> list[RowDifference]:
    """Every (problem, seed) that both folders hold a generation of, by seed and problem. Empty without generations."""
    texts = {(row.task_id, row.seed): row.output for row in first.responses()}
    rows = []
    for row in second.responses() if texts else ():
        text = texts.get((row.task_id, row.seed))
        if text is not None:
            sizes = (len(text), len(row.output))
            rows.append(RowDifference(row.task_id, row.seed, first_divergence(text, row.output), sizes))
    return sorted(rows, key=lambda row: (row.seed, row.task_id))


def changed_verdicts(
    first: Mapping[Key, Grade], second: Mapping[Key, Grade], keys: Iterable[Key]
) -> list[VerdictChange]:
    """Changes of verdict among `keys`, which should be rows with equal responses."""
    changes = []
    for key in keys:
        old, new = first.get(key), second.get(key)
        if old is not None and new is not None and old.verdict is not new.verdict:
            changes.append(
                VerdictChange(*key, (old.verdict.value, new.verdict.value), (old.answer, new.answer), _why(old, new))
            )
    return changes


def _why(old: Grade, new: Grade) -> str:
    reasons = []
    if old.answer != new.answer:
        reasons.append(f"another answer was extracted ({_shown(old.answer)} -> {_shown(new.answer)})")
    if old.rule != new.rule:
        reasons.append(f"another rule decided ({old.rule or 'none'} -> {new.rule or 'none'})")
    if new.reason and new.reason != old.reason:
        reasons.append(new.reason)
    return "; ".join(reasons) or "same answer and rule: the reference or the rule's own behaviour changed"


def _shown(answer: str | None) -> str:
    return "none" if answer is None else answer if len(answer) <= 30 else answer[:27] + "..."
