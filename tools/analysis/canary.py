"""A 20-minute canary: does this engine version still give the scores that the last one gave?

    python -m tools canary make OUT/aime24 canary.json      # from a full run, once per model and engine
    python -m tools canary check OUT2/aime24 canary.json    # a run of the 5 problems x 8 seeds that it names

The expectation holds, for the 5 problems whose rates are nearest to 1/2 (they tell most), how many of their samples were
correct. The check asks by an exact permutation test whether the new samples are like the old ones. 40 samples find
a break of 30 points with 80 % power, which is what a broken kernel, template or sampler makes; take more for less.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tools.errors import SettingsMismatch, StorageError, UsageError, run_command
from tools.results.run_folder import RunFolder, find_graded
from tools.statistics.estimators import Counts
from tools.statistics.pairing import Comparison, compare_counts
from tools.store.files import write_atomically
from tools.store.json_object import read_object

PROBLEMS, SEEDS = 5, 8
ALARM = 0.01  # run often, so one false alarm in a hundred


@dataclass(frozen=True)
class CanaryCheck:
    """New minus expected on the canary's problems; `is_alarm` when chance explains it less than once in a hundred."""

    comparison: Comparison
    is_alarm: bool
    sentence: str


def make_expectation(run: RunFolder, problems: int = PROBLEMS, seeds: int = SEEDS) -> dict[str, Any]:
    """The record to store beside an engine version: which problems and seeds to sample, and what was seen."""
    task_ids = run.task_ids
    counts = run.counts(task_ids)
    chosen = sorted(range(len(task_ids)), key=lambda i: (abs(float(counts.rates[i]) - 0.5), task_ids[i]))[:problems]
    return {
        "model": _model_name(run),
        "dataset": run.benchmark,
        "versions": dict(run.manifest.versions) if run.manifest else None,
        "settings": dict(run.results.settings),
        "seeds": list(run.results.seeds[:seeds]),
        "expected": {
            task_ids[i]: {"correct": int(counts.correct[i]), "samples": int(counts.samples[i])} for i in chosen
        },
    }


def _model_name(run: RunFolder) -> str:
    """The last part, so that the same weights in another folder count as the same model."""
    return run.results.model.rstrip("/").split("/")[-1]


def check_expectation(run: RunFolder, expectation: Mapping[str, Any]) -> CanaryCheck:
    """Compares a new run with the stored expectation. Raises SettingsMismatch where they are not the same experiment."""
    for name, new in (("model", _model_name(run)), ("dataset", run.benchmark)):
        if expectation[name] != new:
            raise SettingsMismatch(f"the canary was made with {name} {expectation[name]}, this run has {new}")
    for name in ("max_new_tokens", "temperature", "top_p"):
        old, now = expectation["settings"].get(name), run.results.settings.get(name)
        if old != now:
            raise SettingsMismatch(f"the canary was made with {name} {old}, this run has {now}; use the same settings")
    task_ids = list(expectation["expected"])
    rows = expectation["expected"].values()
    old_counts = Counts(
        np.array([row["correct"] for row in rows], float), np.array([row["samples"] for row in rows], float)
    )
    comparison = compare_counts(old_counts, run.counts(task_ids))
    is_alarm = comparison.p_sampling < ALARM
    shown = [f"{100 * score:.1f} %" for score in comparison.scores]
    return CanaryCheck(
        comparison,
        is_alarm,
        f"{'ALARM' if is_alarm else 'as expected'}: {shown[1]} on {len(task_ids)} problems, expected {shown[0]}, "
        f"p = {comparison.p_sampling:.2g} that sampling alone does this",
    )


def read_expectation(path: Path) -> dict[str, Any]:
    """Raises StorageError when the file is absent, damaged or something else."""
    expectation = read_object(path)
    if expectation is None:
        raise StorageError(f"{path} does not exist; make it from a full run with `make`")
    rows = expectation.get("expected")
    is_whole = {"model", "dataset", "settings"} <= expectation.keys() and isinstance(rows, dict) and bool(rows)
    parts = list(rows.values()) if isinstance(rows, dict) else []
    if not is_whole or not all(isinstance(row, dict) and {"correct", "samples"} <= row.keys() for row in parts):
        raise StorageError(f"{path} is no canary expectation; make it from a full run with `make`")
    return expectation


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools canary", description="Does a new engine still agree?"
    )
    parser.add_argument("action", choices=("make", "check"))
    parser.add_argument("run", help="one graded data set's folder")
    parser.add_argument("file", type=Path, help="the expectation, a JSON file")
    parser.add_argument("--problems", type=int, default=PROBLEMS, help=f"make: problems to choose ({PROBLEMS})")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"make: seeds to name ({SEEDS})")
    options = parser.parse_args(arguments)
    if options.problems < 1 or options.seeds < 1:
        raise UsageError("a canary needs at least one problem and one seed")
    return options


def main() -> int:
    options = parse_arguments(sys.argv[1:])
    runs = find_graded(options.run)
    if len(runs) > 1:
        raise UsageError(f"{options.run} holds {', '.join(runs)}; give the folder of one of them")
    (run,) = runs.values()
    if options.action == "make":
        expectation = make_expectation(run, options.problems, options.seeds)
        write_atomically(options.file, json.dumps(expectation, ensure_ascii=False, indent=1) + "\n")
        print(f"{options.file}: {len(expectation['expected'])} problems, seeds {expectation['seeds']}")
        return 0
    check = check_expectation(run, read_expectation(options.file))
    print(check.sentence)
    return 1 if check.is_alarm else 0


if __name__ == "__main__":
    sys.exit(run_command(main))
