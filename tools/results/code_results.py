"""From verdicts on programs to accuracy_results.json: of all problems, and of each version that was graded whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tools.benchmarks.livecodebench import breakdown_labels, find_set, release_labels
from tools.records import Grade
from tools.results.build import build_results, write_results
from tools.results.published import published_for
from tools.results.results import Results
from tools.results.subsets import reported_parts
from tools.results.timing import describe_timing

if TYPE_CHECKING:
    from tools.grading.code.evaluation import CodeOptions, Folder


def build_code_results(
    folder: Folder,
    grades: Sequence[Grade],
    options: CodeOptions,
    protection: Mapping[str, Any],
    verifier_version: str,
) -> Results:
    """Writes the file and returns the results. Raises IncompleteRun."""
    task_ids, seeds = planned(folder, grades, options)
    grader = {
        "name": options.rules,
        "version": verifier_version,
        "answer_from": "answer",
        "timeout_s": options.timeout_s,
    }
    model = folder.made_with.get("model") or folder.path.resolve().parent.name

    def build(ids: Sequence[str], name: str) -> Results:
        wanted, wanted_seeds = set(ids), set(seeds)
        return build_results(
            model=model,
            dataset=folder.name,
            grades=[grade for grade in grades if grade.task_id in wanted and grade.seed in wanted_seeds],
            task_ids=ids,
            seeds=seeds,
            labels=_labels(folder, ids),
            set_name=name,
            settings=folder.made_with.get("settings", {}),
            published=published_for(model, "livecodebench", len(ids), subset=name),
            grader=grader,
            allow_incomplete=options.allow_incomplete,
            doubts=_doubts(protection, folder),
            warnings=protection.get("warnings", []),
        )

    parts = [build(ids, name) for name, ids in reported_parts(task_ids, options.set_name).items()]
    name = options.set_name or folder.name
    whole = build(task_ids, name)
    timing = describe_timing(grades, whole.score.mean)
    sections = {"sandbox": dict(protection), "timing": timing.to_json()}
    results = dataclasses.replace(whole, sections=sections, parts=tuple(parts))
    write_results(folder.path, results)
    return results


def planned(folder: Folder, grades: Sequence[Grade], options: CodeOptions) -> tuple[list[str], list[int]]:
    """(task_ids, seeds) that a score needs: the manifest's plan, for files of others every problem of the file."""
    plan = folder.made_with.get("plan", {})
    asked = set(plan.get("task_ids") or folder.problems)
    if options.set_name:
        asked &= find_set(options.set_name).ids
    task_ids = [task_id for task_id in folder.problems if task_id in asked]
    seeds = options.seeds or plan.get("seeds") or sorted({grade.seed for grade in grades})
    return task_ids, list(seeds)


def _labels(folder: Folder, task_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    labels = breakdown_labels(folder.problems[task_id] for task_id in task_ids)
    releases = release_labels(folder.problems)
    if releases:
        labels["release"] = {task_id: releases[task_id] for task_id in task_ids}
    return labels


def _doubts(protection: Mapping[str, Any], folder: Folder) -> list[str]:
    doubts = []
    if not protection.get("is_safe", False):
        missing = " and ".join(protection.get("missing", [])) or "the sandbox"
        doubts.append(f"programs ran without {missing}: they could have read the expected outputs")
    if folder.unknown_ids:
        shown = ", ".join(sorted(set(folder.unknown_ids))[:3])
        doubts.append(f"{len(folder.unknown_ids)} responses are to problems that the file does not have ({shown})")
    return doubts
