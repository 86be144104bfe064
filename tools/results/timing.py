"""Verdicts that depend on time: programs that ran close to their limit, and how far they could move the score.

>>> graded = [Grade("1", 7, Verdict.CORRECT, details={"hangs_on_time": True, "max_cpu_s": 5.8}), Grade("2", 7, Verdict.WRONG)]
>>> describe_timing(graded).score_range
(0.0, 0.5)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.records import Grade, JsonRow, Verdict

MARK = "hangs_on_time"  # in Grade.details and in the files, since version 0.1


def is_timing_sensitive(grade: Grade) -> bool:
    """The program's time was so close to the limit that another machine may decide otherwise."""
    return grade.details.get(MARK) is True


@dataclass(frozen=True)
class TimedSample:
    """One sample whose verdict depends on time. `max_cpu_s`: CPU seconds of its longest test."""

    task_id: str
    seed: int
    verdict: Verdict
    max_cpu_s: float | None


@dataclass(frozen=True)
class Timing:
    """Section "timing" of the results: those samples, and the range in which the score could lie on another machine."""

    samples: tuple[TimedSample, ...]
    score_range: tuple[float, float]

    def to_json(self) -> dict[str, object]:
        rows = [{**sample.__dict__, "verdict": sample.verdict.value} for sample in self.samples]
        return {MARK: rows, "score_range": list(self.score_range)}

    @classmethod
    def of(cls, sections: JsonRow) -> Timing | None:
        """From the sections of results; None where they have none that can be read."""
        try:
            row = sections["timing"]
            samples = [
                TimedSample(
                    str(found["task_id"]), int(found["seed"]), Verdict(found["verdict"]), found.get("max_cpu_s")
                )
                for found in row[MARK]
            ]
            low, high = map(float, row["score_range"])
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        return cls(tuple(samples), (low, high))


def describe_timing(grades: Sequence[Grade]) -> Timing:
    """Of all graded samples of a plan; the score is the mean over problems of their scores."""
    by_problem: dict[str, list[float]] = {}
    for grade in grades:
        by_problem.setdefault(grade.task_id, []).append(grade.score)
    score = sum(sum(row) / len(row) for row in by_problem.values()) / len(by_problem) if by_problem else 0.0
    found = [grade for grade in grades if is_timing_sensitive(grade)]
    count = max(1, len(grades))
    passed = sum(grade.is_correct for grade in found)
    samples = [TimedSample(g.task_id, g.seed, g.verdict, g.details.get("max_cpu_s")) for g in found]
    return Timing(tuple(samples), (score - passed / count, score + (len(found) - passed) / count))
