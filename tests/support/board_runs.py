"""Runs for the tests of the leaderboard, simulated, and short ways to ask a board."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.support.fake_runs import simulate_grades, write_run
from tools.leaderboard.board import Board, build_board
from tools.leaderboard.cells import BoardFigure, Gap, Standing
from tools.leaderboard.collect import find_runs
from tools.records import Grade, MetricKind, Verdict

RATES = np.linspace(0.1, 0.9, 20)
IDS = [str(number) for number in range(20)]


def simulate(shift: float, draw: int, seeds: Sequence[int] = range(4), task_ids: Sequence[str] = IDS) -> list[Grade]:
    rates = np.clip(RATES[: len(task_ids)] + shift, 0.02, 0.98)
    return simulate_grades(rates.tolist(), list(seeds), np.random.default_rng(draw), task_ids)


def add(root: pathlib.Path, run: str, benchmark: str = "aime24", shift: float = 0.0, **changes: Any) -> pathlib.Path:
    """One benchmark of one run; `draw` and `grades` are for the samples, the rest for its results."""
    grades = changes.pop("grades", None) or simulate(shift, changes.pop("draw", len(run) + ord(run[-1])))
    folder = root / run / benchmark
    write_run(folder, grades, **({"model": f"org/{run}", "dataset": benchmark, "set_name": benchmark} | changes))
    return folder


def board_of(root: pathlib.Path, *metrics: str) -> Board:
    return build_board(find_runs([root]), metrics)


def reason(board: Board, run: str, benchmark: str = "aime24") -> str:
    cell = cell_of(board, run, benchmark)
    assert isinstance(cell, Gap), cell
    return cell.reason


def cell_of(board: Board, run: str, column: str = "aime24") -> BoardFigure | Gap:
    row = next(each for each in board.runs if each.name == f"org/{run}" or each.label == run)
    return board.cell(row, next(each for each in board.columns if each.name == column))


def standing_of(board: Board, run: str, column: str = "aime24") -> Standing:
    cell = cell_of(board, run, column)
    assert isinstance(cell, BoardFigure), cell
    return cell.standing


def three_like(root: pathlib.Path) -> None:
    for run in ("a", "b"):
        add(root, run)


def metric_run(root: pathlib.Path, run: str, level: float, draw: int) -> None:
    rng = np.random.default_rng(draw)
    grades = []
    for task, rate in zip(IDS, RATES, strict=True):
        for seed in range(4):
            value = float(np.clip(0.5 * rate + level + rng.normal(0, 0.02), 0, 1))
            verdict = Verdict.CORRECT if rng.random() < 0.5 else Verdict.WRONG
            grades.append(Grade(task, seed, verdict, metrics={"followed": value, "edits": 10 * (1 - value)}))
    kinds = {"followed": MetricKind(), "edits": MetricKind(higher_is_better=False, scale=None)}
    add(root, run, "ifeval", grades=grades, metric_kinds=kinds)
