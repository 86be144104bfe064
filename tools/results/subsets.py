"""Subsets that are scored from the samples of a whole benchmark: LiveCodeBench's v5, v6, months and windows.

>>> from tools.benchmarks.livecodebench import frozen_sets
>>> everything = sorted(frozen_sets()["all"].ids)
>>> [(name, len(ids)) for name, ids in reported_parts(everything).items()]
[('v5', 279), ('v6', 175)]
>>> subset_name("aime24", 3, 30)
'aime24 (first 3)'
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tools.benchmarks.livecodebench import find_set
from tools.results.results import Labels

REPORTED = ("v5", "v6")


def reported_parts(task_ids: Sequence[str], asked: str | None = None) -> dict[str, list[str]]:
    """Name -> ids, in the order of `task_ids`, of the versions that lie wholly inside them; not `asked`, the one that was
    asked for by name and is the whole then."""
    return {
        name: within(name, task_ids)
        for name in REPORTED
        if name != asked and find_set(name).ids <= set(task_ids)
    }  # fmt: skip


def within(name: str, task_ids: Sequence[str]) -> list[str]:
    """Those of `task_ids` that a frozen subset has, in their order. Raises DataError for an unknown name."""
    ids = find_set(name).ids
    return [task_id for task_id in task_ids if task_id in ids]


def subset_name(benchmark: str, count: int, total: int) -> str:
    """A part of a benchmark is not called by the whole's name."""
    return benchmark if count == total else f"{benchmark} (first {count})"


def part_of_labels(labels: Labels, task_ids: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """The labels of these problems alone."""
    wanted = set(task_ids)
    found = {
        name: {task_id: label for task_id, label in by_task.items() if task_id in wanted}
        for name, by_task in labels.items()
    }
    return {name: by_task for name, by_task in found.items() if by_task}
