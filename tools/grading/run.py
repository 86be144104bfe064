"""A whole run: every benchmark folder of it graded, one after another; one that fails is named and the others go on."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections.abc import Iterable, Mapping, Sequence

from tools.benchmarks.benchmark import find_entry, unknown_benchmark
from tools.benchmarks.problems import find_local_file
from tools.errors import EvaluationError, StorageError, UsageError
from tools.grading import grader_class
from tools.grading.grader import GradingOptions
from tools.grading.session import estimate, grade
from tools.records import JsonRow
from tools.results.results import Results
from tools.results.run_folder import find_folders
from tools.store import generations
from tools.store.manifest import read_manifest


@dataclasses.dataclass(frozen=True)
class GradedRun:
    """Results by benchmark, and why others have none."""

    results: Mapping[str, Results]
    failures: Mapping[str, str]


def grade_run(out: pathlib.Path, names: Sequence[str], options: GradingOptions) -> GradedRun:
    """Grades the benchmarks of a run's folder, all or those named. Raises StorageError, DataError and UsageError for what
    can be refused before anything is graded."""
    folders = choose_folders(out, names)
    chosen = {name: _options_for(name, folder, options) for name, folder in folders.items()}
    _refuse_unused(options.grader, chosen.values())
    results, failures = {}, {}
    for name, folder in folders.items():
        print(f"grading {name}", file=sys.stderr)
        try:
            results[name] = grade(folder, _benchmark_of(name, folder), chosen[name])
        except EvaluationError as error:
            failures[name] = str(error)
    return GradedRun(results, failures)


def estimate_run(out: pathlib.Path, names: Sequence[str], options: GradingOptions) -> list[str]:
    """What judging those benchmarks of a run would cost that a model judges, a line each. Raises UsageError where none is."""
    lines = []
    for name, folder in choose_folders(out, names).items():
        entry = find_entry(name)
        if entry is not None and hasattr(grader_class(entry.grader), "estimate"):
            lines.append(f"{name}: {estimate(folder, name, _options_for(name, folder, options))}")
    if not lines:
        raise UsageError(
            f"{out}: no benchmark of this run is judged by a model, so grading costs nothing; leave --estimate out"
        )
    return lines


def choose_folders(out: pathlib.Path, names: Sequence[str]) -> dict[str, pathlib.Path]:
    """Benchmark -> its folder in a run, of those that hold responses."""
    if not out.is_dir():
        raise StorageError(f"{out}: no such folder; give the OUT of a run, or a folder of responses with -g")
    there = {run.folder.resolve().name: run.folder for run in find_folders(out) if generations.list_files(run.folder)}
    if not there:
        raise StorageError(f"{out}: no file named seed<N>.jsonl in it or its folders, so there is nothing to grade")
    if not names:
        return there
    chosen = {}
    for name in names:
        entry = find_entry(name)
        known = entry.name if entry else pathlib.Path(name).name
        if known not in there:
            if entry is None:
                raise UsageError(unknown_benchmark(name))
            raise UsageError(f"{out} has no responses to {known}; it has {', '.join(there)}")
        chosen[known] = there[known]
    return chosen


def _benchmark_of(name: str, folder: pathlib.Path) -> str:
    """What the responses were asked from: the benchmark of the folder's name, or the file that the manifest names."""
    manifest = read_manifest(folder)
    path = manifest.data_path if manifest else None
    is_own = find_entry(name) is None and find_local_file(name) is None
    return path if is_own and path else name


def _options_for(name: str, folder: pathlib.Path, options: GradingOptions) -> GradingOptions:
    """The options without those of other graders: a run has benchmarks of several kinds."""
    if not options.grader:
        return options
    entry = find_entry(name)
    kind = grader_class(entry.grader if entry else "math").Options
    known = {field.name for field in dataclasses.fields(kind)}
    return dataclasses.replace(
        options, grader={option: value for option, value in options.grader.items() if option in known}
    )


def _refuse_unused(given: JsonRow, chosen: Iterable[GradingOptions]) -> None:
    used = {name for options in chosen for name in options.grader}
    unused = [name for name in given if name not in used]
    if unused:
        raise UsageError(f"no benchmark of this run is graded with the option {', '.join(unused)}; leave it out")
