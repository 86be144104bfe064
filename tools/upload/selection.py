"""What of a run goes up: responses, verdicts, results and manifest of each benchmark, and the report. Nothing else.

Of a benchmark that its authors give out on conditions only (GPQA, HLE) the texts stay here: responses and prompts quote
its questions, and verdicts its answers. Its figures go up, and its verdicts without any text.

>>> is_gated("gpqa_diamond"), is_gated("lm__gpqa_main_n_shot"), is_gated("aime24")
(True, True, False)
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.benchmark import Benchmark, find_entry, list_benchmarks
from tools.errors import DataError, IncompleteRun, StorageError
from tools.records import JsonRow
from tools.report.page import build_report
from tools.results.build import FILE_NAME
from tools.results.results import Results
from tools.results.run_folder import RESULTS_PATTERN, RunFolder, find_folders
from tools.store import manifest as manifests
from tools.store import verdicts
from tools.store.generations import list_files
from tools.store.json_object import read_object
from tools.store.manifest import Manifest
from tools.upload.redaction import holds_secret, redact

JUDGMENTS = "judgments.jsonl"
REPORT = "report.html"
# Of a gated benchmark: what of a verdict and of a manifest is no text of it.
VERDICT_FIGURES = (
    "task_id",
    "seed",
    "verdict",
    "score",
    "share",
    "metrics",
    "output_tokens",
    "is_cut_off",
    "closes_reasoning",
)
MANIFEST_FACTS = (
    "schema_version", "model", "model_revision", "model_type", "dataset", "data", "engine", "versions", "git_hash",
    "hardware_info", "toolkit_version", "transformers_version", "model_num_parameters", "start_time", "end_time",
    "total_evaluation_time_seconds", "reasoning_format", "is_reasoning_opened_by_prompt", "max_model_len", "answer_cap",
    "dropped", "plan",
)  # fmt: skip
GATED = re.compile(r"(?<!not )\bgated\b", re.IGNORECASE)  # entries without a source say it in their licence
LONGEST_SETTING = 200  # characters; a longer one may be a prompt with examples


@dataclass(frozen=True)
class UploadFile:
    """One file of the repository: a file of the run as it is, or a text made here."""

    name: str
    content: Path | str

    @property
    def size(self) -> int:
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content.encode())


@dataclass(frozen=True)
class UploadedBenchmark:
    """One benchmark of the run. `manifest` is the cleaned one; `left_out` says in words what of it stays here."""

    run: RunFolder
    results: Results
    files: tuple[UploadFile, ...]
    manifest: Manifest | None = None
    is_gated: bool = False
    left_out: str = ""


def is_gated(*names: str) -> bool:
    """Whether a benchmark of such a name is given out on conditions: the entry's, or one that has its name in it."""
    if any(_is_gated_entry(entry) for name in names if (entry := find_entry(name))):
        return True
    words = {word for name in names for word in re.split(r"[^a-z0-9]+", name.lower())}
    return not words.isdisjoint(_gated_words())


def _is_gated_entry(entry: Benchmark) -> bool:
    return bool(entry.source and entry.source.is_gated) or GATED.search(entry.licence) is not None


def _gated_words() -> set[str]:
    """Names of gated benchmarks that stand as one word in those of their relatives."""
    known = {"gpqa", "hle"}
    for entry in filter(_is_gated_entry, list_benchmarks().values()):
        known |= {name.lower() for name in (entry.name, *entry.aliases) if re.fullmatch(r"[A-Za-z0-9]{3,}", name)}
    return known


def select(out: Path, secrets: Sequence[str], *, allow_incomplete: bool = False) -> list[UploadedBenchmark]:
    """The benchmarks of a run with their files. Raises IncompleteRun, DataError and StorageError."""
    return [_select_benchmark(run, secrets, allow_incomplete) for run in find_folders(out)]


def _select_benchmark(run: RunFolder, secrets: Sequence[str], allow_incomplete: bool) -> UploadedBenchmark:
    folder = run.folder
    if not (folder / FILE_NAME).exists():
        raise IncompleteRun(f"{folder} is not graded, so there is nothing to tell of it; grade the run first")
    results = run.results
    _check_whole(run, allow_incomplete)
    raw = read_object(folder / manifests.FILE_NAME)
    raw = None if raw is None else redact(raw, secrets, os.path.expanduser("~"))
    manifest = None if raw is None else Manifest.from_json(raw)
    told = (raw or {}).get("dataset")
    gated = is_gated(results.benchmark, folder.name, *([told] if isinstance(told, str) else []))
    if gated:
        left_out = "its authors give it out on conditions: responses, prompts and answers stay with whoever ran it"
        return UploadedBenchmark(run, results, tuple(_gated_files(run, raw, secrets)), manifest, True, left_out)
    return UploadedBenchmark(run, results, tuple(_open_files(folder, raw, secrets)), manifest)


def _check_whole(run: RunFolder, allow_incomplete: bool) -> None:
    results = run.results
    if results.is_complete:
        run.counts(run.task_ids)  # verdicts and results are of one grading
    elif not allow_incomplete:
        raise IncompleteRun(
            f"{run.folder}: {results.missing_count} samples are missing; complete the run, or give --allow-incomplete"
        )
    absent = sorted(set(results.seeds) - {seed for seed, _ in list_files(run.folder)})
    if absent and not allow_incomplete:
        raise IncompleteRun(
            f"{run.folder} has no responses of seed {absent[0]}"
            + (f" and {len(absent) - 1} more" if len(absent) > 1 else "")
            + "; bring the files back, or give --allow-incomplete"
        )


def _open_files(folder: Path, manifest: JsonRow | None, secrets: Sequence[str]) -> Iterable[UploadFile]:
    """Texts as they are, records without secrets."""
    texts = [path for _, path in list_files(folder)]
    texts += [path for name in (verdicts.FILE_NAME, JUDGMENTS) if (path := folder / name).exists()]
    for path in texts:
        yield UploadFile(f"{folder.name}/{path.name}", _checked(path, secrets))
    for path in sorted(folder.glob(RESULTS_PATTERN)):
        yield _results_file(folder, path.name, read_object(path) or {}, secrets)
    if manifest is not None:
        yield _record(folder, manifests.FILE_NAME, manifest, secrets)


def _gated_files(run: RunFolder, manifest: JsonRow | None, secrets: Sequence[str]) -> Iterable[UploadFile]:
    """Figures alone."""
    folder, results = run.folder, run.results
    parts = None if results.parts is None else tuple(_without_sections(part) for part in results.parts)
    figures = dataclasses.replace(_without_sections(results), parts=parts)
    yield _results_file(folder, FILE_NAME, figures.to_json(), secrets)
    lines = []
    for grade in run.grades:
        row = json.loads(grade.to_json())
        lines.append(json.dumps({name: row[name] for name in VERDICT_FIGURES if name in row}) + "\n")
    yield UploadFile(f"{folder.name}/{verdicts.FILE_NAME}", "".join(lines))
    if manifest is not None:
        kept = {name: manifest[name] for name in MANIFEST_FACTS if name in manifest}
        settings = manifest.get("settings")
        kept["settings"] = {
            name: value
            for name, value in (settings.items() if isinstance(settings, dict) else ())
            if len(json.dumps(value)) <= LONGEST_SETTING
        }
        yield _record(folder, manifests.FILE_NAME, kept, secrets)


def _without_sections(results: Results) -> Results:
    return dataclasses.replace(results, sections={})


def _results_file(folder: Path, name: str, row: JsonRow, secrets: Sequence[str]) -> UploadFile:
    """Its names are problems and labels but for settings and grader."""
    home = os.path.expanduser("~")
    cleaned = {key: redact(value, secrets, home, by_name=key in ("settings", "grader")) for key, value in row.items()}
    return UploadFile(f"{folder.name}/{name}", json.dumps(cleaned, ensure_ascii=False, indent=1) + "\n")


def _record(folder: Path, name: str, row: JsonRow, secrets: Sequence[str]) -> UploadFile:
    cleaned = redact(row, secrets, os.path.expanduser("~"))
    return UploadFile(f"{folder.name}/{name}", json.dumps(cleaned, ensure_ascii=False, indent=1) + "\n")


def _checked(path: Path, secrets: Sequence[str]) -> Path:
    """A text that may go up as it is: a regular file, no link to elsewhere, without a secret of this environment."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise DataError(f"{path}: a link or no file, so it is not uploaded; put a copy of the file there")
        if holds_secret(path, secrets):
            raise DataError(
                f"{path} holds a key or token of this environment; nothing is uploaded: revoke it, it is on disk"
            )
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    return path


def make_report(benchmarks: Sequence[UploadedBenchmark], secrets: Sequence[str]) -> UploadFile | None:
    """The report of the files that go up. It quotes responses, so gated benchmarks are not in it."""
    shown = [each for each in benchmarks if not each.is_gated]
    if not shown:
        return None
    with tempfile.TemporaryDirectory(prefix="upload-") as place:
        folders = [_lay_out(Path(place) / each.run.folder.name, each.files) for each in shown]
        page = build_report(list(map(RunFolder, folders)))
    return UploadFile(REPORT, redact(page, secrets, os.path.expanduser("~")))


def _lay_out(folder: Path, files: Sequence[UploadFile]) -> Path:
    """A folder as it goes up: cleaned records, and links to the texts."""
    folder.mkdir()
    for file in files:
        path = folder / file.name.rpartition("/")[2]
        if isinstance(file.content, Path):
            path.symlink_to(file.content.resolve())
        else:
            path.write_text(file.content, encoding="utf-8", errors="replace")
    return folder
