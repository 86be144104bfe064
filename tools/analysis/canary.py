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

import numpy as np

from tools.errors import SettingsMismatch, StorageError, UsageError, run_command
from tools.results.run_folder import RunFolder, find_graded
from tools.statistics.estimators import Counts
from tools.statistics.pairing import PairedComparison, compare_counts
from tools.store.files import write_atomically
from tools.store.json_object import read_object

PROBLEMS, SEEDS = 5, 8
ALARM = 0.01  # run often, so one false alarm in a hundred


@dataclass(frozen=True)
class CanaryCheck:
    """New minus expected on the canary's problems; `is_alarm` when chance explains it less than once in a hundred."""

    comparison: PairedComparison
    is_alarm: bool
    sentence: str


@dataclass(frozen=True)
class Expectation:
    """What is stored beside an engine version: which problems and seeds to sample, and what was seen of each problem."""

    model: str
    benchmark: str
    versions: Mapping[str, object] | None
    settings: Mapping[str, object]
    seeds: tuple[int, ...]
    correct: Mapping[str, int]
    samples: Mapping[str, int]

    @property
    def counts(self) -> Counts:
        return Counts(np.array([*self.correct.values()], float), np.array([*self.samples.values()], float))

    def to_json(self) -> dict[str, object]:
        seen = {name: {"correct": right, "samples": self.samples[name]} for name, right in self.correct.items()}
        return {
            "model": self.model,
            "dataset": self.benchmark,
            "versions": self.versions,
            "settings": self.settings,
            "seeds": list(self.seeds),
            "expected": seen,
        }


def make_expectation(run: RunFolder, problems: int = PROBLEMS, seeds: int = SEEDS) -> Expectation:
    """From a full run. Raises UsageError for scores that are shares of points."""
    task_ids = run.task_ids
    counts = run.counts(task_ids)
    if not counts.is_binary:
        raise UsageError(f"{run.folder} has shares of points; a canary needs samples that are right or wrong")
    chosen = sorted(range(len(task_ids)), key=lambda i: (abs(float(counts.rates[i]) - 0.5), task_ids[i]))[:problems]
    return Expectation(
        model=_model_name(run),
        benchmark=run.benchmark,
        versions=dict(run.manifest.versions) if run.manifest else None,
        settings=run.results.settings,
        seeds=run.results.seeds[:seeds],
        correct={task_ids[i]: int(counts.correct[i]) for i in chosen},
        samples={task_ids[i]: int(counts.samples[i]) for i in chosen},
    )


def _model_name(run: RunFolder) -> str:
    """The last part, so that the same weights in another folder count as the same model."""
    return run.results.model.rstrip("/").split("/")[-1]


def check_expectation(run: RunFolder, expected: Expectation) -> CanaryCheck:
    """Compares a new run with what was stored. Raises SettingsMismatch where they are not the same experiment."""
    names = (("model", expected.model, _model_name(run)), ("dataset", expected.benchmark, run.benchmark))
    for name, old, new in names:
        if old != new:
            raise SettingsMismatch(f"the canary was made with {name} {old}, this run has {new}")
    for name in ("max_new_tokens", "temperature", "top_p"):
        then, now = expected.settings.get(name), run.results.settings.get(name)
        if then != now:
            raise SettingsMismatch(f"the canary was made with {name} {then}, this run has {now}; use the same settings")
    task_ids = list(expected.correct)
    comparison = compare_counts(expected.counts, run.counts(task_ids))
    is_alarm = comparison.p_sampling < ALARM
    shown = [f"{100 * score:.1f} %" for score in comparison.scores]
    return CanaryCheck(
        comparison,
        is_alarm,
        f"{'ALARM' if is_alarm else 'as expected'}: {shown[1]} on {len(task_ids)} problems, expected {shown[0]}, "
        f"p = {comparison.p_sampling:.2g} that sampling alone does this",
    )


def read_expectation(path: Path) -> Expectation:
    """Raises StorageError when the file is absent, damaged or something else."""
    row = read_object(path)
    if row is None:
        raise StorageError(f"{path} does not exist; make it from a full run with `make`")
    try:
        seen = {str(name): (int(found["correct"]), int(found["samples"])) for name, found in row["expected"].items()}
        return Expectation(
            model=str(row["model"]),
            benchmark=str(row["dataset"]),
            versions=row.get("versions"),
            settings=dict(row["settings"]),
            seeds=tuple(row.get("seeds", ())),
            correct={name: correct for name, (correct, _) in seen.items()},
            samples={name: samples for name, (_, samples) in seen.items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StorageError(f"{path} is no canary expectation; make it from a full run with `make`") from error


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools canary", description="Does a new engine still agree?")
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
        write_atomically(options.file, json.dumps(expectation.to_json(), ensure_ascii=False, indent=1) + "\n")
        print(f"{options.file}: {len(expectation.correct)} problems, seeds {list(expectation.seeds)}")
        return 0
    check = check_expectation(run, read_expectation(options.file))
    print(check.sentence)
    return 1 if check.is_alarm else 0


if __name__ == "__main__":
    sys.exit(run_command(main))
