"""What is counted from graded samples for report and page, also while a run is going.

Nothing here is a score unless accuracy_results.json says so: what is counted from verdicts while a run is going is named
"running" and carries how many samples it stands on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tools.records import Grade
from tools.results.results import is_truncated
from tools.statistics import estimators


@dataclass(frozen=True)
class RunningScore:
    """Share of correct among the samples graded so far; no score of the run."""

    graded: int
    planned: int
    mean: float
    interval: tuple[float, float] | None
    truncated_share: float


@dataclass(frozen=True)
class LengthBins:
    """How many responses are how long, by outcome: one count a bin of `width` tokens."""

    width: int
    correct: tuple[int, ...]
    other: tuple[int, ...]
    truncated: tuple[int, ...]


def running_score(grades: Iterable[Grade], *, planned: int) -> RunningScore | None:
    """Share of correct among the samples graded so far, with the interval of the problems met so far.

    Early samples are the short ones, which are right more often: a running score usually falls towards the end.
    """
    by_problem: dict[str, list[float]] = defaultdict(list)
    truncated = 0
    for grade in grades:
        by_problem[grade.task_id].append(grade.score)
        truncated += is_truncated(grade)
    graded = sum(map(len, by_problem.values()))
    if not graded:
        return None
    rates = np.array([sum(samples) / len(samples) for samples in by_problem.values()])
    interval = estimators.score_interval(rates)
    bounds = (interval.low, interval.high) if interval else None
    return RunningScore(graded, planned, float(rates.mean()), bounds, truncated / graded)


def running_curve(grades: Sequence[Grade], points: int = 200) -> list[tuple[int, float]]:
    """(samples graded, share correct of them) in the order in which the verdicts stand in the file."""
    if not grades:
        return []
    correct = np.cumsum([grade.score for grade in grades])
    places = np.unique(np.linspace(min(10, len(grades)), len(grades), min(points, len(grades))).astype(int))
    return [(int(place), float(correct[place - 1] / place)) for place in places]


def length_bins(grades: Iterable[Grade], bins: int = 32) -> LengthBins | None:
    """None where no response has a token count."""
    known = [(grade.output_tokens, grade) for grade in grades if grade.output_tokens is not None]
    longest = max((tokens for tokens, _ in known), default=0)
    if not longest:
        return None
    width = max(1, -(-longest // bins))
    counts = {"correct": [0] * bins, "other": [0] * bins, "truncated": [0] * bins}
    for tokens, grade in known:
        kind = "truncated" if is_truncated(grade) else "correct" if grade.is_correct else "other"
        counts[kind][min(bins - 1, tokens // width)] += 1
    return LengthBins(width, *(tuple(counts[kind]) for kind in ("correct", "other", "truncated")))


def number(value: Any) -> float | None:
    """A finite number from a file of unknown origin, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if np.isfinite(value) else None
