"""The board for the terminal, at most 100 columns wide: benchmarks that do not fit side by side follow below.

    model          aime24                 gpqa_diamond
                   30 problems            198 problems
                   cap 32768              cap 32768
    ------------------------------------------------------
    a/one          72.6 +-0.9 +-7.4 *     - (1)
                   57.4 to 87.9, k = 64

>>> plain("a\\x1b[31mb\\n")
'a [31mb'
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tools.leaderboard.board import Board
from tools.leaderboard.cells import NOT_RUN, BoardColumn, BoardFigure, Gap, Standing
from tools.leaderboard.collect import RankedRun

Names = Sequence[tuple[RankedRun, Sequence[str]]]

WIDTH = 100
MOST_NAME = 30  # of a model; a longer one is cut in its middle
MOST_COLUMN = 26
BETWEEN = "  "
MARKS = {Standing.NONE: "", Standing.BEST: " *", Standing.TIED: " ="}
LEGEND = (
    "Percent unless a column says otherwise: score +-sampling error +-total error (for problems like these), then the 95 % "
    "interval for problems like these, and k samples a problem. ?: cannot be known (one sample a problem, or one problem)."
)
BEST_LEGEND = (
    "* best: its difference to every other run is beyond the error of that difference (paired by problem; 5 %, Holm). "
    "= tied: from the best figure it cannot be told apart by these runs."
)


def format_board(board: Board) -> str:
    """Every part with its blocks of columns, then the gaps and notes."""
    reasons = number_reasons(board)
    parts = board.parts()
    lines: list[str] = []
    for title, columns in parts:
        lines += [f"{title}:", ""] if len(parts) > 1 or columns[0].is_judged else []
        names = [(run, _name_lines(run)) for run in board.runs_in(columns)]
        for block in _blocks(board, columns, reasons, _names_width(names)):
            lines += [*_block_lines(board, block, names, reasons), ""]
    for sentence in (LEGEND, BEST_LEGEND, *_reason_lines(reasons), *board.notes):
        lines += textwrap.wrap(plain(sentence), WIDTH, subsequent_indent="  ")
    return "\n".join(lines)


def plain(text: str) -> str:
    """What others named, without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def number_reasons(board: Board) -> dict[str, int]:
    """Each reason for a gap with its number, in the order of the table."""
    reasons = dict.fromkeys(reason for _, _, reason in board.gaps())
    return {reason: number for number, reason in enumerate(reasons, 1)}


def _reason_lines(reasons: dict[str, int]) -> list[str]:
    return [f"({number}) {reason}" for reason, number in reasons.items()]


def cell_lines(cell: BoardFigure | Gap, column: BoardColumn, reasons: dict[str, int]) -> list[str]:
    """A cell as two lines: the figure with both errors, then its interval and k."""
    if isinstance(cell, Gap):
        return ["-" if cell.reason == NOT_RUN else f"- ({reasons[cell.reason]})"]
    errors = [f" +-{error}" for error in column.errors(cell)]
    bounds = cell.interval
    interval = f"{column.shown(bounds[0])} to {column.shown(bounds[1])}, " if bounds else "no interval, "
    return [f"{column.shown(cell.value)}{''.join(errors)}{MARKS[cell.standing]}", f"{interval}k = {cell.k}"]


def _name_lines(run: RankedRun) -> list[str]:
    return [_cut(plain(run.model), MOST_NAME), *([_cut(f"  {plain(run.label)}", MOST_NAME)] if run.label else [])]


def _names_width(names: Names) -> int:
    return max(len(line) for lines in (["model"], *(found for _, found in names)) for line in lines)


def _cut(text: str, most: int) -> str:
    """
    >>> _cut("organisation/model-of-this-size", 15)
    'organi...s-size'
    """
    if len(text) <= most:
        return text
    head = (most - 3) // 2
    return f"{text[:head]}...{text[len(text) - (most - 3 - head) :]}"


def _head_lines(column: BoardColumn) -> list[str]:
    return [_cut(plain(line), MOST_COLUMN) for line in (column.name, *column.facts())]


def _column_width(board: Board, column: BoardColumn, reasons: dict[str, int]) -> int:
    cells = [line for run in board.runs for line in cell_lines(board.cell(run, column), column, reasons)]
    return max(map(len, [*_head_lines(column), *cells]))


def _blocks(
    board: Board, columns: Sequence[BoardColumn], reasons: dict[str, int], name_width: int
) -> list[list[tuple[BoardColumn, int]]]:
    """Columns with their widths, as many side by side as there is room for."""
    blocks: list[list[tuple[BoardColumn, int]]] = [[]]
    taken = name_width
    for column in columns:
        width = _column_width(board, column, reasons)
        if blocks[-1] and taken + len(BETWEEN) + width > WIDTH:
            blocks.append([])
            taken = name_width
        blocks[-1].append((column, width))
        taken += len(BETWEEN) + width
    return blocks


def _block_lines(
    board: Board,
    block: Sequence[tuple[BoardColumn, int]],
    names: Names,
    reasons: dict[str, int],
) -> list[str]:
    widths = [_names_width(names), *(width for _, width in block)]
    head = _grid([["model"], *(_head_lines(column) for column, _ in block)], widths)
    lines = [*head, "-" * max(map(len, head))]
    for run, name in names:
        cells = [cell_lines(board.cell(run, column), column, reasons) for column, _ in block]
        lines += _grid([name, *cells], widths)
    return lines


def _grid(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    """Cells of several lines side by side."""
    height = max(map(len, cells))
    return [
        BETWEEN.join(
            (cell[line] if line < len(cell) else "").ljust(width) for cell, width in zip(cells, widths, strict=True)
        ).rstrip()
        for line in range(height)
    ]
