"""All analyses of a folder together, and what they say is not known."""

from __future__ import annotations

import json
import pathlib

import numpy as np

from tests.support.fake_runs import command, grades_from_rows, simulate_grades, write_run
from tools.analysis.summary import analyse
from tools.results.published import Published
from tools.results.run_folder import find_graded


def test_analysis_of_a_folder_says_what_is_not_known(tmp_path: pathlib.Path) -> None:
    """A folder of the original toolkit: no token counts, no dates, no manifest, and here no generations any more."""
    write_run(tmp_path, grades_from_rows({"1": [1, 0], "2": [1, 1]}, [1, 2]))
    (run,) = find_graded(tmp_path).values()
    record = analyse(run, cutoff="2024-08-01")
    assert record.budgets is None
    assert record.months is None
    assert record.texts is None
    assert [reason.split(",")[0][-30:] for reason in record.unknown] != []
    assert len(record.unknown) == 3
    answer = command("tools.analysis", tmp_path)
    assert answer.returncode == 0
    assert answer.stdout.count("Unknown: ") == 3


def test_analysis_of_a_whole_run_prints_every_part(tmp_path: pathlib.Path) -> None:
    generator = np.random.default_rng(9)
    ids = [str(i) for i in range(40)]
    grades = simulate_grades(generator.beta(1, 1, 40), range(8), generator, ids)
    texts = {(g.task_id, g.seed): f"{g.task_id} {g.seed} done" for g in grades}
    texts["0", 0] = "Wait, let me check. " * 100
    texts["1", 1] = texts["1", 2] = "the same"
    labels = {
        "contest_date": {i: f"2024-{int(i) % 12 + 1:02}-15" for i in ids},
        "difficulty": {i: "easy" if int(i) % 2 else "hard" for i in ids},
    }
    write_run(tmp_path / "lcb", grades, texts=texts, labels=labels, published=Published(0.5, "card"))
    answer = command("tools.analysis", tmp_path, "--cutoff", "2024-08-01")
    assert answer.returncode == 0, answer.stderr
    for part in (
        "Truncated:",
        "Score at smaller budgets",
        "Score by month",
        "Cut-off 2024-08-01",
        "within equal",
        "Loops: 1 of",
    ):
        assert part in answer.stdout
    (record,) = json.loads(command("tools.analysis", tmp_path, "--json").stdout)
    assert record["texts"]["repeated_responses"] == 1
    assert record["texts"]["loops_listed"][0]["kind"] == "exact"
    assert record["unknown"] == []
