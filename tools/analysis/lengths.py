"""How long the responses are, and what length has to do with being right.

Long responses are wrong more often, but mostly because hard problems take longer. So beside accuracy by length stands the
difference *within* problems: wrong responses minus right ones to the same problem, one value a problem.

>>> from tools.records import Verdict
>>> right, wrong = Grade("1", 1, Verdict.CORRECT, output_tokens=900), Grade("1", 2, Verdict.WRONG, output_tokens=5100)
>>> describe_lengths([right, wrong]).wrong_minus_correct
4200.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tools.records import Grade
from tools.results.results import is_truncated
from tools.statistics import estimators
from tools.statistics.distributions import two_sided_t_quantile

BIN_EDGES = (0, 1024, 2048, 4096, 8192, 12288, 16384, 24576, 32768)  # tokens; what lies above is one more bin


@dataclass(frozen=True)
class Spread:
    """Of a length: mean, median, the values that 10 % and 90 % stay below, the largest."""

    mean: float
    p10: float
    median: float
    p90: float
    max: float


@dataclass(frozen=True)
class Lengths:
    """Lengths and shares of responses; None where no response tells.

    Tokens are of the whole response, as engines count them; reasoning alone is known in characters.
    `wrong_minus_correct` with its interval is the mean over the `wrong_minus_correct_problems` that have both.
    """

    samples: int
    with_token_count: int
    truncated_share: float
    unclosed_share: float | None
    correct_in_reasoning_only: int
    tokens: Spread | None
    tokens_correct: Spread | None
    tokens_not_correct: Spread | None
    reasoning_chars: Spread | None
    wrong_minus_correct: float | None
    wrong_minus_correct_interval: tuple[float, float] | None
    wrong_minus_correct_problems: int

    def to_json(self) -> dict[str, object]:
        row = {name: value.__dict__ if isinstance(value, Spread) else value for name, value in self.__dict__.items()}
        row["wrong_minus_correct_tokens"] = row.pop("wrong_minus_correct")
        return row


@dataclass(frozen=True)
class LengthBin:
    """Responses of `low` tokens or more, and fewer than `high` (None: no end)."""

    low: int
    high: int | None
    samples: int
    problems: int
    accuracy: float
    interval: tuple[float, float] | None

    def to_json(self) -> dict[str, object]:
        row = dict(self.__dict__)
        bounds = row.pop("interval")
        return row | {"confidence_interval": list(bounds) if bounds else None}


def describe_lengths(grades: Sequence[Grade]) -> Lengths:
    """Token lengths, and shares of cut-off and unclosed responses."""
    known = [sample for sample in grades if sample.output_tokens is not None]
    told = [sample for sample in grades if sample.closes_reasoning is not None]
    gaps = np.array(_gaps_within_problems(known))
    interval = estimators.t_interval(gaps) if gaps.size else None
    return Lengths(
        samples=len(grades),
        with_token_count=len(known),
        truncated_share=_share(grades, is_truncated),
        unclosed_share=_share(told, lambda sample: sample.closes_reasoning is False) if told else None,
        correct_in_reasoning_only=sum(sample.is_correct_in_reasoning is True for sample in grades),
        tokens=_spread([sample.output_tokens for sample in known]),
        tokens_correct=_spread([sample.output_tokens for sample in known if sample.is_correct]),
        tokens_not_correct=_spread([sample.output_tokens for sample in known if not sample.is_correct]),
        reasoning_chars=_spread([s.reasoning_chars for s in grades if s.reasoning_chars is not None]),
        wrong_minus_correct=float(gaps.mean()) if gaps.size else None,
        wrong_minus_correct_interval=(interval.low, interval.high) if interval else None,
        wrong_minus_correct_problems=int(gaps.size),
    )


def _share(samples: Sequence[Grade], test: Callable[[Grade], bool]) -> float:
    return sum(map(test, samples)) / len(samples) if samples else 0.0


def _spread(values: Sequence[int | None]) -> Spread | None:
    if not values:
        return None
    array = np.array(values, float)
    low, middle, high = np.quantile(array, [0.1, 0.5, 0.9])
    return Spread(float(array.mean()), float(low), float(middle), float(high), float(array.max()))


def _gaps_within_problems(samples: Sequence[Grade]) -> list[float]:
    lengths: dict[str, tuple[list[int], list[int]]] = {}
    for sample in samples:
        lengths.setdefault(sample.task_id, ([], []))[sample.is_correct].append(sample.output_tokens or 0)
    return [float(np.mean(wrong) - np.mean(right)) for wrong, right in lengths.values() if wrong and right]


def accuracy_by_length(grades: Sequence[Grade], edges: Sequence[int] = BIN_EDGES) -> list[LengthBin]:
    """Per bin of output tokens: samples, problems, accuracy, interval clustered by problem; no empty bins."""
    bins: dict[int, dict[str, list[float]]] = {}
    for sample in grades:
        if sample.output_tokens is not None:
            index = int(np.searchsorted(edges, sample.output_tokens, side="right")) - 1
            bins.setdefault(index, {}).setdefault(sample.task_id, []).append(sample.score)
    rows = []
    for index in sorted(bins):
        by_problem = list(bins[index].values())
        total = sum(map(len, by_problem))
        high = edges[index + 1] if index + 1 < len(edges) else None
        accuracy = sum(map(sum, by_problem)) / total
        rows.append(LengthBin(edges[index], high, total, len(by_problem), accuracy, ratio_interval(by_problem)))
    return rows


def ratio_interval(
    by_problem: Sequence[Sequence[float]], level: float = estimators.DEFAULT_LEVEL
) -> tuple[float, float] | None:
    """Interval of points over samples where problems have unequal numbers of them; None for a single problem.

    Linearised variance of a ratio, n/(n-1) sum (c_i - p k_i)^2 / (sum k_i)^2 (Cochran 1977, 6.3), then Wilson's interval
    with the effective number of observations; that number is never above the samples, nor below the problems if the
    variance is 0.
    """
    size, total = len(by_problem), sum(map(len, by_problem))
    if size < 2:
        return None
    mean = sum(map(sum, by_problem)) / total
    residuals = sum((sum(row) - mean * len(row)) ** 2 for row in by_problem)
    variance = size / (size - 1) * residuals / total**2
    effective = min(float(total), mean * (1 - mean) / variance) if variance > 0 else float(size)
    low, high = estimators.wilson(mean, effective, two_sided_t_quantile(level, size - 1))
    return (low, high) if math.isfinite(low) else None
