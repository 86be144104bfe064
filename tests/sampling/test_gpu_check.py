"""The check of a user's GPU node: what it compares, and that it says clearly where there is no GPU."""

from __future__ import annotations

import json

from perf.gpu_check import Check, FrontDoor, Row, compare, keys, run_stage


def row(task_id: str, seed: int, output: str) -> str:
    return json.dumps({"task_id": task_id, "seed": seed, "output": output})


def test_without_a_gpu_it_says_so_and_checks_nothing(tmp_path, run_script):
    done = run_script("python", "perf/gpu_check.py", "--work", tmp_path, env={"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 2
    assert done.stderr.startswith("no GPU: this machine shows none, so nothing of CUDA was checked")
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_stage_is_named(run_script):
    done = run_script("python", "perf/gpu_check.py", "smoke")
    assert done.returncode == 2
    assert "no such stage: smoke; there are versions, run, kill, repeat, batch, throughput" in done.stderr


def test_rows_are_compared_by_problem_and_seed():
    left = [row("a", 1, "x"), row("a", 2, "y"), row("b", 1, "z")]
    assert compare(left, left[::-1]) == 0
    assert compare(left, [row("a", 1, "x"), row("a", 2, "other")]) == 2
    assert keys(left) == [("a", 1), ("a", 2), ("b", 1)]


def test_a_torn_line_does_not_count(tmp_path):
    door = FrontDoor(Check(tmp_path, True), "run")
    (door.out / "aime_sample").mkdir(parents=True)
    (door.out / "aime_sample" / "seed1.jsonl").write_text(row("a", 1, "x") + "\n" + row("b", 1, "y")[:9])
    assert keys(door.rows()) == [("a", 1)]


def test_a_stage_that_breaks_is_a_line_and_the_next_one_goes_on(tmp_path, monkeypatch, capsys):
    def broken(check: Check, found: Row) -> None:
        raise OSError("no such card")

    monkeypatch.setitem(__import__("perf.gpu_check").gpu_check.STAGES, "run", broken)
    assert run_stage(Check(tmp_path, True), "run").problem == "OSError: no such card"
    assert capsys.readouterr().out.startswith("run         FAILED: OSError: no such card")
    assert run_stage(Check(tmp_path, True), "versions").problem is None
