"""The table itself: what may stand in one column, what is a gap and why, and who is best.

A column is one benchmark's score, or one further metric of it. All figures of a column are of the same problems (the hash
of their ids), under the same cap on output tokens, by the same grader. What most runs have is the column's; a run that
has something else is a gap with the reason. Judged scores have columns of their own, in a part of their own.

>>> from pathlib import Path
>>> from tools.results.run_folder import RunFolder
>>> run = RankedRun(Path("out"), "m", (RunEntry(RunFolder(Path("out/aime24")), "aime24", None, None, "not graded"),))
>>> build_board([run]).cell(run, build_board([run]).columns[0])
Gap(reason='not graded')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tools.errors import UsageError
from tools.leaderboard.cells import NOT_RUN, BoardColumn, BoardFigure, Gap, Scope
from tools.leaderboard.collect import RankedRun, RunEntry
from tools.leaderboard.standing import find_standings, metric_error
from tools.results.results import Results
from tools.results.run_folder import RunFolder

Cells = Mapping[tuple[int, int], BoardFigure | Gap]


@dataclass(frozen=True)
class Board:
    """Rows, columns and cells; `notes` are sentences that belong below the table."""

    runs: tuple[RankedRun, ...]
    columns: tuple[BoardColumn, ...]
    cells: Cells
    notes: tuple[str, ...] = ()

    def cell(self, run: RankedRun, column: BoardColumn) -> BoardFigure | Gap:
        return self.cells[self.runs.index(run), self.columns.index(column)]

    def parts(self) -> list[tuple[str, list[BoardColumn]]]:
        """Titles and columns of the tables: exact scores, then those that a judge gave."""
        exact = [column for column in self.columns if not column.is_judged]
        judged = [column for column in self.columns if column.is_judged]
        return [(title, part) for title, part in (("Exact scores", exact), ("Judged scores", judged)) if part]

    def runs_in(self, columns: Sequence[BoardColumn]) -> list[RankedRun]:
        """The rows of a part: those that have something to say in it, be it a gap."""
        nothing = Gap(NOT_RUN)
        return [run for run in self.runs if any(self.cell(run, column) != nothing for column in columns)]

    def gaps(self) -> list[tuple[RankedRun, BoardColumn, str]]:
        """Every gap but of what was not run at all."""
        return [
            (run, column, cell.reason)
            for column in self.columns
            for run in self.runs
            if isinstance(cell := self.cell(run, column), Gap) and cell.reason != NOT_RUN
        ]


def build_board(runs: Sequence[RankedRun], metrics: Sequence[str] = ()) -> Board:
    """The board of these runs, with a further column for each of `metrics` that a benchmark has. Raises UsageError."""
    columns: list[BoardColumn] = []
    cells: dict[tuple[int, int], BoardFigure | Gap] = {}
    notes: dict[str, list[str]] = {}
    for wanted in _wanted_columns(runs, metrics):
        column, found = _fill(wanted, runs)
        places = [place for place, cell in enumerate(found) if isinstance(cell, BoardFigure)]
        figures = [cell for cell in found if isinstance(cell, BoardFigure)]
        standings, remarks = find_standings(figures, column)
        for place, figure, standing in zip(places, figures, standings, strict=True):
            found[place] = replace(figure, standing=standing)
        cells |= {(row, len(columns)): cell for row, cell in enumerate(found)}
        columns.append(column)
        for remark in [*remarks, *_remarks(column, figures)]:
            notes.setdefault(remark, []).append(column.name)
    told = tuple(f"{', '.join(names)}: {remark}" for remark, names in notes.items())
    return Board(tuple(runs), tuple(columns), cells, told)


def judge_of(results: Results) -> str:
    """The judge and its template where a judge gave the score, else nothing."""
    grader = results.grader
    told = grader.get("judge") or results.sections.get("judge") or (grader.get("name") == "judge" and "a judge")
    if isinstance(told, Mapping):
        told = told.get("model") or told.get("name") or "a judge"
    template = [str(value) for name in ("template", "template_sha256") if (value := grader.get(name))]
    return f"{told}{' by ' if template else ''}{' '.join(template)}" if told else ""


def _wanted_columns(runs: Sequence[RankedRun], metrics: Sequence[str]) -> list[BoardColumn]:
    """Benchmarks in the order of their first appearance, each followed by its metrics."""
    wanted: dict[tuple[str, bool], dict[str, None]] = {}
    for run in runs:
        for entry in run.entries:
            is_judged = bool(entry.results and judge_of(entry.results))
            known = wanted.setdefault((entry.benchmark, is_judged), {})
            known |= dict.fromkeys(entry.results.metrics) if entry.results else {}
    for (benchmark, is_judged), known in list(wanted.items()):  # an ungraded run opens no column beside a judged one
        if not is_judged and (benchmark, True) in wanted and not known and not _has_results(runs, benchmark):
            del wanted[benchmark, is_judged]
    there = list(dict.fromkeys(name for known in wanted.values() for name in known))
    if absent := [name for name in metrics if name not in there]:
        has = f"they have {', '.join(there)}" if there else "they have the score only"
        raise UsageError(f"--metric {absent[0]}: none of these runs has it; {has}")
    return [
        BoardColumn(benchmark, metric, is_judged)
        for (benchmark, is_judged), known in wanted.items()
        for metric in (None, *(name for name in metrics if name in known))
    ]


def _has_results(runs: Sequence[RankedRun], benchmark: str) -> bool:
    """Whether any run has a score of it that no judge gave."""
    listed = [entry for run in runs for entry in run.entries if entry.benchmark == benchmark and entry.results]
    return any(entry.results and not judge_of(entry.results) for entry in listed)


def _fill(column: BoardColumn, runs: Sequence[RankedRun]) -> tuple[BoardColumn, list[BoardFigure | Gap]]:
    """The column with its scope, and its cells in the order of the runs."""
    entries = [next((entry for entry in run.entries if entry.benchmark == column.benchmark), None) for run in runs]
    fits = [entry.results for entry in entries if entry and entry.results and not _own_gap(entry, column)]
    seen = [entry.results for entry in entries if entry and entry.results]
    # Of the scopes with equally many figures the first one stands: Counter keeps the order of first appearance.
    scopes = Counter(map(scope_of, fits or seen)).most_common(1)
    column = replace(column, scope=scopes[0][0] if scopes else Scope())
    if column.metric and fits:
        first = next(results.metrics[column.metric] for results in fits if scope_of(results) == column.scope)
        column = replace(column, higher_is_better=first.higher_is_better, scale=first.scale)
    return column, [_cell(entry, column) for entry in entries]


def _cell(entry: RunEntry | None, column: BoardColumn) -> BoardFigure | Gap:
    if entry is None:
        return Gap(NOT_RUN)
    reason = _own_gap(entry, column)
    if reason or entry.results is None:
        return Gap(reason or entry.damage)
    if differences := unlike(scope_of(entry.results), column.scope):
        return Gap("; ".join(differences))
    return _figure(entry.results, entry.run, column)


def _own_gap(entry: RunEntry, column: BoardColumn) -> str:
    """Why an entry has no figure for a column, whatever the others have."""
    results = entry.results
    if results is None:
        return entry.damage
    if bool(judge_of(results)) != column.is_judged:
        return "judged: see the other table" if judge_of(results) else "not judged: see the other table"
    if not results.is_complete:
        planned = results.subset.count * len(results.seeds)
        return f"incomplete: {results.missing_count} of {planned} samples missing"
    if results.doubts:
        return f"doubts: {'; '.join(results.doubts)}"
    if column.metric and column.metric not in results.metrics:
        return f"no {column.metric}"
    return ""


def scope_of(results: Results) -> Scope:
    subset = results.subset
    grader = str(results.grader.get("name") or "")
    return Scope(subset.name, subset.count, subset.sha256, results.cap, grader, judge_of(results))


def unlike(own: Scope, column: Scope) -> list[str]:
    """In what a figure differs from its column, in words; names alone do not matter.

    >>> unlike(Scope(cap=16384), Scope(cap=32768)), unlike(Scope(set_name="a"), Scope(set_name="b"))
    (['cap 16384 instead of 32768'], [])
    """
    differences = []
    if own.sha256 != column.sha256:
        sets = [f"{scope.set_name} ({scope.problems} problems, ids {scope.sha256[:8]})" for scope in (own, column)]
        differences.append(f"other problems: {sets[0]} instead of {sets[1]}")
    if own.cap != column.cap:
        known = "not known" if own.cap is None else str(own.cap)
        differences.append(f"cap {known} instead of {'not known' if column.cap is None else column.cap}")
    if own.grader != column.grader:
        differences.append(f"graded as {own.grader or 'unknown'} instead of {column.grader or 'unknown'}")
    if own.judge != column.judge:
        differences.append(f"judged by {own.judge} instead of {column.judge}")
    return differences


def _figure(results: Results, run: RunFolder, column: BoardColumn) -> BoardFigure:
    k, score = results.samples_per_problem, results.score
    if column.metric is None:
        narrow = score.sampling_interval
        narrow_bounds = (narrow.low, narrow.high) if narrow else None
        return BoardFigure(
            score.mean, score.sampling_error, score.total_error, score.bounds, narrow_bounds, k, results, run
        )
    metric = results.metrics[column.metric]
    total = metric_error(run, column.metric, metric)
    return BoardFigure(metric.mean, metric.sampling_error, total, metric.bounds, None, k, results, run)


def _remarks(column: BoardColumn, figures: Sequence[BoardFigure]) -> list[str]:
    remarks = []
    if figures and column.scope.cap is None:
        remarks.append("the cap on output tokens is not known for any run, so these figures may not compare")
    versions = sorted({str(figure.results.grader.get("version")) for figure in figures})
    if len(versions) > 1:
        remarks.append(
            f"graded by versions {', '.join(versions)} of one grader: grade all with one before believing a difference"
        )
    return remarks


def sort_runs(board: Board, name: str) -> Board:
    """The same board, the best of a column first and gaps last. Raises UsageError for an unknown column."""
    names = [column.name for column in board.columns]
    if name not in names:
        raise UsageError(f"--sort {name}: there is no such column; there are {', '.join(names)}")
    place = names.index(name)
    sign = -1 if board.columns[place].higher_is_better else 1
    values = [(row, board.cells[row, place]) for row in range(len(board.runs))]
    order = [
        row
        for row, cell in sorted(
            values, key=lambda pair: (0, sign * pair[1].value) if isinstance(pair[1], BoardFigure) else (1, 0.0)
        )
    ]
    cells = {
        (new, column): board.cells[old, column] for new, old in enumerate(order) for column in range(len(board.columns))
    }
    return replace(board, runs=tuple(board.runs[row] for row in order), cells=cells)
