"""Compares graded runs: is B better than A, by how much, and could this run have seen it?

    python -m tools compare A B [C ...]          # A and B: output folders, or one data set's folder in them

A is the baseline. Runs are paired by problem, samples clustered within problems. Different sets or caps are refused:
such scores do not compare. With other engines or versions the manifests are shown side by side, with the first
character at which responses to equal seeds part; where responses are equal and verdicts are not, the grader
changed, and each change is listed with its reason. Exit code 0 whatever the result, 1 when refused, 2 usage.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.analysis.compare_metrics import MetricComparison, compare_metrics
from tools.analysis.compare_text import describe
from tools.analysis.texts import RowDifference, VerdictChange, changed_verdicts, compare_responses
from tools.errors import IncompleteRun, SettingsMismatch, UsageError, run_command
from tools.results.run_folder import RunFolder, find_graded
from tools.statistics.estimators import Counts
from tools.statistics.pairing import (
    PairedComparison,
    SeedPlan,
    compare_counts,
    compare_groups,
    holm,
    plan_seeds,
    problem_p,
)

# Differ between any two runs and say nothing about why scores do.
_IGNORED_IN_MANIFESTS = (
    "plan", "sessions", "start_time", "end_time", "total_evaluation_time_seconds",
    "settings",  # compared on their own
)  # fmt: skip
# What makes two runs not the same experiment although the settings are.
_ENGINE_KEYS = ("engine", "version", "torch", "vllm", "transformers", "hardware", "gpu", "git_hash", "template")


@dataclass(frozen=True)
class ProblemChange:
    """One problem's scores under A and B, with Fisher's exact p and the same after Holm over all problems."""

    task_id: str
    correct: tuple[int, int]
    samples: tuple[int, int]
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class RunComparison:
    """All that is to be said of B against A on one data set."""

    benchmark: str
    runs: tuple[RunFolder, RunFolder]
    overall: PairedComparison
    p_overall_adjusted: float | None
    plans: tuple[SeedPlan, ...]
    groups: Mapping[tuple[str, str], tuple[PairedComparison, float]]
    problems: Sequence[ProblemChange]
    metrics: Sequence[MetricComparison]
    settings: Sequence[tuple[str, object, object]]
    manifests: Sequence[tuple[str, object, object]]
    rows: Sequence[RowDifference]
    verdicts: Sequence[VerdictChange]
    notes: Sequence[str]

    @property
    def is_regrading(self) -> bool:
        """True when every response is the same, so that only graders differ and chance plays no part."""
        wanted = self.overall.problems * self.overall.samples[0]
        return len(self.rows) == wanted and all(row.position is None for row in self.rows)

    def to_json(self) -> dict[str, object]:
        record = {name: value for name, value in self.__dict__.items() if name not in ("runs", "groups", "overall")}
        record["dataset"] = record.pop("benchmark")
        record["runs"] = [str(run.folder) for run in self.runs]
        record["overall"] = dataclasses.asdict(self.overall)
        for name in ("plans", "problems", "metrics", "rows", "verdicts"):
            record[name] = [dataclasses.asdict(item) for item in record[name]]
        record["groups"] = [
            {"breakdown": breakdown, "label": label, "p_adjusted": p, **dataclasses.asdict(comparison)}
            for (breakdown, label), (comparison, p) in self.groups.items()
        ]
        return record


def compare_runs(
    first: RunFolder, second: RunFolder, *, difference: float = 0.02, with_texts: bool = True
) -> RunComparison:
    """B against A on one data set. Raises SettingsMismatch and IncompleteRun where a comparison would be false.

    `difference`: the true difference, as a fraction, to plan seeds for beside the one observed.
    """
    refuse_unlike(first, second)
    task_ids = first.task_ids
    counts = first.counts(task_ids), second.counts(task_ids)
    overall = compare_counts(*counts)
    rows = compare_responses(first, second) if with_texts else []
    equal = [(row.task_id, row.seed) for row in rows if row.position is None]
    return RunComparison(
        benchmark=first.benchmark,
        runs=(first, second),
        overall=overall,
        p_overall_adjusted=None,
        plans=tuple(plan_seeds(*counts, wanted) for wanted in (overall.difference, difference)),
        groups=compare_groups(*counts, _groups(first, task_ids)),
        problems=_problem_changes(task_ids, *counts),
        metrics=compare_metrics(first, second),
        settings=differing(first.results.settings, second.results.settings),
        manifests=_manifest_differences(first, second),
        rows=rows,
        verdicts=changed_verdicts(first.by_key, second.by_key, equal),
        notes=_notes(first, second, rows),
    )


def refuse_unlike(first: RunFolder, second: RunFolder) -> None:
    """Raises SettingsMismatch for another set or cap, IncompleteRun for missing samples."""
    for run in (first, second):
        if not run.results.is_complete:
            raise IncompleteRun(
                f"{run.folder}: {run.results.missing_count} samples are missing, so there is no score to compare; "
                "complete the run first"
            )
    sets = first.results.subset, second.results.subset
    if sets[0].sha256 != sets[1].sha256:
        shown = [f"{item.name} ({item.count} problems, sha256 {item.sha256[:12]})" for item in sets]
        raise SettingsMismatch(
            f"{first.folder} is on {shown[0]} and {second.folder} on {shown[1]}: scores on different sets do not "
            "compare; grade both on one set"
        )
    caps = first.results.cap, second.results.cap
    if None not in caps and caps[0] != caps[1]:
        raise SettingsMismatch(
            f"{first.folder} had a cap of {caps[0]} output tokens and {second.folder} {caps[1]}: scores under different "
            "caps do not compare; generate one of them again with the other's OUT_SEQ_LEN"
        )


def _groups(run: RunFolder, task_ids: Sequence[str]) -> dict[tuple[str, str], list[int]]:
    """(breakdown, label) -> positions; breakdowns that split nothing are left out."""
    groups: dict[tuple[str, str], list[int]] = {}
    for breakdown, by_task in run.results.labels.items():
        if len(set(by_task.values())) > 1:
            for position, task_id in enumerate(task_ids):
                if task_id in by_task:
                    groups.setdefault((breakdown, by_task[task_id]), []).append(position)
    return dict(sorted(groups.items()))


def _problem_changes(task_ids: Sequence[str], first: Counts, second: Counts) -> list[ProblemChange]:
    """Problems whose score changed at all, the largest change first; none where samples have shares of points, which
    Fisher's test of right and wrong does not take."""
    if not (first.is_binary and second.is_binary):
        return []
    table = [
        tuple(map(int, row)) for row in zip(first.correct, first.samples, second.correct, second.samples, strict=True)
    ]
    p_values = [problem_p(*row) for row in table]
    changes = [
        ProblemChange(task_id, (row[0], row[2]), (row[1], row[3]), p, adjusted)
        for task_id, row, p, adjusted in zip(task_ids, table, p_values, holm(p_values), strict=True)
        if row[0] * row[3] != row[2] * row[1]
    ]
    return sorted(changes, key=lambda item: (-abs(_change(item)), item.task_id))


def _change(item: ProblemChange) -> float:
    return item.correct[1] / item.samples[1] - item.correct[0] / item.samples[0]


def differing(first: Mapping[str, object], second: Mapping[str, object]) -> list[tuple[str, object, object]]:
    """(key, A's value, B's value) wherever they differ, nested keys joined by a point; None for an absent key."""
    flat_a, flat_b = dict(_flat(first)), dict(_flat(second))
    keys = [*flat_a, *(key for key in flat_b if key not in flat_a)]
    return [(key, flat_a.get(key), flat_b.get(key)) for key in keys if flat_a.get(key) != flat_b.get(key)]


def _flat(record: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _manifest_differences(first: RunFolder, second: RunFolder) -> list[tuple[str, object, object]]:
    if first.manifest is None or second.manifest is None:
        return []
    kept = [
        {key: value for key, value in manifest.raw.items() if key not in _IGNORED_IN_MANIFESTS}
        for manifest in (first.manifest, second.manifest)
    ]
    return differing(*kept)


def _notes(first: RunFolder, second: RunFolder, rows: Sequence[RowDifference]) -> list[str]:
    notes = []
    if first.results.cap is None or second.results.cap is None:
        notes.append(
            "the cap on output tokens is not known for both runs; the comparison holds only if it was the same"
        )
    for run in (first, second):
        if run.manifest is None:
            notes.append(f"{run.folder} has no manifest: with what it was made cannot be compared")
        notes += [f"{run.folder} is not claimable: {reason}" for reason in run.results.doubts]
    graders = [{key: run.results.grader.get(key) for key in ("name", "version")} for run in (first, second)]
    if graders[0] != graders[1]:
        notes.append(
            f"graded by {_grader(graders[0])} and {_grader(graders[1])}: grade both with one before believing a difference"
        )
    if rows and all(row.position is None for row in rows):
        notes.append(
            f"all {len(rows)} responses with equal problem and seed are identical: they are the same samples, so tests of "
            "significance do not apply to them"
        )
    moved = [key for key, _, _ in differing(first.results.settings, second.results.settings)]
    moved = [key for key in moved + [key for key, _, _ in _manifest_differences(first, second)] if _names_engine(key)]
    if moved:
        notes.append(f"engine or versions differ ({', '.join(moved[:4])}): a difference may come from them")
    return notes


def _names_engine(key: str) -> bool:
    return any(word in key.lower() for word in _ENGINE_KEYS)


def _grader(record: Mapping[str, object]) -> str:
    return f"{record['name']} {record['version']}"


# --- the command --------------------------------------------------------------------------------------------------


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools compare",
        description="Compare graded runs, paired by problem. The first is the baseline of all others.",
        epilog="example: python -m tools compare out/old out/new",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="output folder of a run, or one data set's folder in it")
    parser.add_argument("--difference", type=float, default=2.0, metavar="POINTS", help="plan seeds for this (2)")
    parser.add_argument("--no-texts", action="store_true", help="do not read the responses")
    parser.add_argument("--all", action="store_true", help="list every problem, row and verdict, not the first ten")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    options = parser.parse_args(arguments)
    if len(options.runs) < 2:
        raise UsageError("one run compares with nothing; give two or more folders")
    if not 0 < options.difference <= 100:
        raise UsageError(f"--difference {options.difference} is no difference in points; give more than 0, at most 100")
    return options


def compare(*paths: str | Path, difference: float = 0.02, with_texts: bool = True) -> list[RunComparison]:
    """The first folder against each other one, on every benchmark that both hold; p values of several by Holm.

    Raises SettingsMismatch and IncompleteRun where a comparison would be false, StorageError for damaged folders.
    """
    baseline, *others = [find_graded(path) for path in paths]
    comparisons = []
    for path, other in zip(paths[1:], others, strict=True):
        common = [name for name in baseline if name in other]
        if not common:
            raise SettingsMismatch(
                f"{paths[0]} holds {', '.join(baseline)} and {path} {', '.join(other)}: no data set in common to compare"
            )
        comparisons += [
            compare_runs(baseline[name], other[name], difference=difference, with_texts=with_texts) for name in common
        ]
    if len(comparisons) == 1:
        return comparisons
    adjusted = holm([item.overall.p_problems for item in comparisons])
    return [dataclasses.replace(item, p_overall_adjusted=p) for item, p in zip(comparisons, adjusted, strict=True)]


def main() -> int:
    options = parse_arguments(sys.argv[1:])
    comparisons = compare(*options.runs, difference=options.difference / 100, with_texts=not options.no_texts)
    if options.json:
        print(json.dumps([item.to_json() for item in comparisons], ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(describe(item, shown=None if options.all else 10) for item in comparisons))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
