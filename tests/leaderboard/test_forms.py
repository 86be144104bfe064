"""The board as text, Markdown, CSV, SQLite and model-index: every figure is there, names stay names, nothing is half written."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import sqlite3

import pytest

from tests.support.board_runs import add, board_of, metric_run, reason, simulate, three_like
from tests.support.fake_runs import SETTINGS, command
from tools.errors import StorageError, UsageError
from tools.leaderboard.board import Board, build_board, sort_runs
from tools.leaderboard.cards import format_model_index
from tools.leaderboard.cells import BoardFigure
from tools.leaderboard.database import write_database
from tools.leaderboard.markdown import format_markdown
from tools.leaderboard.page import build_page
from tools.leaderboard.rows import COLUMNS, flat_rows, spreadsheet
from tools.leaderboard.standing import find_standings
from tools.leaderboard.text import format_board

# --- the forms -------------------------------------------------------------------------------------------------------


def many(root: pathlib.Path) -> Board:
    for run, shift in (("a", 0.2), ("b", 0.0), ("c" * 60, -0.3)):
        for number in range(9):
            add(root, run, f"benchmark_{number}", shift=shift, draw=number * 7 + len(run))
    return board_of(root)


def test_the_text_is_at_most_100_columns_wide_and_holds_every_figure(tmp_path: pathlib.Path) -> None:
    board = many(tmp_path)
    text = format_board(board)
    assert max(map(len, text.split("\n"))) <= 100
    assert max(map(len, text.split("\n"))) > 80  # the room is used
    for column in board.columns:
        assert text.count(column.name) == 1
        for run in board.runs:
            figure = board.cell(run, column)
            assert isinstance(figure, BoardFigure)
            assert figure.interval is not None
            assert figure.sampling_error is not None
            assert figure.total_error is not None
            score = f"{100 * figure.value:.1f} +-{100 * figure.sampling_error:.1f} +-{100 * figure.total_error:.1f}"
            assert score in text
            assert f"{100 * figure.interval[0]:.1f} to {100 * figure.interval[1]:.1f}, k = 4" in text


def test_an_error_that_cannot_be_known_is_not_taken_for_the_other_one(tmp_path: pathlib.Path) -> None:
    add(tmp_path, "a", grades=simulate(0, 1, seeds=[100]))
    board = board_of(tmp_path)
    (figure,) = [cell for cell in board.cells.values() if isinstance(cell, BoardFigure)]
    assert figure.sampling_error is None
    assert figure.total_error is not None
    assert f" +-? +-{100 * figure.total_error:.1f}" in format_board(board)
    assert f" ± ? ± {100 * figure.total_error:.1f}" in format_markdown(board)
    assert f" ±? ±{100 * figure.total_error:.1f}" in build_page(board)


def test_csv_has_one_row_a_cell_with_all_digits(tmp_path: pathlib.Path) -> None:
    board = many(tmp_path)
    rows = list(csv.DictReader(io.StringIO(spreadsheet(*flat_rows(board)))))
    assert len(rows) == len(board.runs) * len(board.columns)
    assert tuple(rows[0]) == COLUMNS
    for row in rows:
        saved = json.loads((pathlib.Path(row["folder"]) / row["benchmark"] / "accuracy_results.json").read_text())
        assert float(row["value"]) == saved["avg_at_k"]
        assert float(row["total_error"]) == saved["total_error"]
        assert row["set_sha256"] == saved["set"]["sha256"]


def test_a_gap_gives_its_reason_and_no_figure(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path)
    add(tmp_path, "c", doubts=("it ran without a sandbox",))
    row = list(csv.DictReader(io.StringIO(spreadsheet(*flat_rows(board_of(tmp_path))))))[2]
    assert row["gap"] == "doubts: it ran without a sandbox"
    figures = ("value", "sampling_error", "interval_low", "pass_at_k", "maj_at_k", "std_over_seeds", "problem_error")
    assert [row[name] for name in figures] == [""] * len(figures)


def test_the_database_says_what_the_files_say(tmp_path: pathlib.Path) -> None:
    metric_run(tmp_path / "runs", "a", 0.1, 1)
    add(tmp_path / "runs", "a", "aime24")
    add(tmp_path / "runs", "b", "aime24", doubts=("odd",))
    path = tmp_path / "runs.db"
    write_database(path, board_of(tmp_path / "runs"))
    with sqlite3.connect(path) as database:
        found = database.execute(
            "select model, benchmark, score, total_error, gap from scores join runs on run = runs.id order by 1, 2"
        ).fetchall()
        saved = json.loads((tmp_path / "runs/a/aime24/accuracy_results.json").read_text())
        assert found[0] == ("org/a", "aime24", saved["avg_at_k"], saved["total_error"], None)
        assert found[2] == ("org/b", "aime24", None, None, "doubts: odd")
        assert database.execute("select count(*) from runs").fetchone() == (2,)
        names = [row[0] for row in database.execute("select name from metrics order by 1")]
        assert names == ["edits", "followed"]
        seeds = database.execute("select seed, score from seeds where benchmark = 'aime24' order by 1").fetchall()
    database.close()
    assert seeds == [(row["seed"], row["accuracy"]) for row in saved["detailed_results"]]


def test_the_database_is_replaced_whole_and_nothing_else_is(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path / "runs")
    board = board_of(tmp_path / "runs")
    path = tmp_path / "runs.db"
    write_database(path, board)
    first = path.read_bytes()
    write_database(path, board)
    assert path.read_bytes() == first
    other = tmp_path / "thesis.txt"
    other.write_text("years of work")
    with pytest.raises(StorageError, match="no SQLite database; choose another name"):
        write_database(other, board)
    assert other.read_text() == "years of work"
    with pytest.raises(StorageError):
        write_database(tmp_path / "absent" / "runs.db", board)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["runs", "runs.db", "thesis.txt"]


def test_a_database_that_fails_midway_leaves_the_old_one(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_like(tmp_path / "runs")
    board = board_of(tmp_path / "runs")
    path = tmp_path / "runs.db"
    write_database(path, board)
    before = path.read_bytes()

    def fail(*words: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("tools.leaderboard.database._seeds", fail)
    with pytest.raises(StorageError, match="database or disk is full"):
        write_database(path, board)
    assert path.read_bytes() == before
    assert sorted(item.name for item in tmp_path.iterdir()) == ["runs", "runs.db"]


def test_markdown_is_a_table_with_the_best_in_bold(tmp_path: pathlib.Path) -> None:
    add(tmp_path, "low", shift=-0.3)
    add(tmp_path, "high", shift=0.3)
    add(tmp_path, "capped", settings={**SETTINGS, "max_new_tokens": 5})
    lines = format_markdown(board_of(tmp_path)).split("\n")
    assert len({line.count("|") for line in lines[:5]}) == 1
    by_name = {line.split("|")[1].strip(): line for line in lines[2:5]}
    assert "| **" in by_name["org/high"]
    assert "**" not in by_name["org/low"]
    assert by_name["org/capped"].endswith("| – (1) |")
    assert "- (1) cap 5 instead of 32768" in lines


def test_model_index_holds_what_the_table_shows(tmp_path: pathlib.Path) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the full environment")
    three_like(tmp_path)
    add(tmp_path, "c", settings={**SETTINGS, "max_new_tokens": 5})
    add(tmp_path, "d", model="org/a", manifest={"model": "org/a", "settings": {"model_revision": "0abc"}})
    text = format_model_index(board_of(tmp_path), "https://example.org/runs")
    assert text.startswith("# left out: org/c on aime24: cap 5 instead of 32768\n")
    entries = {entry["name"]: entry["results"] for entry in yaml.safe_load(text)["model-index"]}
    assert {name: len(found) for name, found in entries.items()} == {"a": 2, "b": 1}
    one, two = entries["a"]
    assert "; a)" in one["metrics"][0]["name"]
    assert two["metrics"][0]["args"]["model_revision"] == "0abc"
    assert one["source"]["url"] == "https://example.org/runs"
    assert one["dataset"]["type"] == "HuggingFaceH4/aime_2024"


def test_hostile_names_stay_names_everywhere(tmp_path: pathlib.Path) -> None:
    name = '=cmd|"x\x1b[31m`<script>alert(1)</script>\n| a | b |'
    add(tmp_path, "a", model=name)
    add(tmp_path, "b")
    board = board_of(tmp_path)
    assert "\x1b" not in format_board(board)
    assert len(format_board(board).split("\n")) == len(format_board(board_of(tmp_path)).split("\n"))
    markdown = format_markdown(board).split("\n")
    assert "<script>" not in "".join(markdown)
    assert len(markdown[2].replace("\\|", "").split("|")) == 4
    assert next(csv.DictReader(io.StringIO(spreadsheet(*flat_rows(board)))))["model"].startswith("'=")
    write_database(tmp_path / "x.db", board)
    database = sqlite3.connect(tmp_path / "x.db")
    assert database.execute("select model from runs where id = 1").fetchone() == (name,)
    database.close()


def test_sorting_puts_the_best_first_and_gaps_last(tmp_path: pathlib.Path) -> None:
    for run, shift in (("a", -0.3), ("b", 0.3)):
        add(tmp_path, run, shift=shift)
    add(tmp_path, "c", doubts=("odd",))
    board = sort_runs(board_of(tmp_path), "aime24")
    assert [run.model for run in board.runs] == ["org/b", "org/a", "org/c"]
    assert reason(board, "c") == "doubts: odd"
    with pytest.raises(UsageError, match="--sort x: there is no such column; there are aime24"):
        sort_runs(board, "x")


def test_standings_of_nothing_are_nothing() -> None:
    column = build_board([]).columns
    assert column == ()
    from tools.leaderboard.cells import BoardColumn

    assert find_standings([], BoardColumn("x")) == ([], [])


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_prints_and_writes_each_form(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path / "runs")
    printed = command("tools", "leaderboard", tmp_path / "runs")
    assert printed.returncode == 0, printed.stderr
    assert "org/a" in printed.stdout
    forms = {"--html": "page.html", "--sqlite": "runs.db", "--csv": "runs.csv"}
    words = [word for flag, name in forms.items() for word in (flag, tmp_path / name)]
    written = command("tools", "leaderboard", tmp_path / "runs/a", tmp_path / "runs/b", *words, "--markdown")
    assert written.returncode == 0, written.stderr
    assert all((tmp_path / name).stat().st_size > 300 for name in forms.values())
    assert "| Model |" in written.stdout


@pytest.mark.parametrize(("words", "code"), [(["absent"], 1), ([], 2), (["absent", "--nope"], 2)])
def test_a_wrong_command_is_one_line(words: list[str], code: int) -> None:
    answer = command("tools", "leaderboard", *words)
    assert answer.returncode == code
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
