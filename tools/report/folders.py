"""What lies in a run's folder, read with care: whatever is absent, damaged or does not agree is said in a sentence.

    <out>/status.json                          only while a run is going
    <out>/<dataset>/seed<N>.jsonl              read one line at a time by the page, never here
    <out>/<dataset>/verdicts.jsonl
    <out>/<dataset>/accuracy_results*.json
    <out>/<dataset>/manifest.json

>>> [folder.name for folder in find_dataset_folders(Path("out"))]
['aime24', 'aime25']
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.errors import DataError
from tools.records import Grade
from tools.store.verdicts import VerdictLog

RESULTS_PATTERN = "accuracy_results*.json"
MARKS = ("verdicts.jsonl", "manifest.json", "accuracy_results.json")
# A manifest or results file larger than this was not written by us and would only fill the memory.
MAX_JSON_BYTES = 64 << 20


@dataclasses.dataclass
class DatasetData:
    """Everything but the responses of one data set of one run. `notes` are sentences about what is not as it should be."""

    folder: Path
    results: list[dict[str, Any]]
    grades: list[Grade]
    manifest: dict[str, Any]
    notes: list[str]

    @property
    def name(self) -> str:
        return str(self.manifest.get("dataset") or self.folder.name)

    @property
    def model(self) -> str:
        named = [self.manifest.get("model"), *(result.get("model") for result in self.results)]
        return next((str(model) for model in named if model), "model not recorded")


def find_dataset_folders(out: Path) -> list[Path]:
    """The data set folders of a run; the folder of one data set may be given itself. Raises DataError."""
    if not out.is_dir():
        raise DataError(f"{out}: no such folder; give the OUT of a run, or one of its data set folders")
    if _is_dataset_folder(out):
        return [out]
    try:
        found = sorted(folder for folder in out.iterdir() if folder.is_dir() and _is_dataset_folder(folder))
    except OSError as error:
        raise DataError(f"{out}: cannot be read ({error.strerror}); check its permissions") from error
    if not found:
        raise DataError(f"{out}: no seed<N>.jsonl, verdicts.jsonl or manifest.json in it or its folders; is it a run?")
    return found


def _is_dataset_folder(folder: Path) -> bool:
    try:
        return any((folder / mark).is_file() for mark in MARKS) or any(folder.glob("*seed*.jsonl"))
    except OSError:
        return False


def read_dataset(folder: Path) -> DatasetData:
    """Reads what there is. Never raises for damaged content: `notes` says it."""
    notes: list[str] = []
    manifest = read_json(folder / "manifest.json", notes) or {}
    results = read_results_files(folder, notes)
    log = VerdictLog(folder / "verdicts.jsonl")
    log.refresh()
    data = DatasetData(folder, results, list(log.grades.values()), manifest, notes)
    notes += log.notes
    notes += missing_parts(data)
    return data


def read_results_files(folder: Path, notes: list[str]) -> list[dict[str, Any]]:
    """The results of all problems, then those of the parts that stand in it under "sets" (LiveCodeBench's v5, v6)."""
    found = [row for path in sorted(folder.glob(RESULTS_PATTERN)) if (row := read_json(path, notes)) is not None]
    results = []
    for row in found:
        parts = row.get("sets")
        shared = {name: row.get(name) for name in ("settings", "model", "dataset", "reasoning", "seeds")}
        results.append(row)
        results += [
            shared | part for part in (parts.values() if isinstance(parts, dict) else ()) if isinstance(part, dict)
        ]
    return results


def missing_parts(data: DatasetData) -> list[str]:
    """What a whole run has and this one does not, each with what to do."""
    notes = []
    if not data.manifest:
        notes.append("No readable manifest.json: model, settings and versions of this run are not known.")
    if not data.grades:
        notes.append("No verdicts.jsonl: the responses are not graded yet; run the evaluate script on this folder.")
    if not data.results:
        notes.append("No readable accuracy_results.json, so there is no score; run the evaluate script on this folder.")
    task_ids, seeds = plan_of(data)
    planned = {(task_id, seed) for task_id in task_ids for seed in seeds}
    if planned and data.grades:
        graded = {(grade.task_id, grade.seed) for grade in data.grades}
        if absent := len(planned - graded):
            notes.append(f"{absent} of {len(planned)} planned samples have no verdict.")
        if unplanned := len(graded - planned):
            notes.append(f"{unplanned} verdicts belong to samples that the plan does not contain.")
    return notes


def plan_of(data: DatasetData) -> tuple[list[str], list[int]]:
    """(task ids, seeds) that the run was to have: the manifest's plan, else what the results were computed for."""
    plan = data.manifest.get("plan")
    for source in [plan, *data.results[:1]]:
        seeds, task_ids = (source.get("seeds"), source.get("task_ids")) if isinstance(source, dict) else (None, None)
        if isinstance(seeds, list) and isinstance(task_ids, list):
            whole_seeds = [seed for seed in seeds if isinstance(seed, int)]
            return list(dict.fromkeys(map(str, task_ids))), list(dict.fromkeys(whole_seeds))
    return [], []


def axes_of(data: DatasetData, also: Iterable[tuple[str, int]] = ()) -> tuple[list[str], list[int]]:
    """Rows and columns of the map: the plan in its order, then what was graded (or stands in `also`) without it."""
    task_ids, seeds = plan_of(data)
    keys = [*((grade.task_id, grade.seed) for grade in data.grades), *also]
    all_ids = dict.fromkeys([*task_ids, *(task_id for task_id, _ in keys)])
    return list(all_ids), sorted({*seeds, *(seed for _, seed in keys)})


def read_json(path: Path, notes: list[str]) -> dict[str, Any] | None:
    """An object from a file; None with a note when it is damaged, None without when it is absent."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            notes.append(f"{path.name} is larger than {MAX_JSON_BYTES >> 20} MiB and was not read.")
            return None
        row = json.loads(path.read_bytes().decode("utf-8", "replace"))
    except FileNotFoundError:
        return None
    except OSError as error:
        notes.append(f"{path.name} cannot be read ({error.strerror}).")
        return None
    except (ValueError, RecursionError):
        notes.append(f"{path.name} is damaged (not JSON); run the script that wrote it again.")
        return None
    if not isinstance(row, dict):
        notes.append(f"{path.name} holds a {type(row).__name__} where an object is expected.")
        return None
    return row
