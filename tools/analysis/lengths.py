"""How long the responses are, and what length has to do with being right.

Long responses are wrong more often, but mostly because hard problems take longer. So beside accuracy by length stands the
difference *within* problems: wrong responses minus right ones to the same problem, one value a problem.

>>> describe_lengths(grades)["wrong_minus_correct_tokens"]  # doctest: +SKIP
4211.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tools.records import Grade
from tools.results.build import is_truncated
from tools.statistics import estimators
from tools.statistics.distributions import two_sided_t_quantile

BIN_EDGES = (0, 1024, 2048, 4096, 8192, 12288, 16384, 24576, 32768)  # tokens; what lies above is one more bin


def describe_lengths(grades: Sequence[Grade]) -> dict[str, Any]:
    """Token lengths, shares of cut-off and unclosed responses; None where no response has a token count.

    Tokens are of the whole response, as engines count them; reasoning alone is known in characters.
    "wrong_minus_correct_tokens" with its interval is the mean over the problems that have both.
    """
    known = [sample for sample in grades if sample.output_tokens is not None]
    told = [sample for sample in grades if sample.closes_reasoning is not None]
    record: dict[str, Any] = {
        "samples": len(grades),
        "with_token_count": len(known),
        "truncated_share": _share(grades, is_truncated),
        "unclosed_share": _share(told, lambda sample: sample.closes_reasoning is False) if told else None,
        "correct_in_reasoning_only": sum(sample.is_correct_in_reasoning is True for sample in grades),
        "tokens": _summary([sample.output_tokens for sample in known]),
        "tokens_correct": _summary([sample.output_tokens for sample in known if sample.is_correct]),
        "tokens_not_correct": _summary([sample.output_tokens for sample in known if not sample.is_correct]),
        "reasoning_chars": _summary([s.reasoning_chars for s in grades if s.reasoning_chars is not None]),
    }
    gaps = np.array(_gaps_within_problems(known))
    interval = estimators.t_interval(gaps) if gaps.size else None
    record["wrong_minus_correct_tokens"] = float(gaps.mean()) if gaps.size else None
    record["wrong_minus_correct_interval"] = [interval.low, interval.high] if interval else None
    record["wrong_minus_correct_problems"] = int(gaps.size)
    return record


def _share(samples: Sequence[Grade], test: Callable[[Grade], bool]) -> float:
    return sum(map(test, samples)) / len(samples) if samples else 0.0


def _summary(values: Sequence[int | None]) -> dict[str, float] | None:
    if not values:
        return None
    array = np.array(values, float)
    low, middle, high = np.quantile(array, [0.1, 0.5, 0.9])
    return {
        "mean": float(array.mean()),
        "p10": float(low),
        "median": float(middle),
        "p90": float(high),
        "max": float(array.max()),
    }


def _gaps_within_problems(samples: Sequence[Grade]) -> list[float]:
    lengths: dict[str, tuple[list[int], list[int]]] = {}
    for sample in samples:
        lengths.setdefault(sample.task_id, ([], []))[sample.is_correct].append(sample.output_tokens or 0)
    return [float(np.mean(wrong) - np.mean(right)) for wrong, right in lengths.values() if wrong and right]


def accuracy_by_length(grades: Sequence[Grade], edges: Sequence[int] = BIN_EDGES) -> list[dict[str, Any]]:
    """Per bin of output tokens [low, high): samples, problems, accuracy, interval clustered by problem; no empty bins."""
    bins: dict[int, dict[str, list[int]]] = {}
    for sample in grades:
        if sample.output_tokens is not None:
            index = int(np.searchsorted(edges, sample.output_tokens, side="right")) - 1
            bins.setdefault(index, {}).setdefault(sample.task_id, []).append(int(sample.is_correct))
    rows = []
    for index in sorted(bins):
        by_problem = list(bins[index].values())
        total = sum(map(len, by_problem))
        rows.append(
            {
                "low": edges[index],
                "high": edges[index + 1] if index + 1 < len(edges) else None,
                "samples": total,
                "problems": len(by_problem),
                "accuracy": sum(map(sum, by_problem)) / total,
                "confidence_interval": ratio_interval(by_problem),
            }
        )
    return rows


def ratio_interval(by_problem: Sequence[Sequence[int]], level: float = estimators.DEFAULT_LEVEL) -> list[float] | None:
    """Interval of correct over samples where problems have unequal numbers of them; None for a single problem.

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
    return [low, high] if math.isfinite(low) else None
