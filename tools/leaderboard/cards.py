"""The board as `model-index` blocks for model cards: every score that the table shows; gaps are named in comments."""

from __future__ import annotations

import dataclasses

from tools.leaderboard.board import Board, judge_of
from tools.leaderboard.cells import BoardFigure
from tools.leaderboard.text import plain
from tools.report.model_cards import find_origin, model_index


def format_model_index(board: Board, source: str | None = None) -> str:
    """YAML; `source` is the address at which the runs can be seen."""
    listed, origins = [], []
    for run in board.runs:
        for column in board.columns:
            cell = board.cell(run, column)
            if column.metric is not None or not isinstance(cell, BoardFigure):
                continue
            manifest = next(entry.manifest for entry in run.entries if entry.benchmark == column.benchmark)
            judge = judge_of(cell.results)
            note = "; ".join(filter(None, (run.label, f"judged by {judge}" if judge else "")))
            listed.append(dataclasses.replace(cell.results, model=run.model))
            origins.append(find_origin(cell.results, manifest, source, note))
    left_out = [
        f"# left out: {plain(run.name)} on {plain(column.name)}: {plain(reason)}"
        for run, column, reason in board.gaps()
        if column.metric is None
    ]
    return "\n".join([*left_out, model_index(listed, origins=origins)])
