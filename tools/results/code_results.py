"""From verdicts on programs to accuracy_results.json: of all problems, and of each version that was graded whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tools.benchmarks.livecodebench import FrozenSet, breakdown_labels, find_set, frozen_sets, hash_ids, release_labels
from tools.models.presets import find_profile
from tools.records import Grade
from tools.results.build import build_results, write_results

if TYPE_CHECKING:
    from tools.grading.code.evaluation import CodeOptions, Folder

REPORTED_SETS = ("v5", "v6")


def build_code_results(
    folder: Folder,
    grades: Sequence[Grade],
    options: CodeOptions,
    protection: Mapping[str, Any],
    verifier_version: str,
) -> list[dict[str, Any]]:
    """Writes the file and returns the results; the parts stand in it under "sets". Raises IncompleteRun."""
    task_ids, seeds = planned(folder, grades, options)
    grader = {
        "name": options.rules,
        "version": verifier_version,
        "answer_from": "answer",
        "timeout_s": options.timeout_s,
    }

    def build(ids: Sequence[str], name: str, sha256: str) -> dict[str, Any]:
        wanted, wanted_seeds = set(ids), set(seeds)
        results = build_results(
            model=folder.made_with.get("model") or folder.path.resolve().parent.name,
            dataset=folder.name,
            grades=[grade for grade in grades if grade.task_id in wanted and grade.seed in wanted_seeds],
            task_ids=ids,
            seeds=seeds,
            labels=_labels(folder, ids),
            set_name=name,
            settings=folder.made_with.get("settings", {}),
            published=_published(folder, name, len(ids)),
            grader=grader,
            allow_incomplete=options.allow_incomplete,
        )
        results["set"]["sha256"] = sha256
        _add_doubts(results, protection, folder)
        return results

    whole = frozen_sets()["all"]
    is_whole = set(task_ids) == whole.ids
    all_results = build(task_ids, options.set_name or folder.name, whole.sha256 if is_whole else hash_ids(task_ids))
    parts = [build(_in_order(part, task_ids), part.name, part.sha256) for part in _whole_parts(task_ids, options)]
    all_results["sandbox"] = dict(protection)
    all_results["timing"] = describe_timing(grades, all_results)
    all_results["sets"] = {part["set"]["name"]: _short(part) for part in parts}
    write_results(folder.path, all_results)
    return [all_results, *parts]


def planned(folder: Folder, grades: Sequence[Grade], options: CodeOptions) -> tuple[list[str], list[int]]:
    """(task_ids, seeds) that a score needs: the manifest's plan, for files of others every problem of the file."""
    plan = folder.made_with.get("plan", {})
    asked = set(plan.get("task_ids") or folder.problems)
    if options.set_name:
        asked &= find_set(options.set_name).ids
    task_ids = [task_id for task_id in folder.problems if task_id in asked]
    seeds = options.seeds or plan.get("seeds") or sorted({grade.seed for grade in grades})
    return task_ids, list(seeds)


def _whole_parts(task_ids: Sequence[str], options: CodeOptions) -> list[FrozenSet]:
    """The versions that lie wholly inside what was asked, unless one of them was asked for by name."""
    asked = set(task_ids)
    return [find_set(name) for name in REPORTED_SETS if options.set_name != name and find_set(name).ids <= asked]


def _in_order(part: FrozenSet, task_ids: Sequence[str]) -> list[str]:
    return [task_id for task_id in task_ids if task_id in part.ids]


def _labels(folder: Folder, task_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    labels = breakdown_labels(folder.problems[task_id] for task_id in task_ids)
    releases = release_labels(folder.problems)
    if releases:
        labels["release"] = {task_id: releases[task_id] for task_id in task_ids}
    return labels


def _published(folder: Folder, set_name: str, count: int) -> dict[str, Any] | None:
    """The model card's figure for v5 or v6."""
    profile = find_profile(folder.made_with.get("model", ""))
    value = profile.published.get(f"livecodebench_{set_name}")
    if value is None:
        return None
    settings = {"max_new_tokens": profile.max_new_tokens, "temperature": profile.temperature, "top_p": profile.top_p}
    known = {"value": value, "source": profile.source, "samples_per_problem": 8, "set": set_name, "problems": count}
    return known | settings


def _add_doubts(results: dict[str, Any], protection: Mapping[str, Any], folder: Folder) -> None:
    doubts = results["not_claimable_because"]
    if not protection.get("is_safe", False):
        missing = " and ".join(protection.get("missing", [])) or "the sandbox"
        doubts.append(f"programs ran without {missing}: they could have read the expected outputs")
    if folder.unknown_ids:
        shown = ", ".join(sorted(set(folder.unknown_ids))[:3])
        doubts.append(f"{len(folder.unknown_ids)} responses are to problems that the file does not have ({shown})")
    results["claimable"] = not doubts
    results["warnings"] += protection.get("warnings", [])


def describe_timing(grades: Sequence[Grade], results: Mapping[str, Any]) -> dict[str, Any]:
    """The verdicts that hang on time, and the range in which the score could lie on another machine."""
    hanging = [grade for grade in grades if grade.details.get("hangs_on_time")]
    count = max(1, sum(row["total"] for row in results["detailed_results"]))
    passed = sum(grade.is_correct for grade in hanging)
    score = float(results["avg_at_k"])
    listed = [
        {
            "task_id": grade.task_id,
            "seed": grade.seed,
            "verdict": grade.verdict.value,
            "max_cpu_s": grade.details.get("max_cpu_s"),
        }
        for grade in hanging
    ]
    return {
        "hangs_on_time": listed,
        "score_range": [score - passed / count, score + (len(hanging) - passed) / count],
    }


def _short(part: Mapping[str, Any]) -> dict[str, Any]:
    """What accuracy_results.json keeps of a part: everything but the lists that the whole has too."""
    left_out = ("task_ids", "labels", "breakdowns", "settings")
    return {name: value for name, value in part.items() if name not in left_out}
