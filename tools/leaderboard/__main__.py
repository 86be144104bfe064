"""Many runs in one table: models x benchmarks, with both errors and an interval, or a gap that says why.

    python -m tools leaderboard out/a out/b                      # a table for the terminal
    python -m tools leaderboard runs/ --html leaderboard.html    # one page, from disk, without network
    python -m tools leaderboard runs/ --sqlite runs.db           # tables runs, scores, metrics, seeds
    python -m tools leaderboard runs/ --metric prompt_strict     # a further column where a benchmark has it

Each OUT is a run, or a folder in which runs lie. Scores in one column are of the same problems under the same cap. The
best one is marked only where its difference to all others is beyond the error of that difference.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tools.commandline import CommandLine
from tools.errors import run_command

if TYPE_CHECKING:
    from tools.leaderboard.board import Board


def make_parser() -> CommandLine:
    parser = CommandLine(__doc__, usage="python -m tools leaderboard OUT [OUT2 ...] [options]")
    parser.add_argument("outs", nargs="+", metavar="OUT", help="the OUT of a run, or a folder of runs")
    parser.add_argument(
        "--metric", action="append", default=[], metavar="NAME", help="a further column; may be repeated"
    )
    parser.add_argument("--parts", action="store_true", help="also a benchmark's parts as columns (livecodebench/v6)")
    parser.add_argument("--sort", metavar="COLUMN", help="the best of this benchmark first (default: as given)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--model-index", action="store_true", help="print metadata for the heads of model cards (YAML)")
    parser.add_argument("--source", metavar="URL", help="with --model-index: where the runs can be seen")
    parser.add_argument("--csv", metavar="FILE", type=Path, help="one line a model and column, all figures")
    parser.add_argument("--sqlite", metavar="FILE", type=Path, help="a database made from the files")
    parser.add_argument("--html", metavar="FILE", type=Path, help="one page, for light and dark, without network")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    given = make_parser().parse_args(arguments)
    from tools.leaderboard.board import build_board, sort_runs
    from tools.leaderboard.collect import find_runs, with_parts

    runs = find_runs(given.outs)
    board = build_board(with_parts(runs) if given.parts else runs, given.metric)
    board = sort_runs(board, given.sort) if given.sort else board
    has_files = write_files(board, given.csv, given.sqlite, given.html)
    if given.model_index:
        from tools.leaderboard.cards import format_model_index

        print(format_model_index(board, given.source))
    elif given.markdown:
        from tools.leaderboard.markdown import format_markdown

        print(format_markdown(board))
    elif not has_files:
        from tools.leaderboard.text import format_board

        print(format_board(board))
    return 0


def write_files(board: Board, csv: Path | None, sqlite: Path | None, html: Path | None) -> bool:
    """Writes what is asked for and prints each path; says whether anything was."""
    from tools.leaderboard.database import write_database
    from tools.leaderboard.page import write_page
    from tools.leaderboard.rows import write_csv

    wanted = [(write_csv, csv), (write_database, sqlite), (write_page, html)]
    asked = [(write, path) for write, path in wanted if path is not None]
    for write, path in asked:
        write(path, board)
        print(path)
    return bool(asked)


if __name__ == "__main__":
    sys.exit(run_command(main))
