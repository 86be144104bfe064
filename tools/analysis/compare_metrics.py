"""Further metrics of two runs, paired by problem: is one better, and by how much?

>>> from tools.records import Verdict
>>> first, second = [{("1", 0): 0.5, ("2", 0): 0.0}, {("1", 0): 1.0, ("2", 0): 0.5}]
>>> make = lambda values: {key: Grade(*key, Verdict.WRONG, metrics={"points": value}) for key, value in values.items()}
>>> compare_metric("points", make(first), make(second), ["1", "2"], None).difference
0.5
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.records import Grade
from tools.results.metrics import read_rows
from tools.results.results import Key
from tools.results.run_folder import RunFolder
from tools.statistics import estimators
from tools.statistics.estimators import Interval


@dataclass(frozen=True)
class MetricComparison:
    """One metric of B against A; the interval is of the difference, for problems like these."""

    name: str
    means: tuple[float, float]
    interval: Interval | None
    higher_is_better: bool = True
    scale: float | None = None

    @property
    def difference(self) -> float:
        return self.means[1] - self.means[0]


def compare_metrics(first: RunFolder, second: RunFolder) -> tuple[MetricComparison, ...]:
    """Every metric that both runs have."""
    kinds = first.results.metrics
    return tuple(
        compare_metric(
            name, first.by_key, second.by_key, first.task_ids, kind.weight, kind.higher_is_better, kind.scale
        )
        for name, kind in kinds.items()
        if name in second.results.metrics
    )


def compare_metric(
    name: str,
    first: Mapping[Key, Grade],
    second: Mapping[Key, Grade],
    task_ids: Sequence[str],
    weight: str | None,
    higher_is_better: bool = True,
    scale: float | None = None,
) -> MetricComparison:
    """One metric on the problems in which both runs have it; a problem weighs as it does in the first run."""
    runs = [_by_problem(name, grades) for grades in (first, second)]
    common = [task_id for task_id in task_ids if all(task_id in run for run in runs)]
    rows = [read_rows(name, [run[task_id] for task_id in common], weight) for run in runs]
    weights = rows[0].weights / rows[0].weights.mean()
    differences = weights * (rows[1].means - rows[0].means)
    before = rows[0].mean
    means = (before, before + float(differences.mean()))
    return MetricComparison(name, means, estimators.t_interval(differences), higher_is_better, scale)


def _by_problem(name: str, grades: Mapping[Key, Grade]) -> dict[str, list[Grade]]:
    by_problem: dict[str, list[Grade]] = {}
    for grade in grades.values():
        if name in grade.metrics:
            by_problem.setdefault(grade.task_id, []).append(grade)
    return by_problem
