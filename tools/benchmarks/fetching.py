"""Fetching problem sets from the hub as plain files: for problems.py, on first use.

No loading script and no remote code is run (LiveCodeBench's script no longer runs with datasets >= 4): JSONL and
Parquet files are downloaded by huggingface_hub, turned into one JSONL file, checked, and put in place by a rename, so
that a file in data/ is always a whole one. HF_ENDPOINT, HF_TOKEN and HF_HOME work as everywhere.

>>> fetch_file("HuggingFaceH4/MATH-500", "test.jsonl", revision=None)   # doctest: +SKIP
PosixPath('.../snapshots/.../test.jsonl')
"""

from __future__ import annotations

import fnmatch
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tools.errors import DataError, FetchError

if TYPE_CHECKING:
    from tools.benchmarks.benchmark import Benchmark


def fetch_file(repo: str, filename: str, *, revision: str | None = None, repo_type: str = "dataset") -> pathlib.Path:
    """One file of a hub repository, from the hub's cache when it is there. Raises FetchError."""
    hub = _import_hub()
    try:
        return pathlib.Path(hub.hf_hub_download(repo, filename, repo_type=repo_type, revision=revision))
    except Exception as error:  # the hub client raises its own, httpx's, requests' and OS errors
        raise FetchError(_explain(repo, filename, error)) from error


def list_files(repo: str, *, revision: str | None = None, repo_type: str = "dataset") -> list[str]:
    """Names of a repository's files. Raises FetchError."""
    hub = _import_hub()
    try:
        return sorted(hub.HfApi().list_repo_files(repo, repo_type=repo_type, revision=revision))
    except Exception as error:  # as above
        raise FetchError(_explain(repo, "its list of files", error)) from error


def fetch_set(benchmark: Benchmark, target: pathlib.Path) -> pathlib.Path:
    """Fetches a catalogue entry's files, checks them and writes `target` in one step. Raises FetchError, DataError."""
    assert benchmark.source is not None
    try:
        files = _choose_files(benchmark)
        rows = _read_all(
            [fetch_file(benchmark.source["repo"], name, revision=benchmark.source.get("revision")) for name in files],
            benchmark,
        )
    except FetchError as error:
        needs = (
            "question_id, question_content and the test fields"
            if benchmark.grader == "code"
            else "id, problem and answer"
        )
        raise FetchError(f"{error}; or put a JSONL file with {needs} at {target} (or into $DATA_DIR)") from error
    return write_checked(benchmark, rows, target)


def write_checked(benchmark: Benchmark, rows: Iterator[dict[str, Any]], target: pathlib.Path) -> pathlib.Path:
    """Writes rows beside `target`, checks the file as a set, then renames it. A failure leaves nothing behind."""
    from tools.benchmarks.problems import load_benchmark

    try:
        folder = pathlib.Path(tempfile.mkdtemp(prefix=".fetch-", dir=target.parent))
    except OSError as error:
        raise FetchError(
            f"{target.parent}: not writable ({error.strerror}); set DATA_DIR to a folder with {target.name}"
        ) from error
    try:
        part = folder / target.name
        with part.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        load_benchmark(part)
        os.replace(part, target)
    except DataError as error:
        raise FetchError(f"{benchmark.name}: what the hub sent is not the set: {error}") from error
    except OSError as error:
        raise FetchError(f"{target}: cannot be written ({error.strerror}); free space or check permissions") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _choose_files(benchmark: Benchmark) -> list[str]:
    """All files of a set that comes in parts, else those of the first pattern that the repository has."""
    assert benchmark.source is not None
    patterns: list[str] = benchmark.source["files"]
    if benchmark.source.get("concatenate"):
        return patterns
    present = list_files(benchmark.source["repo"], revision=benchmark.source.get("revision"))
    for pattern in patterns:
        found = fnmatch.filter(present, pattern)
        if found:
            return found
    raise FetchError(
        f"{benchmark.source['repo']} has no file like {' or '.join(patterns)} (it has {', '.join(present[:8]) or 'none'})"
    )


def _read_all(paths: list[pathlib.Path], benchmark: Benchmark) -> Iterator[dict[str, Any]]:
    from tools.benchmarks.rows import parse_row, read_lines

    rename: dict[str, str] = (benchmark.source or {}).get("rename", {})
    for path in paths:
        rows = (
            _read_parquet(path)
            if path.suffix == ".parquet"
            else (parse_row(line.text, f"{path}, line {line.number}") for line in read_lines(path))
        )
        for row in rows:
            yield {rename.get(name, name): value for name, value in row.items()}


def _read_parquet(path: pathlib.Path) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise FetchError(
            f"{path.name} is a Parquet file and pyarrow is not installed; run `pip install pyarrow`"
        ) from error
    for batch in parquet.ParquetFile(path).iter_batches():
        yield from batch.to_pylist()


def _import_hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise FetchError("huggingface_hub is not installed; run `pip install huggingface_hub`") from error
    huggingface_hub.logging.set_verbosity_error()  # its retries are its own affair; ours is one line at the end
    return huggingface_hub


def _explain(repo: str, what: str, error: Exception) -> str:
    """The first line of the client's error, with the remedies that its kind has."""
    name, text = type(error).__name__, str(error).strip().split("\n")[0][:200]
    if name == "GatedRepoError":
        return f"{repo}: its authors ask for acceptance first; accept the terms on the hub and set HF_TOKEN"
    return f"{repo}: {what} could not be fetched ({name}: {text}); check the network, HF_ENDPOINT and HF_HUB_OFFLINE"
