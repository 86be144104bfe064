"""Who is best in a column, as far as these runs can show it.

The highest figure is held against every other one, paired by problem, the difference with its own error (the error of a
difference of paired runs is smaller than those of the two figures). With the p values adjusted by Holm for the number of
looks, it is BEST where all are below 5 %; those that it cannot be told from are TIED with it. Scores of right and wrong
are tested exactly (signs flipped per problem, as `compare` does), others by the t test of the paired differences.

>>> from tools.leaderboard.standing import mark
>>> mark([0.01, 0.30]), mark([0.01, 0.02])
([<Standing.TIED: 'tied'>, <Standing.NONE: ''>, <Standing.TIED: 'tied'>], [<Standing.BEST: 'best'>, <Standing.NONE: ''>, <Standing.NONE: ''>])
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tools.analysis.compare_metrics import compare_metric
from tools.benchmarks.benchmark import find_entry
from tools.benchmarks.subsets import list_subsets
from tools.errors import DataError, EvaluationError, StorageError
from tools.leaderboard.cells import BoardColumn, BoardFigure, Standing
from tools.records import Grade
from tools.results.metrics import read_rows
from tools.results.parts import Metric
from tools.results.results import Results
from tools.results.run_folder import SAME_SCORE, RunFolder
from tools.statistics import estimators
from tools.statistics.distributions import two_sided_p, two_sided_t_quantile
from tools.statistics.estimators import Counts
from tools.statistics.pairing import holm, sign_flip_p

LEVEL = 0.05
EXACT_PROBLEMS = 2000  # above it the exact test takes seconds, and the t test gives the same


def find_standings(figures: Sequence[BoardFigure], column: BoardColumn) -> tuple[list[Standing], list[str]]:
    """A standing for each figure of one column, and what a reader should know of how it came about."""
    if len(figures) < 2:
        return [Standing.NONE] * len(figures), []
    sign = 1 if column.higher_is_better else -1
    order = sorted(range(len(figures)), key=lambda place: -sign * figures[place].value)
    top = figures[order[0]]
    p_values, unpaired = [], []
    for place in order[1:]:
        try:
            p_values.append(_paired_p(figures[place], top, column))
        except EvaluationError as error:
            p_values.append(_unpaired_p(figures[place], top))
            unpaired.append(str(error))
    standings = [Standing.NONE] * len(figures)
    for place, standing in zip(order, mark(p_values), strict=True):
        standings[place] = standing
    notes = [f"{len(unpaired)} comparisons are not paired by problem: {unpaired[0]}"] if unpaired else []
    return standings, notes


def mark(p_values: Sequence[float]) -> list[Standing]:
    """Standings of the first one and of those that it was tested against."""
    is_tied = [p >= LEVEL for p in holm(p_values)]
    others = [Standing.TIED if tied else Standing.NONE for tied in is_tied]
    return [Standing.TIED if any(is_tied) else Standing.BEST, *others]


def _paired_p(other: BoardFigure, top: BoardFigure, column: BoardColumn) -> float:
    """Two-sided p of the difference, for problems like these. Raises EvaluationError where verdicts do not serve."""
    freedom = top.results.subset.count - 1
    if column.metric is not None:
        weight = top.results.metrics[column.metric].weight
        task_ids = task_ids_of(top.results)
        found = compare_metric(column.metric, other.run.by_key, top.run.by_key, task_ids, weight)
        half = (found.interval.high - found.interval.low) / 2 if found.interval else None
        error = None if half is None else half / two_sided_t_quantile(estimators.DEFAULT_LEVEL, freedom)
        return _p_of(found.difference, error, freedom)
    task_ids = task_ids_of(top.results)
    first, second = (_counts(figure, task_ids) for figure in (other, top))
    differences = second.rates - first.rates
    is_exact = first.is_binary and second.is_binary and not first.is_ragged and not second.is_ragged
    if is_exact and len(differences) <= EXACT_PROBLEMS:
        return sign_flip_p(first, second)
    return _p_of(float(differences.mean()), estimators.clustered_error(differences), freedom)


def task_ids_of(results: Results) -> tuple[str, ...]:
    """The problems of a result; those of a part stand in its benchmark's table. Raises DataError."""
    if results.task_ids:
        return results.task_ids
    entry = find_entry(results.benchmark)
    subset = list_subsets(entry.subsets).get(results.subset.name) if entry else None
    if subset is None or subset.sha256 != results.subset.sha256:
        raise DataError(f"the problems of {results.subset.name} are not known")
    return tuple(sorted(subset.ids))


def _counts(figure: BoardFigure, task_ids: Sequence[str]) -> Counts:
    """Raises StorageError for verdicts of another grading."""
    counts = figure.run.counts(task_ids)
    if abs(estimators.avg_at_k(counts) - figure.value) > SAME_SCORE:
        raise StorageError(f"{figure.run.folder}: verdicts and results are of two gradings; grade the run again")
    return counts


def metric_error(run: RunFolder, name: str, metric: Metric) -> float | None:
    """The error of a metric for problems like these, from the verdicts; None where they do not tell it."""
    by_problem: dict[str, list[Grade]] = {}
    try:
        for grade in run.grades:
            by_problem.setdefault(grade.task_id, []).append(grade)
        rows = read_rows(name, list(by_problem.values()), metric.weight)
    except EvaluationError:
        return None
    if abs(rows.mean - metric.mean) > SAME_SCORE * max(1.0, abs(metric.mean)):
        return None  # verdicts of another grading
    return estimators.clustered_error(rows.linearized)


def _unpaired_p(other: BoardFigure, top: BoardFigure) -> float:
    """Where problems cannot be paired: the two errors as if they were independent, which is on the careful side."""
    errors = [figure.total_error for figure in (other, top)]
    if errors[0] is None or errors[1] is None:
        return 1.0
    return _p_of(top.value - other.value, math.hypot(errors[0], errors[1]), math.inf)


def _p_of(difference: float, error: float | None, freedom: float) -> float:
    """1 where no error is known: then nothing is shown."""
    if error is None or difference == 0:
        return 1.0
    return two_sided_p(difference / error, freedom) if error else 0.0
