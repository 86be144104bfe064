"""The few numbers that stand at the head of report and page, taken from the results file or from graded samples.

Nothing here is a score unless accuracy_results.json says so: what is counted from verdicts while a run is going is named
"running" and carries how many samples it stands on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tools.records import Grade, Verdict
from tools.statistics import estimators


def headline_facts(results: Mapping[str, Any]) -> dict[str, Any]:
    """Score, intervals, set, cap and shares of one results file; None for each that it does not have."""
    reasoning = _mapping(results.get("reasoning"))
    return {
        "headline": results.get("headline") if isinstance(results.get("headline"), str) else None,
        "score": number(results.get("avg_at_k")),
        "samples_per_problem": results.get("samples_per_problem"),
        "problems": results.get("total_problems"),
        "set": _mapping(results.get("set")),
        "cap": _mapping(results.get("settings")).get("max_new_tokens"),
        "interval": interval_of(results, "both"),
        "sampling_interval": interval_of(results, "sampling"),
        "truncated_share": number(reasoning.get("truncated_share")),
        "reasoning_share": number(reasoning.get("reasoning_share")),
        "closed_share": number(reasoning.get("closed_share")),
        "is_complete": results.get("complete") is True,
        "is_claimable": results.get("claimable") is True,
        "doubts": _texts(results.get("not_claimable_because")),
        "warnings": _texts(results.get("warnings")),
        "published": results.get("published") if isinstance(results.get("published"), dict) else None,
    }


def interval_of(results: Mapping[str, Any], kind: str) -> tuple[float, float] | None:
    """The interval "both" (sampling and choice of problems) or "sampling"; None where the file has none."""
    interval = _mapping(_mapping(results.get("intervals")).get(kind))
    low, high = number(interval.get("low")), number(interval.get("high"))
    return (low, high) if low is not None and high is not None else None


def running_score(grades: Iterable[Grade], *, planned: int) -> dict[str, Any] | None:
    """Share of correct among the samples graded so far, with the interval of the problems met so far.

    Early samples are the short ones, which are right more often: a running score usually falls towards the end.
    """
    by_problem: dict[str, list[bool]] = defaultdict(list)
    truncated = 0
    for grade in grades:
        by_problem[grade.task_id].append(grade.is_correct)
        truncated += is_cut_off(grade)
    graded = sum(map(len, by_problem.values()))
    if not graded:
        return None
    rates = np.array([sum(samples) / len(samples) for samples in by_problem.values()])
    interval = estimators.score_interval(rates)
    return {
        "graded": graded,
        "planned": planned,
        "mean": float(rates.mean()),
        "interval": [interval.low, interval.high] if interval else None,
        "truncated_share": truncated / graded,
    }


def running_curve(grades: Sequence[Grade], points: int = 200) -> list[tuple[int, float]]:
    """(samples graded, share correct of them) in the order in which the verdicts stand in the file."""
    if not grades:
        return []
    correct = np.cumsum([grade.is_correct for grade in grades])
    places = np.unique(np.linspace(min(10, len(grades)), len(grades), min(points, len(grades))).astype(int))
    return [(int(place), float(correct[place - 1] / place)) for place in places]


def length_bins(grades: Iterable[Grade], bins: int = 32) -> dict[str, Any] | None:
    """How many responses are how long, by outcome: {"width" in tokens, "correct", "other", "truncated": counts}."""
    known = [(grade.output_tokens, grade) for grade in grades if grade.output_tokens is not None]
    longest = max((tokens for tokens, _ in known), default=0)
    if not longest:
        return None
    width = max(1, -(-longest // bins))
    counts = {"correct": [0] * bins, "other": [0] * bins, "truncated": [0] * bins}
    for tokens, grade in known:
        kind = "truncated" if is_cut_off(grade) else "correct" if grade.is_correct else "other"
        counts[kind][min(bins - 1, tokens // width)] += 1
    return {"width": width, **counts}


def is_cut_off(grade: Grade) -> bool:
    """Stopped by the token limit: a verdict of its own, or a graded answer that came before the cut."""
    return grade.is_cut_off or grade.verdict is Verdict.TRUNCATED


def number(value: Any) -> float | None:
    """A finite number from a file of unknown origin, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if np.isfinite(value) else None


def setting(manifest: Mapping[str, Any], name: str) -> Any:
    """A value of the manifest, wherever its version keeps it: at the top, among the settings, in the identity."""
    for place in (manifest, _mapping(manifest.get("settings")), _mapping(manifest.get("identity"))):
        if place.get(name) is not None:
            return place[name]
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else []
