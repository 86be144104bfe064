"""What the page is sent of one benchmark: its card, its first view, one sample. The keys are those that static/*.js reads.

>>> from tools.records import Verdict
>>> grade_of(Grade("60", 100, Verdict.CORRECT, answer="204"))["verdict"]
'correct'
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from tools.models.reasoning import split_reasoning
from tools.records import Grade
from tools.report.facts import length_bins, running_curve, running_score
from tools.report.figures import LETTERS
from tools.results.results import Results
from tools.store.line_index import response_text
from tools.view.opened import MISSING, UNGRADED, OpenDataset


def facts_of(results: Results) -> dict[str, object]:
    """Score, intervals, subset, cap, shares and doubts."""
    score, shares = results.score, results.reasoning
    sampling = score.sampling_interval
    return {
        "headline": results.headline,
        "score": score.mean,
        "samples_per_problem": results.samples_per_problem,
        "problems": results.subset.count,
        "set": results.subset.to_json(),
        "cap": results.cap,
        "interval": score.bounds,
        "sampling_interval": (sampling.low, sampling.high) if sampling else None,
        "truncated_share": shares.truncated_share,
        "reasoning_share": shares.reasoning_share,
        "closed_share": shares.closed_share,
        "is_complete": results.is_complete,
        "is_claimable": results.is_claimable,
        "doubts": results.doubts,
        "warnings": results.warnings,
        "metrics": {name: metric.to_json() for name, metric in results.metrics.items()},
        "published": published.to_json() if (published := results.published) else None,
    }


def head_of(dataset: OpenDataset) -> dict[str, object]:
    """What stands on the card of a benchmark."""
    dataset.refresh()
    task_ids, seeds = dataset.axes()
    survey, planned = dataset.survey, len(task_ids) * len(seeds)
    running = running_score(survey.grades, planned=planned)
    return {
        "run": dataset.run.name,
        "dataset": dataset.folder.name,
        "version": dataset.version,
        "model": survey.model,
        "generated": max(len(dataset.index.lines), len(dataset.log.grades)),
        "planned": planned,
        "facts": facts_of(dataset.results[0]) if dataset.results else None,
        "other_sets": [facts_of(results) for results in dataset.results[1:]],
        "running": running.__dict__ if running else None,
        "is_provisional": bool(survey.grades) and not dataset.log.grades,
    }


def overview_of(dataset: OpenDataset) -> dict[str, object]:
    """Everything the first view shows; no response is read for it."""
    head = head_of(dataset)
    task_ids, seeds = dataset.axes()
    grades = dataset.survey.grades
    bins = length_bins(grades)
    manifest = dataset.manifest.raw if dataset.manifest else {}
    return {
        **head,
        "task_ids": task_ids,
        "seeds": seeds,
        "map": dataset.map(task_ids, seeds),
        "letters": {UNGRADED: "ungraded", MISSING: "missing"}
        | {letter: verdict.value for verdict, letter in LETTERS.items()},
        "counts": Counter(grade.verdict.value for grade in grades),
        "charts": {"running": running_curve(grades), "lengths": bins.__dict__ if bins else None},
        "signs": dataset.signs,
        "status": dataset.run.status(),
        "manifest": {name: value for name, value in manifest.items() if name != "plan"},
        "notes": dataset.notes_now(),
    }


def sample_of(dataset: OpenDataset, task_id: str, seed: int) -> dict[str, object] | None:
    """One sample: its verdict, its text split into reasoning and answer. None: nothing of it is here."""
    dataset.refresh()
    grade = dataset.grades.get((task_id, seed))
    row = dataset.line_of(task_id, seed)
    if grade is None and row is None:
        return None
    shown: dict[str, Any] = {"task_id": task_id, "seed": seed, "verdict": grade and grade_of(grade)}
    text = response_text(row)
    if row is not None and text is not None:
        split = split_reasoning(text, dataset.is_reasoning_opened, dataset.reasoning_format)
        shown["response"] = {"reasoning": split.reasoning, "answer": split.answer, "is_closed": split.is_closed}
        shown["generation"] = {name: value for name, value in row.items() if name not in ("output", "generation")}
    return shown


def grade_of(grade: Grade) -> dict[str, object]:
    """A verdict as the page takes it."""
    return {**grade.__dict__, "verdict": grade.verdict.value}
