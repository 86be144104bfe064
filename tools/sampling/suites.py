"""Suites: YAML files that say which benchmarks a run has, and its options where they are not the defaults.

    benchmarks: [aime24, gpqa_diamond, ifeval]
    seeds: [100, 200]
    out_seq_len: 32768

A key is an option of a run by its name. The command line and the environment say more than a suite. The shape of
Evalchemy's configs (`tasks`, a list of objects with `task_name`; `max_tokens`) is read too.

>>> parse_suite({"benchmarks": ["aime24", "ifeval"], "seeds": [100, 200]}, "mine.yaml")
{'DATASETS': 'aime24,ifeval', 'SEEDS': '100,200'}
>>> parse_suite({"tasks": [{"task_name": "AIME24", "batch_size": 4}], "max_tokens": 16384}, "theirs.yaml")
{'DATASETS': 'AIME24', 'OUT_SEQ_LEN': '16384'}
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Collection, Mapping
from typing import Any

from tools.commandline import option_fields
from tools.engines import ENGINES, find_engine
from tools.errors import UsageError, printable
from tools.records import Sampling
from tools.store.files import ROOT
from tools.store.reading import read_small

SUITES = ROOT / "suites"
MOST_BYTES = 1 << 20
LIST_KEYS = ("benchmarks", "tasks", "datasets")
OF_OTHERS = {"max_tokens": "OUT_SEQ_LEN"}  # Evalchemy's name -> ours
LEFT_TO_GRADING = ("annotator_model", "annotator")
LEFT_OUT = ("batch_size", "max_tokens", "system_instruction", "limit")  # of one of Evalchemy's tasks


def find_suite(name: str) -> pathlib.Path:
    """The file of a suite: its path, or the name of one in suites/. Raises UsageError."""
    for path in (pathlib.Path(name), SUITES / f"{name}.yaml"):
        if path.is_file():
            return path
    there = ", ".join(sorted(path.stem for path in SUITES.glob("*.yaml")))
    raise UsageError(f"--config {name}: no such file; give a YAML file, or one of the suites {there}")


def read_suite(name: str, run_options: type) -> dict[str, str]:
    """The options that a suite gives, by their names in the environment. Raises UsageError.

    `run_options` is the dataclass of a run's own options; those of sampling and of every engine count too.
    """
    path = find_suite(name)
    try:
        import yaml  # here, because only a suite needs it
    except ModuleNotFoundError:
        raise UsageError(
            f"--config {name}: reading YAML needs pyyaml; run pip install -r requirements-grade.txt"
        ) from None
    try:
        content = yaml.safe_load(read_small(path, MOST_BYTES))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"--config {name}: no YAML that can be read ({printable(str(error))[:160]})") from error
    options = parse_suite(content, name)
    kinds = (run_options, Sampling, *(find_engine(engine).Options for engine in ENGINES))
    _refuse_unknown(options, {known for kind in kinds for known in option_fields(kind)}, name)
    return options


def parse_suite(content: object, name: str) -> dict[str, str]:
    """A suite's content as options. Raises UsageError for what is no suite."""
    if not isinstance(content, Mapping):
        raise UsageError(f"--config {name}: no suite; it has to hold `benchmarks: [...]` and options")
    keys = [key for key in LIST_KEYS if content.get(key)]
    if len(keys) != 1:
        problem = f"has {' and '.join(keys)}" if keys else "has no key `benchmarks`"
        raise UsageError(f"--config {name}: {problem}; list the benchmarks once, as `benchmarks: [aime24, ifeval]`")
    listed = content[keys[0]]
    tasks = listed if isinstance(listed, list) else str(listed).split(",")
    options = {"DATASETS": ",".join(_task_name(task, name) for task in tasks)}
    for key, value in content.items():
        if key not in (*LIST_KEYS, *LEFT_TO_GRADING) and value is not None:
            options[OF_OTHERS.get(str(key), str(key).upper())] = _as_text(value)
    _note_what_is_left_out(content, tasks, name)
    return options


def _task_name(task: object, name: str) -> str:
    found = task.get("task_name") if isinstance(task, Mapping) else task
    if not isinstance(found, str) or not found.strip():
        raise UsageError(f"--config {name}: {str(task)[:60]!r} names no benchmark; give a name or `task_name: NAME`")
    return found.strip()


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(int(value) if isinstance(value, bool) else value)


def _note_what_is_left_out(content: Mapping[Any, Any], tasks: Collection[object], name: str) -> None:
    """One line for what Evalchemy's configs say of single tasks and this toolkit decides itself."""
    said = {key for task in tasks if isinstance(task, Mapping) for key in task} & set(LEFT_OUT)
    if said:
        print(
            f"note: {name}: {', '.join(sorted(said))} of single tasks are left out; every benchmark has the run's cap "
            "(OUT_SEQ_LEN) and the engine's batch",
            file=sys.stderr,
        )
    judge = next((content[key] for key in LEFT_TO_GRADING if content.get(key)), None)
    if judge:
        print(f"note: {name}: give the judge when grading, with --judge {printable(str(judge))}", file=sys.stderr)


def _refuse_unknown(options: Mapping[str, str], known: Collection[str], name: str) -> None:
    for option in options:
        if option not in known:
            import difflib

            near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
            advice = f"did you mean {near[0].lower()}?" if near else "inference.py --help lists them"
            raise UsageError(f"--config {name}: {option.lower()} is no option of a run; {advice}")
