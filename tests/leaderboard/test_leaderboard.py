"""What stands in one column is one thing, gaps say why, and a best is only marked where there is one."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import pathlib
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.fake_runs import SETTINGS, command, grades_from_rows, simulate_grades, write_run
from tools.errors import DataError, StorageError, UsageError
from tools.leaderboard.board import Board, build_board, sort_runs
from tools.leaderboard.cards import format_model_index
from tools.leaderboard.cells import BoardFigure, Gap, Standing
from tools.leaderboard.collect import find_runs
from tools.leaderboard.database import write_database
from tools.leaderboard.markdown import format_markdown
from tools.leaderboard.rows import COLUMNS, flat_rows, spreadsheet
from tools.leaderboard.standing import find_standings
from tools.leaderboard.text import format_board
from tools.records import Grade, MetricKind, Verdict
from tools.statistics.pairing import compare_counts

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


# --- finding runs -------------------------------------------------------------------------------------------------


def test_runs_are_found_at_any_depth_and_once(tmp_path: pathlib.Path) -> None:
    add(tmp_path, "a")
    add(tmp_path, "deep/er/b", model="org/b")
    add(tmp_path, "a", "aime24.backup-20260101-000000")
    (tmp_path / "loop").symlink_to(tmp_path)
    runs = find_runs([tmp_path, tmp_path / "a", tmp_path / "a" / "aime24"])
    assert [(run.model, [entry.benchmark for entry in run.entries]) for run in runs] == [
        ("org/a", ["aime24"]),
        ("org/b", ["aime24"]),
    ]


def test_runs_of_one_model_are_told_apart(tmp_path: pathlib.Path) -> None:
    for run in ("x/one", "y/one", "z"):
        add(tmp_path, run, model="org/m")
    assert [run.name for run in find_runs([tmp_path])] == ["org/m (x/one)", "org/m (y/one)", "org/m (z)"]


def test_a_copy_beside_the_benchmark_is_a_row_of_its_own(tmp_path: pathlib.Path) -> None:
    add(tmp_path, "a")
    write_run(tmp_path / "a" / "copy", simulate(0, 9), model="org/a", dataset="aime24", set_name="aime24")
    assert [run.label for run in find_runs([tmp_path])] == ["a", "copy"]


def test_no_folder_and_no_run_are_one_line_each(tmp_path: pathlib.Path) -> None:
    for path, said in ((tmp_path / "absent", "no such folder"), (tmp_path, "is it the OUT of a run")):
        with pytest.raises(DataError, match=said):
            find_runs([path])


# --- gaps ---------------------------------------------------------------------------------------------------------


def three_like(root: pathlib.Path) -> None:
    for run in ("a", "b"):
        add(root, run)


def test_another_cap_is_a_gap(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path)
    add(tmp_path, "c", settings={**SETTINGS, "max_new_tokens": 16384})
    assert reason(board_of(tmp_path), "c") == "cap 16384 instead of 32768"


def test_an_unknown_cap_is_a_gap_unless_none_is_known(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path)
    add(tmp_path, "c", settings={})
    assert reason(board_of(tmp_path), "c") == "cap not known instead of 32768"
    for run in ("a", "b"):
        add(tmp_path, run, settings={})
    board = board_of(tmp_path)
    assert isinstance(cell_of(board, "c"), BoardFigure)
    assert any("the cap on output tokens is not known" in note for note in board.notes)


def test_other_problems_of_the_same_name_are_a_gap(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path)
    add(tmp_path, "c", grades=simulate(0, 3, task_ids=IDS[:10]))
    assert reason(board_of(tmp_path), "c").startswith("other problems: aime24 (10 problems, ids ")


def test_the_same_problems_by_another_name_are_no_gap(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path)
    add(tmp_path, "c", set_name="aime_2024")
    assert isinstance(cell_of(board_of(tmp_path), "c"), BoardFigure)


def test_the_column_is_what_most_runs_have(tmp_path: pathlib.Path) -> None:
    add(tmp_path, "a", settings={**SETTINGS, "max_new_tokens": 1000})
    for run in ("b", "c"):
        add(tmp_path, run)
    board = board_of(tmp_path)
    assert board.columns[0].scope.cap == 32768
    assert reason(board, "a") == "cap 1000 instead of 32768"


def test_incomplete_doubtful_ungraded_and_damaged_runs_are_gaps(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path)
    add(tmp_path, "c", grades=simulate(0, 5)[:-3], seeds=range(4), task_ids=IDS, allow_incomplete=True)
    add(tmp_path, "d", doubts=("it ran without a sandbox",))
    (add(tmp_path, "e") / "accuracy_results.json").unlink()
    (tmp_path / "e" / "aime24" / "manifest.json").write_text('{"model": "org/e"}')
    (add(tmp_path, "f") / "accuracy_results.json").write_text('{"schema_version": 1, "model": 3}')
    (tmp_path / "f" / "aime24" / "manifest.json").write_text('{"model": "org/f"}')
    add(tmp_path, "g", "aime25")
    board = board_of(tmp_path)
    assert reason(board, "c") == "incomplete: 3 of 80 samples missing"
    assert reason(board, "d") == "doubts: it ran without a sandbox"
    assert reason(board, "e") == "not graded"
    assert reason(board, "f").startswith("results that cannot be read: ")
    assert reason(board, "g") == "not run"
    text = format_board(board)
    for said in ("incomplete: 3 of 80 samples missing", "not graded", "- (1)"):
        assert said in text
    assert "not run" not in text  # a dash says that


def test_another_grader_is_a_gap_and_another_version_a_note(tmp_path: pathlib.Path) -> None:
    three_like(tmp_path)
    add(tmp_path, "c", grader={"name": "choice", "version": "1"})
    add(tmp_path, "d", grader={"name": "aime", "version": "2"})
    board = board_of(tmp_path)
    assert reason(board, "c") == "graded as choice instead of aime"
    assert isinstance(cell_of(board, "d"), BoardFigure)
    assert any("graded by versions 1, 2" in note for note in board.notes)


# --- judged scores ------------------------------------------------------------------------------------------------


def test_judged_scores_stand_apart_and_other_judges_are_gaps(tmp_path: pathlib.Path) -> None:
    judged = {"name": "judge", "version": "1", "judge": {"model": "judge-1"}}
    add(tmp_path, "a", "mt_bench", grader=judged)
    add(tmp_path, "b", "mt_bench", grader=judged)
    add(tmp_path, "c", "mt_bench", grader={**judged, "judge": {"model": "judge-2"}})
    add(tmp_path, "a", "aime24")
    add(tmp_path, "b", "aime24", grader=judged)
    board = board_of(tmp_path)
    titles = [(title, [column.name for column in columns]) for title, columns in board.parts()]
    assert titles == [("Exact scores", ["aime24"]), ("Judged scores", ["mt_bench", "aime24"])]
    assert reason(board, "c", "mt_bench") == "judged by judge-2 instead of judge-1"
    assert reason(board, "b", "aime24") == "judged: see the other table"
    text = format_board(board)
    assert text.index("Exact scores:") < text.index("aime24") < text.index("Judged scores:") < text.index("mt_bench")
    assert "judge judge-1" in text


# --- who is best --------------------------------------------------------------------------------------------------


def test_a_best_is_marked_where_the_difference_is_beyond_its_error(tmp_path: pathlib.Path) -> None:
    add(tmp_path, "low", shift=-0.3)
    add(tmp_path, "high", shift=0.3)
    board = board_of(tmp_path)
    assert standing_of(board, "high") is Standing.BEST
    assert standing_of(board, "low") is Standing.NONE


def test_those_that_cannot_be_told_apart_are_tied(tmp_path: pathlib.Path) -> None:
    for run, shift in (("a", 0.2), ("b", 0.2), ("low", -0.3)):
        add(tmp_path, run, shift=shift)
    board = board_of(tmp_path)
    assert [standing_of(board, run) for run in ("a", "b", "low")] == [Standing.TIED, Standing.TIED, Standing.NONE]
    assert "=" in format_board(board)
    assert "tied" in "".join(str(row["standing"]) for row in flat_rows(board))


def test_pairing_sees_what_the_errors_of_the_scores_hide(tmp_path: pathlib.Path) -> None:
    """Every problem a little better: the intervals of the scores overlap widely, the paired difference is clear."""
    rows_a = {task: [1] * (index % 10) + [0] * (10 - index % 10) for index, task in enumerate(IDS)}
    rows_b = {task: [1] * (index % 10 + 1) + [0] * (9 - index % 10) for index, task in enumerate(IDS)}
    add(tmp_path, "a", grades=grades_from_rows(rows_a, range(10)))
    add(tmp_path, "b", grades=grades_from_rows(rows_b, range(10)))
    board = board_of(tmp_path)
    assert standing_of(board, "b") is Standing.BEST
    for run in ("a", "b"):  # without verdicts there is nothing to pair
        (tmp_path / run / "aime24" / "verdicts.jsonl").unlink()
    board = board_of(tmp_path)
    assert [standing_of(board, run) for run in ("a", "b")] == [Standing.TIED, Standing.TIED]
    assert any("not paired by problem" in note for note in board.notes)


def test_a_lone_figure_is_neither_best_nor_tied(tmp_path: pathlib.Path) -> None:
    add(tmp_path, "a")
    assert standing_of(board_of(tmp_path), "a") is Standing.NONE


def test_the_test_is_the_one_of_compare(tmp_path: pathlib.Path) -> None:
    """The mark changes where the p value of `compare` passes 5 %."""
    seen = set()
    for draw in range(12):
        root = tmp_path / str(draw)
        folders = [add(root, run, shift=shift, draw=draw * 2 + place) for place, (run, shift) in enumerate((("a", 0.0), ("b", 0.07)))]  # fmt: skip
        runs = [entry.run for run in find_runs([root]) for entry in run.entries]
        assert [run.folder for run in runs] == folders
        p = compare_counts(*(run.counts(IDS) for run in runs)).p_problems
        marks = {standing_of(board_of(root), run) for run in ("a", "b")}
        assert (Standing.BEST in marks) == (p < 0.05)
        seen.add(p < 0.05)
    assert seen == {True, False}


def test_many_looks_are_adjusted(tmp_path: pathlib.Path) -> None:
    """Six equal runs: the luckiest one is rarely called best; unadjusted it would be in many draws."""
    called = 0
    for draw in range(12):
        root = tmp_path / str(draw)
        for run in range(6):
            add(root, f"r{run}", draw=1000 + draw * 10 + run)
        called += any(standing_of(board_of(root), f"r{run}") is Standing.BEST for run in range(6))
    assert called <= 1


# --- metrics ------------------------------------------------------------------------------------------------------


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


def test_metrics_are_columns_on_request_with_their_own_direction(tmp_path: pathlib.Path) -> None:
    metric_run(tmp_path, "a", 0.1, 1)
    metric_run(tmp_path, "b", 0.3, 2)
    assert [column.name for column in board_of(tmp_path).columns] == ["ifeval"]
    board = board_of(tmp_path, "followed", "edits")
    assert [column.name for column in board.columns] == ["ifeval", "ifeval: followed", "ifeval: edits"]
    assert standing_of(board, "b", "ifeval: followed") is Standing.BEST
    assert standing_of(board, "b", "ifeval: edits") is Standing.BEST  # fewer are better
    text = format_board(board)
    assert "lower is better" in text
    figure = cell_of(board, "b", "ifeval: edits")
    assert isinstance(figure, BoardFigure)
    assert f"{figure.value:.2f}" in text  # no percent
    with pytest.raises(UsageError, match="--metric nope: none of these runs has it; they have edits, followed"):
        board_of(tmp_path, "nope")


# --- the forms ----------------------------------------------------------------------------------------------------


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


# --- the command --------------------------------------------------------------------------------------------------


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
