"""Further values of samples (shares of instructions, a judge's points) as means with both errors.

A metric is a mean over problems, a problem's own value being the mean over its samples that have one. Where it is a
share of a count that differs between problems (instructions), it is one ratio over all of them: a weighted mean.

>>> from tools.records import Verdict
>>> grades = [[Grade("1", 100, Verdict.CORRECT, metrics={"followed": 1.0}, details={"asked": 1})],
...     [Grade("2", 100, Verdict.WRONG, metrics={"followed": 0.5}, details={"asked": 3})]]
>>> summarize_metrics(grades, {"followed": MetricKind(weight="asked")})["followed"].mean
0.625
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tools.errors import DataError
from tools.records import Grade, MetricKind
from tools.results.parts import Metric
from tools.statistics import estimators
from tools.statistics.estimators import Array, Interval

UNBOUNDED = MetricKind(scale=None)  # of a metric about which its grader says nothing


@dataclass(frozen=True)
class MetricRows:
    """One metric by problem: `means` of its samples, and `weights` (the mean of their counts, 1 without any)."""

    values: tuple[tuple[float, ...], ...]
    weights: Array

    @property
    def means(self) -> Array:
        return np.array([sum(row) / len(row) for row in self.values])

    @property
    def mean(self) -> float:
        return float(np.average(self.means, weights=self.weights))

    @property
    def linearized(self) -> Array:
        """A weighted mean behaves like the plain mean of these; with equal weights they are the means themselves."""
        return np.asarray(self.mean + self.weights / self.weights.mean() * (self.means - self.mean))


def read_rows(name: str, grades: Sequence[Sequence[Grade]], weight: str | None) -> MetricRows:
    """The values of one metric, one row a problem; what has none is left out. Raises DataError where nothing is counted."""
    chosen = [found for row in grades if (found := [grade for grade in row if name in grade.metrics])]
    counts = [[float(grade.details.get(weight, 0)) if weight else 1.0 for grade in row] for row in chosen]
    weights = np.array([sum(row) / len(row) for row in counts])
    if not weights.sum() > 0:
        raise DataError(f"the metric {name} is a share of {weight}, and no sample has any; grade the run again")
    return MetricRows(tuple(tuple(grade.metrics[name] for grade in row) for row in chosen), weights)


def summarize_metrics(grades: Sequence[Sequence[Grade]], kinds: Mapping[str, MetricKind]) -> dict[str, Metric]:
    """Every metric that the grades have; one row of grades a problem. Raises DataError for values out of their scale."""
    names = sorted({name for row in grades for grade in row for name in grade.metrics})
    return {name: _summarize(name, grades, kinds.get(name, UNBOUNDED)) for name in names}


def _summarize(name: str, grades: Sequence[Sequence[Grade]], kind: MetricKind) -> Metric:
    rows = read_rows(name, grades, kind.weight)
    low, high = min(map(min, rows.values)), max(map(max, rows.values))
    if kind.scale is not None and not 0 <= low <= high <= kind.scale:
        raise DataError(
            f"the metric {name} lies between 0 and {kind.scale:g}; a sample has {low if low < 0 else high:g}"
        )
    interval = _interval(rows.linearized, kind)
    return Metric(rows.mean, interval, _sampling_error(rows), kind.higher_is_better, kind.scale, kind.weight)


def _interval(values: Array, kind: MetricKind) -> Interval | None:
    """Of the mean: Wilson's within a scale, else t."""
    if kind.scale is None:
        return estimators.t_interval(values)
    found = estimators.score_interval(values / kind.scale)
    if found is None:
        return None
    return Interval(found.low * kind.scale, found.high * kind.scale, found.level, found.method, found.speaks_of)


def _sampling_error(rows: MetricRows) -> float | None:
    """Standard error for the same problems under other seeds; None where a problem has one value."""
    if any(len(row) < 2 for row in rows.values):
        return None
    variances = np.array([float(np.var(row, ddof=1)) / len(row) for row in rows.values])
    return math.sqrt(float(np.sum(rows.weights**2 * variances))) / float(rows.weights.sum())
