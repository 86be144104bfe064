"""Benchmarks that another toolkit defines, by a name with a prefix: `lm:gsm8k` is a task of lm-evaluation-harness.

The module behind a prefix (PLANNERS) makes the benchmark's entry and, when it is first asked for, its file of problems;
below, it is a benchmark like any other. A record stands beside the file (`<name>.plan.json`): with what it was made. A
run keeps copies of both, so that it can be graded when the other toolkit has moved on. A folder's name holds no colon:

>>> split_name("lm:gsm8k"), split_name("lm__gsm8k"), split_name("aime24")
(('lm', 'gsm8k'), ('lm', 'gsm8k'), None)
>>> folder_name("lm:gsm8k")
'lm__gsm8k'
"""

from __future__ import annotations

import importlib
import os
import pathlib
from typing import Any

from tools.errors import StorageError
from tools.records import JsonObject
from tools.store.files import write_atomically
from tools.store.json_object import read_object

# Prefix -> its module, imported when a name has the prefix; it has find_entry(task, file, may_plan) -> Benchmark.
PLANNERS = {"lm": "tools.lm_eval_tasks.planner"}
JOINT = "__"
OWN_FILE = "problems.jsonl"  # a run's copy, in the benchmark's folder


def split_name(name: str) -> tuple[str, str] | None:
    """(prefix, name within the other toolkit), None for a name of this one."""
    for prefix in PLANNERS:
        for sign in (":", JOINT):
            if name.startswith(prefix + sign) and len(name) > len(prefix + sign):
                return prefix, name[len(prefix + sign) :]
    return None


def has_prefix(name: str) -> bool:
    """Whether a name is written with the colon, so that it cannot be a file's."""
    return name.startswith(tuple(f"{prefix}:" for prefix in PLANNERS))


def folder_name(name: str) -> str:
    """The name that folders and files have, `lm__gsm8k` for `lm:gsm8k`; other names as they are."""
    found = split_name(name)
    return JOINT.join(found) if found else name


def find_planned(name_or_path: str | os.PathLike[str], name: str) -> Any:
    """The entry of such a name or file, None for all others. A name with a colon plans what is not there yet."""
    found = split_name(name)
    if found is None:
        return None
    text = os.fspath(name_or_path)
    file = pathlib.Path(text) if text.endswith(".jsonl") else None
    planner = importlib.import_module(PLANNERS[found[0]])
    return planner.find_entry(found[1], file, may_plan=has_prefix(text))


def plan_path(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f"{path.stem}.plan.json")


def read_plan(path: pathlib.Path) -> JsonObject | None:
    """With what a file of problems was planned; None for one that was not. Raises StorageError for a damaged record."""
    return read_object(plan_path(path))


def keep_plan(path: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Copies a planned file and its record into a run's folder; returns where the problems lie, for others as before."""
    own = folder / OWN_FILE
    if path == own or not plan_path(path).is_file():
        return path
    try:
        texts = {plan_path(own): plan_path(path).read_text("utf-8"), own: path.read_text("utf-8")}
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); run the same command again") from error
    for target, text in texts.items():  # the problems last: a copy that is there is whole
        write_atomically(target, text)
    return own
