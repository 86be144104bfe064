"""The board as Markdown: a table for each part, gaps numbered and explained below.

>>> from tools.leaderboard.board import build_board
>>> format_markdown(build_board([])).split("\\n")[0]
'Percent unless a column says otherwise: score ± sampling error ± total error [95 % interval], k samples a problem.'
"""

from __future__ import annotations

from tools.leaderboard.board import Board
from tools.leaderboard.cells import NOT_RUN, BoardColumn, BoardFigure, Gap, Standing
from tools.leaderboard.text import number_reasons, plain
from tools.report.exports import escape_cell

LEGEND = (
    "Percent unless a column says otherwise: score ± sampling error ± total error [95 % interval], k samples a problem."
)
BEST_LEGEND = (
    "**Bold**: better than every other by more than the error of the difference (paired by problem; 5 %, Holm). "
    "= marks ties: figures that these runs cannot tell from the best one."
)


def format_markdown(board: Board) -> str:
    reasons = number_reasons(board)
    parts = board.parts()
    lines: list[str] = []
    for title, columns in parts:
        lines += [f"**{title}**", ""] if len(parts) > 1 or columns[0].is_judged else []
        heads = [" <br>".join([f"**{_name(column.name)}**", _name(", ".join(column.facts()))]) for column in columns]
        lines += [_row(["Model", *heads]), "|---|" + "---:|" * len(columns)]
        for run in board.runs_in(columns):
            cells = [_cell(board.cell(run, column), column, reasons) for column in columns]
            lines.append(_row([_name(run.name), *cells]))
        lines.append("")
    lines += [LEGEND, *([BEST_LEGEND] if parts else [])]
    notes = [f"({number}) {_name(reason)}" for reason, number in reasons.items()] + list(map(_name, board.notes))
    return "\n".join([*lines, *(["", *(f"- {note}" for note in notes)] if notes else [])])


def _name(text: str) -> str:
    return escape_cell(plain(text)).replace("`", "\\`").replace("[", "\\[").replace("*", "\\*").replace("_", "\\_")


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(cell: BoardFigure | Gap, column: BoardColumn, reasons: dict[str, int]) -> str:
    if isinstance(cell, Gap):
        return "–" if cell.reason == NOT_RUN else f"– ({reasons[cell.reason]})"
    errors = "".join(f" ± {error}" for error in column.errors(cell))
    bounds = [column.shown(end) for end in cell.interval or ()]
    value = column.shown(cell.value)
    value = f"**{value}**" if cell.standing is Standing.BEST else value
    tied = " =" if cell.standing is Standing.TIED else ""
    return f"{value}{errors}{f' [{bounds[0]}, {bounds[1]}]' if bounds else ''}, k = {cell.k}{tied}"
