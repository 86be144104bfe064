"""What stands in one column is one thing, gaps say why, and a best is only marked where there is one."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from tests.support.board_runs import IDS, add, board_of, cell_of, metric_run, reason, simulate, standing_of, three_like
from tests.support.fake_runs import SETTINGS, grades_from_rows, results_of, simulate_grades, write_run
from tools.benchmarks.subsets import find_subset
from tools.errors import DataError, UsageError
from tools.leaderboard.board import build_board
from tools.leaderboard.cells import BoardFigure, Standing
from tools.leaderboard.collect import find_runs, with_parts
from tools.leaderboard.rows import flat_rows
from tools.leaderboard.standing import mark
from tools.leaderboard.text import format_board
from tools.statistics.pairing import compare_counts

# --- finding runs ----------------------------------------------------------------------------------------------------


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


# --- gaps ------------------------------------------------------------------------------------------------------------


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


def test_runs_without_a_score_do_not_decide_what_the_column_is(tmp_path: pathlib.Path) -> None:
    for run in ("a", "b"):
        add(tmp_path, run, settings={**SETTINGS, "max_new_tokens": 1000}, doubts=("odd",))
    add(tmp_path, "c")
    board = board_of(tmp_path)
    assert board.columns[0].scope.cap == 32768
    assert isinstance(cell_of(board, "c"), BoardFigure)


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


# --- judged scores ---------------------------------------------------------------------------------------------------


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


# --- who is best -----------------------------------------------------------------------------------------------------


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


def test_many_looks_are_adjusted() -> None:
    """Two looks at 3 and 4 % show nothing together, though each would alone."""
    assert mark([0.03, 0.04]) == [Standing.TIED] * 3
    assert mark([0.03]) == mark([0.04]) == [Standing.BEST, Standing.NONE]
    assert mark([0.001, 0.04, 0.2]) == [Standing.TIED, Standing.NONE, Standing.TIED, Standing.TIED]


# --- metrics ---------------------------------------------------------------------------------------------------------


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


# --- parts --------------------------------------------------------------------------------------------------------


def test_parts_are_columns_on_request_and_are_paired(tmp_path: pathlib.Path) -> None:
    """A run of the whole and one of the part alone meet in the part's column; the whole's column has the whole alone."""
    v6 = sorted(find_subset("v6").ids)
    whole = [*v6, "an_older_problem"]
    rng = np.random.default_rng(1)
    base = {task: float(rate) for task, rate in zip(whole, rng.uniform(0.2, 0.7, len(whole)), strict=True)}
    for run, shift in (("a", 0.0), ("b", 0.12)):
        grades = simulate_grades([base[task] + shift for task in whole], range(4), rng, whole)
        part = results_of([g for g in grades if g.task_id != whole[-1]], dataset="livecodebench", set_name="v6")
        add(tmp_path, run, "livecodebench", grades=grades, parts=[part])
    alone = simulate_grades([base[task] for task in v6], range(4), rng, v6)
    add(tmp_path, "c", "livecodebench", grades=alone, set_name="v6")
    assert [column.name for column in board_of(tmp_path).columns] == ["livecodebench"]
    board = build_board(with_parts(find_runs([tmp_path])))
    assert [column.name for column in board.columns] == ["livecodebench", "livecodebench/v6"]
    assert reason(board, "c", "livecodebench").startswith("other problems: v6 (")
    standings = [standing_of(board, run, "livecodebench/v6") for run in ("a", "b", "c")]
    assert standings == [Standing.NONE, Standing.BEST, Standing.NONE]
    assert board.notes == ()  # nothing was compared without pairing
