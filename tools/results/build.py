"""accuracy_results.json: one builder, one writer, one reader, one version. From verdicts to every number of a run.

Accuracies are fractions 0..1 and printed in percent. An incomplete run is no score: `build_results` raises and names
what is missing; with `allow_incomplete` each problem is divided by its own graded samples, and nothing is claimable.

>>> grades = [Grade("60", 100, Verdict.WRONG), Grade("61", 100, Verdict.CORRECT)]
>>> results = build_results(model="m", dataset="aime24", set_name="aime24", grades=grades, task_ids=["60", "61"],
...     seeds=[100], settings={"max_new_tokens": 32768}, grader={"name": "aime", "version": "1"})
>>> results["headline"]
'avg@1 = 50.0 % (2 problems, 1 seed, aime24, cap 32768 tokens); 0.0 % truncated'

Keys of the file: docs/estimators.md.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tools.errors import DataError, IncompleteRun, StorageError
from tools.records import Grade, Verdict
from tools.results.published import judge_published
from tools.results.text import format_table, headline, percent
from tools.statistics import estimators
from tools.statistics.estimators import Array, Counts
from tools.statistics.voting import maj_at_k, vote_classes
from tools.store.files import write_atomically

__all__ = ["build_results", "format_table", "is_truncated", "read_results", "set_hash", "write_results"]

SCHEMA_VERSION = 1
FILE_NAME = "accuracy_results.json"
MISSING_LISTED = 100
REQUIRED_KEYS = (  # without these, pages, compare and exports would have to guess
    "model", "dataset", "total_problems", "seeds", "samples_per_problem", "complete", "missing_count", "claimable",
    "not_claimable_because", "warnings", "headline", "results", "avg_at_k", "pass_at_k", "maj_at_k", "sampling_error",
    "problem_error", "counts", "breakdowns", "set", "task_ids", "settings", "grader", "reasoning",
)  # fmt: skip
TRUNCATION_WARNING = 0.05  # PAINS 2: above this share of answers at the cap, the cap decides the score

Key = tuple[str, int]


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
    labels: Mapping[str, Mapping[str, str]] | None = None,
    answer_classes: Mapping[Key, int | None] | None = None,
    published: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    allow_incomplete: bool = False,
) -> dict[str, Any]:
    """All numbers of one data set under one plan, `task_ids` x `seeds`. Raises IncompleteRun and DataError.

    `labels`: breakdown -> task_id -> label, e.g. {"month": {"abc387_a": "2025-01"}}. `answer_classes`: for maj@k, the
    class of equal answers of each sample within its problem, None without an answer. `published`: {"value", "source"},
    with "samples_per_problem", "set", "problems" (count), "max_new_tokens" where known, "breakdown" and "label" for a
    part of the set; or several of them.
    """
    by_key = _keyed(grades, task_ids, seeds)
    missing = [(task_id, seed) for task_id in task_ids for seed in seeds if (task_id, seed) not in by_key]
    if missing and not allow_incomplete:
        raise IncompleteRun(_missing_message(dataset, missing, len(task_ids) * len(seeds)))
    present = {task_id: [by_key[task_id, s] for s in seeds if (task_id, s) in by_key] for task_id in task_ids}
    graded_ids = [task_id for task_id in task_ids if present[task_id]]
    if not graded_ids:
        raise IncompleteRun(f"{dataset}: none of {len(missing)} samples is graded, so there is no number to give")
    counts = _counts(present, graded_ids)
    verdicts = Counter(sample.verdict for samples in present.values() for sample in samples)
    results: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "model": model,
        "dataset": dataset,
        "total_problems": len(task_ids),
        "seeds": list(seeds),
        "samples_per_problem": len(seeds),
        "complete": not missing,
        "missing": [list(key) for key in missing[:MISSING_LISTED]],
        "missing_count": len(missing),
        "set": {"name": set_name, "count": len(task_ids), "sha256": set_hash(task_ids)},
        "task_ids": list(task_ids),
        "labels": {name: dict(by_task) for name, by_task in (labels or {}).items()},
        "settings": dict(settings),
        "grader": _grader_record(grader, by_key.values()),
        "counts": {verdict.value: verdicts.get(verdict, 0) for verdict in Verdict},
    }
    results.update(_scores(counts, by_key, task_ids, seeds))
    results["score_range"] = [results["avg_at_k"], _score_if_unknown_were_correct(present, graded_ids)]
    results.update(_curves(counts, present, graded_ids, answer_classes))
    results["reasoning"] = _reasoning_shares(by_key.values())
    results["breakdowns"] = _breakdowns(counts, graded_ids, labels or {})
    results["not_claimable_because"] = _doubts(results)
    results["claimable"] = not results["not_claimable_because"]
    results["warnings"] = _warnings(results)
    results["published"] = judge_published(published, results) if published is not None else None
    results["headline"] = headline(results)
    return results


def set_hash(task_ids: Iterable[str]) -> str:
    """sha256 of the sorted ids, a line end after each: the same set has the same hash in any order."""
    return hashlib.sha256("".join(f"{task_id}\n" for task_id in sorted(task_ids)).encode()).hexdigest()


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


def _missing_message(dataset: str, missing: Sequence[Key], total: int) -> str:
    shown = ", ".join(f"problem {task_id} seed {seed}" for task_id, seed in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return (
        f"{dataset}: {len(missing)} of {total} samples are missing ({shown}{more}), so there is no score; "
        "run the same command again to fill them in, or allow an incomplete result"
    )


def _counts(present: Mapping[str, Sequence[Grade]], task_ids: Sequence[str]) -> Counts:
    return Counts(
        np.array([sum(sample.is_correct for sample in present[task_id]) for task_id in task_ids], float),
        np.array([len(present[task_id]) for task_id in task_ids], float),
    )


def _score_if_unknown_were_correct(present: Mapping[str, Sequence[Grade]], task_ids: Sequence[str]) -> float:
    """The most that the score can become once someone has looked at grader and infrastructure errors."""
    shares = [
        sum(sample.is_correct or not sample.verdict.is_known for sample in present[task_id]) / len(present[task_id])
        for task_id in task_ids
    ]
    return sum(shares) / len(shares)


def _scores(
    counts: Counts, by_key: Mapping[Key, Grade], task_ids: Sequence[str], seeds: Sequence[int]
) -> dict[str, Any]:
    detailed = []
    for seed in seeds:
        verdicts = [by_key[task_id, seed].is_correct for task_id in task_ids if (task_id, seed) in by_key]
        if verdicts:
            right = sum(verdicts)
            detailed.append({"seed": seed, "correct": right, "total": len(verdicts), "accuracy": right / len(verdicts)})
    short = estimators.compute_statistics([row["accuracy"] for row in detailed])
    mean = estimators.avg_at_k(counts)
    both, sampling = estimators.score_interval(counts.rates), estimators.sampling_interval(counts)
    return {
        "results": {
            "individual_accuracies": short["accuracies"],
            "mean_accuracy": mean,
            "std_accuracy": short["std"],
            "confidence_interval": [both.low, both.high] if both else None,
            "confidence_level": estimators.DEFAULT_LEVEL,
            "interval_method": both.method if both else "none: a single problem says nothing of others",
            "interval_speaks_of": estimators.CHOICE_AND_SAMPLING,
        },
        "detailed_results": detailed,
        **short,
        "mean": mean,
        "avg_at_k": mean,
        "sampling_error": estimators.sampling_error(counts),
        "problem_error": estimators.problem_error(counts),
        "total_error": estimators.clustered_error(counts.rates),
        "intervals": {
            "both": both.to_json() if both else None,
            "sampling": sampling.to_json() if sampling else None,
        },
    }


def _curves(
    counts: Counts,
    present: Mapping[str, Sequence[Grade]],
    task_ids: Sequence[str],
    classes: Mapping[Key, int | None] | None,
) -> dict[str, Any]:
    """Each curve's means by k, and under "curve_intervals" their intervals for choice of problems and sampling."""
    curves = {
        "pass_at_k": estimators.pass_at_k_curve(counts),
        "pass_hat_k": estimators.pass_hat_k_curve(counts),
        "maj_at_k": {} if classes is None else _majority(present, task_ids, classes),
    }
    means = {name: {str(k): float(values.mean()) for k, values in curve.items()} for name, curve in curves.items()}
    intervals: dict[str, dict[str, list[float]]] = {name: {} for name in curves}
    for name, curve in curves.items():
        for k, values in curve.items():
            if interval := estimators.score_interval(values):
                intervals[name][str(k)] = [interval.low, interval.high]
    return {**means, "curve_intervals": intervals}


def _majority(
    present: Mapping[str, Sequence[Grade]], task_ids: Sequence[str], classes: Mapping[Key, int | None]
) -> dict[int, Array]:
    """Per-problem maj@k at the curve's points."""
    points = estimators.curve_points(min(len(present[task_id]) for task_id in task_ids))
    curve = {k: np.zeros(len(task_ids)) for k in points}
    for row, task_id in enumerate(task_ids):
        samples = present[task_id]
        numbers: list[Hashable | None] = [classes.get((task_id, sample.seed)) for sample in samples]
        votes, abstentions = vote_classes(numbers, [sample.is_correct for sample in samples])
        for k, value in maj_at_k(votes, abstentions=abstentions, ks=points).items():
            curve[k][row] = value
    return curve


def _reasoning_shares(samples: Iterable[Grade]) -> dict[str, Any]:
    """Shares that belong beside a reasoning model's score; None where no sample tells."""
    listed = list(samples)
    told = [sample.closes_reasoning for sample in listed if sample.closes_reasoning is not None]
    lengths = [sample.output_tokens for sample in listed if sample.output_tokens is not None]
    return {
        "truncated_share": sum(is_truncated(sample) for sample in listed) / len(listed),
        "reasoning_share": len(told) / len(listed),
        "closed_share": sum(told) / len(told) if told else None,
        "mean_output_tokens": sum(lengths) / len(lengths) if lengths else None,
        "correct_in_reasoning_only": sum(sample.is_correct_in_reasoning is True for sample in listed),
    }


def is_truncated(sample: Grade) -> bool:
    """Cut off by the token limit, or never come to an answer: what every truncated share counts."""
    return sample.is_cut_off or sample.verdict is Verdict.TRUNCATED


def _grader_record(grader: Mapping[str, Any], samples: Iterable[Grade]) -> dict[str, Any]:
    told = [sample.differs_from_original for sample in samples if sample.differs_from_original is not None]
    return {"differs_from_original": sum(told) if told else None, **grader}


def _breakdowns(
    counts: Counts, task_ids: Sequence[str], labels: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """Per label: problems, samples, accuracy, both errors and an interval. Problems without a label are left out."""
    breakdowns: dict[str, dict[str, Any]] = {}
    for name, by_task in labels.items():
        members: dict[str, list[int]] = {}
        for position, task_id in enumerate(task_ids):
            if task_id in by_task:
                members.setdefault(str(by_task[task_id]), []).append(position)
        breakdowns[name] = {label: _group(counts, members[label]) for label in sorted(members)}
    return breakdowns


def _group(counts: Counts, positions: Sequence[int]) -> dict[str, Any]:
    part = Counts(counts.correct[list(positions)], counts.samples[list(positions)])
    interval = estimators.score_interval(part.rates)
    return {
        "problems": part.problems,
        "samples": int(part.samples.sum()),
        "accuracy": estimators.avg_at_k(part),
        "se": estimators.clustered_error(part.rates),
        "sampling_error": estimators.sampling_error(part),
        "confidence_interval": [interval.low, interval.high] if interval else None,
    }


def _doubts(results: Mapping[str, Any]) -> list[str]:
    doubts = []
    if not results["complete"]:
        doubts.append(f"{results['missing_count']} samples are missing")
    for verdict in (Verdict.GRADER_ERROR, Verdict.INFRA_ERROR):
        if number := results["counts"][verdict.value]:
            most = percent(results["score_range"][1])
            doubts.append(f"{number} samples ended in {verdict.value}: not correct until someone looks, at most {most}")
    if results["avg_at_k"] == 0.0:
        doubts.append("no sample is correct, which more often means a broken prompt or grader than a model at zero")
    return doubts


def _warnings(results: Mapping[str, Any]) -> list[str]:
    warnings = []
    if (share := results["reasoning"]["truncated_share"]) > TRUNCATION_WARNING:
        warnings.append(f"{percent(share)} of the responses were cut off: the cap has a part in this score")
    if results["settings"].get("max_new_tokens") is None:
        warnings.append("the cap on output tokens is not known, so this score compares with no other")
    if results["results"]["confidence_interval"] is None:
        warnings.append("one problem only: there is no interval for the choice of problems")
    if results["sampling_error"] is None:
        warnings.append("a problem has one sample only: the sampling error cannot be known")
    return warnings


# --- the file -----------------------------------------------------------------------------------------------------


def write_results(folder: str | os.PathLike[str], results: Mapping[str, Any]) -> Path:
    """Writes <folder>/accuracy_results.json whole or not at all; returns its path. Raises StorageError."""
    path = Path(folder) / FILE_NAME
    write_atomically(path, json.dumps(results, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    return path


def read_results(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads a folder's accuracy_results.json (or the file itself). Raises StorageError that says what is wrong."""
    path = Path(folder)
    path = path / FILE_NAME if path.is_dir() else path
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StorageError(f"{path} does not exist; grade the run first") from None
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(f"{path} cannot be read ({error}); grade the run again") from error
    version = results.get("schema_version") if isinstance(results, dict) else None
    if version != SCHEMA_VERSION:
        raise StorageError(f"{path} has version {version}, this toolkit reads {SCHEMA_VERSION}; grade the run again")
    absent = [key for key in REQUIRED_KEYS if key not in results]
    if absent:
        raise StorageError(f"{path} lacks {', '.join(absent)}; grade the run again")
    return dict(results)
