"""Finds the runs below some folders: one row of the leaderboard each, with its benchmarks.

    OUT/<benchmark>/accuracy_results.json             one run
    RUNS/<any>/<name>/<benchmark>/...                 every run below; links are not followed

What cannot be read is kept with the sentence that says why: a leaderboard leaves nothing out in silence.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp()); (root / "a" / "aime24").mkdir(parents=True)
>>> _ = (root / "a" / "aime24" / "accuracy_results.json").write_text("{}")
>>> [(run.model, [told.damage.split(": ")[0] for told in run.entries]) for run in find_runs([root])]
[('model not recorded', ['results that cannot be read'])]
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.errors import DataError, StorageError
from tools.models.hub import hub_name
from tools.results.build import FILE_NAME, read_results
from tools.results.results import Results
from tools.results.run_folder import RunFolder
from tools.store import manifest as manifests
from tools.store import verdicts
from tools.store.generations import list_files
from tools.store.json_object import note_object
from tools.store.manifest import Manifest

MOST_DEPTH = 5  # folders below a given one that are looked into
MOST_FOLDERS = 20_000  # more is a disk, not a folder of runs
BACKUP = ".backup-"  # what --overwrite moves out of the way
NO_MODEL = "model not recorded"


@dataclass(frozen=True)
class RunEntry:
    """One benchmark of a run. Without `results` there is `damage`, the reason."""

    run: RunFolder
    benchmark: str
    results: Results | None
    manifest: Manifest | None
    damage: str = ""


@dataclass(frozen=True)
class RankedRun:
    """One row: a model in one folder. `label` tells runs of one model apart, and is empty where there is one only."""

    folder: Path
    model: str
    entries: tuple[RunEntry, ...]
    label: str = ""

    @property
    def name(self) -> str:
        return f"{self.model} ({self.label})" if self.label else self.model


def find_runs(paths: Sequence[str | os.PathLike[str]]) -> list[RankedRun]:
    """The runs below the given folders, in their order; a folder that is given twice counts once. Raises DataError."""
    folders: dict[Path, None] = {}
    for path in paths:
        root = Path(path)
        if not root.is_dir():
            raise DataError(f"{root}: no such folder; give the OUT of a run, or a folder of such folders")
        found = list(_benchmark_folders(root.resolve()))
        if not found:
            raise DataError(
                f"{root}: no {FILE_NAME} or seed<N>.jsonl in it or its folders; is it the OUT of a run, and graded?"
            )
        folders |= dict.fromkeys(found)
    return _with_labels(_rows([read_entry(folder) for folder in folders]))


def _benchmark_folders(root: Path) -> Iterator[Path]:
    """Folders that hold one benchmark of a run, by name; what lies below such a folder belongs to it."""
    waiting, looked_at = [(root, 0)], 0
    while waiting:
        folder, depth = waiting.pop()
        looked_at += 1
        if looked_at > MOST_FOLDERS:
            raise DataError(f"{root}: more than {MOST_FOLDERS} folders; give the folders of the runs themselves")
        if is_benchmark_folder(folder):
            yield folder
        elif depth < MOST_DEPTH:
            waiting += [(below, depth + 1) for below in reversed(_folders_in(folder))]


def is_benchmark_folder(folder: Path) -> bool:
    """Whether it holds responses, verdicts or results of one benchmark."""
    try:
        marks = (FILE_NAME, verdicts.FILE_NAME, manifests.FILE_NAME)
        return any((folder / mark).is_file() for mark in marks) or bool(list_files(folder))
    except OSError:
        return False


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            names = [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if not name.startswith(".") and BACKUP not in name]


def read_entry(folder: Path) -> RunEntry:
    """One benchmark's folder, as much of it as can be read."""
    run = RunFolder(folder)
    row = note_object(folder / manifests.FILE_NAME, [])
    manifest = Manifest.from_json(row) if row is not None else None
    benchmark = (manifest and manifest.benchmark) or folder.name
    if not (folder / FILE_NAME).exists():
        return RunEntry(run, benchmark, None, manifest, "not graded")
    try:
        results = read_results(folder)
    except StorageError as error:
        reason = str(error).replace(f"{folder / FILE_NAME} ", "")
        return RunEntry(run, benchmark, None, manifest, f"results that cannot be read: {reason}")
    return RunEntry(run, results.benchmark, results, manifest)


def _rows(entries: Sequence[RunEntry]) -> list[RankedRun]:
    """One row a model and folder; a benchmark that is there twice, in a copy for example, gets a row of its own."""
    rows: dict[tuple[Path, str, int], list[RunEntry]] = {}
    for entry in entries:
        model, number = _model_of(entry), 0
        while any(
            other.benchmark == entry.benchmark for other in rows.get((entry.run.folder.parent, model, number), [])
        ):
            number += 1
        rows.setdefault((entry.run.folder.parent, model, number), []).append(entry)
    return [
        RankedRun(found[0].run.folder if number else folder, model, tuple(found))
        for (folder, model, number), found in rows.items()
    ]


def _model_of(entry: RunEntry) -> str:
    model = entry.results.model if entry.results else entry.manifest.model if entry.manifest else None
    return hub_name(model) if model else NO_MODEL


def with_parts(runs: Sequence[RankedRun]) -> list[RankedRun]:
    """The same runs with each part of a benchmark (livecodebench/v6) as an entry of its own.

    A run that was graded on such a part alone has it too: what counts are the problems.
    """
    known: dict[tuple[str, str], str] = {}
    for run in runs:
        for entry in run.entries:
            for part in entry.results.parts or () if entry.results else ():
                known.setdefault((entry.benchmark, part.subset.sha256), part.subset.name)
    return [replace(run, entries=tuple(_expand(run.entries, known))) for run in runs]


def _expand(entries: Sequence[RunEntry], known: Mapping[tuple[str, str], str]) -> Iterator[RunEntry]:
    for entry in entries:
        yield entry
        for results in (entry.results, *(entry.results.parts or ())) if entry.results else ():
            if name := known.get((entry.benchmark, results.subset.sha256)):
                yield replace(entry, benchmark=f"{entry.benchmark}/{name}", results=results)


def _with_labels(rows: Sequence[RankedRun]) -> list[RankedRun]:
    """Runs of one model are told apart by the shortest ends of their paths that differ."""
    models = Counter(row.model for row in rows)
    return [
        replace(row, label=_shortest_end(row.folder, [each.folder for each in rows if each.model == row.model]))
        if models[row.model] > 1
        else row
        for row in rows
    ]


def _shortest_end(folder: Path, all_folders: Sequence[Path]) -> str:
    """
    >>> _shortest_end(Path("/x/a/out"), [Path("/x/a/out"), Path("/x/b/out")])
    'a/out'
    """
    others = [each for each in all_folders if each != folder]
    for length in range(1, len(folder.parts)):
        end = folder.parts[-length:]
        if all(each.parts[-length:] != end for each in others):
            return "/".join(end)
    return str(folder)
