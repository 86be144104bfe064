"""The page's server over runs that are going, damaged, or made by the original toolkit."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.report_runs import RunShape, make_run
from tests.support.view_server import Served, serve

MATH = RunShape(problems=6, seeds=4, chars=600)
CODE = RunShape("code", "livecodebench", 12, 3, 600)


def settled(server: Served, run: str, dataset: str, responses: int) -> dict[str, Any]:
    """The overview once the page has looked through all responses."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        overview = server.ask("/api/overview", run=run, dataset=dataset)
        if overview["signs"]["responses"] == responses:
            time.sleep(0.6)
            return server.ask("/api/overview", run=run, dataset=dataset)
        time.sleep(0.1)
    raise AssertionError(f"only {overview['signs']} after 30 s")


def test_the_page_follows_a_folder_that_grows(tmp_path: Path) -> None:
    whole = make_run(tmp_path / "whole", MATH, is_graded=False)
    folder = tmp_path / "out" / "aime24"
    with_nothing = tmp_path / "out"
    with_nothing.mkdir()
    with serve(with_nothing) as server:
        assert server.ask("/api/runs")["runs"][0]["datasets"] == []
        folder.mkdir()
        (folder / "manifest.json").write_bytes((whole / "manifest.json").read_bytes())
        lines = (whole / "seed100.jsonl").read_text().splitlines(keepends=True)
        (folder / "seed100.jsonl").write_text(lines[0] + lines[1][:40])
        server.ask("/api/runs")
        first = server.ask("/api/overview", run="out", dataset="aime24")
        assert (first["generated"], first["planned"]) == (1, 24)
        (folder / "seed100.jsonl").write_text("".join(lines))
        time.sleep(0.6)
        second = server.ask("/api/overview", run="out", dataset="aime24", version=first["version"])
        assert second["generated"] == 6
        assert second["version"] > first["version"]


def test_integer_answers_have_a_running_score_before_grading(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH, is_graded=False)
    with serve(tmp_path) as server:
        running = settled(server, tmp_path.name, "aime24", 24)
    assert running["is_provisional"]
    assert running["facts"] is None
    graded = make_run(tmp_path / "graded", MATH)
    counts = json.loads((graded / "accuracy_results.json").read_text())["counts"]
    assert running["map"].count("c") == counts["correct"]
    assert running["running"]["graded"] == 24
    assert not (folder / "verdicts.jsonl").exists()


def test_loops_and_cut_off_responses_are_counted_while_a_run_goes(tmp_path: Path) -> None:
    folder = make_run(tmp_path, CODE, is_graded=False)
    rows = [json.loads(line) for line in (folder / "seed100.jsonl").read_text().splitlines()]
    rows[0] |= {"output": "Wait, let me check again. " * 400, "finish_reason": "length"}
    (folder / "seed100.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cut_off = sum('"finish_reason": "length"' in path.read_text() for path in folder.glob("seed100.jsonl"))
    with serve(tmp_path) as server:
        signs = settled(server, tmp_path.name, "livecodebench", 36)["signs"]
    assert (signs["responses"], signs["loops"]) == (36, 1)
    assert signs["cut_off"] >= cut_off == 1


def test_the_status_of_a_run_is_shown_until_it_goes_stale(tmp_path: Path) -> None:
    make_run(tmp_path, MATH, is_graded=False)
    status = {"state": "running", "total": 24, "done": 24, "tokens_per_s": 900.0, "eta_s": 60, "workers": []}
    (tmp_path / "status.json").write_text(json.dumps(status))
    with serve(tmp_path) as server:
        shown = server.ask("/api/overview", run=tmp_path.name, dataset="aime24")
        assert shown["status"]["is_live"]
        assert shown["notes"] == []
        old = time.time() - 3600
        import os

        os.utime(tmp_path / "status.json", (old, old))
        shown = server.ask("/api/overview", run=tmp_path.name, dataset="aime24")
        assert not shown["status"]["is_live"]
        assert any("not graded yet" in note for note in shown["notes"])


def test_one_data_set_of_a_run_finds_the_runs_status(tmp_path: Path) -> None:
    make_run(tmp_path, MATH, is_graded=False)
    (tmp_path / "status.json").write_text('{"state": "running"}')
    with serve(tmp_path / "aime24") as server:
        assert server.ask("/api/runs")["runs"][0]["status"]["is_live"]


def test_files_of_the_original_are_shown_by_row_number(tmp_path: Path) -> None:
    folder = make_run(tmp_path, MATH)
    for path in folder.glob("seed*.jsonl"):
        outputs = [json.loads(line)["output"] for line in path.read_text().splitlines()]
        rows = [json.dumps({"task_id": number, "output": output}) for number, output in enumerate(outputs)]
        path.write_text("\n".join(rows) + "\n")
    with serve(tmp_path) as server:
        overview = server.ask("/api/overview", run=tmp_path.name, dataset="aime24")
        assert overview["task_ids"] == ["60", "61", "62", "63", "64", "65"]
        sample = server.ask("/api/sample", run=tmp_path.name, dataset="aime24", task="65", seed=101)
        assert len(sample["response"]["reasoning"]) >= 600
        assert server.ask("/api/samples", run=tmp_path.name, dataset="aime24", text="call this")["total"] == 24


@pytest.mark.parametrize(
    "file", ["manifest.json", "verdicts.jsonl", "accuracy_results.json", "seed100.jsonl", "../status.json"]
)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\x00", b'{"task_id": {"a": 1}, "seed": []}\n', b'{"plan": 3, "data": 5}\n']
)
def test_damaged_files_never_break_an_answer(tmp_path: Path, file: str, content: bytes) -> None:
    folder = make_run(tmp_path, RunShape(problems=3, seeds=2, chars=60))
    (folder / file).write_bytes(content)
    with serve(tmp_path) as server:
        name = tmp_path.name
        for path, parameters in (
            ("/api/runs", {}), ("/api/overview", {}), ("/api/samples", {"text": "a"}),
            ("/api/sample", {"task": "60", "seed": 100}), ("/api/test", {"task": "60", "number": 1}),
            ("/api/compare", {"a_run": name, "a_dataset": "aime24", "b_run": name, "b_dataset": "aime24"}),
        ):  # fmt: skip
            assert server.ask(path, run=name, dataset="aime24", **parameters)["http_status"] < 500, path
        assert server.get(f"/report?run={name}&dataset=aime24")[0] == 200
