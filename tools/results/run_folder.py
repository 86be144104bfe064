"""Graded runs on disk: what compare, exports and the pages read. A folder with a part missing says which part.

<out>/<dataset>/accuracy_results.json     needed
<out>/<dataset>/verdicts.jsonl            needed wherever single samples are looked at
<out>/<dataset>/manifest.json             absent for generations of other toolkits
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tools.errors import StorageError
from tools.records import Generation, Grade
from tools.results.build import FILE_NAME, read_results
from tools.statistics.estimators import Counts, avg_at_k
from tools.store.generations import list_files, read_file, read_folder, task_id_resolver
from tools.store.verdicts import FILE_NAME as VERDICTS
from tools.store.verdicts import read_verdicts

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Run:
    """One graded data set of one run."""

    folder: Path
    results: dict[str, Any]

    @property
    def dataset(self) -> str:
        return str(self.results["dataset"])

    @cached_property
    def grades(self) -> tuple[Grade, ...]:
        return tuple(read_verdicts(self.folder))

    @cached_property
    def by_key(self) -> dict[tuple[str, int], Grade]:
        return {(sample.task_id, sample.seed): sample for sample in self.grades}

    @cached_property
    def manifest(self) -> dict[str, Any] | None:
        return read_json_object(self.folder / MANIFEST)

    @property
    def task_ids(self) -> list[str]:
        return [str(task_id) for task_id in self.results["task_ids"]]

    def responses(self) -> Iterator[Generation]:
        """The planned problems' generations, as far as the folder still holds them; the original's rows by their number."""
        files, known = list_files(self.folder), set(self.task_ids)
        if not files:
            return
        if any(generation.task_id in known for generation in read_file(files[0][1], files[0][0])):
            yield from (generation for generation in read_folder(self.folder) if generation.task_id in known)
        else:
            yield from map(task_id_resolver(self.folder, self.task_ids), read_folder(self.folder))

    def counts(self, task_ids: Sequence[str]) -> Counts:
        """Correct and graded samples of these problems, in their order.

        Raises StorageError when one has none, and when verdicts and results are not of the same grading.
        """
        correct, samples = dict.fromkeys(task_ids, 0), dict.fromkeys(task_ids, 0)
        seeds = set(self.results["seeds"])
        for sample in self.by_key.values():
            if sample.task_id in samples and sample.seed in seeds:
                samples[sample.task_id] += 1
                correct[sample.task_id] += sample.is_correct
        empty = [task_id for task_id, number in samples.items() if not number]
        if empty:
            raise StorageError(
                f"{self.folder / VERDICTS} has no verdict for problem {empty[0]}"
                + (f" and {len(empty) - 1} more" if len(empty) > 1 else "")
                + "; grade the run again"
            )
        counts = Counts(np.array(list(correct.values()), float), np.array(list(samples.values()), float))
        if set(task_ids) == set(self.task_ids) and abs(avg_at_k(counts) - self.results["avg_at_k"]) > 1e-9:
            raise StorageError(
                f"{self.folder}: {VERDICTS} gives {100 * avg_at_k(counts):.2f} % and {FILE_NAME} "
                f"{100 * self.results['avg_at_k']:.2f} %, so they are of two gradings; grade the run again"
            )
        return counts


def find_runs(path: str | os.PathLike[str]) -> dict[str, Run]:
    """Graded data sets at a path, by name: the folder itself, or each of its folders. Raises StorageError if none."""
    root = Path(path)
    if not root.is_dir():
        raise StorageError(f"{root} is not a folder; give the output folder of a run")
    folders = [root] if (root / FILE_NAME).exists() else sorted(child.parent for child in root.glob(f"*/{FILE_NAME}"))
    runs = [Run(folder, read_results(folder)) for folder in folders]
    if not runs:
        raise StorageError(f"{root} holds no {FILE_NAME}, in itself or one level down; grade the run first")
    return {run.dataset: run for run in runs}


def read_json_object(path: Path) -> dict[str, Any] | None:
    """A JSON file that holds an object; None when there is none. Raises StorageError when it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(f"{path} is damaged or unreadable; restore it or remove it") from error
    if not isinstance(content, dict):
        raise StorageError(f"{path} holds no JSON object; restore it or remove it")
    return content
