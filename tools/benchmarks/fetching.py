"""Fetching problems from the hub through `datasets`: for problems.py, on first use.

`datasets` knows configs, splits, revisions, caches, mirrors (HF_ENDPOINT), tokens (HF_TOKEN) and HF_HUB_OFFLINE, and runs
no code of a repository. The commit is looked up first and read from, so that what is recorded is what was read. Rows are
written to one JSONL file, checked, and put in place by a rename: a file in data/fetched/ is always a whole one.
`datasets` is imported here only, when something is fetched; `python -m tools benchmarks fetch math500` does it by hand.

>>> record_path(pathlib.Path("data/fetched/math500.jsonl")).name
'math500.source.json'
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
import os
import pathlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tools.benchmarks.benchmark import Benchmark, BenchmarkSource
from tools.benchmarks.downloads import read_url
from tools.errors import DataError, FetchError
from tools.records import JsonObject
from tools.store.files import write_atomically
from tools.store.hub_guard import guard_downloads
from tools.store.reading import parse_json, read_small

# Lines of JSONL are read as text and parsed here: a reader that guesses types turns "2024-08-01T00:00:00" into a date
# and joins rows of different fields.
READERS = {".jsonl": "text", ".json": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclasses.dataclass(frozen=True)
class FetchedFrom:
    """What a fetched file was made of; stands beside it as <name>.source.json. `revision` is the commit that was read,
    None when the hub's cache served it without a network and did not know it. `sha256` is of the file."""

    dataset: str
    config: str | None
    split: str
    files: tuple[str, ...]
    revision: str | None
    sha256: str

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


def record_path(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f"{path.stem}.source.json")


def read_record(path: pathlib.Path, sha256: str) -> FetchedFrom | None:
    """Where a file came from; None for a file that was put there or changed by hand."""
    try:
        row = parse_json(read_small(record_path(path), 1 << 20))
        record = FetchedFrom(**{**row, "files": tuple(row["files"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return record if record.sha256 == sha256 else None


def fetch(benchmark: Benchmark, target: pathlib.Path, check: Callable[[pathlib.Path], str]) -> pathlib.Path:
    """Fetches an entry's problems, checks them and writes `target` in one step. Raises FetchError.

    `check` reads a file as this benchmark's, raises DataError when it is not, and returns the file's sha256.
    """
    source = benchmark.source
    assert source is not None
    fields = (
        "question_id, question_content and the test fields" if benchmark.grader == "code" else "id, problem, answer"
    )
    remedy = f"or put a JSONL file with {fields} at {target} (or into $DATA_DIR)"
    try:
        if source.url:
            with _as_fetch_error(source), tempfile.TemporaryDirectory() as folder:
                rows = read_url(source.url, source.sha256, pathlib.Path(folder))
                return write_checked(benchmark, _renamed(rows, source), target, None, check)
        datasets = import_datasets()
        revision = find_commit(source)
        with _as_fetch_error(source):
            read, cached = read_rows(datasets, source, revision or source.revision)
            return write_checked(benchmark, _renamed(read, source), target, revision or cached, check)
    except FetchError as error:
        raise FetchError(f"{error}; {remedy}") from error


def import_datasets() -> Any:
    """The library, quiet: its retries and bars are its own affair; ours is one line at the end. Raises FetchError."""
    try:
        import datasets
        import huggingface_hub
    except ImportError as error:
        raise FetchError("datasets is not installed; run `pip install -r requirements-grade.txt`") from error
    datasets.logging.set_verbosity(logging.CRITICAL)
    datasets.disable_progress_bars()
    huggingface_hub.logging.set_verbosity_error()
    guard_downloads()
    return datasets


def find_commit(source: BenchmarkSource) -> str | None:
    """The commit that the revision stands for; None without a network. Raises FetchError."""
    import huggingface_hub

    if huggingface_hub.constants.HF_HUB_OFFLINE:
        return None
    with _as_fetch_error(source):
        commit = huggingface_hub.HfApi().dataset_info(source.dataset, revision=source.revision, timeout=30).sha
    return str(commit) if commit else None


def read_rows(datasets: Any, source: BenchmarkSource, revision: str | None) -> tuple[Iterable[JsonObject], str | None]:
    """The rows as the hub has them, in its order, and the commit of a dataset that the hub's cache served."""
    if source.configs:
        return _joined(datasets, source, revision), None
    if not source.files:
        data = datasets.load_dataset(
            source.dataset, source.config, split=source.split, revision=revision, streaming=source.is_streamed
        )
        return _selected(data, source), _cached_commit(data, source)
    kind = _reader_of(source.files)
    at = f"@{revision.replace('/', '%2F')}" if revision else ""
    data = datasets.load_dataset(
        kind,
        data_files=[f"hf://datasets/{source.dataset}{at}/{name}" for name in source.files],
        split="train",
        streaming=source.is_streamed,
        **({"sep": "\t"} if source.files[0].endswith(".tsv") else {}),
    )
    return (_parsed(data, source) if kind == "text" else _selected(data, source)), None


def _joined(datasets: Any, source: BenchmarkSource, revision: str | None) -> Iterator[JsonObject]:
    for name in source.configs:
        data = datasets.load_dataset(
            source.dataset, name, split=source.split, revision=revision, streaming=source.is_streamed
        )
        for row in _selected(data, source):
            yield {**row, "config": name}


def _cached_commit(data: Any, source: BenchmarkSource) -> str | None:
    """The cache keeps a dataset in a folder named after its commit. Raises FetchError when another one is pinned."""
    files = getattr(data, "cache_files", [])
    name = pathlib.Path(files[0]["filename"]).parent.name if files else ""
    commit = name if COMMIT.fullmatch(name) else None
    if commit and COMMIT.fullmatch(source.revision or "") and commit != source.revision:
        raise FetchError(
            f"{source.dataset}: the hub's cache has commit {commit} and the entry asks for {source.revision}"
        )
    return commit


def _reader_of(files: tuple[str, ...]) -> str:
    kinds = {READERS.get(pathlib.PurePosixPath(name).suffix) for name in files}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is None:
        raise FetchError(f"{', '.join(files)}: files have to be all of one kind of {', '.join(READERS)}")
    return kind


def _selected(data: Any, source: BenchmarkSource) -> Iterable[JsonObject]:
    selected: Iterable[JsonObject] = data.select_columns(list(source.columns)) if source.columns else data
    return selected


def _parsed(lines: Iterable[dict[str, str]], source: BenchmarkSource) -> Iterator[JsonObject]:
    for number, line in enumerate(lines, 1):
        if not line["text"].strip():
            continue
        row = parse_json(line["text"])
        if not isinstance(row, dict):
            raise FetchError(f"{source.dataset}: line {number} holds no object")
        yield {name: value for name, value in row.items() if not source.columns or name in source.columns}


def _renamed(rows: Iterable[JsonObject], source: BenchmarkSource) -> Iterator[JsonObject]:
    from tools.benchmarks.rows import rename_fields

    for row in rows:
        renamed = rename_fields(row, source.rename)
        if source.keeps(renamed):
            yield renamed


def write_checked(
    benchmark: Benchmark,
    rows: Iterable[JsonObject],
    target: pathlib.Path,
    revision: str | None,
    check: Callable[[pathlib.Path], str],
) -> pathlib.Path:
    """Writes rows beside `target`, checks the file, then renames it. A failure leaves nothing behind."""
    assert benchmark.source is not None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix=".fetch-", dir=target.parent))
    except OSError as error:
        raise FetchError(
            f"{target.parent}: not writable ({error.strerror}); set DATA_DIR to a folder with {target.name}"
        ) from error
    part = folder / target.name
    try:
        _write_rows(rows, part, benchmark)
        sha256 = check(part)
        source = benchmark.source
        record = FetchedFrom(source.place, source.config, source.split, source.files, revision, sha256)
        write_atomically(record_path(target), record.to_json())
        _put_in_place(part, target)
    except DataError as error:
        if isinstance(error, FetchError):
            raise
        raise FetchError(f"{benchmark.name}: what the hub sent is not the benchmark: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _write_rows(rows: Iterable[JsonObject], part: pathlib.Path, benchmark: Benchmark) -> None:
    from tqdm import tqdm

    bar = tqdm(rows, desc=f"fetching {benchmark.name}", unit="problem", total=benchmark.problems, disable=None)
    with part.open("w", encoding="utf-8") as file:
        for row in bar:
            line = json.dumps(row, ensure_ascii=False, default=_to_text) + "\n"
            try:
                file.write(line)
            except OSError as error:
                raise FetchError(f"{part.parent}: cannot be written ({error.strerror}); free space") from error


def _to_text(value: object) -> str:
    """Dates as ISO texts; anything else that JSON cannot hold is left out by naming the columns."""
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise FetchError(f"a field holds a {type(value).__name__}, which JSON cannot; name the others in source.columns")


def _put_in_place(part: pathlib.Path, target: pathlib.Path) -> None:
    try:
        os.replace(part, target)
    except OSError as error:
        raise FetchError(f"{target}: cannot be written ({error.strerror}); check permissions") from error


@contextlib.contextmanager
def _as_fetch_error(source: BenchmarkSource) -> Iterator[None]:
    """The client raises its own errors, those of its HTTP library, of pyarrow and of the system: one kind leaves here."""
    try:
        yield
    except (DataError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise FetchError(_explain(source, error)) from error


def _explain(source: BenchmarkSource, error: BaseException) -> str:
    """The first line of the client's error, with the remedies that its kind has."""
    chain, each = [], error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or each.__context__  # type: ignore[assignment]
    names = {type(one).__name__ for one in chain}
    if type(error).__name__ == "DatasetGenerationError" and len(chain) > 1:
        error = chain[1]
    text = str(error).strip().split("\n")[0][:200]
    where = f"{source.place} at {source.revision}" if source.revision else source.place
    if "GatedRepoError" in names or "gated" in text:
        return f"{where}: its authors ask for acceptance first; accept the terms on the hub and set HF_TOKEN"
    if "scripts are no longer supported" in text:
        return f"{where}: it is made by a script, which is never run; name its data files in source.files of the entry"
    return (
        f"{where}: could not be fetched ({type(error).__name__}: {text}); check the network, HF_ENDPOINT, HF_TOKEN and "
        "HF_HUB_OFFLINE"
    )
