"""Did the model see the problems in training? Scores by month, and a test before against after a cut-off date.

A score that falls at the model's training cut-off is what contamination looks like; so does a set that became harder. So
the fall is also given with difficulty held fixed: compared only within easy, medium, hard, weighted by their sizes.

>>> counts = Counts.from_rows([[1, 1], [1, 0], [0, 0], [1, 0]])
>>> dates = {"a": "2024-05", "b": "2024-06", "c": "2024-09", "d": "2024-10"}
>>> split = split_at_cutoff(counts, list(dates), dates, "2024-08-01")
>>> split.before, split.after, split.verdict
(0.75, 0.25, 'no difference beyond chance before and after the cut-off')

Tests: Welch's t for the interval; for p, problems are dealt anew to before and after (within difficulty where given).
Method of dated problems: Jain et al. 2024, LiveCodeBench (arXiv:2403.07974).
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.errors import DataError, UsageError
from tools.statistics import estimators
from tools.statistics.distributions import two_sided_t_quantile
from tools.statistics.estimators import Counts

Array = npt.NDArray[np.float64]
PERMUTATIONS = 4000


@dataclass(frozen=True)
class CutoffSplit:
    """Problems dated before the cut-off against those on it or later. Fractions; `difference` is after minus before."""

    cutoff: str
    problems_before: int
    problems_after: int
    before: float
    after: float
    difference: float
    confidence_interval: tuple[float, float]
    p: float
    difference_within_strata: float | None
    p_within_strata: float | None
    verdict: str


def parse_date(text: str) -> datetime.date:
    """ "2024-08-01", "2024-08-01T00:00:00" or "2024-08", which means its first day. Raises DataError."""
    try:
        return datetime.date.fromisoformat(text[:10] if len(text) > 7 else f"{text}-01")
    except ValueError:
        raise DataError(f"{text!r} is no date; write it as 2024-08-01") from None


@dataclass(frozen=True)
class MonthScore:
    """The problems of one month; no interval for a single problem."""

    month: str
    problems: int
    score: float
    interval: tuple[float, float] | None

    def to_json(self) -> dict[str, object]:
        return {
            "month": self.month,
            "problems": self.problems,
            "score": self.score,
            "confidence_interval": list(self.interval) if self.interval else None,
        }


def score_by_month(counts: Counts, task_ids: Sequence[str], dates: Mapping[str, str]) -> list[MonthScore]:
    """Per month: problems, score and its interval (None for a single problem), in the order of time."""
    months: dict[str, list[int]] = {}
    for position, task_id in enumerate(task_ids):
        months.setdefault(_date_of(task_id, dates).strftime("%Y-%m"), []).append(position)
    rows = []
    for month in sorted(months):
        rates = counts.rates[months[month]]
        interval = estimators.score_interval(rates)
        bounds = (interval.low, interval.high) if interval else None
        rows.append(MonthScore(month, len(rates), float(rates.mean()), bounds))
    return rows


def split_at_cutoff(
    counts: Counts,
    task_ids: Sequence[str],
    dates: Mapping[str, str],
    cutoff: str,
    strata: Mapping[str, str] | None = None,
) -> CutoffSplit:
    """Before against after. `strata`: task_id -> difficulty, held fixed in the second test. Raises UsageError, DataError."""
    day = parse_date(cutoff)
    is_after = np.array([_date_of(task_id, dates) >= day for task_id in task_ids])
    rates = counts.rates
    if min(is_after.sum(), (~is_after).sum()) < 2:
        raise UsageError(
            f"with the cut-off {cutoff}, {int((~is_after).sum())} problems lie before it and {int(is_after.sum())} after: "
            "both sides need two; choose another date"
        )
    before, after = rates[~is_after], rates[is_after]
    groups = np.zeros(len(rates), int)
    p = _permutation_p(rates, is_after, groups)
    within, p_within = None, None
    if strata is not None and all(task_id in strata for task_id in task_ids):
        names = sorted(set(strata.values()))
        groups = np.array([names.index(strata[task_id]) for task_id in task_ids])
        if _stratified_weights(is_after, groups) is not None:
            within, p_within = _stratified_difference(rates, is_after, groups), _permutation_p(rates, is_after, groups)
    return CutoffSplit(
        cutoff=day.isoformat(),
        problems_before=len(before),
        problems_after=len(after),
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float(after.mean() - before.mean()),
        confidence_interval=welch_interval(before, after),
        p=p,
        difference_within_strata=within,
        p_within_strata=p_within,
        verdict=_verdict(float(after.mean() - before.mean()), p, within, p_within),
    )


def _date_of(task_id: str, dates: Mapping[str, str]) -> datetime.date:
    if task_id not in dates:
        raise DataError(f"problem {task_id} has no date, so nothing can be said by month; give the set's own file")
    return parse_date(str(dates[task_id]))


def welch_interval(first: Array, second: Array, level: float = estimators.DEFAULT_LEVEL) -> tuple[float, float]:
    """Interval of mean(second) - mean(first), variances unequal (Welch 1947)."""
    parts = [float(np.var(values, ddof=1)) / values.size for values in (first, second)]
    variance, difference = sum(parts), float(second.mean() - first.mean())
    if variance == 0:
        return difference, difference
    freedom = variance**2 / sum(
        part**2 / (values.size - 1) for part, values in zip(parts, (first, second), strict=True)
    )
    half = two_sided_t_quantile(level, round(freedom, 3)) * math.sqrt(variance)
    return difference - half, difference + half


def _stratified_weights(is_after: npt.NDArray[np.bool_], groups: npt.NDArray[np.int_]) -> Array | None:
    """Share of each stratum among the strata with problems on both sides; None when there is none."""
    size = np.bincount(groups).astype(float)
    later = np.bincount(groups, weights=is_after)
    weights = np.where((later > 0) & (later < size), size, 0.0)
    return weights / weights.sum() if weights.sum() else None


def _stratified_difference(rates: Array, is_after: npt.NDArray[np.bool_], groups: npt.NDArray[np.int_]) -> float:
    weights = _stratified_weights(is_after, groups)
    if weights is None:
        return math.nan
    later = np.bincount(groups, weights=is_after)
    earlier = np.bincount(groups) - later
    gaps = np.bincount(groups, weights=rates * is_after) / np.maximum(later, 1)
    gaps -= np.bincount(groups, weights=rates * ~is_after) / np.maximum(earlier, 1)
    return float(np.dot(weights, gaps))


def _permutation_p(rates: Array, is_after: npt.NDArray[np.bool_], groups: npt.NDArray[np.int_]) -> float:
    """Two-sided p: dates dealt anew to the problems of each stratum, 4000 times, the observed deal among them."""
    generator = np.random.default_rng(0)
    observed = abs(_stratified_difference(rates, is_after, groups))
    order = np.argsort(groups, kind="stable")
    rates, is_after, groups = rates[order], is_after[order], groups[order]
    reached = 1
    for _ in range(PERMUTATIONS):
        shuffled = np.lexsort((generator.random(len(rates)), groups))  # a new order inside each stratum
        reached += abs(_stratified_difference(rates[shuffled], is_after, groups)) >= observed - 1e-12
    return reached / (PERMUTATIONS + 1)


def _verdict(difference: float, p: float, within: float | None, p_within: float | None) -> str:
    points = f"{100 * abs(difference):.1f} points"
    if p >= 0.05:
        return "no difference beyond chance before and after the cut-off"
    if difference > 0:
        return f"the score is {points} higher after the cut-off: no sign of contamination"
    if p_within is None or within is None:
        return (
            f"the score is {points} lower after the cut-off: contamination, or harder problems; difficulty is not known"
        )
    if p_within >= 0.05 or within > 0:
        return (
            f"the score is {points} lower after the cut-off, but not within equal difficulty: the problems are harder"
        )
    return (
        f"the score is {points} lower after the cut-off and {100 * abs(within):.1f} points lower within equal difficulty: "
        "what contamination would look like"
    )
