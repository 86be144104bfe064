"""A run's data sets as the page sees them: small facts kept in memory and brought up to date, texts read when asked for.

>>> import tempfile
>>> out = Path(tempfile.mkdtemp())
>>> (out / "aime24").mkdir()
>>> _ = (out / "aime24" / "seed100.jsonl").write_text('{"task_id": "60", "output": "So 204.", "seed": 100}\\n')
>>> [run] = open_runs([out]); benchmark = run.datasets["aime24"]
>>> benchmark.refresh(); benchmark.axes(), benchmark.notes_now()[0]
((['60'], [100]), 'No readable manifest.json: model, settings and versions of this run are not known.')
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from tools.benchmarks import problems
from tools.benchmarks.benchmark import DATA, find_benchmark
from tools.errors import DataError
from tools.grading.code.problem_tests import read_tests
from tools.records import Grade
from tools.report.figures import LETTERS
from tools.results.results import Results
from tools.results.run_folder import RESULTS_PATTERN, Survey, find_folders, note_manifest, note_results
from tools.store.files import sha256_of_file
from tools.store.json_object import note_object
from tools.store.line_index import LineIndex
from tools.store.manifest import Manifest
from tools.store.verdicts import VerdictLog
from tools.view.problem_index import ProblemIndex
from tools.view.provisional import ProvisionalGrader

# States of a sample in the map before it has a verdict; verdicts have the letters of figures.LETTERS.
MISSING, UNGRADED = ".", "u"
# Two looks at the files within this time give the same answer, however many windows are open.
REFRESH_S = 0.5
INDEX_SLICE_S = 0.2
STATUS_STALE_S = 30.0
# Of a test's input and expected output; some are megabytes of numbers.
TEST_CHARS = 20_000
LARGEST_PROBLEM_FILE = 1 << 34  # bytes; LiveCodeBench with all its tests has 4.5 GB


class OpenRun:
    """One OUT folder. `name` is unique among the runs opened together and stands in the page's addresses."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.datasets: dict[str, OpenDataset] = {}
        self.find_datasets()

    def find_datasets(self) -> None:
        """Takes up data sets that appeared since; a run that has just begun has none yet."""
        try:
            found = [run.folder for run in find_folders(self.folder)]
        except DataError:
            return
        for folder in found:
            if folder.name not in self.datasets:
                self.datasets[folder.name] = OpenDataset(self, folder)

    def status(self) -> dict[str, object] | None:
        """status.json of a run that is going, with `age_s`; None where there is none."""
        is_one_dataset = any(dataset.folder == self.folder for dataset in self.datasets.values())
        path = (self.folder.parent if is_one_dataset else self.folder) / "status.json"
        status = note_object(path, [])
        if status is None:
            return None
        try:
            status["age_s"] = max(0.0, time.time() - path.stat().st_mtime)
        except OSError:
            return None
        status["is_live"] = status.get("state") == "running" and status["age_s"] < STATUS_STALE_S
        return status


class OpenDataset:
    """One data set's folder, followed while it grows. `version` rises with every change seen, also over restarts."""

    def __init__(self, run: OpenRun, folder: Path) -> None:
        self.run, self.folder, self.version = run, folder, int(time.time() * 1000)
        self.index = LineIndex(folder)
        self.log = VerdictLog(folder / "verdicts.jsonl")
        self.manifest: Manifest | None = None
        self.results: tuple[Results, ...] = ()
        self.notes: list[str] = []
        self._problems: ProblemIndex | None = None
        self._provisional: ProvisionalGrader | None = None
        self._looked_at = 0
        self._stamps: tuple[float, ...] = ()
        self._refreshed_at = 0.0
        self._axes: tuple[int, tuple[list[str], list[int]]] | None = None
        self._lock = threading.RLock()

    def refresh(self) -> None:
        """Looks at the files again, at most twice a second, and for a slice of time: a large folder fills in."""
        with self._lock:
            if time.monotonic() - self._refreshed_at < REFRESH_S and self._refreshed_at:
                return
            changes = [self.index.refresh(INDEX_SLICE_S), self.log.refresh(), self._refresh_descriptions()]
            self.version += any(changes)
            looked_at = self._look_ahead()
            self.version += looked_at != self._looked_at
            self._looked_at = looked_at
            self._refreshed_at = time.monotonic()

    def _look_ahead(self) -> int:
        """While there are no verdicts, has responses graded for the running score; returns how many have been."""
        if self.log.grades:
            self._provisional = None
            return 0
        if self._provisional is None:
            self._provisional = ProvisionalGrader(self.index, self.folder.name, self._problem_file())
        task_ids, _ = self.axes()
        return self._provisional.catch_up(self.names_in_files(task_ids), self.is_reasoning_opened)

    @property
    def grades(self) -> dict[tuple[str, int], Grade]:
        """The verdicts of the file; while there are none, the page's own."""
        provisional = self._provisional
        # A copy: another request or the thread may add to it.
        return dict(self.log.grades if self.log.grades or provisional is None else provisional.grades)

    @property
    def signs(self) -> dict[str, int] | None:
        """What the look through ungraded responses has found; None once there are verdicts."""
        return None if self._provisional is None else self._provisional.signs

    @property
    def reasoning_format(self) -> str | None:
        return self.manifest.reasoning_format if self.manifest else None

    @property
    def is_reasoning_opened(self) -> bool | None:
        return self.manifest.is_reasoning_opened if self.manifest else None

    def _refresh_descriptions(self) -> bool:
        paths = [self.folder / "manifest.json", *sorted(self.folder.glob(RESULTS_PATTERN))]
        stamps = tuple(path.stat().st_mtime for path in paths if path.exists())
        if stamps == self._stamps:
            return False
        self._stamps, self.notes = stamps, []
        self.manifest = note_manifest(self.folder, self.notes)
        self.results = note_results(self.folder, self.notes)
        self._problems = None
        return True

    @property
    def graded(self) -> Survey:
        """What the folder's own files say."""
        return Survey(self.folder, self.results, tuple(self.log.grades.values()), self.manifest)

    @property
    def survey(self) -> Survey:
        """The same with the page's own verdicts where there are no others."""
        return Survey(self.folder, self.results, tuple(self.grades.values()), self.manifest)

    def axes(self) -> tuple[list[str], list[int]]:
        """(task ids, seeds) of the map; before anything is graded, of what was generated."""
        with self._lock:
            if self._axes is None or self._axes[0] != self.version:
                also = () if self.log.grades else list(self.index.lines)
                self._axes = self.version, self.graded.axes(also)
            return self._axes[1]

    def map(self, task_ids: list[str], seeds: list[int]) -> str:
        """One letter per sample, seed after seed within problem after problem."""
        letters = {key: LETTERS[grade.verdict] for key, grade in self.grades.items()}
        lines = self.index.lines
        names = self.names_in_files(task_ids)
        return "".join(
            letters.get((task_id, seed)) or (UNGRADED if (names[task_id], seed) in lines else MISSING)
            for task_id in task_ids
            for seed in seeds
        )

    def names_in_files(self, task_ids: list[str]) -> dict[str, str]:
        """The id under which a problem's lines stand: the original's AIME files number the rows of the data file."""
        used = {task_id for task_id, _ in list(self.index.lines)}
        rows = {str(number) for number in range(len(task_ids))}
        if used <= set(task_ids) or not used <= rows:
            return {task_id: task_id for task_id in task_ids}
        return {task_id: str(number) for number, task_id in enumerate(task_ids)}

    def notes_now(self) -> list[str]:
        """What is damaged; and what is missing, unless the run is still making it."""
        damaged = [
            f"{name}: {count} damaged lines left out; these samples are missing."
            for name, count in sorted(self.index.damaged.items())
        ]
        if (self.run.status() or {}).get("is_live"):
            return [*self.notes, *damaged]
        torn = [f"{name}: the last line is unfinished; that sample is missing." for name in sorted(self.index.torn)]
        return [*self.notes, *self.log.notes, *damaged, *torn, *self.graded.what_is_missing()]

    def line_of(self, task_id: str, seed: int) -> dict[str, object] | None:
        task_ids, _ = self.axes()
        row = self.index.read(self.names_in_files(task_ids).get(task_id, task_id), seed)
        if row is None and self.index.refresh():  # the index was not through yet
            row = self.index.read(self.names_in_files(task_ids).get(task_id, task_id), seed)
        return row

    def test(self, task_id: str, number: int) -> dict[str, object]:
        """Test `number` (1, 2, ...) of a code problem, long texts cut. Raises DataError where it cannot be shown."""
        row = self.problems().read_whole(task_id)
        if row is None:
            raise DataError(f"the problem file is not here, so test {number} cannot be shown")
        tests = read_tests(row)
        if not 1 <= number <= len(tests.cases):
            raise DataError(f"the problem file holds {len(tests.cases)} tests for this problem and no test {number}")
        case = tests.cases[number - 1]
        texts = {"input": case.input[:TEST_CHARS], "expected": case.expected[:TEST_CHARS]}
        return {**texts, "function": tests.function, "is_cut": max(len(case.input), len(case.expected)) > TEST_CHARS}

    def problems(self) -> ProblemIndex:
        """The statements: the file that the manifest names, else the one that the data set's name finds."""
        with self._lock:
            if self._problems is None:
                self._problems = ProblemIndex(self._problem_file(), find_benchmark(self.folder.name))
            return self._problems

    def _problem_file(self) -> Path:
        path = self.manifest.data_path if self.manifest else None
        if path and Path(path).suffix == ".jsonl" and self._may_be_read(Path(path)):
            return Path(path)
        return problems.find_local_file(self.folder.name) or self.folder / "no-problem-file"

    def _may_be_read(self, path: Path) -> bool:
        """Whether a file lies where problems do (DATA_DIR, BENCHMARKS_DIR, data/, the run's folder), or has the manifest's checksum.

        A manifest comes with a run, perhaps from a stranger; the page must not show any file that it names. The checksum
        of a file is known to those alone who know its content.
        """
        named = [os.environ.get(name) for name in ("DATA_DIR", "BENCHMARKS_DIR")]
        places = [Path(name) for name in named if name] + [DATA, self.run.folder]
        try:
            real = path.resolve(strict=True)
            if not real.is_file() or real.stat().st_size > LARGEST_PROBLEM_FILE:
                return False
            is_in_place = any(real.is_relative_to(place.resolve()) for place in places)
            return is_in_place or (self.manifest is not None and sha256_of_file(real) == self.manifest.data_sha256)
        except (OSError, ValueError, RuntimeError):  # a loop of links, a zero byte in the name
            return False


def open_runs(outs: list[Path]) -> list[OpenRun]:
    """Opens folders under distinct names. Raises DataError for one that does not exist."""
    runs: list[OpenRun] = []
    for out in outs:
        if not out.is_dir():
            raise DataError(f"{out}: no such folder; give the OUT of a run, or one of its data set folders")
        name, number = out.resolve().name or "run", 2
        while name in {run.name for run in runs}:
            name, number = f"{out.resolve().name}-{number}", number + 1
        runs.append(OpenRun(name, out.resolve()))
    return runs
