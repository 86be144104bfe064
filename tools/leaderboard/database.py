"""A SQLite database of the runs, made from their files. The files stay the truth: it is written anew, whole or not at all.

    sqlite3 runs.db "select model, benchmark, score, total_error from runs join scores on run = runs.id"

| table | one row for each |
|---|---|
| runs | run: model, folder, revision, engine, commit |
| scores | benchmark of a run: score with errors and intervals, set, cap, k; `gap` says why the table has none |
| metrics | further metric of a benchmark of a run that can be claimed |
| seeds | seed of such a benchmark |
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tools.errors import StorageError
from tools.leaderboard.board import Board
from tools.leaderboard.collect import RankedRun, RunEntry
from tools.leaderboard.rows import Value, flat_rows
from tools.store.files import storage_error

MAGIC = b"SQLite format 3\x00"
RUN_COLUMNS = ("model", "label", "folder", "model_revision", "engine", "engine_version", "git_hash")
SCORE_COLUMNS = (
    "benchmark", "is_judged", "score", "sampling_error", "problem_error", "total_error", "interval_low", "interval_high",
    "sampling_low", "sampling_high", "k", "standing", "gap", "set_name", "set_sha256", "problems", "cap", "pass_at_k",
    "maj_at_k", "std_over_seeds", "truncated_share", "complete", "claimable", "grader", "grader_version", "judge",
    "temperature", "top_p",
)  # fmt: skip
SCHEMA = f"""
create table runs (id integer primary key, {", ".join(RUN_COLUMNS)});
create table scores (run integer not null references runs(id), {", ".join(SCORE_COLUMNS)});
create table metrics (run integer not null references runs(id), benchmark, name, mean, sampling_error, interval_low,
  interval_high, higher_is_better, scale);
create table seeds (run integer not null references runs(id), benchmark, seed integer, correct integer, total integer, score);
create unique index one_score on scores (run, benchmark, is_judged);
"""


def write_database(path: Path, board: Board) -> None:
    """Builds beside the file and renames. Raises StorageError, also where the file is something else than a database."""
    _refuse_another_kind(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        part.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(part)) as connection, connection:
            connection.executescript(SCHEMA)
            _fill(connection, board)
        os.replace(part, path)
    except sqlite3.Error as error:
        raise StorageError(
            f"{path}: the database cannot be written ({error}); check the disk and the folder"
        ) from error
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _refuse_another_kind(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(path, error) from error
    if head and head != MAGIC:
        raise StorageError(f"{path} is there and is no SQLite database; choose another name")


def _fill(connection: sqlite3.Connection, board: Board) -> None:
    rows = list(flat_rows(board))
    for number, run in enumerate(board.runs, 1):
        own = [row for row in rows if row["folder"] == str(run.folder) and row["model"] == run.model]
        facts = {name: next((row[name] for row in own if row.get(name) is not None), None) for name in RUN_COLUMNS}
        facts["label"] = run.label or None
        _insert(connection, "runs", {"id": number, **facts})
        for row in own:
            if row["metric"] == "score" and row.get("gap") != "not run":
                told = {**row, "score": row.get("value")}
                _insert(connection, "scores", {"run": number, **{name: told.get(name) for name in SCORE_COLUMNS}})
        for table, row in (*_metrics(run), *_seeds(run)):
            _insert(connection, table, {"run": number, **row})


def _metrics(run: RankedRun) -> Iterator[tuple[str, dict[str, Value]]]:
    """Of every benchmark that can be claimed, whether the table has a column for them or not."""
    for entry in run.entries:
        for name, metric in entry.results.metrics.items() if _is_claimable(entry) and entry.results else ():
            low, high = metric.bounds or (None, None)
            yield (
                "metrics",
                {
                    "benchmark": entry.benchmark,
                    "name": name,
                    "mean": metric.mean,
                    "sampling_error": metric.sampling_error,
                    "interval_low": low,
                    "interval_high": high,
                    "higher_is_better": int(metric.higher_is_better),
                    "scale": metric.scale,
                },
            )


def _seeds(run: RankedRun) -> Iterator[tuple[str, dict[str, Value]]]:
    for entry in run.entries:
        for seed in entry.results.by_seed if _is_claimable(entry) and entry.results else ():
            yield (
                "seeds",
                {
                    "benchmark": entry.benchmark,
                    "seed": seed.seed,
                    "correct": seed.correct,
                    "total": seed.total,
                    "score": seed.accuracy,
                },
            )


def _is_claimable(entry: RunEntry) -> bool:
    return entry.results is not None and entry.results.is_claimable


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Value]) -> None:
    """Names are ours, values are bound: nothing that a file says becomes SQL."""
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))
