"""The entry of a task of lm-eval, and its file of problems: planned on first use, kept in data/fetched with a record.

A plan is made anew when lm_eval has another version, or when the folders that LM_EVAL_TASKS names have changed. To have a
task's data fetched again, delete the file. tools/benchmarks/planned.py asks here for names with the prefix `lm:`.

>>> to_benchmark("gsm8k", pathlib.Path("lm__gsm8k.jsonl"), {"repeats": 4, "problems": 1319}).samples_per_seed
4
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import pathlib
import re
import tempfile

from tools.benchmarks.benchmark import DATA, Benchmark
from tools.benchmarks.planned import JOINT, plan_path, read_plan
from tools.errors import DataError, GradingError, UsageError
from tools.lm_eval_tasks.process import BUILD_TIMEOUT_S, PROCESS, check_installed
from tools.records import JsonObject, JsonRow
from tools.store.files import storage_error, write_atomically

PREFIX = "lm"
NAME = re.compile(r"[A-Za-z0-9_.+-]+")
MARK_DIGITS = 16


def find_entry(task: str, file: pathlib.Path | None, may_plan: bool) -> Benchmark:
    """The entry of a name, or of a file that was planned for it. Raises UsageError, DataError."""
    if file is None:
        file = plans_folder() / f"{PREFIX}{JOINT}{task}.jsonl"
        if may_plan:
            make_plan(task, file, tuple(task_folders()))
    return to_benchmark(task, file, read_plan(file) or {})


def to_benchmark(task: str, file: pathlib.Path, record: JsonRow) -> Benchmark:
    """A task as one of our benchmarks. Where a task repeats its question, so many samples belong to one seed."""
    is_scored = bool(record.get("is_scored"))
    return Benchmark(
        name=f"{PREFIX}{JOINT}{task}",
        grader="lm_eval",
        question="{messages}",
        samples_per_seed=int(record.get("repeats", 1)),
        label_fields=("task",),
        is_scored=is_scored,
        most_seeds=1 if is_scored else None,  # another seed would score the same
        max_new_tokens=1 if is_scored else None,
        licence="see the task in lm-evaluation-harness",
        file=file,
    )


def plans_folder() -> pathlib.Path:
    return pathlib.Path(os.environ.get("LM_EVAL_PLANS") or DATA / "fetched")


def task_folders() -> list[str]:
    """The folders of one's own tasks, as LM_EVAL_TASKS names them. Raises UsageError for one that is not there."""
    folders = [part for part in os.environ.get("LM_EVAL_TASKS", "").split(os.pathsep) if part]
    for folder in folders:
        if not pathlib.Path(folder).is_dir():
            raise UsageError(f"LM_EVAL_TASKS={folder}: no such folder; name one that holds tasks as YAML files")
    return [str(pathlib.Path(folder).resolve()) for folder in folders]


def fingerprint(folders: tuple[str, ...]) -> str:
    """Of the names, sizes and times of all files in the folders of one's own."""
    files = sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*") if path.is_file())
    seen = [
        (str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files if "__pycache__" not in path.parts
    ]
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:MARK_DIGITS]


@functools.cache
def make_plan(task: str, file: pathlib.Path, folders: tuple[str, ...]) -> None:
    """Plans a task, unless its file is there and still holds. Raises UsageError, DataError, StorageError."""
    if not NAME.fullmatch(task):
        raise UsageError(f"lm:{task} is no name of a task; give one as `lm_eval ls tasks` lists them")
    check_installed(f"lm:{task}")
    from importlib import metadata  # here, because every --help reads this file's options

    known = {"version": metadata.version("lm_eval"), "folders": fingerprint(folders)}
    record: JsonObject = read_plan(file) or {}
    if file.is_file() and all(record.get(name) == value for name, value in known.items()):
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.stem}.") as folder:
            part = pathlib.Path(folder) / file.name
            record = PROCESS.ask(BUILD_TIMEOUT_S, do="plan", task=task, folders=list(folders), target=str(part))
            text = json.dumps({**record, **known}, ensure_ascii=False, indent=1)
            write_atomically(plan_path(file), text + "\n")
            part.replace(file)
    except GradingError as error:
        raise DataError(f"lm:{task} cannot be planned: {error}") from error
    except OSError as error:
        raise storage_error(file, error) from error
