"""The board as flat rows, one a run and column, with all figures: for CSV and the database.

>>> spreadsheet({"model": "=cmd()", "score": 0.5}).split("\\n")[1].split(",")[:2]
["'=cmd()", '']
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.leaderboard.board import Board, judge_of
from tools.leaderboard.cells import BoardColumn, BoardFigure, Gap
from tools.leaderboard.collect import RankedRun, RunEntry
from tools.report.exports import csv_cell
from tools.results.results import Results
from tools.store.files import write_atomically

Value = str | int | float | None
COLUMNS = (
    "model", "run", "folder", "benchmark", "metric", "is_judged", "value", "sampling_error", "total_error", "interval_low",
    "interval_high", "sampling_low", "sampling_high", "k", "seeds", "standing", "gap", "set_name", "set_sha256", "problems",
    "cap", "scale", "higher_is_better", "problem_error", "std_over_seeds", "pass_at_k", "maj_at_k", "truncated_share",
    "complete", "claimable", "grader", "grader_version", "judge", "temperature", "top_p", "engine", "engine_version",
    "model_revision", "git_hash",
)  # fmt: skip


def flat_rows(board: Board) -> Iterator[dict[str, Value]]:
    """Every cell, column after column. What a gap withholds from the table is not given here either."""
    for column in board.columns:
        for run in board.runs:
            entry = next((entry for entry in run.entries if entry.benchmark == column.benchmark), None)
            yield {**_place(run, column), **_made_with(entry), **_cell(board.cell(run, column), column)}


def _place(run: RankedRun, column: BoardColumn) -> dict[str, Value]:
    return {
        "model": run.model,
        "run": run.label or None,
        "folder": str(run.folder),
        "benchmark": column.benchmark,
        "metric": column.metric or "score",
        "is_judged": int(column.is_judged),
        "scale": column.scale,
        "higher_is_better": int(column.higher_is_better),
    }


def _cell(cell: BoardFigure | Gap, column: BoardColumn) -> dict[str, Value]:
    if isinstance(cell, Gap):
        return {"gap": cell.reason}
    low, high = cell.interval or (None, None)
    sampling_low, sampling_high = cell.sampling_interval or (None, None)
    return (_of_score(cell.results) if column.metric is None else {}) | {
        "value": cell.value,
        "sampling_error": cell.sampling_error,
        "total_error": cell.total_error,
        "interval_low": low,
        "interval_high": high,
        "sampling_low": sampling_low,
        "sampling_high": sampling_high,
        "standing": cell.standing.value or None,
    }


def _of_score(results: Results) -> dict[str, Value]:
    return {
        "problem_error": results.score.problem_error,
        "std_over_seeds": results.std_over_seeds,
        "pass_at_k": results.pass_at_k.last,
        "maj_at_k": results.maj_at_k.last,
    }


def _made_with(entry: RunEntry | None) -> dict[str, Value]:
    """Facts of the grading and of the run, also of one that is a gap."""
    if entry is None:
        return {}
    results, manifest = entry.results, entry.manifest
    told = {name: manifest.setting(name) if manifest else None for name in ("engine", "engine_version")}
    engine = told["engine"]
    if isinstance(engine, Mapping):  # version 0.1 wrote both in one
        told = {"engine": engine.get("name"), "engine_version": engine.get("version")}
    row: dict[str, Value] = {name: None if value is None else str(value) for name, value in told.items()}
    for name in ("model_revision", "git_hash"):
        row[name] = str(value) if manifest and (value := manifest.setting(name)) else None
    return row if results is None else row | _of_results(results)


def _of_results(results: Results) -> dict[str, Value]:
    subset, grader = results.subset, results.grader
    return {
        "k": results.samples_per_problem,
        "seeds": " ".join(map(str, results.seeds)),
        "set_name": subset.name,
        "set_sha256": subset.sha256,
        "problems": subset.count,
        "cap": results.cap,
        "truncated_share": results.reasoning.truncated_share,
        "complete": int(results.is_complete),
        "claimable": int(results.is_claimable),
        "grader": _text(grader.get("name")),
        "grader_version": _text(grader.get("version")),
        "judge": judge_of(results) or None,
        "temperature": _number(results.settings.get("temperature")),
        "top_p": _number(results.settings.get("top_p")),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def spreadsheet(*rows: Mapping[str, Value]) -> str:
    """CSV with all digits; fractions as fractions, what is not known empty."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


def write_csv(path: Path, board: Board) -> None:
    write_atomically(path, spreadsheet(*flat_rows(board)))
