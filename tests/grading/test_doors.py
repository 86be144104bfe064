"""Both evaluate_*.py grade any benchmark, by its own grader; what cannot be meant is refused before work starts."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest

from tests.conftest import ROOT

DOORS = ("evaluate_aime.py", "evaluate_livecodebench.py")


@pytest.fixture
def right_answers(tmp_path: pathlib.Path) -> pathlib.Path:
    """Twenty right answers to the sample of mathematics."""
    rows = [json.loads(line) for line in (ROOT / "data" / "aime_sample.jsonl").read_text().split("\n") if line]
    folder = tmp_path / "aime_sample"
    folder.mkdir()
    texts = [{"task_id": row["id"], "output": f"hm</think>So \\boxed{{{row['answer']}}}."} for row in rows]
    (folder / "seed1.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    return folder


@pytest.mark.parametrize("door", DOORS)
def test_twenty_right_answers_score_a_hundred_by_either_door(
    door: str, right_answers: pathlib.Path, run_script: Any
) -> None:
    done = run_script("python", door, "-g", right_answers, "-q", "aime_sample")
    assert done.returncode == 0, done.stderr
    assert json.loads((right_answers / "accuracy_results.json").read_text())["avg_at_k"] == 1.0


@pytest.mark.parametrize("door", DOORS)
def test_the_help_of_either_door_has_the_options_of_every_grader(door: str, run_script: Any) -> None:
    done = run_script("python", door, "--help", env={"COLUMNS": "80"})
    assert {"--answer-from", "--comparison", "--timeout", "--unsafe-no-sandbox"} <= set(
        re.findall(r"--[a-z-]+", done.stdout)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--timeout", "5"], "aime_sample is graded by math, which has no option timeout_s; leave it out"),
        (["--subset", "v6"], "aime_sample has no subsets; leave --set v6 out"),
        (["--comparison", "magic"], "COMPARISON=magic is unknown; choose integer, math, choice"),
        (["--launcher", "slurm"], "LAUNCHER=slurm: choose local or ray"),
        (["--workers", "0"], "--workers 0 is not between 1 and 1024"),
    ],
)
def test_an_option_that_cannot_be_meant_is_one_line_and_nothing_is_graded(
    options: list[str], message: str, right_answers: pathlib.Path, run_script: Any
) -> None:
    done = run_script("python", "evaluate_aime.py", "-g", right_answers, *options)
    assert done.returncode == 2
    assert done.stderr == f"error: {message}\n"
    assert [path.name for path in right_answers.iterdir()] == ["seed1.jsonl"]


def test_a_program_set_has_no_votes_and_no_rules_of_mathematics(tmp_path: pathlib.Path, run_script: Any) -> None:
    done = run_script(
        "python", "evaluate_aime.py", "-g", tmp_path, "-q", "livecodebench_sample", "--answer-from", "answer"
    )
    assert done.returncode == 1  # the empty folder is named first: that is the cheapest check
    assert "no file named seed<N>.jsonl there" in done.stderr


def test_the_folder_of_a_run_with_one_benchmark_is_enough(right_answers: pathlib.Path, run_script: Any) -> None:
    done = run_script("python", "evaluate_aime.py", "-g", right_answers.parent)
    assert done.returncode == 0, done.stderr
    assert "100.0" in done.stdout
