"""From grades to Results: one builder, and the one writer and reader of accuracy_results.json.

An incomplete run is no score: `build_results` raises and names what is missing; with `allow_incomplete` each problem is
divided by its own graded samples, and nothing is claimable.

>>> grades = [Grade("60", 100, Verdict.WRONG), Grade("61", 100, Verdict.CORRECT)]
>>> results = build_results(model="m", dataset="aime24", set_name="aime24", grades=grades, task_ids=["60", "61"],
...     seeds=[100], settings={"max_new_tokens": 32768}, grader={"name": "ours", "version": "1"})
>>> results.headline
'avg@1 = 50.0 % (2 problems, 1 seed, aime24, cap 32768 tokens); 0.0 % truncated'

Keys of the file: docs/statistics.md.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tools.errors import DataError, IncompleteRun, StorageError
from tools.records import Grade, MetricKind, Verdict
from tools.results.metrics import summarize_metrics
from tools.results.parts import Curve, Group, ReasoningShares, Score, SeedScore, SubsetId
from tools.results.published import Published
from tools.results.results import ACCURACY, READ_VERSIONS, Key, Labels, Results, is_truncated, percent
from tools.statistics import estimators
from tools.statistics.estimators import Array, Counts
from tools.statistics.voting import maj_at_k, vote_classes
from tools.store.checked import check_record
from tools.store.files import write_atomically
from tools.store.json_object import MOST_BYTES
from tools.store.reading import parse_json, read_small

__all__ = ["build_results", "is_truncated", "read_results", "subset_hash", "write_results"]

FILE_NAME = "accuracy_results.json"
MISSING_LISTED = 100
TRUNCATION_WARNING = 0.05  # above this share of answers at the cap, the cap decides the score


def build_results(
    *,
    model: str,
    dataset: str,
    grades: Sequence[Grade],
    task_ids: Sequence[str],
    seeds: Sequence[int],
    set_name: str,
    settings: Mapping[str, Any],
    grader: Mapping[str, Any],
    labels: Labels | None = None,
    answer_classes: Mapping[Key, int | None] | None = None,
    published: Published | Sequence[Published] | None = None,
    allow_incomplete: bool = False,
    doubts: Sequence[str] = (),
    warnings: Sequence[str] = (),
    sections: Mapping[str, Any] | None = None,
    parts: Sequence[Results] | None = None,
    set_sha256: str | None = None,
    metric_kinds: Mapping[str, MetricKind] | None = None,
    gives_shares: bool = False,
    metric: str = ACCURACY,
) -> Results:
    """All numbers of one benchmark under one plan, `task_ids` x `seeds`. Raises IncompleteRun and DataError.

    `labels`: breakdown -> task_id -> label, e.g. {"month": {"abc387_a": "2025-01"}}. `answer_classes`: for maj@k, the
    class of equal answers of each sample within its problem, None without an answer. `doubts` (reasons against a claim)
    and `warnings` are added to those that the numbers themselves give. `sections` are facts of this kind of grader, kept
    under keys of their own. `metric_kinds` says what the grades' metrics mean; `gives_shares`: a sample can earn a part
    of the points; `metric` is what the score is called. `parts` are subsets scored from the same samples: None where the benchmark has no subsets.
    """
    plan = _Plan(dataset, _keyed(grades, task_ids, seeds), tuple(task_ids), tuple(seeds), gives_shares)
    if plan.missing and not allow_incomplete:
        raise IncompleteRun(_missing_message(plan))
    if not plan.graded_ids:
        raise IncompleteRun(f"{dataset}: none of {len(plan.missing)} samples is graded, so there is no number to give")
    listed = list(plan.by_key.values())
    counts, verdicts = plan.counts(), Counter(grade.verdict for grade in listed)
    score, reasoning = _score(plan, counts), _reasoning_shares(listed)
    return Results(
        model=model,
        benchmark=dataset,
        subset=SubsetId(set_name, len(task_ids), set_sha256 or subset_hash(task_ids)),
        task_ids=plan.task_ids,
        seeds=plan.seeds,
        missing=tuple(plan.missing[:MISSING_LISTED]),
        missing_count=len(plan.missing),
        labels={name: dict(by_task) for name, by_task in (labels or {}).items()},
        settings=dict(settings),
        grader={"differs_from_original": _differing(listed), **grader},
        counts={verdict: verdicts.get(verdict, 0) for verdict in Verdict},
        score=score,
        by_seed=_by_seed(plan),
        **_curves(plan, counts, answer_classes),
        reasoning=reasoning,
        breakdowns=_breakdowns(counts, plan.graded_ids, labels or {}),
        doubts=(*_doubts(len(plan.missing), verdicts, score), *doubts),
        warnings=(*_warnings(reasoning, settings, score), *warnings),
        figures=() if published is None else (published,) if isinstance(published, Published) else tuple(published),
        metrics=summarize_metrics([plan.of_problem(task_id) for task_id in plan.graded_ids], metric_kinds or {}),
        gives_shares=plan.gives_shares,
        metric=metric,
        sections=dict(sections or {}),
        parts=None if parts is None else tuple(parts),
    )


def subset_hash(task_ids: Iterable[str]) -> str:
    """sha256 of the sorted ids, a line end after each: the same problems have the same hash in any order."""
    return hashlib.sha256("".join(f"{task_id}\n" for task_id in sorted(task_ids)).encode()).hexdigest()


@dataclass(frozen=True)
class _Plan:
    """What was to be graded, and what was."""

    dataset: str
    by_key: Mapping[Key, Grade]
    task_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    can_give_shares: bool

    @functools.cached_property
    def missing(self) -> list[Key]:
        return [(task_id, s) for task_id in self.task_ids for s in self.seeds if (task_id, s) not in self.by_key]

    def of_problem(self, task_id: str) -> list[Grade]:
        return [self.by_key[task_id, seed] for seed in self.seeds if (task_id, seed) in self.by_key]

    def of_seed(self, seed: int) -> list[Grade]:
        return [self.by_key[task_id, seed] for task_id in self.task_ids if (task_id, seed) in self.by_key]

    @functools.cached_property
    def graded_ids(self) -> list[str]:
        return [task_id for task_id in self.task_ids if any((task_id, seed) in self.by_key for seed in self.seeds)]

    @functools.cached_property
    def gives_shares(self) -> bool:
        """Whether the grader gives shares of points: then right and wrong, and with them pass@k, mean nothing."""
        return self.can_give_shares or any(grade.share is not None for grade in self.by_key.values())

    def counts(self) -> Counts:
        return Counts.from_scores([grade.score for grade in self.of_problem(task_id)] for task_id in self.graded_ids)


def _keyed(grades: Sequence[Grade], task_ids: Sequence[str], seeds: Sequence[int]) -> dict[Key, Grade]:
    if not task_ids or not seeds:
        raise DataError("a score needs at least one problem and one seed; the plan holds none")
    planned_ids, planned_seeds = set(task_ids), set(seeds)
    if len(planned_ids) < len(task_ids) or len(planned_seeds) < len(seeds):
        raise DataError("the plan names a problem or a seed twice; every (problem, seed) may be counted only once")
    by_key: dict[Key, Grade] = {}
    for sample in grades:
        key = (sample.task_id, sample.seed)
        if sample.task_id not in planned_ids or sample.seed not in planned_seeds:
            raise DataError(f"problem {key[0]}, seed {key[1]} is graded but not planned; give the set it belongs to")
        if key in by_key:
            raise DataError(f"problem {key[0]}, seed {key[1]} is graded twice; remove one of the two rows")
        by_key[key] = sample
    return by_key


def _missing_message(plan: _Plan) -> str:
    missing, total = plan.missing, len(plan.task_ids) * len(plan.seeds)
    shown = ", ".join(f"problem {task_id} seed {seed}" for task_id, seed in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return (
        f"{plan.dataset}: {len(missing)} of {total} samples are missing ({shown}{more}), so there is no score; "
        "run the same command again to fill them in, or allow an incomplete result"
    )


def _score(plan: _Plan, counts: Counts) -> Score:
    return Score(
        mean=estimators.avg_at_k(counts),
        sampling_error=estimators.sampling_error(counts),
        problem_error=estimators.problem_error(counts),
        total_error=estimators.clustered_error(counts.rates),
        interval=estimators.score_interval(counts.rates),
        sampling_interval=estimators.sampling_interval(counts),
        at_most=_score_if_unknown_were_correct(plan),
    )


def _score_if_unknown_were_correct(plan: _Plan) -> float:
    """The most that the score can become once someone has looked at grader and infrastructure errors."""
    shares = []
    for task_id in plan.graded_ids:
        grades = plan.of_problem(task_id)
        shares.append(sum(grade.score if grade.verdict.is_known else 1.0 for grade in grades) / len(grades))
    return sum(shares) / len(shares)


def _by_seed(plan: _Plan) -> tuple[SeedScore, ...]:
    rows = []
    for seed in plan.seeds:
        if grades := plan.of_seed(seed):
            accuracy = sum(grade.score for grade in grades) / len(grades)
            rows.append(SeedScore(seed, sum(grade.is_correct for grade in grades), len(grades), accuracy))
    return tuple(rows)


def _curves(plan: _Plan, counts: Counts, classes: Mapping[Key, int | None] | None) -> dict[str, Curve]:
    """Each curve's means by k with their intervals for choice of problems and sampling; empty for shares of points."""
    if plan.gives_shares:
        return {name: Curve({}, {}) for name in ("pass_at_k", "pass_hat_k", "maj_at_k")}
    return {
        "pass_at_k": _curve(estimators.pass_at_k_curve(counts)),
        "pass_hat_k": _curve(estimators.pass_hat_k_curve(counts)),
        "maj_at_k": _curve({} if classes is None else _majority(plan, classes)),
    }


def _curve(by_k: Mapping[int, Array]) -> Curve:
    found = {k: estimators.score_interval(values) for k, values in by_k.items()}
    return Curve(
        {k: float(values.mean()) for k, values in by_k.items()},
        {k: (interval.low, interval.high) for k, interval in found.items() if interval},
    )


def _majority(plan: _Plan, classes: Mapping[Key, int | None]) -> dict[int, Array]:
    """Per-problem maj@k at the curve's points."""
    listed = [plan.of_problem(task_id) for task_id in plan.graded_ids]
    points = estimators.curve_points(min(map(len, listed)))
    curve = {k: np.zeros(len(listed)) for k in points}
    for row, grades in enumerate(listed):
        numbers: list[Hashable | None] = [classes.get(grade.key) for grade in grades]
        votes, abstentions = vote_classes(numbers, [grade.is_correct for grade in grades])
        for k, value in maj_at_k(votes, abstentions=abstentions, ks=points).items():
            curve[k][row] = value
    return curve


def _reasoning_shares(grades: Sequence[Grade]) -> ReasoningShares:
    told = [grade.closes_reasoning for grade in grades if grade.closes_reasoning is not None]
    lengths = [grade.output_tokens for grade in grades if grade.output_tokens is not None]
    return ReasoningShares(
        truncated_share=sum(map(is_truncated, grades)) / len(grades),
        reasoning_share=len(told) / len(grades),
        closed_share=sum(told) / len(told) if told else None,
        mean_output_tokens=sum(lengths) / len(lengths) if lengths else None,
        correct_in_reasoning_only=sum(grade.is_correct_in_reasoning is True for grade in grades),
    )


def _differing(grades: Sequence[Grade]) -> int | None:
    told = [grade.differs_from_original for grade in grades if grade.differs_from_original is not None]
    return sum(told) if told else None


def _breakdowns(counts: Counts, task_ids: Sequence[str], labels: Labels) -> dict[str, dict[str, Group]]:
    """Per label: problems, samples, accuracy, both errors and an interval. Problems without a label are left out."""
    breakdowns: dict[str, dict[str, Group]] = {}
    for name, by_task in labels.items():
        members: dict[str, list[int]] = {}
        for position, task_id in enumerate(task_ids):
            if task_id in by_task:
                members.setdefault(str(by_task[task_id]), []).append(position)
        breakdowns[name] = {label: _group(counts.part(members[label])) for label in sorted(members)}
    return breakdowns


def _group(part: Counts) -> Group:
    interval = estimators.score_interval(part.rates)
    return Group(
        problems=part.problems,
        samples=int(part.samples.sum()),
        accuracy=estimators.avg_at_k(part),
        error=estimators.clustered_error(part.rates),
        sampling_error=estimators.sampling_error(part),
        interval=(interval.low, interval.high) if interval else None,
    )


def _doubts(missing: int, verdicts: Mapping[Verdict, int], score: Score) -> list[str]:
    doubts = [f"{missing} samples are missing"] if missing else []
    for verdict in (Verdict.GRADER_ERROR, Verdict.INFRA_ERROR):
        if number := verdicts.get(verdict):
            most = percent(score.at_most)
            doubts.append(f"{number} samples ended in {verdict.value}: not correct until someone looks, at most {most}")
    if score.mean == 0.0:
        doubts.append("no sample is correct, which more often means a broken prompt or grader than a model at zero")
    return doubts


def _warnings(reasoning: ReasoningShares, settings: Mapping[str, Any], score: Score) -> list[str]:
    warnings = []
    if reasoning.truncated_share > TRUNCATION_WARNING:
        share = percent(reasoning.truncated_share)
        warnings.append(f"{share} of the responses were cut off: the cap has a part in this score")
    if dropped := settings.get("dropped"):
        warnings.append(f"the server refused {dropped}: it sampled by its own defaults there, not by the settings")
    if settings.get("max_new_tokens") is None:
        warnings.append("the cap on output tokens is not known, so this score compares with no other")
    if score.interval is None:
        warnings.append("one problem only: there is no interval for the choice of problems")
    if score.sampling_error is None:
        warnings.append("a problem has one sample only: the sampling error cannot be known")
    return warnings


# --- the file -----------------------------------------------------------------------------------------------------


def write_results(folder: str | os.PathLike[str], results: Results) -> Path:
    """Writes <folder>/accuracy_results.json whole or not at all; returns its path. Raises StorageError."""
    path = Path(folder) / FILE_NAME
    write_atomically(path, json.dumps(results.to_json(), ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    return path


def read_results(folder: str | os.PathLike[str]) -> Results:
    """Reads a folder's accuracy_results.json (or the file itself). Raises StorageError that says what is wrong."""
    path = Path(folder)
    path = path / FILE_NAME if path.is_dir() else path
    try:
        row = parse_json(read_small(path, MOST_BYTES))
    except FileNotFoundError:
        raise StorageError(f"{path} does not exist; grade the run first") from None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read ({error}); grade the run again") from error
    return parse_results(row, path)


def parse_results(row: Any, path: Path) -> Results:
    """What stands in a results file. Raises StorageError, which names the file."""
    version = row.get("schema_version") if isinstance(row, dict) else None
    if version not in READ_VERSIONS:
        known = " and ".join(map(str, READ_VERSIONS))
        raise StorageError(f"{path} has version {version}, this toolkit reads {known}; grade the run again")
    absent = [key for key in REQUIRED_KEYS if key not in row]
    if absent:
        raise StorageError(f"{path} lacks {', '.join(absent)}; grade the run again")
    try:
        results = Results.from_json(row)
        check_record(results)
        if not all(each.by_seed for each in (results, *(results.parts or ()))):
            raise ValueError("detailed_results is empty")
        return results
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise StorageError(f"{path} is damaged ({type(error).__name__}: {error}); grade the run again") from error


REQUIRED_KEYS = (  # without these, pages, compare and exports would have to guess
    "model", "dataset", "seeds", "missing", "missing_count", "not_claimable_because", "warnings", "detailed_results",
    "avg_at_k", "pass_at_k", "pass_hat_k", "maj_at_k", "curve_intervals", "sampling_error", "problem_error", "total_error",
    "intervals", "score_range", "counts", "breakdowns", "set", "task_ids", "labels", "settings", "grader", "reasoning",
)  # fmt: skip
