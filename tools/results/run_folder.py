"""A run on disk, one folder a benchmark: found in one way and read in one way, by graders, analyses, reports and the page.

    <out>/status.json                          only while a run is going
    <out>/<benchmark>/seed<N>.jsonl            generations
    <out>/<benchmark>/verdicts.jsonl           grades
    <out>/<benchmark>/accuracy_results.json    results; accuracy_results_<name>.json are of further gradings
    <out>/<benchmark>/manifest.json            absent for generations of other toolkits

Whoever needs all of it takes a RunFolder, which raises where a part is absent or damaged. Whoever shows what there is takes
its `survey()`, which never raises for content and says in sentences what is not as it should be.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "seed100.jsonl").write_text('{"task_id": "60", "output": "So 204.", "seed": 100}\\n')
>>> [run] = find_folders(folder)
>>> run.survey().notes[1]
'No verdicts.jsonl: the responses are not graded yet; run the evaluate script on this folder.'
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tools.errors import DataError, StorageError
from tools.records import Generation, Grade
from tools.results.build import FILE_NAME, parse_results, read_results
from tools.results.results import Key, Results
from tools.statistics.estimators import Counts, avg_at_k
from tools.store import manifest as manifests
from tools.store import verdicts
from tools.store.generations import list_files, read_file, read_folder, task_id_resolver
from tools.store.json_object import note_object
from tools.store.manifest import Manifest, read_manifest

RESULTS_PATTERN = "accuracy_results*.json"
MARKS = (verdicts.FILE_NAME, manifests.FILE_NAME, FILE_NAME)
SAME_SCORE = 1e-9  # verdicts and results of one grading agree to rounding


@dataclass(frozen=True)
class RunFolder:
    """One benchmark of one run. Everything is read when it is first asked for and raises StorageError at damage."""

    folder: Path

    @cached_property
    def results(self) -> Results:
        return read_results(self.folder)

    @property
    def benchmark(self) -> str:
        return self.results.benchmark

    @cached_property
    def grades(self) -> tuple[Grade, ...]:
        return tuple(verdicts.read_verdicts(self.folder))

    @cached_property
    def by_key(self) -> dict[Key, Grade]:
        return {grade.key: grade for grade in self.grades}

    @cached_property
    def manifest(self) -> Manifest | None:
        return read_manifest(self.folder)

    @property
    def task_ids(self) -> list[str]:
        return list(self.results.task_ids)

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
        """Scores and numbers of graded samples of these problems, in their order.

        Raises StorageError when one has none, and when verdicts and results are not of the same grading.
        """
        scores: dict[str, list[float]] = {task_id: [] for task_id in task_ids}
        seeds = set(self.results.seeds)
        for grade in self.by_key.values():
            if grade.task_id in scores and grade.seed in seeds:
                scores[grade.task_id].append(grade.score)
        empty = [task_id for task_id, row in scores.items() if not row]
        if empty:
            raise StorageError(
                f"{self.folder / verdicts.FILE_NAME} has no verdict for problem {empty[0]}"
                + (f" and {len(empty) - 1} more" if len(empty) > 1 else "")
                + "; grade the run again"
            )
        counts = Counts.from_scores(scores.values())
        if set(task_ids) == set(self.task_ids) and abs(avg_at_k(counts) - self.results.score.mean) > SAME_SCORE:
            raise StorageError(
                f"{self.folder}: {verdicts.FILE_NAME} gives {100 * avg_at_k(counts):.2f} % and {FILE_NAME} "
                f"{100 * self.results.score.mean:.2f} %, so they are of two gradings; grade the run again"
            )
        return counts

    def survey(self) -> Survey:
        """What there is now, with notes on what is absent, damaged or does not agree."""
        notes: list[str] = []
        manifest, results = note_manifest(self.folder, notes), note_results(self.folder, notes)
        log = verdicts.VerdictLog(self.folder / verdicts.FILE_NAME)
        log.refresh()
        survey = Survey(self.folder, results, tuple(log.grades.values()), manifest)
        return dataclasses.replace(survey, notes=(*notes, *log.notes, *survey.what_is_missing()))


@dataclass(frozen=True)
class Survey:
    """Everything of a folder but its responses. `results`: of all problems first, then of parts and further gradings."""

    folder: Path
    results: tuple[Results, ...]
    grades: tuple[Grade, ...]
    manifest: Manifest | None
    notes: tuple[str, ...] = ()

    @property
    def benchmark(self) -> str:
        return (self.manifest and self.manifest.benchmark) or self.folder.name

    @property
    def model(self) -> str:
        named = [self.manifest.model if self.manifest else None, *(results.model for results in self.results)]
        return next((model for model in named if model), "model not recorded")

    def plan(self) -> tuple[list[str], list[int]]:
        """(task ids, seeds) that the run was to have: the manifest's plan, else what the results were computed for."""
        if self.manifest and self.manifest.task_ids and self.manifest.seeds:
            return list(self.manifest.task_ids), list(self.manifest.seeds)
        if self.results:
            return list(self.results[0].task_ids), list(self.results[0].seeds)
        return [], []

    def axes(self, also: Iterable[Key] = ()) -> tuple[list[str], list[int]]:
        """Rows and columns of the map: the plan in its order, then what was graded (or stands in `also`) without it."""
        task_ids, seeds = self.plan()
        keys = [*(grade.key for grade in self.grades), *also]
        all_ids = dict.fromkeys([*task_ids, *(task_id for task_id, _ in keys)])
        return list(all_ids), sorted({*seeds, *(seed for _, seed in keys)})

    def what_is_missing(self) -> list[str]:
        """What a whole run has and this one does not, each with what to do."""
        notes = []
        if self.manifest is None:
            notes.append("No readable manifest.json: model, settings and versions of this run are not known.")
        if not self.grades:
            notes.append("No verdicts.jsonl: the responses are not graded yet; run the evaluate script on this folder.")
        if not self.results:
            notes.append(f"No readable {FILE_NAME}, so there is no score; run the evaluate script on this folder.")
        task_ids, seeds = self.plan()
        planned = {(task_id, seed) for task_id in task_ids for seed in seeds}
        if planned and self.grades:
            graded = {grade.key for grade in self.grades}
            if absent := len(planned - graded):
                notes.append(f"{absent} of {len(planned)} planned samples have no verdict.")
            if unplanned := len(graded - planned):
                notes.append(f"{unplanned} verdicts belong to samples that the plan does not contain.")
        return notes


def note_manifest(folder: Path, notes: list[str]) -> Manifest | None:
    """The manifest, or None with a note where it is damaged."""
    row = note_object(folder / manifests.FILE_NAME, notes)
    return None if row is None else Manifest.from_json(row)


def note_results(folder: Path, notes: list[str]) -> tuple[Results, ...]:
    """Every results file of a folder with its parts; what is damaged is left out with a note."""
    found: list[Results] = []
    for path in sorted(folder.glob(RESULTS_PATTERN)):
        row = note_object(path, notes)
        if row is None:
            continue
        try:
            results = parse_results(row, path)
        except StorageError as error:
            notes.append(f"{str(error).replace(str(path), path.name)}.")
            continue
        found += [results, *(results.parts or ())]
    return tuple(found)


def find_folders(out: str | os.PathLike[str]) -> list[RunFolder]:
    """The benchmarks of a run, graded or not; the folder of one may be given itself. Raises DataError."""
    root = Path(out)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the OUT of a run, or one of its data set folders")
    if _is_benchmark_folder(root):
        return [RunFolder(root)]
    try:
        found = sorted(folder for folder in root.iterdir() if folder.is_dir() and _is_benchmark_folder(folder))
    except OSError as error:
        raise DataError(f"{root}: cannot be read ({error.strerror}); check its permissions") from error
    if not found:
        raise DataError(f"{root}: no seed<N>.jsonl, verdicts.jsonl or manifest.json in it or its folders; is it a run?")
    return list(map(RunFolder, found))


def _is_benchmark_folder(folder: Path) -> bool:
    try:
        return any((folder / mark).is_file() for mark in MARKS) or any(folder.glob("*seed*.jsonl"))
    except OSError:
        return False


def find_graded(path: str | os.PathLike[str]) -> dict[str, RunFolder]:
    """Graded benchmarks at a path, by name: the folder itself, or each of its folders. Raises StorageError if none."""
    root = Path(path)
    if not root.is_dir():
        raise StorageError(f"{root} is not a folder; give the output folder of a run")
    folders = [root] if (root / FILE_NAME).exists() else sorted(child.parent for child in root.glob(f"*/{FILE_NAME}"))
    runs = list(map(RunFolder, folders))
    if not runs:
        raise StorageError(f"{root} holds no {FILE_NAME}, in itself or one level down; grade the run first")
    return {run.benchmark: run for run in runs}
